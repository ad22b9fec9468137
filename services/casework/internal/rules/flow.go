package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// FlowStep is one step of a flow that an item's revision defines itself.
type FlowStep struct {
	ID, Name string
	Kind     StepKind
	// Department takes it; empty is the one that handles the case. Posts are the posts
	// that may; none means any.
	Department string
	Posts      []string
	// FourEyes are earlier steps that another person must have taken.
	FourEyes []string
	// Limit is in the item's unit, 0 for none.
	Limit int
	// Optional may be left out, Repeatable taken again before the next.
	Optional, Repeatable bool
}

// Same reports whether two flows are the same step by step.
func sameFlow(a, b []FlowStep) bool {
	return slices.EqualFunc(a, b, func(x, y FlowStep) bool {
		return x.ID == y.ID && x.Kind == y.Kind && x.Department == y.Department && x.Limit == y.Limit && x.Optional == y.Optional &&
			x.Repeatable == y.Repeatable && slices.Equal(x.Posts, y.Posts) && slices.Equal(x.FourEyes, y.FourEyes)
	})
}

// progress is how far a case has come in its own flow.
type progress struct {
	flow []FlowStep
	// done are the steps taken and not undone, must is the one it was sent back to, or -1.
	done []int
	must int
	// since is when it began to wait for the step it waits for.
	since time.Time
}

// progress follows the steps taken so far.
func (c Case) progress() progress {
	p := progress{flow: c.Flow, must: -1, since: c.Accepted}
	for _, s := range c.Steps {
		former := p.waits()
		if s.SentBack {
			p.back()
		} else {
			p.take(p.find(s.ID))
		}
		if p.waits() != former {
			p.since = s.At
		}
	}
	return p
}

func (p *progress) find(id string) int {
	return slices.IndexFunc(p.flow, func(s FlowStep) bool { return s.ID == id })
}

func (p *progress) take(i int) {
	if i < 0 {
		return
	}
	for len(p.done) > 0 && p.done[len(p.done)-1] >= i {
		p.done = p.done[:len(p.done)-1] // taken again
	}
	p.done, p.must = append(p.done, i), -1
}

func (p *progress) back() {
	if last := len(p.done) - 1; last >= 0 {
		p.must, p.done = p.done[last], p.done[:last]
	}
}

// waits is the step the case waits for; -1 when all are done.
func (p *progress) waits() int {
	if p.must >= 0 {
		return p.must
	}
	for i := p.next(); i < len(p.flow); i++ {
		if !p.flow[i].Optional {
			return i
		}
	}
	return -1
}

// next is the step behind the last one done.
func (p *progress) next() int {
	if len(p.done) == 0 {
		return 0
	}
	return p.done[len(p.done)-1] + 1
}

// besides are the steps that may be taken instead of the one waited for: optional ones
// before it, and the last one again.
func (p *progress) besides() []int {
	var all []int
	waits := p.waits()
	if p.must >= 0 || waits < 0 {
		return nil
	}
	if last := p.next() - 1; last >= 0 && p.flow[last].Repeatable {
		all = append(all, last)
	}
	for i := p.next(); i < waits; i++ {
		all = append(all, i)
	}
	return all
}

// Waits describes the step of its own flow that an accepted case waits for.
type Waits struct {
	Step FlowStep
	// Besides are the ids of steps that may be taken instead.
	Besides []string
	Since   time.Time
	// Due is the last day of the step's own limit, where DueKnown.
	Due      workday.Date
	DueKnown bool
}

// WaitsFor is the step a case waits for by its own flow; false when it waits for none.
func WaitsFor(cal *workday.Calendar, p workday.Policy, division string, limits Limits, c Case, now time.Time) (Waits, bool) {
	if len(c.Flow) == 0 || !slices.Contains([]State{Supplementing, Accepted, Examining, Suspended}, c.State) || c.Accepted.IsZero() {
		return Waits{}, false
	}
	at := c.progress()
	i := at.waits()
	if i < 0 {
		return Waits{}, false
	}
	w := Waits{Step: c.Flow[i], Since: at.since}
	for _, other := range at.besides() {
		w.Besides = append(w.Besides, c.Flow[other].ID)
	}
	if w.Step.Limit > 0 {
		in := Clock(p, division, limits, c)
		in.Start, in.Promised, in.Statutory = at.since, w.Step.Limit, 0
		r := workday.Reckon(cal, in, now)
		w.Due, w.DueKnown = r.PromisedDue, r.DueKnown
	}
	return w, true
}

