package rules

import (
	"fmt"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// The forecast is a table of what became of earlier cases, looked up by where a case
// stands: its stage, how much of the promise is used, and how busy the department was
// when the case was accepted. docs/forecast.md has the formula.

const (
	// stages are accepted, undertaken, examined and approved.
	stages = 4
	// fifths of the promise, the last of which begins when all of it is used.
	fifths = 6
	// weight is how many cases of its own a place needs to count as much as the wider
	// one above it.
	weight = 10
	// leastKnown is how many past cases a hall needs before anything is foretold.
	leastKnown = 30
)

// The loads of a department, against what is usual there.
const (
	LoadLow = iota
	LoadUsual
	LoadHigh
	loads
)

// Place is where a case stands on its way.
type Place struct{ Stage, Fifth, Load int }

// Past counts what became of the cases that stood at a place.
type Past struct {
	N, Overran int64
	// Remaining adds up the working days they still took.
	Remaining int64
}

// Add adds what others counted.
func (p *Past) Add(o Past) {
	p.N, p.Overran, p.Remaining = p.N+o.N, p.Overran+o.Overran, p.Remaining+o.Remaining
}

// PromisedCase tells whether a case is one that can overrun a promise.
func (f *Facts) PromisedCase() bool {
	return !f.Instant && f.Promised > 0 && !f.Accepted.IsZero() && f.Unit == workday.WorkingDays
}

// stageAt is the stage of a case at a moment.
func (f *Facts) stageAt(at time.Time) int {
	stage := 0
	for _, s := range f.Steps {
		if !s.Time.After(at) {
			switch s.Kind {
			case StepUndertake:
				stage = max(stage, 1)
			case StepExamine:
				stage = max(stage, 2)
			case StepApprove:
				stage = max(stage, 3)
			}
		}
	}
	return stage
}

func fifthOf(used, promised int) int {
	if used >= promised {
		return fifths - 1
	}
	return 5 * used / promised
}

// Passed lists the places a decided case stood at, with what became of it: one for the
// first day in each fifth of the promise that it saw undecided.
func (p Policy) Passed(f *Facts, load int) map[Place]Past {
	end := f.Stopped()
	if !f.PromisedCase() || end.IsZero() || f.Decision == nil {
		return nil
	}
	in := p.Input(f)
	last := workday.Reckon(p.Calendar, in, end)
	over := Past{N: 1}
	if last.PromisedLeft < 0 {
		over.Overran = 1
	}
	type mark struct{ day, stage int }
	var marks []mark // the days on which stages began
	for _, s := range f.Steps {
		if stage := f.stageAt(s.Time); stage > 0 && s.Time.Before(end) {
			marks = append(marks, mark{usedAt(p, in, s.Time), stage})
		}
	}
	all := map[Place]Past{}
	seen := -1
	for day := 0; day <= min(last.Used, last.Promised); day++ {
		fifth := fifthOf(day, last.Promised)
		if fifth == seen {
			continue
		}
		seen = fifth
		stage := 0
		for _, m := range marks {
			if m.day <= day {
				stage = max(stage, m.stage)
			}
		}
		one := over
		one.Remaining = int64(last.Used - day)
		all[Place{stage, fifth, load}] = one
	}
	return all
}

// usedAt are the days a clock had used at a moment before it stopped.
func usedAt(p Policy, in workday.Input, at time.Time) int {
	in.Stopped = time.Time{}
	return workday.Reckon(p.Calendar, in, at).Used
}

// Forecasts foretells by what is known of a hall.
type Forecasts struct {
	hall       map[[1]int]Past
	hallStage  map[[2]int]Past
	department map[string]map[[2]int]Past
	item       map[string]map[[2]int]Past
	itemLoad   map[string]map[Place]Past
	known      Past
}

// NewForecasts begins with nothing.
func NewForecasts() *Forecasts {
	return &Forecasts{hall: map[[1]int]Past{}, hallStage: map[[2]int]Past{}, department: map[string]map[[2]int]Past{},
		item: map[string]map[[2]int]Past{}, itemLoad: map[string]map[Place]Past{}}
}

// Learn takes what is known of the cases of a department's item at a place.
func (m *Forecasts) Learn(department, item string, at Place, p Past) {
	if at.Fifth == 0 {
		m.known.Add(p)
	}
	add(m.hall, [1]int{at.Fifth}, p)
	two := [2]int{at.Stage, at.Fifth}
	add(m.hallStage, two, p)
	add(inner(m.department, department), two, p)
	add(inner(m.item, item), two, p)
	add(inner(m.itemLoad, item), at, p)
}

func add[K comparable](to map[K]Past, k K, p Past) {
	was := to[k]
	was.Add(p)
	to[k] = was
}

func inner[K comparable](m map[string]map[K]Past, name string) map[K]Past {
	if m[name] == nil {
		m[name] = map[K]Past{}
	}
	return m[name]
}

// Foretold is what is to be expected of an open case.
type Foretold struct {
	// Probability that it is decided after the promise.
	Probability float64
	// Remaining are the working days it may be expected to take from now.
	Remaining float64
	// N are the past cases of its own item at its place.
	N       int64
	Reasons []string
}

// Known tells whether enough is known to foretell anything.
func (m *Forecasts) Known() bool { return m.known.N >= leastKnown }

// BaseRate is the share of all past cases that overran.
func (m *Forecasts) BaseRate() float64 {
	return (float64(m.known.Overran) + 1) / (float64(m.known.N) + 2)
}

// shrink draws what is known of few cases to what is known of more.
func shrink(p Past, rate, remaining float64) (float64, float64) {
	n := float64(p.N)
	return (float64(p.Overran) + weight*rate) / (n + weight), (float64(p.Remaining) + weight*remaining) / (n + weight)
}

// At foretells for a case at a place.
func (m *Forecasts) At(department, item string, at Place) Foretold {
	rate, remaining := m.BaseRate(), float64(m.known.Remaining)/max(1, float64(m.known.N))
	two := [2]int{at.Stage, at.Fifth}
	own := m.item[item][two]
	for _, p := range []Past{m.hall[[1]int{at.Fifth}], m.hallStage[two], m.department[department][two], own, m.itemLoad[item][at]} {
		rate, remaining = shrink(p, rate, remaining)
	}
	return Foretold{Probability: rate, Remaining: remaining, N: own.N, Reasons: m.reasons(department, item, at)}
}

var (
	stageNames = [stages]string{"已受理、未承办", "已承办、未审核", "已审核、未批准", "已批准、未决定"}
	loadNames  = [loads]string{"低于平常", "平常", "高于平常"}
	fifthNames = [fifths]string{"不足20%", "20%以上", "40%以上", "60%以上", "80%以上", "全部"}
)

func (m *Forecasts) reasons(department, item string, at Place) []string {
	two := [2]int{at.Stage, at.Fifth}
	all := []string{fmt.Sprintf("当前环节：%s；承诺时限已用%s；受理时部门在办量%s", stageNames[at.Stage], fifthNames[at.Fifth], loadNames[at.Load])}
	for _, x := range []struct {
		who string
		p   Past
	}{{"本事项", m.item[item][two]}, {"本部门", m.department[department][two]}, {"本厅", m.hallStage[two]}} {
		if x.p.N > 0 {
			all = append(all, fmt.Sprintf("%s过去处于同样环节和进度的%d件中，%d件超出承诺（%.0f%%）", x.who, x.p.N, x.p.Overran, 100*float64(x.p.Overran)/float64(x.p.N)))
		}
	}
	return all
}

// Foretell foretells for an open case at a moment; false for one without a running
// promise. What is over the promise already has probability 1.
func (p Policy) Foretell(m *Forecasts, f *Facts, department string, load int, now time.Time) (Foretold, bool) {
	if !f.PromisedCase() || !f.Stopped().IsZero() || now.Before(f.Accepted) {
		return Foretold{}, false
	}
	r := workday.Reckon(p.Calendar, p.Input(f), now)
	if r.Promised <= 0 {
		return Foretold{}, false
	}
	at := Place{Stage: f.stageAt(now), Fifth: fifthOf(r.Used, r.Promised), Load: load}
	x := m.At(department, f.Item, at)
	if r.PromisedLeft < 0 {
		x.Probability = 1
		x.Reasons = append([]string{fmt.Sprintf("已超出承诺时限%d个工作日", -r.PromisedLeft)}, x.Reasons...)
	}
	return x, true
}
