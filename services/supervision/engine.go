package supervision

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// unknownDue sorts clocks without a known due date behind all others.
const unknownDue = math.MaxInt32

// engine turns events and the passing of time into cards.
type engine struct {
	policies *policies
	db       *db.DB
	clock    clock.Clock
}

// watched is one case while a batch is applied.
type watched struct {
	row *store.Clock
	// kept is the shortened case of the row; nil until needed.
	kept   *caseworkv1.Case
	facts  *rules.Facts
	policy rules.Policy
	dirty  bool
}

func (w *watched) known(key string) bool {
	return strings.Contains(" "+w.row.Raised+" ", " "+key+" ")
}

// load reads the facts of the row, once.
func (w *watched) load() error {
	if w.facts != nil {
		return nil
	}
	w.kept = &caseworkv1.Case{}
	if err := proto.Unmarshal(w.row.Facts, w.kept); err != nil {
		return fmt.Errorf("facts of %s: %w", w.row.Case, err)
	}
	w.facts = factsOf(w.kept)
	return nil
}

// raise notes a finding and drafts its card.
func (w *watched) raise(f rules.Finding) cardDraft {
	w.row.Raised = strings.TrimSpace(w.row.Raised + " " + f.Key())
	w.dirty = true
	return cardDraft{finding: f, subject: w.kept, policy: w.policy}
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

// take makes the case of an event the row's, and raises what the event itself shows.
func (w *watched) take(e *feedv1.Event, c *caseworkv1.Case) []cardDraft {
	w.facts = factsOf(c)
	w.kept = shorten(c)
	w.row.Facts, w.row.Sequence = marshal(w.kept), e.GetSequence()
	w.row.Department, w.row.ApplicantKey = c.GetDepartment(), c.GetApplicantKey()
	var drafts []cardDraft
	entered := e.GetEnteredAt().AsTime()
	for _, f := range w.policy.Conduct(w.facts, rules.Deed{
		Type: e.GetType(), Sequence: e.GetSequence(), Actor: e.GetActor(), Happened: timeOf(e.GetHappenedAt()), Entered: entered,
	}, w.known) {
		drafts = append(drafts, w.raise(f))
	}
	w.schedule(entered)
	return drafts
}

// schedule sets what the row is found and sorted by.
func (w *watched) schedule(now time.Time) {
	w.dirty = true
	w.row.NextAt = time.Time{}
	if pending := w.policy.Pending(w.facts, w.known); len(pending) > 0 {
		w.row.NextAt = pending[0].At
	}
	w.row.Open, w.row.Due = w.facts.Open(), unknownDue
	if r := workday.Reckon(w.policy.Calendar, w.policy.Input(w.facts), now); r.DueKnown {
		w.row.Due = int64(r.PromisedDue)
	} else if due, ok := w.policy.AcceptanceDue(w.facts); ok && r.State == workday.Waiting {
		w.row.Due = int64(due)
	}
}

// apply is the follower's: it applies a batch of events in their order.
func (e *engine) apply(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	cases, err := e.loadOf(ctx, tx, events)
	if err != nil {
		return err
	}
	var drafts []cardDraft
	for _, ev := range events {
		if ev.GetResourceType() != caseType {
			continue
		}
		c := &caseworkv1.Case{}
		if err := proto.Unmarshal(ev.GetResource(), c); err != nil {
			return fmt.Errorf("case of %s: %w", ev.GetSubject(), err)
		}
		w := cases[ev.GetSubject()]
		if w == nil && c.GetSubmitTime() == nil {
			continue // a draft is its applicant's own business
		}
		if w == nil {
			w = e.watch(&store.Clock{Case: ev.GetSubject(), Hall: hallOf(ev.GetSubject())})
			cases[ev.GetSubject()] = w
		}
		if ev.GetSequence() <= w.row.Sequence {
			continue // told before
		}
		due, err := w.fallDue(ev.GetEnteredAt().AsTime())
		if err != nil {
			return err
		}
		drafts = append(append(drafts, due...), w.take(ev, c)...)
	}
	return e.save(ctx, tx, cases, drafts)
}

func (e *engine) watch(row *store.Clock) *watched {
	return &watched{row: row, policy: e.policies.of(divisionOf(row.Case))}
}

func (e *engine) loadOf(ctx context.Context, tx *db.Tx, events []*feedv1.Event) (map[string]*watched, error) {
	var names []string
	seen := map[string]bool{}
	for _, ev := range events {
		if ev.GetResourceType() == caseType && !seen[ev.GetSubject()] {
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
	for _, d := range drafts {
		if err := d.issue(ctx, tx); err != nil {
			return err
		}
	}
	rows := make([]*store.Clock, 0, len(cases))
	for _, w := range cases {
		if w.dirty {
			rows = append(rows, w.row)
		}
	}
	return store.SaveClocks(ctx, tx, rows)
}
