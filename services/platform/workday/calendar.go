// Package workday counts working days in mainland China.
//
// A working day is a Monday to Friday that no notice of the State Council declares off,
// or a weekend day that one declares a make-up working day; a division may be closed on
// more days (a typhoon). Notices come late and change what was known, so a Calendar is a
// value that never changes and carries a version: whoever stores a deadline stores the
// version it was computed with, and computes again when there is a new one.
package workday

import (
	"maps"
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// Kind says why a day is a working day or is not.
type Kind string

// The kinds of days.
const (
	Ordinary Kind = "workday" // a Monday to Friday of the plain week
	Weekend  Kind = "weekend" // a Saturday or Sunday of the plain week
	Off      Kind = "off"     // declared off
	Makeup   Kind = "makeup"  // declared a working day
	Closed   Kind = "closed"  // the division is closed, though it is a working day elsewhere
)

// Change is one day on which a notice breaks the plain week.
type Change struct {
	Date Date
	Kind Kind   // Off or Makeup
	Name string // of the holiday, in Chinese
}

// maxChanges is how many changes a year can have; the fullest year so far has 41.
const maxChanges = 100

// MaxDays is the largest number of days Add counts; larger numbers count as this one.
const MaxDays = 1_000_000

// Calendar knows the working days. It never changes and is safe for concurrent use.
type Calendar struct {
	notices     string // version of the notices
	known       [2]Date
	changes     map[Date]Change
	from, to    Date    // the table is of [from, to), both Mondays
	before      []int32 // before[i]: working days in [from, from+i)
	nth         []Date  // the working days in the table
	local       map[string][]Date
	localReason map[closure]string
	version     string
}

// newCalendar makes a calendar for changes; nothing is known outside [first, last].
func newCalendar(version string, first, last Date, changes map[Date]Change) *Calendar {
	c := &Calendar{notices: version, version: version, known: [2]Date{first, last}, changes: changes}
	low, high := first, last
	for d := range changes {
		low, high = min(low, d), max(high, d)
	}
	c.from = low - Date((low.Weekday()+6)%7)
	c.to = high + 7 - Date((high.Weekday()+6)%7)
	c.before = make([]int32, c.to-c.from+1)
	for d := c.from; d < c.to; d++ {
		i := d - c.from
		c.before[i+1] = c.before[i]
		if kind, _ := c.Explain(d); kind == Ordinary || kind == Makeup {
			c.before[i+1]++
			c.nth = append(c.nth, d)
		}
	}
	return c
}

// Version names the notices the calendar knows and, after a plus, its local closures.
func (c *Calendar) Version() string { return c.version }

// Known reports whether the notice for the year of d is part of the calendar. A result
// that reaches beyond what is known is provisional: it counts plain weeks.
func (c *Calendar) Known(d Date) bool { return c.known[0] <= d && d <= c.known[1] }

// Explain says what the day is in the whole country, with the holiday's name where it
// has one.
func (c *Calendar) Explain(d Date) (Kind, string) {
	if change, ok := c.changes[d]; ok {
		return change.Kind, change.Name
	}
	if day := d.Weekday(); day == time.Saturday || day == time.Sunday {
		return Weekend, ""
	}
	return Ordinary, ""
}

// IsWorkday reports whether the day is a working day in the division; an empty
// division means the whole country.
func (c *Calendar) IsWorkday(division string, d Date) bool {
	return c.index(d+1) > c.index(d) && c.closures(division, d-1, d) == 0
}

// Add is the n-th working day after start, which itself does not count: a limit of n
// working days that begins on start ends with that day. Negative n counts back from
// start; zero is start itself, whatever day it is. The second result reports that the
// date is provisional.
func (c *Calendar) Add(division string, start Date, n int) (Date, bool) {
	n = min(max(n, -MaxDays), MaxDays)
	d := c.step(start, n)
	// Each local closure on the way costs one day more, which may meet further closures;
	// the first date that no longer moves is the right one.
	for len(c.local) > 0 {
		var next Date
		if n >= 0 {
			next = c.step(start, n+c.closures(division, start, d))
		} else {
			next = c.step(start, n-c.closures(division, d-1, start-1))
		}
		if next == d {
			break
		}
		d = next
	}
	return d, !c.Known(d) || !c.Known(start)
}

// step is Add without local closures.
func (c *Calendar) step(start Date, n int) Date {
	switch {
	case n > 0:
		return c.day(c.index(start+1) + n - 1)
	case n < 0:
		return c.day(c.index(start) + n)
	default:
		return start
	}
}

// Count is the number of working days after from, up to and including to. It is
// negative when to lies before from.
func (c *Calendar) Count(division string, from, to Date) int {
	if to < from {
		return -c.Count(division, to, from)
	}
	return c.index(to+1) - c.index(from+1) - c.closures(division, from, to)
}

// OnOrAfter is d if it is a working day, else the next one: where a limit in natural
// days that would end on a day off ends instead (Civil Code, Article 203), or when what
// comes in at night or on a holiday counts as received.
func (c *Calendar) OnOrAfter(division string, d Date) (Date, bool) {
	return c.Add(division, d-1, 1)
}

// index is the number of working days in [from, d), negative before from. Outside the
// table weeks are plain.
func (c *Calendar) index(d Date) int {
	switch {
	case d < c.from:
		return plainIndex(c.from, d)
	case d > c.to:
		return len(c.nth) + plainIndex(c.to, d)
	default:
		return int(c.before[d-c.from])
	}
}

// day is the working day with k working days between it and from: the inverse of index.
func (c *Calendar) day(k int) Date {
	switch {
	case k < 0:
		return plainDay(c.from, k)
	case k >= len(c.nth):
		return plainDay(c.to, k-len(c.nth))
	default:
		return c.nth[k]
	}
}

func plainIndex(monday, d Date) int {
	weeks, days := floorDiv(int(d-monday), 7)
	return weeks*5 + min(days, 5)
}

func plainDay(monday Date, k int) Date {
	weeks, days := floorDiv(k, 5)
	return monday + Date(weeks*7+days)
}

// WithNotice is a new calendar that also knows a notice about days of years it knows,
// such as an extended holiday. Later notices override earlier ones day by day. It
// returns BAD_CALENDAR for a version already in use, a day given twice, a kind other
// than Off and Makeup, or more changes than a year can have.
func (c *Calendar) WithNotice(version string, changes ...Change) (*Calendar, error) {
	return c.with(version, c.known[1], changes)
}

// WithYear is a new calendar that also knows the yearly notice for year, which must be
// the one after the last known. Days of the December before may be among its changes.
func (c *Calendar) WithYear(version string, year int, changes ...Change) (*Calendar, error) {
	if year != c.known[1].Year()+1 {
		return nil, fault.BadCalendar.New(fault.Field("year"))
	}
	return c.with(version, NewDate(year, time.December, 31), changes)
}

func (c *Calendar) with(version string, last Date, changes []Change) (*Calendar, error) {
	if version == "" || version == c.notices {
		return nil, fault.BadCalendar.New(fault.Field("version"))
	}
	all := maps.Clone(c.changes)
	given := map[Date]bool{}
	for _, change := range changes {
		inRange := c.known[0] <= change.Date && change.Date <= last
		if given[change.Date] || !inRange || (change.Kind != Off && change.Kind != Makeup) {
			return nil, fault.BadCalendar.New(fault.Field("changes"), fault.Meta("date", change.Date.String()))
		}
		given[change.Date] = true
		all[change.Date] = change
	}
	perYear := map[int]int{}
	for d := range all {
		if perYear[d.Year()]++; perYear[d.Year()] > maxChanges {
			return nil, fault.BadCalendar.New(fault.Field("changes"))
		}
	}
	next := newCalendar(version, c.known[0], last, all)
	next.setLocal(c.localReason)
	return next, nil
}

// Changes are the days on which the plain week does not hold, in order.
func (c *Calendar) Changes() []Change {
	return slices.SortedFunc(maps.Values(c.changes), func(a, b Change) int { return int(a.Date - b.Date) })
}
