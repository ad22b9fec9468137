//go:build unix

package db

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// lockFile takes a lock beside the database file for as long as this process has it
// open. SQLite's own locks would let a second process in and let the two take turns;
// the service's caches and its one writer are made for one process.
func lockFile(path string) (*os.File, error) {
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner, readErr := io.ReadAll(io.LimitReader(f, 64))
		if readErr != nil {
			owner = []byte("unknown")
		}
		_ = f.Close() // the refusal below is what matters
		return nil, fmt.Errorf("db: %s is in use by another process (%s); stop it first, or give this one its own data directory: %w",
			path, strings.TrimSpace(string(owner)), err)
	}
	// Who holds it is a courtesy to the reader of the message above; the lock stands without.
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "pid %d\n", os.Getpid())
	}
	return f, nil
}
