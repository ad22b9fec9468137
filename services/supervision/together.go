package supervision

import (
	"context"
	"fmt"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// burstWindow is the time in which entries of one account count together, burstKept
	// how many of the latest are remembered: enough for a rule to ask for any number.
	burstWindow = 10 * time.Minute
	burstKept   = 100
)

// bursts counts how many finished cases each account entered within the window, while a
// batch is applied. The order is that of the feed, which is the same for everybody.
type bursts struct {
	accounts map[string][]int64
	changed  map[string]bool
}

// add counts one more entry and returns how many there are in the window.
func (b *bursts) add(ctx context.Context, tx *db.Tx, account string, at time.Time) (int, error) {
	moments, ok := b.accounts[account]
	if !ok {
		var err error
		if moments, err = store.Recent(ctx, tx, account); err != nil {
			return 0, err
		}
	}
	moments = append(moments, at.UnixMicro())
	if len(moments) > burstKept {
		moments = moments[len(moments)-burstKept:]
	}
	if b.accounts == nil {
		b.accounts, b.changed = map[string][]int64{}, map[string]bool{}
	}
	b.accounts[account], b.changed[account] = moments, true
	n := 0
	for _, m := range moments {
		if age := at.UnixMicro() - m; age >= 0 && age < burstWindow.Microseconds() {
			n++
		}
	}
	return n, nil
}

func (b *bursts) save(ctx context.Context, tx *db.Tx) error {
	for account := range b.changed {
		if err := store.SaveRecent(ctx, tx, account, b.accounts[account]); err != nil {
			return err
		}
	}
	return nil
}

// tallies collects the outcomes of a batch by month, item and officer.
type tallies map[tallyKey]*store.Tally

type tallyKey struct {
	month   int64
	subject string
}

// count adds the outcome of a case, once.
func (t tallies) count(w *watched, c *caseworkv1.Case, ev *feedv1.Event) {
	refused, officer, ok := w.facts.Outcome(ev.GetActor())
	if !ok || w.known(outcomeMark) {
		return
	}
	w.mark(outcomeMark)
	month, hall := rules.MonthOf(ev.GetEnteredAt().AsTime()), hallOf(c.GetName())
	t.add(store.Tally{Month: month}, refused)
	if c.GetItem() != "" {
		t.add(store.Tally{Month: month, Item: c.GetItem(), Department: c.GetDepartment(),
			Tally: rules.Tally{Subject: c.GetItem(), Name: "事项“" + c.GetItemTitle() + "”"}}, refused)
	}
	if officer != "" {
		t.add(store.Tally{Month: month, Department: c.GetDepartment(), Officer: officer,
			Tally: rules.Tally{Subject: hall + "/officers/" + officer, Name: "该人员"}}, refused)
	}
}

// outcomeMark notes on a case that its outcome was counted.
const outcomeMark = "outcome"

func (t tallies) add(one store.Tally, refused bool) {
	key := tallyKey{one.Month, one.Subject}
	if t[key] == nil {
		t[key] = &one
	}
	t[key].Total++
	if refused {
		t[key].Refused++
	}
}

func (t tallies) save(ctx context.Context, tx *db.Tx) error {
	for _, one := range t {
		if err := store.AddTally(ctx, tx, *one); err != nil {
			return err
		}
	}
	return nil
}

// minTally is the number of outcomes from which a tally is looked at.
const minTally = 30

// judgeMonths judges the months that are over, once everything entered in them is told.
func (e *engine) judgeMonths(ctx context.Context, until time.Time) error {
	months, err := store.MonthsToJudge(ctx, e.db.Read(), rules.MonthOf(until))
	if err != nil {
		return err
	}
	for _, month := range months {
		err := e.db.Write(ctx, "supervision/months", func(ctx context.Context, tx *db.Tx) error {
			return e.judgeMonth(ctx, tx, month)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) judgeMonth(ctx context.Context, tx *db.Tx, month int64) error {
	rows, err := store.Tallies(ctx, tx, month, minTally)
	if err != nil {
		return err
	}
	var all rules.Tally
	subjects := make([]rules.Tally, 0, len(rows))
	for _, r := range rows {
		if r.Subject == "" {
			all = r.Tally
			continue
		}
		subjects = append(subjects, r.Tally)
	}
	found := rules.Refusals(month, all, subjects)
	for _, r := range rows {
		f, ok := found[r.Subject]
		if !ok {
			continue
		}
		f.Officer = r.Officer
		about := subject{name: r.Subject, item: r.Item, department: r.Department}
		draft := cardDraft{finding: f, subject: about, policy: e.policyAt(divisionOf(r.Subject), tx.Now())}
		if err := e.issue(ctx, tx, draft); err != nil {
			return fmt.Errorf("month %d: %w", month, err)
		}
	}
	return store.SetJudgedMonth(ctx, tx, month)
}
