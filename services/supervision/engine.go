package supervision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// unknownDue sorts clocks without a known due date behind all others.
const unknownDue = math.MaxInt32

// engine turns events and the passing of time into cards.
type engine struct {
	policies *policies
	almanac  *almanac.Keeper
	// heard is how far the catalogue is known; nil judges without.
	heard *hearing
	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
	// terms are what the catalogue published; nil judges without.
	terms *termBook
	// own are the halls' own rules of conduct, compiled.
	own ownRules
	// formulas are the halls' own ways of scoring, compiled.
	formulas formulas
	// reviewed is the moment up to which the reviews are known; nil waits for none.
	reviewed func() time.Time
	// frozenBefore is the month before which all scores are known to be frozen.
	frozenBefore atomic.Int64
	// foretoldDay is the day of the last forecasts.
	foretoldDay atomic.Int64
	// reckoning lets one at a time reckon again.
	reckoning sync.Mutex
	// reckoned is the version of the book that all clocks were by, as far as this replica
	// wrote them; nil before it has looked.
	reckoned *int64
	// lacks is what reckoning again waits for; nil while it waits for nothing.
	lacks atomic.Pointer[lacking]
	// asked and judged are, by source, up to when it last vouched for its silence and up
	// to when that was judged: less while the catalogue was still to be heard.
	asked, judged sync.Map
}

// watched is one case or review while a batch is applied.
type watched struct {
	row *store.Clock
	// kept is the shortened case of the row; nil until needed, and for a review.
	kept    *caseworkv1.Case
	subject subject
	facts   *rules.Facts
	policy  rules.Policy
	// book is what the policy's calendar and limits are taken from.
	book  *almanac.Book
	dirty bool
}

func (w *watched) known(key string) bool {
	return strings.Contains(" "+w.row.Raised+" ", " "+key+" ")
}

// mark notes a key on the row.
func (w *watched) mark(key string) {
	w.row.Raised = strings.TrimSpace(w.row.Raised + " " + key)
	w.dirty = true
}

// raise notes a finding and drafts its card.
func (w *watched) raise(f rules.Finding) cardDraft {
	w.mark(f.Key())
	return cardDraft{finding: f, subject: w.subject, policy: w.policy}
}

// fallDue raises what fell due strictly before a moment.
func (w *watched) fallDue(before time.Time) ([]cardDraft, error) {
	if w.row.NextAt.IsZero() || !w.row.NextAt.Before(before) {
		return nil, nil
	}
	if err := w.load(); err != nil {
		return nil, err
	}
	var drafts []cardDraft
	w.row.NextAt = time.Time{}
	for _, p := range w.policy.Pending(w.facts, w.known) {
		if !p.At.Before(before) {
			w.row.NextAt = p.At
			break
		}
		drafts = append(drafts, w.raise(w.policy.Find(p)))
	}
	w.dirty = true
	return drafts, nil
}

// fallDueBefore raises what fell due before an event, once no notice can tell any more
// that it did not.
func (e *engine) fallDueBefore(w *watched, entered time.Time) ([]cardDraft, error) {
	due, err := w.fallDue(entered)
	if err != nil || len(due) == 0 {
		return due, err
	}
	// The earliest come first. Whoever hears of a notice has its book already, so what was
	// heard is in this one unless there is another by now.
	if last := due[len(due)-1].finding.AsOf; e.heard.bound(last).Before(last) || w.book != e.almanac.Book() {
		return nil, fault.Unavailable.New(fault.Cause(errors.New("the catalogue may still tell that it did not fall due")))
	}
	return due, nil
}

