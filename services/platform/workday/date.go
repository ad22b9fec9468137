package workday

import (
	"fmt"
	"time"
)

// Zone is the one time zone of mainland China, without summer time.
var Zone = time.FixedZone("UTC+8", chinaOffset)

const chinaOffset = 8 * 60 * 60

// Date is a day of the calendar in China, counted from 1970-01-01. Dates are compared
// and sorted as the integers they are.
type Date int32

const secondsPerDay = 24 * 60 * 60

// NewDate is the date of a year, month and day; what lies outside a month runs on into
// the next, as with time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return fromUTC(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// ParseDate reads 2026-02-14.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("workday: %w", err)
	}
	return fromUTC(t), nil
}

// DateOf is the date in China at the moment t.
func DateOf(t time.Time) Date {
	day, _ := floorDiv(int(t.Unix())+chinaOffset, secondsPerDay)
	return Date(day)
}

// fromUTC is the date of a midnight in UTC, which a whole number of days divides evenly.
func fromUTC(t time.Time) Date { return Date(t.Unix() / secondsPerDay) }

func (d Date) utc() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// Civil is the year, month and day.
func (d Date) Civil() (year int, month time.Month, day int) { return d.utc().Date() }

// Year is the date's year.
func (d Date) Year() int { return d.utc().Year() }

// String writes 2026-02-14.
func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday {
	_, day := floorDiv(int(d)+4, 7) // 1970-01-01 was a Thursday
	return time.Weekday(day)
}

// AddMonths is the same day n months later, or the last day of that month where it
// has no such day (Civil Code, Article 202).
func (d Date) AddMonths(n int) Date {
	year, month, day := d.Civil()
	last := NewDate(year, month+time.Month(n)+1, 0)
	return min(NewDate(year, month+time.Month(n), 1)+Date(day-1), last)
}

// StartOfDay is the first moment of the date in China.
func StartOfDay(d Date) time.Time {
	year, month, day := d.Civil()
	return time.Date(year, month, day, 0, 0, 0, 0, Zone)
}

// EndOfDay is the last moment of the date in China, to the microsecond that stores
// keep: what happens after it is late, and DateOf gives the date back.
func EndOfDay(d Date) time.Time { return StartOfDay(d + 1).Add(-time.Microsecond) }

// floorDiv divides rounding down; the remainder is never negative.
func floorDiv(a, b int) (quotient, remainder int) {
	quotient, remainder = a/b, a%b
	if remainder < 0 {
		return quotient - 1, remainder + b
	}
	return quotient, remainder
}
