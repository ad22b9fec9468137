package blob_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/blob/blobtest"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, cfg blob.Config) blob.Store {
	t.Helper()
	s, err := blob.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	r, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestStore(t *testing.T) {
	blobtest.Each(t, func(t *testing.T, cfg blob.Config) {
		ctx, s := t.Context(), open(t, cfg)
		if err := s.Check(ctx); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for i, content := range []string{"a file", "b", strings.Repeat("x", 3<<20)} {
			key := blob.NewKey(noon.Add(time.Duration(i) * time.Second))
			if err := s.Put(ctx, key, strings.NewReader(content), int64(len(content))); err != nil {
				t.Fatal(err)
			}
			want[key] = content
		}
		for key, content := range want {
			if got := read(t, s, key); got != content {
				t.Errorf("%d bytes came back of %d", len(got), len(content))
			}
		}
		// Another process of the deployment sees the same.
		listed := map[string]bool{}
		if err := open(t, cfg).List(ctx, func(key string) error { listed[key] = true; return nil }); err != nil {
			t.Fatal(err)
		}
		if len(listed) != len(want) {
			t.Errorf("listed %v", listed)
		}
		enough := errors.New("enough")
		if err := s.List(ctx, func(string) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("a listing that is stopped says %v", err)
		}
		for key := range want {
			for range 2 { // the second finds nothing, and that is well
				if err := s.Delete(ctx, key); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Open(ctx, key); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("after deletion: %v", err)
			}
		}
	})
}

func TestAFileIsWholeOrNotThere(t *testing.T) {
	blobtest.Each(t, func(t *testing.T, cfg blob.Config) {
		s, key := open(t, cfg), blob.NewKey(noon)
		broken := io.MultiReader(strings.NewReader("half"), errReader{})
		if err := s.Put(t.Context(), key, broken, 8); err == nil {
			t.Error("half a file was taken for a whole")
		}
		if err := s.Put(t.Context(), blob.NewKey(noon), strings.NewReader(""), 0); err == nil {
			t.Error("an empty file was taken")
		}
		if err := s.Put(t.Context(), blob.NewKey(noon), strings.NewReader("short"), 8); err == nil {
			t.Error("a short file was taken for a whole")
		}
		if _, err := s.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("half a file: %v", err)
		}
	})
}

type errReader struct{}

// Read implements io.Reader.
func (errReader) Read([]byte) (int, error) { return 0, errors.New("the line broke") }

func TestKeysNameNoPath(t *testing.T) {
	blobtest.Each(t, func(t *testing.T, cfg blob.Config) {
		s := open(t, cfg)
		for _, key := range []string{"", "../../etc/passwd", "a/b", strings.Repeat(".", 26), strings.Repeat("A", 26), blob.NewKey(noon) + "x"} {
			if err := s.Put(t.Context(), key, bytes.NewReader(nil), 0); err == nil {
				t.Errorf("%q was taken for a key", key)
			}
			if _, err := s.Open(t.Context(), key); err == nil || errors.Is(err, blob.ErrNotFound) {
				t.Errorf("open %q: %v", key, err)
			}
			if err := s.Delete(t.Context(), key); err == nil {
				t.Errorf("%q was taken for a key", key)
			}
		}
	})
}

func TestKeysSortByTime(t *testing.T) {
	last := ""
	for i := range 100 {
		at := noon.Add(time.Duration(i) * 7 * time.Hour)
		key := blob.NewKey(at)
		if got, ok := blob.KeyTime(key); !ok || !got.Equal(at) || key <= last {
			t.Fatalf("%s of %v says %v, %t; before it came %s", key, at, got, ok, last)
		}
		last = key
	}
}

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	cfg := blobtest.Dir(t)
	s, key := open(t, cfg), blob.NewKey(noon)
	if err := s.Put(t.Context(), key, strings.NewReader("kept"), 4); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(cfg.Dir, key[24:], blob.NewKey(noon)+".part")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	sweeper := s.(interface{ Sweep(func(string) bool) error })
	if err := sweeper.Sweep(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err != nil {
		t.Errorf("what is being written was removed: %v", err)
	}
	if err := sweeper.Sweep(func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil || read(t, s, key) != "kept" {
		t.Errorf("after the sweep: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := blobtest.S3(t)
	for name, change := range map[string]func(*blob.Config){
		"driver":   func(c *blob.Config) { c.Driver = "ftp" },
		"dir":      func(c *blob.Config) { c.Driver = blob.DriverFile },
		"endpoint": func(c *blob.Config) { c.S3.Endpoint = "s3.example" },
		"path":     func(c *blob.Config) { c.S3.Endpoint += "/bucket" },
		"bucket":   func(c *blob.Config) { c.S3.Bucket = "" },
		"secret":   func(c *blob.Config) { c.S3.SecretKey = "" },
	} {
		cfg := good
		change(&cfg)
		if _, err := blob.Open(cfg); err == nil {
			t.Errorf("a bad %s was taken", name)
		}
	}
}
