package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Buckets is the number of buckets of a histogram of working time.
const Buckets = 12

// bucketEnds are the upper ends of the buckets but the last, in minutes of opening time:
// a quarter of an hour up to twenty days of seven hours.
var bucketEnds = [Buckets - 1]int64{15, 60, 210, 420, 840, 1260, 2100, 3150, 4200, 6300, 8400}

// Bucket is the bucket of a working time.
func Bucket(minutes int64) int {
	for i, end := range bucketEnds {
		if minutes <= end {
			return i
		}
	}
	return Buckets - 1
}

// Counted is what scores and comparisons count of a case that has come to an end by a
// decision, a finish or a refusal. It does not change afterwards.
type Counted struct {
	// Officer is who undertook the case, else who decided or refused it.
	Officer string
	// Ended is when it was decided, finished or refused.
	Ended time.Time
	// Refused tells that it ended against the applicant; Early and Late that it was
	// decided in fewer days than promised, or in more.
	Refused, Early, Late, Supplemented, Paused bool
	// Cut is by how many tenths the promise lies below the law's limit, -1 without one.
	Cut int64
	// Work is the opening time from acceptance to the end, pauses left out, -1 for a
	// case that was not accepted; Promised is the promise in the same unit. Minutes.
	Work, Promised int64
}

// Settled tells whether the case has come to its end by a decision, a finish or a
// refusal. Withdrawn, lapsed and voided ones never do.
func (f *Facts) Settled() bool {
	switch f.End {
	case EndRefused, EndNotAccepted:
		return true
	case EndVoided, EndWithdrawn, EndLapsed:
		return false
	}
	return f.Decision != nil || f.Finish != nil
}

// Handler is who undertook the case last, else who decided, finished or refused it.
func (f *Facts) Handler(actor string) string {
	if officer, ok := f.officerOf(StepUndertake); ok && officer != "" {
		return officer
	}
	switch {
	case f.Decision != nil && f.Decision.Officer != "":
		return f.Decision.Officer
	case f.Finish != nil && f.Finish.Officer != "":
		return f.Finish.Officer
	}
	return actor
}

// Count reckons what is counted of a settled case; actor told the last of it.
func (p Policy) Count(f *Facts, actor string) Counted {
	c := Counted{Officer: f.Handler(actor), Ended: f.Stopped(), Cut: -1, Work: -1, Supplemented: len(f.Supplements) > 0}
	refused, _, judged := f.Outcome(actor)
	c.Refused = judged && refused || !judged && f.Finish != nil && f.Finish.Returned
	c.Paused = slices.ContainsFunc(f.Specials, func(s Special) bool { return !s.Extension })
	if f.Statutory > 0 && f.Promised <= f.Statutory {
		c.Cut = int64(10 * (f.Statutory - f.Promised) / f.Statutory)
	}
	if f.Accepted.IsZero() || c.Ended.Before(f.Accepted) {
		return c
	}
	in := p.Input(f)
	c.Work = p.workMinutes(f.Division, in, c.Ended)
	if f.Instant || f.Promised <= 0 {
		return c
	}
	r := workday.Reckon(p.Calendar, in, c.Ended)
	c.Early, c.Late = r.PromisedLeft > 0, r.PromisedLeft < 0
	c.Promised = int64(f.Promised) * int64(p.Hall.Hours.Day()/time.Minute)
	if f.Unit == workday.NaturalDays {
		c.Promised = c.Promised * 5 / 7 // as many working days as an ordinary week has
	}
	return c
}

// workMinutes is the opening time of a clock up to a moment, less the pauses in it.
func (p Policy) workMinutes(division string, in workday.Input, until time.Time) int64 {
	work := p.Calendar.WorkingTime(division, p.Hall.Hours, in.Start, until)
	pauses := slices.Clone(in.Pauses)
	slices.SortStableFunc(pauses, func(a, b workday.Pause) int { return a.Start.Compare(b.Start) })
	from := in.Start
	for _, s := range pauses {
		if s.Kind == workday.PauseExtension {
			continue
		}
		start, end := s.Start, s.End
		if end.IsZero() || end.After(until) {
			end = until
		}
		if start.Before(from) {
			start = from // what overlaps is left out once
		}
		if end.After(start) {
			work -= p.Calendar.WorkingTime(division, p.Hall.Hours, start, end)
			from = end
		}
	}
	return max(0, int64(work/time.Minute))
}

// Tallied is what cells of counted cases and reviews add up to.
type Tallied struct {
	N, Early, Late, Refused, Supplemented, Paused int64
	// Promised and Used add up the promised and used minutes of promised cases.
	Promised, Used int64
	// Reviews are those of the month, Satisfied the ones with three stars or more.
	Reviews, Satisfied int64
	// Hist counts the accepted cases by working time.
	Hist [Buckets]int64
}

// Take adds a case, or takes it back with -1.
func (t *Tallied) Take(c Counted, sign int64) {
	t.N += sign
	for _, x := range []struct {
		to *int64
		is bool
	}{{&t.Early, c.Early}, {&t.Late, c.Late}, {&t.Refused, c.Refused}, {&t.Supplemented, c.Supplemented}, {&t.Paused, c.Paused}} {
		if x.is {
			*x.to += sign
		}
	}
	if c.Work >= 0 {
		t.Hist[Bucket(c.Work)] += sign
		if c.Promised > 0 {
			t.Promised += sign * c.Promised
			t.Used += sign * c.Work
		}
	}
}

// TakeReview adds a review.
func (t *Tallied) TakeReview(stars int) {
	t.Reviews++
	if stars > badStars {
		t.Satisfied++
	}
}

// Add adds what others add up to, or takes it off with -1.
func (t *Tallied) Add(o Tallied, sign int64) {
	mine, its := t.Numbers(), o.Numbers()
	for i := range mine {
		*mine[i] += sign * *its[i]
	}
}

// Numbers are the places of all numbers, in the order they are stored.
func (t *Tallied) Numbers() []*int64 {
	all := []*int64{&t.N, &t.Early, &t.Late, &t.Refused, &t.Supplemented, &t.Paused, &t.Promised, &t.Used, &t.Reviews, &t.Satisfied}
	for i := range t.Hist {
		all = append(all, &t.Hist[i])
	}
	return all
}

// Timed is the number of cases in the histogram.
func (t *Tallied) Timed() int64 {
	n := int64(0)
	for _, k := range t.Hist {
		n += k
	}
	return n
}

// Quantile is the working time in minutes below which a share of the cases lies, by the
// histogram: within a bucket they are taken to lie evenly.
func (t *Tallied) Quantile(share float64) float64 {
	n := t.Timed()
	if n == 0 {
		return 0
	}
	want := share * float64(n)
	below, from := 0.0, 0.0
	for i, k := range t.Hist {
		to := 1.5 * float64(bucketEnds[Buckets-2])
		if i < len(bucketEnds) {
			to = float64(bucketEnds[i])
		}
		if below+float64(k) >= want && k > 0 {
			return from + (to-from)*(want-below)/float64(k)
		}
		below, from = below+float64(k), to
	}
	return from
}
