package rules

import (
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

func china(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, workday.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAcceptanceDue(t *testing.T) {
	cal, strict := workday.China(), workday.DefaultPolicy()
	loose := strict
	loose.ReceiptAtOnce = true
	for _, tc := range []struct {
		name, submitted string
		policy          workday.Policy
		want            string
	}{
		{"on a Monday", "2026-03-02 10:00", strict, "2026-03-09"},
		{"on a Monday night", "2026-03-02 22:00", strict, "2026-03-10"},
		{"on a Monday night, nights count", "2026-03-02 22:00", loose, "2026-03-09"},
		{"on a Saturday", "2026-03-07 10:00", strict, "2026-03-16"},
		{"on a Saturday, days off count", "2026-03-07 10:00", loose, "2026-03-13"},
		{"before the National Day holiday", "2026-09-30 10:00", strict, "2026-10-13"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := AcceptanceDue(cal, tc.policy, "441300", china(t, tc.submitted))
			if got.String() != tc.want {
				t.Errorf("due %s, want %s", got, tc.want)
			}
		})
	}
}

// accepted is a case accepted on Monday 2 March 2026 with ten days promised and twenty by law.
func accepted(t *testing.T) (Case, Limits) {
	at := china(t, "2026-03-02 10:00")
	return Case{State: Accepted, Submitted: at, Accepted: at, Last: at}, Limits{Promised: 10, Statutory: 20}
}

func TestDecisionDue(t *testing.T) {
	cal, p := workday.China(), workday.DefaultPolicy()
	for _, tc := range []struct {
		name                string
		change              func(*Case)
		now                 string
		promised, statutory string
	}{
		{"undisturbed", func(*Case) {}, "2026-03-03 10:00", "2026-03-16", "2026-03-30"},
		{"waiting for papers", func(c *Case) {
			c.Supplements = []Supplement{{Told: china(t, "2026-03-03 10:00"), AfterAcceptance: true}}
		}, "2026-03-04 10:00", "", ""},
		{"papers came after two days", func(c *Case) {
			c.Supplements = []Supplement{{Told: china(t, "2026-03-03 10:00"), Received: china(t, "2026-03-05 10:00"), AfterAcceptance: true}}
		}, "2026-03-06 10:00", "2026-03-18", "2026-04-01"},
		{"papers before acceptance pause nothing", func(c *Case) {
			c.Supplements = []Supplement{{Told: china(t, "2026-02-25 10:00"), Received: china(t, "2026-02-27 10:00")}}
		}, "2026-03-06 10:00", "2026-03-16", "2026-03-30"},
		{"extended by ten days", func(c *Case) {
			c.Specials = []Special{{Extension: true, Start: china(t, "2026-03-04 10:00"), End: china(t, "2026-03-04 10:00"), Limit: 10}}
		}, "2026-03-05 10:00", "2026-03-30", "2026-04-14"},
		{"expert review of planned five days runs", func(c *Case) {
			c.Specials = []Special{{Start: china(t, "2026-03-04 10:00"), Limit: 5}}
		}, "2026-03-05 10:00", "2026-03-23", "2026-04-07"},
		{"expert review ended after one day", func(c *Case) {
			c.Specials = []Special{{Start: china(t, "2026-03-04 10:00"), End: china(t, "2026-03-05 10:00"), Limit: 5}}
		}, "2026-03-06 10:00", "2026-03-17", "2026-03-31"},
		{"hearing of open end runs", func(c *Case) {
			c.Specials = []Special{{Start: china(t, "2026-03-04 10:00")}}
		}, "2026-03-05 10:00", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, limits := accepted(t)
			tc.change(&c)
			d := Due(cal, p, "441300", limits, c, china(t, tc.now))
			promised, statutory := "", ""
			if d.DecisionKnown {
				promised, statutory = d.Promised.String(), d.Statutory.String()
			}
			if promised != tc.promised || statutory != tc.statutory {
				t.Errorf("due %q and %q, want %q and %q", promised, statutory, tc.promised, tc.statutory)
			}
		})
	}
}

