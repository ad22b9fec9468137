package workday

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The model is a second reading of the rules, made to be compared with Reckon. It shares
// no code with it: it walks from day to day, or from second to second by stretches in
// which nothing changes, and asks of each whether it counts. It has its own calendar: a
// table of days, into which notices are written in the order they came.
type model struct {
	table []bool // whether a day works, from modelFirst on
	// said is what each layer said last of a day: the country, the province, the city.
	said [3]map[int]bool
}

// modelFirst and modelDays bound the table; histories begin 2012 to 2026.
var modelFirst = time.Date(2011, 1, 1, 0, 0, 0, 0, Zone)

const modelDays = 22 * 366

func newModel(t *testing.T) *model {
	r := csv.NewReader(strings.NewReader(chinaCSV))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m := &model{table: make([]bool, modelDays)}
	for i := range m.table {
		day := modelFirst.AddDate(0, 0, i).Weekday()
		m.table[i] = day != time.Saturday && day != time.Sunday
	}
	for _, row := range rows[1:] {
		day, err := time.ParseInLocation("2006-01-02", row[0], Zone)
		if err != nil {
			t.Fatal(err)
		}
		m.table[m.index(day)] = row[1] == "makeup"
	}
	return m
}

func (m *model) index(day time.Time) int { return int((day.Unix() - modelFirst.Unix()) / 86400) }

func (m *model) works(day time.Time) bool { return m.table[m.index(day)] }

// age is a calendar as it stood once some late notices and closures had come, in both
// readings: the city's closures, days off of the province, days made up of the country.
func age(t *testing.T, r *rand.Rand, m *model, c *Calendar) (*model, *Calendar) {
	m = &model{table: slices.Clone(m.table), said: [3]map[int]bool{{}, {}, {}}}
	for range 30 {
		day := time.Date(2012, 1, 1, 0, 0, 0, 0, Zone).AddDate(0, 0, r.IntN(365*15))
		n := Notice{Title: "通知"}
		kind := Off
		switch r.IntN(4) {
		case 0:
			kind = Makeup
		case 1:
			n.Division, kind = "441300", Closed
		case 2:
			n.Division = "440000"
		}
		for i := range 1 + r.IntN(4) {
			n.Days = append(n.Days, Change{Date: DateOf(day.AddDate(0, 0, i)), Kind: kind, Name: "通知"})
		}
		next, err := c.With(n)
		if err != nil {
			continue // a year with too many changes
		}
		c = next
		for _, d := range n.Days {
			m.written(n.Division, d)
		}
	}
	return m, c
}

// written notes a day of a notice. Of what the layers said the narrowest holds.
func (m *model) written(division string, d Change) {
	day, err := time.ParseInLocation("2006-01-02", d.Date.String(), Zone)
	if err != nil {
		panic(err) // it was printed above
	}
	i := m.index(day)
	m.said[map[string]int{"": 0, "440000": 1, "441300": 2}[division]][i] = d.Kind == Makeup
	for _, layer := range m.said {
		if works, ok := layer[i]; ok {
			m.table[i] = works
		}
	}
}

func midnight(t time.Time) time.Time {
	y, mo, d := t.In(Zone).Date()
	return time.Date(y, mo, d, 0, 0, 0, 0, Zone)
}

// verdict is what the model says; dues are empty when not known.
type verdict struct {
	state        RunState
	used         int
	left, lawful int
	due, law     string
}

// spell is a pause as it is known at the moment asked for.
type spell struct {
	supplement bool
	from       time.Time
	to         time.Time // zero: no end known
	ended      bool
	limit      time.Time // end of the planned length; zero: none
}

// known gives the pauses known at the moment, and the days that extensions add.
func (m *model) known(in Input, now time.Time) (spells []spell, added int) {
	for _, p := range in.Pauses {
		if p.Start.After(now) {
			continue
		}
		if p.Kind == PauseExtension {
			added += m.convert(p, in.Unit)
			continue
		}
		s := spell{supplement: p.Kind == PauseSupplement, from: p.Start}
		if !p.End.IsZero() && !p.End.After(now) {
			s.to, s.ended = p.End, true
		}
		if !in.Stopped.IsZero() && !in.Stopped.After(now) && (!s.ended || s.to.After(in.Stopped)) {
			s.to, s.ended = in.Stopped, true
		}
		if p.Kind == PauseExcluded && p.Limit > 0 {
			s.limit = m.planned(in, p)
		}
		spells = append(spells, s)
	}
	return spells, added
}

