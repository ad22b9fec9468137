package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucket is a store in a bucket of S3.
type bucket struct {
	client       *minio.Client
	name, prefix string
}

// The bounds of one answer of the store; a body may take longer.
const (
	s3Connect = 5 * time.Second
	s3Answer  = 30 * time.Second
)

func openS3(cfg S3Config) (Store, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("blob: s3.endpoint must be the web address of a store, without a path")
	}
	if cfg.Bucket == "" {
		return nil, errors.New("blob: s3.bucket is missing")
	}
	if cfg.AccessKey == "" || cfg.SecretKey == "" {
		return nil, errors.New("blob: s3.access_key and s3.secret_key are missing")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSHandshakeTimeout, transport.ResponseHeaderTimeout = s3Connect, s3Answer
	// A file arrives as it was stored; the client must not unpack it.
	transport.DisableCompression = true
	region := cfg.Region
	if region == "" {
		region = "us-east-1" // what stores without regions call theirs; it saves a question
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(cfg.AccessKey.Reveal(), cfg.SecretKey.Reveal(), ""),
		Secure: u.Scheme == "https", Region: region, BucketLookup: minio.BucketLookupPath, Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	prefix := strings.Trim(cfg.Prefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &bucket{client, cfg.Bucket, prefix}, nil
}

// Put implements Store.
func (b *bucket) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if size <= 0 {
		return errEmpty
	}
	// Its own type says what a file is to nobody: only we hand files out.
	_, err := b.client.PutObject(ctx, b.name, b.prefix+key, r, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableMultipart: size < multipart,
	})
	if err != nil {
		return fmt.Errorf("blob: store: %w", err)
	}
	return nil
}

// multipart is from which size a file is sent in parts.
const multipart = 64 << 20

// Open implements Store.
func (b *bucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	o, err := b.client.GetObject(ctx, b.name, b.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("blob: open: %w", err)
	}
	// The request is only made when something is asked of the object.
	if _, err := o.Stat(); err != nil {
		if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
			return nil, errors.Join(ErrNotFound, o.Close())
		}
		return nil, errors.Join(fmt.Errorf("blob: open: %w", err), o.Close())
	}
	return o, nil
}

// Delete implements Store. S3 answers alike whether or not there was anything.
func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := b.client.RemoveObject(ctx, b.name, b.prefix+key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("blob: delete: %w", err)
	}
	return nil
}

// List implements Store.
func (b *bucket) List(ctx context.Context, fn func(key string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when fn has had enough
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("blob: list: %w", o.Err)
		}
		key := strings.TrimPrefix(o.Key, b.prefix)
		if checkKey(key) != nil {
			continue // not ours
		}
		if err := fn(key); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Check implements Store.
func (b *bucket) Check(ctx context.Context) error {
	ok, err := b.client.BucketExists(ctx, b.name)
	if err == nil && !ok {
		err = errors.New("there is no such bucket")
	}
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	return nil
}
