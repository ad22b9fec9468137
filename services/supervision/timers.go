package supervision

import (
	"context"
	"errors"
	"time"

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
	until := completeUntil
	if now := e.clock.Now(); now.Before(until) {
		until = now
	}
	for {
		names, err := store.DueCases(ctx, e.db.Read(), source, until, timerBatch)
		if err != nil || len(names) == 0 {
			return err
		}
		err = e.db.Write(ctx, "supervision/timers", func(ctx context.Context, tx *db.Tx) error {
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

// reckonAgain reckons every live clock anew when the calendar or the rules have changed
// since, and notes that in the feed. Cards already raised stay. Replicas that do it at
// once meet, and whoever was slower looks again.
func (e *engine) reckonAgain(ctx context.Context) error {
	for {
		err := e.reckonOnce(ctx)
		if !errors.Is(err, fault.Conflict) || ctx.Err() != nil {
			return err
		}
	}
}

func (e *engine) reckonOnce(ctx context.Context) error {
	former, err := store.PolicyVersion(ctx, e.db.Read())
	if err != nil || former == e.policies.version {
		return err
	}
	clocks := 0
	for after := ""; former != ""; {
		names, err := store.LiveCases(ctx, e.db.Read(), after, timerBatch)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			break
		}
		if err := e.reckonCases(ctx, names); err != nil {
			return err
		}
		clocks += len(names)
		after = names[len(names)-1]
	}
	return e.db.Write(ctx, "supervision/policy", func(ctx context.Context, tx *db.Tx) error {
		if former != "" {
			if err := notePolicy(ctx, tx, former, e.policies.version, clocks); err != nil {
				return err
			}
		}
		return store.SetPolicyVersion(ctx, tx, e.policies.version)
	})
}

func (e *engine) reckonCases(ctx context.Context, names []string) error {
	return e.db.Write(ctx, "supervision/timers", func(ctx context.Context, tx *db.Tx) error {
		cases, err := e.load(ctx, tx, names)
		if err != nil {
			return err
		}
		for _, w := range cases {
			if err := w.load(); err != nil {
				return err
			}
			w.schedule(tx.Now())
		}
		return e.save(ctx, tx, cases, nil)
	})
}
