package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

var notes = fstest.MapFS{"migrations/00100_notes.sql": {Data: []byte(`-- +goose Up
CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY, word TEXT NOT NULL UNIQUE, n BIGINT NOT NULL);
-- +goose Down
DROP TABLE notes;
`)}}

func insert(id int64, word string) db.WriteFunc {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO notes (id, word, n) VALUES ($1, $2, 0)", id, word)
		return err
	}
}

func words(t *testing.T, d *db.DB) []string {
	t.Helper()
	rows, err := d.Read().QueryContext(context.Background(), "SELECT word FROM notes ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var w string
		if err := rows.Scan(&w); err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// crowd starts writes of one key that all wait behind one which is held, so that they
// share a batch. It gives their errors, in their order.
func crowd(t *testing.T, d *db.DB, fns ...db.WriteFunc) []error {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		err := d.Write(t.Context(), "k", func(context.Context, *db.Tx) error {
			close(held)
			<-release
			return nil
		})
		if err != nil {
			t.Errorf("the write that holds the others: %v", err)
		}
	})
	<-held
	errs := make([]error, len(fns))
	for i, fn := range fns {
		group.Go(func() { errs[i] = d.Write(t.Context(), "k", fn) })
		for d.Stats().Waiting != int64(i+1) {
			time.Sleep(100 * time.Microsecond) // until it stands in the line
		}
	}
	close(release)
	group.Wait()
	return errs
}

var errRefused = errors.New("refused")

// Writes that end badly, each in its own way.

func readThenRefuse(ctx context.Context, tx *db.Tx) error {
	var n int
	if err := tx.QueryRowContext(ctx, "-- name: count :one\nSELECT COUNT(*) FROM notes").Scan(&n); err != nil {
		return err
	}
	return errRefused
}

// counted has a statement sent before the function goes on.
func counted(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func nothingThenRefuse(ctx context.Context, tx *db.Tx) error {
	if _, err := counted(tx.ExecContext(ctx, "UPDATE notes SET n = 1 WHERE id = 999")); err != nil {
		return err
	}
	return errRefused
}

func writeThenRefuse(ctx context.Context, tx *db.Tx) error {
	if _, err := counted(tx.ExecContext(ctx, "INSERT INTO notes (id, word, n) VALUES (900, 'undone', 0)")); err != nil {
		return err
	}
	return errRefused
}

func returningThenRefuse(ctx context.Context, tx *db.Tx) error {
	var id int64
	if err := tx.QueryRowContext(ctx, "INSERT INTO notes (id, word, n) VALUES (901, 'undone too', 0) RETURNING id").Scan(&id); err != nil {
		return err
	}
	return errRefused
}

func swallow(ctx context.Context, tx *db.Tx) error {
	if _, err := counted(tx.ExecContext(ctx, "INSERT INTO notes (id, word, n) VALUES (1, 'twice', 0)")); err == nil {
		return errors.New("a second row of one id")
	}
	return nil // as if nothing had been
}

func throw(context.Context, *db.Tx) error { panic("thrown") }

func writeThenThrow(ctx context.Context, tx *db.Tx) error {
	if _, err := counted(tx.ExecContext(ctx, "INSERT INTO notes (id, word, n) VALUES (902, 'undone as well', 0)")); err != nil {
		return err
	}
	panic("thrown late")
}

func TestNeighboursInABatch(t *testing.T) {
	refused := func(err error) bool { return errors.Is(err, errRefused) }
	tests := []struct {
		name  string
		bad   db.WriteFunc
		check func(error) bool
		// again tells that the batch has to be begun again.
		again bool
	}{
		{"refused after reading", readThenRefuse, refused, false},
		{"refused after changing no row", nothingThenRefuse, refused, false},
		{"refused after writing", writeThenRefuse, refused, true},
		{"refused after a returning insert", returningThenRefuse, refused, true},
		{"breach of uniqueness", insert(1, "one again"), db.IsUnique, true},
		{"error of the database swallowed", swallow, db.IsUnique, true},
		{"panic", throw, isPanic, false},
		{"panic after writing", writeThenThrow, isPanic, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
				before := d.Stats()
				errs := crowd(t, d, insert(1, "one"), tt.bad, insert(2, "two"), tt.bad, insert(3, "three"))
				for i, err := range errs {
					if bad := i%2 == 1; bad && !tt.check(err) || !bad && err != nil {
						t.Errorf("write %d: %v", i, err)
					}
				}
				if diff := cmp.Diff([]string{"one", "two", "three"}, words(t, d)); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				after := d.Stats()
				if got := after.Commits - before.Commits; got != 1 {
					t.Errorf("%d commits, want one for all", got)
				}
				if again := after.Rollbacks > before.Rollbacks; again != tt.again {
					t.Errorf("rolled back: %v, want %v", again, tt.again)
				}
			})
		})
	}
}

func isPanic(err error) bool {
	var p *db.PanicError
	return errors.As(err, &p) && strings.Contains(p.Error(), "thrown")
}

func TestManySpoilersStillOneOutcomeEach(t *testing.T) {
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		var fns []db.WriteFunc
		for i := range 60 {
			fns = append(fns, func(ctx context.Context, tx *db.Tx) error {
				if err := insert(int64(i), fmt.Sprint(i))(ctx, tx); err != nil {
					return err
				}
				if i%3 == 0 {
					return errRefused
				}
				return nil
			})
		}
		for i, err := range crowd(t, d, fns...) {
			if want := i%3 == 0; errors.Is(err, errRefused) != want || !want && err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		}
		if got := len(words(t, d)); got != 40 {
			t.Errorf("%d rows, want 40", got)
		}
	})
}

