package supervision

import (
	"time"

	"google.golang.org/grpc"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// beat is how long a watcher may hear nothing.
const beat = time.Second

// WatchCards streams what stands, then what changes; see the contract.
func (s *Service) WatchCards(req *supervisionv1.WatchCardsRequest, stream grpc.ServerStreamingServer[supervisionv1.WatchCardsResponse]) error {
	access, ok := authn.AccessFrom(stream.Context())
	if !ok {
		return fault.Unauthenticated.New()
	}
	w := &watcher{hub: s.watch, access: access, parent: req.GetParent(), stream: stream, position: req.GetAfter()}
	if w.position == 0 {
		if err := w.snapshot(s.db); err != nil {
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
	if stateOf(c).Hidden() && !seesHidden(w.access) {
		return false
	}
	return (w.parent == "halls/-" || w.parent == "halls/"+division) && w.access.Covers(division, lastPart(c.GetDepartment()), "")
}

func (w *watcher) send(c *supervisionv1.Card, position int64) error {
	return w.stream.Send(&supervisionv1.WatchCardsResponse{Card: c, Position: position})
}

// snapshot sends what stands. Its cards have position 0, so that who is cut off in the
// middle begins again. It is of one moment, and what follows begins right behind that:
// nothing falls between, and only a card that changes meanwhile may come twice.
func (w *watcher) snapshot(d *db.DB) error {
	ctx := w.stream.Context()
	var m store.Moment
	if err := d.ReadTx(ctx, func(q db.Querier) (err error) {
		m, err = store.Present(ctx, q)
		return err
	}); err != nil {
		return err
	}
	filter := store.CardFilter{}
	if w.parent != "halls/-" {
		filter.Hall = w.parent
	}
	for after := int64(0); after < m.LastID; {
		rows, err := store.StandingCards(ctx, d.Read(), filter, after, pull)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.ID
			if after > m.LastID {
				continue
			}
			c, err := cardOf(row.Data)
			if err != nil {
				return err
			}
			if w.wants(c) {
				if err := w.send(c, 0); err != nil {
					return err
				}
			}
		}
		if len(rows) < pull {
			break
		}
	}
	w.position = m.Position
	return w.send(nil, m.Position)
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
