package rules

import (
	"math"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Limits are the item revision's.
type Limits struct {
	Promised, Statutory int
	Unit                workday.Unit
}

// Dates are the last days of a case; zero dates are not known.
type Dates struct {
	Acceptance, Promised, Statutory workday.Date
	// AcceptanceKnown and DecisionKnown tell which of them count.
	AcceptanceKnown, DecisionKnown bool
	// Provisional tells that a date rests on days without a published calendar.
	Provisional bool
}

// Due computes the last days of a case as they are known at now.
func Due(cal *workday.Calendar, p workday.Policy, division string, limits Limits, c Case, now time.Time) Dates {
	var d Dates
	if c.Submitted.IsZero() {
		return d
	}
	d.Acceptance, d.Provisional = AcceptanceDue(cal, p, division, c.Receipt())
	d.AcceptanceKnown = true
	if c.Accepted.IsZero() {
		return d
	}
	r := workday.Reckon(cal, Clock(p, division, limits, c), now)
	d.Promised, d.Statutory, d.DecisionKnown = r.PromisedDue, r.StatutoryDue, r.DueKnown
	d.Provisional = r.Provisional
	return d
}

// AcceptanceDue is the last day to accept, supplement or refuse what came in at receipt.
func AcceptanceDue(cal *workday.Calendar, p workday.Policy, division string, receipt time.Time) (workday.Date, bool) {
	return cal.Add(division, workday.DateOf(p.Received(cal, division, receipt)), p.AcceptanceDays)
}

// Silent is the day from which silence on a submitted case counts as acceptance: the one
// after the hall's last day. What was entered only after that day, since the papers had
// come in earlier, leaves the next working day to enter what else was done on paper.
func Silent(cal *workday.Calendar, division string, due workday.Date, created time.Time) workday.Date {
	entered := workday.DateOf(created)
	if entered <= due {
		return due + 1
	}
	next, _ := cal.Add(division, entered, 1)
	return next + 1
}

// SupplementDue is the applicant's last day of a notice given at told.
func SupplementDue(cal *workday.Calendar, division string, told time.Time, days int) workday.Date {
	due, _ := cal.Add(division, workday.DateOf(told), days)
	return due
}

// Clock is the case's decision clock in the words of the calendar.
func Clock(p workday.Policy, division string, limits Limits, c Case) workday.Input {
	stopped := c.DecidedAt
	if stopped.IsZero() {
		stopped = c.FinishedAt
	}
	in := workday.Input{
		Division: division, Start: c.Accepted, Stopped: stopped,
		Promised: limits.Promised, Statutory: limits.Statutory, Unit: limits.Unit,
		Mode: p.Mode, Hours: p.Hours,
	}
	for _, s := range c.Supplements {
		if s.AfterAcceptance {
			in.Pauses = append(in.Pauses, workday.Pause{Kind: workday.PauseSupplement, Start: s.Told, End: s.Received})
		}
	}
	for _, s := range c.Specials {
		kind := workday.PauseExcluded
		if s.Extension {
			kind = workday.PauseExtension
		}
		in.Pauses = append(in.Pauses, workday.Pause{Kind: kind, Name: s.Name, Start: s.Start, End: s.End, Limit: s.Limit, Unit: s.Unit})
	}
	return in
}

// Stage is which inbox a case waits in. The numbers are those of the contract's enum.
type Stage int32

// The stages.
const (
	StageNone Stage = iota
	StageAcceptance
	StageUndertake
	StageExamine
	StageApprove
	StageFinish
	StageChildren
)

// Unknown is the sort key of a case whose due date is not known: behind all others.
const Unknown workday.Date = math.MaxInt32

// Waiting is the inbox a case waits in and the day it is sorted by.
func Waiting(cal *workday.Calendar, p workday.Policy, division string, c Case, d Dates) (Stage, workday.Date) {
	decision := Unknown
	if d.DecisionKnown {
		decision = d.Promised
	}
	switch c.State {
	case Submitted:
		return StageAcceptance, d.Acceptance
	case Supplementing:
		// Whoever asked waits for the papers, and closes the case when they do not come.
		if i := c.openSupplement(); i >= 0 {
			return StageAcceptance, c.Supplements[i].Due
		}
		return StageAcceptance, decision
	case Accepted, Examining, Suspended:
		return nextStep(c), decision
	case Decided:
		return StageFinish, decision
	case Finished:
		if c.Handover {
			due, _ := cal.Add(division, workday.DateOf(c.Last), p.DeliveryDays)
			return StageFinish, due
		}
	}
	return StageNone, Unknown
}

// nextStep is the approval step that an accepted case waits for.
func nextStep(c Case) Stage {
	_, undertaken := c.took(StepUndertake)
	_, examined := c.took(StepExamine)
	_, approved := c.took(StepApprove)
	switch {
	case c.Joint:
		return StageChildren
	case len(c.Flow) > 0:
		return flowStage(c)
	case !undertaken && c.Instant && !c.FullFlow:
		return StageApprove
	case !undertaken:
		return StageUndertake
	case !examined && !approved:
		return StageExamine
	default:
		return StageApprove
	}
}
