package rules

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
		HasDecision: f.Decision != nil, IsFinished: f.Finish != nil, End: f.End, DayMinutes: int64(p.Hours.Day() / time.Minute),
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
			c.WorkMinutes = int64(p.Calendar.WorkingTime(f.Division, p.Hours, f.Accepted, d.Time) / time.Minute)
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
	for _, s := range p.Hours.Spans() {
		if since >= s.From && since <= s.To {
			return true
		}
	}
	return false
}

func (p Policy) deedView(f *Facts, d Deed) *DeedView {
	v := &DeedView{Type: d.Type, Sequence: d.Sequence, Actor: d.Actor, System: strings.HasPrefix(d.Actor, "system/"),
		Happened: d.Happened, Entered: d.Entered, Burst: int64(d.Burst)}
	if d.Happened.IsZero() {
		v.Happened = d.Entered
	} else if d.Happened.Before(d.Entered) {
		in := workday.Input{Division: f.Division, Start: d.Happened, Mode: p.Mode, Hours: p.Hours}
		v.LagDays = int64(workday.Reckon(p.Calendar, in, d.Entered).Used)
	}
	return v
}

// missingMaterials names what the published list demands and the case lacks.
func (f *Facts) missingMaterials() []string {
	if f.Terms == nil || f.Accepted.IsZero() {
		return nil
	}
	var all []string
	for _, m := range f.Terms.Materials {
		if m.Necessary && !slices.Contains(f.Materials, m.ID) {
			all = append(all, m.Name)
		}
	}
	return all
}

// gaps names the stages that others which were told presuppose.
func (f *Facts) gaps() []string {
	var all []string
	if f.Accepted.IsZero() && (f.Decision != nil || len(f.Steps) > 0) {
		all = append(all, "受理")
	}
	if f.Decision == nil && f.Finish != nil && f.Finish.Issued {
		all = append(all, "决定")
	}
	if f.Finish == nil && !f.Collected.IsZero() {
		all = append(all, "办结")
	}
	return all
}

func (f *Facts) supplementViews() []any {
	all := make([]any, 0, len(f.Supplements))
	for i, s := range f.Supplements {
		v := &SupplementView{Number: int64(i + 1), Officer: s.Officer, Notice: s.Notice}
		if f.Terms != nil {
			for _, id := range s.Materials {
				if !slices.ContainsFunc(f.Terms.Materials, func(m MaterialTerm) bool { return m.ID == id }) {
					v.ExtraMaterials = append(v.ExtraMaterials, id)
				}
			}
		}
		all = append(all, v)
	}
	return all
}

// The longest extensions: by the head of the body, and by the government for what
// several bodies handle together, which has 45 days by law.
const (
	maxExtension      = 10
	maxJointExtension = 15
	jointLimit        = 45
)

func (p Policy) specialViews(f *Facts) []any {
	all := make([]any, 0, len(f.Specials))
	extensions := int64(0)
	for i, s := range f.Specials {
		v := &SpecialView{Serial: int64(s.Serial), Extension: s.Extension, Name: s.Name, Requester: s.Requester, Approver: s.Approver,
			Start: s.Start, MostDays: maxExtension}
		if f.Statutory >= jointLimit {
			v.MostDays = maxJointExtension
		}
		if s.Extension {
			extensions++
			v.Extensions = extensions
			v.Days = int64(workday.Added(p.Calendar, workday.Input{Division: f.Division, Pauses: []workday.Pause{
				{Kind: workday.PauseExtension, Start: s.Start, Limit: s.Limit, Unit: s.Unit}}}))
		}
		for _, former := range f.Specials[:i] {
			if former.Extension == s.Extension && former.Name == s.Name {
				v.SameBefore++
			}
		}
		if !s.Extension {
			v.OnLastDay = p.onLastDay(f, i)
		}
		all = append(all, v)
	}
	return all
}

// onLastDay tells whether procedure i began on the last day of the promise or later,
// by the clock as it stood just then.
func (p Policy) onLastDay(f *Facts, i int) bool {
	start := f.Specials[i].Start
	if f.Promised <= 0 || f.Accepted.IsZero() || !start.After(f.Accepted) {
		return false
	}
	then := *f
	then.Specials, then.Decision, then.Finish, then.Ended = f.Specials[:i], nil, nil, time.Time{}
	then.Supplements = nil
	for _, s := range f.Supplements {
		if s.Notice.Before(start) {
			then.Supplements = append(then.Supplements, s)
		}
	}
	r := workday.Reckon(p.Calendar, p.Input(&then), start)
	return r.DueKnown && workday.DateOf(start) >= r.PromisedDue
}

// milestoneViews are the stages that have happened, each with the one before it.
func (f *Facts) milestoneViews() []any {
	type stage struct {
		number        int64
		name, officer string
		at            time.Time
	}
	stages := []stage{{1, "申请", "", f.Submitted}}
	if f.Deemed.IsZero() {
		stages = append(stages, stage{2, "受理", "", f.Accepted})
	}
	for i, s := range []struct{ kind, name string }{{StepUndertake, "承办"}, {StepExamine, "审核"}, {StepApprove, "批准"}} {
		if step, ok := f.stepOf(s.kind); ok {
			stages = append(stages, stage{int64(3 + i), s.name, step.Officer, step.Time})
		}
	}
	if d := f.Decision; d != nil {
		stages = append(stages, stage{6, "决定", d.Officer, d.Time})
	}
	if x := f.Finish; x != nil {
		stages = append(stages, stage{7, "办结", x.Officer, x.Time})
	}
	stages = append(stages, stage{8, "领取", "", f.Collected})
	var all []any
	var former stage
	for _, s := range stages {
		if s.at.IsZero() {
			continue
		}
		if !former.at.IsZero() {
			all = append(all, &MilestoneView{Number: s.number, Name: s.name, Officer: s.officer, Time: s.at,
				FormerName: former.name, FormerTime: former.at})
		}
		former = s
	}
	return all
}

// reasonViews are the texts that must give a reason. Each of the three is an occurrence
// of its own.
func (f *Facts) reasonViews(deed Deed) []any {
	var all []any
	add := func(number int64, what, reason, officer string) {
		all = append(all, &ReasonView{Number: number, What: what, Officer: officer,
			Length: int64(utf8.RuneCountInString(strings.TrimSpace(reason)))})
	}
	switch f.End {
	case EndRefused:
		add(1, "不予受理", f.EndReason, deed.Actor)
	case EndNotAccepted:
		add(1, "不受理", f.EndReason, deed.Actor)
	}
	if f.Decision != nil && !f.Decision.Granted {
		add(2, "不予许可", f.Decision.Reason, f.Decision.Officer)
	}
	if f.Finish != nil && f.Finish.Returned {
		add(3, "退回办结", f.Finish.Description, f.Finish.Officer)
	}
	return all
}

// officerOf is who took the last step of a kind.
func (f *Facts) officerOf(kind string) (string, bool) {
	s, ok := f.stepOf(kind)
	return s.Officer, ok
}

// stepOf is the last step of a kind.
func (f *Facts) stepOf(kind string) (Step, bool) {
	for i := len(f.Steps) - 1; i >= 0; i-- {
		if f.Steps[i].Kind == kind {
			return f.Steps[i], true
		}
	}
	return Step{}, false
}
