package supervision

import (
	"context"
	"fmt"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// Marks on a case: how busy which department was when it was accepted, and that its end
// was taken into account.
const (
	loadMark  = "load."
	endedMark = "passed"
)

// passage is the acceptance or the end of a promised case, in the order they were told.
type passage struct {
	w      *watched
	facts  *rules.Facts
	policy rules.Policy
	month  int64
	ended  bool
}

// loadOf reads the mark of a case: the department that accepted it, and how busy that
// was; false while there is none.
func loadOf(row *store.Clock) (department string, load int, ok bool) {
	_, rest, found := strings.Cut(" "+row.Raised, " "+loadMark)
	if !found {
		return "", rules.LoadUsual, false
	}
	mark, _, _ := strings.Cut(rest, " ")
	level, id, _ := strings.Cut(mark, ".")
	if len(level) == 1 && level[0] >= '0' && level[0] <= '2' {
		load = int(level[0] - '0')
	}
	return row.Hall + "/departments/" + id, load, true
}

// pass notes what matters to forecasts; an instant case costs nothing.
func (x *counts) pass(w *watched, policy rules.Policy, month int64) {
	if !w.facts.PromisedCase() {
		return
	}
	switch {
	case w.facts.Open() && !x.accepted[w.row.Case]:
		if _, _, ok := loadOf(w.row); ok {
			return
		}
		if x.accepted == nil {
			x.accepted = map[string]bool{}
		}
		x.accepted[w.row.Case] = true
		x.passages = append(x.passages, passage{w: w, facts: w.facts, policy: policy, month: month})
	case !w.facts.Open() && !w.known(endedMark):
		w.mark(endedMark)
		x.passages = append(x.passages, passage{w: w, facts: w.facts, policy: policy, month: month, ended: true})
	}
}

// busyFrom and quietBelow are shares of the usual load, in thousandths; what is usual is
// learned from so many acceptances before anything is called busy.
const (
	busyFrom   = 1250
	quietBelow = 750
	usualOver  = 64
	usualAfter = 30
)

// accept counts one more open case and tells how busy the department is with it.
func accept(l *store.Load) int {
	l.Open++
	load := rules.LoadUsual
	switch now := l.Open * 1000; {
	case l.Seen < usualAfter:
	case now*1000 >= l.Usual*busyFrom:
		load = rules.LoadHigh
	case now*1000 < l.Usual*quietBelow:
		load = rules.LoadLow
	}
	l.Seen++
	// The usual load follows the real one, faster while little is known.
	l.Usual += (l.Open*1000 - l.Usual) / min(l.Seen, usualOver)
	return load
}

// savePassages keeps the loads of departments and learns from the cases that ended.
func (x *counts) savePassages(ctx context.Context, tx *db.Tx) error {
	if len(x.passages) == 0 {
		return nil
	}
	var names []string
	seen := map[string]bool{}
	note := func(department string) {
		if !seen[department] {
			seen[department] = true
			names = append(names, department)
		}
	}
	for _, p := range x.passages {
		note(p.w.row.Department)
		if department, _, ok := loadOf(p.w.row); ok {
			note(department)
		}
	}
	loads, err := store.Loads(ctx, tx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if loads[name] == nil {
			loads[name] = &store.Load{Department: name}
		}
	}
	past := map[store.PastKey]rules.Past{}
	var ended []string
	for _, p := range x.passages {
		if !p.ended {
			load := accept(loads[p.w.row.Department])
			p.w.mark(fmt.Sprintf("%s%d.%s", loadMark, load, lastPart(p.w.row.Department)))
			continue
		}
		department, load, ok := loadOf(p.w.row)
		if ok {
			loads[department].Open--
			ended = append(ended, p.w.row.Case)
		}
		for at, one := range p.policy.Passed(p.facts, load) {
			key := store.PastKey{Hall: p.w.row.Hall, Department: p.w.row.Department, Item: p.facts.Item, Month: p.month, Place: at}
			was := past[key]
			was.Add(one)
			past[key] = was
		}
	}
	if err := store.SaveLoads(ctx, tx, loads); err != nil {
		return err
	}
	if err := store.AddPast(ctx, tx, past); err != nil {
		return err
	}
	return store.DropForecasts(ctx, tx, ended)
}
