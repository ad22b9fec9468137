package rules

import (
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// pauses are clocks on what special procedures may take together: twice the promise.
// Each has what those before it have left.
func (p Policy) pauses(f *Facts) []clock {
	if f.Promised <= 0 || f.Accepted.IsZero() {
		return nil
	}
	var all []clock
	left := 2 * f.Promised
	var former time.Time
	for _, s := range f.Specials {
		if s.Extension || left < 0 {
			continue
		}
		start := s.Start
		if start.Before(former) {
			start = former // what overlaps counts once
		}
		c := p.plain(f, ClockPause, s.Serial*10+3, start, earliest(s.End, f.Stopped()), left)
		c.in.Unit, c.name, c.officer, c.instant = f.Unit, s.Name, s.Requester, left == 0
		if !c.in.Stopped.IsZero() && c.in.Stopped.Before(start) {
			continue
		}
		all = append(all, c)
		if c.in.Stopped.IsZero() {
			break
		}
		left -= workday.Reckon(p.Calendar, c.in, c.in.Stopped).Used
		former = c.in.Stopped
	}
	return all
}

// forward is the clock of the first check of what goes up a level.
func (p Policy) forward(f *Facts) clock {
	in := p.Input(f)
	in.Stopped, in.Statutory = f.Finish.Time, 0
	if f.Unit == workday.NaturalDays || in.Promised <= 0 || in.Promised > p.Hall.ForwardDays {
		in.Promised, in.Unit = p.Hall.ForwardDays, workday.WorkingDays
	}
	return clock{kind: ClockForward, occurrence: 1, in: in, officer: f.Finish.Officer}
}

// steps are the clocks of the published flow: each step runs from the end of the one
// before it to its own end, or to that of a later one when it was left out.
func (p Policy) steps(f *Facts) []clock {
	if f.Terms == nil {
		return nil
	}
	all := p.ownFlow(f)
	base := p.Input(f)
	for i, s := range f.Terms.Steps {
		if s.Limit <= 0 || f.OwnFlow && s.ID != "" {
			continue
		}
		start, ok := f.stepStart(i)
		if !ok || start.IsZero() {
			continue
		}
		if s.Kind == stepAccept {
			start = p.Hall.Received(p.Calendar, f.Division, start)
		}
		end := f.Ended
		officer := ""
		for _, later := range f.Terms.Steps[i:] {
			at, _ := f.milestone(later.Kind)
			end = earliest(end, at)
		}
		if step, ok := f.stepOf(s.Kind); ok {
			officer = step.Officer
		}
		in := base
		in.Start, in.Stopped, in.Promised, in.Statutory, in.Pauses = start, end, s.Limit, 0, base.Pauses
		if s.Kind == stepAccept || s.Kind == stepDeliver || s.Kind == stepFinish {
			in.Pauses = nil // these concern the decision clock alone
		}
		all = append(all, clock{kind: ClockStep, occurrence: i + 1, in: in, name: s.Name, officer: officer})
	}
	return all
}

// The kinds of published steps beside those of approval.
const (
	stepAccept  = "accept"
	stepFinish  = "finish"
	stepDeliver = "deliver"
)

// milestone is when a published step was done; false for a kind that no event shows.
func (f *Facts) milestone(kind string) (time.Time, bool) {
	switch kind {
	case stepAccept:
		return f.Accepted, true
	case StepUndertake, StepExamine:
		s, _ := f.stepOf(kind)
		return s.Time, true
	case StepApprove:
		s, ok := f.stepOf(kind)
		if !ok && f.Decision != nil {
			return f.Decision.Time, true
		}
		return s.Time, true
	case stepFinish:
		if f.Finish == nil {
			return time.Time{}, true
		}
		return f.Finish.Time, true
	case stepDeliver:
		return f.Collected, true
	}
	return time.Time{}, false
}

// stepStart is when step i began: when the one before it was done. Steps that no event
// shows are passed over.
func (f *Facts) stepStart(i int) (time.Time, bool) {
	if _, ok := f.milestone(f.Terms.Steps[i].Kind); !ok {
		return time.Time{}, false
	}
	for j := i - 1; j >= 0; j-- {
		if at, ok := f.milestone(f.Terms.Steps[j].Kind); ok {
			return at, true
		}
	}
	if f.Terms.Steps[i].Kind == stepAccept {
		return f.Submitted, true
	}
	return f.Accepted, true
}
