package rules

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// surveyed is a flow with everything a flow can have.
var surveyed = []FlowStep{
	{ID: "undertake", Name: "承办", Kind: StepUndertake, Limit: 1},
	{ID: "advice", Name: "征求意见", Kind: StepOther, Optional: true, Department: "D2"},
	{ID: "survey", Name: "现场勘验", Kind: StepOther, Posts: []string{"勘验岗"}, Repeatable: true, Limit: 3},
	{ID: "examine", Name: "审核", Kind: StepExamine, FourEyes: []string{"survey"}, Limit: 2},
	{ID: "approve", Name: "批准", Kind: StepApprove, FourEyes: []string{"undertake"}},
}

// act is one step in a short spelling: "survey" is taken, "<" sends back, "!" decides.
func act(step, actor string) Input {
	in := Input{Command: PerformStep, Step: step, Actor: actor, Now: day0.Add(time.Hour), ActorDepartment: "D1", Posts: []string{"勘验岗"}, Superior: true, Granted: true}
	switch step {
	case "<":
		in.Command, in.Reason = SendBack, longReason
	case "!":
		in.Command = Decide
	case "advice":
		in.ActorDepartment = "D2"
	}
	return in
}

// walk takes steps by persons as in "undertake:a survey:b".
func walk(t *testing.T, c Case, way string) Case {
	t.Helper()
	for _, word := range strings.Fields(way) {
		step, actor, _ := strings.Cut(word, ":")
		c = history(t, c, act(step, actor))
	}
	return c
}

func TestOwnFlow(t *testing.T) {
	accepted := samples(t)[Accepted]
	accepted.Flow = surveyed
	with := func(step, actor string, change func(*Input)) Input {
		in := act(step, actor)
		change(&in)
		return in
	}
	for _, tc := range []struct {
		name, way string
		in        Input
		want      *fault.Reason
		missing   string
	}{
		{"the first step", "", act("undertake", "a"), nil, ""},
		{"the second before the first", "", act("survey", "a"), fault.CaseWrongState, "undertake"},
		{"no such step", "", act("nothing", "a"), fault.InvalidArgument, ""},
		{"an optional step", "undertake:a", act("advice", "a"), nil, ""},
		{"an optional step by the wrong department", "undertake:a", with("advice", "a", func(in *Input) { in.ActorDepartment = "D1" }), fault.StepNotYours, ""},
		{"past an optional step", "undertake:a", act("survey", "b"), nil, ""},
		{"an optional step that was passed", "undertake:a survey:b", act("advice", "a"), fault.CaseWrongState, "examine"},
		{"past a necessary step", "undertake:a", act("examine", "b"), fault.CaseWrongState, "survey"},
		{"without the post", "undertake:a", with("survey", "b", func(in *Input) { in.Posts = []string{"承办岗"} }), fault.StepNotYours, ""},
		{"of another department", "", with("undertake", "a", func(in *Input) { in.ActorDepartment = "D3" }), fault.StepNotYours, ""},
		{"a repeatable step again", "undertake:a survey:b", act("survey", "c"), nil, ""},
		{"a step that is not repeatable again", "undertake:a", act("undertake", "a"), fault.CaseWrongState, "survey"},
		{"four eyes", "undertake:a survey:b", act("examine", "b"), fault.SamePersonForbidden, ""},
		{"four eyes look at who took it last", "undertake:a survey:b survey:c", act("examine", "b"), nil, ""},
		{"four eyes of the last", "undertake:a survey:b survey:c", act("examine", "c"), fault.SamePersonForbidden, ""},
		{"an officer approves", "undertake:a survey:b examine:c", with("approve", "d", func(in *Input) { in.Superior = false }), fault.StepNotYours, ""},
		{"the undertaker approves", "undertake:a survey:b examine:c", act("approve", "a"), fault.SamePersonForbidden, ""},
		{"decide before the approval", "undertake:a survey:b examine:c", act("!", "d"), fault.CaseWrongState, "approve"},
		{"decide", "undertake:a survey:b examine:c approve:d", act("!", "d"), nil, ""},
		{"the undertaker decides", "undertake:a survey:b examine:c approve:d", act("!", "a"), fault.SamePersonForbidden, ""},
		{"a step after the last", "undertake:a survey:b examine:c approve:d", act("approve", "e"), fault.CaseWrongState, "decide"},
		{"send back what was not begun", "", act("<", "a"), fault.CaseWrongState, ""},
		{"send back", "undertake:a survey:b", act("<", "c"), nil, ""},
		{"send back without reason", "undertake:a survey:b", with("<", "c", func(in *Input) { in.Reason = "退回" }), fault.ReasonRequired, ""},
		{"send back what is another's", "undertake:a", with("<", "c", func(in *Input) { in.Posts = nil }), fault.StepNotYours, ""},
		{"send back after the approval", "undertake:a survey:b examine:c approve:d", act("<", "d"), nil, ""},
		{"go on past what was sent back", "undertake:a survey:b <:c", act("examine", "c"), fault.CaseWrongState, "survey"},
		{"take again what was sent back", "undertake:a survey:b <:c", act("survey", "b"), nil, ""},
		{"send back twice", "undertake:a survey:b <:c <:b", act("undertake", "a"), nil, ""},
		{"send back an optional step", "undertake:a advice:x <:b", act("survey", "b"), fault.CaseWrongState, "advice"},
		{"the usual path", "", do(Undertake, "a"), fault.CaseWrongState, "perform_step"},
		{"the usual approval", "undertake:a survey:b examine:c", do(Approve, "d"), fault.CaseWrongState, "perform_step"},
		{"on the spot", "", act("!", "h"), fault.CaseWrongState, "undertake"},
		{"claim without the post", "undertake:a", with("x", "b", func(in *Input) { in.Command, in.Posts = Claim, nil }), fault.StepNotYours, ""},
		{"claim with the post", "undertake:a", with("x", "b", func(in *Input) { in.Command = Claim }), nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := accepted
			c.Instant = tc.name == "on the spot"
			_, err := Apply(walk(t, c, tc.way), tc.in)
			if tc.want == nil && err != nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Fatalf("err = %v, want %v", err, tc.want)
			}
			if tc.missing != "" && fault.Of(err).Metadata()["missing"] != tc.missing {
				t.Errorf("metadata %v, want missing %s", fault.Of(err).Metadata(), tc.missing)
			}
		})
	}
	if _, err := Apply(samples(t)[Accepted], act("survey", "a")); !errors.Is(err, fault.CaseWrongState) {
		t.Errorf("a step of its own by the usual path: %v", err)
	}
}

