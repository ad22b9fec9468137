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
		next, err := c.WithLocal(one.division, date(one.day), "台风停工")
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
	next, err := c.WithNotice("cn-2026.2", Change{date("2025-09-24"), Off, "特别假"})
	if err != nil {
		t.Fatal(err)
	}
	if n := next.Count("440106", date("2025-09-23"), date("2025-09-25")); n != 1 {
		t.Errorf("Count = %d", n)
	}
}

func TestLocalVersion(t *testing.T) {
	one := closed(t, closing{"440100", "2025-09-24"}, closing{"440106", "2025-09-25"})
	two := closed(t, closing{"440106", "2025-09-25"}, closing{"440100", "2025-09-24"})
	three := closed(t, closing{"440106", "2025-09-25"})
	if one.Version() != two.Version() || one.Version() == three.Version() || three.Version() == China().Version() {
		t.Errorf("versions %s, %s, %s", one.Version(), two.Version(), three.Version())
	}
	if !China().IsWorkday("440106", date("2025-09-25")) {
		t.Error("the calendar of the country has changed")
	}
	if _, err := China().WithLocal("44", date("2025-09-25"), "x"); !errors.Is(err, fault.BadDivision) {
		t.Errorf("a division of two digits: %v", err)
	}
}

func TestLocalAgainstWalking(t *testing.T) {
	divisions := []string{"440000", "440100", "440106", "440106001000", "440300"}
	first := int(date("2024-01-01"))
	rapid.Check(t, func(t *rapid.T) {
		c := China()
		type key struct {
			prefix string
			day    Date
		}
		shut := map[key]bool{}
		for range rapid.IntRange(0, 30).Draw(t, "closures") {
			division := rapid.SampledFrom(divisions).Draw(t, "closed")
			day := Date(first + rapid.IntRange(0, 60).Draw(t, "day"))
			next, err := c.WithLocal(division, day, "台风")
			if err != nil {
				t.Fatal(err)
			}
			c = next
			shut[key{prefixOf(division), day}] = true
		}
		division := rapid.SampledFrom(divisions).Draw(t, "division")
		workday := func(d Date) bool {
			for _, n := range prefixLengths {
				if n <= len(division) && shut[key{division[:n], d}] {
					return false
				}
			}
			return naive(c, d)
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
