package supervision

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
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
