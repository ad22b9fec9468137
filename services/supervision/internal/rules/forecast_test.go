package rules_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
)

// worked is a case of the simulated city, decided, with the load it was accepted under.
type worked struct {
	facts      rules.Facts
	department string
	load       int
}

// city simulates months of a city: twelve items of three departments, each with a pace of
// its own; departments are busy now and then, and slower then.
func city(r *rand.Rand, cal *workday.Calendar, first time.Time, months, perMonth int) []worked {
	type item struct {
		name, department string
		promised         int
		pace, spread     float64
	}
	var items []item
	for i := range 12 {
		items = append(items, item{fmt.Sprint("item", i), fmt.Sprint("d", i%3), 4 + r.IntN(17), 0.35 + 0.5*r.Float64(), 0.35 + 0.3*r.Float64()})
	}
	var all []worked
	for month := range months {
		begin := first.AddDate(0, month, 0)
		load := map[string]int{}
		for d := range 3 {
			load[fmt.Sprint("d", d)] = r.IntN(3)
		}
		for range perMonth {
			it := items[int(math.Abs(r.NormFloat64()*4))%len(items)]
			day, _ := cal.OnOrAfter("441300", workday.DateOf(begin.AddDate(0, 0, r.IntN(28))))
			accepted := workday.StartOfDay(day).Add(time.Duration(9*60+r.IntN(420)) * time.Minute)
			pace := it.pace * (0.85 + 0.25*float64(load[it.department]))
			days := float64(it.promised) * pace * math.Exp(it.spread*r.NormFloat64())
			at := func(share float64) time.Time {
				d, _ := cal.Add("441300", day, int(days*share))
				at := workday.StartOfDay(d).Add(10 * time.Hour)
				if earliest := accepted.Add(time.Duration(1+5*share) * time.Hour); at.Before(earliest) {
					return earliest
				}
				return at
			}
			f := rules.Facts{Division: "441300", Item: it.name, Promised: it.promised, Statutory: 2 * it.promised, Submitted: accepted, Accepted: accepted}
			for i, kind := range []string{rules.StepUndertake, rules.StepExamine, rules.StepApprove} {
				f.Steps = append(f.Steps, rules.Step{Kind: kind, Officer: "x", Time: at([]float64{0.1, 0.55, 0.9}[i] + 0.05*r.Float64())})
			}
			f.Decision = &rules.Decision{Granted: true, Time: at(1).Add(4 * time.Hour)}
			all = append(all, worked{f, it.department, load[it.department]})
		}
	}
	return all
}

// asOf is the case as it was known at a moment.
func (w worked) asOf(t time.Time) *rules.Facts {
	f := w.facts
	f.Steps = slices.DeleteFunc(slices.Clone(f.Steps), func(s rules.Step) bool { return s.Time.After(t) })
	if f.Decision.Time.After(t) {
		f.Decision = nil
	}
	return &f
}

// prediction is what was foretold and what came.
type prediction struct {
	p    float64
	came bool
}

// quality are the figures of a month of predictions.
type quality struct {
	n                        int
	rate, brier, base, auc   float64
	precision, error, decile float64
	table                    string
}

func measure(all []prediction, baseRate float64, k int) quality {
	q := quality{n: len(all)}
	slices.SortFunc(all, func(a, b prediction) int { return cmp.Compare(b.p, a.p) })
	var hits, misses, pairs float64
	for i, x := range all {
		came := 0.0
		if x.came {
			came = 1
			hits++
		} else {
			misses++
			pairs += hits // those before it were given more, or as much
		}
		q.brier += (x.p - came) * (x.p - came)
		q.base += (baseRate - came) * (baseRate - came)
		if i < k {
			q.precision += came / float64(k)
		}
	}
	n := float64(len(all))
	q.rate, q.brier, q.base, q.auc = hits/n, q.brier/n, q.base/n, pairs/(hits*misses)
	var b strings.Builder
	for d := range 10 {
		part := all[len(all)*d/10 : len(all)*(d+1)/10]
		said, came := 0.0, 0.0
		for _, x := range part {
			said += x.p / float64(len(part))
			if x.came {
				came += 1 / float64(len(part))
			}
		}
		q.error += math.Abs(said-came) * float64(len(part)) / n
		fmt.Fprintf(&b, "\n  decile %2d: foretold %.3f, came %.3f of %d", d+1, said, came, len(part))
	}
	q.table = b.String()
	return q
}

