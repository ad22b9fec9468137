package exchange

import (
	"fmt"
	"math/big"
)

// Counts are what the quality of a source's data is reckoned from.
type Counts struct {
	// Right and Wrong are rows taken in and refused, Duplicates those that came once more.
	Right, Wrong, Duplicates int64
	// Disordered came after one that happened later, Late more than 24 hours after what they tell.
	Disordered, Late int64
	// Expected are columns that should be filled in, Filled those that were.
	Expected, Filled int64
}

// Part is one part of the score.
type Part struct {
	Name string
	// Weight is how many of the 100 points it is worth.
	Weight int64
	// Formula says in words what share computes.
	Formula string
	share   func(Counts) (part, whole int64)
}

// Parts are the score's formula, as data: docs/exchange.md shows the same.
var Parts = []Part{
	{"completeness", 25, "filled_fields / expected_fields", func(c Counts) (int64, int64) { return c.Filled, c.Expected }},
	{"correctness", 30, "right / total", func(c Counts) (int64, int64) { return c.Right, c.Right + c.Wrong }},
	{"order", 20, "(right - disordered) / right", func(c Counts) (int64, int64) { return c.Right - c.Disordered, c.Right }},
	{"timeliness", 20, "(right - late) / right", func(c Counts) (int64, int64) { return c.Right - c.Late, c.Right }},
	{"uniqueness", 5, "total / (total + duplicates)", func(c Counts) (int64, int64) { return c.Right + c.Wrong, c.Right + c.Wrong + c.Duplicates }},
}

// Rate is the part's share in percent; empty where nothing was counted.
func (p Part) Rate(c Counts) string { return Percent(p.share(c)) }

// Percent writes a share with two decimals, half up; empty for a share of nothing.
func Percent(part, whole int64) string {
	if whole == 0 {
		return ""
	}
	return decimals(new(big.Rat).Mul(big.NewRat(part, whole), big.NewRat(100, 1)))
}

// Score is the sum of the parts' points; empty where nothing was counted. Parts of which
// nothing was counted leave their weight to the others.
func Score(c Counts) string {
	sum, weights := new(big.Rat), int64(0)
	for _, p := range Parts {
		part, whole := p.share(c)
		if whole == 0 {
			continue
		}
		weights += p.Weight
		sum.Add(sum, new(big.Rat).Mul(big.NewRat(part, whole), big.NewRat(p.Weight, 1)))
	}
	if weights == 0 {
		return ""
	}
	return decimals(sum.Mul(sum, big.NewRat(100, weights)))
}

// decimals writes a share that is not negative with two decimals, half up.
func decimals(r *big.Rat) string {
	scaled := new(big.Rat).Add(new(big.Rat).Mul(r, big.NewRat(100, 1)), big.NewRat(1, 2))
	n := new(big.Int).Quo(scaled.Num(), scaled.Denom()).Int64()
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}
