package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// The ways in which a case leaves the flow without a finish.
const (
	EndNotAccepted = "not_accepted" // 不受理
	EndRefused     = "refused"      // 不予受理
	EndWithdrawn   = "withdrawn"    // 撤回
	EndLapsed      = "lapsed"       // 补正逾期
	EndVoided      = "voided"       // 作废
)

// Facts is what supervision needs to know of a case. Zero times have not happened.
type Facts struct {
	// Division is the six digits of the hall.
	Division string
	// Instant tells an item handled on the spot; Online one applied for on the net.
	Instant, Online     bool
	Promised, Statutory int
	Unit                workday.Unit
	// Item is its resource name; Terms what its revision published, nil when unknown.
	Item  string
	Terms *Terms
	// Materials are the ids handed in or promised for later.
	Materials []string
	// FullFlow demands undertake, examine and approve; FourEyes two persons; OwnFlow the
	// steps of the terms that have an id.
	FullFlow, FourEyes, OwnFlow bool
	// Gaps are materials that were missing at acceptance.
	Gaps    []Gap
	Charges []Charge

	Submitted, PreAccepted, Accepted time.Time
	// Deemed is when the limit to accept ended and the law accepted the case, from the
	// day of receipt on; zero when somebody accepted it.
	Deemed      time.Time
	Supplements []Supplement
	Steps       []Step
	Specials    []Special
	Decision    *Decision
	Finish      *Finish
	Collected   time.Time
	// End is how it left the flow without a finish, with when and why.
	End       string
	Ended     time.Time
	EndReason string
	// ELicense tells that the item promises an electronic license, Licensed when it was
	// issued.
	ELicense bool
	Licensed time.Time
	// Recreated is the earlier case whose clocks go on here; nil for none.
	Recreated *Recreated
	// Review is set when the facts are of a review instead of a case.
	Review *Review
	// Clocked is set when they are of something else that has a limit.
	Clocked *Clocked
}

// Recreated is a case that its office ended without a decision and that went on under
// another number: when it was first submitted and accepted, and while nothing lay with
// the office.
type Recreated struct {
	Case                string
	Submitted, Accepted time.Time
	Away                []workday.Pause
}

// Clocked is what is to be judged of a consultation, a complaint and the like.
type Clocked struct {
	// Kind is that of its thresholds, as ClockConsult.
	Kind string
	// Title is how a ground calls it, Officer who is answerable.
	Title, Officer string
	Limit          int
	Unit           workday.Unit
	// Opened is when it began, Closed when it was done, Voided when it was called off.
	Opened, Closed, Voided time.Time
	Pauses                 []workday.Pause
}

// Review is what is to be judged of a review.
type Review struct {
	Stars            int
	Created, Replied time.Time
}

// badStars are the most stars of a bad review.
const badStars = 2

// Terms is what the published revision of an item says about its handling.
type Terms struct {
	Steps     []StepTerm     `json:"steps,omitempty"`
	Materials []MaterialTerm `json:"materials,omitempty"`
	// FeesKnown tells that the fees were read, Charged that there are any.
	FeesKnown bool      `json:"fees_known,omitempty"`
	Charged   bool      `json:"charged,omitempty"`
	Fees      []FeeTerm `json:"fees,omitempty"`
}

// StepTerm is one step of the published flow; Limit is in the item's unit, 0 for none.
type StepTerm struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Limit int    `json:"limit,omitempty"`
	// ID makes it a step of a flow of the item's own; FourEyes are the ids of earlier ones
	// that another person must have taken.
	ID       string   `json:"id,omitempty"`
	Optional bool     `json:"optional,omitempty"`
	FourEyes []string `json:"four_eyes,omitempty"`
}

// MaterialTerm is one material of the published list.
type MaterialTerm struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Necessary bool   `json:"necessary,omitempty"`
}

// Supplement is one notice and its receipt.
type Supplement struct {
	Serial          int
	Notice, Receipt time.Time
	// Accepted tells that the case had been accepted before the notice.
	Accepted bool
	Officer  string
	// Materials are the ids asked for.
	Materials []string
}

