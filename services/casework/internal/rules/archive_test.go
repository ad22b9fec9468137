package rules

import (
	"testing"

	"github.com/onehall/onehall/services/platform/workday"
)

func TestArchiveTerm(t *testing.T) {
	forever := &Item{Archive: Permanent}
	for name, tc := range map[string]struct {
		c    Case
		item *Item
		want Term
	}{
		"running":                  {Case{State: Examining}, forever, NoTerm},
		"decided, not finished":    {Case{State: Decided, Granted: true}, forever, NoTerm},
		"refused":                  {Case{State: Refused}, forever, TenYears},
		"not accepted":             {Case{State: NotAccepted}, nil, TenYears},
		"withdrawn":                {Case{State: Withdrawn}, nil, TenYears},
		"lapsed":                   {Case{State: Lapsed}, nil, TenYears},
		"voided":                   {Case{State: Voided}, nil, TenYears},
		"granted":                  {Case{State: Finished, Granted: true, Result: ResultIssued}, &Item{}, ThirtyYears},
		"granted, item is gone":    {Case{State: Finished, Granted: true, Result: ResultIssued}, nil, ThirtyYears},
		"granted, item's own":      {Case{State: Collected, Granted: true, Result: ResultIssued}, forever, Permanent},
		"granted, item's ten":      {Case{State: Collected, Granted: true, Result: ResultIssued}, &Item{Archive: TenYears}, TenYears},
		"denied, nothing resulted": {Case{State: Finished, Result: ResultFinished}, forever, ThirtyYears},
		"forwarded":                {Case{State: Finished, Result: ResultForwarded}, forever, TenYears},
		"returned":                 {Case{State: Finished, Result: ResultReturned}, forever, TenYears},
		"revoked":                  {Case{State: Revoked, Granted: true, Result: ResultIssued}, &Item{}, ThirtyYears},
	} {
		if got := ArchiveTerm(tc.c, tc.item); got != tc.want {
			t.Errorf("%s: %d years, want %d", name, got, tc.want)
		}
	}
}

func TestKeptUntil(t *testing.T) {
	end := workday.NewDate(2026, 3, 20)
	if got, forever := ThirtyYears.KeptUntil(end); forever || got != workday.NewDate(2056, 12, 31) {
		t.Errorf("kept until %s, %v", got, forever)
	}
	if _, forever := Permanent.KeptUntil(end); !forever {
		t.Error("for ever is not for ever")
	}
}