func TestAcceptanceClockStartsAnewWithTheSupplement(t *testing.T) {
	c := Case{State: Submitted, Submitted: china(t, "2026-03-02 10:00")}
	c.Supplements = []Supplement{{Told: china(t, "2026-03-04 10:00"), Received: china(t, "2026-03-11 10:00")}}
	d := Due(workday.China(), workday.DefaultPolicy(), "441300", Limits{}, c, china(t, "2026-03-11 10:00"))
	if !d.AcceptanceKnown || d.Acceptance.String() != "2026-03-18" || d.DecisionKnown {
		t.Errorf("dates = %+v, want acceptance due 2026-03-18 alone", d)
	}
}

func TestWaiting(t *testing.T) {
	cal, p := workday.China(), workday.DefaultPolicy()
	s := samples(t)
	instant := s[Accepted]
	instant.Instant = true
	examined := history(t, s[Examining], do(Examine, "e"))
	online := s[Finished]
	online.Handover = false
	for _, tc := range []struct {
		name string
		c    Case
		want Stage
	}{
		{"draft", s[Draft], StageNone},
		{"submitted", s[Submitted], StageAcceptance},
		{"supplementing", s[Supplementing], StageAcceptance},
		{"accepted", s[Accepted], StageUndertake},
		{"accepted, instant", instant, StageApprove},
		{"undertaken", s[Examining], StageExamine},
		{"examined", examined, StageApprove},
		{"suspended", s[Suspended], StageExamine},
		{"decided", s[Decided], StageFinish},
		{"finished with a paper", s[Finished], StageFinish},
		{"finished online", online, StageNone},
		{"collected", s[Collected], StageNone},
		{"withdrawn", s[Withdrawn], StageNone},
		{"voided", s[Voided], StageNone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := Due(cal, p, "441300", Limits{Promised: 10, Statutory: 20}, tc.c, day0.Add(time.Hour))
			stage, _ := Waiting(cal, p, "441300", tc.c, d)
			if stage != tc.want {
				t.Errorf("stage %d, want %d", stage, tc.want)
			}
		})
	}
}

// TestGapDue counts the days for a missing material by a newer calendar (Administrative
// License Law Art. 82, Civil Code Art. 203).
func TestGapDue(t *testing.T) {
	shut, err := workday.China().With(workday.Notice{Division: "441300", Title: "台风", Days: []workday.Change{
		{Date: dayOf(t, "2026-03-05"), Kind: workday.Closed}, {Date: dayOf(t, "2026-03-09"), Kind: workday.Closed},
	}})
	if err != nil {
		t.Fatal(err)
	}
	told := china(t, "2026-03-02 10:00")
	for _, tc := range []struct {
		name, due, division string
		cal                 *workday.Calendar
		days                int
		want                string
	}{
		{"five days given, nothing new", "2026-03-09", "441300", workday.China(), 5, "2026-03-09"},
		{"two of them closed", "2026-03-09", "441300", shut, 5, "2026-03-11"},
		{"closed elsewhere", "2026-03-09", "440100", shut, 5, "2026-03-09"},
		{"opened again: what was told stays", "2026-03-11", "441300", workday.China(), 5, "2026-03-11"},
		{"a named day that is open", "2026-03-10", "441300", shut, 0, "2026-03-10"},
		{"a named day that is closed", "2026-03-09", "441300", shut, 0, "2026-03-10"},
		{"a named Saturday", "2026-03-07", "441300", workday.China(), 0, "2026-03-09"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := GapDue(tc.cal, tc.division, told, Gap{Due: dayOf(t, tc.due), Days: tc.days}); got.String() != tc.want {
				t.Errorf("due %s, want %s", got, tc.want)
			}
		})
	}
}

func dayOf(t *testing.T, s string) workday.Date {
	t.Helper()
	d, err := workday.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
