package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/db"
)

// applyReviews counts the reviews of a batch.
func applyReviews(ctx context.Context, tx *db.Tx, src *source, events []*feedv1.Event) error {
	last := map[string]store.Mark{}
	err := decode(src, events, func(e *feedv1.Event, r *reviewv1.Review) error {
		hall, _ := hallOf(e.GetSubject())
		day, err := src.day(tx.Now(), r.GetCreateTime())
		if err == nil && day == 0 {
			err = errors.New("the review has no time")
		}
		last[e.GetSubject()] = store.Mark{Name: e.GetSubject(), Source: src.name, Sequence: e.GetSequence(), Mark: rules.Mark{
			Kind: rules.ReviewMark, Case: r.GetCase(), Day: day, Hall: hall, Department: r.GetDepartment(), Item: r.GetItem(),
			Good: r.GetStars() >= rules.SatisfiedStars,
		}}
		return err
	})
	if err != nil {
		return err
	}
	return applyMarks(ctx, tx, src, last)
}

// applyCards counts the cards of a batch.
func applyCards(ctx context.Context, tx *db.Tx, src *source, events []*feedv1.Event) error {
	last := map[string]store.Mark{}
	err := decode(src, events, func(e *feedv1.Event, c *supervisionv1.Card) error {
		hall, _ := hallOf(e.GetSubject())
		day, err := src.day(tx.Now(), c.GetAsOf())
		if err == nil && day == 0 {
			err = errors.New("the card is as of no time")
		}
		m := rules.Mark{Kind: rules.CardMark, Day: day, Hall: hall, Department: c.GetDepartment(), Item: c.GetItem()}
		if strings.Contains(c.GetSubject(), "/cases/") {
			m.Case = c.GetSubject()
		}
		colour := c.GetLevel() == supervisionv1.CardLevel_CARD_LEVEL_YELLOW || c.GetLevel() == supervisionv1.CardLevel_CARD_LEVEL_RED
		m.InForce = colour && (c.GetState() == supervisionv1.CardState_CARD_STATE_ISSUED || c.GetState() == supervisionv1.CardState_CARD_STATE_UNDER_ORDER)
		last[e.GetSubject()] = store.Mark{Name: e.GetSubject(), Source: src.name, Sequence: e.GetSequence(), Mark: m}
		return err
	})
	if err != nil {
		return err
	}
	return applyMarks(ctx, tx, src, last)
}

// applyMarks counts what marks have become. Each carries its whole state, so of several
// events in a batch only the last counts.
func applyMarks(ctx context.Context, tx *db.Tx, src *source, last map[string]store.Mark) error {
	if len(last) == 0 {
		return nil
	}
	if err := store.LockSource(ctx, tx, src.name); err != nil {
		return err
	}
	before, err := store.Marks(ctx, tx, slices.Collect(maps.Keys(last)))
	if err != nil {
		return err
	}
	cases, err := store.Cases(ctx, tx, casesOf(last, before))
	if err != nil {
		return err
	}
	deltas := rules.Deltas{}
	touched := maps.Clone(cases)
	var rows []store.Mark
	for name, m := range last {
		old, known := before[name]
		switch {
		case known && old.Source != src.name:
			return fmt.Errorf("%s belongs to source %s", name, old.Source)
		case known && m.Sequence <= old.Sequence:
			continue
		case known:
			old.Contribute(-1, deltas)
			note(touched, old.Mark, -1)
		}
		of := cases[m.Case]
		if of.Source != "" && of.Source != src.name {
			return fmt.Errorf("%s is of a case of source %s", name, of.Source)
		}
		m.Channel = rules.ChannelOf(of.Case)
		m.Contribute(1, deltas)
		note(touched, m.Mark, 1)
		rows = append(rows, m)
	}
	var changed []store.Case
	for name, c := range touched {
		if c != cases[name] {
			cases[name].Contribute(-1, deltas)
			c.Contribute(1, deltas)
			changed = append(changed, c)
		}
	}
	return errors.Join(store.SaveMarks(ctx, tx, rows), store.SaveCases(ctx, tx, changed), store.AddFacts(ctx, tx, deltas))
}

// casesOf lists the cases that marks are of, were of or are now of.
func casesOf(marks ...map[string]store.Mark) []string {
	seen := map[string]bool{"": true}
	var names []string
	for _, some := range marks {
		for _, m := range some {
			if !seen[m.Case] {
				seen[m.Case] = true
				names = append(names, m.Case)
			}
		}
	}
	return names
}

// note notes at the mark's case that it has one mark more or less. A case that only a
// mark knows has no source yet: whoever tells of the case itself owns it.
func note(cases map[string]store.Case, m rules.Mark, n int64) {
	if m.Case == "" {
		return
	}
	c := cases[m.Case]
	c.Name = m.Case
	c.Marks += n
	if m.Kind == rules.ReviewMark {
		c.Reviews += n
	}
	cases[m.Case] = c
}
