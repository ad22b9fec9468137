package workday

import (
	"testing"
	"time"
)

func moment(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, Zone)
	if err != nil {
		panic(err)
	}
	return t
}

// case10 was accepted on Monday 2018-10-15 at 10:00 with 7 days promised and 10 by law.
func case10(mode Mode, pauses ...Pause) Input {
	return Input{Division: "441300", Start: moment("2018-10-15 10:00:00"), Promised: 7, Statutory: 10, Mode: mode, Pauses: pauses}
}

func TestReckonDayMode(t *testing.T) {
	supplement := func(from, to string) Pause {
		p := Pause{Kind: PauseSupplement, Start: moment(from)}
		if to != "" {
			p.End = moment(to)
		}
		return p
	}
	excluded := func(limit int, unit Unit, from, to string) Pause {
		p := supplement(from, to)
		p.Kind, p.Limit, p.Unit = PauseExcluded, limit, unit
		return p
	}
	for name, tc := range map[string]struct {
		pauses []Pause
		now    string
		state  RunState
		used   int
		due    string // promised
		law    string
	}{
		"the day of acceptance does not count":   {nil, "2018-10-15 23:59:59", Running, 0, "2018-10-24", "2018-10-29"},
		"the due day itself is not late":         {nil, "2018-10-24 23:59:59", Running, 7, "2018-10-24", "2018-10-29"},
		"one day over":                           {nil, "2018-10-25 00:00:00", Running, 8, "2018-10-24", "2018-10-29"},
		"a supplement runs":                      {[]Pause{supplement("2018-10-17 09:00:00", "")}, "2018-10-30 09:00:00", Paused, 2, "", ""},
		"a supplement moves by its length":       {[]Pause{supplement("2018-10-17 09:00:00", "2018-10-19 09:00:00")}, "2018-10-22 09:00:00", Running, 3, "2018-10-26", "2018-10-31"},
		"a supplement costs at least a day":      {[]Pause{supplement("2018-10-17 09:00:00", "2018-10-17 15:00:00")}, "2018-10-18 09:00:00", Running, 2, "2018-10-25", "2018-10-30"},
		"two short supplements cost two":         {[]Pause{supplement("2018-10-17 09:00:00", "2018-10-17 10:00:00"), supplement("2018-10-17 11:00:00", "2018-10-17 12:00:00")}, "2018-10-22 00:00:00", Running, 3, "2018-10-26", "2018-10-31"},
		"back at the weekend costs Monday":       {[]Pause{supplement("2018-10-19 09:00:00", "2018-10-20 09:00:00")}, "2018-10-22 09:00:00", Running, 4, "2018-10-25", "2018-10-30"},
		"a procedure within its limit":           {[]Pause{excluded(10, WorkingDays, "2018-10-17 09:00:00", "")}, "2018-10-31 09:00:00", Paused, 2, "2018-11-07", "2018-11-12"},
		"ended after 4":                          {[]Pause{excluded(10, WorkingDays, "2018-10-17 09:00:00", "2018-10-23 09:00:00")}, "2018-10-24 09:00:00", Running, 3, "2018-10-30", "2018-11-02"},
		"ended after exactly 10":                 {[]Pause{excluded(10, WorkingDays, "2018-10-17 09:00:00", "2018-10-31 09:00:00")}, "2018-11-01 09:00:00", Running, 3, "2018-11-07", "2018-11-12"},
		"over its limit days fall again":         {[]Pause{excluded(10, WorkingDays, "2018-10-17 09:00:00", "")}, "2018-11-05 09:00:00", Running, 5, "2018-11-07", "2018-11-12"},
		"ended after 13":                         {[]Pause{excluded(10, WorkingDays, "2018-10-17 09:00:00", "2018-11-05 09:00:00")}, "2018-11-06 09:00:00", Running, 6, "2018-11-07", "2018-11-12"},
		"an open end is unknown":                 {[]Pause{excluded(0, WorkingDays, "2018-10-17 09:00:00", "")}, "2019-10-17 09:00:00", Paused, 2, "", ""},
		"10 natural days in a working-day item":  {[]Pause{excluded(10, NaturalDays, "2018-10-17 09:00:00", "")}, "2018-10-29 09:00:00", Running, 3, "2018-11-02", "2018-11-07"},
		"extension by 3":                         {[]Pause{{Kind: PauseExtension, Start: moment("2018-10-22 09:00:00"), Limit: 3}}, "2018-10-23 09:00:00", Running, 6, "2018-10-29", "2018-11-01"},
		"extension not known before it is given": {[]Pause{{Kind: PauseExtension, Start: moment("2018-10-22 09:00:00"), Limit: 3}}, "2018-10-21 09:00:00", Running, 4, "2018-10-24", "2018-10-29"},
		"extension by 7 natural days is 5":       {[]Pause{{Kind: PauseExtension, Start: moment("2018-10-22 09:00:00"), Limit: 7, Unit: NaturalDays}}, "2018-10-23 09:00:00", Running, 6, "2018-10-31", "2018-11-05"},
		"a pause that is not yet known":          {[]Pause{supplement("2018-10-17 09:00:00", "2018-10-19 09:00:00")}, "2018-10-16 09:00:00", Running, 1, "2018-10-24", "2018-10-29"},
		"two procedures at once are not doubled": {[]Pause{excluded(10, WorkingDays, "2018-10-17 09:00:00", "2018-10-19 09:00:00"), excluded(10, WorkingDays, "2018-10-18 09:00:00", "2018-10-19 09:00:00")}, "2018-10-22 09:00:00", Running, 3, "2018-10-26", "2018-10-31"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Reckon(China(), case10(DayMode, tc.pauses...), moment(tc.now))
			if r.State != tc.state || r.Used != tc.used || r.DueKnown != (tc.due != "") {
				t.Fatalf("%+v", r)
			}
			if r.DueKnown && (r.PromisedDue.String() != tc.due || r.StatutoryDue.String() != tc.law || r.Provisional) {
				t.Fatalf("due %s and %s, provisional %v", r.PromisedDue, r.StatutoryDue, r.Provisional)
			}
			if r.PromisedLeft != r.Promised-r.Used || r.StatutoryLeft != r.Statutory-r.Used {
				t.Fatalf("left %d and %d", r.PromisedLeft, r.StatutoryLeft)
			}
		})
	}
}

