package rules

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/workday"
)

// Deed is the event by which the facts came to be what they are.
type Deed struct {
	Type     string
	Sequence int64
	Actor    string
	// Happened is claimed, Entered is when the system was told.
	Happened, Entered time.Time
}

// minReason is how many characters make a reason.
const minReason = 10

// Conduct lists the findings of conduct in the facts after a deed that are not yet
// known. They are as of the deed's entry: only then could anybody see them.
func (p Policy) Conduct(f *Facts, deed Deed, known func(key string) bool) []Finding {
	var all []Finding
	add := func(found ...Finding) {
		for _, one := range found {
			one.AsOf = deed.Entered
			if !known(one.Key()) {
				all = append(all, one)
			}
		}
	}
	add(stepSkipped(f)...)
	add(samePerson(f)...)
	add(p.lateEntry(f, deed)...)
	add(repeatedSupplement(f)...)
	add(p.extensionInvalid(f)...)
	add(noReason(f, deed)...)
	return all
}

// officerOf is who took the last step of a kind.
func (f *Facts) officerOf(kind string) (string, bool) {
	for i := len(f.Steps) - 1; i >= 0; i-- {
		if f.Steps[i].Kind == kind {
			return f.Steps[i].Officer, true
		}
	}
	return "", false
}

func stepSkipped(f *Facts) []Finding {
	approver, approved := f.officerOf(StepApprove)
	if !f.FullFlow || !approved && f.Decision == nil {
		return nil
	}
	if !approved {
		approver = f.Decision.Officer
	}
	var missing []string
	for _, s := range []struct{ kind, name string }{{StepUndertake, "承办"}, {StepExamine, "审核"}, {StepApprove, "批准"}} {
		if _, ok := f.officerOf(s.kind); !ok {
			missing = append(missing, s.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return []Finding{{Rule: P1, Level: Red, Occurrence: 1, Officer: approver,
		Ground: "该事项要求承办、审核、批准三个环节，作出决定时缺少" + strings.Join(missing, "、") + "环节"}}
}

func samePerson(f *Facts) []Finding {
	if f.Instant && !f.FourEyes {
		return nil // on the spot one person does it all, by design
	}
	approver, ok := f.officerOf(StepApprove)
	if !ok && f.FourEyes && f.Decision != nil {
		approver, ok = f.Decision.Officer, true // without an approval the decision is it
	}
	if !ok || approver == "" {
		return nil
	}
	for _, s := range f.Steps {
		if s.Kind == StepUndertake && s.Officer == approver {
			return []Finding{{Rule: P2, Level: Yellow, Occurrence: 1, Officer: approver, Ground: "同一人既承办又批准"}}
		}
	}
	return nil
}

// lateEntry finds what was entered more than a working day after it happened: the sign
// of a case handled elsewhere and keyed in afterwards.
func (p Policy) lateEntry(f *Facts, deed Deed) []Finding {
	if deed.Happened.IsZero() || !deed.Happened.Before(deed.Entered) || strings.HasPrefix(deed.Actor, "system/") {
		return nil
	}
	in := workday.Input{Division: f.Division, Start: deed.Happened, Mode: p.Mode, Hours: p.Hours}
	used := workday.Reckon(p.Calendar, in, deed.Entered).Used
	if used <= 1 {
		return nil
	}
	return []Finding{{Rule: P4, Level: Yellow, Occurrence: int(deed.Sequence), Officer: deed.Actor, Used: used, Limit: 1,
		Ground: fmt.Sprintf("该环节发生于%s，%s才录入系统，间隔%d个工作日，超过1个工作日", chinaTime(deed.Happened), chinaTime(deed.Entered), used)}}
}

func chinaTime(t time.Time) string { return t.In(workday.Zone).Format("2006-01-02 15:04") }

func repeatedSupplement(f *Facts) []Finding {
	var all []Finding
	for i, s := range f.Supplements {
		if i == 0 {
			continue
		}
		level := Warning
		if i >= 2 {
			level = Yellow
		}
		all = append(all, Finding{Rule: P7, Level: level, Occurrence: i + 1, Officer: s.Officer,
			Ground: fmt.Sprintf("同一办件第%d次告知补正，未做到一次性告知", i+1)})
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

func (p Policy) extensionInvalid(f *Facts) []Finding {
	var all []Finding
	count := 0
	for _, s := range f.Specials {
		if !s.Extension {
			continue
		}
		count++
		most := maxExtension
		if f.Statutory >= jointLimit {
			most = maxJointExtension
		}
		days := workday.Added(p.Calendar, workday.Input{Division: f.Division, Pauses: []workday.Pause{
			{Kind: workday.PauseExtension, Start: s.Start, Limit: s.Limit, Unit: s.Unit}}})
		var wrong []string
		if days > most {
			wrong = append(wrong, fmt.Sprintf("延长%d个工作日，超过最长%d个工作日", days, most))
		}
		switch s.Approver {
		case "":
			wrong = append(wrong, "没有批准人")
		case s.Requester:
			wrong = append(wrong, "批准人就是申请人")
		}
		if count > 1 {
			wrong = append(wrong, fmt.Sprintf("第%d次延长，同一办件只能延长一次", count))
		}
		if len(wrong) > 0 {
			all = append(all, Finding{Rule: P9, Level: Red, Occurrence: s.Serial, Officer: s.Requester, Used: days, Limit: most,
				Ground: "延长办理期限不合法：" + strings.Join(wrong, "；")})
		}
	}
	return all
}

// noReason finds refusals, denials and returns without a reason worth the name. Each of
// the three is an occurrence of its own.
func noReason(f *Facts, deed Deed) []Finding {
	var all []Finding
	check := func(occurrence int, what, reason, officer string) {
		if n := utf8.RuneCountInString(strings.TrimSpace(reason)); n < minReason {
			all = append(all, Finding{Rule: P10, Level: Yellow, Occurrence: occurrence, Officer: officer, Used: 0, Limit: 0,
				Ground: fmt.Sprintf("%s的理由只有%d个字，少于%d个字，未依法说明理由", what, n, minReason)})
		}
	}
	switch f.End {
	case EndRefused:
		check(1, "不予受理", f.EndReason, deed.Actor)
	case EndNotAccepted:
		check(1, "不受理", f.EndReason, deed.Actor)
	}
	if f.Decision != nil && !f.Decision.Granted {
		check(2, "不予许可", f.Decision.Reason, f.Decision.Officer)
	}
	if f.Finish != nil && f.Finish.Returned {
		check(3, "退回办结", f.Finish.Description, f.Finish.Officer)
	}
	return all
}
