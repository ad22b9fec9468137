package rules

import (
	"slices"
	"time"
)

// Trial lists what the policy would have found of a case up to a moment, judged after
// each of its deeds as the case stood then, so far as the present facts tell.
func (p Policy) Trial(f *Facts, deeds []Deed, until time.Time) ([]Finding, error) {
	found := map[string]bool{}
	known := func(key string) bool { return found[key] }
	var all []Finding
	var failed error
	for i, d := range deeds {
		then := f
		if i < len(deeds)-1 {
			then = f.asOf(d.Entered)
		}
		list, err := p.Conduct(then, d, known)
		if err != nil && failed == nil {
			failed = err
		}
		for _, one := range list {
			found[one.Key()] = true
			all = append(all, one)
		}
		// What falls due before the next deed is judged by what was known then.
		next := until
		if i < len(deeds)-1 {
			next = deeds[i+1].Entered
		}
		for _, pending := range p.Pending(then, known) {
			if pending.At.Before(next) {
				found[pending.Key] = true
				all = append(all, p.Find(pending))
			}
		}
	}
	return all, failed
}

// asOf is what was known of the case at a moment: later things are left out.
func (f *Facts) asOf(t time.Time) *Facts {
	then := *f
	if f.Deemed.After(t) {
		then.Accepted = time.Time{} // the law accepts from the receipt on, but not before
	}
	for _, m := range []*time.Time{&then.Submitted, &then.PreAccepted, &then.Accepted, &then.Deemed, &then.Collected, &then.Licensed} {
		*m = before(*m, t)
	}
	if f.Ended.After(t) {
		then.End, then.Ended, then.EndReason = "", time.Time{}, ""
	}
	then.Supplements = slices.DeleteFunc(slices.Clone(f.Supplements), func(s Supplement) bool { return s.Notice.After(t) })
	for i := range then.Supplements {
		then.Supplements[i].Receipt = before(then.Supplements[i].Receipt, t)
	}
	then.Steps = slices.DeleteFunc(slices.Clone(f.Steps), func(s Step) bool { return s.Time.After(t) })
	then.Specials = slices.DeleteFunc(slices.Clone(f.Specials), func(s Special) bool { return s.Start.After(t) })
	for i := range then.Specials {
		then.Specials[i].End = before(then.Specials[i].End, t)
	}
	then.Charges = slices.DeleteFunc(slices.Clone(f.Charges), func(c Charge) bool { return c.Charged.After(t) })
	for i := range then.Charges {
		then.Charges[i].Paid = before(then.Charges[i].Paid, t)
	}
	then.Gaps = slices.Clone(f.Gaps)
	for i := range then.Gaps {
		then.Gaps[i].Filled = before(then.Gaps[i].Filled, t)
	}
	if f.Decision != nil && f.Decision.Time.After(t) {
		then.Decision = nil
	}
	if f.Finish != nil && f.Finish.Time.After(t) {
		then.Finish = nil
	}
	return &then
}

// before is a moment if it has come by another, else zero.
func before(m, t time.Time) time.Time {
	if m.After(t) {
		return time.Time{}
	}
	return m
}