// take makes the case of an event the row's, and raises what the event itself shows. A
// rule that cannot be evaluated raises nothing and is reported.
func (w *watched) take(e *feedv1.Event, c *caseworkv1.Case, terms *rules.Terms, burst int) ([]cardDraft, error) {
	w.subject, w.facts, w.kept = subjectOfCase(c), factsOf(c), shorten(c)
	w.settle()
	w.facts.Terms = terms
	w.row.Facts, w.row.Sequence = marshal(w.kept), e.GetSequence()
	w.row.Department, w.row.ApplicantKey = c.GetDepartment(), c.GetApplicantKey()
	steps, err := encodeSteps(terms)
	if err != nil {
		return nil, err
	}
	w.row.Terms = steps
	w.row.Submitted = w.facts.Submitted
	deed := rules.Deed{Type: e.GetType(), Sequence: e.GetSequence(), Actor: e.GetActor(), Happened: timeOf(e.GetHappenedAt()),
		Entered: e.GetEnteredAt().AsTime(), Burst: burst}
	w.row.Deeds += encodeDeed(deed)
	var drafts []cardDraft
	conduct := w.policy
	conduct.Calendar = w.book.At(deed.Entered).Calendar
	found, err := conduct.Conduct(w.facts, deed, w.known)
	for _, f := range found {
		drafts = append(drafts, w.raise(f))
	}
	w.schedule(deed.Entered)
	return drafts, err
}

// schedule sets what the row is found and sorted by.
func (w *watched) schedule(now time.Time) {
	w.dirty = true
	w.row.NextAt = time.Time{}
	if pending := w.policy.Pending(w.facts, w.known); len(pending) > 0 {
		w.row.NextAt = pending[0].At
	}
	w.wait(now)
}

// wait sets what is awaited and until when.
func (w *watched) wait(now time.Time) {
	w.row.Open, w.row.Due, w.row.Stage = w.facts.Open(), unknownDue, ""
	if w.facts.Review != nil || w.facts.Clocked != nil {
		return
	}
	if w.row.Open {
		w.row.Stage = stageOf(w.kept)
	}
	if r := workday.Reckon(w.policy.Calendar, w.policy.Input(w.facts), now); r.DueKnown {
		w.row.Due = int64(r.PromisedDue)
	} else if due, ok := w.policy.AcceptanceDue(w.facts); ok && r.State == workday.Waiting {
		w.row.Due = int64(due)
	}
}

// batch is what comes of the events of one batch.
type batch struct {
	cases   map[string]*watched
	drafts  []cardDraft
	moved   []dueMoved
	own     []ownSet
	bursts  bursts
	tallies tallies
	counts  counts
}

// apply is the follower's: it applies a batch of events in their order.
func (e *engine) apply(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	cases, err := e.loadOf(ctx, tx, events, caseType)
	if err != nil {
		return err
	}
	own, err := e.own.inForce(ctx, tx)
	if err != nil {
		return err
	}
	b := &batch{cases: cases, own: own, tallies: tallies{}}
	for _, ev := range events {
		if ev.GetResourceType() == attemptType {
			if err := e.applyAttempt(ctx, tx, b, ev); err != nil {
				return err
			}
		}
		if ev.GetResourceType() != caseType {
			continue
		}
		if err := e.applyCase(ctx, tx, b, ev); err != nil {
			return err
		}
	}
	if err := b.bursts.save(ctx, tx); err != nil {
		return err
	}
	if err := b.tallies.save(ctx, tx); err != nil {
		return err
	}
	if err := b.counts.save(ctx, tx); err != nil {
		return err
	}
	if err := e.save(ctx, tx, b.cases, b.drafts); err != nil {
		return err
	}
	return e.takeBack(ctx, tx, b.moved)
}

