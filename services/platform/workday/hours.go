package workday

import (
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// Span is a stretch of a day, in time since its midnight.
type Span struct{ From, To time.Duration }

// Hours are the opening hours of a hall on a working day, for halls that count working
// time by the second. The zero value is DefaultHours.
type Hours struct{ spans []Span }

var defaultSpans = []Span{{9 * time.Hour, 12 * time.Hour}, {14 * time.Hour, 17 * time.Hour}}

// DefaultHours are 09:00 to 12:00 and 14:00 to 17:00.
func DefaultHours() Hours { return Hours{defaultSpans} }

// NewHours makes hours of spans in order of time that do not overlap, at least one of
// them, or returns BAD_CALENDAR.
func NewHours(spans ...Span) (Hours, error) {
	end := time.Duration(0)
	for _, s := range spans {
		if s.From < end || s.To <= s.From || s.To > 24*time.Hour {
			return Hours{}, fault.BadCalendar.New(fault.Field("hours"))
		}
		end = s.To
	}
	if len(spans) == 0 {
		return Hours{}, fault.BadCalendar.New(fault.Field("hours"))
	}
	return Hours{append([]Span(nil), spans...)}, nil
}

// Spans are the stretches of the day, in order.
func (h Hours) Spans() []Span {
	if len(h.spans) == 0 {
		return append([]Span(nil), defaultSpans...)
	}
	return append([]Span(nil), h.spans...)
}

func (h Hours) all() []Span {
	if len(h.spans) == 0 {
		return defaultSpans
	}
	return h.spans
}

// Day is the working time of one working day.
func (h Hours) Day() time.Duration {
	var total time.Duration
	for _, s := range h.all() {
		total += s.To - s.From
	}
	return total
}

// Days is a working time in working days, rounded up: one second over is a day more.
func (h Hours) Days(worked time.Duration) int {
	if worked <= 0 {
		return 0
	}
	return int((worked + h.Day() - 1) / h.Day())
}

// within is the working time between two moments of one day, given since midnight.
func (h Hours) within(from, to time.Duration) time.Duration {
	var total time.Duration
	for _, s := range h.all() {
		total += max(0, min(to, s.To)-max(from, s.From))
	}
	return total
}

// WorkingTime is the opening time of the division's halls between two moments, zero
// when to is not after from.
func (c *Calendar) WorkingTime(division string, h Hours, from, to time.Time) time.Duration {
	if !from.Before(to) {
		return 0
	}
	first, last := DateOf(from), DateOf(to)
	since, until := from.Sub(StartOfDay(first)), to.Sub(StartOfDay(last))
	if first == last {
		if !c.IsWorkday(division, first) {
			return 0
		}
		return h.within(since, until)
	}
	total := time.Duration(c.Count(division, first, last-1)) * h.Day()
	if c.IsWorkday(division, first) {
		total += h.within(since, 24*time.Hour)
	}
	if c.IsWorkday(division, last) {
		total += h.within(0, until)
	}
	return total
}

// AddWorkingTime is the moment at which the division's halls have been open for d since
// from; from itself for a d of zero or less. The second result reports that it is
// provisional.
func (c *Calendar) AddWorkingTime(division string, h Hours, from time.Time, d time.Duration) (time.Time, bool) {
	day := DateOf(from)
	if d <= 0 {
		return from, !c.Known(day)
	}
	since := from.Sub(StartOfDay(day))
	if c.IsWorkday(division, day) {
		left := h.within(since, 24*time.Hour)
		if d <= left {
			return StartOfDay(day).Add(h.moment(h.within(0, since) + d)), !c.Known(day)
		}
		d -= left
	}
	whole := (d - 1) / h.Day() // days passed entirely; the rest is never nothing
	end, provisional := c.Add(division, day, int(whole)+1)
	return StartOfDay(end).Add(h.moment(d - whole*h.Day())), provisional
}

// moment is the time of day at which worked, no more than a Day, has been worked.
func (h Hours) moment(worked time.Duration) time.Duration {
	for _, s := range h.all() {
		if length := s.To - s.From; worked > length {
			worked -= length
		} else {
			return s.From + worked
		}
	}
	return 24 * time.Hour
}
