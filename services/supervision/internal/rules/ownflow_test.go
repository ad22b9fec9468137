package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/workday"
)

// surveyed is an accepted case, without limits of its own, of an item whose own flow
// gives one day to undertake and two to survey, which two persons must do.
func surveyed(steps ...Step) *Facts {
	return accepted(func(f *Facts) {
		f.Promised, f.Statutory, f.OwnFlow, f.Steps = 0, 0, true, steps
		f.Terms = &Terms{Steps: []StepTerm{
			{Kind: "accept", Name: "受理"}, {Kind: StepUndertake, Name: "承办", Limit: 1, ID: "undertake"},
			{Kind: "other", Name: "征求意见", Limit: 5, ID: "advice", Optional: true},
			{Kind: "other", Name: "勘验", Limit: 2, ID: "survey", FourEyes: []string{"undertake"}}, {Kind: StepApprove, Name: "批准", ID: "approve", FourEyes: []string{"survey"}},
		}}
	})
}

// step is a step by a person: "undertake:a", or "<survey:b" sent back from the survey.
func step(word, when string) Step {
	id, officer, _ := strings.Cut(word, ":")
	rest, back := strings.CutPrefix(id, "<")
	kind := map[string]string{"undertake": StepUndertake, "approve": StepApprove}[rest]
	return Step{Kind: kind, ID: rest, Officer: officer, Time: at(when + ":00"), SentBack: back}
}

