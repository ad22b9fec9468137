package casework

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// part is one part of a joint case as it was read.
type part struct {
	row store.Row
	c   *caseworkv1.Case
}

// parts are the parts of a joint case.
func (s *Service) parts(ctx context.Context, c *caseworkv1.Case) ([]part, error) {
	var all []part
	for _, name := range c.GetChildCases() {
		row, child, err := s.stored(ctx, lastPart(name))
		if err != nil {
			return nil, err
		}
		if child != nil {
			all = append(all, part{row, child})
		}
	}
	return all, nil
}

// partsEnded reports whether all parts of a joint case have ended.
func (s *Service) partsEnded(ctx context.Context, c *caseworkv1.Case) (bool, error) {
	all, err := s.parts(ctx, c)
	return !slices.ContainsFunc(all, func(p part) bool { return !factsOf(p.c, time.Time{}).Ended() }), err
}

// openParts are the parts that are withdrawn with the whole. What is decided already, or
// has ended, stays as it is. A part that the law has accepted in the meantime is written
// down as accepted first: fault.Conflict asks to look again.
func (s *Service) openParts(ctx context.Context, t *turn) ([]part, error) {
	all, err := s.parts(ctx, t.c)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if s.silent(p.row, p.c, t.now) {
			if err := s.deem(ctx, p.row, p.c, t.now); err != nil {
				return nil, err
			}
			return nil, fault.Conflict.New()
		}
	}
	return slices.DeleteFunc(all, func(p part) bool { return !factsOf(p.c, time.Time{}).Undecided() }), nil
}

// withdrawParts withdraws parts with the whole, each with an event of its own.
func (s *Service) withdrawParts(ctx context.Context, tx *db.Tx, t *turn, parts []part) error {
	for _, p := range parts {
		before, err := s.facts(p.c, p.row.Happened)
		if err != nil {
			return err
		}
		after, err := rules.Apply(before, rules.Input{Command: rules.Withdraw, Actor: t.access.Subject, Now: t.now, Happened: t.in.Happened})
		if err != nil {
			return err
		}
		c := proto.CloneOf(p.c)
		c.State, c.EndTime = caseworkv1.CaseState(after.State), stamp(after.Last)
		c.ActingMandate, c.LastChannel = t.mandate, cameBy(c, t.access, t.asApplicant)
		if c.EndReason = "随并联办件一并撤回"; t.in.Reason != "" {
			c.EndReason += "：" + t.in.Reason
		}
		workOf(c, after)
		if !t.asApplicant {
			addHandler(c, t.access.Subject)
		}
		c.UpdateTime, c.Etag = stamp(t.now), feed.Etag(c.GetName(), p.row.Seq+1)
		next, err := s.row(c, after, p.row.Seq+1)
		if err != nil {
			return err
		}
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: c.GetName(), Sequence: next.Seq, Type: "case.withdrawn", Resource: masked(c), Actor: t.access.Subject,
			ActorDepartment: t.access.Department, HappenedAt: after.Last,
		}); err != nil {
			return err
		}
		if err := store.Save(ctx, tx, p.row, next); err != nil {
			return err
		}
	}
	return nil
}