func TestReckonSecondMode(t *testing.T) {
	three := Pause{Kind: PauseExcluded, Start: moment("2018-10-15 10:00:00"), End: moment("2018-10-18 10:00:00"), Limit: 3}
	for name, tc := range map[string]struct {
		pauses []Pause
		now    string
		used   int
		due    string
	}{
		"at the start":             {nil, "2018-10-15 10:00:00", 0, "2018-10-24"},
		"one second":               {nil, "2018-10-15 10:00:01", 1, "2018-10-24"},
		"four days sharp":          {nil, "2018-10-19 10:00:00", 4, "2018-10-24"},
		"seven days sharp":         {nil, "2018-10-24 10:00:00", 7, "2018-10-24"},
		"a second over":            {nil, "2018-10-24 10:00:01", 8, "2018-10-24"},
		"the night counts nothing": {nil, "2018-10-23 23:00:00", 7, "2018-10-24"},
		"three days taken out":     {[]Pause{three}, "2018-10-24 10:00:01", 5, "2018-10-29"},
		"a short supplement costs a day": {[]Pause{{Kind: PauseSupplement, Start: moment("2018-10-16 10:00:00"), End: moment("2018-10-16 11:00:00")}},
			"2018-10-17 10:00:00", 1, "2018-10-25"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Reckon(China(), case10(SecondMode, tc.pauses...), moment(tc.now))
			if r.Used != tc.used || !r.DueKnown || r.PromisedDue.String() != tc.due {
				t.Fatalf("used %d, due %s (known %v)", r.Used, r.PromisedDue, r.DueKnown)
			}
		})
	}
}

func TestReckonBeforeAndAfter(t *testing.T) {
	in := case10(DayMode)
	if r := Reckon(China(), in, moment("2018-10-15 09:59:59")); r.State != Waiting || r.DueKnown || r.PromisedLeft != 7 {
		t.Errorf("before the start: %+v", r)
	}
	in.Stopped = moment("2018-10-19 10:00:00")
	if r := Reckon(China(), in, moment("2019-10-19 10:00:00")); r.State != Stopped || r.Used != 4 || !r.DueKnown {
		t.Errorf("long after the stop: %+v", r)
	}
	if r := Reckon(China(), in, moment("2018-10-18 10:00:00")); r.State != Running || r.Used != 3 {
		t.Errorf("before the stop: %+v", r)
	}
	if at, ok := ReachedAt(China(), in, 5); ok {
		t.Errorf("a stopped clock goes on to %s", at)
	}
	in.Start = moment("2026-12-28 10:00:00")
	in.Stopped = time.Time{}
	if r := Reckon(China(), in, in.Start); !r.Provisional {
		t.Errorf("past the last notice: %+v", r)
	}
}