// An answer that rests on a neighbour's change must not be given when that change is
// undone: the second write sees the row of the first, whose batch is then begun again
// because of the third, and the first then changes its mind.
func TestAnswerWaitsForTheBatch(t *testing.T) {
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		calls := 0
		fickle := func(ctx context.Context, tx *db.Tx) error {
			if calls++; calls > 1 {
				return errRefused
			}
			return insert(1, "one")(ctx, tx)
		}
		errExists := errors.New("exists")
		look := func(ctx context.Context, tx *db.Tx) error {
			var n int
			if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM notes WHERE id = 1").Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				return errExists
			}
			return nil
		}
		spoil := func(ctx context.Context, tx *db.Tx) error {
			_, err := counted(tx.ExecContext(ctx, "INSERT INTO notes (id, word, n) VALUES (2, 'two', 0)"))
			return errors.Join(err, errRefused)
		}
		errs := crowd(t, d, fickle, look, spoil)
		if !errors.Is(errs[0], errRefused) || errs[1] != nil || !errors.Is(errs[2], errRefused) {
			t.Errorf("got %v; the second must not know of a row that never was", errs)
		}
	})
}

func TestCallerWhoGivesUp(t *testing.T) {
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		held, release := make(chan struct{}), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan error, 1)
		go func() {
			started <- d.Write(ctx, "k", func(ctx context.Context, tx *db.Tx) error {
				close(held)
				<-release
				return insert(1, "begun")(ctx, tx)
			})
		}()
		<-held
		waiting := make(chan error, 1)
		go func() { waiting <- d.Write(ctx, "k", insert(2, "not begun")) }()
		for d.Stats().Waiting == 0 {
			time.Sleep(100 * time.Microsecond)
		}
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("who waited got %v", err)
		}
		close(release)
		if err := <-started; err != nil {
			t.Errorf("whose turn had come got %v", err)
		}
		if err := d.Write(ctx, "k", insert(3, "too late")); !errors.Is(err, context.Canceled) {
			t.Errorf("who had given up before got %v", err)
		}
		if got := words(t, d); !slices.Equal(got, []string{"begun"}) {
			t.Errorf("rows %v", got)
		}
	})
}

type requestID struct{}

func TestContextOfAWrite(t *testing.T) {
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		ctx := context.WithValue(t.Context(), requestID{}, "r1")
		err := d.Write(ctx, "k", func(ctx context.Context, tx *db.Tx) error {
			if ctx.Value(requestID{}) != "r1" {
				return errors.New("the caller's values are lost")
			}
			if err := d.Write(ctx, "k", insert(1, "one")); !errors.Is(err, db.ErrNested) {
				return fmt.Errorf("nested: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestCloseLetsWaitingWritesFinish(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		cfg.MaxQueue = 5
		d, err := db.Open(t.Context(), cfg, notes, clock.System())
		if err != nil {
			t.Fatal(err)
		}
		held, release := make(chan struct{}), make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			_ = d.Write(t.Context(), "k", func(context.Context, *db.Tx) error { close(held); <-release; return nil })
		})
		<-held
		errs := make(chan error, 6)
		for i := range 6 {
			group.Go(func() { errs <- d.Write(t.Context(), "k", insert(int64(i), fmt.Sprint(i))) })
		}
		if err := <-errs; !errors.Is(err, fault.Unavailable) {
			t.Errorf("the one too many got %v", err)
		}
		group.Go(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		close(release)
		for range 5 {
			if err := <-errs; err != nil {
				t.Errorf("a write that waited got %v", err)
			}
		}
		group.Wait()
		if err := d.Write(t.Context(), "k", insert(9, "nine")); !errors.Is(err, fault.Unavailable) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestReadTxSeesOneState(t *testing.T) {
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		err := d.ReadTx(t.Context(), func(q db.Querier) error {
			for range 2 {
				var n int
				if err := q.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM notes").Scan(&n); err != nil {
					return err
				}
				if n != 0 {
					return fmt.Errorf("sees %d rows", n)
				}
				if err := d.Write(t.Context(), "k", insert(d.NextID(), fmt.Sprint(d.NextID()))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestCommitHookAndSettled(t *testing.T) {
	clk := clock.NewVirtual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	dbtest.EachClock(t, notes, clk, func(t *testing.T, d *db.DB) {
		commits := make(chan struct{}, 10)
		d.OnCommit(func() { commits <- struct{}{} })
		start := clk.Now()
		err := d.Write(t.Context(), "k", func(ctx context.Context, tx *db.Tx) error {
			clk.Advance(time.Second)
			if got := d.Settled(); !got.Before(start) {
				return fmt.Errorf("settled at %v while a write from %v runs", got, start)
			}
			return insert(1, "one")(ctx, tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		<-commits
		if err := d.Write(t.Context(), "k", func(context.Context, *db.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if len(commits) != 0 {
			t.Error("a write that wrote nothing was announced")
		}
		for !d.Settled().After(start) {
			time.Sleep(100 * time.Microsecond) // the callers are told before the transaction is struck off
		}
	})
}
