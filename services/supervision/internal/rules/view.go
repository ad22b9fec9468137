package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Case is what conditions see of a case as "case". A time is year 1 until the thing
// happens; the flags beside the times tell.
type Case struct {
	Division string `cel:"division"`
	Item     string `cel:"item"`
	Instant  bool   `cel:"instant"`
	Online   bool   `cel:"online"`
	FullFlow bool   `cel:"full_flow"`
	FourEyes bool   `cel:"four_eyes"`
	// Promised and Statutory are in days, as NaturalDays tells.
	Promised    int64 `cel:"promised"`
	Statutory   int64 `cel:"statutory"`
	NaturalDays bool  `cel:"natural_days"`

	Submitted  time.Time `cel:"submitted"`
	Accepted   time.Time `cel:"accepted"`
	Decided    time.Time `cel:"decided"`
	Finished   time.Time `cel:"finished"`
	IsAccepted bool      `cel:"is_accepted"`
	// Deemed tells that the law accepted it, not a person.
	Deemed      bool `cel:"deemed"`
	Approved    bool `cel:"approved"`
	HasDecision bool `cel:"has_decision"`
	Granted     bool `cel:"granted"`
	IsFinished  bool `cel:"is_finished"`
	// End is how it left the flow without a finish: refused, withdrawn, …
	End string `cel:"end"`

	Approver        string   `cel:"approver"`
	Decider         string   `cel:"decider"`
	DeciderOnDuty   bool     `cel:"decider_on_duty"`
	DecidedOffHours bool     `cel:"decided_off_hours"`
	Undertakers     []string `cel:"undertakers"`
	// MissingSteps are of undertake, examine and approve, by their Chinese names.
	MissingSteps []string `cel:"missing_steps"`
	// WorkMinutes is the opening time from acceptance to decision, -1 before that;
	// DayMinutes that of a day.
	WorkMinutes int64 `cel:"work_minutes"`
	DayMinutes  int64 `cel:"day_minutes"`
	// MissingMaterials are necessary, neither handed in nor promised.
	MissingMaterials []string `cel:"missing_materials"`
	// Gaps are stages that must have been but were not told.
	Gaps        []string `cel:"gaps"`
	Supplements int64    `cel:"supplements"`
	Specials    int64    `cel:"specials"`
	// OwnFlow tells of a flow of the item's own, to which MissingSteps then refers;
	// SamePersons are pairs of its steps that one person took against the rule of four eyes.
	OwnFlow     bool     `cel:"own_flow"`
	SamePersons []string `cel:"same_persons"`
	// RecreatedFrom is the number of the earlier case whose clocks go on here; empty for none.
	RecreatedFrom string `cel:"recreated_from"`
}

// DeedView is what conditions see of the event, as "deed".
type DeedView struct {
	Type     string    `cel:"type"`
	Sequence int64     `cel:"sequence"`
	Actor    string    `cel:"actor"`
	System   bool      `cel:"system"`
	Happened time.Time `cel:"happened"`
	Entered  time.Time `cel:"entered"`
	// LagDays are the working days from the one to the other.
	LagDays int64 `cel:"lag_days"`
	// Burst is how many finished cases the actor entered within ten minutes.
	Burst int64 `cel:"burst"`
	// Attempt is the command that was refused, Refused why; empty for what was done.
	Attempt string `cel:"attempt"`
	Refused string `cel:"refused"`
}

// SupplementView is "it" of rules for each supplement notice.
type SupplementView struct {
	Number  int64     `cel:"number"`
	Officer string    `cel:"officer"`
	Notice  time.Time `cel:"notice"`
	// ExtraMaterials are asked for but not on the published list.
	ExtraMaterials []string `cel:"extra_materials"`
}

// SpecialView is "it" of rules for each special procedure.
type SpecialView struct {
	Serial    int64     `cel:"serial"`
	Extension bool      `cel:"extension"`
	Name      string    `cel:"name"`
	Requester string    `cel:"requester"`
	Approver  string    `cel:"approver"`
	Start     time.Time `cel:"start"`
	// Days are an extension's working days, MostDays the most the law allows, Extensions
	// the place among the case's extensions.
	Days       int64 `cel:"days"`
	MostDays   int64 `cel:"most_days"`
	Extensions int64 `cel:"extensions"`
	// SameBefore counts earlier procedures of the same name.
	SameBefore int64 `cel:"same_before"`
	// OnLastDay tells that it began on the last day of the promise or after it.
	OnLastDay bool `cel:"on_last_day"`
}

