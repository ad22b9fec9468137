package rules_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/onehall/onehall/services/supervision/internal/rules"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// Known values: Wilson (1927) for 10 of 40; Fisher's tea and a published table.
func TestKnownStatistics(t *testing.T) {
	low, high := rules.Wilson(10, 40)
	if !near(low, 0.1419, 5e-4) || !near(high, 0.4019, 5e-4) {
		t.Errorf("Wilson: %v to %v", low, high)
	}
	if low, high := rules.Wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("nothing tells %v to %v", low, high)
	}
	for _, tc := range []struct {
		count, n, otherCount, others int64
		want                         float64
	}{{3, 4, 1, 4, 0.4857}, {1, 12, 9, 12, 0.00276}, {0, 30, 0, 30, 1}, {30, 30, 0, 30, 1.69e-17}} {
		if got := rules.Fisher(tc.count, tc.n, tc.otherCount, tc.others); !near(got, tc.want, tc.want/50) {
			t.Errorf("%+v: %v", tc, got)
		}
	}
	if theta, p := rules.Slower([rules.Buckets]int64{0, 40}, [rules.Buckets]int64{40, 0}); theta != 1 || p > 1e-6 {
		t.Errorf("all slower: %v, %v", theta, p)
	}
	if theta, p := rules.Slower([rules.Buckets]int64{20, 20}, [rules.Buckets]int64{20, 20}); theta != 0.5 || p != 1 {
		t.Errorf("all alike: %v, %v", theta, p)
	}
}

// The worked example of docs/discretion.md.
func TestDiscretionByHand(t *testing.T) {
	own := rules.Tallied{N: 60, Refused: 12, Supplemented: 6}
	others := rules.Tallied{N: 300, Refused: 15, Supplemented: 33}
	all := rules.Differences(own, others)
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	ptrs := []*rules.Difference{&all[0], &all[1], &all[2]}
	rules.Control(ptrs)
	if d := all[0]; !d.Told() || d.Share() != 0.2 || d.OtherShare() != 0.05 || !near(d.P, 0.0004, 0.0002) || !near(d.Q, 3*d.P, 1e-9) {
		t.Errorf("%+v", d)
	}
	if all[1].Told() || all[2].Told() {
		t.Errorf("%+v", all[1:])
	}
	if own.N = 29; rules.Differences(own, others) != nil {
		t.Error("29 cases are judged")
	}
}

// Where everybody is alike, next to nothing is told, however much is compared.
func TestChanceAloneIsNotTold(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 3))
	told, wrong := 0, 0
	for range 40 {
		officers := make([]rules.Tallied, 50)
		var all rules.Tallied
		for i := range officers {
			for range 100 {
				officers[i].Take(rules.Counted{Refused: r.IntN(10) == 0, Paused: r.IntN(5) == 0, Work: int64(r.ExpFloat64() * 1000)}, 1)
			}
			all.Add(officers[i], 1)
		}
		var ptrs []*rules.Difference
		for _, own := range officers {
			rest := all
			rest.Add(own, -1)
			for _, d := range rules.Differences(own, rest) {
				ptrs = append(ptrs, &d)
			}
		}
		rules.Control(ptrs)
		found := false
		for _, d := range ptrs {
			if d.Told() {
				told, found = told+1, true
			}
		}
		if found {
			wrong++
		}
	}
	t.Logf("of 40 halls without any difference %d had a finding, %d of 8000 comparisons", wrong, told)
	if wrong > 5 {
		t.Errorf("%d of 40 halls had a finding by chance", wrong)
	}
}
