package casework

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

const (
	// recomputePage is how many cases are listed at a time, recomputeAtOnce how many of
	// them are written together: enough to share commits, too few to keep a filing waiting.
	recomputePage   = 200
	recomputeAtOnce = 16
	// recomputeRetry is how soon the look is repeated after the database failed it,
	// recomputeAgain how soon at the latest: another replica may not have heard yet of
	// what this one knows, and have written a case by the older calendar.
	recomputeRetry = time.Minute
	recomputeAgain = time.Hour
)

// newRecomputed counts what becomes of open cases when the almanac changes.
func newRecomputed() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "onehall_casework_recomputed_cases_total",
		Help: "Open cases reckoned again after a calendar or policy came, by whether their dates moved.",
	}, []string{"outcome"})
}

// recomputeAll reckons open cases again whenever the almanac changes, and at the start
// for what was left undone. A case says by itself with which book it was reckoned, so
// there is no place to be kept: who dies goes on where the cases are.
func (s *Service) recomputeAll(ctx context.Context) error {
	for {
		wait := recomputeAgain
		if err := s.recomputeHalls(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "reckoning open cases again is put off", slog.Any("error", err))
			wait = recomputeRetry
		}
		alarm := s.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.moved:
		case <-alarm.C():
		}
		alarm.Stop()
		if ctx.Err() != nil {
			return nil
		}
	}
}

// recomputeHalls goes through the halls that the almanac says something about.
func (s *Service) recomputeHalls(ctx context.Context) error {
	for hall := ""; ; {
		next, ok, err := store.NextHall(ctx, s.db.Read(), hall)
		if err != nil || !ok {
			return err
		}
		hall = next
		target := s.almanac.Book().Concerning(hall)
		if target == 0 {
			continue
		}
		began, total := time.Now(), 0
		// Cases move while they are gone through; the last time there are none left.
		for found := -1; found != 0; total += found {
			if found, err = s.recomputeHall(ctx, hall, target); err != nil {
				return err
			}
		}
		if total > 0 {
			s.log.InfoContext(ctx, "open cases were reckoned again", slog.String("hall", hall), slog.Int("cases", total), slog.Duration("took", time.Since(began)))
		}
	}
}

// recomputeHall reckons a hall's stale cases again, once through, and tells how many
// there were.
func (s *Service) recomputeHall(ctx context.Context, hall string, target int64) (int, error) {
	total, err := s.recomputeListed(ctx, func(after store.Entry) ([]store.Entry, error) {
		return store.StaleDated(ctx, s.db.Read(), hall, target, after, recomputePage)
	})
	for stage := rules.StageAcceptance; err == nil && stage <= rules.StageChildren; stage++ {
		var n int
		n, err = s.recomputeListed(ctx, func(after store.Entry) ([]store.Entry, error) {
			return store.Stale(ctx, s.db.Read(), hall, stage, target, after, recomputePage)
		})
		total += n
	}
	return total, err
}

// recomputeListed reckons again what a list shows, a page at a time.
func (s *Service) recomputeListed(ctx context.Context, list func(after store.Entry) ([]store.Entry, error)) (int, error) {
	total, after := 0, store.Entry{Due: math.MinInt32}
	for {
		found, err := list(after)
		if err != nil {
			return total, err
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(recomputeAtOnce)
		for _, e := range found {
			g.Go(func() error { return s.recompute(ctx, e.CaseNo) })
		}
		if err := g.Wait(); err != nil {
			return total, err
		}
		if total += len(found); len(found) < recomputePage {
			return total, nil
		}
		after = found[len(found)-1]
	}
}

// recompute reckons one case again, unless somebody was faster. Whoever changes a case
// meanwhile reckons it by the newest book, too.
func (s *Service) recompute(ctx context.Context, caseNo string) error {
	row, c, err := s.stored(ctx, caseNo)
	if err != nil || c == nil {
		return err
	}
	if row.Stage == rules.StageNone && !row.Dated || row.Reckoned >= s.almanac.Book().Concerning(row.Hall) {
		return nil
	}
	if err := s.reckonAgain(ctx, row, c); !errors.Is(err, fault.Conflict) {
		return err
	}
	return nil
}

// reckonAgain writes the dates of a case anew: as an event where one moves, and else only
// that they stand.
func (s *Service) reckonAgain(ctx context.Context, old store.Row, c *caseworkv1.Case) error {
	was, now := proto.CloneOf(c), s.clock.Now()
	known := now
	if c.GetSource() != "" {
		known = old.Happened // what is told depends on the rows, not on when it is looked at
	}
	facts, err := s.facts(c, old.Happened)
	if err != nil {
		return err
	}
	c.UpdateTime, c.Etag = stamp(now), feed.Etag(c.GetName(), old.Seq+1)
	r := s.reckon(c, facts, known)
	if r.stage == old.Stage && r.due == old.Due && sameDates(was, c) {
		err := s.db.Write(ctx, old.CaseNo, func(ctx context.Context, tx *db.Tx) error { return store.MarkReckoned(ctx, tx, old, r.book) })
		return s.counted("unmoved", err)
	}
	c.DueChange = s.dueChange(was, c, old)
	next, err := s.rowAt(c, facts, old.Seq+1, known)
	if err != nil {
		return err
	}
	m := masked(c)
	err = s.db.Write(ctx, old.CaseNo, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: c.GetName(), Sequence: next.Seq, Type: "case.due_changed", Resource: m, Actor: systemActor})
		if err != nil {
			return err
		}
		return store.Save(ctx, tx, old, next)
	})
	return s.counted("moved", err)
}