// TestWaitsFor holds the step waited for to its own days, whatever happened before it.
func TestWaitsFor(t *testing.T) {
	cal, p, limits := workday.China(), workday.DefaultPolicy(), Limits{Promised: 10, Statutory: 20}
	c, _ := accepted(t)
	c.Flow, c.Department = surveyed, "D1"
	at := func(day int, word string) Input {
		step, actor, _ := strings.Cut(word, ":")
		in := act(step, actor)
		in.Now = day0.AddDate(0, 0, day)
		return in
	}
	for _, tc := range []struct {
		do    []Input
		want  string
		due   string
		other string
		stage Stage
	}{
		{nil, "undertake", "2026-03-03", "", StageUndertake},
		{[]Input{at(1, "undertake:a")}, "survey", "2026-03-06", "advice", StageExamine},
		{[]Input{at(2, "advice:x")}, "survey", "2026-03-06", "", StageExamine},
		{[]Input{at(3, "survey:b")}, "examine", "2026-03-09", "survey", StageExamine},
		{[]Input{at(4, "survey:b")}, "examine", "2026-03-09", "survey", StageExamine}, // again: the next still waits since day 3
		{[]Input{at(7, "<:c")}, "survey", "2026-03-12", "", StageExamine},
		{[]Input{at(8, "survey:b"), at(8, "examine:c")}, "approve", "", "", StageApprove},
		{[]Input{at(9, "approve:d")}, "", "", "", StageApprove},
	} {
		c = history(t, c, tc.do...)
		now := c.Last
		w, ok := WaitsFor(cal, p, "441300", limits, c, now)
		due := ""
		if w.DueKnown {
			due = w.Due.String()
		}
		stage, _ := Waiting(cal, p, "441300", c, Due(cal, p, "441300", limits, c, now))
		if ok != (tc.want != "") || w.Step.ID != tc.want || due != tc.due || strings.Join(w.Besides, ",") != tc.other || stage != tc.stage {
			t.Errorf("after %d steps: %+v, due %q, stage %d; want %+v", len(c.Steps), w, due, stage, tc)
		}
	}
}