// The forecast learns from six simulated months and is measured on the seventh, each
// Monday, on open cases that are not over the promise yet. It must be better than the
// base rate by a wide margin, and mean what it says.
func TestForecastOnSimulatedMonths(t *testing.T) {
	cal := workday.China()
	policy := rules.Policy{Calendar: cal}
	first := time.Date(2018, 3, 1, 0, 0, 0, 0, workday.Zone)
	all := city(rand.New(rand.NewPCG(2018, 7)), cal, first, 8, 900)
	begin, end := first.AddDate(0, 6, 0), first.AddDate(0, 7, 0)
	m := rules.NewForecasts()
	for _, w := range all {
		if w.facts.Decision.Time.Before(begin) {
			for at, p := range policy.Passed(&w.facts, w.load) {
				m.Learn(w.department, w.facts.Item, at, p)
			}
		}
	}
	var predictions, used []prediction
	late := 0.0
	for now := begin; now.Before(end); now = now.AddDate(0, 0, 1) {
		if now.Weekday() != time.Monday {
			continue
		}
		now := now.Add(9 * time.Hour)
		for _, w := range all {
			if w.facts.Accepted.After(now) || !w.facts.Decision.Time.After(now) {
				continue
			}
			f := w.asOf(now)
			r := workday.Reckon(cal, policy.Input(f), now)
			x, ok := policy.Foretell(m, f, w.department, w.load, now)
			if !ok || r.PromisedLeft < 0 {
				continue
			}
			done := workday.Reckon(cal, policy.Input(&w.facts), w.facts.Decision.Time)
			predictions = append(predictions, prediction{x.Probability, done.PromisedLeft < 0})
			used = append(used, prediction{float64(r.Used) / float64(r.Promised), done.PromisedLeft < 0})
			late += math.Abs(x.Remaining-float64(done.Used-r.Used)) / float64(done.Promised)
		}
	}
	q, plain := measure(predictions, m.BaseRate(), 50), measure(used, m.BaseRate(), 50)
	t.Logf("%d forecasts of open cases, %.1f %% overran; Brier %.4f (base rate %.4f), AUC %.3f (share used alone %.3f, base rate 0.5), precision at 50 %.2f (share used alone %.2f), calibration error %.3f, mean error of the remaining time %.2f of the promise%s",
		q.n, 100*q.rate, q.brier, q.base, q.auc, plain.auc, q.precision, plain.precision, q.error, late/float64(q.n), q.table)
	if q.n < 500 || q.brier > 0.85*q.base || q.auc < 0.75 || q.auc < plain.auc || q.precision < 2*q.rate || q.error > 0.08 {
		t.Errorf("the forecast is not good enough: %+v", q)
	}
}

// The worked example of docs/forecast.md.
func TestForecastByHand(t *testing.T) {
	m := rules.NewForecasts()
	at := rules.Place{Stage: 1, Fifth: 3, Load: rules.LoadUsual}
	m.Learn("d1", "a", rules.Place{Load: rules.LoadUsual}, rules.Past{N: 98, Overran: 19, Remaining: 490})
	m.Learn("d1", "a", at, rules.Past{N: 20, Overran: 12, Remaining: 60})
	m.Learn("d1", "b", at, rules.Past{N: 40, Overran: 4, Remaining: 80})
	got := m.At("d1", "a", at)
	// 0.2 -> fifth (16+2)/70 -> stage (16+2.5714)/70 -> department (16+2.6531)/70 -> item
	// (12+2.6647)/30 -> load (12+4.8882)/30.
	if math.Abs(got.Probability-0.5629) > 1e-4 || got.N != 20 || len(got.Reasons) != 4 {
		t.Errorf("%+v", got)
	}
	if m.BaseRate() != 0.2 || !m.Known() || rules.NewForecasts().Known() {
		t.Errorf("base rate %v", m.BaseRate())
	}
	if other := m.At("d9", "z", at); other.N != 0 || math.Abs(other.Probability-0.2653) > 1e-3 {
		t.Errorf("an unknown item of an unknown department: %+v", other)
	}
}

// What a case passed is told by days, and what has not happened is not known.
func TestPassedPlaces(t *testing.T) {
	day := func(d, hour int) time.Time { return time.Date(2018, 10, d, hour, 0, 0, 0, workday.Zone) }
	f := &rules.Facts{Division: "441300", Item: "a", Promised: 5, Statutory: 20, Submitted: day(15, 9), Accepted: day(15, 9),
		Steps:    []rules.Step{{Kind: rules.StepUndertake, Time: day(17, 10)}, {Kind: rules.StepApprove, Time: day(23, 10)}},
		Decision: &rules.Decision{Granted: true, Time: day(23, 11)}}
	p := rules.Policy{Calendar: workday.China()}
	got := p.Passed(f, rules.LoadHigh)
	want := map[rules.Place]rules.Past{}
	for fifth, stage := range []int{0, 0, 1, 1, 1, 1} { // six days used: one too many
		want[rules.Place{Stage: stage, Fifth: fifth, Load: rules.LoadHigh}] = rules.Past{N: 1, Overran: 1, Remaining: int64(6 - fifth)}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	f.Instant = true
	if p.Passed(f, 0) != nil {
		t.Error("an instant case has no promise to overrun")
	}
}
