// Package blobtest gives tests every kind of store: a directory, and a bucket of an S3
// server inside the test.
package blobtest

import (
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/onehall/onehall/services/platform/blob"
)

// Each runs a test on every kind of store.
func Each(t *testing.T, test func(t *testing.T, cfg blob.Config)) {
	t.Helper()
	t.Run("file", func(t *testing.T) { test(t, Dir(t)) })
	t.Run("s3", func(t *testing.T) { test(t, S3(t)) })
}

// Dir is a store in a directory of the test's.
func Dir(t *testing.T) blob.Config {
	return blob.Config{Driver: blob.DriverFile, Dir: t.TempDir()}
}

// S3 is an empty bucket on loopback.
func S3(t *testing.T) blob.Config {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("onehall"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(srv.Close)
	return blob.Config{Driver: blob.DriverS3, S3: blob.S3Config{
		Endpoint: srv.URL, Bucket: "onehall", Prefix: "files", AccessKey: "access key of the tests", SecretKey: "secret key of the tests",
	}}
}
