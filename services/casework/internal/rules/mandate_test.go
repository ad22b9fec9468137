package rules

import (
	"errors"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

func TestMandate(t *testing.T) {
	start := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	end := start.AddDate(1, 0, 0)
	plain := Mandate{Principal: "p", Agent: "a", Starts: start, Ends: end}
	revoked, narrow := plain, plain
	revoked.Revoked, narrow.Items = start.Add(time.Hour), []string{"x"}
	for name, tc := range map[string]struct {
		mandate Mandate
		item    string
		at      time.Time
		state   MandateState
		want    *fault.Reason
	}{
		"at its first moment":  {plain, "any", start, MandateStanding, nil},
		"the moment before":    {plain, "any", start.Add(-1), MandateNotYet, fault.MandateNotYet},
		"its last moment":      {plain, "any", end.Add(-1), MandateStanding, nil},
		"the moment it ends":   {plain, "any", end, MandateExpired, fault.MandateExpired},
		"revoked":              {revoked, "any", start.Add(2 * time.Hour), MandateRevoked, fault.MandateRevoked},
		"revoked, and expired": {revoked, "any", end, MandateRevoked, fault.MandateRevoked},
		"its item":             {narrow, "x", start, MandateStanding, nil},
		"another item":         {narrow, "y", start, MandateStanding, fault.MandateItem},
	} {
		if got := tc.mandate.State(tc.at); got != tc.state {
			t.Errorf("%s: state %d", name, got)
		}
		err := tc.mandate.Allows(tc.item, tc.at)
		if tc.want == nil && err != nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckMandate(t *testing.T) {
	now := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	good := Mandate{Principal: "p", Agent: "a", Starts: now, Ends: now.AddDate(5, 0, 0)}
	if err := CheckMandate(good, now); err != nil {
		t.Error(err)
	}
	past := good
	past.Starts, past.Ends = now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0)
	if err := CheckMandate(past, now); !errors.Is(err, fault.MandatePeriod) {
		t.Errorf("over before it is given: %v", err)
	}
	self := good
	self.Agent = "p"
	if err := CheckMandate(self, now); !errors.Is(err, fault.MandateToOneself) {
		t.Errorf("to oneself: %v", err)
	}
}
