package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Charge is what an applicant was asked to pay.
type Charge struct {
	Serial               int
	Name, Basis, Officer string
	AmountFen            int64
	Waived               bool
	Charged, Paid        time.Time
}

// Gap is a material that was missing at acceptance.
type Gap struct {
	Name   string
	Due    workday.Date
	Filled time.Time
}

// FeeTerm is one published fee; AmountFen is 0 where it is not one amount.
type FeeTerm struct {
	Name      string `json:"name"`
	AmountFen int64  `json:"amount_fen,omitempty"`
}

// FeeView is "it" of rules for each charge.
type FeeView struct {
	Serial int64  `cel:"serial"`
	Name   string `cel:"name"`
	// Amount is in fen; Standard is the published one, 0 where it is not one amount.
	Amount   int64  `cel:"amount"`
	Standard int64  `cel:"standard"`
	Basis    string `cel:"basis"`
	Officer  string `cel:"officer"`
	// Free tells that the item is published as free, Published that it has a fee of the
	// name. Of an item that nothing is known of neither Free nor Unpublished holds.
	Free        bool `cel:"free"`
	Published   bool `cel:"published"`
	Unpublished bool `cel:"unpublished"`
	Waived      bool `cel:"waived"`
	IsPaid      bool `cel:"is_paid"`
	// Paid is when; before acceptance and after the finish it should not be.
	Paid             time.Time `cel:"paid"`
	BeforeAcceptance bool      `cel:"before_acceptance"`
	AfterFinish      bool      `cel:"after_finish"`
}

func (f *Facts) feeViews() []any {
	if len(f.Charges) == 0 {
		return nil
	}
	all := make([]any, 0, len(f.Charges))
	for _, c := range f.Charges {
		v := &FeeView{Serial: int64(c.Serial), Name: c.Name, Amount: c.AmountFen, Basis: c.Basis, Officer: c.Officer, Waived: c.Waived,
			IsPaid: !c.Paid.IsZero(), Paid: c.Paid}
		if t := f.Terms; t != nil && t.FeesKnown {
			v.Free = !t.Charged
			if i := slices.IndexFunc(t.Fees, func(fee FeeTerm) bool { return fee.Name == c.Name }); i >= 0 {
				v.Published, v.Standard = true, t.Fees[i].AmountFen
			}
			v.Unpublished = t.Charged && !v.Published
		}
		v.BeforeAcceptance = v.IsPaid && (f.Accepted.IsZero() || c.Paid.Before(f.Accepted))
		v.AfterFinish = v.IsPaid && f.Finish != nil && c.Paid.After(f.Finish.Time)
		all = append(all, v)
	}
	return all
}

// gapClocks are the clocks of what was missing at acceptance: they run until it comes,
// also after the decision.
func (p Policy) gapClocks(f *Facts) []clock {
	var all []clock
	for i, g := range f.Gaps {
		if f.Accepted.IsZero() || g.Due == 0 {
			continue
		}
		days := int(g.Due - workday.DateOf(f.Accepted))
		if days < 0 {
			continue
		}
		all = append(all, clock{kind: ClockGap, occurrence: i + 1, name: g.Name, instant: days == 0, in: workday.Input{
			Division: f.Division, Start: f.Accepted, Stopped: earliest(g.Filled, f.Ended), Promised: days, Unit: workday.NaturalDays,
			Mode: workday.DayMode, Hours: p.Hall.Hours,
		}})
	}
	return all
}
