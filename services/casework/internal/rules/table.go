package rules

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// Two marks that stand in the To column instead of a state.
const (
	// same leaves the state as it is.
	same State = -1
	// resume returns to where the case was before it was interrupted.
	resume State = -2
)

// guard says why a command that the state allows is still refused; nil when it is not.
type guard func(Case, Input) error

// arrow is one allowed step of the state machine.
type arrow struct {
	from    State
	command Command
	to      State
	guard   guard
}

// arrows is the whole state machine: what is not here is refused.
var arrows = []arrow{
	{Draft, Update, same, nil},
	{Draft, Submit, Submitted, nil},

	{Submitted, PreAccept, same, notPreAccepted},
	{Submitted, RequestSupplement, Supplementing, reasonGiven(4)},
	{Submitted, Accept, Accepted, gapsAdmitted},
	{Submitted, NotAccept, NotAccepted, partsEnded(reasonGiven(MinReason))},
	{Submitted, Refuse, Refused, partsEnded(rightBodyNamed)},
	{Submitted, DeemAccept, Accepted, acceptanceMissed},
	{Submitted, Withdraw, Withdrawn, nil},

	{Supplementing, ReceiveSupplement, resume, nil},
	{Supplementing, Withdraw, Withdrawn, nil},
	{Supplementing, Lapse, Lapsed, partsEnded(supplementMissed)},

	{Accepted, RequestSupplement, Supplementing, reasonGiven(4)},
	{Accepted, Undertake, Examining, usualPath(notJoint)},
	{Accepted, Conclude, Finished, childrenEnded},
	{Accepted, Decide, Decided, decidedOnTheSpot},
	{Accepted, StartExcluded, Suspended, specialGrounded},
	{Accepted, Extend, same, extensionAllowed},
	{Accepted, Withdraw, Withdrawn, nil},

	{Examining, RequestSupplement, Supplementing, reasonGiven(4)},
	{Examining, Examine, same, usualPath(readyToExamine)},
	{Examining, Approve, same, usualPath(readyToApprove)},
	{Examining, Decide, Decided, readyToDecide},
	{Examining, StartExcluded, Suspended, specialGrounded},
	{Examining, Extend, same, extensionAllowed},
	{Examining, Withdraw, Withdrawn, nil},

	{Suspended, EndSpecial, resume, nil},
	{Suspended, Withdraw, Withdrawn, nil},

	{Decided, Finish, Finished, resultFits},
	{Finished, Collect, Collected, somethingToCollect},

	// What the upper body decides, or nobody can, ends without a decision of its own.
	{Examining, Finish, Finished, undecidedEnd},
	{Finished, Link, same, forwardedUp},

	// The electronic license of what was granted may come before the result is collected
	// and after.
	{Finished, IssueLicense, same, licensable},
	{Collected, IssueLicense, same, licensable},

	// A flow of the item's own takes the place of undertake, examine and approve.
	{Accepted, PerformStep, Examining, stepAllowed},
	{Examining, PerformStep, same, stepAllowed},
	{Examining, SendBack, same, sendBackAllowed},

	// What was missing may come as long as the case has not ended without a result.
	{Supplementing, FillGap, same, gapsOpen},
	{Accepted, FillGap, same, gapsOpen},
	{Examining, FillGap, same, gapsOpen},
	{Suspended, FillGap, same, gapsOpen},
	{Decided, FillGap, same, gapsOpen},
	{Finished, FillGap, same, gapsOpen},
	{Collected, FillGap, same, gapsOpen},

	// What was granted may be revoked; the grant stays in the history.
	{Finished, Revoke, Revoked, revocable},
	{Collected, Revoke, Revoked, revocable},

	// Whose work it is may change as long as there is work.
	{Submitted, Claim, same, claimable},
	{Submitted, Assign, same, assigneeNamed},
	{Submitted, Release, same, releasable},
	{Submitted, HandOver, same, otherDepartment},
	{Supplementing, Claim, same, claimable},
	{Supplementing, Assign, same, assigneeNamed},
	{Supplementing, Release, same, releasable},
	{Supplementing, HandOver, same, otherDepartment},
	{Accepted, Claim, same, claimable},
	{Accepted, Assign, same, assigneeNamed},
	{Accepted, Release, same, releasable},
	{Accepted, HandOver, same, otherDepartment},
	{Examining, Claim, same, claimable},
	{Examining, Assign, same, assigneeNamed},
	{Examining, Release, same, releasable},
	{Examining, HandOver, same, otherDepartment},
	{Suspended, Claim, same, claimable},
	{Suspended, Assign, same, assigneeNamed},
	{Suspended, Release, same, releasable},
	{Suspended, HandOver, same, otherDepartment},
	{Decided, Claim, same, unclaimed},
	{Decided, Assign, same, assigneeNamed},
	{Decided, Release, same, releasable},

	// A correction may come at any time, even after the end.
	{Submitted, Void, Voided, partsEnded(voidable)},
	{Supplementing, Void, Voided, partsEnded(voidable)},
	{NotAccepted, Void, Voided, partsEnded(voidable)},
	{Refused, Void, Voided, partsEnded(voidable)},
	{Accepted, Void, Voided, partsEnded(voidable)},
	{Examining, Void, Voided, partsEnded(voidable)},
	{Suspended, Void, Voided, partsEnded(voidable)},
	{Decided, Void, Voided, partsEnded(voidable)},
	{Finished, Void, Voided, partsEnded(voidable)},
	{Collected, Void, Voided, partsEnded(voidable)},
	{Withdrawn, Void, Voided, partsEnded(voidable)},
	{Lapsed, Void, Voided, partsEnded(voidable)},
	{Revoked, Void, Voided, partsEnded(voidable)},

	// A newer revision of the item takes over an undecided case only by this rule.
	{Submitted, ChangeRevision, same, nothingTaken},
	{Supplementing, ChangeRevision, same, nothingTaken},
	{Accepted, ChangeRevision, same, nothingTaken},
	{Examining, ChangeRevision, same, nothingTaken},
	{Suspended, ChangeRevision, same, nothingTaken},
}

