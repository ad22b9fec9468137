package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// MandateState is whether a mandate holds. The numbers are those of the contract's enum.
type MandateState int32

// The states of a mandate.
const (
	MandateStanding MandateState = iota + 1
	MandateNotYet
	MandateExpired
	MandateRevoked
)

// MaxMandateYears is how long a mandate may last, MaxMandates how many one may have given
// at a time.
const (
	MaxMandateYears = 5
	MaxMandates     = 200
)

// Mandate is the right of an agent to act for a principal.
type Mandate struct {
	// Principal and Agent are the keys of both sides.
	Principal, Agent string
	// Items are those it is for; empty means all.
	Items []string
	// Starts, Ends and Revoked are when; Revoked is zero for never. At the moment it
	// ends it holds no more.
	Starts, Ends, Revoked time.Time
}

// State is whether the mandate holds at a moment.
func (m Mandate) State(now time.Time) MandateState {
	switch {
	case !m.Revoked.IsZero():
		return MandateRevoked
	case !now.Before(m.Ends):
		return MandateExpired
	case now.Before(m.Starts):
		return MandateNotYet
	}
	return MandateStanding
}

// Allows refuses what the mandate does not reach: another time or another item.
func (m Mandate) Allows(item string, now time.Time) error {
	switch m.State(now) {
	case MandateRevoked:
		return fault.MandateRevoked.New()
	case MandateExpired:
		return fault.MandateExpired.New()
	case MandateNotYet:
		return fault.MandateNotYet.New()
	}
	if len(m.Items) > 0 && !slices.Contains(m.Items, item) {
		return fault.MandateItem.New()
	}
	return nil
}

// CheckMandate refuses a new mandate that makes no sense: given to oneself, over before
// it begins, or longer than anybody remembers it.
func CheckMandate(m Mandate, now time.Time) error {
	switch {
	case m.Agent == m.Principal:
		return fault.MandateToOneself.New(fault.Field("mandate.agent.id_number"))
	case !m.Ends.After(m.Starts) || !m.Ends.After(now):
		return fault.MandatePeriod.New(fault.Field("mandate.end_time"))
	case m.Ends.After(m.Starts.AddDate(MaxMandateYears, 0, 0)):
		return fault.MandatePeriod.New(fault.Field("mandate.end_time"))
	}
	return nil
}