// convert counts an extension in the unit of the case.
func (m *model) convert(p Pause, unit Unit) int {
	own, other := 0, 0
	for day := midnight(p.Start); own < p.Limit; {
		day = day.AddDate(0, 0, 1)
		if p.Unit == NaturalDays || m.works(day) {
			own++
		}
		if unit == NaturalDays || m.works(day) {
			other++
		}
	}
	return other
}

// planned is the last day (day mode) or moment (second mode) within a procedure's limit.
func (m *model) planned(in Input, p Pause) time.Time {
	if in.Mode == SecondMode {
		end := p.Start
		m.walk(in, p.Unit, p.Start, nil, time.Duration(p.Limit)*m.dayLength(in, p.Unit), func(at time.Time) { end = at })
		return end
	}
	day := midnight(p.Start)
	for n := 0; n < p.Limit; {
		day = day.AddDate(0, 0, 1)
		if p.Unit == NaturalDays || m.works(day) {
			n++
		}
	}
	return day
}

func (m *model) dayLength(in Input, unit Unit) time.Duration {
	if unit == NaturalDays {
		return 24 * time.Hour
	}
	total := time.Duration(0)
	for _, s := range in.Hours.Spans() {
		total += s.To - s.From
	}
	return total
}

func (m *model) judge(in Input, now time.Time) verdict {
	v := verdict{state: Waiting, left: in.Promised, lawful: in.Statutory}
	if in.Start.IsZero() || now.Before(in.Start) {
		return v
	}
	spells, added := m.known(in, now)
	promised, statutory := in.Promised+added, in.Statutory+added
	end := now
	v.state = Running
	open := false
	for _, s := range spells {
		if s.ended {
			continue
		}
		open = open || s.limit.IsZero()
		if s.limit.IsZero() || in.Mode == DayMode && !midnight(now).After(s.limit) || in.Mode == SecondMode && !now.After(s.limit) {
			v.state = Paused
		}
	}
	if !in.Stopped.IsZero() && !in.Stopped.After(now) {
		v.state, end = Stopped, in.Stopped
	}
	if in.Mode == DayMode {
		v.used = m.daysTo(in, spells, midnight(end))
	} else {
		v.used = m.secondsTo(in, spells, end)
	}
	v.left, v.lawful = promised-v.used, statutory-v.used
	if !open {
		v.due, v.law = m.due(in, spells, promised), m.due(in, spells, statutory)
	}
	return v
}

// frozen tells whether a day lies within a spell: after the day it began, up to the day
// it ended or its limit ran out.
func frozen(spells []spell, day time.Time) bool {
	for _, s := range spells {
		if day.After(midnight(s.from)) && (!s.ended || !day.After(midnight(s.to))) && (s.limit.IsZero() || !day.After(s.limit)) {
			return true
		}
	}
	return false
}

// owing tells how many spells ended before the day without having cost a single one,
// though a supplement costs at least one.
func (m *model) owing(in Input, spells []spell, day time.Time) int {
	n := 0
	for _, s := range spells {
		if !s.supplement || !s.ended || !midnight(s.to).Equal(day) {
			continue
		}
		cost := 0
		for d := midnight(s.from).AddDate(0, 0, 1); !d.After(midnight(s.to)); d = d.AddDate(0, 0, 1) {
			if in.Unit == NaturalDays || m.works(d) {
				cost++
			}
		}
		if cost == 0 {
			n++
		}
	}
	return n
}

// each walks the counted days after the start until stop says so.
func (m *model) each(in Input, spells []spell, last time.Time, counted func(day time.Time) (stop bool)) {
	day := midnight(in.Start)
	owed := m.owing(in, spells, day)
	for {
		day = day.AddDate(0, 0, 1)
		if !last.IsZero() && day.After(last) {
			return
		}
		switch {
		case in.Unit == WorkingDays && !m.works(day), frozen(spells, day):
		case owed > 0:
			owed--
		case counted(day):
			return
		}
		owed += m.owing(in, spells, day)
	}
}

func (m *model) daysTo(in Input, spells []spell, last time.Time) int {
	n := 0
	m.each(in, spells, last, func(time.Time) bool { n++; return false })
	return n
}

