package rules

import (
	"cmp"
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Date is a day in China.
type Date = workday.Date

// EndOfDay is the last moment of a day in China.
func EndOfDay(d Date) time.Time { return workday.EndOfDay(d) }

// Count is one of the figures of a fact.
type Count int

// The figures, in the order of the contract.
const (
	Submitted Count = iota
	SubmittedOnline
	Accepted
	Finished
	FinishedOnline
	FinishedOnTime
	Reviews
	ReviewsSatisfied
	Cards
	FinishedReviewed
	NumCounts
)

// Counts holds one number for each figure.
type Counts [NumCounts]int64

// Add adds other, sign times.
func (c *Counts) Add(sign int64, other Counts) {
	for i, n := range other {
		c[i] += sign * n
	}
}

// Zero reports whether every figure is 0.
func (c Counts) Zero() bool { return c == Counts{} }

// Key is what a fact is of.
type Key struct {
	Day                             Date
	Hall, Department, Item, Channel string
}

// Compare orders keys by day, hall, department, item and channel.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Day, o.Day), cmp.Compare(k.Hall, o.Hall), cmp.Compare(k.Department, o.Department),
		cmp.Compare(k.Item, o.Item), cmp.Compare(k.Channel, o.Channel))
}

// Fact is a key with its counts.
type Fact struct {
	Key
	Counts
}

// Deltas are changes of facts, added up before they are written.
type Deltas map[Key]*Counts

// Add counts one more (or, with a negative sign, one less) under a key.
func (d Deltas) Add(sign int64, k Key, c Count) {
	counts := d[k]
	if counts == nil {
		counts = &Counts{}
		d[k] = counts
	}
	counts[c] += sign
}

// Sorted lists the changes that are not nothing, by key: written in one order by all,
// two writers never wait for each other in a circle.
func (d Deltas) Sorted() []Fact {
	facts := make([]Fact, 0, len(d))
	for k, c := range d {
		if !c.Zero() {
			facts = append(facts, Fact{k, *c})
		}
	}
	slices.SortFunc(facts, func(a, b Fact) int { return a.Key.Compare(b.Key) })
	return facts
}

// ByHall adds changes up by day and hall alone; the other parts of the keys are empty.
func ByHall(facts []Fact) []Fact {
	d := Deltas{}
	for _, f := range facts {
		k := Key{Day: f.Day, Hall: f.Hall}
		if d[k] == nil {
			d[k] = &Counts{}
		}
		d[k].Add(1, f.Counts)
	}
	return d.Sorted()
}
