package workday

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDateOfIsTheDayInChina(t *testing.T) {
	for _, tc := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 1, 31, 15, 59, 59, 999999999, time.UTC), "2026-01-31"},
		{time.Date(2026, 1, 31, 16, 0, 0, 0, time.UTC), "2026-02-01"},
		{time.Date(1969, 12, 31, 15, 59, 59, 0, time.UTC), "1969-12-31"},
		{time.Date(1969, 12, 31, 16, 0, 0, 0, time.UTC), "1970-01-01"},
		{time.Date(2026, 3, 1, 0, 0, 0, 0, time.FixedZone("", -11*3600)), "2026-03-01"},
		{time.Date(1900, 2, 28, 17, 0, 0, 0, time.UTC), "1900-03-01"},
	} {
		if got := DateOf(tc.at); got.String() != tc.want {
			t.Errorf("DateOf(%v) = %s, want %s", tc.at, got, tc.want)
		}
	}
}

func TestDateAgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-5e9, 5e9).Draw(t, "unix"), 0)
		d, local := DateOf(at), at.In(Zone)
		if d.String() != local.Format(time.DateOnly) || d.Weekday() != local.Weekday() || d.Year() != local.Year() {
			t.Fatalf("%v is %s, %s", local, d, d.Weekday())
		}
		if NewDate(d.Civil()) != d || date(d.String()) != d {
			t.Fatalf("%s does not come back", d)
		}
		if StartOfDay(d).After(at) || EndOfDay(d).Before(at) || DateOf(StartOfDay(d)) != d || DateOf(EndOfDay(d)) != d {
			t.Fatalf("%v is outside %v to %v", at, StartOfDay(d), EndOfDay(d))
		}
		if DateOf(EndOfDay(d).Add(time.Microsecond)) != d+1 {
			t.Fatalf("the end of %s is not its end", d)
		}
	})
}

func TestAddMonths(t *testing.T) {
	for _, tc := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-01-31", 1, "2026-02-28"}, {"2024-01-31", 1, "2024-02-29"}, {"2026-01-15", 12, "2027-01-15"},
		{"2026-03-31", -1, "2026-02-28"}, {"2026-12-31", 2, "2027-02-28"}, {"2026-05-30", 0, "2026-05-30"}, {"2026-01-01", -1, "2025-12-01"},
	} {
		if got := date(tc.from).AddMonths(tc.n); got.String() != tc.want {
			t.Errorf("%s and %d months: %s, want %s", tc.from, tc.n, got, tc.want)
		}
	}
}

func TestParseDateRefuses(t *testing.T) {
	for _, s := range []string{"", "2026-2-1", "2026-02-30", "20260201", "2026-02-01T00:00:00Z", "2026-02-01\n"} {
		if d, err := ParseDate(s); err == nil {
			t.Errorf("ParseDate(%q) = %s", s, d)
		}
	}
}
