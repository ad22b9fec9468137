package almanac

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
)

// Apply keeps what an event of the catalogue tells of calendars and policies, in the
// table almanac; of other events it keeps nothing. What cannot be read is refused, so
// that the feed parks it.
func Apply(ctx context.Context, tx *db.Tx, e *feedv1.Event) error {
	if e.GetType() != CalendarPublished && e.GetType() != PolicyPublished {
		return nil
	}
	r := row{position: e.GetPosition(), kind: e.GetType(), data: e.GetResource()}
	if _, err := r.entry(); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO almanac (position, kind, data) VALUES ($1, $2, $3) ON CONFLICT (position) DO NOTHING`,
		r.position, r.kind, r.data)
	if err != nil {
		return fmt.Errorf("almanac: keep: %w", err)
	}
	return nil
}

// Keeper holds the newest book in memory. It is safe for concurrent use.
type Keeper struct {
	mu   sync.Mutex
	book atomic.Pointer[Book]
}

// NewKeeper begins with what the program was built with.
func NewKeeper() *Keeper {
	k := &Keeper{}
	k.book.Store(BuiltIn())
	return k
}

// Book is the newest one.
func (k *Keeper) Book() *Book { return k.book.Load() }

// Refresh reads what the table has got since. It reports whether there was anything.
func (k *Keeper) Refresh(ctx context.Context, q db.Querier) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next := k.book.Load()
	rows, err := read(ctx, q, next.Version)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	for _, r := range rows {
		e, err := r.entry()
		if err != nil {
			return false, err
		}
		if next, err = next.with(e); err != nil {
			return false, fmt.Errorf("almanac: entry %d: %w", r.position, err)
		}
	}
	k.book.Store(next)
	return true, nil
}

// read reads the entries behind a position, in order.
func read(ctx context.Context, q db.Querier, after int64) (all []row, err error) {
	rows, err := q.QueryContext(ctx, `SELECT position, kind, data FROM almanac WHERE position > $1 ORDER BY position`, after)
	if err != nil {
		return nil, fmt.Errorf("almanac: read: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.position, &r.kind, &r.data); err != nil {
			return nil, fmt.Errorf("almanac: read: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
