package rules

import (
	"cmp"
	"slices"
	"strings"
)

// Level is a hall's level; the numbers are those of the contract's enum.
type Level int64

// The levels of halls.
const (
	Province Level = 2
	City     Level = 3
	County   Level = 4
)

// Hall is one hall.
type Hall struct {
	Name, DisplayName, Parent string
	Level                     Level
}

// IsProvince reports whether a hall's name is a province's: with the halls under it, it
// is every hall there is.
func IsProvince(hall string) bool { return strings.HasSuffix(hall, "0000") }

// Place is a hall's place in a ranking.
type Place struct {
	Hall Hall
	Rate Rate
	// Rank is from 1, the same for the same value; 0 without a value.
	Rank int32
}

// Rank orders the halls of a level, best first, by a metric over what each counts
// together with the halls under it. Halls without a value come last.
func Rank(m Metric, level Level, halls []Hall, totals map[string]Totals) []Place {
	sums := map[string]*Totals{}
	for _, h := range halls {
		if h.Level == level {
			sums[h.Name] = &Totals{}
		}
	}
	for _, h := range halls {
		t := totals[h.Name]
		for i, to := range []string{h.Name, h.Parent} {
			if sum := sums[to]; sum != nil && (i == 0 || h.Parent != h.Name) {
				sum.Counts.Add(1, t.Counts)
				sum.Items.Add(t.Items)
			}
		}
	}
	var places []Place
	for _, h := range halls {
		if sum := sums[h.Name]; sum != nil {
			places = append(places, Place{Hall: h, Rate: m.Rate(*sum)})
		}
	}
	slices.SortFunc(places, func(a, b Place) int { return cmp.Or(compare(m, a.Rate, b.Rate), cmp.Compare(a.Hall.Name, b.Hall.Name)) })
	for i := range places {
		switch p := &places[i]; {
		case !p.Rate.Known:
		case i > 0 && places[i-1].Rate.Hundredths == p.Rate.Hundredths:
			p.Rank = places[i-1].Rank
		default:
			p.Rank = int32(i + 1)
		}
	}
	return places
}

// compare puts the better rate first.
func compare(m Metric, a, b Rate) int {
	switch {
	case a.Known != b.Known:
		if a.Known {
			return -1
		}
		return 1
	case m.LowerIsBetter:
		return cmp.Compare(a.Hundredths, b.Hundredths)
	default:
		return cmp.Compare(b.Hundredths, a.Hundredths)
	}
}
