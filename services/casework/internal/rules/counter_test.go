package rules

import (
	"errors"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

func clockTime(day, hour, minute int) time.Time {
	return time.Date(2026, 9, day, hour, minute, 0, 0, workday.Zone)
}

func TestBookable(t *testing.T) {
	starts := []string{"09:00", "14:30"}
	for name, tc := range map[string]struct {
		start, now time.Time
		ok         bool
	}{
		"tomorrow":            {clockTime(9, 9, 0), clockTime(8, 10, 0), true},
		"later today":         {clockTime(8, 14, 30), clockTime(8, 14, 29), true},
		"begun":               {clockTime(8, 14, 30), clockTime(8, 14, 30), false},
		"not offered":         {clockTime(9, 10, 0), clockTime(8, 10, 0), false},
		"a second beside":     {clockTime(9, 9, 0).Add(time.Second), clockTime(8, 10, 0), false},
		"Saturday":            {clockTime(12, 9, 0), clockTime(8, 10, 0), false},
		"make-up Sunday":      {clockTime(20, 9, 0), clockTime(15, 10, 0), true}, // worked for the National Day
		"the last day":        {clockTime(15, 9, 0), clockTime(8, 23, 59), true},
		"one day too far":     {clockTime(16, 9, 0), clockTime(8, 23, 59), false},
		"the same in another": {clockTime(9, 9, 0).UTC(), clockTime(8, 10, 0), true},
	} {
		err := Bookable(workday.China(), "441300", starts, 7, tc.start, tc.now)
		if tc.ok && err != nil || !tc.ok && !errors.Is(err, fault.SlotNotOffered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestQueueTurn(t *testing.T) {
	nine := clockTime(8, 9, 0)
	for name, tc := range map[string]struct {
		now, booked, rank, waits time.Time
	}{
		"walked in":       {nine, time.Time{}, nine, nine},
		"early":           {clockTime(8, 8, 40), nine, nine, nine},
		"on time":         {nine, nine, nine, nine},
		"a little late":   {clockTime(8, 9, 15), nine, nine, clockTime(8, 9, 15)},
		"too late for it": {clockTime(8, 9, 16), nine, clockTime(8, 9, 16), clockTime(8, 9, 16)},
	} {
		rank, waits := QueueTurn(tc.now, tc.booked)
		if !rank.Equal(tc.rank) || !waits.Equal(tc.waits) {
			t.Errorf("%s: turn %v, waits from %v", name, rank, waits)
		}
	}
	if Waited(nine, clockTime(8, 8, 50)) != 0 || Waited(nine, clockTime(8, 9, 10)) != 10*time.Minute {
		t.Error("the wait is measured wrong")
	}
}
