package rules

import (
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/workday"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, workday.Zone)
	if err != nil {
		panic(err)
	}
	return t
}

func preset(t *testing.T, name string) *Preset {
	t.Helper()
	p, err := PresetByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func policy(t *testing.T, name string) Policy {
	return Policy{Preset: preset(t, name), Calendar: workday.China(), Hall: workday.DefaultPolicy(), OnDuty: []string{"duty"}}
}

func nothing(string) bool { return false }

// raised are the findings of a case up to a moment, as key@moment.
func raised(p Policy, f *Facts, until time.Time) []string {
	all := []string{}
	for _, pending := range p.Pending(f, nothing) {
		if !pending.At.After(until) {
			all = append(all, pending.Key+"@"+pending.At.In(workday.Zone).Format("01-02 15:04"))
		}
	}
	return all
}

// The worked examples of the provincial rule text, in seconds of working time.
func TestVectors(t *testing.T) {
	file, err := os.Open("testdata/supervision_vectors.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) != 11 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	kinds := map[string]string{"case": ClockCase, "special_procedure": ClockSpecial, "online_pre_acceptance": ClockPreAccept,
		"consult": ClockConsult, "complaint": ClockComplaint}
	p := policy(t, DefaultPreset)
	for i, row := range rows[1:] {
		moment := func(s string) time.Time {
			m, err := time.ParseInLocation("2006-01-02T15:04:05", s, workday.Zone)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		number := func(s string) int {
			if s == "" {
				return 0
			}
			n, err := strconv.Atoi(s)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		in := workday.Input{Start: moment(row[1]), Promised: number(row[2]), Statutory: number(row[3]), Mode: workday.SecondMode}
		if days := number(row[4]); days > 0 {
			end, _ := p.Calendar.AddWorkingTime("", in.Hours, in.Start, time.Duration(days)*in.Hours.Day())
			in.Pauses = []workday.Pause{{Kind: workday.PauseExcluded, Start: in.Start, End: end, Limit: days}}
		}
		now, level := moment(row[5]), None
		for _, th := range p.Preset.Thresholds[kinds[row[0]]] {
			if when, ok := p.reached(clock{kind: kinds[row[0]], in: in}, th); ok && !when.After(now) {
				level = max(level, th.Level)
			}
		}
		want := row[6]
		if want == "none" {
			want = ""
		}
		if level.String() != want {
			t.Errorf("row %d (%s): %q, want %q", i+1, row[0], level, want)
		}
	}
}

// accepted is a case received and accepted on Monday 2018-10-15 at 10:00 with 7 days
// promised and 10 by law.
func accepted(change func(f *Facts)) *Facts {
	f := &Facts{Division: "441300", Promised: 7, Statutory: 10, Submitted: at("2018-10-15 10:00:00"), Accepted: at("2018-10-15 10:00:00")}
	if change != nil {
		change(f)
	}
	return f
}

// flow is an accepted case, without limits of its own, of an item whose flow gives one
// day to undertake and two to examine.
func flow(change func(f *Facts)) *Facts {
	return accepted(func(f *Facts) {
		f.Promised, f.Statutory = 0, 0
		f.Terms = &Terms{Steps: []StepTerm{{Kind: "accept", Name: "受理"}, {Kind: StepUndertake, Name: "承办", Limit: 1}, {Kind: StepExamine, Name: "审核", Limit: 2},
			{Kind: "other", Name: "公示", Limit: 1}, {Kind: StepApprove, Name: "批准"}}}
		if change != nil {
			change(f)
		}
	})
}

func TestTimedRules(t *testing.T) {
	long := at("2018-12-31 00:00:00")
	unaccepted := func(change func(f *Facts)) *Facts {
		return accepted(func(f *Facts) {
			f.Accepted = time.Time{}
			if change != nil {
				change(f)
			}
		})
	}
	for name, tc := range map[string]struct {
		preset string
		facts  *Facts
		want   []string
	}{
		"promise and law": {"", accepted(nil), []string{
			"T1_PROMISE.warning.1@10-22 00:00", "T1_PROMISE.yellow.1@10-25 00:00", "T2_STATUTORY.red.1@10-30 00:00"}},
		"decided in time":            {"", accepted(func(f *Facts) { f.Decision = &Decision{Time: at("2018-10-19 15:00:00")} }), []string{}},
		"decided at the very moment": {"", accepted(func(f *Facts) { f.Decision = &Decision{Time: at("2018-10-22 00:00:00")} }), []string{}},
		"decided after the warning":  {"", accepted(func(f *Facts) { f.Decision = &Decision{Time: at("2018-10-24 15:00:00")} }), []string{"T1_PROMISE.warning.1@10-22 00:00"}},
		"withdrawn":                  {"", accepted(func(f *Facts) { f.End, f.Ended = EndWithdrawn, at("2018-10-16 15:00:00") }), []string{}},
		"on the spot has no warning": {"", accepted(func(f *Facts) { f.Instant, f.Promised = true, 0 }), []string{
			"T1_PROMISE.yellow.1@10-16 00:00", "T2_STATUTORY.red.1@10-30 00:00"}},
		"no limit by law": {"", accepted(func(f *Facts) { f.Statutory = 0 }), []string{
			"T1_PROMISE.warning.1@10-22 00:00", "T1_PROMISE.yellow.1@10-25 00:00"}},
		"extended by 3": {"", accepted(func(f *Facts) {
			f.Specials = []Special{{Serial: 1, Extension: true, Limit: 3, Start: at("2018-10-19 10:00:00"), End: at("2018-10-19 10:00:00")}}
		}), []string{"T1_PROMISE.warning.1@10-25 00:00", "T1_PROMISE.yellow.1@10-30 00:00", "T2_STATUTORY.red.1@11-02 00:00"}},
		"waiting for a supplement": {"", accepted(func(f *Facts) {
			f.Supplements = []Supplement{{Serial: 1, Notice: at("2018-10-16 10:00:00"), Accepted: true}}
		}), []string{}},
		"special procedure": {"", accepted(func(f *Facts) {
			f.Promised, f.Statutory = 60, 60
			f.Specials = []Special{{Serial: 1, Name: "听证", Limit: 5, Start: at("2018-10-16 10:00:00")}}
		}), []string{"T7_SPECIAL_OVERDUE.warning.1@10-19 00:00", "T7_SPECIAL_OVERDUE.yellow.1@10-24 00:00", "T7_SPECIAL_OVERDUE.red.1@10-25 00:00"}},
		"special procedure left open after the decision": {"", accepted(func(f *Facts) {
			f.Specials = []Special{{Serial: 1, Name: "听证", Limit: 5, Start: at("2018-10-16 10:00:00")}}
			f.Decision = &Decision{Time: at("2018-10-17 10:00:00")}
		}), []string{"T7_SPECIAL_OVERDUE.warning.1@10-19 00:00", "T7_SPECIAL_OVERDUE.yellow.1@10-24 00:00", "T7_SPECIAL_OVERDUE.red.1@10-25 00:00"}},
		"special procedure of a voided case": {"", accepted(func(f *Facts) {
			f.Specials = []Special{{Serial: 1, Limit: 5, Start: at("2018-10-16 10:00:00")}}
			f.End, f.Ended = EndVoided, at("2018-10-17 10:00:00")
		}), []string{}},
		"nobody accepts": {"", unaccepted(nil), []string{"T4_ACCEPTANCE_OVERDUE.yellow.1@10-23 00:00"}},
		"nobody accepts and the law does": {"", unaccepted(func(f *Facts) { f.Accepted, f.Deemed = f.Submitted, at("2018-10-23 00:00:00") }),
			[]string{"T1_PROMISE.warning.1@10-22 00:00", "T4_ACCEPTANCE_OVERDUE.yellow.1@10-23 00:00", "T1_PROMISE.yellow.1@10-25 00:00", "T2_STATUTORY.red.1@10-30 00:00"}},
		"online, never looked at until the law accepts": {"", unaccepted(func(f *Facts) {
			f.Online, f.Promised, f.Statutory = true, 60, 60
			f.Accepted, f.Deemed = f.Submitted, at("2018-10-23 00:00:00")
		}), []string{"T8_PRE_ACCEPT_OVERDUE.warning.1@10-18 00:00", "T4_ACCEPTANCE_OVERDUE.yellow.1@10-23 00:00", "T8_PRE_ACCEPT_OVERDUE.yellow.1@10-23 00:00"}},
		"received after closing":  {"", unaccepted(func(f *Facts) { f.Submitted = at("2018-10-15 20:00:00") }), []string{"T4_ACCEPTANCE_OVERDUE.yellow.1@10-24 00:00"}},
		"refused in time":         {"", unaccepted(func(f *Facts) { f.End, f.Ended = EndRefused, at("2018-10-22 16:00:00") }), []string{}},
		"supplement told in time": {"", unaccepted(func(f *Facts) { f.Supplements = []Supplement{{Serial: 1, Notice: at("2018-10-17 10:00:00")}} }), []string{}},
		"anew from its receipt": {"", unaccepted(func(f *Facts) {
			f.Supplements = []Supplement{{Serial: 1, Notice: at("2018-10-17 10:00:00"), Receipt: at("2018-10-29 10:00:00")}}
		}), []string{"T4_ACCEPTANCE_OVERDUE.yellow.2@11-06 00:00"}},
		"online, never looked at": {"", unaccepted(func(f *Facts) { f.Online = true }), []string{
			"T8_PRE_ACCEPT_OVERDUE.warning.1@10-18 00:00", "T4_ACCEPTANCE_OVERDUE.yellow.1@10-23 00:00",
			"T8_PRE_ACCEPT_OVERDUE.yellow.1@10-23 00:00", "T8_PRE_ACCEPT_OVERDUE.red.1@10-25 00:00"}},
		"online, looked at": {"", unaccepted(func(f *Facts) { f.Online, f.PreAccepted = true, at("2018-10-16 10:00:00") }), []string{"T4_ACCEPTANCE_OVERDUE.yellow.1@10-23 00:00"}},
		"granted and kept": {"", accepted(func(f *Facts) { f.Decision = &Decision{Granted: true, Time: at("2018-10-17 10:00:00")} }),
			[]string{"T5_DELIVERY_OVERDUE.yellow.1@11-01 00:00"}},
		"granted and delivered": {"", accepted(func(f *Facts) {
			f.Decision = &Decision{Granted: true, Time: at("2018-10-17 10:00:00")}
			f.Finish = &Finish{Time: at("2018-10-31 10:00:00")}
		}), []string{}},
		"denied needs no delivery": {"", accepted(func(f *Facts) { f.Decision = &Decision{Time: at("2018-10-17 10:00:00")} }), []string{}},
		"a step over its limit": {"", flow(func(f *Facts) {
			f.Steps = []Step{{Kind: StepUndertake, Officer: "a", Time: at("2018-10-16 10:00:00")}}
		}), []string{"T3_STEP_OVERDUE.yellow.3@10-19 00:00"}},
		"the first step over its limit": {"", flow(nil), []string{"T3_STEP_OVERDUE.yellow.2@10-17 00:00"}},
		"steps in time": {"", flow(func(f *Facts) {
			f.Steps = []Step{{Kind: StepUndertake, Officer: "a", Time: at("2018-10-16 10:00:00")}, {Kind: StepExamine, Officer: "b", Time: at("2018-10-18 16:00:00")}}
			f.Decision = &Decision{Officer: "c", Time: at("2018-10-19 10:00:00")}
		}), []string{}},
		"a step left out ends with a later one": {"", flow(func(f *Facts) {
			f.Steps = []Step{{Kind: StepExamine, Officer: "b", Time: at("2018-10-16 16:00:00")}}
			f.Decision = &Decision{Officer: "c", Time: at("2018-10-17 10:00:00")}
		}), []string{}},
		"a step does not run in a pause": {"", flow(func(f *Facts) {
			f.Supplements = []Supplement{{Serial: 1, Notice: at("2018-10-16 10:00:00"), Receipt: at("2018-10-30 10:00:00"), Accepted: true}}
		}), []string{"T3_STEP_OVERDUE.yellow.2@10-31 00:00"}},
		"accepted after the limit of that step": {"", flow(func(f *Facts) {
			f.Terms.Steps[0].Limit, f.Accepted = 1, at("2018-10-18 10:00:00")
			f.Decision = &Decision{Officer: "c", Time: at("2018-10-19 10:00:00")}
		}), []string{"T3_STEP_OVERDUE.yellow.1@10-17 00:00"}},
		"forwarded late": {"", accepted(func(f *Facts) {
			f.Promised, f.Statutory = 30, 0
			f.Finish = &Finish{Forwarded: true, Time: at("2018-11-20 10:00:00")}
		}), []string{"T6_FORWARD_OVERDUE.yellow.1@11-13 00:00"}},
		"forwarded over the promise": {"", accepted(func(f *Facts) {
			f.Statutory, f.Finish = 0, &Finish{Forwarded: true, Time: at("2018-10-25 10:00:00")}
		}), []string{"T1_PROMISE.warning.1@10-22 00:00", "T1_PROMISE.yellow.1@10-25 00:00", "T6_FORWARD_OVERDUE.yellow.1@10-25 00:00"}},
		"forwarded in time": {"", accepted(func(f *Facts) { f.Finish = &Finish{Forwarded: true, Time: at("2018-10-19 10:00:00")} }), []string{}},
		"paused for more than twice the promise": {"", accepted(func(f *Facts) {
			f.Promised, f.Statutory = 2, 0
			f.Specials = []Special{{Serial: 1, Name: "听证", Start: at("2018-10-15 12:00:00"), End: at("2018-10-18 12:00:00")},
				{Serial: 2, Name: "专家评审", Start: at("2018-10-18 15:00:00"), End: at("2018-10-26 12:00:00")}}
			f.Decision = &Decision{Time: at("2018-10-26 13:00:00")}
		}), []string{"T1_PROMISE.warning.1@10-15 10:00", "P8_SUSPEND_ABUSE.yellow.23@10-22 00:00"}},
		"paused for long, within twice the promise": {"", accepted(func(f *Facts) {
			f.Specials = []Special{{Serial: 1, Name: "听证", Start: at("2018-10-16 10:00:00")}}
		}), []string{"P8_SUSPEND_ABUSE.yellow.13@11-06 00:00"}},
		"bad review without an answer": {"", &Facts{Division: "441300", Review: &Review{Stars: 2, Created: at("2018-10-15 10:00:00")}},
			[]string{"R1_BAD_REVIEW.yellow.1@10-23 00:00", "R1_BAD_REVIEW.red.1@11-06 00:00"}},
		"bad review answered":           {"", &Facts{Review: &Review{Stars: 1, Created: at("2018-10-15 10:00:00"), Replied: at("2018-10-22 17:00:00")}}, []string{}},
		"a fair review needs no answer": {"", &Facts{Review: &Review{Stars: 3, Created: at("2018-10-15 10:00:00")}}, []string{}},
		"dongguan": {"gd_dongguan2006", accepted(nil), []string{
			"T1_PROMISE.warning.1@10-23 00:00", "T1_PROMISE.yellow.1@10-25 00:00", "T1_PROMISE.red.1@10-30 00:00"}},
		"chengdu": {"chengdu2010", accepted(nil), []string{"T1_PROMISE.yellow.1@10-23 00:00", "T1_PROMISE.red.1@10-25 00:00"}},
		"ratio":   {"ratio", accepted(nil), []string{"T1_PROMISE.yellow.1@10-19 00:00", "T1_PROMISE.red.1@10-23 00:00"}},
		"a one-day item is in warning from the start": {"gd_dongguan2006", accepted(func(f *Facts) { f.Promised = 1 }), []string{
			"T1_PROMISE.warning.1@10-15 10:00", "T1_PROMISE.yellow.1@10-17 00:00", "T1_PROMISE.red.1@10-22 00:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, raised(policy(t, tc.preset), tc.facts, long)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindingsCarryTheirFigures(t *testing.T) {
	p := policy(t, "")
	all := p.Pending(accepted(nil), nothing)
	got := []Finding{}
	for _, pending := range all {
		got = append(got, p.Find(pending))
	}
	want := []Finding{
		{T1, Warning, 1, at("2018-10-22 00:00:00").UTC(), 5, 7, "", "办件已用5个工作日，承诺时限7个工作日，剩余2个工作日，到期日2018-10-24", "hunan2018-3"},
		{T1, Yellow, 1, at("2018-10-25 00:00:00").UTC(), 8, 7, "", "办件已用8个工作日，承诺时限7个工作日，已超1个工作日，到期日2018-10-24", "hunan2018-3"},
		{T2, Red, 1, at("2018-10-30 00:00:00").UTC(), 11, 10, "", "办件已用11个工作日，法定时限10个工作日，已超1个工作日，到期日2018-10-29", "hunan2018-3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	known := func(key string) bool { return key == "T1_PROMISE.warning.1" }
	if rest := p.Pending(accepted(nil), known); len(rest) != 2 || rest[0].Key != "T1_PROMISE.yellow.1" {
		t.Errorf("what is known comes again: %v", rest)
	}
}

func TestConduct(t *testing.T) {
	deed := Deed{Type: "case.decided", Sequence: 6, Actor: "officer", Happened: at("2018-10-17 10:00:00"), Entered: at("2018-10-17 10:00:00")}
	steps := func(list ...string) func(f *Facts) {
		return func(f *Facts) {
			f.FullFlow, f.FourEyes = true, true
			for i := 0; i < len(list); i += 2 {
				f.Steps = append(f.Steps, Step{Kind: list[i], Officer: list[i+1]})
			}
			f.Decision = &Decision{Granted: true, Officer: "head"}
		}
	}
	extension := func(limit int, requester, approver string) Special {
		return Special{Serial: 1, Extension: true, Limit: limit, Requester: requester, Approver: approver, Start: at("2018-10-16 10:00:00")}
	}
	decide := func(when string) func(f *Facts) {
		return func(f *Facts) { f.Decision = &Decision{Granted: true, Officer: "head", Time: at(when)} }
	}
	listed := &Terms{Materials: []MaterialTerm{{ID: "m1", Name: "身份证", Necessary: true}, {ID: "m2", Name: "合同"}}}
	for name, tc := range map[string]struct {
		change func(f *Facts)
		deed   func(d *Deed)
		want   []string
	}{
		"as it should be":     {change: steps(StepUndertake, "a", StepExamine, "b", StepApprove, "c")},
		"examination skipped": {change: steps(StepUndertake, "a", StepApprove, "c"), want: []string{"P1_STEP_SKIPPED.red.1"}},
		"all steps skipped":   {change: steps(), want: []string{"P1_STEP_SKIPPED.red.1"}},
		"no flow demanded":    {change: func(f *Facts) { f.Decision = &Decision{Granted: true} }},
		"one does both":       {change: steps(StepUndertake, "a", StepExamine, "b", StepApprove, "a"), want: []string{"P2_SAME_PERSON.yellow.1"}},
		"one does it all on the spot": {change: func(f *Facts) {
			f.Instant = true
			f.Steps = []Step{{Kind: StepUndertake, Officer: "a"}, {Kind: StepApprove, Officer: "a"}}
		}},
		"deciding is approving": {change: func(f *Facts) {
			f.FourEyes = true
			f.Steps = []Step{{Kind: StepUndertake, Officer: "a"}}
			f.Decision = &Decision{Granted: true, Officer: "a"}
		}, want: []string{"P2_SAME_PERSON.yellow.1"}},
		"entered a day later":    {deed: func(d *Deed) { d.Happened = at("2018-10-16 09:00:00") }},
		"entered two days later": {deed: func(d *Deed) { d.Happened = at("2018-10-15 16:00:00") }, want: []string{"P4_LATE_ENTRY.yellow.6"}},
		"entered after a weekend": {deed: func(d *Deed) {
			d.Happened, d.Entered = at("2018-10-19 16:00:00"), at("2018-10-22 10:00:00")
		}},
		"the system does not key in": {deed: func(d *Deed) { d.Actor, d.Happened = "system/casework", at("2018-10-08 16:00:00") }},
		"one supplement":             {change: func(f *Facts) { f.Supplements = make([]Supplement, 1) }},
		"two supplements":            {change: func(f *Facts) { f.Supplements = make([]Supplement, 2) }, want: []string{"P7_REPEATED_SUPPLEMENT.warning.2"}},
		"three supplements": {change: func(f *Facts) { f.Supplements = make([]Supplement, 3) },
			want: []string{"P7_REPEATED_SUPPLEMENT.warning.2", "P7_REPEATED_SUPPLEMENT.yellow.3"}},
		"extension in order":       {change: func(f *Facts) { f.Specials = []Special{extension(10, "a", "b")} }},
		"extension too long":       {change: func(f *Facts) { f.Specials = []Special{extension(11, "a", "b")} }, want: []string{"P9_EXTENSION_INVALID.red.1"}},
		"joint handling":           {change: func(f *Facts) { f.Statutory, f.Specials = 45, []Special{extension(15, "a", "b")} }},
		"joint handling, too long": {change: func(f *Facts) { f.Statutory, f.Specials = 45, []Special{extension(16, "a", "b")} }, want: []string{"P9_EXTENSION_INVALID.red.1"}},
		"nobody approved":          {change: func(f *Facts) { f.Specials = []Special{extension(5, "a", "")} }, want: []string{"P9_EXTENSION_INVALID.red.1"}},
		"approved by who asked":    {change: func(f *Facts) { f.Specials = []Special{extension(5, "a", "a")} }, want: []string{"P9_EXTENSION_INVALID.red.1"}},
		"extended twice": {change: func(f *Facts) {
			second := extension(5, "a", "b")
			second.Serial = 2
			f.Specials = []Special{extension(5, "a", "b"), second}
		}, want: []string{"P9_EXTENSION_INVALID.red.2"}},
		"refused without reason":  {change: func(f *Facts) { f.End, f.EndReason = EndRefused, "不行" }, want: []string{"P10_NO_REASON.yellow.1"}},
		"refused with reason":     {change: func(f *Facts) { f.End, f.EndReason = EndRefused, "不属于本机关职权范围，请向省厅申请" }},
		"not accepted, no reason": {change: func(f *Facts) { f.End = EndNotAccepted }, want: []string{"P10_NO_REASON.yellow.1"}},
		"denied without reason":   {change: func(f *Facts) { f.Decision = &Decision{Reason: "         不   予      "} }, want: []string{"P10_NO_REASON.yellow.2"}},
		"returned without reason": {change: func(f *Facts) { f.Finish = &Finish{Returned: true} }, want: []string{"P10_NO_REASON.yellow.3"}},
		"steps in disorder": {change: func(f *Facts) {
			f.Steps = []Step{{Kind: StepUndertake, Officer: "a", Time: at("2018-10-16 10:00:00")}, {Kind: StepExamine, Officer: "b", Time: at("2018-10-16 09:59:59")}}
		}, want: []string{"P3_ORDER_BROKEN.yellow.4"}},
		"finished before decided": {change: func(f *Facts) {
			f.Decision = &Decision{Granted: true, Time: at("2018-10-17 10:00:00")}
			f.Finish = &Finish{Time: at("2018-10-17 09:00:00")}
		}, want: []string{"P3_ORDER_BROKEN.yellow.7"}},
		"accepted before submitted":     {change: func(f *Facts) { f.Accepted = at("2018-10-15 09:00:00") }, want: []string{"P3_ORDER_BROKEN.yellow.2"}},
		"deemed accepted as of receipt": {change: func(f *Facts) { f.Accepted, f.Deemed = at("2018-10-15 09:00:00"), at("2018-10-23 00:00:00") }},
		"twenty at once":                {deed: func(d *Deed) { d.Burst = 20 }},
		"twenty-one at once":            {deed: func(d *Deed) { d.Burst = 21 }, want: []string{"P4_LATE_ENTRY.yellow.1000006"}},
		"decided at night":              {change: decide("2018-10-16 20:00:00"), want: []string{"P5_OFF_HOURS.warning.1"}},
		"decided at noon":               {change: decide("2018-10-16 12:30:00"), want: []string{"P5_OFF_HOURS.warning.1"}},
		"decided on a Saturday":         {change: decide("2018-10-20 10:00:00"), want: []string{"P5_OFF_HOURS.warning.1"}},
		"decided at closing time":       {change: decide("2018-10-16 17:00:00")},
		"decided on duty": {change: func(f *Facts) {
			decide("2018-10-20 10:00:00")(f)
			f.Decision.Officer = "duty"
		}},
		"decided within ten minutes": {change: decide("2018-10-15 10:09:59"), want: []string{"P6_TOO_FAST.warning.1"}},
		"decided within one percent": {change: decide("2018-10-15 10:24:59"), want: []string{"P6_TOO_FAST.warning.1"}},
		"decided after one percent":  {change: decide("2018-10-15 10:26:00")},
		"decided on the spot by design": {change: func(f *Facts) {
			f.Instant = true
			decide("2018-10-15 10:01:00")(f)
		}},
		"the same procedure twice": {change: func(f *Facts) {
			f.Specials = []Special{{Serial: 1, Name: "听证", Start: at("2018-10-16 10:00:00"), End: at("2018-10-16 12:00:00")}, {Serial: 2, Name: "听证", Start: at("2018-10-17 10:00:00")}}
		}, want: []string{"P8_SUSPEND_ABUSE.yellow.21"}},
		"two procedures of two names": {change: func(f *Facts) {
			f.Specials = []Special{{Serial: 1, Name: "听证", Start: at("2018-10-16 10:00:00"), End: at("2018-10-16 12:00:00")}, {Serial: 2, Name: "检验", Start: at("2018-10-17 10:00:00")}}
		}},
		"paused on the last day": {change: func(f *Facts) { f.Specials = []Special{{Serial: 1, Name: "听证", Start: at("2018-10-24 10:00:00")}} },
			want: []string{"P8_SUSPEND_ABUSE.yellow.12"}},
		"paused the day before":      {change: func(f *Facts) { f.Specials = []Special{{Serial: 1, Name: "听证", Start: at("2018-10-23 10:00:00")}} }},
		"accepted with a gap":        {change: func(f *Facts) { f.Terms, f.Materials = listed, []string{"m2"} }, want: []string{"P12_MISSING_MATERIAL.yellow.1"}},
		"accepted complete":          {change: func(f *Facts) { f.Terms, f.Materials = listed, []string{"m1"} }},
		"accepted by law with a gap": {change: func(f *Facts) { f.Terms, f.Deemed = listed, at("2018-10-23 00:00:00") }},
		"asked for what is not listed": {change: func(f *Facts) {
			f.Terms, f.Materials, f.Supplements = listed, []string{"m1"}, []Supplement{{Materials: []string{"m2", "m9"}}}
		}, want: []string{"P13_EXTRA_MATERIAL.yellow.1"}},
		"asked for what is listed": {change: func(f *Facts) {
			f.Terms, f.Materials, f.Supplements = listed, []string{"m1"}, []Supplement{{Materials: []string{"m2"}}}
		}},
		"data a day late":           {deed: func(d *Deed) { d.Actor, d.Happened = "system/exchange", at("2018-10-16 09:59:59") }, want: []string{"H1_DATA_LATE.warning.6"}},
		"data in a day":             {deed: func(d *Deed) { d.Actor, d.Happened = "system/exchange", at("2018-10-16 10:00:00") }},
		"decided, never accepted":   {change: func(f *Facts) { f.Accepted, f.Decision = time.Time{}, &Decision{Granted: true} }, want: []string{"H2_DATA_GAP.warning.1"}},
		"issued, never decided":     {change: func(f *Facts) { f.Finish = &Finish{Issued: true} }, want: []string{"H2_DATA_GAP.warning.1"}},
		"collected, never finished": {change: func(f *Facts) { f.Collected = at("2018-10-17 10:00:00") }, want: []string{"H2_DATA_GAP.warning.1"}},
		"accepted, papers never came": {change: func(f *Facts) {
			f.Supplements = []Supplement{{Notice: f.Accepted.Add(-time.Hour)}}
		}, want: []string{"H2_DATA_GAP.warning.1"}},
		"papers asked for and waited for": {change: func(f *Facts) {
			f.Supplements = []Supplement{{Notice: f.Accepted.Add(time.Hour), Accepted: true}}
		}},
		"decided while a hearing ran": {change: func(f *Facts) {
			f.Specials, f.Decision = []Special{{Name: "听证", Start: f.Accepted}}, &Decision{Granted: true}
		}, want: []string{"H2_DATA_GAP.warning.1"}},
		"decided after an extension": {change: func(f *Facts) {
			f.Specials, f.Decision = []Special{{Name: "延长", Extension: true, Approver: "x", Limit: 5, Start: f.Accepted}}, &Decision{Granted: true}
		}},
		"withdrawn needs none": {change: func(f *Facts) { f.End = EndWithdrawn }},
	} {
		t.Run(name, func(t *testing.T) {
			d := deed
			if tc.deed != nil {
				tc.deed(&d)
			}
			var got []string
			found, err := policy(t, "").Conduct(accepted(tc.change), d, nothing)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.Ground == "" || f.Version == "" || !f.AsOf.Equal(d.Entered) {
					t.Errorf("%+v", f)
				}
				got = append(got, f.Key())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if again, err := policy(t, "").Conduct(accepted(tc.change), d, func(string) bool { return true }); len(again) > 0 || err != nil {
				t.Errorf("what is known comes again: %v, %v", again, err)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	if diff := cmp.Diff([]string{"chengdu2010", "gd_dongguan2006", "hunan2018", "ratio"}, Presets()); diff != "" {
		t.Error(diff)
	}
	for _, name := range Presets() {
		p := preset(t, name)
		ids := map[string]bool{}
		if !slices.IsSortedFunc((Policy{Preset: p}).Catalog(), byID) {
			t.Errorf("%s: the rules are not by id", name)
		}
		for _, r := range (Policy{Preset: p}).Catalog() {
			if r.Level == None || r.Version == "" || r.Name == "" || r.Description == "" || r.Source == "" || ids[r.ID] {
				t.Errorf("%s: %+v", name, r)
			}
			ids[r.ID] = true
		}
		for kind, list := range p.Thresholds {
			for _, th := range list {
				if th.Level == None || th.Rule == "" || th.Of != "promised" && th.Of != "statutory" {
					t.Errorf("%s %s: %+v", name, kind, th)
				}
			}
		}
		if p.Version == "" || !ids[T1] || !ids["P10_NO_REASON"] || !ids[P11] || (Policy{Preset: p}).LegalSource(T1) == "" {
			t.Errorf("%s: version %q, rules %v", name, p.Version, ids)
		}
	}
	if _, err := PresetByName("mars"); err == nil {
		t.Error("an unknown preset was found")
	}
}
