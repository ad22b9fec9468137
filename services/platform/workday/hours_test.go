package workday

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, Zone)
	if err != nil {
		panic(err)
	}
	return t
}

func TestWorkingTime(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		want     time.Duration
	}{
		{"2018-10-15 10:00:00", "2018-10-15 10:00:00", 0},
		{"2018-10-15 10:00:00", "2018-10-15 09:00:00", 0},
		{"2018-10-15 10:00:00", "2018-10-15 11:00:00", time.Hour},
		{"2018-10-15 08:00:00", "2018-10-15 23:00:00", 6 * time.Hour},
		{"2018-10-15 11:30:00", "2018-10-15 14:30:00", time.Hour},
		{"2018-10-15 12:00:00", "2018-10-15 14:00:00", 0},
		{"2018-10-15 10:00:00", "2018-10-16 10:00:00", 6 * time.Hour},
		{"2018-10-15 10:00:00", "2018-10-24 10:00:01", 42*time.Hour + time.Second},
		{"2018-10-20 10:00:00", "2018-10-20 16:00:00", 0},             // a Saturday
		{"2018-10-20 10:00:00", "2018-10-22 09:30:00", 1800 * 1e9},    // over the weekend
		{"2018-12-29 09:00:00", "2019-01-02 10:00:00", 7 * time.Hour}, // a make-up Saturday, then days off
	} {
		if got := China().WorkingTime("", DefaultHours(), at(tc.from), at(tc.to)); got != tc.want {
			t.Errorf("%s to %s: %v, want %v", tc.from, tc.to, got, tc.want)
		}
	}
}

// The worked examples of a provincial rule: a limit in days, seconds counted, the day
// rounded up, so that one second more than the limit is late.
func TestOneSecondOverIsLate(t *testing.T) {
	h := DefaultHours()
	for _, tc := range []struct {
		from, to string
		days     int
	}{
		{"2018-10-15 10:00:00", "2018-10-19 10:00:00", 4},
		{"2018-10-15 10:00:00", "2018-10-24 10:00:00", 7},
		{"2018-10-15 10:00:00", "2018-10-24 10:00:01", 8},
		{"2018-10-15 10:00:00", "2018-11-01 10:00:01", 14},
		{"2018-10-15 10:00:00", "2018-10-17 10:00:01", 3},
		{"2018-10-15 10:00:00", "2018-10-22 10:00:01", 6},
	} {
		if got := h.Days(China().WorkingTime("", h, at(tc.from), at(tc.to))); got != tc.days {
			t.Errorf("%s to %s: %d days, want %d", tc.from, tc.to, got, tc.days)
		}
	}
	if h.Days(0) != 0 || h.Days(-time.Hour) != 0 || h.Days(1) != 1 {
		t.Error("Days of nothing")
	}
}

func TestAddWorkingTime(t *testing.T) {
	for _, tc := range []struct {
		from        string
		d           time.Duration
		want        string
		provisional bool
	}{
		{"2018-10-15 10:00:00", time.Hour, "2018-10-15 11:00:00", false},
		{"2018-10-15 10:00:00", 2 * time.Hour, "2018-10-15 12:00:00", false},
		{"2018-10-15 10:00:00", 3 * time.Hour, "2018-10-15 15:00:00", false},
		{"2018-10-15 10:00:00", 5 * time.Hour, "2018-10-15 17:00:00", false},
		{"2018-10-15 10:00:00", 42 * time.Hour, "2018-10-24 10:00:00", false},
		{"2018-10-15 13:00:00", 3 * time.Hour, "2018-10-15 17:00:00", false},
		{"2018-10-15 18:00:00", 6 * time.Hour, "2018-10-16 17:00:00", false},
		{"2018-10-20 10:00:00", time.Second, "2018-10-22 09:00:01", false},
		{"2018-10-15 10:00:00", 0, "2018-10-15 10:00:00", false},
		{"2026-12-31 16:59:59", 2 * time.Second, "2027-01-01 09:00:01", true},
		{"2027-01-02 16:59:59", 0, "2027-01-02 16:59:59", true},
	} {
		got, provisional := China().AddWorkingTime("", DefaultHours(), at(tc.from), tc.d)
		if !got.Equal(at(tc.want)) || provisional != tc.provisional {
			t.Errorf("%s and %v: %v, %v; want %s", tc.from, tc.d, got, provisional, tc.want)
		}
	}
}

func TestAddWorkingTimeIsTheFirstSuchMoment(t *testing.T) {
	early, err := NewHours(Span{8*time.Hour + 30*time.Minute, 12 * time.Hour}, Span{13 * time.Hour, 17*time.Hour + 30*time.Minute}, Span{19 * time.Hour, 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	c := closed(t, closing{"440106", "2020-03-04"}, closing{"440000", "2020-03-06"})
	rapid.Check(t, func(t *rapid.T) {
		h := rapid.SampledFrom([]Hours{{}, DefaultHours(), early}).Draw(t, "hours")
		from := at("2020-01-15 00:00:00").Add(time.Duration(rapid.IntRange(0, 70*86400).Draw(t, "from")) * time.Second)
		d := time.Duration(rapid.IntRange(1, 60*86400).Draw(t, "d")) * time.Second
		end, _ := c.AddWorkingTime("440106", h, from, d)
		if got := c.WorkingTime("440106", h, from, end); got != d {
			t.Fatalf("%v of %v have passed at %v", got, d, end)
		}
		if got := c.WorkingTime("440106", h, from, end.Add(-time.Nanosecond)); got >= d {
			t.Fatalf("%v had passed before %v", d, end)
		}
	})
}

func TestNewHours(t *testing.T) {
	for name, spans := range map[string][]Span{
		"none": nil, "empty": {{9 * time.Hour, 9 * time.Hour}}, "backwards": {{12 * time.Hour, 9 * time.Hour}},
		"overlapping": {{9 * time.Hour, 12 * time.Hour}, {11 * time.Hour, 13 * time.Hour}}, "past midnight": {{20 * time.Hour, 25 * time.Hour}},
		"before midnight": {{-time.Hour, time.Hour}}, "out of order": {{14 * time.Hour, 17 * time.Hour}, {9 * time.Hour, 12 * time.Hour}},
	} {
		if _, err := NewHours(spans...); !errors.Is(err, fault.BadCalendar) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h, err := NewHours(Span{9 * time.Hour, 17 * time.Hour})
	if err != nil || h.Day() != 8*time.Hour || len(h.Spans()) != 1 {
		t.Errorf("%v, %v", h, err)
	}
	if (Hours{}).Day() != 6*time.Hour || len(Hours{}.Spans()) != 2 {
		t.Error("the zero value is not the default")
	}
	h.Spans()[0].To = 0
	if h.Day() != 8*time.Hour {
		t.Error("the hours can be changed from outside")
	}
}
