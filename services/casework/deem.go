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
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
)

// systemActor is who stands in the events of what the law itself does.
const systemActor = "system/casework"

const (
	// deemPage is how many overdue cases are read at a time.
	deemPage = 200
	// deemRetry is how soon the look is repeated after the database failed it, deemAgain
	// how soon at the latest: a clock that was put forward has skipped its midnight.
	deemRetry = time.Minute
	deemAgain = time.Hour
)

// deemAll lets the silence of halls count as acceptance (Art. 32), at every midnight in
// China and at the start for what an outage left. Replicas that do it at the same time
// do it once: the first one's event takes the place in the case's history. Joint cases whose
// children have all ended are looked for on the same round.
func (s *Service) deemAll(ctx context.Context) error {
	for {
		// The alarm is set before the look: a midnight that comes meanwhile is not missed.
		now := s.clock.Now()
		alarm := s.clock.NewTimer(min(deemAgain, workday.StartOfDay(workday.DateOf(now)+1).Sub(now)))
		err := errors.Join(s.deemDue(ctx, s.clock.Now()), s.concludeAll(ctx))
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "deemed acceptances and joint cases are put off", slog.Any("error", err))
			alarm.Stop()
			alarm = s.clock.NewTimer(deemRetry)
		}
		select {
		case <-ctx.Done():
			alarm.Stop()
			return nil
		case <-alarm.C():
		}
	}
}

// deemDue goes through all halls once.
func (s *Service) deemDue(ctx context.Context, now time.Time) error {
	for hall := ""; ; {
		next, ok, err := store.NextHall(ctx, s.db.Read(), hall)
		if err != nil || !ok {
			return err
		}
		hall = next
		if err := s.deemHall(ctx, hall, now); err != nil {
			return err
		}
	}
}

func (s *Service) deemHall(ctx context.Context, hall string, now time.Time) error {
	today := workday.DateOf(now)
	after := store.Entry{Due: math.MinInt32}
	for {
		found, err := store.Unaccepted(ctx, s.db.Read(), hall, today, after, deemPage)
		if err != nil {
			return err
		}
		for _, e := range found {
			if err := s.deemOne(ctx, e.CaseNo, now); err != nil {
				return err
			}
			after = e
		}
		if len(found) < deemPage {
			return nil
		}
	}
}

// deemOne lets one case count as accepted, unless somebody was faster.
func (s *Service) deemOne(ctx context.Context, caseNo string, now time.Time) error {
	row, c, err := s.stored(ctx, caseNo)
	if err != nil || c == nil {
		return err
	}
	if !s.silent(row, c, now) {
		return nil
	}
	if err := s.deem(ctx, row, c, now); !errors.Is(err, fault.Conflict) {
		return err
	}
	return nil
}

// silent reports a case that counts as accepted because nobody said a word in time.
func (s *Service) silent(row store.Row, c *caseworkv1.Case, now time.Time) bool {
	if row.State != rules.Submitted || row.Stage != rules.StageAcceptance {
		return false
	}
	book, due := s.acceptanceDue(row, c)
	return workday.DateOf(now) >= rules.Silent(book.Calendar, row.Hall, due, timeOf(c.GetCreateTime()))
}

// acceptanceDue is the last day to accept by the newest calendar: a notice that has just
// come holds before the case has been reckoned again.
func (s *Service) acceptanceDue(row store.Row, c *caseworkv1.Case) (*almanac.Book, workday.Date) {
	book := s.almanac.Book()
	if row.Reckoned >= book.Concerning(row.Hall) {
		return book, row.Due
	}
	f := factsOf(c, row.Happened)
	due, _ := rules.AcceptanceDue(book.Calendar, policyIn(book, c, f, f.Submitted), row.Hall, f.Receipt())
	return book, due
}

// deem writes the deemed acceptance, as of the moment at which the limit ended. It is
// fault.Conflict when the case is no longer as it was read.
func (s *Service) deem(ctx context.Context, old store.Row, c *caseworkv1.Case, now time.Time) error {
	before, err := s.facts(c, old.Happened)
	if err != nil {
		return err
	}
	book, due := s.acceptanceDue(old, c)
	ended := workday.StartOfDay(due + 1)
	if ended.Before(old.Happened) {
		ended = old.Happened // only where papers of the past were entered afterwards
	}
	after, err := rules.Apply(before, rules.Input{
		Command: rules.DeemAccept, Actor: systemActor, Now: now, Happened: ended, Due: due,
		Received: policyIn(book, c, before, now).Received(book.Calendar, old.Hall, before.Receipt()), Gaps: s.usualGaps(before.Missing, old.Hall, ended),
	})
	if err != nil {
		return fmt.Errorf("casework: deemed acceptance of %s: %w", old.CaseNo, err)
	}
	c.State, c.AcceptTime, c.DeemedAcceptTime = caseworkv1.CaseState(after.State), stamp(after.Accepted), stamp(after.Deemed)
	s.accepted(c, after)
	if err := s.recreated(ctx, c, before, after); err != nil {
		return err
	}
	workOf(c, after)
	c.UpdateTime, c.Etag = stamp(now), feed.Etag(c.GetName(), old.Seq+1)
	next, err := s.row(c, after, old.Seq+1)
	if err != nil {
		return err
	}
	m := masked(c)
	return s.db.Write(ctx, old.CaseNo, func(ctx context.Context, tx *db.Tx) error {
		if tx.Now().Before(now) {
			return fault.Conflict.New(fault.Cause(errors.New("the clock was put back")))
		}
		_, err := feed.Append(ctx, tx, feed.Draft{
			Subject: c.GetName(), Sequence: next.Seq, Type: "case.deemed_accepted", Resource: m, Actor: systemActor, HappenedAt: after.Last,
		})
		if err != nil {
			return err
		}
		return store.Save(ctx, tx, old, next)
	})
}
