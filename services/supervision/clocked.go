package supervision

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

var clockedType = string((&feedv1.Clocked{}).ProtoReflect().Descriptor().FullName())

// clockedOf is what an event tells in the common shape, as its resource or beside it; nil
// when it does not.
func clockedOf(ev *feedv1.Event) (*feedv1.Clocked, error) {
	raw := ev.GetDetail()
	switch clockedType {
	case ev.GetDetailType():
	case ev.GetResourceType():
		raw = ev.GetResource()
	default:
		return nil, nil
	}
	k := &feedv1.Clocked{}
	if err := proto.Unmarshal(raw, k); err != nil {
		return nil, fmt.Errorf("clocked of %s: %w", ev.GetSubject(), err)
	}
	switch {
	case k.GetSubject() != ev.GetSubject():
		return nil, fmt.Errorf("clocked of %s speaks of %q", ev.GetSubject(), k.GetSubject())
	case !isClocked(k.GetSubject()) || divisionOf(k.GetSubject()) == "":
		return nil, fmt.Errorf("%q cannot be clocked by its feed", k.GetSubject())
	case k.GetDepartment() != "" && hallOf(k.GetDepartment()) != hallOf(k.GetSubject()):
		return nil, fmt.Errorf("clocked of %s is of the department of another hall", ev.GetSubject())
	}
	return k, nil
}

// clockedFrom is how the engine follows one source of clocked things.
func (e *engine) clockedFrom(source string) (apply func(context.Context, *db.Tx, []*feedv1.Event) error, idle func(context.Context, time.Time) error) {
	return func(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
			return e.applyClocked(ctx, tx, source, events)
		},
		func(ctx context.Context, until time.Time) error { return e.fallDueOf(ctx, source, until) }
}

// applyClocked takes in what a batch tells in the common shape.
func (e *engine) applyClocked(ctx context.Context, tx *db.Tx, source string, events []*feedv1.Event) error {
	told := map[int]*feedv1.Clocked{}
	var names []string
	for i, ev := range events {
		k, err := clockedOf(ev)
		if err != nil {
			return err
		}
		if k != nil {
			told[i], names = k, append(names, k.GetSubject())
		}
	}
	if len(told) == 0 {
		return nil
	}
	rows, err := e.load(ctx, tx, names)
	if err != nil {
		return err
	}
	var drafts []cardDraft
	for i, ev := range events {
		k := told[i]
		if k == nil {
			continue
		}
		due, err := e.takeClocked(rows, source, ev, k)
		if err != nil {
			return err
		}
		drafts = append(drafts, due...)
	}
	return e.save(ctx, tx, rows, drafts)
}

func (e *engine) takeClocked(rows map[string]*watched, source string, ev *feedv1.Event, k *feedv1.Clocked) ([]cardDraft, error) {
	w := rows[k.GetSubject()]
	if w == nil {
		w = e.watch(&store.Clock{Case: k.GetSubject(), Hall: hallOf(k.GetSubject()), Source: source})
		rows[k.GetSubject()] = w
	}
	if w.row.Source != source {
		return nil, fmt.Errorf("%s is told by %s and by %s", k.GetSubject(), w.row.Source, source)
	}
	if ev.GetSequence() <= w.row.Sequence {
		return nil, nil // told before
	}
	due, err := e.fallDueBefore(w, ev.GetEnteredAt().AsTime())
	if err != nil {
		return nil, err
	}
	w.subject, w.facts = subjectOfClocked(k), factsOfClocked(k)
	w.settle()
	w.row.Facts, w.row.Sequence, w.row.Department = marshal(k), ev.GetSequence(), k.GetDepartment()
	w.schedule(ev.GetEnteredAt().AsTime())
	return due, nil
}

func subjectOfClocked(k *feedv1.Clocked) subject {
	return subject{name: k.GetSubject(), item: k.GetItem(), itemTitle: k.GetTitle(), department: k.GetDepartment()}
}

// factsOfClocked reads the facts out of the common shape.
func factsOfClocked(k *feedv1.Clocked) *rules.Facts {
	c := &rules.Clocked{Kind: k.GetKind(), Title: k.GetTitle(), Officer: k.GetOfficer(), Limit: int(k.GetLimit()),
		Opened: timeOf(k.GetOpenTime()), Closed: timeOf(k.GetCloseTime()), Voided: timeOf(k.GetVoidTime())}
	if k.GetNaturalDays() {
		c.Unit = workday.NaturalDays
	}
	for _, x := range k.GetPauses() {
		c.Pauses = append(c.Pauses, workday.Pause{Kind: workday.PauseExcluded, Start: timeOf(x.GetStartTime()), End: timeOf(x.GetEndTime()),
			Limit: int(x.GetLimit()), Unit: c.Unit})
	}
	if k.GetExtendedDays() > 0 {
		c.Pauses = append(c.Pauses, workday.Pause{Kind: workday.PauseExtension, Start: c.Opened, Limit: int(k.GetExtendedDays()), Unit: c.Unit})
	}
	return &rules.Facts{Division: divisionOf(k.GetSubject()), Item: k.GetItem(), Clocked: c}
}
