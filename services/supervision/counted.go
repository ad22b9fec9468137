package supervision

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// Marks on a case: that it was counted when it came to its end, and that this was taken
// back when it was voided.
const (
	countedMark   = "counted"
	takenBackMark = "taken_back"
)

// counts collects what the events of a batch add to the figures of months, so that it is
// written with a few statements however many events there are.
type counts struct {
	cases []store.CountedCase
	back  []string
	cells map[store.Cell]*rules.Tallied
	// passages are what forecasts learn from, accepted the cases noted in this batch.
	passages []passage
	accepted map[string]bool
}

// entryOf is what makes items of different halls alike: the entry of the directory in
// the item's code. An item without such a code is like itself alone.
func entryOf(item string) string {
	id := lastPart(item)
	if parts, err := codes.ParseItemCode(id); err == nil {
		return parts.BaseCode()
	}
	return id
}

// count takes a case that has come to its end, once, in the month in which that was
// entered: so nothing entered late escapes a month that is closed.
func (x *counts) count(w *watched, c *caseworkv1.Case, ev *feedv1.Event) {
	entered := ev.GetEnteredAt().AsTime()
	// By what was known then, so that a calendar that comes later does not make a replay
	// count otherwise.
	policy := w.policy
	policy.Calendar = w.book.At(entered).Calendar
	x.pass(w, policy, rules.MonthOf(entered))
	switch {
	case w.facts.End == rules.EndVoided && w.known(countedMark) && !w.known(takenBackMark):
		w.mark(takenBackMark)
		x.back = append(x.back, w.row.Case)
	case w.facts.Settled() && !w.known(countedMark):
		w.mark(countedMark)
		one := policy.Count(w.facts, ev.GetActor())
		cell := store.Cell{Hall: w.row.Hall, Month: rules.MonthOf(entered), Department: c.GetDepartment(), Item: c.GetItem(),
			Officer: one.Officer, Applicant: int64(c.GetApplicant().GetType()), Cut: one.Cut, Entry: entryOf(c.GetItem())}
		x.cases = append(x.cases, store.CountedCase{Case: w.row.Case, Cell: cell, Counted: one})
		x.cell(cell).Take(one, 1)
	}
}

// review takes a review that is told of for the first time.
func (x *counts) review(r *reviewv1.Review, ev *feedv1.Event) {
	x.cell(store.Cell{Hall: hallOf(r.GetName()), Month: rules.MonthOf(ev.GetEnteredAt().AsTime()), Department: r.GetDepartment(),
		Item: r.GetItem(), Cut: -1, Entry: entryOf(r.GetItem())}).TakeReview(int(r.GetStars()))
}

func (x *counts) cell(c store.Cell) *rules.Tallied {
	if x.cells == nil {
		x.cells = map[store.Cell]*rules.Tallied{}
	}
	if x.cells[c] == nil {
		x.cells[c] = &rules.Tallied{}
	}
	return x.cells[c]
}

func (x *counts) save(ctx context.Context, tx *db.Tx) error {
	if err := store.SaveCounted(ctx, tx, x.cases); err != nil {
		return err
	}
	back, err := store.TakeBackCounted(ctx, tx, x.back)
	if err != nil {
		return err
	}
	for _, c := range back {
		x.cell(c.Cell).Take(c.Counted, -1)
	}
	if err := store.AddCells(ctx, tx, x.cells); err != nil {
		return err
	}
	return x.savePassages(ctx, tx)
}
