package rules

// A command is asked for, and may be refused. A fact is told by whoever it happened at: it
// cannot be undone by being refused here, so it is recorded as it is, and judged by
// supervision. The guards and the order that officers are held to are therefore not asked;
// what a fact leaves behind is the same that the command would have left.

// Record is the case after a fact. The case given stays as it is. A fact dated before the
// one before it is recorded with its own date; Last only moves on.
func Record(c Case, in Input) Case {
	at := in.at(c.Last)
	next := c.clone()
	if next.Last.Before(at) {
		next.Last = at
	}
	switch in.Command {
	case PerformStep, SendBack:
		// Which steps there are is known to whoever tells it.
		next.Steps = append(next.Steps, Step{Kind: in.StepKind, Officer: in.Actor, ID: in.Step, SentBack: in.Command == SendBack, At: at})
	default:
		next.record(in, at)
	}
	next.State = next.told(in.Command)
	return next
}

// told is the state of a case of which a fact is the latest that was told.
func (c Case) told(command Command) State {
	switch command {
	case Void:
		return Voided
	case Collect:
		if c.State == Finished {
			return Collected
		}
	case Revoke:
		if c.State == Finished || c.State == Collected {
			return Revoked
		}
	}
	if c.Ended() {
		return c.State // what is told of a case that has ended does not open it again
	}
	switch command {
	case NotAccept:
		return NotAccepted
	case Refuse:
		return Refused
	case Withdraw:
		return Withdrawn
	case Lapse:
		return Lapsed
	case Finish:
		return Finished
	}
	switch {
	case c.openSpecial() >= 0:
		return Suspended
	case c.openSupplement() >= 0:
		return Supplementing
	case !c.DecidedAt.IsZero():
		return Decided
	default:
		return c.resumed()
	}
}
