package supervision

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// patience is for how long cards wait for a catalogue that is silent. It is a matter of
// the network, so it is real time: what is judged wrongly because a notice could not be
// read is put right when it can.
const patience = time.Minute

// hearing is how far the catalogue is known. What the calendar says of a moment is known
// once the catalogue has vouched for it; a card before that could be false.
type hearing struct {
	mu    sync.Mutex
	until time.Time
	at    time.Time
}

func newHearing() *hearing { return &hearing{at: time.Now()} }

func (h *hearing) hear(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until, h.at = until, time.Now()
}

// bound is the moment up to which may be judged, of one up to which is asked.
func (h *hearing) bound(until time.Time) time.Time {
	if h == nil {
		return until
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until.Before(until) && time.Since(h.at) < patience {
		return h.until
	}
	return until
}

// idleCatalogue is the follower's of the catalogue: all it published until then is known.
// A new calendar holds before anything more is judged.
func (e *engine) idleCatalogue(ctx context.Context, completeUntil time.Time) error {
	if _, err := e.almanac.Refresh(ctx, e.db.Read()); err != nil {
		return err
	}
	if err := e.reckonAgain(ctx); err != nil {
		return err
	}
	e.heard.hear(completeUntil)
	// What waited for this need not wait for the next word of its own source.
	for _, source := range []string{sourceCasework, sourceReview} {
		until, ok := e.asked.Load(source)
		if done, _ := e.judged.Load(source); !ok || done == until {
			continue
		}
		judge := e.idleReviews
		if source == sourceCasework {
			judge = e.idle
		}
		if err := judge(ctx, until.(time.Time)); err != nil && !errors.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}

// version names the rules and the book that clocks are reckoned with.
func (e *engine) version(book *almanac.Book) string {
	return fmt.Sprintf("%s book:%d", e.policies.version, book.Version)
}

// splitVersion is the way back; a version without a book is of an older program.
func splitVersion(version string) (configured string, book int64) {
	configured, number, ok := strings.Cut(version, " book:")
	if n, err := strconv.ParseInt(number, 10, 64); ok && err == nil {
		return configured, n
	}
	return version, -1
}

// reckonAgain reckons the live clocks anew when the calendar, a hall's policy or the
// rules have changed since, takes cards back that a new calendar has made false, and
// notes it in the feed. It goes on where it was broken off, and where a source had not
// yet told what has happened meanwhile.
func (e *engine) reckonAgain(ctx context.Context) error {
	e.reckoning.Lock()
	defer e.reckoning.Unlock()
	book := e.almanac.Book()
	version := e.version(book)
	if l := e.lacks.Load(); l != nil && l.version == version && e.askedOf(l.source).IsZero() {
		return nil
	}
	e.lacks.Store(nil)
	former, err := store.PolicyVersion(ctx, e.db.Read())
	if err != nil {
		return err
	}
	configured, since := splitVersion(former)
	if e.reckoned == nil {
		e.reckoned = &since
	}
	if former == version && *e.reckoned >= book.Version || configured == e.policies.version && since > book.Version {
		return nil // another replica may know more, and its clocks are the better ones
	}
	job := &recompute{e: e, book: book, version: version}
	// By other rules every clock is looked at, by another calendar those of its halls. What
	// this replica wrote by its former book, another that had the new one sooner could not
	// see yet.
	job.all, job.since, job.own = configured != e.policies.version, min(since, *e.reckoned), former == version
	if former != "" {
		if err := e.settled(ctx); err != nil {
			return err
		}
		if err := job.clocks(ctx); err != nil {
			return err
		}
		if !job.all {
			if err := job.cards(ctx); err != nil {
				return err
			}
			if job.lacks != "" {
				e.lacks.Store(&lacking{version: version, source: job.lacks})
				return nil
			}
		}
	}
	err = e.db.Write(ctx, "supervision/policy", func(ctx context.Context, tx *db.Tx) error {
		now, err := store.PolicyVersion(ctx, tx)
		if err != nil || now != former || job.own {
			return err // another replica has been through, too
		}
		if former != "" {
			if err := notePolicy(ctx, tx, former, version, job.count); err != nil {
				return err
			}
		}
		return errors.Join(store.SetPolicyVersion(ctx, tx, version), store.SetReckonPlace(ctx, tx, "", ""))
	})
	if err == nil {
		e.reckoned = &book.Version
	}
	return err
}

// settled waits until all that this process began to write by a former book has ended.
func (e *engine) settled(ctx context.Context) error {
	for from := e.db.Clock().Now().Add(-time.Microsecond); e.db.Settled().Before(from); {
		if err := clock.Sleep(ctx, clock.System(), time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// recompute is one time of reckoning again.
type recompute struct {
	e       *engine
	book    *almanac.Book
	version string
	all     bool
	since   int64
	// own tells that another replica has been through, and what is left is this one's.
	own bool
	// lacks is a source that has not told yet what has happened meanwhile, so that its
	// cards could not be judged.
	lacks string
	count int
}

// lacking is the source that a time of reckoning again waits for.
type lacking struct{ version, source string }

// askedOf is up to when a source is known, in the life of this engine; zero when it has
// told nothing yet.
func (e *engine) askedOf(source string) time.Time {
	until, _ := e.asked.Load(source)
	at, _ := until.(time.Time)
	return at
}

// concerns tells whether anything has changed for the hall of a name.
func (r *recompute) concerns(name string) bool {
	return r.all || r.book.Concerning(divisionOf(name)) > r.since
}

// clocks reckons the live clocks again, a batch at a time.
func (r *recompute) clocks(ctx context.Context) error {
	version, after, err := store.ReckonPlace(ctx, r.e.db.Read())
	if err != nil {
		return err
	}
	if version != r.version || r.own {
		after = "" // the place is another's
	}
	for {
		names, err := store.LiveCases(ctx, r.e.db.Read(), after, timerBatch)
		if err != nil || len(names) == 0 {
			return err
		}
		after = names[len(names)-1]
		if err := r.batch(ctx, names, after); err != nil {
			return err
		}
	}
}

// batch reckons some clocks again, and again when an event of one came in between.
func (r *recompute) batch(ctx context.Context, names []string, after string) error {
	var mine []string
	for _, name := range names {
		if r.concerns(name) {
			mine = append(mine, name)
		}
	}
	for {
		err := r.e.db.Write(ctx, "supervision/timers", func(ctx context.Context, tx *db.Tx) error {
			cases, err := r.e.load(ctx, tx, mine)
			if err != nil {
				return err
			}
			for _, w := range cases {
				if err := w.load(); err != nil {
					return err
				}
				next, due, open := w.row.NextAt, w.row.Due, w.row.Open
				w.schedule(tx.Now())
				w.dirty = !next.Equal(w.row.NextAt) || due != w.row.Due || open != w.row.Open
			}
			if err := r.e.save(ctx, tx, cases, nil); err != nil {
				return err
			}
			if r.own {
				return nil
			}
			return store.SetReckonPlace(ctx, tx, r.version, after)
		})
		if !errors.Is(err, fault.Conflict) || ctx.Err() != nil {
			r.count += len(mine)
			return err
		}
	}
}

// cards takes back the standing cards that have lost their ground. What was over before
// the first day that changed is not touched.
func (r *recompute) cards(ctx context.Context) error {
	for after := int64(0); ; {
		rows, err := store.StandingCards(ctx, r.e.db.Read(), store.CardFilter{}, after, timerBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].ID
		for _, row := range rows {
			if err := r.card(ctx, row); err != nil {
				return err
			}
		}
	}
}

func (r *recompute) card(ctx context.Context, row store.Card) error {
	since, ok := r.book.Since(divisionOf(row.Name), r.since)
	if !ok {
		return nil
	}
	c, err := cardOf(row.Data)
	if err != nil {
		return err
	}
	if c.GetAsOf().AsTime().Before(workday.StartOfDay(since)) {
		return nil
	}
	for {
		err = r.e.db.Write(ctx, "supervision/timers", func(ctx context.Context, tx *db.Tx) error {
			lacks, err := r.e.judge(ctx, tx, c.GetName(), r.book.Ground(divisionOf(row.Name), r.since), r.e.askedOf)
			if lacks != "" {
				r.lacks = lacks
			}
			return err
		})
		if !errors.Is(err, fault.Conflict) || ctx.Err() != nil {
			return err
		}
	}
}

// judge revokes a card if it is of a clock that by what is known of its source has not
// reached the card's threshold; ground is the notice or policy that moved it. It tells the
// source when nothing is known of it yet.
func (e *engine) judge(ctx context.Context, tx *db.Tx, name, ground string, known func(source string) time.Time) (lacks string, err error) {
	row, err := store.GetCard(ctx, tx, name)
	if err != nil || !row.State.Standing() && row.State != store.Pending {
		return "", err
	}
	cases, err := e.load(ctx, tx, []string{row.Subject})
	w := cases[row.Subject]
	if err != nil || w == nil {
		return "", err
	}
	if err := w.load(); err != nil {
		return "", err
	}
	key := keyOf(row.Name)
	if !w.policy.Timed(key) {
		return "", nil
	}
	c, err := cardOf(row.Data)
	if err != nil {
		return "", err
	}
	// Which cards have lost their ground can be told once it is known what has happened
	// meanwhile. An event may have raised one since.
	until := known(w.row.Source)
	if until.IsZero() {
		return w.row.Source, nil
	}
	if asOf := c.GetAsOf().AsTime(); asOf.After(until) {
		until = asOf
	}
	if w.founded(key, until) {
		return "", nil
	}
	reason := "日历或时限规则变化，重新计算后条件不成立：" + ground
	event, now := "card.revoked", timestamppb.New(tx.Now())
	if row.State == store.Pending {
		event = "card.cancelled" // nobody has been told of it
		c.State, c.Canceller, c.CancelReason, c.CancelTime = supervisionv1.CardState_CARD_STATE_CANCELLED, systemActor, reason, now
	} else {
		c.State, c.RevokeReason, c.RevokeTime = supervisionv1.CardState_CARD_STATE_REVOKED, reason, now
	}
	c.RevokedByRecompute = true
	if a := c.GetAppeal(); a.GetState() == supervisionv1.AppealState_APPEAL_STATE_PENDING || a.GetState() == supervisionv1.AppealState_APPEAL_STATE_REFERRED {
		a.State, a.Opinion, a.Decider, a.DecideTime = supervisionv1.AppealState_APPEAL_STATE_REVOKED, reason, systemActor, now
	}
	if err := saveCard(ctx, tx, row, c, feed.Draft{Type: event, Actor: systemActor}); err != nil {
		return "", err
	}
	if row.State.Standing() {
		if err := e.scoreAgain(ctx, tx, c, "撤销"); err != nil {
			return "", err
		}
	}
	w.forget(key)
	return "", e.save(ctx, tx, cases, nil)
}

// dueMoved is a case of which casework has told that a newer calendar moved the day of a
// missing material: a day that is told, not reckoned here.
type dueMoved struct {
	subject, ground string
	known           time.Time
}

// takeBack revokes the cards of such cases that have lost their ground.
func (e *engine) takeBack(ctx context.Context, tx *db.Tx, moved []dueMoved) error {
	for _, m := range moved {
		rows, err := store.ListCards(ctx, tx, store.CardFilter{Subject: m.subject, Hidden: true}, 0, timerBatch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := cardOf(row.Data)
			if err == nil {
				_, err = e.judge(ctx, tx, c.GetName(), m.ground, func(string) time.Time { return m.known })
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// founded tells whether a timed finding is true at a moment.
func (w *watched) founded(key string, now time.Time) bool {
	for _, p := range w.policy.Pending(w.facts, func(string) bool { return false }) {
		if p.Key == key {
			return !p.At.After(now)
		}
	}
	return false
}

// forget lets a finding be made again, and arms the clock for it.
func (w *watched) forget(key string) {
	w.row.Raised = strings.Join(strings.Fields(strings.ReplaceAll(" "+w.row.Raised+" ", " "+key+" ", " ")), " ")
	w.schedule(w.row.NextAt)
}

// keyOf is a finding's key in a card's name: T1_PROMISE.yellow.1 of …/cards/{case}.T1_PROMISE.yellow.1.2.
func keyOf(name string) string {
	parts := strings.Split(lastPart(name), ".")
	if len(parts) < 4 {
		return ""
	}
	return strings.Join(parts[1:4], ".")
}
