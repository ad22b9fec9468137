package almanac

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/workday"
)

// Explain tells how the due dates of a clock come about, as it stands at now.
func (b *Book) Explain(policy workday.Policy, in workday.Input, now time.Time, english bool) *caseworkv1.DueExplanation {
	r := workday.Reckon(b.Calendar, in, now)
	pick := func(zh, en string) string {
		if english {
			return en
		}
		return zh
	}
	x := &caseworkv1.DueExplanation{
		StartReason: pick(startReason(r.State, in.Mode)), Basis: pick(basis(r, in.Unit)), CalendarVersion: int32(b.Calendar.Number()),
		PolicyVersion: int32(policy.Version), Policy: pick(policy.Describe()), Provisional: r.Provisional,
	}
	if r.State == workday.Waiting {
		return x
	}
	x.StartDate = workday.DateOf(in.Start).String()
	if r.DueKnown {
		x.PromisedDueDate, x.StatutoryDueDate = r.PromisedDue.String(), r.StatutoryDue.String()
	}
	days := workday.Explain(b.Calendar, in, now)
	for _, run := range workday.Runs(days) {
		x.Runs = append(x.Runs, &caseworkv1.ExplainedRun{
			FirstDate: run.First.String(), LastDate: run.Last.String(), Days: int32(run.Last-run.First) + 1, Counted: run.Counted,
			FirstNumber: int32(run.FirstNumber), LastNumber: int32(run.LastNumber), Reason: pick(run.Zh, run.En),
		})
	}
	for _, p := range in.Pauses {
		if !p.Start.After(now) {
			x.Pauses = append(x.Pauses, explainedPause(p, now, pick))
		}
	}
	x.Notices = b.notices(in, days)
	return x
}

func explainedPause(p workday.Pause, now time.Time, pick func(zh, en string) string) *caseworkv1.ExplainedPause {
	x := &caseworkv1.ExplainedPause{StartTime: timestamppb.New(p.Start)}
	if !p.End.IsZero() && !p.End.After(now) {
		x.EndTime = timestamppb.New(p.End)
	}
	if p.Limit > 0 && p.Kind != workday.PauseSupplement {
		x.Limit = pick(fmt.Sprintf("%d个工作日", p.Limit), fmt.Sprintf("%d working days", p.Limit))
		if p.Unit == workday.NaturalDays {
			x.Limit = pick(fmt.Sprintf("%d个自然日", p.Limit), fmt.Sprintf("%d natural days", p.Limit))
		}
	}
	switch p.Kind {
	case workday.PauseSupplement:
		x.Title = pick("补正材料", "supplement")
		x.Ground = pick("受理后等待申请人补正，剩余天数不变，至少顺延一日", "the hall waits for the applicant's papers: the days left stand still, one day at least")
	case workday.PauseExtension:
		x.Title = pick("延长审批", "extension")
		x.Ground = pick("经负责人批准延长办理期限（《行政许可法》第四十二条）", "the head approved more days (Administrative License Law, Art. 42)")
	default:
		x.Title = p.Name
		if x.Title == "" {
			x.Title = pick("特别程序", "special procedure")
		}
		x.Ground = pick("依法不计入办理期限（《行政许可法》第四十五条）", "does not count by law (Administrative License Law, Art. 45)")
		if p.Limit > 0 {
			x.Ground += pick("，超过规定天数后继续计时", "; beyond its limit the days count again")
		}
	}
	return x
}

// notices are the notices that decided days of the explanation, each once, in order.
func (b *Book) notices(in workday.Input, days []workday.ExplainedDay) []string {
	if in.Unit == workday.NaturalDays {
		return nil // every day counts, whatever it is
	}
	var all []string
	for _, d := range days {
		title, _ := b.Calendar.NoticeOf(in.Division, d.Date)
		if kind, _ := b.Calendar.ExplainIn(in.Division, d.Date); title == "" && (kind == workday.Off || kind == workday.Makeup) {
			title = "国务院历年放假通知（内置日历）"
		}
		if title != "" && !slices.Contains(all, title) {
			all = append(all, title)
		}
	}
	return all
}

func startReason(state workday.RunState, mode workday.Mode) (zh, en string) {
	switch {
	case state == workday.Waiting:
		return "尚未受理，办理时限还没有起算", "not accepted yet: the clock has not started"
	case mode == workday.SecondMode:
		return "已受理，从受理时刻起按办公时间计算，不足一天按一天计", "accepted; opening time counts from that moment and is rounded up to days"
	default:
		return "当日受理，受理当日不计入时限，从次日起算", "accepted on this day, which does not count itself"
	}
}

func basis(r workday.Reckoning, unit workday.Unit) (zh, en string) {
	name, many := "个工作日", "working days"
	if unit == workday.NaturalDays {
		name, many = "个自然日", "natural days"
	}
	return fmt.Sprintf("承诺时限%d%s（对公众的公开承诺）；法定时限%d%s（《行政许可法》第四十二条、第四十五条）", r.Promised, name, r.Statutory, name),
		fmt.Sprintf("promised to the public: %d %s; by law: %d %s (Administrative License Law, Art. 42, 45)", r.Promised, many, r.Statutory, many)
}
