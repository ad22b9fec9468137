package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// familyChanged ends a joint case whose last child has just ended, or which was accepted
// when all of them had. Where that fails the next round of concludeAll does it.
func (s *Service) familyChanged(ctx context.Context, c *caseworkv1.Case) {
	parent := ""
	switch {
	case len(c.GetChildCases()) > 0:
		parent = c.GetName()
	case c.GetParentCase() != "" && factsOf(c, time.Time{}).Ended():
		parent = c.GetParentCase()
	default:
		return
	}
	if err := s.conclude(context.WithoutCancel(ctx), lastPart(parent)); err != nil {
		s.log.WarnContext(ctx, "a joint case is left open for now", slog.String("case", parent), slog.Any("error", err))
	}
}

// concludeAll ends the joint cases of all halls whose children have all ended.
func (s *Service) concludeAll(ctx context.Context) error {
	for hall := ""; ; {
		next, ok, err := store.NextHall(ctx, s.db.Read(), hall)
		if err != nil || !ok {
			return err
		}
		hall = next
		f := store.InboxFilter{Hall: hall, Stage: rules.StageChildren, After: store.Entry{Due: math.MinInt32}, Size: deemPage}
		for {
			found, err := store.Inbox(ctx, s.db.Read(), f)
			if err != nil {
				return err
			}
			for _, e := range found {
				if err := s.conclude(ctx, e.CaseNo); err != nil {
					return err
				}
				f.After = e
			}
			if len(found) < f.Size {
				break
			}
		}
	}
}

// conclude ends a joint case if all its children have ended, as of the last one's end.
// Somebody else may be faster: the first event counts.
func (s *Service) conclude(ctx context.Context, caseNo string) error {
	old, c, err := s.stored(ctx, caseNo)
	if err != nil || c == nil || old.State != rules.Accepted {
		return err
	}
	now, ended := s.clock.Now(), old.Happened
	for _, name := range c.GetChildCases() {
		_, child, err := s.stored(ctx, lastPart(name))
		if err != nil {
			return err
		}
		if child == nil || !factsOf(child, time.Time{}).Ended() {
			return nil
		}
		if at := timeOf(child.GetEndTime()); at.After(ended) {
			ended = at
		}
		if at := timeOf(child.GetFinish().GetFinishTime()); at.After(ended) {
			ended = at
		}
	}
	after, err := rules.Apply(factsOf(c, old.Happened), rules.Input{
		Command: rules.Conclude, Actor: systemActor, Now: now, Happened: ended, AllEnded: true,
	})
	if err != nil {
		return fmt.Errorf("casework: end of joint case %s: %w", caseNo, err)
	}
	c.State = caseworkv1.CaseState(after.State)
	c.Finish = &caseworkv1.Finish{
		Result: caseworkv1.FinishResult(after.Result), Description: "并联办理的事项已全部办结", Officer: systemActor, FinishTime: stamp(after.FinishedAt),
	}
	workOf(c, after)
	c.UpdateTime, c.Etag = stamp(now), feed.Etag(c.GetName(), old.Seq+1)
	next, err := s.row(c, after, old.Seq+1)
	if err != nil {
		return err
	}
	m := masked(c)
	err = s.db.Write(ctx, old.CaseNo, func(ctx context.Context, tx *db.Tx) error {
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: c.GetName(), Sequence: next.Seq, Type: "case.finished", Resource: m, Actor: systemActor, HappenedAt: after.Last,
		}); err != nil {
			return err
		}
		return store.Save(ctx, tx, old, next)
	})
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
