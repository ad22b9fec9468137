package supervision

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// wallPatience is how long a reader may leave a message unread.
const wallPatience = 10 * time.Second

// walls serves the wall.
type walls struct {
	supervisionv1.UnimplementedWallServiceServer
	s *Service
}

// wallScope is what a watcher may see: watchers of one scope share their messages.
type wallScope struct {
	// hall is empty for all, department for the whole hall.
	hall, department string
	// hidden tells that it sees cards that are not issued.
	hidden bool
}

func (s wallScope) of(hall, department string) bool {
	return (s.hall == "" || s.hall == hall) && (s.department == "" || s.department == department)
}

func (s wallScope) wants(c *supervisionv1.Card) bool {
	return s.of(hallOf(c.GetName()), c.GetDepartment()) && (s.hidden || !stateOf(c).Hidden())
}

// scopeOf is what a caller sees of what it asks for.
func scopeOf(a authn.Access, parent string) (s wallScope, err error) {
	if parent != "halls/-" {
		s.hall = parent
	}
	if s.department, err = ownDepartment(a, parent, ""); err != nil {
		return s, err
	}
	s.hidden = seesHidden(a)
	return s, nil
}

// wallMessage is one that watchers share.
type wallMessage = feed.Shared[supervisionv1.WatchWallResponse]

// message is what of an epoch is new to a watcher of a scope at a place. Those at its
// beginning share one.
func (e *epoch) message(s wallScope, at place) *wallMessage {
	if at != e.from {
		return &wallMessage{Message: e.build(s, at)}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.messages[s] == nil {
		e.messages[s] = &wallMessage{Message: e.build(s, at)}
	}
	return e.messages[s]
}

func (e *epoch) build(s wallScope, at place) *supervisionv1.WatchWallResponse {
	m := &supervisionv1.WatchWallResponse{ResumeToken: e.end(at).token()}
	for _, c := range e.cases {
		if c.GetPosition() > at.cases && s.of(hallOf(c.GetCase()), c.GetDepartment()) {
			m.Cases = append(m.Cases, c)
		}
	}
	for _, c := range e.cards {
		if c.position > at.cards && s.wants(c.card) {
			m.Cards = append(m.Cards, c.card)
		}
	}
	return m
}

// end is where a watcher is behind the epoch: one that came from another replica may be
// further on in one of the two.
func (e *epoch) end(at place) place {
	return place{max(e.to.cases, at.cases), max(e.to.cards, at.cards)}
}

// WatchWall streams the wall; see the contract.
func (x walls) WatchWall(req *supervisionv1.WatchWallRequest, stream grpc.ServerStreamingServer[supervisionv1.WatchWallResponse]) error {
	ctx := stream.Context()
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return fault.Unauthenticated.New()
	}
	scope, err := scopeOf(access, req.GetParent())
	if err != nil {
		return err
	}
	at, resumed, err := placeOf(req.GetResumeToken())
	if err != nil {
		return err
	}
	w := x.s.wall
	defer w.enter()()
	if err := w.moving(ctx); err != nil {
		return err
	}
	out := feed.NewSender(stream, wallPatience, wallTooSlow)
	defer out.Close()
	v := &viewer{wall: w, scope: scope, at: at, out: out}
	if _, _, known := w.after(at); !resumed || !known {
		if err := v.snapshot(ctx); err != nil {
			return err
		}
	}
	return v.follow(ctx)
}

// moving waits until the wall moves.
func (w *wall) moving(ctx context.Context) error {
	w.mu.Lock()
	ready := w.ready
	w.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// viewer is one stream. It holds nothing but where it is.
type viewer struct {
	wall    *wall
	scope   wallScope
	at      place
	out     *feed.Sender[supervisionv1.WatchWallResponse]
	figures *supervisionv1.WallFigures // the last it was given
}

// snapshot begins anew.
func (v *viewer) snapshot(ctx context.Context) error {
	snap, at, err := v.wall.figures.snapshot(ctx, v.wall, v.scope)
	if err != nil {
		return err
	}
	v.at, v.figures = at, snap.GetFigures()
	return v.told(v.out.Send(ctx, &supervisionv1.WatchWallResponse{Snapshot: snap, ResumeToken: at.token()}))
}

// follow sends what comes, fresh figures now and then, and a heartbeat when there is
// neither.
func (v *viewer) follow(ctx context.Context) error {
	timer := time.NewTimer(beat)
	defer timer.Stop()
	for {
		e, next, known := v.wall.after(v.at)
		switch {
		case !known:
			if err := v.snapshot(ctx); err != nil {
				return err
			}
			continue
		case e != nil:
			m := e.message(v.scope, v.at)
			v.at = e.end(v.at)
			if len(m.Message.GetCases())+len(m.Message.GetCards()) > 0 {
				if err := v.told(v.out.SendShared(ctx, m)); err != nil {
					return err
				}
			}
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next:
		case <-timer.C:
			if err := v.pulse(ctx); err != nil {
				return err
			}
			timer.Reset(beat)
		}
	}
}

// pulse sends fresh figures if there are any, else a heartbeat.
func (v *viewer) pulse(ctx context.Context) error {
	f, err := v.wall.figures.fresh(ctx, v.wall, v.scope)
	if err != nil {
		return err
	}
	m := &supervisionv1.WatchWallResponse{ResumeToken: v.at.token()}
	if f != v.figures {
		v.figures, m.Figures = f, f
	}
	return v.told(v.out.Send(ctx, m))
}

// told counts the readers that did not read.
func (v *viewer) told(err error) error {
	if errors.Is(err, fault.WallTooSlow) {
		v.wall.mu.Lock()
		v.wall.cut++
		v.wall.mu.Unlock()
	}
	return err
}

// wallTooSlow is what a reader is told that does not read.
func wallTooSlow() error { return fault.WallTooSlow.New() }