func (m *model) due(in Input, spells []spell, limit int) string {
	due := in.Start.In(Zone)
	if limit > 0 && in.Mode == DayMode {
		m.each(in, spells, time.Time{}, func(day time.Time) bool { due = day; limit--; return limit == 0 })
	}
	if limit > 0 && in.Mode == SecondMode {
		m.walk(in, in.Unit, in.Start, spells, time.Duration(limit)*m.dayLength(in, in.Unit), func(at time.Time) { due = at.In(Zone) })
	}
	return due.Format("2006-01-02")
}

func (m *model) secondsTo(in Input, spells []spell, end time.Time) int {
	// The walk ends at a limit, so it is told to stop at a moment by having it counted up to.
	total := m.walkTo(in, in.Unit, in.Start, spells, end)
	seconds, day := int(total/time.Second), int(m.dayLength(in, in.Unit)/time.Second)
	days := seconds / day
	if seconds%day > 0 {
		days++
	}
	return days
}

// stretches gives the open stretches of a day.
func (m *model) stretches(in Input, unit Unit, day time.Time) [][2]time.Time {
	if unit == NaturalDays {
		return [][2]time.Time{{day, day.AddDate(0, 0, 1)}}
	}
	if !m.works(day) {
		return nil
	}
	var all [][2]time.Time
	for _, s := range in.Hours.Spans() {
		all = append(all, [2]time.Time{day.Add(s.From), day.Add(s.To)})
	}
	return all
}

// debt is what a supplement that ended owes to the day it costs at least.
func (m *model) debt(in Input, s spell) time.Duration {
	if !s.supplement || !s.ended {
		return 0
	}
	return max(0, m.dayLength(in, in.Unit)-m.walkTo(in, in.Unit, s.from, nil, s.to))
}

// walkTo adds up what counts from a moment to another.
func (m *model) walkTo(in Input, unit Unit, from time.Time, spells []spell, to time.Time) time.Duration {
	total := time.Duration(0)
	m.pieces(in, unit, from, spells, to, func(_ time.Time, length time.Duration) bool { total += length; return false })
	return total
}

// walk finds the moment at which want has been counted.
func (m *model) walk(in Input, unit Unit, from time.Time, spells []spell, want time.Duration, found func(time.Time)) {
	m.pieces(in, unit, from, spells, time.Time{}, func(start time.Time, length time.Duration) bool {
		if length < want {
			want -= length
			return false
		}
		found(start.Add(want))
		return true
	})
}

// pieces walks the stretches that count. Within a piece nothing begins or ends.
func (m *model) pieces(in Input, unit Unit, from time.Time, spells []spell, to time.Time, piece func(time.Time, time.Duration) bool) {
	owed := time.Duration(0)
	paid := make([]bool, len(spells))
	for day := midnight(from); to.IsZero() || day.Before(to); day = day.AddDate(0, 0, 1) {
		for _, open := range m.stretches(in, unit, day) {
			for at := open[0]; at.Before(open[1]); {
				next := open[1]
				cut := func(t time.Time) {
					if t.After(at) && t.Before(next) {
						next = t
					}
				}
				cut(from)
				cut(to)
				still := false
				for i, s := range spells {
					cut(s.from)
					cut(s.to)
					cut(s.limit)
					if s.ended && !at.Before(s.to) && !at.Before(from) && !paid[i] {
						paid[i] = true
						owed += m.debt(in, s)
					}
					still = still || !at.Before(s.from) && (!s.ended || at.Before(s.to)) && (s.limit.IsZero() || at.Before(s.limit))
				}
				length := next.Sub(at)
				switch {
				case at.Before(from) || !to.IsZero() && !at.Before(to) || still:
				case owed >= length:
					owed -= length
				default:
					if piece(at.Add(owed), length-owed) {
						return
					}
					owed = 0
				}
				at = next
			}
		}
	}
}