// MilestoneView is "it" of rules for each stage that has one before it.
type MilestoneView struct {
	Number     int64     `cel:"number"`
	Name       string    `cel:"name"`
	Officer    string    `cel:"officer"`
	Time       time.Time `cel:"time"`
	FormerName string    `cel:"former_name"`
	FormerTime time.Time `cel:"former_time"`
}

// ReasonView is "it" of rules for each text that owes a reason.
type ReasonView struct {
	Number  int64  `cel:"number"`
	What    string `cel:"what"`
	Length  int64  `cel:"length"`
	Officer string `cel:"officer"`
}

// caseView reckons what conditions see of a case.
func (p Policy) caseView(f *Facts) *Case {
	c := &Case{
		Division: f.Division, Item: f.Item, Instant: f.Instant, Online: f.Online, FullFlow: f.FullFlow, FourEyes: f.FourEyes,
		Promised: int64(f.Promised), Statutory: int64(f.Statutory), NaturalDays: f.Unit == workday.NaturalDays,
		Submitted: f.Submitted, Accepted: f.Accepted, IsAccepted: !f.Accepted.IsZero(), Deemed: !f.Deemed.IsZero(),
		HasDecision: f.Decision != nil, IsFinished: f.Finish != nil, End: f.End, DayMinutes: int64(p.Hall.Hours.Day() / time.Minute),
		Supplements: int64(len(f.Supplements)), Specials: int64(len(f.Specials)),
		MissingMaterials: f.missingMaterials(), Gaps: f.gaps(), WorkMinutes: -1,
	}
	c.Approver, c.Approved = f.officerOf(StepApprove)
	for _, s := range f.Steps {
		if s.Kind == StepUndertake {
			c.Undertakers = append(c.Undertakers, s.Officer)
		}
	}
	for _, s := range []struct{ kind, name string }{{StepUndertake, "承办"}, {StepExamine, "审核"}, {StepApprove, "批准"}} {
		if _, ok := f.officerOf(s.kind); !ok {
			c.MissingSteps = append(c.MissingSteps, s.name)
		}
	}
	if f.Recreated != nil {
		c.RecreatedFrom = f.Recreated.Case[strings.LastIndexByte(f.Recreated.Case, '/')+1:]
	}
	if f.OwnFlow {
		c.OwnFlow, c.MissingSteps, c.SamePersons = true, f.missingSteps(), f.samePersons()
	}
	if f.Finish != nil {
		c.Finished = f.Finish.Time
	}
	if d := f.Decision; d != nil {
		c.Decided, c.Granted, c.Decider, c.DeciderOnDuty = d.Time, d.Granted, d.Officer, slices.Contains(p.OnDuty, d.Officer)
		c.DecidedOffHours = !d.Time.IsZero() && !p.open(f.Division, d.Time)
		if !c.Approved {
			c.Approver = d.Officer // without an approval the decision is it
		}
		if c.IsAccepted && !d.Time.Before(f.Accepted) {
			c.WorkMinutes = int64(p.Calendar.WorkingTime(f.Division, p.Hall.Hours, f.Accepted, d.Time) / time.Minute)
		}
	}
	return c
}

// open tells whether the hall is open at a moment.
func (p Policy) open(division string, at time.Time) bool {
	day := workday.DateOf(at)
	if !p.Calendar.IsWorkday(division, day) {
		return false
	}
	since := at.Sub(workday.StartOfDay(day))
	for _, s := range p.Hall.Hours.Spans() {
		if since >= s.From && since <= s.To {
			return true
		}
	}
	return false
}

func (p Policy) deedView(f *Facts, d Deed) *DeedView {
	v := &DeedView{Type: d.Type, Sequence: d.Sequence, Actor: d.Actor, System: strings.HasPrefix(d.Actor, "system/"),
		Happened: d.Happened, Entered: d.Entered, Burst: int64(d.Burst), Attempt: d.Attempt, Refused: d.Refused}
	if d.Happened.IsZero() {
		v.Happened = d.Entered
	} else if d.Happened.Before(d.Entered) {
		in := workday.Input{Division: f.Division, Start: d.Happened, Mode: p.Hall.Mode, Hours: p.Hall.Hours}
		v.LagDays = int64(workday.Reckon(p.Calendar, in, d.Entered).Used)
	}
	return v
}