func TestStepsOfAnOwnFlow(t *testing.T) {
	for name, tc := range map[string]struct {
		facts *Facts
		want  []string
	}{
		"nobody undertakes":  {surveyed(), []string{"T3_STEP_OVERDUE.yellow.2@10-17 00:00"}},
		"undertaken in time": {surveyed(step("undertake:a", "2018-10-16 16:00")), []string{"T3_STEP_OVERDUE.yellow.4@10-19 00:00"}},
		"surveyed in time":   {surveyed(step("undertake:a", "2018-10-16 16:00"), step("survey:b", "2018-10-18 16:00")), []string{}},
		"an optional step has its days": {surveyed(step("undertake:a", "2018-10-16 16:00"), step("advice:x", "2018-10-25 10:00"), step("survey:b", "2018-10-26 10:00")),
			[]string{"T3_STEP_OVERDUE.yellow.3@10-24 00:00"}},
		"sent back: the days anew": {surveyed(step("undertake:a", "2018-10-16 10:00"), step("survey:b", "2018-10-17 10:00"), step("<approve:c", "2018-10-22 10:00")),
			[]string{"T3_STEP_OVERDUE.yellow.1004@10-25 00:00"}},
		"sent back and done": {surveyed(step("undertake:a", "2018-10-16 10:00"), step("survey:b", "2018-10-17 10:00"), step("<approve:c", "2018-10-22 10:00"),
			step("survey:b", "2018-10-24 10:00")), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, raised(policy(t, ""), tc.facts, at("2018-12-31 00:00:00"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGapsFallDue(t *testing.T) {
	day := func(s string) workday.Date { return workday.DateOf(at(s + " 12:00:00")) }
	for name, tc := range map[string]struct {
		gap  Gap
		end  string
		want []string
	}{
		"never filled":               {Gap{Name: "健康证", Due: day("2018-10-25")}, "", []string{"G1_GAP_OVERDUE.yellow.1@10-26 00:00"}},
		"filled on the last day":     {Gap{Name: "健康证", Due: day("2018-10-25"), Filled: at("2018-10-25 23:00:00")}, "", []string{}},
		"filled late":                {Gap{Name: "健康证", Due: day("2018-10-25"), Filled: at("2018-10-26 09:00:00")}, "", []string{"G1_GAP_OVERDUE.yellow.1@10-26 00:00"}},
		"due on a Sunday":            {Gap{Name: "健康证", Due: day("2018-10-28")}, "", []string{"G1_GAP_OVERDUE.yellow.1@10-29 00:00"}},
		"due on the day itself":      {Gap{Name: "健康证", Due: day("2018-10-15")}, "", []string{"G1_GAP_OVERDUE.yellow.1@10-16 00:00"}},
		"withdrawn before it is due": {Gap{Name: "健康证", Due: day("2018-10-25")}, "2018-10-20 10:00:00", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			f := accepted(func(f *Facts) {
				f.Promised, f.Statutory, f.Gaps = 0, 0, []Gap{tc.gap}
				if tc.end != "" {
					f.End, f.Ended = EndWithdrawn, at(tc.end)
				}
			})
			if diff := cmp.Diff(tc.want, raised(policy(t, ""), f, at("2018-12-31 00:00:00"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConductOfFlowsAndFees(t *testing.T) {
	deed := Deed{Type: "case.decided", Sequence: 6, Actor: "officer", Happened: at("2018-10-17 10:00:00"), Entered: at("2018-10-17 10:00:00")}
	decided := func(f *Facts) *Facts {
		f.Decision = &Decision{Granted: true, Officer: "z"}
		return f
	}
	charge := func(terms *Terms, change func(*Charge)) *Facts {
		return accepted(func(f *Facts) {
			c := Charge{Serial: 1, Name: "工本费", Basis: "粤价〔2014〕1号", AmountFen: 1000, Officer: "cashier"}
			if change != nil {
				change(&c)
			}
			f.Charges, f.Terms = []Charge{c}, terms
		})
	}
	priced := &Terms{FeesKnown: true, Charged: true, Fees: []FeeTerm{{Name: "工本费", AmountFen: 1000}, {Name: "检验费"}}}
	free := &Terms{FeesKnown: true}
	way := []Step{step("undertake:a", "2018-10-16 10:00"), step("survey:b", "2018-10-16 11:00"), step("approve:c", "2018-10-16 12:00")}
	for name, tc := range map[string]struct {
		facts *Facts
		deed  func(*Deed)
		want  []string
	}{
		"the own flow":         {facts: decided(surveyed(way...))},
		"a step left out":      {facts: decided(surveyed(way[0], way[2])), want: []string{"P1_STEP_SKIPPED.red.1"}},
		"sent back is undone":  {facts: decided(surveyed(way[0], step("<survey:b", "2018-10-16 11:00"), way[2])), want: []string{"P1_STEP_SKIPPED.red.1"}},
		"one takes two steps":  {facts: surveyed(way[0], step("survey:a", "2018-10-16 11:00")), want: []string{"P2_SAME_PERSON.yellow.1"}},
		"who took it last":     {facts: surveyed(way[0], step("undertake:d", "2018-10-16 10:30"), step("survey:a", "2018-10-16 11:00"))},
		"steps in disorder":    {facts: surveyed(way[0], step("survey:b", "2018-10-16 09:00")), want: []string{"P3_ORDER_BROKEN.yellow.101"}},
		"a fee as published":   {facts: charge(priced, nil)},
		"a fee on a free item": {facts: charge(free, nil), want: []string{"F1_FEE_ON_FREE.red.1"}},
		"nothing known of it":  {facts: charge(nil, nil)},
		"guides read before":   {facts: charge(&Terms{}, nil)},
		"another amount":       {facts: charge(priced, func(c *Charge) { c.AmountFen = 1001 }), want: []string{"F2_FEE_AMOUNT.yellow.1"}},
		"not one amount":       {facts: charge(priced, func(c *Charge) { c.Name, c.AmountFen = "检验费", 55_500 })},
		"without basis":        {facts: charge(priced, func(c *Charge) { c.Basis = "" }), want: []string{"F3_FEE_NO_BASIS.red.1"}},
		"not published":        {facts: charge(priced, func(c *Charge) { c.Name = "加急费" }), want: []string{"F3_FEE_NO_BASIS.red.1"}},
		"paid in time":         {facts: charge(priced, func(c *Charge) { c.Paid = at("2018-10-15 10:00:00") })},
		"paid before":          {facts: charge(priced, func(c *Charge) { c.Paid = at("2018-10-15 09:59:59") }), want: []string{"F4_FEE_TIMING.warning.1"}},
		"tried and refused": {facts: accepted(nil), deed: func(d *Deed) { d.Sequence, d.Attempt, d.Refused = 2, "approve", "SAME_PERSON_FORBIDDEN" },
			want: []string{"P14_REFUSED_ATTEMPT.warning.2"}},
		"paid after the finish": {facts: func() *Facts {
			f := charge(priced, func(c *Charge) { c.Paid = at("2018-10-17 10:00:01") })
			f.Finish = &Finish{Time: at("2018-10-17 10:00:00")}
			return f
		}(), want: []string{"F4_FEE_TIMING.warning.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := deed
			if tc.deed != nil {
				tc.deed(&d)
			}
			found, err := policy(t, "").Conduct(tc.facts, d, nothing)
			var got []string
			for _, f := range found {
				got = append(got, f.Key())
				if f.Ground == "" {
					t.Errorf("%s without ground", f.Key())
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}
