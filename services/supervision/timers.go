package supervision

import (
	"context"
	"errors"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// timerBatch is how many silent cases are judged in one write.
const timerBatch = 256

// idle is the follower's of cases: everything the source wrote until then is applied, so what
// has not happened by then has not happened. A clock of our own that is behind holds
// cards back; one that is ahead cannot raise any too early.
func (e *engine) idle(ctx context.Context, completeUntil time.Time) error {
	if err := e.fallDueOf(ctx, sourceCasework, completeUntil); err != nil {
		return err
	}
	// Months are over once all that fell due in them is judged, about reviews too.
	for _, source := range []string{sourceCasework, sourceReview} {
		if source == sourceReview && e.reviewed == nil {
			continue
		}
		judged, _ := e.judged.Load(source)
		if at, _ := judged.(time.Time); at.Before(completeUntil) {
			completeUntil = at
		}
	}
	if completeUntil.IsZero() {
		return nil
	}
	if err := e.judgeMonths(ctx, completeUntil); err != nil {
		return err
	}
	if err := e.freezeMonths(ctx, completeUntil); err != nil {
		return err
	}
	return e.foretell(ctx, completeUntil)
}

// idleReviews is the same for reviews.
func (e *engine) idleReviews(ctx context.Context, completeUntil time.Time) error {
	return e.fallDueOf(ctx, sourceReview, completeUntil)
}

// fallDueOf raises what fell due about the silent subjects of a source.
func (e *engine) fallDueOf(ctx context.Context, source string, completeUntil time.Time) error {
	e.asked.Store(source, completeUntil)
	// What a new calendar has made false goes before anything more is judged; it may have
	// waited for just this source.
	if e.lacks.Load() != nil {
		if err := e.reckonAgain(ctx); err != nil {
			return err
		}
	}
	until := completeUntil
	if now := e.clock.Now(); now.Before(until) {
		until = now
	}
	until = e.heard.bound(until)
	if clock.Doubt(e.clock) != nil {
		return nil // what falls due is judged when the clock is believed again
	}
	for {
		names, err := store.DueCases(ctx, e.db.Read(), source, until, timerBatch)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			e.judged.Store(source, until)
			return nil
		}
		err = e.db.Write(ctx, "supervision/timers", func(ctx context.Context, tx *db.Tx) error {
			if tx.Now().Before(until) {
				return fault.Conflict.New(fault.Cause(errors.New("the clock was put back")))
			}
			cases, err := e.load(ctx, tx, names)
			if err != nil {
				return err
			}
			var drafts []cardDraft
			for _, name := range names { // the earliest first
				w := cases[name]
				if w == nil {
					continue
				}
				due, err := w.fallDue(until)
				if err != nil {
					return err
				}
				drafts = append(drafts, due...)
			}
			return e.save(ctx, tx, cases, drafts)
		})
		if err != nil {
			return err
		}
	}
}
