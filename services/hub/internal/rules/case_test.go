package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/workday"
)

func TestWhatACaseCountsFor(t *testing.T) {
	key := func(day workday.Date) Key { return Key{day, "h", "d", "i", Web} }
	state := func(change func(*State)) State {
		s := State{Hall: "h", Department: "d", Item: "i", Channel: Web}
		change(&s)
		return s
	}
	for _, tc := range []struct {
		name   string
		states []State
		review bool
		want   map[Key]Counts
	}{
		{"a draft counts nowhere", []State{state(func(s *State) { s.Draft, s.Submit = true, 10 })}, false, map[Key]Counts{}},
		{"submitted online", []State{state(func(s *State) { s.Submit = 10 })}, false,
			map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1}}},
		{"submitted, accepted and finished in one day", []State{state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Finish, s.Due = 10, 10, 10, 10, 10 })}, false,
			map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1, Accepted: 1, Finished: 1, FinishedOnTime: 1}}},
		{"decided the day after the promise", []State{state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Finish, s.Due = 10, 10, 13, 14, 12 })}, false,
			map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1, Accepted: 1}, key(14): {Finished: 1}}},
		{"decided in time, finished later", []State{state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Finish, s.Due = 10, 10, 12, 14, 12 })}, false,
			map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1, Accepted: 1}, key(14): {Finished: 1, FinishedOnTime: 1}}},
		{"finished late without a decision", []State{state(func(s *State) { s.Submit, s.Accept, s.Finish, s.Due = 10, 10, 14, 12 })}, false,
			map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1, Accepted: 1}, key(14): {Finished: 1}}},
		{"without a due date it is not late", []State{state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Finish = 10, 10, 99, 99 })}, false,
			map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1, Accepted: 1}, key(99): {Finished: 1, FinishedOnTime: 1}}},
		{"never accepted, yet finished", []State{state(func(s *State) { s.Submit, s.Finish, s.FinishOnline = 10, 11, true })}, true,
			map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1}, key(11): {Finished: 1, FinishedOnline: 1, FinishedOnTime: 1, FinishedReviewed: 1}}},
		{"the judgement stays when the due date changes", []State{
			state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Due = 10, 10, 12, 12 }),
			state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Finish, s.Due = 10, 10, 12, 13, 11 }),
		}, false, map[Key]Counts{key(10): {Submitted: 1, SubmittedOnline: 1, Accepted: 1}, key(13): {Finished: 1, FinishedOnTime: 1}}},
		{"voided after the end", []State{
			state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Finish = 10, 10, 12, 12 }),
			state(func(s *State) { s.Submit, s.Accept, s.Decide, s.Finish, s.Voided = 10, 10, 12, 12, true }),
		}, true, map[Key]Counts{}},
	} {
		var c Case
		if tc.review {
			c.Reviews = 1
		}
		got := Deltas{}
		for _, s := range tc.states {
			c.Contribute(-1, got)
			c = c.Advance(s)
			c.Contribute(1, got)
		}
		facts := map[Key]Counts{}
		for _, f := range got.Sorted() {
			facts[f.Key] = f.Counts
		}
		if diff := cmp.Diff(tc.want, facts); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestSortedByKeyAndByHall(t *testing.T) {
	d := Deltas{}
	for _, k := range []Key{{2, "a", "", "", ""}, {1, "b", "y", "", ""}, {1, "b", "x", "", ""}, {1, "a", "", "i", Web}, {1, "a", "", "i", Mobile}} {
		d.Add(1, k, Submitted)
	}
	d.Add(1, Key{Day: 7}, Cards)
	d.Add(-1, Key{Day: 7}, Cards) // nothing left of it
	one := Counts{Submitted: 1}
	want := []Fact{
		{Key{1, "a", "", "i", Mobile}, one}, {Key{1, "a", "", "i", Web}, one}, {Key{1, "b", "x", "", ""}, one}, {Key{1, "b", "y", "", ""}, one},
		{Key{2, "a", "", "", ""}, one},
	}
	if diff := cmp.Diff(want, d.Sorted()); diff != "" {
		t.Error(diff)
	}
	two := Counts{Submitted: 2}
	byHall := []Fact{{Key{Day: 1, Hall: "a"}, two}, {Key{Day: 1, Hall: "b"}, two}, {Key{Day: 2, Hall: "a"}, one}}
	if diff := cmp.Diff(byHall, ByHall(d.Sorted())); diff != "" {
		t.Error(diff)
	}
}

func TestSpans(t *testing.T) {
	at := func(day int) time.Time { return workday.StartOfDay(workday.NewDate(2026, time.March, day)) }
	rev := func(n int32, from int, change func(*Revision)) ItemChange {
		r := &Revision{Number: n, Effective: at(from), OnApplication: true, Department: "d"}
		if change != nil {
			change(r)
		}
		return ItemChange{At: at(from), Revision: r}
	}
	full := func(r *Revision) { r.FullOnline, r.Possible = true, true }
	open, closed := func(day int) ItemChange { return ItemChange{At: at(day), Open: true} }, func(day int) ItemChange { return ItemChange{At: at(day), Closed: true} }
	span := func(from, to time.Time, full bool) ItemSpan { return ItemSpan{from, to, full, full, "d"} }
	for _, tc := range []struct {
		name    string
		changes []ItemChange
		want    []ItemSpan
	}{
		{"a draft", []ItemChange{{At: at(1)}}, nil},
		{"published", []ItemChange{{At: at(1)}, rev(1, 2, nil)}, []ItemSpan{span(at(2), Forever, false)}},
		{"a second revision that changes it", []ItemChange{rev(1, 2, nil), rev(2, 5, full)}, []ItemSpan{span(at(2), at(5), false), span(at(5), Forever, true)}},
		{"a second revision that does not", []ItemChange{rev(1, 2, nil), rev(2, 5, nil)}, []ItemSpan{span(at(2), Forever, false)}},
		{"the higher number wins, not the later day", []ItemChange{rev(1, 5, nil), rev(2, 2, full)}, []ItemSpan{span(at(2), Forever, true)}},
		{"paused and resumed", []ItemChange{rev(1, 2, nil), closed(4), open(6)}, []ItemSpan{span(at(2), at(4), false), span(at(6), Forever, false)}},
		{"cancelled", []ItemChange{rev(1, 2, nil), closed(4)}, []ItemSpan{span(at(2), at(4), false)}},
		{"its planned last day counts", []ItemChange{rev(1, 2, func(r *Revision) { r.LastDay = workday.NewDate(2026, time.March, 8) })}, []ItemSpan{span(at(2), at(9), false)}},
		{"a penalty is not applied for", []ItemChange{rev(1, 2, func(r *Revision) { r.OnApplication = false })}, nil},
	} {
		if diff := cmp.Diff(tc.want, Spans(tc.changes)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	for code, want := range map[string]bool{"01": true, "02": false, "03": false, "04": false, "05": true, "06": false, "07": true, "08": true, "09": true, "10": true, "20": true} {
		if OnApplication(code) != want {
			t.Errorf("type %s on application: %v", code, !want)
		}
	}
}

// TestCorrectedIsJudgedAnew takes the judgement back when what it rested on was told otherwise.
func TestCorrectedIsJudgedAnew(t *testing.T) {
	state := State{Hall: "h", Department: "d", Item: "i", Channel: Web, Submit: 10, Accept: 10, Decide: 12, Finish: 13, Due: 11}
	c := Case{}.Advance(state)
	if !c.Judged || c.OnTime {
		t.Fatalf("late: %+v", c)
	}
	state.Decide = 11 // the decision had been dated a day too late
	if kept := c.Advance(state); kept.OnTime {
		t.Errorf("a judgement changed by itself: %+v", kept)
	}
	if anew := c.Unjudged().Advance(state); !anew.OnTime {
		t.Errorf("corrected: %+v", anew)
	}
}
