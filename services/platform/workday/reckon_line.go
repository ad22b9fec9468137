package workday

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// timeline measures the time of one clock. Its points are dates in DayMode and
// microseconds in SecondMode; a stretch from a to b is what lies after a, up to and
// including b, so that in DayMode the day of the start does not count.
type timeline struct {
	cal      *Calendar
	division string
	hours    Hours
	unit     Unit
	mode     Mode
	perDay   int64
	start    int64
	// skips are the stretches left out, in order, apart from each other.
	skips []stretch
	// open tells that the last skip has no end in sight.
	open bool
}

type stretch struct{ from, to int64 }

const microsPerSecond = int64(time.Second / time.Microsecond)

func newTimeline(cal *Calendar, in Input) *timeline {
	l := &timeline{cal: cal, division: in.Division, hours: in.Hours, unit: in.Unit, mode: in.Mode, perDay: 1}
	if in.Mode == SecondMode {
		l.perDay = secondsPerDay * microsPerSecond
		if in.Unit == WorkingDays {
			l.perDay = in.Hours.Day().Microseconds()
		}
	}
	l.start = l.at(in.Start)
	var supplements []stretch
	for _, p := range in.Pauses {
		if p.Kind == PauseExtension {
			continue
		}
		s := stretch{l.at(p.Start), math.MaxInt64}
		if !p.End.IsZero() {
			s.to = l.at(p.End)
		}
		if end, ok := l.planned(p); ok {
			s.to = min(s.to, end)
		}
		if p.Kind == PauseSupplement && s.to != math.MaxInt64 {
			supplements = append(supplements, s)
		}
		l.skip(s)
	}
	// Last, because the day a short supplement costs at least is a day of its own: one
	// that no procedure takes out already.
	slices.SortStableFunc(supplements, func(a, b stretch) int { return cmp.Compare(a.to, b.to) })
	for _, s := range supplements {
		if short := l.perDay - l.measure(s.from, s.to); short > 0 {
			end, ok := l.reachFrom(max(s.to, l.start), short)
			if !ok {
				end = math.MaxInt64 // a pause of open end begins before the day is over
			}
			l.skip(stretch{s.to, end})
		}
	}
	return l
}

// planned is where a procedure with a limit should end.
func (l *timeline) planned(p Pause) (int64, bool) {
	if p.Kind != PauseExcluded || p.Limit <= 0 {
		return 0, false
	}
	own := *l
	own.unit = p.Unit
	length := int64(p.Limit)
	switch {
	case l.mode == SecondMode && p.Unit == NaturalDays:
		length *= secondsPerDay * microsPerSecond
	case l.mode == SecondMode:
		length *= l.hours.Day().Microseconds()
	}
	return own.add(l.at(p.Start), length), true
}

// skip leaves a stretch out, merging it with those it touches.
func (l *timeline) skip(s stretch) {
	s.from = max(s.from, l.start)
	if s.to <= s.from {
		return
	}
	all := append(l.skips, s)
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	merged := all[:1]
	for _, next := range all[1:] {
		if last := &merged[len(merged)-1]; next.from <= last.to {
			last.to = max(last.to, next.to)
		} else {
			merged = append(merged, next)
		}
	}
	l.skips = merged
	l.open = merged[len(merged)-1].to == math.MaxInt64
}

// net is what counts of the time from the start to x.
func (l *timeline) net(x int64) int64 {
	if x <= l.start {
		return 0
	}
	total := int64(0)
	from := l.start
	for _, s := range l.skips {
		if s.from >= x {
			break
		}
		total += l.measure(from, s.from)
		if s.to >= x {
			return total
		}
		from = s.to
	}
	return total + l.measure(from, x)
}

// reach is the first point at which net is m; false if it never is.
func (l *timeline) reach(m int64) (int64, bool) { return l.reachFrom(l.start, m) }

// reachFrom is reach with net counted from a point.
func (l *timeline) reachFrom(from, m int64) (int64, bool) {
	if m <= 0 {
		return from, true
	}
	for _, s := range l.skips {
		if s.to <= from {
			continue
		}
		if s.from > from {
			part := l.measure(from, s.from)
			if m <= part {
				return l.add(from, m), true
			}
			m -= part
		}
		if s.to == math.MaxInt64 {
			return 0, false
		}
		from = s.to
	}
	return l.add(from, m), true
}

// threshold is the net time at which the days used become n, at least 1.
func (l *timeline) threshold(n int) int64 {
	if l.mode == DayMode {
		return int64(n)
	}
	return int64(n-1)*l.perDay + microsPerSecond
}

// days is a net time in days, rounded up. In SecondMode a second counts once it is full.
func (l *timeline) days(net int64) int {
	if l.mode == DayMode {
		return int(net)
	}
	whole := net - net%microsPerSecond
	return int((whole + l.perDay - 1) / l.perDay)
}

func (l *timeline) at(t time.Time) int64 {
	if l.mode == DayMode {
		return int64(DateOf(t))
	}
	return t.UnixMicro()
}

func (l *timeline) moment(x int64) time.Time {
	if l.mode == DayMode {
		return StartOfDay(Date(x)).UTC()
	}
	return time.UnixMicro(x).UTC()
}

func (l *timeline) date(x int64) Date {
	if l.mode == DayMode {
		return Date(x)
	}
	return DateOf(time.UnixMicro(x))
}

// measure is the time of the unit from a to b, pauses or not.
func (l *timeline) measure(a, b int64) int64 {
	switch {
	case b <= a:
		return 0
	case l.unit == NaturalDays:
		return b - a
	case l.mode == DayMode:
		return int64(l.cal.Count(l.division, Date(a), Date(b)))
	default:
		return l.cal.WorkingTime(l.division, l.hours, time.UnixMicro(a), time.UnixMicro(b)).Microseconds()
	}
}

// add is the first point at which m of the unit has passed since a.
func (l *timeline) add(a, m int64) int64 {
	switch {
	case l.unit == NaturalDays:
		return a + m
	case l.mode == DayMode:
		d, _ := l.cal.Add(l.division, Date(a), int(m))
		return int64(d)
	default:
		t, _ := l.cal.AddWorkingTime(l.division, l.hours, time.UnixMicro(a), time.Duration(m)*time.Microsecond)
		return t.UnixMicro()
	}
}
