package almanac

import (
	"slices"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Book is the calendar and the policies as one service knows them.
type Book struct {
	// Calendar knows all notices.
	Calendar *workday.Calendar
	// Version is the position of the last entry; 0 for what the program was built with.
	Version int64

	// before is the book without the last entry, published when that was.
	before    *Book
	published time.Time

	entries  []entry
	policies map[string][]workday.Policy // by division and version
}

// BuiltIn is the book of who has heard nothing yet.
func BuiltIn() *Book { return &Book{Calendar: workday.China()} }

// with is the book with one more entry.
func (b *Book) with(e entry) (*Book, error) {
	next := &Book{Calendar: b.Calendar, Version: e.position, before: b, published: e.published, entries: append(slices.Clone(b.entries), e), policies: map[string][]workday.Policy{}}
	for division, all := range b.policies {
		next.policies[division] = all
	}
	if e.notice != nil {
		cal, err := b.Calendar.With(*e.notice)
		if err != nil {
			return nil, err
		}
		next.Calendar = cal
		return next, nil
	}
	all := append(slices.Clone(next.policies[e.division]), *e.policy)
	slices.SortFunc(all, func(a, b workday.Policy) int { return a.Version - b.Version })
	next.policies[e.division] = all
	return next, nil
}

// At is the book as it was published at a moment: conduct is judged by what people could
// know.
func (b *Book) At(t time.Time) *Book {
	for b.before != nil && b.published.After(t) {
		b = b.before
	}
	return b
}

// Policy is by what limits a hall counts what was submitted on a day: the highest version
// whose day had come.
func (b *Book) Policy(division string, submitted workday.Date) workday.Policy {
	all := b.policies[division]
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].From <= submitted {
			return all[i]
		}
	}
	return workday.DefaultPolicy()
}

// Concerning is the position of the last entry that is about the hall of a division; what
// was reckoned with that or a later one stands.
func (b *Book) Concerning(division string) int64 {
	for i := len(b.entries) - 1; i >= 0; i-- {
		if b.entries[i].concerns(division) {
			return b.entries[i].position
		}
	}
	return 0
}

// Since is the first day that the entries behind a position can have changed for a hall;
// false when there is none.
func (b *Book) Since(division string, position int64) (workday.Date, bool) {
	var since workday.Date
	found := false
	for _, e := range b.entries {
		if e.position > position && e.concerns(division) {
			if !found || e.since < since {
				since = e.since
			}
			found = true
		}
	}
	return since, found
}

// Ground names the entries behind a position that are about a hall.
func (b *Book) Ground(division string, position int64) string {
	var all []string
	for _, e := range b.entries {
		if e.position > position && e.concerns(division) {
			all = append(all, e.ground)
		}
	}
	return strings.Join(all, "；")
}

// concerns tells whether an entry can change anything for a hall. A hall has one code for
// all its cases, so days of a town in it do not.
func (e entry) concerns(division string) bool { return workday.Within(division, e.division) }

// divisionOf is the division in a resource name: 441300 of halls/441300/policies/1.
func divisionOf(name string) string {
	rest, _ := strings.CutPrefix(name, "halls/")
	division, _, _ := strings.Cut(rest, "/")
	return division
}