// stepAllowed lets a step be taken in its turn by whom the flow names.
func stepAllowed(c Case, in Input) error {
	if len(c.Flow) == 0 {
		return wrongState(c, in.Command, fault.Meta("missing", Undertake.String()))
	}
	p := c.progress()
	i, waits := p.find(in.Step), p.waits()
	switch {
	case i < 0:
		return fault.InvalidArgument.New(fault.Field("step_id"))
	case i != waits && !slices.Contains(p.besides(), i):
		missing := Decide.String()
		if waits >= 0 {
			missing = c.Flow[waits].ID
		}
		return wrongState(c, in.Command, fault.Meta("missing", missing))
	}
	if err := mayTake(c, c.Flow[i], in); err != nil {
		return err
	}
	return otherPersons(c, c.Flow[i], in)
}

// mayTake holds a step to its department and posts, and an approval to a head.
func mayTake(c Case, s FlowStep, in Input) error {
	department := s.Department
	if department == "" {
		department = c.Department
	}
	fits := len(s.Posts) == 0 || slices.ContainsFunc(s.Posts, func(p string) bool { return slices.Contains(in.Posts, p) })
	if in.ActorDepartment != department || !fits || s.Kind == StepApprove && !in.Superior {
		return fault.StepNotYours.New(fault.Meta("step", s.ID), fault.Meta("posts", strings.Join(s.Posts, ",")))
	}
	return nil
}

// otherPersons is the rule of four eyes of a step, and of the item as a whole.
func otherPersons(c Case, s FlowStep, in Input) error {
	for _, id := range s.FourEyes {
		for i := len(c.Steps) - 1; i >= 0; i-- {
			if taken := c.Steps[i]; taken.ID == id && !taken.SentBack {
				if taken.Officer == in.Actor {
					return fault.SamePersonForbidden.New(fault.Meta("step", id))
				}
				break // only who took it last answers for it
			}
		}
	}
	if s.Kind == StepApprove {
		return otherThanUndertaker(c, in)
	}
	return nil
}

// sendBackAllowed lets whoever the case waits for send it back to the step before.
func sendBackAllowed(c Case, in Input) error {
	p := c.progress()
	if len(c.Flow) == 0 || len(p.done) == 0 {
		return wrongState(c, in.Command)
	}
	waits := p.waits()
	if waits < 0 {
		waits = len(c.Flow) - 1 // approved, and not decided yet
	}
	if err := mayTake(c, c.Flow[waits], in); err != nil {
		return err
	}
	return longEnough("reason", in.Reason, MinReason)
}

// flowDone lets a case with a flow of its own be decided when its last step is done.
func flowDone(c Case, in Input) error {
	p := c.progress()
	if i := p.waits(); i >= 0 {
		return wrongState(c, in.Command, fault.Meta("missing", c.Flow[i].ID))
	}
	return otherPersons(c, c.Flow[len(c.Flow)-1], in)
}

// usualPath keeps the three steps of the usual path from cases with a flow of their own.
func usualPath(then guard) guard {
	return func(c Case, in Input) error {
		if len(c.Flow) > 0 {
			return wrongState(c, in.Command, fault.Meta("missing", PerformStep.String()))
		}
		if then == nil {
			return nil
		}
		return then(c, in)
	}
}

// claimable lets those claim a case who may take the step it waits for.
func claimable(c Case, in Input) error {
	if err := unclaimed(c, in); err != nil {
		return err
	}
	if len(c.Flow) == 0 || c.Accepted.IsZero() || c.State == Decided {
		return nil
	}
	p := c.progress()
	i := p.waits()
	if i < 0 {
		return nil
	}
	return mayTake(c, c.Flow[i], in)
}

// flowStage is the inbox for a step of one's own flow. What is neither undertaking nor
// approving is part of the examination.
func flowStage(c Case) Stage {
	p := c.progress()
	i := p.waits()
	switch {
	case i < 0 || c.Flow[i].Kind == StepApprove:
		return StageApprove
	case c.Flow[i].Kind == StepUndertake:
		return StageUndertake
	default:
		return StageExamine
	}
}
