package workday

import (
	"slices"
	"time"
)

// Unit is what a limit is counted in.
type Unit int8

// The units.
const (
	WorkingDays Unit = iota // 工作日
	NaturalDays             // 自然日
)

// Mode is how a division counts the days that have passed. Both are in real use.
type Mode int8

// The modes.
const (
	// DayMode counts whole days; the day of the start does not count (Guangdong).
	DayMode Mode = iota
	// SecondMode counts opening time by the second and rounds up to days, so that one
	// second over is a day more (Hunan).
	SecondMode
)

// PauseKind is why a clock is held up or lengthened.
type PauseKind int8

// The kinds of pauses.
const (
	// PauseSupplement waits for the applicant after acceptance (补正). The due date moves
	// by the real length, at least one day.
	PauseSupplement PauseKind = iota
	// PauseExcluded is a procedure whose time does not count (kind B, Art. 45), within
	// its own limit if it has one.
	PauseExcluded
	// PauseExtension adds its days to the limits and stops nothing (kind A, Art. 42).
	PauseExtension
)

// Pause is one supplement, procedure or extension.
type Pause struct {
	Kind PauseKind
	// Name is shown where days are explained, as 专家评审.
	Name string
	// Start is when it began; End when it ended, zero while it runs.
	Start, End time.Time
	// Limit is the planned length in Unit; 0 leaves the end open.
	Limit int
	Unit  Unit
}

// Input is everything a clock depends on besides the calendar.
type Input struct {
	// Division whose calendar counts.
	Division string
	// Start is the acceptance; zero when the clock has not started.
	Start time.Time
	// Stopped is when the clock stopped for good, by a decision or otherwise; zero while it has not.
	Stopped time.Time
	// Promised and Statutory are the limits in days of Unit.
	Promised, Statutory int
	Unit                Unit
	Pauses              []Pause
	Mode                Mode
	// Hours matter in SecondMode.
	Hours Hours
}

// RunState says whether a clock runs.
type RunState string

// The states of a clock.
const (
	Waiting RunState = "waiting" // not started
	Running RunState = "running"
	Paused  RunState = "paused"
	Stopped RunState = "stopped"
)

// Reckoning is how a clock stands at one moment.
type Reckoning struct {
	State RunState
	// Used is the whole days used, rounded up, pauses left out.
	Used int
	// Promised and Statutory are the limits with extensions added.
	Promised, Statutory int
	// PromisedLeft and StatutoryLeft are the days left, negative when late.
	PromisedLeft, StatutoryLeft int
	// PromisedDue and StatutoryDue are the last days; they mean nothing unless DueKnown.
	PromisedDue, StatutoryDue Date
	// DueKnown is false before the start and while a pause of open end runs.
	DueKnown bool
	// Provisional tells that a due date rests on days without a published calendar.
	Provisional bool
}

// Reckon tells how the clock stands at now. What happened after now is left out of
// account: a pause that ends later still runs, and one that begins later is not known.
// So the same history may be asked for any moment of the past.
func Reckon(cal *Calendar, in Input, now time.Time) Reckoning {
	in = in.at(now)
	r := Reckoning{State: Waiting, Promised: in.Promised, Statutory: in.Statutory}
	if in.Start.IsZero() || now.Before(in.Start) {
		r.PromisedLeft, r.StatutoryLeft = r.Promised, r.Statutory
		return r
	}
	added := Added(cal, in)
	r.Promised += added
	r.Statutory += added
	line := newTimeline(cal, in)
	end := now
	if !in.Stopped.IsZero() {
		end = in.Stopped
	}
	r.Used = line.days(line.net(line.at(end)))
	r.PromisedLeft, r.StatutoryLeft = r.Promised-r.Used, r.Statutory-r.Used
	r.State = in.state(line, now)
	var p, s int64
	var ok bool
	if p, ok = line.reach(int64(r.Promised) * line.perDay); ok {
		s, ok = line.reach(int64(r.Statutory) * line.perDay)
	}
	if ok && !line.open {
		r.PromisedDue, r.StatutoryDue, r.DueKnown = line.date(p), line.date(s), true
		r.Provisional = in.Unit == WorkingDays && !(cal.Known(r.PromisedDue) && cal.Known(r.StatutoryDue))
	}
	return r
}

// ReachedAt is the exact moment at which Used first is n or more, if nothing but time
// happens from now on; false if it never is. In DayMode it is the midnight in China that
// begins the day, in SecondMode the first second over.
func ReachedAt(cal *Calendar, in Input, n int) (time.Time, bool) {
	if in.Start.IsZero() {
		return time.Time{}, false
	}
	in = in.closed()
	at := in.Start
	if n > 0 {
		line := newTimeline(cal, in)
		x, ok := line.reach(line.threshold(n))
		if !ok {
			return time.Time{}, false
		}
		at = line.moment(x)
	}
	if !in.Stopped.IsZero() && at.After(in.Stopped) {
		return time.Time{}, false
	}
	return at, true
}

// NextChange is the first moment after now at which Used reaches one of the thresholds.
func NextChange(cal *Calendar, in Input, now time.Time, thresholds []int) (time.Time, bool) {
	var first time.Time
	for _, n := range thresholds {
		if at, ok := ReachedAt(cal, in, n); ok && at.After(now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, !first.IsZero()
}

// Received is when a submission counts as received: at once within the opening days up
// to closing time, else when the hall opens next.
func Received(cal *Calendar, division string, h Hours, submitted time.Time) time.Time {
	day := DateOf(submitted)
	spans := h.all()
	if cal.IsWorkday(division, day) && submitted.Sub(StartOfDay(day)) < spans[len(spans)-1].To {
		return submitted
	}
	next, _ := cal.Add(division, day, 1)
	return StartOfDay(next).Add(spans[0].From)
}

// at is the input as it was known at the moment.
func (in Input) at(now time.Time) Input {
	if in.Stopped.After(now) {
		in.Stopped = time.Time{}
	}
	pauses := in.Pauses
	in.Pauses = nil
	for _, p := range pauses {
		if p.Start.After(now) {
			continue
		}
		if p.End.After(now) {
			p.End = time.Time{}
		}
		in.Pauses = append(in.Pauses, p)
	}
	return in.closed()
}

// closed ends the pauses that a stopped clock left open: nothing waits for them.
func (in Input) closed() Input {
	if in.Stopped.IsZero() {
		return in
	}
	in.Pauses = slices.Clone(in.Pauses)
	for i := range in.Pauses {
		if p := &in.Pauses[i]; p.End.IsZero() || p.End.After(in.Stopped) {
			p.End = in.Stopped
		}
	}
	return in
}

// Added is the days that extensions add, in the unit of the limits. One given in the
// other unit is converted on the calendar from the day it was granted.
func Added(cal *Calendar, in Input) int {
	total := 0
	for _, p := range in.Pauses {
		if p.Kind != PauseExtension || p.Limit <= 0 {
			continue
		}
		start := DateOf(p.Start)
		switch {
		case p.Unit == in.Unit:
			total += p.Limit
		case p.Unit == NaturalDays:
			total += cal.Count(in.Division, start, start+Date(p.Limit))
		default:
			end, _ := cal.Add(in.Division, start, p.Limit)
			total += int(end - start)
		}
	}
	return total
}

func (in Input) state(line *timeline, now time.Time) RunState {
	if !in.Stopped.IsZero() {
		return Stopped
	}
	for _, p := range in.Pauses {
		if p.Kind == PauseExtension || !p.End.IsZero() {
			continue
		}
		if end, planned := line.planned(p); !planned || line.at(now) <= end {
			return Paused
		}
	}
	return Running
}
