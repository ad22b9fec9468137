package workday

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
)

type closing struct{ division, day string }

func closed(t rapid.TB, closings ...closing) *Calendar {
	t.Helper()
	c := China()
	for _, one := range closings {
		next, err := c.With(Notice{Division: one.division, Days: []Change{day(one.day, Closed, "台风停工")}})
		if err != nil {
			t.Fatal(err)
		}
		c = next
	}
	return c
}

func TestLocalClosureReachesDown(t *testing.T) {
	const day = "2025-09-24" // a Wednesday
	for division, reached := range map[string][]string{
		"440000":       {"440000", "440100", "440300", "440106", "440106001000", "440106001003"},
		"440100":       {"440100", "440106", "440106001000", "440106001003"},
		"440106":       {"440106", "440106001000", "440106001003"},
		"440106000000": {"440106", "440106001000", "440106001003"},
		"440106001000": {"440106001000", "440106001003"},
		"440106001003": {"440106001003"},
	} {
		c := closed(t, closing{division, day})
		for _, other := range []string{"", "440000", "440100", "440106", "440106001000", "440106001003", "440300", "450000"} {
			want := false
			for _, r := range reached {
				want = want || r == other
			}
			if got := !c.IsWorkday(other, date(day)); got != want {
				t.Errorf("%s closed: %s closed = %v", division, other, got)
			}
			kind, reason := c.ExplainIn(other, date(day))
			if (kind == Closed) != want || (reason == "台风停工") != want {
				t.Errorf("%s closed: %s explained as %s %s", division, other, kind, reason)
			}
		}
	}
}

func TestLocalClosureMovesDeadlines(t *testing.T) {
	c := closed(t, closing{"440100", "2025-09-24"}, closing{"440106", "2025-09-25"})
	start := date("2025-09-22") // Monday; 23, 24, 25, 26, then Sunday 28 is made up
	for division, want := range map[string]string{"440300": "2025-09-24", "440103": "2025-09-25", "440106": "2025-09-26"} {
		if due, _ := c.Add(division, start, 2); due.String() != want {
			t.Errorf("%s: due %s, want %s", division, due, want)
		}
	}
	if due, _ := c.Add("440106", start, 3); due.String() != "2025-09-28" {
		t.Errorf("due %s", due)
	}
	if back, _ := c.Add("440106", date("2025-09-28"), -3); back.String() != "2025-09-22" {
		t.Errorf("back on %s", back)
	}
}

func TestLocalClosureTwiceOrOnADayOff(t *testing.T) {
	c := closed(t, closing{"440106", "2025-09-24"}, closing{"440000", "2025-09-24"}, closing{"440100", "2025-09-24"}, closing{"440106", "2025-10-01"})
	if n := c.Count("440106", date("2025-09-22"), date("2025-10-09")); n != China().Count("", date("2025-09-22"), date("2025-10-09"))-1 {
		t.Errorf("Count = %d", n)
	}
	if kind, name := c.ExplainIn("440106", date("2025-10-01")); kind != Off || name != "国庆节、中秋节" {
		t.Errorf("a holiday is explained as %s %s", kind, name)
	}
	// A notice that turns the closed day into a day off takes the closure's effect over.
	next, err := c.With(Notice{Days: []Change{day("2025-09-24", Off, "特别假")}})
	if err != nil {
		t.Fatal(err)
	}
	if n := next.Count("440106", date("2025-09-23"), date("2025-09-25")); n != 1 {
		t.Errorf("Count = %d", n)
	}
}

func TestLocalVersions(t *testing.T) {
	one := closed(t, closing{"440100", "2025-09-24"}, closing{"440106", "2025-09-25"})
	two := closed(t, closing{"440106", "2025-09-25"}, closing{"440100", "2025-09-24"})
	three := closed(t, closing{"440106", "2025-09-25"})
	if one.Number() != 3 || two.Version() != "cn-2026.1+3" || three.Version() != "cn-2026.1+2" {
		t.Errorf("versions %s, %s, %s", one.Version(), two.Version(), three.Version())
	}
	if !China().IsWorkday("440106", date("2025-09-25")) {
		t.Error("the calendar of the country has changed")
	}
	if _, err := China().With(Notice{Division: "44", Days: []Change{day("2025-09-25", Closed, "x")}}); !errors.Is(err, fault.BadDivision) {
		t.Errorf("a division of two digits: %v", err)
	}
}

// TestLocalAgainstWalking holds sums and searches against walking from day to day, with
// closed days, days off and made-up days of divisions within each other.
func TestLocalAgainstWalking(t *testing.T) {
	divisions := []string{"440000", "440100", "440106", "440106001000", "440300"}
	first := int(date("2024-01-01"))
	rapid.Check(t, func(t *rapid.T) {
		c := China()
		type key struct {
			prefix string
			day    Date
		}
		own := map[key]bool{} // whether it works
		for range rapid.IntRange(0, 30).Draw(t, "days") {
			division := rapid.SampledFrom(divisions).Draw(t, "division")
			d := Date(first + rapid.IntRange(0, 60).Draw(t, "day"))
			kind := rapid.SampledFrom([]Kind{Closed, Off, Makeup}).Draw(t, "kind")
			next, err := c.With(Notice{Division: division, Days: []Change{{Date: d, Kind: kind, Name: "台风"}}})
			if err != nil {
				t.Fatal(err)
			}
			c = next
			own[key{prefixOf(division), d}] = kind == Makeup
		}
		division := rapid.SampledFrom(divisions).Draw(t, "whose")
		workday := func(d Date) bool {
			works := naive(c, d)
			for _, n := range prefixLengths {
				if n <= len(division) {
					if said, ok := own[key{division[:n], d}]; ok {
						works = said
					}
				}
			}
			return works
		}
		start, n := Date(first+rapid.IntRange(-10, 70).Draw(t, "start")), rapid.IntRange(-40, 40).Draw(t, "n")
		got, _ := c.Add(division, start, n)
		if want := walk(workday, start, n); got != want {
			t.Fatalf("Add(%s, %s, %d) = %s, want %s", division, start, n, got, want)
		}
		if n > 0 && c.Count(division, start, got) != n {
			t.Fatalf("Count = %d, want %d", c.Count(division, start, got), n)
		}
	})
}

func TestWithin(t *testing.T) {
	for wider, inside := range map[string]map[string]bool{
		"":       {"441300": true},
		"440000": {"441300": true, "450000": false},
		"441300": {"441300": true, "441302": true, "441302001000": true, "441400": false},
		"441302": {"441300": false, "441302": true},
		"44":     {"441300": false},
	} {
		for division, want := range inside {
			if Within(division, wider) != want {
				t.Errorf("%s within %s: %v", division, wider, !want)
			}
		}
	}
}
