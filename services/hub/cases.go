package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
)

// told is what one event says of a case.
type told struct {
	name     string
	sequence int64
	state    rules.State
	// corrected tells that what had been told was told otherwise.
	corrected bool
}

// correctedEvent is what casework calls a case that its source told otherwise than before.
const correctedEvent = "case.corrected"

// applyCases counts what the cases of a batch have become.
func applyCases(ctx context.Context, tx *db.Tx, src *source, events []*feedv1.Event) error {
	var all []told
	var names []string
	seen := map[string]bool{}
	err := decode(src, events, func(e *feedv1.Event, c *caseworkv1.Case) error {
		state, err := stateOf(tx.Now(), src, e.GetSubject(), c)
		if err != nil {
			return err
		}
		all = append(all, told{e.GetSubject(), e.GetSequence(), state, e.GetType() == correctedEvent})
		if !seen[e.GetSubject()] {
			seen[e.GetSubject()] = true
			names = append(names, e.GetSubject())
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	if err := store.LockSource(ctx, tx, src.name); err != nil {
		return err
	}
	before, err := store.Cases(ctx, tx, names)
	if err != nil {
		return err
	}
	after, err := advance(src, before, all)
	if err != nil {
		return err
	}
	return saveCases(ctx, tx, before, after)
}

// advance lets the events happen to the cases, in order, and gives those that changed.
// An event that a case has behind it already is passed over.
func advance(src *source, before map[string]store.Case, all []told) (map[string]store.Case, error) {
	after := map[string]store.Case{}
	for _, t := range all {
		c, ok := after[t.name]
		if !ok {
			c = before[t.name]
		}
		if c.Source != "" && c.Source != src.name {
			return nil, fmt.Errorf("%s belongs to source %s", t.name, c.Source)
		}
		if t.sequence <= c.Sequence {
			continue
		}
		c.Name, c.Source, c.Sequence = t.name, src.name, t.sequence
		if t.corrected {
			c.Case = c.Case.Unjudged()
		}
		c.Case = c.Case.Advance(t.state)
		after[t.name] = c
	}
	return after, nil
}

// saveCases writes changed cases and the facts they change, those of their reviews and
// cards included when these now stand under another channel.
func saveCases(ctx context.Context, tx *db.Tx, before, after map[string]store.Case) error {
	deltas := rules.Deltas{}
	rows := make([]store.Case, 0, len(after))
	var moved []string
	for name, c := range after {
		old := before[name]
		old.Contribute(-1, deltas)
		c.Contribute(1, deltas)
		rows = append(rows, c)
		if c.Marks > 0 && rules.ChannelOf(old.Case) != rules.ChannelOf(c.Case) {
			moved = append(moved, name)
		}
	}
	if err := moveMarks(ctx, tx, moved, after, deltas); err != nil {
		return err
	}
	return errors.Join(store.SaveCases(ctx, tx, rows), store.AddFacts(ctx, tx, deltas))
}

// moveMarks puts the marks of cases under the channel that the cases now have.
func moveMarks(ctx context.Context, tx *db.Tx, names []string, cases map[string]store.Case, deltas rules.Deltas) error {
	if len(names) == 0 {
		return nil
	}
	marks, err := store.MarksOf(ctx, tx, names)
	if err != nil {
		return err
	}
	for i := range marks {
		m := &marks[i]
		m.Contribute(-1, deltas)
		m.Channel = rules.ChannelOf(cases[m.Case].Case)
		m.Contribute(1, deltas)
	}
	return store.SaveMarks(ctx, tx, marks)
}

// stateOf reads what counts out of a case.
func stateOf(now time.Time, src *source, subject string, c *caseworkv1.Case) (rules.State, error) {
	hall, _ := hallOf(subject)
	channel, ok := channels[c.GetChannel()]
	if c.GetName() != subject || !ok {
		return rules.State{}, fmt.Errorf("the case is named %q and came by channel %d", c.GetName(), c.GetChannel())
	}
	s := rules.State{
		Hall: hall, Department: c.GetDepartment(), Item: c.GetItem(), Channel: channel,
		Draft: c.GetState() == caseworkv1.CaseState_CASE_STATE_DRAFT,
		// A joint case is counted by its children.
		Voided:       c.GetState() == caseworkv1.CaseState_CASE_STATE_VOIDED || c.GetCaseType() == caseworkv1.CaseType_CASE_TYPE_JOINT,
		FinishOnline: c.GetFinish().GetOnline(),
	}
	var errs [5]error
	s.Submit, errs[0] = src.day(now, c.GetSubmitTime())
	s.Accept, errs[1] = src.day(now, c.GetAcceptTime())
	s.Finish, errs[2] = src.day(now, c.GetFinish().GetFinishTime())
	s.Decide, errs[3] = src.day(now, c.GetDecision().GetDecideTime())
	if due := c.GetPromisedDueDate(); due != "" {
		s.Due, errs[4] = workday.ParseDate(due)
	}
	return s, errors.Join(errs[:]...)
}

// channels are the words of the facts. A case that names no channel came in at the
// window, the one way that needs no device to tell it.
var channels = map[caseworkv1.Channel]string{
	caseworkv1.Channel_CHANNEL_UNSPECIFIED: rules.Window, caseworkv1.Channel_CHANNEL_WINDOW: rules.Window,
	caseworkv1.Channel_CHANNEL_WEB: rules.Web, caseworkv1.Channel_CHANNEL_MOBILE: rules.Mobile, caseworkv1.Channel_CHANNEL_COURIER: rules.Courier,
}