func (e *engine) applyCase(ctx context.Context, tx *db.Tx, b *batch, ev *feedv1.Event) error {
	c := &caseworkv1.Case{}
	if err := proto.Unmarshal(ev.GetResource(), c); err != nil {
		return fmt.Errorf("case of %s: %w", ev.GetSubject(), err)
	}
	w := b.cases[ev.GetSubject()]
	if w == nil && c.GetSubmitTime() == nil {
		return nil // a draft is its applicant's own business
	}
	if w == nil {
		w = e.watch(&store.Clock{Case: ev.GetSubject(), Hall: hallOf(ev.GetSubject()), Source: sourceCasework})
		b.cases[ev.GetSubject()] = w
	}
	if ev.GetSequence() <= w.row.Sequence {
		return nil // told before
	}
	entered := ev.GetEnteredAt().AsTime()
	due, err := e.fallDueBefore(w, entered)
	if err != nil {
		return err
	}
	terms, err := e.terms.of(ctx, tx, c, entered)
	if err != nil {
		return err
	}
	burst := 0
	if ev.GetType() == finishedEvent {
		if burst, err = b.bursts.add(ctx, tx, ev.GetActor(), entered); err != nil {
			return err
		}
	}
	w.policy.Rules = setAt(b.own, w.row.Hall, entered).rules
	shown, err := w.take(ev, c, terms, burst)
	if err != nil {
		e.report(ctx, ev.GetSubject(), err)
	}
	if d := c.GetDueChange(); ev.GetType() == "case.due_changed" && d.GetFormerGapDueDate() != d.GetGapDueDate() {
		b.moved = append(b.moved, dueMoved{ev.GetSubject(), d.GetGround(), entered})
	}
	b.tallies.count(w, c, ev)
	b.counts.count(w, c, ev)
	b.drafts = append(append(b.drafts, due...), shown...)
	return nil
}

// finishedEvent is what casework calls the finish of a case.
const finishedEvent = "case.finished"

// report tells of a rule that could not be evaluated: it is for whoever wrote the rule,
// and no reason to stop the watch.
func (e *engine) report(ctx context.Context, name string, err error) {
	e.logger().ErrorContext(ctx, "supervision: a rule could not be evaluated", slog.String("subject", name), slog.Any("error", err))
}

func (e *engine) logger() *slog.Logger {
	if e.log == nil {
		return slog.Default()
	}
	return e.log
}

func (e *engine) watch(row *store.Clock) *watched {
	return &watched{row: row, policy: e.policies.of(divisionOf(row.Case)), book: e.almanac.Book()}
}

// settle takes the calendar and the limits that the hall had when it began: a case is
// handled by those of the day it was submitted.
func (w *watched) settle() {
	since := w.facts.Submitted
	if w.facts.Review != nil {
		since = w.facts.Review.Created
	}
	if w.facts.Clocked != nil {
		since = w.facts.Clocked.Opened
	}
	if since.IsZero() {
		since = w.facts.Accepted
	}
	w.policy.Calendar, w.policy.Hall = w.book.Calendar, w.book.Policy(w.facts.Division, workday.DateOf(since))
}

// policyAt is the policy of a hall for what begins at a moment.
func (e *engine) policyAt(division string, at time.Time) rules.Policy {
	p, book := e.policies.of(division), e.almanac.Book()
	p.Calendar, p.Hall = book.Calendar, book.Policy(division, workday.DateOf(at))
	return p
}

func (e *engine) loadOf(ctx context.Context, tx *db.Tx, events []*feedv1.Event, kind string) (map[string]*watched, error) {
	var names []string
	seen := map[string]bool{}
	for _, ev := range events {
		if ev.GetResourceType() == kind && !seen[ev.GetSubject()] {
			seen[ev.GetSubject()] = true
			names = append(names, ev.GetSubject())
		}
	}
	return e.load(ctx, tx, names)
}

func (e *engine) load(ctx context.Context, tx *db.Tx, names []string) (map[string]*watched, error) {
	rows, err := store.LoadClocks(ctx, tx, names)
	if err != nil {
		return nil, err
	}
	cases := make(map[string]*watched, len(names))
	for name, row := range rows {
		cases[name] = e.watch(row)
	}
	return cases, nil
}

// save writes the cards and the clocks that changed.
func (e *engine) save(ctx context.Context, tx *db.Tx, cases map[string]*watched, drafts []cardDraft) error {
	if err := e.issue(ctx, tx, drafts...); err != nil {
		return err
	}
	rows := make([]*store.Clock, 0, len(cases))
	for _, w := range cases {
		if w.dirty {
			rows = append(rows, w.row)
		}
	}
	return store.SaveClocks(ctx, tx, rows)
}
