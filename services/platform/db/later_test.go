package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// A write whose statement changed another number of rows than it must gets its own error;
// those that shared its transaction do not notice.
func TestExpect(t *testing.T) {
	change := func(id, rows int64) db.WriteFunc {
		return func(ctx context.Context, tx *db.Tx) error {
			res, err := tx.ExecContext(ctx, "UPDATE notes SET n = n + 1 WHERE id = $1", id)
			if err != nil {
				return err
			}
			return tx.Expect(ctx, res, rows, func(context.Context) error { return errRefused })
		}
	}
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		errs := crowd(t, d, insert(1, "one"), change(1, 1), change(9, 1), change(9, 0), change(1, 2), insert(2, "two"))
		for i, err := range errs {
			if bad := i == 2 || i == 4; bad != errors.Is(err, errRefused) || !bad && err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		}
		if diff := cmp.Diff([]string{"one", "two"}, words(t, d)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		var n int64
		if err := d.Read().QueryRowContext(t.Context(), "SELECT n FROM notes WHERE id = 1").Scan(&n); err != nil || n != 1 {
			t.Errorf("changed %d times, want once (%v)", n, err)
		}
	})
}

// A query of one write sends what another has kept; when that fails, the other is to blame.
func TestKeptStatementFailsAtAnothersQuery(t *testing.T) {
	count := func(ctx context.Context, tx *db.Tx) error {
		var n int
		return tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM notes").Scan(&n)
	}
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		errs := crowd(t, d, insert(1, "one"), insert(1, "one again"), count, insert(2, "two"))
		for i, err := range errs {
			if i == 1 != db.IsUnique(err) || i != 1 && err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		}
		if got := words(t, d); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("rows %v", got)
		}
	})
}

// numbered inserts a row with the next number as the last of its transaction.
func numbered(word string, got *int64) db.WriteFunc {
	const insert = "INSERT INTO notes (id, word, n) SELECT (SELECT COALESCE(MAX(id), 0) + 1 FROM notes), CAST($1 AS TEXT), CAST($2 AS BIGINT)"
	return func(ctx context.Context, tx *db.Tx) error {
		return tx.Last(ctx, db.Last{
			Query: insert + " RETURNING id", Careful: insert + " WHERE true ON CONFLICT DO NOTHING RETURNING id",
			Args:      func(now time.Time) []any { return []any{word, db.Micros(now)} },
			Into:      []any{got},
			Otherwise: func(context.Context) error { return errRefused },
		})
	}
}

// Statements that run last take turns: the numbers have no gap and none is given twice,
// whoever writes, in one process or several.
func TestLastTakesTurns(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		dbs := []*db.DB{dbtest.Open(t, cfg, notes, clock.System())}
		if cfg.Driver == db.Postgres {
			dbs = append(dbs, dbtest.Open(t, cfg, notes, clock.System()))
		}
		const writers, each = 16, 20
		got := make([]int64, writers*each)
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range each {
					at := w*each + i
					word := fmt.Sprint("word ", at-at%7/6) // each seventh is a second of its word
					err := dbs[at%len(dbs)].Write(t.Context(), word, numbered(word, &got[at]))
					if err != nil {
						got[at] = 0
					}
					if err != nil && !errors.Is(err, errRefused) {
						t.Errorf("%s: %v", word, err)
					}
				}
			})
		}
		group.Wait()
		given := slices.DeleteFunc(got, func(n int64) bool { return n == 0 })
		slices.Sort(given)
		for i, n := range given {
			if n != int64(i+1) {
				t.Fatalf("number %d in the place of %d", n, i+1)
			}
		}
		if stored := words(t, dbs[0]); len(stored) != len(given) {
			t.Errorf("%d rows, %d numbers", len(stored), len(given))
		}
	})
}

// What goes last is there for a query that asks for it.
func TestSendLast(t *testing.T) {
	dbtest.Each(t, notes, func(t *testing.T, d *db.DB) {
		var n int64
		err := d.Write(t.Context(), "k", func(ctx context.Context, tx *db.Tx) error {
			if err := numbered("one", &n)(ctx, tx); err != nil {
				return err
			}
			if err := tx.SendLast(ctx); err != nil {
				return err
			}
			var rows int
			if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM notes").Scan(&rows); err != nil {
				return err
			}
			if rows != 1 {
				return fmt.Errorf("sees %d rows", rows)
			}
			return nil
		})
		if err != nil || n != 1 {
			t.Errorf("number %d, %v", n, err)
		}
	})
}