// TestClaimsEndWithTheirOwnStep: a claim is of the step waited for, not of those beside it.
func TestClaimsEndWithTheirOwnStep(t *testing.T) {
	c := samples(t)[Accepted]
	c.Flow = surveyed
	c = walk(t, c, "undertake:a")
	claim := act("", "b")
	claim.Command = Claim
	c = history(t, c, claim, act("advice", "x"))
	if c.Assignee != "b" {
		t.Error("an optional step ended the claim of the one behind it")
	}
	if c = history(t, c, act("survey", "b")); c.Assignee != "" {
		t.Errorf("the survey is done and still claimed by %s", c.Assignee)
	}
}

// flowOracle follows a flow by the names of its steps, without a look at progress.
type flowOracle struct{ stack []string }

// add checks one more allowed step.
func (o *flowOracle) add(c Case, in Input) error {
	if in.Command == SendBack {
		if len(o.stack) == 0 {
			return errors.New("sent back from the beginning")
		}
		o.stack = o.stack[:len(o.stack)-1]
		return nil
	}
	for i, id := range o.stack {
		if id == in.Step {
			o.stack = o.stack[:i]
			break
		}
	}
	for _, s := range c.Flow {
		if s.ID == in.Step {
			break
		}
		if !s.Optional && !slices.Contains(o.stack, s.ID) {
			return errors.New("before " + s.ID)
		}
	}
	o.stack = append(o.stack, in.Step)
	return nil
}

// complete reports whether nothing necessary is missing.
func (o *flowOracle) complete(c Case) bool {
	return !slices.ContainsFunc(c.Flow, func(s FlowStep) bool { return !s.Optional && !slices.Contains(o.stack, s.ID) })
}

// TestNoOrderOfOwnStepsIsIllegal gives accepted cases random steps of their own flow, sent
// back, interrupted and handed over, and checks them by the oracles of histories.
func TestNoOrderOfOwnStepsIsIllegal(t *testing.T) {
	decided, back := 0, 0
	for round := 1; round <= 50 && (round <= 5 || decided < 5 || back < 5); round++ {
		rapid.Check(t, func(t *rapid.T) {
			c := draft()
			c.Flow, c.FourEyes = surveyed, rapid.Bool().Draw(t, "four eyes")
			h := checker{c: c, before: c, last: day0}
			now := day0.Add(time.Hour)
			for i := range rapid.IntRange(2, 40).Draw(t, "length") {
				now = now.Add(time.Hour)
				in := randomInput(t, c, now, i)
				in.Command = rapid.SampledFrom([]Command{PerformStep, PerformStep, PerformStep, PerformStep, PerformStep, PerformStep, SendBack, Decide, Decide,
					StartExcluded, EndSpecial, HandOver, RequestSupplement, ReceiveSupplement, FillGap, Undertake, Approve}).Draw(t, "what")
				if i < 2 {
					in.Command = []Command{Submit, Accept}[i]
				}
				next, err := Apply(c, in)
				if err != nil {
					continue
				}
				if err := h.add(in, next); err != nil {
					t.Fatalf("%s of %s by %s: %v\nbefore %+v\nhistory %v", in.Command, in.Step, in.Actor, err, c.Steps, h.done)
				}
				if in.Command == SendBack {
					back++
				}
				c = next
			}
			if c.State == Decided {
				decided++
			}
		})
	}
	if decided < 5 || back < 5 {
		t.Errorf("%d decided, %d sent back: the test proves nothing of it", decided, back)
	}
	t.Logf("%d decided, %d sent back", decided, back)
}
