package rules

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/workday"
)

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
	if f.beyondOpenSupplement() {
		all = append(all, "补正受理")
	}
	if f.beyondOpenSpecial() {
		all = append(all, "特别程序结果")
	}
	if f.Decision == nil && f.Finish != nil && f.Finish.Issued {
		all = append(all, "决定")
	}
	if f.Finish == nil && !f.Collected.IsZero() {
		all = append(all, "办结")
	}
	return all
}

// beyondOpenSupplement reports a case that went on although nothing tells that what was
// asked for came in.
func (f *Facts) beyondOpenSupplement() bool {
	return slices.ContainsFunc(f.Supplements, func(s Supplement) bool {
		return !s.Notice.IsZero() && s.Receipt.IsZero() && (f.Accepted.After(s.Notice) || f.Decision != nil)
	})
}

// beyondOpenSpecial reports a case that was decided while a procedure of which nothing
// tells the end.
func (f *Facts) beyondOpenSpecial() bool {
	return f.Decision != nil && slices.ContainsFunc(f.Specials, func(s Special) bool { return !s.Extension && s.End.IsZero() })
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

// jointLimit is the days that several bodies have together by law (Art. 42).
const jointLimit = 45

func (p Policy) specialViews(f *Facts) []any {
	all := make([]any, 0, len(f.Specials))
	extensions := int64(0)
	for i, s := range f.Specials {
		v := &SpecialView{Serial: int64(s.Serial), Extension: s.Extension, Name: s.Name, Requester: s.Requester, Approver: s.Approver,
			Start: s.Start, MostDays: int64(p.Hall.ExtensionDays)}
		if f.Statutory >= jointLimit {
			v.MostDays = int64(p.Hall.JointExtensionDays)
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
		if step, ok := f.stepOf(s.kind); ok && !f.OwnFlow {
			stages = append(stages, stage{int64(3 + i), s.name, step.Officer, step.Time})
		}
	}
	if f.OwnFlow && f.Terms != nil {
		for i, s := range f.Steps {
			stages = append(stages, stage{int64(100 + i), f.nameOf(s.ID), s.Officer, s.Time})
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
