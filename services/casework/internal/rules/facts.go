package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Day is a day of the calendar in China.
type Day = workday.Date

// State is where a case stands. The numbers are those of the contract's enum.
type State int32

// The states.
const (
	None State = iota
	Draft
	Submitted
	Supplementing
	NotAccepted
	Refused
	Accepted
	Examining
	Suspended
	Decided
	Finished
	Collected
	Withdrawn
	Lapsed
	Voided
	Revoked
	lastState = Revoked
)

var stateNames = [...]string{"none", "draft", "submitted", "supplementing", "not_accepted", "refused", "accepted",
	"examining", "suspended", "decided", "finished", "collected", "withdrawn", "lapsed", "voided", "revoked"}

// String is the state's word, as told to programs in a refusal.
func (s State) String() string {
	if s < None || int(s) >= len(stateNames) {
		return "unknown"
	}
	return stateNames[s]
}

// StepKind is an approval step. The numbers are those of the contract's enum.
type StepKind int32

// The steps, in their order.
const (
	StepUndertake StepKind = iota + 1
	StepExamine
	StepApprove
	// StepOther is one of the item's own.
	StepOther
)

// Step is one approval step taken.
type Step struct {
	Kind StepKind
	// Officer is the subject of the token of whoever took it.
	Officer string
	// ID is the step's in the item's own flow; SentBack tells that the case went back one
	// step instead. At is when.
	ID       string
	SentBack bool
	At       time.Time
}

// Supplement is one notice to the applicant and what came of it.
type Supplement struct {
	// Told and Received are when; Received is zero while the hall waits.
	Told, Received time.Time
	// Due is the last day for the applicant.
	Due workday.Date
	// AfterAcceptance tells that the decision clock pauses meanwhile.
	AfterAcceptance bool
}

// Special is one special procedure.
type Special struct {
	// Extension is kind A: it lengthens the limits and stops nothing. All others are
	// kind B, whose time does not count.
	Extension bool
	// Name is shown where days are explained.
	Name string
	// Start and End are when; End is zero while it runs.
	Start, End time.Time
	// Limit is the planned length in Unit; 0 leaves the end open.
	Limit int
	Unit  workday.Unit
}

// Case is what the rules know of a case.
type Case struct {
	State State
	// Licensed tells that the electronic license was issued.
	Licensed bool
	// Instant, FullFlow and FourEyes are properties of the item's revision.
	Instant, FullFlow, FourEyes bool
	// Joint is the parent of cases handled together: they are decided, it is not.
	Joint bool
	// Missing are necessary materials that were promised for later; Gaps what it was
	// accepted without.
	Missing []string
	Gaps    []Gap
	Charges []Charge
	// Flow is the item revision's own flow; nil is the usual path.
	Flow []FlowStep
	// Submitted, PreAccepted, Accepted and DecidedAt are when; zero when not.
	Submitted, PreAccepted, Accepted, DecidedAt time.Time
	// Deemed is when the limit to accept ended without a word, so that the case counts
	// as accepted from the day of receipt; zero when somebody accepted it.
	Deemed      time.Time
	Supplements []Supplement
	Steps       []Step
	Specials    []Special
	// Granted is the decision, once there is one.
	Granted bool
	// FinishedAt is when it was finished, Result how. Linked tells that the upper body has
	// opened the case that this one was forwarded into.
	FinishedAt time.Time
	Result     FinishResult
	Linked     bool
	// Department handles it; Assignee is who is to do the next step, empty for nobody yet.
	Department, Assignee string
	// Handover tells that a finished case still has a paper to hand over.
	Handover bool
	// Last is when the latest event happened; the next cannot have happened before.
	Last time.Time
}

// SameCourse reports whether two cases have come the same way: their state, times,
// notices, steps and procedures, and whose work they are. What they are about does not matter.
func (c Case) SameCourse(o Case) bool {
	return c.State == o.State && c.Department == o.Department && c.Assignee == o.Assignee && c.Granted == o.Granted && c.Handover == o.Handover && c.Last.Equal(o.Last) &&
		c.Submitted.Equal(o.Submitted) && c.PreAccepted.Equal(o.PreAccepted) && c.Accepted.Equal(o.Accepted) && c.DecidedAt.Equal(o.DecidedAt) && c.Deemed.Equal(o.Deemed) &&
		c.FinishedAt.Equal(o.FinishedAt) && c.Result == o.Result && c.Linked == o.Linked &&
		slices.EqualFunc(c.Steps, o.Steps, func(a, b Step) bool {
			return a.Kind == b.Kind && a.Officer == b.Officer && a.ID == b.ID && a.SentBack == b.SentBack && a.At.Equal(b.At)
		}) &&
		slices.EqualFunc(c.Gaps, o.Gaps, func(a, b Gap) bool {
			return a.Material == b.Material && a.Due == b.Due && a.Days == b.Days && a.Filled.Equal(b.Filled)
		}) && slices.Equal(c.Charges, o.Charges) &&
		slices.EqualFunc(c.Supplements, o.Supplements, func(a, b Supplement) bool {
			return a.Told.Equal(b.Told) && a.Received.Equal(b.Received) && a.Due == b.Due && a.AfterAcceptance == b.AfterAcceptance
		}) &&
		slices.EqualFunc(c.Specials, o.Specials, func(a, b Special) bool {
			return a.Extension == b.Extension && a.Name == b.Name && a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Limit == b.Limit && a.Unit == b.Unit
		})
}

// clone is a copy that shares nothing that Apply changes.
func (c Case) clone() Case {
	c.Supplements = slices.Clone(c.Supplements)
	c.Steps = slices.Clone(c.Steps)
	c.Specials = slices.Clone(c.Specials)
	c.Gaps, c.Charges = slices.Clone(c.Gaps), slices.Clone(c.Charges)
	return c
}

// took finds the step of a kind.
func (c Case) took(kind StepKind) (Step, bool) {
	for _, s := range c.Steps {
		if s.Kind == kind {
			return s, true
		}
	}
	return Step{}, false
}

// extended reports whether the limit was extended before.
func (c Case) extended() bool {
	return slices.ContainsFunc(c.Specials, func(s Special) bool { return s.Extension })
}

// openSupplement is the index of the notice that is waited for, or -1.
func (c Case) openSupplement() int {
	return slices.IndexFunc(c.Supplements, func(s Supplement) bool { return s.Received.IsZero() })
}

// openSpecial is the index of the procedure that runs, or -1. An extension is an act,
// not a span: it never runs.
func (c Case) openSpecial() int {
	return slices.IndexFunc(c.Specials, func(s Special) bool { return !s.Extension && s.End.IsZero() })
}

// resumed is the state in which an interrupted case goes on.
func (c Case) resumed() State {
	switch {
	case c.Accepted.IsZero():
		return Submitted
	case len(c.Steps) == 0:
		return Accepted
	default:
		return Examining
	}
}

// Receipt is when the papers came in that the acceptance clock counts from: the
// submission, or what came after the last notice before acceptance.
func (c Case) Receipt() time.Time {
	at := c.Submitted
	for _, s := range c.Supplements {
		if !s.AfterAcceptance && s.Received.After(at) {
			at = s.Received
		}
	}
	return at
}