// The kinds of approval steps.
const (
	StepUndertake = "undertake" // 承办
	StepExamine   = "examine"   // 审核
	StepApprove   = "approve"   // 批准
	StepOther     = "other"     // one of the item's own
)

// Step is one approval step.
type Step struct {
	Kind, Officer string
	Time          time.Time
	// ID is that of a step of the item's own flow; SentBack went back from it.
	ID       string
	SentBack bool
}

// Special is one special procedure: an extension, or time that does not count.
type Special struct {
	Serial              int
	Extension           bool
	Name                string
	Requester, Approver string
	Limit               int
	Unit                workday.Unit
	Start, End          time.Time
}

// Decision is what was decided.
type Decision struct {
	Granted bool
	Reason  string
	Officer string
	Time    time.Time
}

// Finish is how the case was finished.
type Finish struct {
	Returned bool
	// Issued tells that a certificate was issued, Forwarded that the upper level decides.
	Issued, Forwarded bool
	Description       string
	Officer           string
	Time              time.Time
}

// Stopped is when the decision clock stopped for good.
func (f *Facts) Stopped() time.Time {
	switch {
	case f.Decision != nil:
		return f.Decision.Time
	case f.Finish != nil:
		return f.Finish.Time
	default:
		return f.Ended
	}
}

// Open reports whether the case still waits for its decision.
func (f *Facts) Open() bool { return !f.Submitted.IsZero() && f.Stopped().IsZero() }

// Policy is how a hall counts and judges.
type Policy struct {
	Preset   *Preset
	Calendar *workday.Calendar
	// Hall are the limits that the hall published.
	Hall workday.Policy
	// OnDuty may decide outside the opening hours.
	OnDuty []string
	// Notify are whom cards are told to, by the level from which.
	Notify map[Level][]string
	// Rules of conduct; nil are those that come with the program.
	Rules *ConductSet
}

// Version names the rules of the policy.
func (p Policy) Version() string { return p.Preset.Version + "+" + p.conductSet().Version }

// Input is the decision clock of the case.
func (p Policy) Input(f *Facts) workday.Input {
	in := workday.Input{
		Division: f.Division, Start: f.Accepted, Stopped: f.Stopped(), Promised: f.Promised, Statutory: f.Statutory,
		Unit: f.Unit, Mode: p.Hall.Mode, Hours: p.Hall.Hours,
	}
	if r := f.Recreated; r != nil && !r.Accepted.IsZero() && !f.Accepted.IsZero() {
		in.Start, in.Pauses = r.Accepted, slices.Clone(r.Away)
	}
	if f.Instant && in.Promised == 0 && p.Hall.Mode == workday.SecondMode {
		// Nothing is done within zero seconds; on the spot means within the day.
		in.Promised = 1
	}
	for _, s := range f.Supplements {
		if s.Accepted {
			in.Pauses = append(in.Pauses, workday.Pause{Kind: workday.PauseSupplement, Start: s.Notice, End: s.Receipt})
		}
	}
	for _, s := range f.Specials {
		kind := workday.PauseExcluded
		if s.Extension {
			kind = workday.PauseExtension
		}
		in.Pauses = append(in.Pauses, workday.Pause{Kind: kind, Name: s.Name, Start: s.Start, End: s.End, Limit: s.Limit, Unit: s.Unit})
	}
	return in
}

// AcceptanceDue is the last day to accept; false when nothing waits for acceptance.
func (p Policy) AcceptanceDue(f *Facts) (workday.Date, bool) {
	clocks := p.acceptance(f)
	if len(clocks) == 0 {
		return 0, false
	}
	last := clocks[len(clocks)-1].in
	due, _ := p.Calendar.Add(f.Division, workday.DateOf(last.Start), p.Hall.AcceptanceDays)
	if len(last.Pauses) > 0 {
		due = workday.Reckon(p.Calendar, last, last.Pauses[len(last.Pauses)-1].End).PromisedDue
	}
	return due, last.Stopped.IsZero()
}
