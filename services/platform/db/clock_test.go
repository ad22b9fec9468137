package db_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

// wrong is the machine's clock, put by so much.
type wrong struct {
	clock.Source
	by atomic.Int64
}

func (w *wrong) Reading() (time.Time, time.Duration) {
	now, elapsed := w.Source.Reading()
	return now.Add(time.Duration(w.by.Load())), elapsed
}

// Nothing is written by a clock that was put, not even what was begun before; nor by one
// that differs from PostgreSQL's, which is asked at the opening.
func TestUnconfirmedClockDoesNotWrite(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		source := &wrong{Source: clock.System()}
		guard := clock.NewGuard(source, slog.New(slog.DiscardHandler))
		d := dbtest.Open(t, cfg, notes, guard)
		refused := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, fault.ClockUnconfirmed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		good := func(word string, id int64) {
			t.Helper()
			guard.Check(t.Context())
			if err := d.Write(t.Context(), "k", insert(id, word)); err != nil {
				t.Errorf("%s: %v", word, err)
			}
		}
		good("before", 1)
		put := func(ctx context.Context, tx *db.Tx) error {
			source.by.Store(int64(2 * time.Hour))
			return insert(tx.NextID(), "meanwhile")(ctx, tx)
		}
		refused("put on the way", d.Write(t.Context(), "k", put))
		refused("afterwards", d.Write(t.Context(), "k", insert(2, "afterwards")))
		source.by.Store(0)
		good("put back", 3)
		// A neighbour that was through before has to be stamped yet.
		stamped := func(ctx context.Context, tx *db.Tx) error {
			at := func(now time.Time) []any { return []any{now.UnixMicro(), "neighbour"} }
			q := "INSERT INTO notes (id, word, n) VALUES ($1, $2, 0) RETURNING n"
			return tx.Last(ctx, db.Last{Query: q, Careful: q, Args: at, Into: []any{new(int64)}})
		}
		both := crowd(t, d, stamped, put)
		source.by.Store(0)
		guard.Check(t.Context())
		for _, err := range both {
			refused("with a neighbour", err)
		}
		if got, want := words(t, d), []string{"before", "put back"}; !slices.Equal(got, want) {
			t.Errorf("%v is written, want %v", got, want)
		}
		if cfg.Driver != db.Postgres {
			return
		}
		source.by.Store(int64(-time.Minute))
		late := clock.NewGuard(source, slog.New(slog.DiscardHandler))
		replica := dbtest.Open(t, cfg, notes, late)
		refused("a minute behind the database", replica.Write(t.Context(), "k", insert(5, "behind")))
		if by := late.Offsets()["database "+cfg.Schema]; by < 59*time.Second || by > 61*time.Second {
			t.Errorf("the database is ahead by %s", by)
		}
		source.by.Store(0)
		late.Check(t.Context())
		if err := replica.Write(t.Context(), "k", insert(6, "put right")); err != nil {
			t.Errorf("put right: %v", err)
		}
	})
}