// history makes up a case.
func history(r *rand.Rand, mode Mode) Input {
	minutes := func(days int) time.Duration {
		d := time.Duration(r.IntN(days*24*60)) * time.Minute
		if r.IntN(3) == 0 {
			d += time.Duration(r.IntN(60)) * time.Second
		}
		return d
	}
	in := Input{Division: "441300", Mode: mode, Unit: Unit(r.IntN(4) / 3), Promised: r.IntN(25)}
	in.Statutory = in.Promised + r.IntN(20)
	in.Start = time.Date(2012, 1, 1, 0, 0, 0, 0, Zone).Add(minutes(365 * 14))
	if r.IntN(2) == 0 { // mostly within opening hours
		in.Start = midnight(in.Start).Add(9*time.Hour + time.Duration(r.IntN(180))*time.Minute)
	}
	at := in.Start
	for range r.IntN(5) {
		p := Pause{Kind: PauseKind(r.IntN(3)), Start: at.Add(minutes(8))}
		if r.IntN(4) > 0 {
			p.End = p.Start.Add(minutes([]int{1, 2, 25}[r.IntN(3)]))
			at = p.End
		}
		if p.Kind != PauseSupplement {
			p.Limit, p.Unit = r.IntN(12), Unit(r.IntN(2))
		}
		in.Pauses = append(in.Pauses, p)
	}
	if r.IntN(3) == 0 {
		in.Stopped = in.Start.Add(minutes(60))
	}
	return in
}

// moments are when a history is looked at: anywhere, and where something happens.
func moments(r *rand.Rand, in Input, n int) []time.Time {
	var marks []time.Time
	for _, p := range in.Pauses {
		marks = append(marks, p.Start, p.End)
	}
	marks = append(marks, in.Start, in.Stopped)
	all := make([]time.Time, n)
	for i := range all {
		all[i] = in.Start.Add(time.Duration(r.IntN(70*24*3600)-3600) * time.Second)
		if mark := marks[r.IntN(len(marks))]; i%4 == 0 && !mark.IsZero() {
			all[i] = mark.Add(time.Duration(r.IntN(3)-1) * time.Second)
		}
	}
	return all
}

// TestReckonAgainstModel compares a million pairs of a history and a moment in CI, and a
// tenth of that elsewhere, by calendars of different ages.
func TestReckonAgainstModel(t *testing.T) {
	histories := 5_000
	const looks, ages = 20, 50
	if os.Getenv("CI") == "true" {
		histories = 50_000
	}
	first := newModel(t)
	var group sync.WaitGroup
	for worker := range ages {
		m, c := first, China()
		if worker > 0 {
			m, c = age(t, rand.New(rand.NewPCG(uint64(worker), 20200127)), first, c)
		}
		group.Add(1)
		go func() {
			defer group.Done()
			for seed := worker; seed < histories; seed += ages {
				if !m.agrees(t, c, uint64(seed), looks) {
					return
				}
			}
		}()
		if worker%2 == 1 {
			group.Wait() // two at a time
		}
	}
	group.Wait()
	t.Logf("%d histories and moments by %d calendars, no difference", histories*looks, ages)
}

// agrees compares the two readings of one history.
func (m *model) agrees(t *testing.T, c *Calendar, seed uint64, looks int) bool {
	r := rand.New(rand.NewPCG(seed, 20141001))
	in := history(r, Mode(seed/50%2))
	for _, now := range moments(r, in, looks) {
		got := Reckon(c, in, now)
		v := verdict{state: got.State, used: got.Used, left: got.PromisedLeft, lawful: got.StatutoryLeft}
		if got.DueKnown {
			v.due, v.law = got.PromisedDue.String(), got.StatutoryDue.String()
		}
		if want := m.judge(in, now); v != want {
			t.Errorf("seed %d at %s by %s:\n got %+v\nwant %+v\n%s", seed, now.In(Zone), c.Version(), v, want, describe(in))
			return false
		}
	}
	// A moment found by ReachedAt is the first at which the days are used.
	n := 1 + r.IntN(in.Promised+2)
	if at, ok := ReachedAt(c, in, n); ok {
		if before, then := m.judge(in, at.Add(-time.Second)).used, m.judge(in, at).used; before >= n || then < n {
			t.Errorf("seed %d: %d days reached at %s, used %d before and %d then\n%s", seed, n, at.In(Zone), before, then, describe(in))
			return false
		}
	}
	return true
}

func describe(in Input) string {
	text := fmt.Sprintf("mode %d, unit %d, promised %d, statutory %d, start %s, stopped %s", in.Mode, in.Unit, in.Promised, in.Statutory,
		in.Start.In(Zone), in.Stopped.In(Zone))
	for _, p := range in.Pauses {
		text += fmt.Sprintf("\n  kind %d, %s to %s, limit %d of unit %d", p.Kind, p.Start.In(Zone), p.End.In(Zone), p.Limit, p.Unit)
	}
	return text
}
