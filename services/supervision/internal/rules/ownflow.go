package rules

import (
	"slices"
	"time"
)

// visit is the time a case spent at one step of its own flow: until the step was taken,
// sent back, or until now.
type visit struct {
	step       int // in Terms.Steps
	number     int // of those at this step, from 0
	start, end time.Time
	officer    string
}

// ownSteps are the published steps that make up a flow of the item's own.
func (f *Facts) ownSteps() []int {
	var own []int
	if f.OwnFlow && f.Terms != nil {
		for i, s := range f.Terms.Steps {
			if s.ID != "" {
				own = append(own, i)
			}
		}
	}
	return own
}

// visits follow a case through its own flow.
func (f *Facts) visits() []visit {
	own := f.ownSteps()
	if len(own) == 0 || f.Accepted.IsZero() {
		return nil
	}
	var all []visit
	var done []int // places in own
	must, since := -1, f.Accepted
	add := func(place int, end time.Time, officer string) {
		n := 0
		for _, v := range all {
			if v.step == own[place] {
				n++
			}
		}
		all = append(all, visit{step: own[place], number: n, start: since, end: end, officer: officer})
	}
	for _, s := range f.Steps {
		place := slices.IndexFunc(own, func(i int) bool { return f.Terms.Steps[i].ID == s.ID })
		if place < 0 {
			continue
		}
		add(place, s.Time, s.Officer)
		since = s.Time
		if s.SentBack {
			if last := len(done) - 1; last >= 0 {
				must, done = done[last], done[:last]
			}
			continue
		}
		for len(done) > 0 && done[len(done)-1] >= place {
			done = done[:len(done)-1]
		}
		must, done = -1, append(done, place)
	}
	next := 0
	if len(done) > 0 {
		next = done[len(done)-1] + 1
	}
	if must >= 0 {
		next = must
	}
	for ; next < len(own); next++ {
		if must >= 0 || !f.Terms.Steps[own[next]].Optional {
			add(next, f.Stopped(), "")
			break
		}
	}
	return all
}

// ownFlow are the clocks of the steps of a flow of the item's own: each time the case
// comes to a step it has the step's days.
func (p Policy) ownFlow(f *Facts) []clock {
	var all []clock
	base := p.Input(f)
	for _, v := range f.visits() {
		s := f.Terms.Steps[v.step]
		if s.Limit <= 0 {
			continue
		}
		in := base
		in.Start, in.Stopped, in.Promised, in.Statutory = v.start, v.end, s.Limit, 0
		all = append(all, clock{kind: ClockStep, occurrence: 1000*v.number + v.step + 1, in: in, name: s.Name, officer: v.officer})
	}
	return all
}

// missingSteps names the necessary steps of its own flow that a case has not come through,
// or was sent back behind.
func (f *Facts) missingSteps() []string {
	var missing []string
	for _, i := range f.ownSteps() {
		s := f.Terms.Steps[i]
		if s.Optional {
			continue
		}
		if _, ok := f.takenLast(s.ID, len(f.Steps)); !ok {
			missing = append(missing, s.Name)
		}
	}
	return missing
}

// samePersons names the pairs of steps that four eyes had to see and one person took.
func (f *Facts) samePersons() []string {
	var all []string
	own := f.ownSteps()
	for n, taken := range f.Steps {
		for _, i := range own {
			s := f.Terms.Steps[i]
			if s.ID != taken.ID || taken.SentBack {
				continue
			}
			for _, other := range s.FourEyes {
				if former, ok := f.takenLast(other, n); ok && former.Officer == taken.Officer {
					all = append(all, f.nameOf(other)+"与"+s.Name)
				}
			}
		}
	}
	return slices.Compact(all)
}

// takenLast is the last time a step of an own flow was taken among the first n.
func (f *Facts) takenLast(id string, n int) (Step, bool) {
	for i := n - 1; i >= 0; i-- {
		if f.Steps[i].ID == id && !f.Steps[i].SentBack {
			return f.Steps[i], true
		}
	}
	return Step{}, false
}

func (f *Facts) nameOf(id string) string {
	for _, s := range f.Terms.Steps {
		if s.ID == id {
			return s.Name
		}
	}
	return id
}
