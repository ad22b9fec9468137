package hub

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
)

// keepEvery is how far a feed's completeness moves before it is written down. It is
// for the next start only, so it need not be written with every heartbeat.
const keepEvery = 10 * time.Second

// freshness knows until when each feed is complete. What it says it was told after the
// events were committed: read before the figures, it is never ahead of them.
type freshness struct {
	db    *db.DB
	clock clock.Clock
	limit time.Duration

	mu    sync.Mutex
	until map[store.Feed]time.Time
	kept  map[store.Feed]time.Time
	order []store.Feed
}

func newFreshness(d *db.DB, clk clock.Clock, limit time.Duration, known map[store.Feed]time.Time) *freshness {
	f := &freshness{db: d, clock: clk, limit: limit, until: map[store.Feed]time.Time{}, kept: known}
	for feed, until := range known {
		f.until[feed] = until
	}
	return f
}

// expect names a feed that every figure rests on.
func (f *freshness) expect(feed store.Feed) { f.order = append(f.order, feed) }

// note is told that a feed is complete until a moment.
func (f *freshness) note(ctx context.Context, feed store.Feed, until time.Time) error {
	f.mu.Lock()
	if until.After(f.until[feed]) {
		f.until[feed] = until
	}
	keep := until.Sub(f.kept[feed]) >= keepEvery
	f.mu.Unlock()
	if !keep {
		return nil
	}
	if err := store.SetComplete(ctx, f.db, feed, until); err != nil {
		return err
	}
	f.mu.Lock()
	f.kept[feed] = until
	f.mu.Unlock()
	return nil
}

// of gives until when a feed is complete, zero when nothing was ever heard.
func (f *freshness) of(feed store.Feed) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.until[feed]
}

// stale reports whether news as old as this is too old. Never heard is stale.
func (f *freshness) stale(until time.Time) bool { return f.clock.Now().Sub(until) > f.limit }

// all is until when every feed of every source is complete, unset while one has never
// been heard, and whether that is too long ago.
func (f *freshness) all() (*timestamppb.Timestamp, bool) {
	least := f.of(f.order[0])
	for _, feed := range f.order[1:] {
		if until := f.of(feed); until.Before(least) {
			least = until
		}
	}
	return stamp(least), f.stale(least)
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