// machine is arrows by state and command. Looking at personal data changes nothing and
// is possible wherever there are any.
var machine = func() map[State]map[Command]arrow {
	m := map[State]map[Command]arrow{}
	for s := Draft; s <= lastState; s++ {
		m[s] = map[Command]arrow{Reveal: {s, Reveal, same, purposeGiven}}
	}
	for _, a := range append(arrows, moneyArrows()...) {
		m[a.from][a.command] = a
	}
	return m
}()

// moneyArrows are the charges: asked for until the finish, paid, waived and given back
// wherever there was an application, since money does not wait for states.
func moneyArrows() []arrow {
	var all []arrow
	for s := Submitted; s <= lastState; s++ {
		if s == Voided {
			continue
		}
		switch s {
		case Submitted, Supplementing, Accepted, Examining, Suspended, Decided, Finished:
			all = append(all, arrow{s, ChargeFee, same, chargeable})
		}
		all = append(all, arrow{s, PayFee, same, payable}, arrow{s, WaiveFee, same, waivable}, arrow{s, RefundFee, same, refundable})
	}
	return all
}

// wrongState is the refusal of a command that does not fit, with what programs need to
// find their way.
func wrongState(c Case, cmd Command, opts ...fault.Option) error {
	return fault.CaseWrongState.New(append(opts, fault.Meta("state", c.State.String()), fault.Meta("command", cmd.String()))...)
}

func reasonGiven(characters int) guard {
	return func(_ Case, in Input) error { return longEnough("reason", in.Reason, characters) }
}

func purposeGiven(_ Case, in Input) error { return longEnough("purpose", in.Reason, 4) }

func longEnough(field, text string, characters int) error {
	if utf8.RuneCountInString(text) < characters {
		return fault.ReasonRequired.New(fault.Field(field), fault.Meta("min_length", strconv.Itoa(characters)))
	}
	return nil
}

func notPreAccepted(c Case, in Input) error {
	if !c.PreAccepted.IsZero() {
		return wrongState(c, in.Command)
	}
	return nil
}

func rightBodyNamed(_ Case, in Input) error {
	if err := longEnough("reason", in.Reason, MinReason); err != nil {
		return err
	}
	return longEnough("right_body", in.RightBody, 2)
}

func supplementMissed(c Case, in Input) error {
	open := c.openSupplement()
	if open >= 0 && !in.at(c.Last).After(workday.EndOfDay(c.Supplements[open].Due)) {
		return fault.SupplementRunning.New(fault.Meta("due_date", c.Supplements[open].Due.String()))
	}
	return nil
}