func TestReachedAt(t *testing.T) {
	for name, tc := range map[string]struct {
		mode Mode
		n    int
		want string
	}{
		"day mode, midnight":         {DayMode, 8, "2018-10-25 00:00:00"},
		"day mode, over the weekend": {DayMode, 5, "2018-10-22 00:00:00"},
		"nothing is there at once":   {DayMode, 0, "2018-10-15 10:00:00"},
		"second mode, a second over": {SecondMode, 8, "2018-10-24 10:00:01"},
		"second mode, the first":     {SecondMode, 1, "2018-10-15 10:00:01"},
	} {
		t.Run(name, func(t *testing.T) {
			in := case10(tc.mode)
			at, ok := ReachedAt(China(), in, tc.n)
			if !ok || !at.Equal(moment(tc.want)) {
				t.Fatalf("%s, %v", at.In(Zone), ok)
			}
			if r := Reckon(China(), in, at); r.Used < tc.n {
				t.Fatalf("used %d at that moment", r.Used)
			}
			if before := Reckon(China(), in, at.Add(-time.Microsecond)); tc.n > 0 && before.Used >= tc.n {
				t.Fatalf("used %d before that moment", before.Used)
			}
		})
	}
	if at, ok := NextChange(China(), case10(DayMode), moment("2018-10-22 00:00:00"), []int{5, 8, 11}); !ok || !at.Equal(moment("2018-10-25 00:00:00")) {
		t.Errorf("next change %s, %v", at, ok)
	}
	open := Pause{Kind: PauseSupplement, Start: moment("2018-10-17 09:00:00")}
	if _, ok := NextChange(China(), case10(DayMode, open), moment("2018-10-17 09:00:00"), []int{5, 8, 11}); ok {
		t.Error("a paused clock goes on")
	}
}

func TestReceived(t *testing.T) {
	for submitted, want := range map[string]string{
		"2018-10-15 10:00:00": "2018-10-15 10:00:00",
		"2018-10-15 07:00:00": "2018-10-15 07:00:00",
		"2018-10-15 17:00:00": "2018-10-16 09:00:00",
		"2018-10-19 20:00:00": "2018-10-22 09:00:00",
		"2018-10-20 10:00:00": "2018-10-22 09:00:00",
	} {
		if got := Received(China(), "441300", Hours{}, moment(submitted)); !got.Equal(moment(want)) {
			t.Errorf("%s is received %s, want %s", submitted, got.In(Zone), want)
		}
	}
}

func TestExplainDays(t *testing.T) {
	in := case10(DayMode, Pause{Kind: PauseExcluded, Name: "专家评审", Start: moment("2018-10-16 09:00:00"), End: moment("2018-10-18 09:00:00"), Limit: 5})
	days := Explain(China(), in, moment("2018-10-22 09:00:00"))
	if len(days) != 16 || days[15].Date != date("2018-10-31") || days[15].Number != 10 {
		t.Fatalf("%d days, the last %+v", len(days), days[len(days)-1])
	}
	for i, want := range map[int]string{0: "第1个工作日", 1: "专家评审期间，不计入时限", 2: "专家评审期间，不计入时限", 3: "第2个工作日", 4: "周末，不计入时限"} {
		if days[i].Zh != want || days[i].En == "" || days[i].Counted != (days[i].Number > 0) {
			t.Errorf("%s: %+v, want %s", days[i].Date, days[i], want)
		}
	}
	holiday := Input{Start: moment("2026-02-13 10:00:00"), Promised: 2, Statutory: 2}
	days = Explain(China(), holiday, holiday.Start)
	if days[0].Zh != "春节调休上班，第1个工作日" || days[1].Zh != "春节放假，不计入时限" {
		t.Errorf("%+v", days[:2])
	}
}
