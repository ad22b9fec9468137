package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

// failing is an engine whose commits and begins end as told; nothing is stored.
type failing struct {
	mu      sync.Mutex
	commits []error
	begins  int
	begin1  error
}

func (f *failing) begin(context.Context) (session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begins++
	return failingSession{f: f}, f.begin1
}
func (f *failing) reader() Querier                            { return nil }
func (f *failing) beginRead(context.Context) (*sql.Tx, error) { return nil, nil }
func (f *failing) migrate(context.Context, fs.FS, bool) error { return nil }
func (f *failing) remote() bool                               { return false }
func (f *failing) close() error                               { return nil }

type failingSession struct {
	Querier
	f *failing
}

func (s failingSession) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return rows(1), nil
}

type rows int64

func (r rows) LastInsertId() (int64, error) { return 0, nil }
func (r rows) RowsAffected() (int64, error) { return int64(r), nil }

func (s failingSession) commit() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if len(s.f.commits) == 0 {
		return nil
	}
	err := s.f.commits[0]
	s.f.commits = s.f.commits[1:]
	return err
}
func (s failingSession) rollback()                        {}
func (s failingSession) later(*pending) bool              { return false }
func (s failingSession) send(context.Context, bool) error { return nil }
func (s failingSession) drop(*Tx) bool                    { return false }
func (s failingSession) failed() error                    { return nil }

func openFailing(t *testing.T, f *failing) *DB {
	t.Helper()
	d := &DB{
		cfg: Config{Driver: SQLite, MaxBatch: 256, MaxQueue: 100}, clock: clock.System(), engine: f,
		inflight: inflight{clock: clock.System(), starts: map[uint64]time.Time{}}, failed: make(chan struct{}),
	}
	w := newWriter(d)
	d.writers = []*writer{w}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// together queues n writes before the writer starts, so that they share a batch.
func together(t *testing.T, d *DB, n int) []error {
	t.Helper()
	var group sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		group.Go(func() {
			errs[i] = d.Write(t.Context(), "k", func(ctx context.Context, tx *Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT")
				return err
			})
		})
	}
	for d.Stats().Waiting < int64(n) {
		time.Sleep(100 * time.Microsecond)
	}
	d.running.Go(d.writers[0].loop)
	group.Wait()
	return errs
}

var errLost = errors.New("connection lost")

func TestOutcomesOfCommit(t *testing.T) {
	tests := []struct {
		name    string
		commits []error
		callers int
		want    *fault.Reason // nil for success
		begins  int
	}{
		{"success", nil, 3, nil, 1},
		{"unknown for a batch", []error{errUnknown{errLost}}, 3, fault.UnknownOutcome, 1},
		{"unknown for one", []error{errUnknown{errLost}}, 1, fault.UnknownOutcome, 1},
		{"flush failed", []error{errBroken{errLost}}, 2, fault.UnknownOutcome, 1},
		{"refused as a batch, fine alone", []error{errLost}, 3, nil, 4},
		{"refused alone", []error{errLost}, 1, fault.Internal, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &failing{commits: tt.commits}
			d := openFailing(t, f)
			for i, err := range together(t, d, tt.callers) {
				if tt.want == nil && err != nil || tt.want != nil && fault.Of(err).Reason() != tt.want {
					t.Errorf("caller %d: %v, want %v", i, err, tt.want)
				}
			}
			if f.begins != tt.begins {
				t.Errorf("%d transactions, want %d", f.begins, tt.begins)
			}
		})
	}
}

func TestBrokenDiskEndsWriting(t *testing.T) {
	f := &failing{commits: []error{errBroken{errLost}}}
	d := openFailing(t, f)
	together(t, d, 1)
	select {
	case <-d.Failed():
	default:
		t.Fatal("Failed is not closed")
	}
	if !errors.Is(d.Err(), errLost) {
		t.Errorf("Err is %v", d.Err())
	}
	err := d.Write(t.Context(), "k", func(context.Context, *Tx) error { return errors.New("was run") })
	if !errors.Is(err, fault.Unavailable) || !errors.Is(err, errLost) {
		t.Errorf("the next write got %v", err)
	}
	if f.begins != 1 {
		t.Errorf("%d transactions were begun", f.begins)
	}
}

func TestNoDatabaseFailsAllAtOnce(t *testing.T) {
	f := &failing{begin1: fmt.Errorf("dial: %w", sql.ErrConnDone)}
	d := openFailing(t, f)
	for _, err := range together(t, d, 50) {
		if !errors.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
	}
	if f.begins != 1 {
		t.Errorf("%d tries for 50 callers", f.begins)
	}
}

func TestKindOf(t *testing.T) {
	tests := map[string]kind{
		"SELECT 1":                                       reading,
		"-- name: X :one\nselect 1":                      reading,
		"/* a */ -- b\n  SELECT 1":                       reading,
		"(SELECT 1)":                                     reading,
		"WITH a AS (SELECT 1) SELECT * FROM a":           reading,
		"WITH a AS (SELECT 1) INSERT INTO b SELECT 1":    other,
		"WITH a AS (DELETE FROM b RETURNING 1) SELECT 1": other,
		"-- name: Y :one\nINSERT INTO a VALUES (1)":      changing,
		"update a set b = 1":                             changing,
		"DELETE FROM a":                                  changing,
		"CREATE TABLE a (b TEXT)":                        other,
		"-- only a comment":                              other,
		"/* never closed":                                other,
		"PRAGMA user_version = 3":                        other,
		"SELECTED":                                       other,
	}
	for query, want := range tests {
		if got := kindOf(query); got != want {
			t.Errorf("kindOf(%q) = %v, want %v", query, got, want)
		}
	}
}

func TestIDsRise(t *testing.T) {
	var s ids
	now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	var last int64
	for i := range 10_000 {
		if i == 5_000 {
			now = now.Add(-time.Hour) // a clock that goes back
		}
		id := s.next(now)
		if id <= last {
			t.Fatalf("%d after %d", id, last)
		}
		last = id
	}
	if later := s.next(now.AddDate(150, 0, 0)); later <= last {
		t.Errorf("after 150 years: %d", later)
	}
}

func TestSQLiteCodesAreWhatTheyWere(t *testing.T) {
	// The driver's constants are generated; these are SQLite's documented numbers.
	for got, want := range map[int]int{
		sqlite3.SQLITE_IOERR_FSYNC: 1034, sqlite3.SQLITE_IOERR_DIR_FSYNC: 1290,
		sqlite3.SQLITE_CONSTRAINT_UNIQUE: 2067, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: 1555,
	} {
		if got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}
