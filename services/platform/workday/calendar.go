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
	"strconv"
	"time"

	"github.com/onehall/onehall/services/platform/codes"
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
	Kind Kind   // Off or Makeup, in a division also Closed
	Name string // of the holiday, in Chinese

	notice  string // the title of the notice it came with
	version int    // the version of the calendar it came with
}

// Notice is what one version of the calendar adds to the one before.
type Notice struct {
	// Title is the notice's, shown where days are explained.
	Title string
	// Division is the code of the division it is about, 6 or 12 digits, 440100 meaning
	// the whole city; empty for the country.
	Division string
	// Year is the year that a yearly notice makes known, else 0.
	Year int
	Days []Change
}

// maxChanges is how many changes a year can have; the fullest year so far has 41.
const maxChanges = 100

// MaxDays is the largest number of days Add counts; larger numbers count as this one.
const MaxDays = 1_000_000

// Calendar knows the working days. It never changes and is safe for concurrent use.
type Calendar struct {
	base     string // names what the program was built with
	number   int
	known    [2]Date
	changes  map[Date]Change
	from, to Date    // the table is of [from, to), both Mondays
	before   []int32 // before[i]: working days in [from, from+i)
	nth      []Date  // the working days in the table
	local    map[string]map[Date]Change
	shifts   map[string]shifts
}

// newCalendar makes a calendar for changes; nothing is known outside [first, last].
func newCalendar(version string, first, last Date, changes map[Date]Change) *Calendar {
	c := &Calendar{base: version, number: 1, known: [2]Date{first, last}, changes: changes}
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

// Version names the calendar: what the program was built with and, behind a plus, the
// number of the last notice published since.
func (c *Calendar) Version() string {
	if c.number == 1 {
		return c.base
	}
	return c.base + "+" + strconv.Itoa(c.number)
}

// Number is the version as a number; 1 is what the program was built with.
func (c *Calendar) Number() int { return c.number }

// Years are the first and last day of the years that are known.
func (c *Calendar) Years() (first, last Date) { return c.known[0], c.known[1] }

// Known reports whether the notice for the year of d is part of the calendar. A result
// that reaches beyond what is known is provisional: it counts plain weeks.
func (c *Calendar) Known(d Date) bool { return c.known[0] <= d && d <= c.known[1] }

// Explain says what the day is in the whole country, with the holiday's name where it
// has one.
func (c *Calendar) Explain(d Date) (Kind, string) {
	change := c.national(d)
	return change.Kind, change.Name
}

func (c *Calendar) national(d Date) Change {
	if change, ok := c.changes[d]; ok {
		return change
	}
	if day := d.Weekday(); day == time.Saturday || day == time.Sunday {
		return Change{Date: d, Kind: Weekend}
	}
	return Change{Date: d, Kind: Ordinary}
}

// IsWorkday reports whether the day is a working day in the division; an empty
// division means the whole country.
func (c *Calendar) IsWorkday(division string, d Date) bool { return c.Count(division, d-1, d) == 1 }

// Add is the n-th working day after start, which itself does not count: a limit of n
// working days that begins on start ends with that day. Negative n counts back from
// start; zero is start itself, whatever day it is. The second result reports that the
// date is provisional.
func (c *Calendar) Add(division string, start Date, n int) (Date, bool) {
	n = min(max(n, -MaxDays), MaxDays)
	d := c.step(start, n)
	if len(c.shifts) > 0 && n != 0 {
		if local := c.localDays(division); local > 0 {
			d = c.search(division, start, n, local)
		}
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
	return c.index(to+1) - c.index(from+1) + c.ahead(division, from, to)
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

// With is the next version: a new calendar that also knows a notice. Later notices
// override earlier ones day by day. A yearly one must be of the year after the last
// known, and may have days of the December before. It returns BAD_CALENDAR for a day
// given twice or of no known year, a kind that does not fit, or more changes than a
// year can have, and BAD_DIVISION for what is no division.
func (c *Calendar) With(n Notice) (*Calendar, error) {
	last := c.known[1]
	if n.Year != 0 {
		if n.Year != last.Year()+1 || n.Division != "" {
			return nil, fault.BadCalendar.New(fault.Field("year"))
		}
		last = NewDate(n.Year, time.December, 31)
	}
	code := ""
	if n.Division != "" {
		var err error
		if code, err = codes.Division(n.Division); err != nil {
			return nil, fault.At("division", err)
		}
		last += 366 // a hall may know of its own days before the year's notice is out
	}
	days, err := c.checked(n, last)
	if err != nil {
		return nil, err
	}
	if code != "" {
		next := c.withLocal(code, days)
		next.number++
		return next, nil
	}
	all := maps.Clone(c.changes)
	perYear := map[int]int{}
	for _, d := range days {
		all[d.Date] = d
	}
	for d := range all {
		if perYear[d.Year()]++; perYear[d.Year()] > maxChanges {
			return nil, fault.BadCalendar.New(fault.Field("days"))
		}
	}
	next := newCalendar(c.base, c.known[0], last, all)
	next.number, next.local = c.number+1, c.local
	next.settle()
	return next, nil
}

// checked are the days of a notice, each with where it comes from.
func (c *Calendar) checked(n Notice, last Date) ([]Change, error) {
	given := map[Date]bool{}
	days := make([]Change, 0, len(n.Days))
	for _, d := range n.Days {
		fits := d.Kind == Off || d.Kind == Makeup || d.Kind == Closed && n.Division != ""
		if given[d.Date] || d.Date < c.known[0] || d.Date > last || !fits {
			return nil, fault.BadCalendar.New(fault.Field("days"), fault.Meta("date", d.Date.String()))
		}
		given[d.Date] = true
		d.notice, d.version = n.Title, c.number+1
		days = append(days, d)
	}
	return days, nil
}

// Changes are the days on which the plain week does not hold, in order.
func (c *Calendar) Changes() []Change {
	return slices.SortedFunc(maps.Values(c.changes), byDate)
}
