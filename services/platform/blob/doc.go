// Package blob keeps files: whole, unchangeable, by a key that says nothing of their
// content. There are two stores behind one door: a directory, and anything that speaks
// S3. What a file is, whose it is and whether it is still needed stands in a database;
// a store only holds bytes.
//
// Two promises are the same in both. A file that Put has answered for survives a loss of
// power: the directory store flushes the file and its directory, S3 answers after it has
// stored. And a file is there whole or not at all: it gets its name after its last byte.
package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
)

// ErrNotFound is the answer for a key that has no file.
var ErrNotFound = errors.New("blob: no such file")

// Store is where files are.
type Store interface {
	// Put stores size bytes of r, at least one, under the key, which must be new. The
	// reader must give exactly as many.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Open reads a file from its start; ErrNotFound when there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// Delete removes a file. One that is not there is removed already.
	Delete(ctx context.Context, key string) error
	// List calls fn for every file, in no order, until fn fails.
	List(ctx context.Context, fn func(key string) error) error
	// Check finds out whether the store can be reached and written to.
	Check(ctx context.Context) error
}

// Config says where files are kept.
type Config struct {
	// Driver is file (a directory) or s3.
	Driver string `koanf:"driver"`
	// Dir is the directory of the file driver; empty means `files` in data_dir. All
	// replicas of casework must share it.
	Dir string `koanf:"dir"`
	// S3 is the bucket of the s3 driver.
	S3 S3Config `koanf:"s3"`
}

// S3Config is a bucket of an S3-compatible store.
type S3Config struct {
	// Endpoint is the store's web address, as https://s3.example.
	Endpoint string `koanf:"endpoint"`
	// Region is the bucket's region, where the store has any.
	Region string `koanf:"region"`
	// Bucket must exist; Prefix is put before every key in it.
	Bucket string `koanf:"bucket"`
	Prefix string `koanf:"prefix"`
	// AccessKey and SecretKey are the account that may read, write, list and delete
	// there.
	AccessKey boot.Secret `koanf:"access_key"`
	SecretKey boot.Secret `koanf:"secret_key"`
}

// The drivers.
const (
	DriverFile = "file"
	DriverS3   = "s3"
)

// Open opens the configured store. It talks to nobody yet: processes start in any order.
func Open(cfg Config) (Store, error) {
	switch cfg.Driver {
	case DriverFile:
		return openDir(cfg.Dir)
	case DriverS3:
		return openS3(cfg.S3)
	}
	return nil, fmt.Errorf("blob: driver is %q, neither %s nor %s", cfg.Driver, DriverFile, DriverS3)
}

// The letters of a key, in the order of their bytes, so that keys sort by time.
const letters = "0123456789abcdefghjkmnpqrstvwxyz"

// The parts of a key: ten letters of time, sixteen (80 bits) of chance.
const (
	timeLetters = 10
	keyLetters  = timeLetters + 16
)

// NewKey makes a key that nobody can guess and that sorts by the time it was made at.
func NewKey(now time.Time) string {
	var chance [keyLetters - timeLetters]byte
	_, _ = rand.Read(chance[:]) // it never fails: the program ends instead
	key := make([]byte, keyLetters)
	ms := uint64(max(0, now.UnixMilli()))
	for i := timeLetters - 1; i >= 0; i-- {
		key[i] = letters[ms&31]
		ms >>= 5
	}
	for i, b := range chance {
		key[timeLetters+i] = letters[b&31]
	}
	return string(key)
}

// KeyTime is when a key was made; false for what is no key of ours.
func KeyTime(key string) (time.Time, bool) {
	if len(key) != keyLetters {
		return time.Time{}, false
	}
	ms := int64(0)
	for i := range keyLetters {
		n := letterValue(key[i])
		if n < 0 {
			return time.Time{}, false
		}
		if i < timeLetters {
			ms = ms<<5 | int64(n)
		}
	}
	return time.UnixMilli(ms).UTC(), true
}

func letterValue(c byte) int {
	for i := range len(letters) {
		if letters[i] == c {
			return i
		}
	}
	return -1
}

// errKey is for a key that did not come from NewKey: none may name a path.
var errKey = errors.New("blob: not a key")

// errEmpty is for a file without a byte, which stores treat each in its own way.
var errEmpty = errors.New("blob: empty file")

func checkKey(key string) error {
	if _, ok := KeyTime(key); !ok {
		return errKey
	}
	return nil
}
