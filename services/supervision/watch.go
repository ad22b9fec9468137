package supervision

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// recent is how many changes are kept at hand; who is further behind reads the feed.
	recent = 4096
	// pull is how many events are read at once.
	pull = 500
	// poll is how often other replicas' events are looked for.
	poll = 250 * time.Millisecond
	// beat is how long a watcher may hear nothing.
	beat = time.Second
)

// change is one event of our own feed; card is nil when it is of something else.
type change struct {
	position int64
	card     *supervisionv1.Card
}

// hub reads our own feed once for all watchers.
type hub struct {
	db   *db.DB
	log  *slog.Logger
	hint chan struct{}

	mu      sync.Mutex
	head    int64
	ring    []change // contiguous, the last is at head
	changed chan struct{}
}

func newHub(d *db.DB, log *slog.Logger) *hub {
	h := &hub{db: d, log: log, hint: make(chan struct{}, 1), changed: make(chan struct{})}
	d.OnCommit(func() {
		select {
		case h.hint <- struct{}{}:
		default: // one hint is as good as many
		}
	})
	return h
}

// run reads until ctx ends. A database that is away for a while only delays watchers.
func (h *hub) run(ctx context.Context) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	started := false
	for {
		err := error(nil)
		if !started {
			started, err = h.start(ctx)
		} else {
			err = h.pull(ctx)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is how run ends well
		}
		if err != nil {
			h.log.Error("supervision: reading the own feed failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-h.hint:
		case <-ticker.C:
		}
	}
}

func (h *hub) start(ctx context.Context) (bool, error) {
	last, err := store.LastPosition(ctx, h.db.Read())
	if err != nil {
		return false, err
	}
	h.publish(nil, last)
	return true, nil
}

func (h *hub) pull(ctx context.Context) error {
	for {
		h.mu.Lock()
		head := h.head
		h.mu.Unlock()
		changes, err := readChanges(ctx, h.db.Read(), head)
		if err != nil || len(changes) == 0 {
			return err
		}
		h.publish(changes, changes[len(changes)-1].position)
	}
}

func readChanges(ctx context.Context, q db.Querier, after int64) ([]change, error) {
	events, err := feed.Page(ctx, q, after, pull)
	if err != nil {
		return nil, err
	}
	changes := make([]change, len(events))
	for i, e := range events {
		if changes[i], err = changeOf(e); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

var cardType = string((&supervisionv1.Card{}).ProtoReflect().Descriptor().FullName())

func changeOf(e *feedv1.Event) (change, error) {
	c := change{position: e.GetPosition()}
	if e.GetResourceType() != cardType {
		return c, nil
	}
	c.card = &supervisionv1.Card{}
	if err := proto.Unmarshal(e.GetResource(), c.card); err != nil {
		return c, fmt.Errorf("card of %s: %w", e.GetSubject(), err)
	}
	return c, nil
}

func (h *hub) publish(changes []change, head int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ring := append(h.ring, changes...)
	if len(ring) > 2*recent {
		// Watchers hold slices of the old array; a new one leaves it to them.
		ring = append([]change(nil), ring[len(ring)-recent:]...)
	}
	h.ring, h.head = ring, head
	close(h.changed)
	h.changed = make(chan struct{})
}

// since gives the changes after a position that are at hand, whether all of them are,
// and what closes at the next change.
func (h *hub) since(after int64) (changes []change, complete bool, next <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	behind := h.head - after
	if behind <= 0 {
		return nil, true, h.changed
	}
	if behind > int64(len(h.ring)) {
		return nil, false, h.changed
	}
	tail := h.ring[int64(len(h.ring))-behind:]
	return tail[:len(tail):len(tail)], true, h.changed
}

func (h *hub) position() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head
}

// WatchCards streams what stands, then what changes; see the contract.
func (s *Service) WatchCards(req *supervisionv1.WatchCardsRequest, stream grpc.ServerStreamingServer[supervisionv1.WatchCardsResponse]) error {
	access, ok := authn.AccessFrom(stream.Context())
	if !ok {
		return fault.Unauthenticated.New()
	}
	w := &watcher{hub: s.watch, access: access, parent: req.GetParent(), stream: stream, position: req.GetAfter()}
	if w.position == 0 {
		if err := w.snapshot(s.db.Read()); err != nil {
			return err
		}
	}
	return w.follow(s.db.Read())
}

// watcher is one stream.
type watcher struct {
	hub      *hub
	access   authn.Access
	parent   string
	stream   grpc.ServerStreamingServer[supervisionv1.WatchCardsResponse]
	position int64
}

func (w *watcher) wants(c *supervisionv1.Card) bool {
	division := divisionOf(c.GetName())
	return (w.parent == "halls/-" || w.parent == "halls/"+division) && w.access.Covers(division, lastPart(c.GetDepartment()), "")
}

func (w *watcher) send(c *supervisionv1.Card, position int64) error {
	return w.stream.Send(&supervisionv1.WatchCardsResponse{Card: c, Position: position})
}

// snapshot sends what stands. Its cards have position 0, so that who is cut off in the
// middle begins again; the position given after them was taken before they were read,
// so that nothing falls between, though a card may come twice.
func (w *watcher) snapshot(q db.Querier) error {
	ctx := w.stream.Context()
	position := w.hub.position()
	filter := store.CardFilter{}
	if w.parent != "halls/-" {
		filter.Hall = w.parent
	}
	for after := int64(0); ; {
		rows, err := store.StandingCards(ctx, q, filter, after, pull)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := cardOf(row.Data)
			if err != nil {
				return err
			}
			if w.wants(c) {
				if err := w.send(c, 0); err != nil {
					return err
				}
			}
			after = row.ID
		}
		if len(rows) < pull {
			break
		}
	}
	w.position = position
	return w.send(nil, position)
}

// follow sends changes as they come and a heartbeat when none do.
func (w *watcher) follow(q db.Querier) error {
	ctx := w.stream.Context()
	timer := time.NewTimer(beat)
	defer timer.Stop()
	for {
		changes, complete, next := w.hub.since(w.position)
		if !complete {
			var err error
			if changes, err = readChanges(ctx, q, w.position); err != nil {
				return err
			}
		}
		for _, c := range changes {
			w.position = c.position
			if c.card == nil || !w.wants(c.card) {
				continue
			}
			if err := w.send(c.card, c.position); err != nil {
				return err
			}
			timer.Reset(beat)
		}
		if len(changes) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next:
		case <-timer.C:
			if err := w.send(nil, w.position); err != nil {
				return err
			}
			timer.Reset(beat)
		}
	}
}
