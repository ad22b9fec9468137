package catalogue

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/catalogue/internal/search"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// finder keeps this replica's search index: built from the store, then kept by the
// service's own feed, which tells of what other replicas wrote as well. An event only
// says which item to read again, so that order and repetition do not matter.
type finder struct {
	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
	index atomic.Pointer[search.Index]
	ready chan struct{}

	mu sync.Mutex
	// due is when an item changes by itself: a revision comes into force or ends.
	due map[string]time.Time
	// sooner tells the keeper of the time that an earlier moment was added.
	sooner chan struct{}
}

func newFinder(d *db.DB, clk clock.Clock, log *slog.Logger) *finder {
	return &finder{db: d, clock: clk, log: log, ready: make(chan struct{}), due: map[string]time.Time{}, sooner: make(chan struct{}, 1)}
}

// get is the index; fault.Unavailable until it has been built.
func (f *finder) get() (*search.Index, error) {
	if x := f.index.Load(); x != nil {
		return x, nil
	}
	return nil, fault.Unavailable.New(fault.Cause(errors.New("catalogue: the search index is being built")))
}

// retry is how long to wait when the store does not answer.
const retry = time.Second

// run builds the index and keeps it until ctx ends.
func (f *finder) run(ctx context.Context, own *feed.Server) error {
	position := int64(0)
	for {
		var err error
		if position, err = f.build(ctx); err == nil {
			break
		}
		if !f.failed(ctx, "build", err) {
			return nil
		}
	}
	close(f.ready)
	// Both end with ctx itself: with one of its own, the feed's end could come first.
	var g errgroup.Group
	g.Go(func() error { return f.follow(ctx, own, position) })
	g.Go(func() error { return f.watch(ctx) })
	return g.Wait()
}

// failed tells of a failure and waits; false means that ctx has ended.
func (f *finder) failed(ctx context.Context, what string, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	f.log.Error("search index: "+what+" failed", "err", err)
	return clock.Sleep(ctx, clock.System(), retry) == nil
}

// buildChunk is how many items are read at once.
const buildChunk = 1000

// build makes a new index of everything and returns the feed's position from which on
// events may tell of something newer.
func (f *finder) build(ctx context.Context) (int64, error) {
	position, err := store.LastPosition(ctx, f.db.Read())
	if err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x := search.New()
	halls, err := store.ListHalls(ctx, f.db.Read(), "", 0, "", 1<<20)
	if err != nil {
		return 0, err
	}
	for _, row := range halls {
		if err := setHall(x, row.Data); err != nil {
			return 0, err
		}
	}
	clear(f.due)
	for after := ""; ; {
		found, err := store.FindsAfter(ctx, f.db.Read(), after, f.clock.Now(), buildChunk)
		if err != nil {
			return 0, err
		}
		if err := f.apply(x, found); err != nil {
			return 0, err
		}
		if len(found) < buildChunk {
			break
		}
		after = found[len(found)-1].Name
	}
	f.index.Store(x)
	return position, nil
}

func setHall(x *search.Index, data []byte) error {
	h, err := decode(data, &cataloguev1.Hall{})
	if err != nil {
		return err
	}
	x.SetHalls(search.Hall{Name: h.GetName(), Title: h.GetDisplayName(), Parent: h.GetParentHall()})
	return nil
}

// apply brings items into the index as they are now. f.mu is held.
func (f *finder) apply(x *search.Index, found []store.Findable) error {
	var put []search.Doc
	var remove []string
	for _, i := range found {
		delete(f.due, i.Name)
		if !i.Changes.IsZero() {
			f.due[i.Name] = i.Changes
		}
		if i.Data == nil {
			remove = append(remove, i.Name)
			continue
		}
		d, err := docOf(i.Data)
		if err != nil {
			return err
		}
		put = append(put, d)
	}
	x.Apply(put, remove)
	return nil
}

// refresh reads items again.
func (f *finder) refresh(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := store.Finds(ctx, f.db.Read(), names, f.clock.Now())
	if err != nil {
		return err
	}
	if err := f.apply(f.index.Load(), found); err != nil {
		return err
	}
	select {
	case f.sooner <- struct{}{}:
	default: // it has been told already
	}
	return nil
}

// stale says whether so much of the index is left over that it is better built anew.
func (f *finder) stale() bool {
	live, dead := f.index.Load().Len()
	return dead > 1000 && dead > live/2
}

// follow applies the service's own feed.
func (f *finder) follow(ctx context.Context, own *feed.Server, position int64) error {
	for {
		err := own.FollowEvents(&feedv1.FollowEventsRequest{After: position}, &ownStream{ctx: ctx, take: func(events []*feedv1.Event) error {
			if len(events) == 0 {
				return nil
			}
			if err := f.take(ctx, events); err != nil {
				return err
			}
			position = events[len(events)-1].GetPosition()
			return nil
		}})
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is how it ends well
		}
		if !f.failed(ctx, "follow", err) {
			return nil
		}
	}
}

// ownStream lets the service read its own feed without a connection to itself.
type ownStream struct {
	grpc.ServerStream
	ctx  context.Context
	take func([]*feedv1.Event) error
}

// Context is the context of whoever follows.
func (o *ownStream) Context() context.Context { return o.ctx }

// Send takes what the feed sends.
func (o *ownStream) Send(res *feedv1.FollowEventsResponse) error { return o.take(res.GetEvents()) }

// take applies a batch of events, all at once for readers.
func (f *finder) take(ctx context.Context, events []*feedv1.Event) error {
	var names []string
	seen := map[string]bool{}
	for _, e := range events {
		switch {
		case strings.HasPrefix(e.GetType(), "hall."):
			if err := setHall(f.index.Load(), e.GetResource()); err != nil {
				return err
			}
		case strings.HasPrefix(e.GetType(), "item.") && !seen[e.GetSubject()]:
			seen[e.GetSubject()] = true
			names = append(names, e.GetSubject())
		}
	}
	if err := f.refresh(ctx, names); err != nil {
		return err
	}
	if f.stale() {
		_, err := f.build(ctx)
		return err
	}
	return nil
}

// watch reads items again when the time of a revision comes or ends.
func (f *finder) watch(ctx context.Context) error {
	for {
		names, next := f.dueNow()
		if err := f.refresh(ctx, names); err != nil {
			if !f.failed(ctx, "watch", err) {
				return nil
			}
			continue
		}
		if len(names) > 0 {
			continue
		}
		if !f.wait(ctx, next) {
			return nil
		}
	}
}

// dueNow gives the items whose time has come, or else when the first one's does.
func (f *finder) dueNow() (names []string, next time.Time) {
	now := f.clock.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, at := range f.due {
		if !at.After(now) {
			names = append(names, name)
		} else if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return names, next
}

// wait waits for a moment of legal time, or for an earlier one to be added; false means
// that ctx has ended.
func (f *finder) wait(ctx context.Context, next time.Time) bool {
	var come <-chan time.Time
	if !next.IsZero() {
		timer := f.clock.NewTimer(next.Sub(f.clock.Now()))
		defer timer.Stop()
		come = timer.C()
	}
	select {
	case <-ctx.Done():
		return false
	case <-come:
	case <-f.sooner:
	}
	return true
}
