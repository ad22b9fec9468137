package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
)

// applyCatalogue keeps the halls, the departments and when items are in force.
func applyCatalogue(ctx context.Context, tx *db.Tx, src *source, events []*feedv1.Event) error {
	var write []func() error
	var items []string
	err := errors.Join(
		decode(src, events, func(e *feedv1.Event, h *cataloguev1.Hall) error {
			write = append(write, func() error {
				return store.PutHall(ctx, tx, rules.Hall{
					Name: e.GetSubject(), DisplayName: h.GetDisplayName(), Parent: h.GetParentHall(), Level: rules.Level(h.GetLevel()),
				}, e.GetSequence())
			})
			return nil
		}),
		decode(src, events, func(e *feedv1.Event, d *cataloguev1.Department) error {
			write = append(write, func() error {
				return store.PutDepartment(ctx, tx, e.GetSubject(), d.GetDisplayName(), e.GetSequence())
			})
			return nil
		}),
		decode(src, events, func(e *feedv1.Event, i *cataloguev1.Item) error {
			items = append(items, e.GetSubject())
			c := rules.ItemChange{At: e.GetEnteredAt().AsTime()}
			c.Open, c.Closed = openness(i.GetState())
			write = append(write, func() error { return store.AddItemChange(ctx, tx, e.GetSubject(), e.GetSequence(), c) })
			return nil
		}),
		decode(src, events, func(e *feedv1.Event, r *cataloguev1.ItemRevision) error {
			items = append(items, e.GetSubject())
			c, err := revisionChange(e, r)
			write = append(write, func() error { return store.AddItemChange(ctx, tx, e.GetSubject(), e.GetSequence(), c) })
			return err
		}),
	)
	if err != nil {
		return err
	}
	for _, w := range write {
		if err := w(); err != nil {
			return err
		}
	}
	slices.Sort(items)
	for _, item := range slices.Compact(items) {
		hall, _ := hallOf(item)
		if err := store.RespanItem(ctx, tx, item, hall); err != nil {
			return err
		}
	}
	return nil
}

// openness is what an item's state says of whether it can be applied for.
func openness(s cataloguev1.ItemState) (open, closed bool) {
	switch s {
	case cataloguev1.ItemState_ITEM_STATE_IN_FORCE:
		return true, false
	case cataloguev1.ItemState_ITEM_STATE_PAUSED, cataloguev1.ItemState_ITEM_STATE_CANCELLED:
		return false, true
	default:
		return false, false
	}
}

func revisionChange(e *feedv1.Event, r *cataloguev1.ItemRevision) (rules.ItemChange, error) {
	i := r.GetItem()
	if r.GetRevision() < 1 || r.GetEffectiveTime() == nil {
		return rules.ItemChange{}, fmt.Errorf("revision %d has no number or no time", r.GetRevision())
	}
	c := rules.ItemChange{At: e.GetEnteredAt().AsTime(), Revision: &rules.Revision{
		Number: r.GetRevision(), Effective: r.GetEffectiveTime().AsTime(), OnApplication: rules.OnApplication(i.GetItemType()),
		FullOnline: i.GetFullOnline(), Possible: slices.ContainsFunc(i.GetHandlingForms(), online), Department: i.GetDepartment(),
	}}
	c.Open, c.Closed = openness(i.GetState())
	if day := i.GetCancelDate(); day != "" {
		last, err := workday.ParseDate(day)
		if err != nil {
			return c, err
		}
		c.Revision.LastDay = last
	}
	return c, nil
}

// online reports whether a handling form (1 window, 2 web, 3 mobile, 4 courier, 9
// other) is one by network.
func online(form int32) bool { return form == 2 || form == 3 }