// acceptanceMissed lets silence count as acceptance only once the hall's last day is
// over (Art. 32 (2)).
func acceptanceMissed(c Case, in Input) error {
	if in.at(c.Last).Before(workday.StartOfDay(in.Due + 1)) {
		return wrongState(c, in.Command, fault.Meta("due_date", in.Due.String()))
	}
	return nil
}

func readyToExamine(c Case, in Input) error {
	_, examined := c.took(StepExamine)
	_, approved := c.took(StepApprove)
	if examined || approved {
		return wrongState(c, in.Command)
	}
	return nil
}

func readyToApprove(c Case, in Input) error {
	if _, approved := c.took(StepApprove); approved {
		return wrongState(c, in.Command)
	}
	if _, examined := c.took(StepExamine); c.FullFlow && !examined {
		return wrongState(c, in.Command, fault.Meta("missing", Examine.String()))
	}
	return otherThanUndertaker(c, in)
}

// otherThanUndertaker is the rule of four eyes.
func otherThanUndertaker(c Case, in Input) error {
	if step, ok := c.took(StepUndertake); ok && c.FourEyes && step.Officer == in.Actor {
		return fault.SamePersonForbidden.New()
	}
	return nil
}

func decidedOnTheSpot(c Case, in Input) error {
	if c.FullFlow || !c.Instant || len(c.Flow) > 0 {
		return wrongState(c, in.Command, fault.Meta("missing", Undertake.String()))
	}
	return reasoned(in)
}

func readyToDecide(c Case, in Input) error {
	if len(c.Flow) > 0 {
		if err := flowDone(c, in); err != nil {
			return err
		}
		return reasoned(in)
	}
	for _, kind := range []StepKind{StepExamine, StepApprove} {
		if _, ok := c.took(kind); c.FullFlow && !ok {
			missing := Examine
			if kind == StepApprove {
				missing = Approve
			}
			return wrongState(c, in.Command, fault.Meta("missing", missing.String()))
		}
	}
	// Where no approval is demanded the decision is the approval.
	if err := otherThanUndertaker(c, in); err != nil {
		return err
	}
	return reasoned(in)
}

// reasoned asks a denial for reasons and remedies (Art. 38).
func reasoned(in Input) error {
	if in.Granted {
		return nil
	}
	if err := longEnough("reason", in.Reason, MinReason); err != nil {
		return err
	}
	return longEnough("remedies", in.Remedies, 4)
}

func resultFits(c Case, in Input) error {
	switch in.Result {
	case ResultReturned:
		return longEnough("description", in.Reason, MinReason)
	case ResultIssued:
		if c.Granted {
			return nil
		}
	case ResultForwarded, ResultFinished:
		return nil
	}
	// What is void or lapsed leaves by its own command.
	return fault.InvalidArgument.New(fault.Field("result"))
}

func specialGrounded(_ Case, in Input) error {
	if err := longEnough("ground", in.Reason, MinReason); err != nil {
		return err
	}
	switch in.Requester {
	case "":
		return fault.FieldRequired.New(fault.Field("requester"))
	case in.Actor:
		return fault.SamePersonForbidden.New(fault.Field("requester"))
	}
	return nil
}

func extensionAllowed(c Case, in Input) error {
	if err := specialGrounded(c, in); err != nil {
		return err
	}
	most := in.Most
	if most == 0 {
		most = MaxExtension
		if c.Joint {
			most = MaxJointExtension
		}
	}
	if in.Limit < 1 || in.Limit > most || in.Unit != workday.WorkingDays {
		return fault.ExtensionLimit.New(fault.Field("limit"), fault.Meta("max", strconv.Itoa(most)))
	}
	if c.extended() {
		return fault.ExtensionLimit.New(fault.Field("kind"), fault.Meta("max", strconv.Itoa(most)))
	}
	return nil
}

// inOrder checks the claimed time of an event against the present and the event before.
func inOrder(c Case, in Input) (time.Time, error) {
	switch {
	case in.Happened.After(in.Now):
		return time.Time{}, fault.TimeInFuture.New(fault.Field("happened_at"))
	case !in.Happened.IsZero() && in.Happened.Before(c.Last):
		return time.Time{}, fault.OrderBroken.New(fault.Field("happened_at"))
	}
	return in.at(c.Last), nil
}
