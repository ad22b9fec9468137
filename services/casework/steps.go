package casework

import (
	"context"
	"slices"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
)

// stepKinds are the kinds of a guide's steps that a flow is made of.
var stepKinds = map[string]rules.StepKind{
	"undertake": rules.StepUndertake, "examine": rules.StepExamine, "approve": rules.StepApprove,
}

// flowOf is the flow that an item defines itself: its steps that have an id.
func flowOf(i *cataloguev1.Item) []rules.FlowStep {
	var flow []rules.FlowStep
	for _, s := range i.GetSteps() {
		if s.GetId() == "" {
			continue
		}
		kind, ok := stepKinds[s.GetKind()]
		if !ok {
			kind = rules.StepOther
		}
		flow = append(flow, rules.FlowStep{
			ID: s.GetId(), Name: s.GetDisplayName(), Kind: kind, Department: s.GetDepartment(), Posts: s.GetPosts(), FourEyes: s.GetFourEyes(),
			Limit: int(s.GetLimit()), Optional: s.GetOptional(), Repeatable: s.GetRepeatable(),
		})
	}
	return flow
}

// facts is what the rules need to know of a case, with the flow its item defines.
func (s *Service) facts(c *caseworkv1.Case, last time.Time) (rules.Case, error) {
	f := factsOf(c, last)
	if !c.GetOwnFlow() {
		return f, nil
	}
	item, err := s.itemOfCase(c)
	if err != nil {
		return f, err
	}
	f.Flow = item.Flow
	return f, nil
}

// waitsFor writes into the case the step of its own flow that it waits for.
func (s *Service) waitsFor(c *caseworkv1.Case, f rules.Case, limits rules.Limits, now time.Time) {
	c.CurrentStep = nil
	book := s.almanac.Book()
	w, ok := rules.WaitsFor(book.Calendar, policyIn(book, c, f, now), hallOf(c.GetName()), limits, f, now)
	if !ok {
		return
	}
	c.CurrentStep = &caseworkv1.CurrentStep{
		StepId: w.Step.ID, DisplayName: w.Step.Name, Kind: caseworkv1.StepKind(w.Step.Kind), Department: w.Step.Department,
		Posts: w.Step.Posts, StartTime: stamp(w.Since), OptionalStepIds: w.Besides,
	}
	if w.DueKnown {
		c.CurrentStep.DueDate = w.Due.String()
	}
}

// stepRow is the current step as the inbox of posts finds it; due is the case's own day.
func stepRow(c *caseworkv1.Case, due rules.Day) *store.Step {
	now := c.GetCurrentStep()
	if now == nil {
		return nil
	}
	row := &store.Step{Department: departmentKey(now.GetDepartment()), Posts: now.GetPosts(), Due: due}
	if row.Department == "" {
		row.Department = departmentKey(c.GetDepartment())
	}
	if now.GetDueDate() != "" {
		row.Due = dateOf(now.GetDueDate())
	}
	return row
}

// guest reports an official whose department takes, or took, a step of a case that
// another department handles.
func guest(a authn.Access, c *caseworkv1.Case) bool {
	if !c.GetOwnFlow() || a.Scope != optionsv1.Scope_SCOPE_DEPARTMENT {
		return false
	}
	own := departmentOfCaller(a)
	return own != "" && (c.GetCurrentStep().GetDepartment() == own ||
		slices.ContainsFunc(c.GetSteps(), func(s *caseworkv1.Step) bool { return s.GetDepartment() == own }))
}

// onlyGuest reports a guest who reaches the case in no other way.
func onlyGuest(a authn.Access, c *caseworkv1.Case) bool {
	return guest(a, c) && !a.Covers(hallOf(c.GetName()), lastPart(c.GetDepartment()), "")
}

// departmentOfCaller is the caller's department by its resource name; empty without one.
func departmentOfCaller(a authn.Access) string {
	if a.Hall == "" || a.Department == "" {
		return ""
	}
	return "halls/" + a.Hall + "/departments/" + a.Department
}

// PerformStep takes a step of the item's own flow.
func (s *Service) PerformStep(ctx context.Context, req *caseworkv1.PerformStepRequest) (*caseworkv1.Case, error) {
	var opinion string
	return s.perform(ctx, step{
		rpc: "PerformStep", event: "case.step_performed", command: rules.PerformStep, guests: true,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			in.Step = req.GetStepId()
			opinion, err = optional("opinion", req.GetOpinion(), 2000)
			return in, err
		},
		effect: func(t *turn) { took(t, opinion) },
	})
}

// SendBackStep sends a case back one step.
func (s *Service) SendBackStep(ctx context.Context, req *caseworkv1.SendBackStepRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "SendBackStep", event: "case.step_sent_back", command: rules.SendBack, guests: true,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(), input: reasonOnly(req),
		effect: func(t *turn) { took(t, t.in.Reason) },
	})
}

// took writes the last step of the own flow into the case.
func took(t *turn, opinion string) {
	taken := t.after.Steps[len(t.after.Steps)-1]
	out := &caseworkv1.Step{
		Kind: caseworkv1.StepKind(taken.Kind), Officer: taken.Officer, OfficerName: t.access.Name, Opinion: opinion, StepTime: stamp(taken.At),
		StepId: taken.ID, SentBack: taken.SentBack,
	}
	for _, s := range t.after.Flow {
		if s.ID == taken.ID {
			out.DisplayName = s.Name
			if s.Department != t.c.GetDepartment() {
				out.Department = s.Department
			}
		}
	}
	t.c.Steps = append(t.c.Steps, out)
}
