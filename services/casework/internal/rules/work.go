package rules

import (
	"github.com/onehall/onehall/services/platform/fault"
)

// The rules of whose work a case is. A claim tells colleagues that somebody is at it; it
// gives no right to a step and takes none away: that is what roles and the etag are for.

func unclaimed(c Case, _ Input) error {
	if c.Assignee != "" {
		return fault.CaseClaimed.New(fault.Meta("assignee", c.Assignee))
	}
	return nil
}

func assigneeNamed(c Case, in Input) error {
	switch in.Assignee {
	case "":
		return fault.FieldRequired.New(fault.Field("assignee"))
	case c.Assignee:
		return fault.CaseClaimed.New(fault.Field("assignee"), fault.Meta("assignee", c.Assignee))
	}
	return nil
}

func releasable(c Case, in Input) error {
	switch {
	case c.Assignee == "":
		return wrongState(c, in.Command)
	case c.Assignee != in.Actor && !in.Superior:
		return fault.PermissionDenied.New()
	}
	return nil
}

func otherDepartment(c Case, in Input) error {
	if in.Department == "" || in.Department == c.Department {
		return fault.InvalidArgument.New(fault.Field("department"))
	}
	return longEnough("reason", in.Reason, MinReason)
}

// atStep is the place in its own flow that an accepted case has come to.
func (c Case) atStep() int {
	p := c.progress()
	return p.waits()
}

// post is the inbox whose work the case is, also while it waits for the applicant: who
// asked for papers is still at it when they come.
func (c Case) post() Stage {
	switch c.State {
	case Submitted:
		return StageAcceptance
	case Supplementing:
		if c.Accepted.IsZero() {
			return StageAcceptance
		}
		return nextStep(c)
	case Accepted, Examining, Suspended:
		return nextStep(c)
	case Decided:
		return StageFinish
	default:
		return StageNone
	}
}
