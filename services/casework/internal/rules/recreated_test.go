package rules

import (
	"testing"
	"time"
)

func TestEndedByOffice(t *testing.T) {
	day := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	open := Case{State: Examining, Submitted: day, Accepted: day}
	decided := open
	decided.State, decided.DecidedAt = Decided, day
	for _, tc := range []struct {
		name   string
		before Case
		after  Case
		want   bool
	}{
		{"not accepted", Case{State: Submitted}, Case{State: NotAccepted}, true},
		{"refused", Case{State: Submitted}, Case{State: Refused}, true},
		{"returned", open, Case{State: Finished, Result: ResultReturned}, true},
		{"voided", open, Case{State: Voided}, true},
		{"withdrawn by its applicant", open, Case{State: Withdrawn}, false},
		{"lapsed for want of its applicant's papers", Case{State: Supplementing}, Case{State: Lapsed}, false},
		{"forwarded", open, Case{State: Finished, Result: ResultForwarded}, false},
		{"returned after the decision", decided, Case{State: Finished, Result: ResultReturned}, false},
		{"voided after the decision", decided, Case{State: Voided}, false},
		{"voided after it was withdrawn", Case{State: Withdrawn}, Case{State: Voided}, false},
		{"going on", open, open, false},
	} {
		if got := EndedByOffice(tc.before, tc.after); got != tc.want {
			t.Errorf("%s: %t", tc.name, got)
		}
	}
}

func TestRecreates(t *testing.T) {
	day := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	earlier := Applied{Subject: "开店", Materials: []string{"m1", "m2"}, Submitted: day}
	ended := day.AddDate(0, 0, 4)
	for _, tc := range []struct {
		name   string
		change func(*Applied)
		want   bool
	}{
		{"the same", func(*Applied) {}, true},
		{"with more papers", func(a *Applied) { a.Materials = []string{"m3", "m2", "m1"} }, true},
		{"without a paper", func(a *Applied) { a.Materials = []string{"m1"} }, false},
		{"about something else", func(a *Applied) { a.Subject = "另一家店" }, false},
		{"on the last day", func(a *Applied) { a.Submitted = ended.Add(RecreatedWithin) }, true},
		{"too late", func(a *Applied) { a.Submitted = ended.Add(RecreatedWithin + time.Microsecond) }, false},
		{"at the moment of the end", func(a *Applied) { a.Submitted = ended }, true},
		{"there before the end", func(a *Applied) { a.Submitted = ended.Add(-time.Microsecond) }, false},
	} {
		now := Applied{Subject: earlier.Subject, Materials: earlier.Materials, Submitted: ended.AddDate(0, 0, 3)}
		tc.change(&now)
		if got := Recreates(earlier, ended, now); got != tc.want {
			t.Errorf("%s: %t", tc.name, got)
		}
	}
}
