package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// dir is a store in a directory. Files lie in subdirectories by the last two letters of
// their key, which are chance: none of them grows too large.
type dir struct{ root string }

// halfWritten marks files that have no name yet; a crash may leave some behind.
const halfWritten = ".part"

func openDir(root string) (Store, error) {
	if root == "" {
		return nil, errors.New("blob: the file driver needs a directory")
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &dir{root}, nil
}

func (d *dir) path(key string) (shard, path string, err error) {
	if err := checkKey(key); err != nil {
		return "", "", err
	}
	shard = filepath.Join(d.root, key[keyLetters-2:])
	return shard, filepath.Join(shard, key), nil
}

// Put implements Store: bytes, flush, name, flush of the directory.
func (d *dir) Put(ctx context.Context, key string, r io.Reader, size int64) (err error) {
	shard, path, err := d.path(key)
	if err != nil {
		return err
	}
	if size <= 0 {
		return errEmpty
	}
	if err := d.makeShard(shard); err != nil {
		return err
	}
	f, err := os.OpenFile(path+halfWritten, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path+halfWritten))
		}
	}()
	n, err := io.Copy(f, io.LimitReader(reader{ctx, r}, size+1))
	if err == nil && n != size {
		err = fmt.Errorf("blob: %d bytes came where %d were announced", n, size)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+halfWritten, path); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if err := syncDir(shard); err != nil {
		// Whether the name is durable is not known, so nobody may rely on it.
		return errors.Join(err, os.Rename(path, path+halfWritten))
	}
	return nil
}

// makeShard makes a subdirectory whose own name survives a loss of power.
func (d *dir) makeShard(shard string) error {
	err := os.Mkdir(shard, 0o700)
	switch {
	case err == nil:
		return syncDir(d.root)
	case errors.Is(err, fs.ErrExist):
		return nil
	}
	return fmt.Errorf("blob: %w", err)
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("blob: flush %s: %w", filepath.Base(path), err)
	}
	return nil
}

// Open implements Store.
func (d *dir) Open(_ context.Context, key string) (io.ReadCloser, error) {
	_, path, err := d.path(key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return f, nil
}

// Delete implements Store.
func (d *dir) Delete(_ context.Context, key string) error {
	_, path, err := d.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: %w", err)
	}
	return nil
}

// List implements Store. Files that have no name yet are not listed: see Sweep.
func (d *dir) List(ctx context.Context, fn func(key string) error) error {
	shards, err := os.ReadDir(d.root)
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	for _, shard := range shards {
		if !shard.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(d.root, shard.Name()))
		if err != nil {
			return fmt.Errorf("blob: %w", err)
		}
		for _, f := range files {
			if err := ctx.Err(); err != nil {
				return err
			}
			key := f.Name()
			if checkKey(key) != nil {
				continue
			}
			if err := fn(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sweep removes what a crash left half written and old says is no longer being written.
func (d *dir) Sweep(old func(key string) bool) error {
	left, err := filepath.Glob(filepath.Join(d.root, "??", "*"+halfWritten))
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	for _, path := range left {
		if !old(strings.TrimSuffix(filepath.Base(path), halfWritten)) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("blob: %w", err)
		}
	}
	return nil
}

// Check implements Store.
func (d *dir) Check(context.Context) error {
	f, err := os.CreateTemp(d.root, "check-*")
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// reader ends a copy when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
