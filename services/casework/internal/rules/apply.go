package rules

import "time"

// Apply is the case after the command, or why the command is refused. The case given
// stays as it is.
func Apply(c Case, in Input) (Case, error) {
	a, ok := machine[c.State][in.Command]
	if !ok {
		return Case{}, wrongState(c, in.Command)
	}
	at, err := inOrder(c, in)
	if err != nil {
		return Case{}, err
	}
	if a.guard != nil {
		if err := a.guard(c, in); err != nil {
			return Case{}, err
		}
	}
	next := c.clone()
	next.Last = at
	next.record(in, at)
	switch a.to {
	case same:
	case resume:
		next.State = next.resumed()
	default:
		next.State = a.to
	}
	if next.post() != c.post() || len(c.Flow) > 0 && next.atStep() != c.atStep() {
		next.Assignee = "" // the step that was claimed is done
	}
	return next, nil
}

// File is the case of a single-step filing: what Submit makes of a new draft. The
// claimed time may lie before now but has no event before it.
func File(c Case, in Input) (Case, error) {
	c.State, c.Last = Draft, time.Time{}
	in.Command = Submit
	return Apply(c, in)
}

// flowStep is what taking a step, or sending it back, leaves behind.
func (c *Case) flowStep(in Input, at time.Time) Step {
	p := c.progress()
	i := p.find(in.Step)
	if in.Command == SendBack {
		if i = p.waits(); i < 0 {
			i = len(c.Flow) - 1
		}
	}
	return Step{Kind: c.Flow[i].Kind, Officer: in.Actor, ID: c.Flow[i].ID, SentBack: in.Command == SendBack, At: at}
}

// record notes what the command leaves behind besides the state.
func (c *Case) record(in Input, at time.Time) {
	switch in.Command {
	case Submit:
		c.Submitted = at
	case PreAccept:
		c.PreAccepted = at
	case RequestSupplement:
		c.Supplements = append(c.Supplements, Supplement{Told: at, Due: in.Due, AfterAcceptance: !c.Accepted.IsZero()})
	case ReceiveSupplement:
		if i := c.openSupplement(); i >= 0 {
			c.Supplements[i].Received = at
		}
		c.fill(in.Filled, at)
	case FillGap:
		c.fill(in.Filled, at)
	case Accept:
		c.Accepted, c.Gaps = at, in.Gaps
	case DeemAccept:
		c.Accepted, c.Deemed, c.Gaps = in.Received, at, in.Gaps
	case Undertake:
		c.Steps = append(c.Steps, Step{Kind: StepUndertake, Officer: in.Actor, At: at})
	case Examine:
		c.Steps = append(c.Steps, Step{Kind: StepExamine, Officer: in.Actor, At: at})
	case Approve:
		c.Steps = append(c.Steps, Step{Kind: StepApprove, Officer: in.Actor, At: at})
	case PerformStep, SendBack:
		c.Steps = append(c.Steps, c.flowStep(in, at))
	case ChargeFee, PayFee, WaiveFee, RefundFee:
		c.account(in)
	case Decide:
		c.DecidedAt, c.Granted = at, in.Granted
	case Finish:
		c.Handover, c.FinishedAt, c.Result = in.Handover, at, in.Result
	case Conclude:
		c.FinishedAt, c.Result = at, ResultFinished
	case IssueLicense:
		c.Licensed = true
	case Link:
		c.Linked = true
	case ChangeRevision:
		c.Instant, c.FullFlow, c.FourEyes = in.Becomes.Instant, in.Becomes.FullFlow, in.Becomes.FourEyes
	case StartExcluded:
		c.Specials = append(c.Specials, Special{Name: in.Name, Start: at, Limit: in.Limit, Unit: in.Unit})
	case Extend:
		c.Specials = append(c.Specials, Special{Extension: true, Name: in.Name, Start: at, End: at, Limit: in.Limit, Unit: in.Unit})
	case Claim:
		c.Assignee = in.Actor
	case Assign:
		c.Assignee = in.Assignee
	case Release:
		c.Assignee = ""
	case HandOver:
		c.Department, c.Assignee = in.Department, ""
	case EndSpecial:
		if i := c.openSpecial(); i >= 0 {
			c.Specials[i].End = at
		}
	}
}
