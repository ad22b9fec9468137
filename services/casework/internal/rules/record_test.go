package rules

import (
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// TestRecord records what an officer would be refused, and derives the state from all of it.
func TestRecord(t *testing.T) {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, workday.Zone)
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	fact := func(c Command, hours int) Input {
		return Input{Command: c, Actor: "oa:a", Now: at(hours), Happened: at(hours)}
	}
	for _, tc := range []struct {
		name  string
		facts []Input
		want  State
		last  int
	}{
		{"in order", []Input{fact(Submit, 0), fact(Accept, 1), fact(Undertake, 2), fact(Examine, 3), fact(Approve, 4), fact(Decide, 5), fact(Finish, 6), fact(Collect, 7)}, Collected, 7},
		{"no acceptance", []Input{fact(Submit, 0), fact(Undertake, 2)}, Submitted, 2},
		{"one person does it all", []Input{fact(Submit, 0), fact(Accept, 1), fact(Undertake, 2), fact(Approve, 3)}, Examining, 3},
		{"a step dated before the one before", []Input{fact(Submit, 0), fact(Accept, 5), fact(Undertake, 2)}, Examining, 5},
		{"an extension without an approver, twice", []Input{fact(Submit, 0), fact(Accept, 1), fact(Extend, 2), fact(Extend, 3)}, Accepted, 3},
		{"a procedure runs", []Input{fact(Submit, 0), fact(Accept, 1), fact(StartExcluded, 2), fact(Undertake, 3)}, Suspended, 3},
		{"a procedure ended", []Input{fact(Submit, 0), fact(Accept, 1), fact(Undertake, 2), fact(StartExcluded, 3), fact(EndSpecial, 4)}, Examining, 4},
		{"papers are waited for", []Input{fact(Submit, 0), fact(RequestSupplement, 1)}, Supplementing, 1},
		{"papers came", []Input{fact(Submit, 0), fact(RequestSupplement, 1), fact(ReceiveSupplement, 2)}, Submitted, 2},
		{"returned before it was accepted", []Input{fact(Submit, 0), fact(Finish, 1)}, Finished, 1},
		{"steps after the end", []Input{fact(Submit, 0), fact(Withdraw, 1), fact(Undertake, 2)}, Withdrawn, 2},
		{"collected without a finish", []Input{fact(Submit, 0), fact(Accept, 1), fact(Collect, 2)}, Accepted, 2},
		{"voided after the end", []Input{fact(Submit, 0), fact(Refuse, 1), fact(Void, 2)}, Voided, 2},
		{"lapsed", []Input{fact(Submit, 0), fact(RequestSupplement, 1), fact(Lapse, 2)}, Lapsed, 2},
		{"not accepted", []Input{fact(Submit, 0), fact(NotAccept, 1)}, NotAccepted, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Case{State: Draft}
			for _, in := range tc.facts {
				before := c
				next := Record(c, in)
				if !before.SameCourse(c) {
					t.Fatal("the case given was changed")
				}
				c = next
			}
			if c.State != tc.want || !c.Last.Equal(at(tc.last)) {
				t.Errorf("%s at %s, want %s at %s", c.State, c.Last, tc.want, at(tc.last))
			}
		})
	}
}

// TestRecordIsWhatApplyIs leaves the same behind as the command where the command is allowed.
func TestRecordIsWhatApplyIs(t *testing.T) {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, workday.Zone)
	asked := Case{State: Draft}
	told := asked
	for i, command := range []Command{Submit, PreAccept, RequestSupplement, ReceiveSupplement, Accept, Undertake, StartExcluded, EndSpecial, Extend, Examine, Approve, Decide, Finish, Collect} {
		at := start.Add(time.Duration(i) * time.Minute)
		in := Input{
			Command: command, Actor: "a", Now: at, Happened: at, Reason: "依据规定须经专家评审方可决定", Requester: "b", Name: "评审", Limit: 5, Granted: true, Result: ResultIssued, Handover: true,
		}
		var err error
		if asked, err = Apply(asked, in); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		if told = Record(told, in); !told.SameCourse(asked) {
			t.Fatalf("%s: told %+v, asked %+v", command, told, asked)
		}
	}
}
