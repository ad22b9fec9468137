package workday

import (
	"fmt"
	"math"
	"time"
)

// ExplainedDay is one day of a clock and why it counts or does not.
type ExplainedDay struct {
	Date    Date
	Counted bool
	// Number is the whole days used when the day ends; 0 when it does not count.
	Number int
	// Zh and En are the reason.
	Zh, En string
	// RunZh and RunEn are the reason without the number: days alike in a row share it.
	RunZh, RunEn string
}

// Run is days in a row that count, or do not for one reason.
type Run struct {
	First, Last Date
	Counted     bool
	// FirstNumber and LastNumber are those of the counted days.
	FirstNumber, LastNumber int
	Zh, En                  string
}

// Runs puts days together that are alike.
func Runs(days []ExplainedDay) []Run {
	var all []Run
	for _, d := range days {
		if n := len(all); n > 0 && all[n-1].Zh == d.RunZh && all[n-1].Counted == d.Counted && all[n-1].Last+1 == d.Date {
			all[n-1].Last, all[n-1].LastNumber = d.Date, d.Number
			continue
		}
		all = append(all, Run{First: d.Date, Last: d.Date, Counted: d.Counted, FirstNumber: d.Number, LastNumber: d.Number, Zh: d.RunZh, En: d.RunEn})
	}
	return all
}

// maxExplained bounds an explanation; the longest limits in law are of a year or two.
const maxExplained = 1500

// Explain lists the days of the clock as it stands at now, from the first that can count
// to the later of the due dates, or to now where no due date is known.
func Explain(cal *Calendar, in Input, now time.Time) []ExplainedDay {
	r := Reckon(cal, in, now)
	if r.State == Waiting {
		return nil
	}
	in = in.at(now)
	line := newTimeline(cal, in)
	first, last := DateOf(in.Start), DateOf(now)
	if in.Mode == DayMode {
		first++
	}
	if r.DueKnown {
		last = max(r.PromisedDue, r.StatutoryDue)
	}
	var days []ExplainedDay
	before := int64(0)
	for d := first; d <= last && len(days) < maxExplained; d++ {
		net := line.net(line.endOf(d))
		day := line.explain(in, d, net > before, line.days(net))
		if day.RunZh == "" {
			day.RunZh, day.RunEn = day.Zh, day.En
		}
		days = append(days, day)
		before = net
	}
	return days
}

// endOf is the point at which a date is over.
func (l *timeline) endOf(d Date) int64 {
	if l.mode == DayMode {
		return int64(d)
	}
	return StartOfDay(d + 1).UnixMicro()
}

func (l *timeline) explain(in Input, d Date, counted bool, number int) ExplainedDay {
	day := ExplainedDay{Date: d, Counted: counted}
	kind, name := l.cal.ExplainIn(l.division, d)
	if l.unit == WorkingDays && (kind == Weekend || kind == Off || kind == Closed) {
		day.Zh, day.En = offReason(kind, name)
		return day
	}
	if counted {
		day.Number = number
		if kind == Makeup && d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			kind = Ordinary // a notice may say so of a plain Monday
		}
		day.Zh, day.En = countedReason(l.unit, kind, name, number)
		day.RunZh, day.RunEn = countedRun(l.unit, kind, name)
		return day
	}
	day.Zh, day.En = "因补正顺延，不计入时限", "put off by the supplement, does not count"
	for _, p := range in.Pauses {
		if p.Kind != PauseExtension && l.covers(p, d) {
			day.Zh, day.En = pauseReason(p)
			return day
		}
	}
	if l.mode == SecondMode && DateOf(in.Start) == d {
		day.Zh, day.En = "起算时当日已过办公时间，不计入时限", "the hall had closed when the clock started, does not count"
	}
	return day
}

// covers reports whether the pause takes the date out.
func (l *timeline) covers(p Pause, d Date) bool {
	end := int64(math.MaxInt64)
	if !p.End.IsZero() {
		end = l.at(p.End)
	}
	if planned, ok := l.planned(p); ok {
		end = min(end, planned)
	}
	return l.at(p.Start) < l.endOf(d) && (l.mode == DayMode && int64(d) <= end || l.mode == SecondMode && StartOfDay(d).UnixMicro() < end)
}

func offReason(kind Kind, name string) (zh, en string) {
	switch {
	case kind == Closed && name != "":
		return name + "，本地停止办公，不计入时限", "the hall is closed locally (" + name + "), does not count"
	case kind == Closed:
		return "本地停止办公，不计入时限", "the hall is closed locally, does not count"
	case kind == Off && name != "":
		return name + "放假，不计入时限", "public holiday (" + name + "), does not count"
	default:
		return "周末，不计入时限", "weekend, does not count"
	}
}

func countedReason(unit Unit, kind Kind, name string, number int) (zh, en string) {
	switch {
	case unit == NaturalDays:
		return fmt.Sprintf("第%d个自然日", number), fmt.Sprintf("natural day %d", number)
	case kind == Makeup:
		return fmt.Sprintf("%s调休上班，第%d个工作日", name, number), fmt.Sprintf("made-up working day (%s), working day %d", name, number)
	default:
		return fmt.Sprintf("第%d个工作日", number), fmt.Sprintf("working day %d", number)
	}
}

// countedRun is countedReason without the number.
func countedRun(unit Unit, kind Kind, name string) (zh, en string) {
	switch {
	case unit == NaturalDays:
		return "自然日，计入时限", "natural days, count"
	case kind == Makeup:
		return name + "调休上班，计入时限", "made-up working day (" + name + "), counts"
	default:
		return "工作日，计入时限", "working days, count"
	}
}

func pauseReason(p Pause) (zh, en string) {
	if p.Kind == PauseSupplement {
		return "等待申请人补正，不计入时限", "waiting for the applicant's supplement, does not count"
	}
	name := p.Name
	if name == "" {
		name = "特别程序"
	}
	return name + "期间，不计入时限", "during the procedure " + name + ", does not count"
}
