package rules

import (
	"cmp"
	"math"
	"slices"
)

// Below minCases no share is judged. A difference is told when chance makes it less
// often than findingRate (after Benjamini and Hochberg) and it is large enough to matter.
const (
	findingRate   = 0.05
	leastDistance = 0.05 // between shares
	leastRatio    = 1.5
	leastTheta    = 0.15 // of the chance to be slower, from one half
)

// The measures in which like cases are compared.
const (
	MeasureRefusal    = "refusal"
	MeasurePause      = "pause"
	MeasureSupplement = "supplement"
	MeasureSpeed      = "speed"
)

// Wilson is the 95 % interval of a share of so many cases.
func Wilson(count, n int64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	p, m := float64(count)/float64(n), float64(n)
	middle := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, (middle-half)/(1+z*z/m)), min(1, (middle+half)/(1+z*z/m))
}

// Fisher is the two-sided exact probability that chance alone deals two shares at least
// as unlike as count of n and otherCount of others.
func Fisher(count, n, otherCount, others int64) float64 {
	hits, all := count+otherCount, n+others
	from, to := max(0, n-(all-hits)), min(n, hits)
	logChoose := func(n, k int64) float64 {
		a, _ := math.Lgamma(float64(n) + 1)
		b, _ := math.Lgamma(float64(k) + 1)
		c, _ := math.Lgamma(float64(n-k) + 1)
		return a - b - c
	}
	logOf := func(x int64) float64 { return logChoose(hits, x) + logChoose(all-hits, n-x) - logChoose(all, n) }
	// What is as likely as the case at hand counts too, in spite of rounding.
	seen, sum := math.Exp(logOf(count))*(1+1e-7), 0.0
	p := math.Exp(logOf(from))
	for x := from; x <= to; x++ {
		if p == 0 { // too small to go on from
			p = math.Exp(logOf(x))
		}
		if p <= seen {
			sum += p
		}
		if x < to {
			p *= float64(hits-x) / float64(x+1) * float64(n-x) / float64(all-hits-n+x+1)
		}
	}
	return min(1, sum)
}

// Slower compares two histograms (Mann and Whitney, ties within buckets): theta is the
// chance that one of the first takes longer than one of the second, and p how often
// chance alone makes theta as far from one half.
func Slower(own, others [Buckets]int64) (theta, p float64) {
	var n, m, below, u, ties float64
	for i := range own {
		a, b := float64(own[i]), float64(others[i])
		u += a * (below + b/2)
		below += b
		n, m = n+a, m+b
		t := a + b
		ties += t*t*t - t
	}
	if n == 0 || m == 0 {
		return 0.5, 1
	}
	all := n + m
	variance := n * m / 12 * (all + 1 - ties/(all*(all-1)))
	if variance <= 0 {
		return u / (n * m), 1
	}
	z := (u - n*m/2) / math.Sqrt(variance)
	return u / (n * m), math.Erfc(math.Abs(z) / math.Sqrt2)
}

// Difference is one comparison of like cases.
type Difference struct {
	Measure string
	// N and Others are the cases, Count and OtherCount those that the share counts.
	N, Count, Others, OtherCount int64
	// Theta is of speed.
	Theta float64
	P, Q  float64
	// Large tells that it is large enough to matter.
	Large bool
}

// Share and OtherShare are the shares compared.
func (d Difference) Share() float64 { return float64(d.Count) / float64(d.N) }

// OtherShare is that of the others.
func (d Difference) OtherShare() float64 { return float64(d.OtherCount) / float64(d.Others) }

// Differences compares what one has done with what all others have done of like cases.
// Where either has fewer than thirty nothing is compared.
func Differences(own, others Tallied) []Difference {
	if own.N < minCases || others.N < minCases {
		return nil
	}
	var all []Difference
	for _, m := range []struct {
		name   string
		mine   int64
		theirs int64
	}{
		{MeasureRefusal, own.Refused, others.Refused}, {MeasurePause, own.Paused, others.Paused}, {MeasureSupplement, own.Supplemented, others.Supplemented},
	} {
		d := Difference{Measure: m.name, N: own.N, Count: m.mine, Others: others.N, OtherCount: m.theirs, P: Fisher(m.mine, own.N, m.theirs, others.N)}
		more, less := max(d.Share(), d.OtherShare()), min(d.Share(), d.OtherShare())
		d.Large = more-less >= leastDistance && more >= leastRatio*less
		all = append(all, d)
	}
	if own.Timed() >= minCases && others.Timed() >= minCases {
		d := Difference{Measure: MeasureSpeed, N: own.Timed(), Others: others.Timed()}
		d.Theta, d.P = Slower(own.Hist, others.Hist)
		d.Large = math.Abs(d.Theta-0.5) >= leastTheta
		d.Count, d.OtherCount = int64(math.Round(d.Theta*float64(d.N))), int64(math.Round(0.5*float64(d.Others)))
		all = append(all, d)
	}
	return all
}

// Control gives every comparison its q (Benjamini and Hochberg): among those told with
// q below a rate, at most that share are chance, however many were made.
func Control(all []*Difference) {
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b *Difference) int { return cmp.Compare(a.P, b.P) })
	q := 1.0
	for i := len(order) - 1; i >= 0; i-- {
		q = min(q, order[i].P*float64(len(order))/float64(i+1))
		order[i].Q = q
	}
}

// Told tells whether a comparison is told of, once it has its q.
func (d Difference) Told() bool { return d.Large && d.Q <= findingRate }
