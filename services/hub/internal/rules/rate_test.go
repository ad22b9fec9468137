package rules

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPercentRoundsHalfUp(t *testing.T) {
	for _, tc := range []struct {
		n, d, want int64
		known      bool
	}{
		{0, 0, 0, false},
		{5, 0, 0, false},
		{0, 7, 0, true},
		{7, 7, 10000, true},
		{1, 3, 3333, true},
		{2, 3, 6667, true},
		{1, 8, 1250, true},
		{1, 16, 625, true},
		{1, 32, 313, true},        // 3.125 % is 3.13
		{1, 800, 13, true},        // 0.125 % is 0.13
		{1, 20000, 1, true},       // exactly half of a hundredth goes up
		{1, 20001, 0, true},       // a little less does not
		{3, 20000, 2, true},       // 0.015 %
		{1005, 100000, 101, true}, // 1.005 %: a float says 1.00
		{4, 3, 13333, true},       // more finished than accepted in a span
		{math.MaxInt64 / 20000, math.MaxInt64 / 20000, 10000, true},
	} {
		got, ok := Percent(tc.n, tc.d)
		if got != tc.want || ok != tc.known {
			t.Errorf("Percent(%d, %d) = %d, %v, want %d, %v", tc.n, tc.d, got, ok, tc.want, tc.known)
		}
	}
}

// The same by fractions of any size.
func TestPercentIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Int64Range(1, 1<<48).Draw(t, "d")
		n := rapid.Int64Range(0, 1<<48).Draw(t, "n")
		x := new(big.Rat).Add(new(big.Rat).Mul(big.NewRat(n, d), big.NewRat(10000, 1)), big.NewRat(1, 2))
		want := new(big.Int).Div(x.Num(), x.Denom()).Int64()
		if got, ok := Percent(n, d); !ok || got != want {
			t.Fatalf("Percent(%d, %d) = %d, want %d", n, d, got, want)
		}
	})
}

func TestMetrics(t *testing.T) {
	totals := Totals{
		Counts: Counts{Submitted: 200, SubmittedOnline: 150, Accepted: 160, Finished: 120, FinishedOnline: 90, FinishedOnTime: 119,
			Reviews: 40, ReviewsSatisfied: 39, Cards: 2, FinishedReviewed: 30},
		Items: Items{All: 64, Full: 16, Possible: 48, Used: 8},
	}
	want := map[string][3]int64{
		"online_apply_rate": {150, 200, 7500}, "online_finish_rate": {90, 120, 7500}, "finish_rate": {120, 160, 7500},
		"ontime_rate": {119, 120, 9917}, "satisfaction": {39, 40, 9750}, "review_rate": {30, 120, 2500}, "card_rate": {2, 160, 125},
		"usage_rate": {8, 64, 1250}, "online_full_rate": {16, 64, 2500}, "online_possible_rate": {48, 64, 7500},
	}
	got := map[string][3]int64{}
	var ids []string
	for _, m := range Metrics() {
		r := m.Rate(totals)
		got[m.ID] = [3]int64{r.Numerator, r.Denominator, r.Hundredths}
		ids = append(ids, m.ID)
		if m.Name == "" || m.Formula == "" || m.Version == "" || !r.Known {
			t.Errorf("%s: %+v", m.ID, r)
		}
		if empty := m.Rate(Totals{}); empty.Known {
			t.Errorf("%s of nothing is %+v", m.ID, empty)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSorted(ids) {
		t.Errorf("metrics are not by id: %v", ids)
	}
	if _, ok := MetricOf("unknown"); ok {
		t.Error("an unknown metric was found")
	}
}

func TestRank(t *testing.T) {
	hall := func(name string, level Level, parent string) Hall {
		return Hall{Name: name, Level: level, Parent: parent}
	}
	halls := []Hall{
		hall("halls/440000", Province, ""),
		hall("halls/441300", City, "halls/440000"), hall("halls/441302", County, "halls/441300"), hall("halls/441303", County, "halls/441300"),
		hall("halls/441400", City, "halls/440000"), hall("halls/441500", City, "halls/440000"), hall("halls/441600", City, "halls/440000"),
	}
	of := func(finished, accepted int64) Totals {
		return Totals{Counts: Counts{Finished: finished, Accepted: accepted, Cards: finished}}
	}
	totals := map[string]Totals{
		"halls/441300": of(1, 2), "halls/441302": of(9, 10), "halls/441303": of(10, 12), // together 20 of 24
		"halls/441400": of(5, 6), // the same 83.33 %
		"halls/441500": of(1, 4),
	}
	type place struct {
		Hall string
		Rank int32
		N, D int64
	}
	for _, tc := range []struct {
		metric string
		level  Level
		want   []place
	}{
		{"finish_rate", City, []place{{"halls/441300", 1, 20, 24}, {"halls/441400", 1, 5, 6}, {"halls/441500", 3, 1, 4}, {"halls/441600", 0, 0, 0}}},
		{"finish_rate", County, []place{{"halls/441302", 1, 9, 10}, {"halls/441303", 2, 10, 12}}},
		{"card_rate", City, []place{{"halls/441500", 1, 1, 4}, {"halls/441300", 2, 20, 24}, {"halls/441400", 2, 5, 6}, {"halls/441600", 0, 0, 0}}},
	} {
		m, _ := MetricOf(tc.metric)
		var got []place
		for _, p := range Rank(m, tc.level, halls, totals) {
			got = append(got, place{p.Hall.Name, p.Rank, p.Rate.Numerator, p.Rate.Denominator})
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s of level %d: %s", tc.metric, tc.level, diff)
		}
	}
}