func (s *Service) counted(outcome string, err error) error {
	if err == nil {
		s.recomputed.WithLabelValues(outcome).Inc()
	}
	return err
}

// sameDates reports that nothing a person was told has moved.
func sameDates(a, b *caseworkv1.Case) bool {
	return a.GetAcceptanceDueDate() == b.GetAcceptanceDueDate() && a.GetPromisedDueDate() == b.GetPromisedDueDate() &&
		a.GetStatutoryDueDate() == b.GetStatutoryDueDate() && a.GetDueProvisional() == b.GetDueProvisional() && supplementDue(a) == supplementDue(b) &&
		a.GetCurrentStep().GetDueDate() == b.GetCurrentStep().GetDueDate() &&
		slices.EqualFunc(a.GetGaps(), b.GetGaps(), func(x, y *caseworkv1.MaterialGap) bool { return x.GetDueDate() == y.GetDueDate() })
}

// supplementDue is the applicant's last day of an open notice.
func supplementDue(c *caseworkv1.Case) string {
	for _, notice := range c.GetSupplements() {
		if notice.GetReceiptTime() == nil {
			return notice.GetDueDate()
		}
	}
	return ""
}

// gapDue is the first day of a material that is still missing.
func gapDue(c *caseworkv1.Case) string {
	first := ""
	for _, g := range c.GetGaps() {
		if day := g.GetDueDate(); g.GetFillTime() == nil && (first == "" || day < first) {
			first = day
		}
	}
	return first
}

// dueChange tells what moved and why.
func (s *Service) dueChange(was, is *caseworkv1.Case, old store.Row) *caseworkv1.DueChange {
	return &caseworkv1.DueChange{
		Sequence: old.Seq + 1, ChangeTime: is.GetUpdateTime(), Ground: s.almanac.Book().Ground(old.Hall, old.Reckoned),
		FormerCalendarVersion: max(1, was.GetCalendarVersion()), CalendarVersion: is.GetCalendarVersion(),
		FormerPolicyVersion: was.GetPolicyVersion(), PolicyVersion: is.GetPolicyVersion(),
		FormerAcceptanceDueDate: was.GetAcceptanceDueDate(), AcceptanceDueDate: is.GetAcceptanceDueDate(),
		FormerPromisedDueDate: was.GetPromisedDueDate(), PromisedDueDate: is.GetPromisedDueDate(),
		FormerStatutoryDueDate: was.GetStatutoryDueDate(), StatutoryDueDate: is.GetStatutoryDueDate(),
		FormerSupplementDueDate: supplementDue(was), SupplementDueDate: supplementDue(is),
		FormerGapDueDate: gapDue(was), GapDueDate: gapDue(is),
		FormerProvisional: was.GetDueProvisional(), Provisional: is.GetDueProvisional(),
	}
}

// explain tells how the due date of an accepted case comes about; nil before.
func (s *Service) explain(c *caseworkv1.Case, happened time.Time, english bool) *caseworkv1.DueExplanation {
	f, now := factsOf(c, happened), s.clock.Now()
	if f.Accepted.IsZero() {
		return nil
	}
	book := s.almanac.Book()
	policy := policyIn(book, c, f, now)
	return book.Explain(policy, rules.Clock(policy, hallOf(c.GetName()), limitsOf(c), f), now, english)
}
