package rules

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNoOrderOfMoneyIsIllegal charges, pays, waives and gives back at random on an accepted
// case with a gap, so that what is rare in the whole of histories is met often.
func TestNoOrderOfMoneyIsIllegal(t *testing.T) {
	paid, filled := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c := draft()
		h := checker{c: c, before: c, last: day0}
		now := day0.Add(time.Hour)
		for i := range rapid.IntRange(10, 40).Draw(t, "length") {
			now = now.Add(time.Hour)
			in := randomInput(t, c, now, i)
			in.Happened, in.Reason = time.Time{}, longReason
			in.Was.Charged = rapid.IntRange(0, 5).Draw(t, "free") > 0
			in.Charge, in.Amount = rapid.IntRange(1, 2).Draw(t, "which"), int64(rapid.IntRange(-1, 3).Draw(t, "fen"))
			in.Gaps = append(in.Gaps, Gap{Material: "m3", Due: in.Gaps[0].Due})
			in.Command = rapid.SampledFrom([]Command{ChargeFee, PayFee, PayFee, WaiveFee, RefundFee, RefundFee, FillGap}).Draw(t, "what")
			if i < 2 {
				in.Command = []Command{Submit, Accept}[i]
			}
			next, err := Apply(c, in)
			if err != nil {
				continue
			}
			if err := h.add(in, next); err != nil {
				t.Fatalf("%s of charge %d, %d fen: %v\nbefore %+v", in.Command, in.Charge, in.Amount, err, c.Charges)
			}
			switch in.Command {
			case RefundFee:
				paid++
			case FillGap:
				filled++
			}
			c = next
		}
	})
	if paid < 5 || filled < 5 {
		t.Errorf("%d refunds, %d gaps filled: the test proves nothing of it", paid, filled)
	}
}
