package rules

import "github.com/onehall/onehall/services/platform/fault"

// Charge is what the applicant was asked to pay, in fen.
type Charge struct {
	Amount, Refunded int64
	Paid, Waived     bool
}

// ItemFee is a fee that the item's guide publishes.
type ItemFee struct{ Name, Basis string }

// MaxCharges is how many charges a case may have.
const MaxCharges = 100

// MaxFee is the largest amount in fen that is taken for one: a billion yuan.
const MaxFee = 100_000_000_000

// chargeable refuses a fee on what the guide calls free. A wrong amount, a wrong time and
// a missing basis are not refused: that it was charged is a fact, and supervision sees it.
func chargeable(c Case, in Input) error {
	switch {
	case c.Joint || len(c.Charges) >= MaxCharges:
		return wrongState(c, in.Command)
	case in.Was == nil || !in.Was.Charged:
		return fault.FeeOnFree.New(fault.Field("amount_fen"))
	case in.Amount < 1 || in.Amount > MaxFee:
		return fault.BadFee.New(fault.Field("amount_fen"))
	}
	return nil
}

// charged finds the charge that the command is about.
func charged(c Case, in Input) (Charge, error) {
	if in.Charge < 1 || in.Charge > len(c.Charges) {
		return Charge{}, fault.InvalidArgument.New(fault.Field("serial"))
	}
	return c.Charges[in.Charge-1], nil
}

func payable(c Case, in Input) error {
	charge, err := charged(c, in)
	if err != nil {
		return err
	}
	if charge.Paid || charge.Waived {
		return wrongState(c, in.Command)
	}
	return nil
}

func waivable(c Case, in Input) error {
	if err := payable(c, in); err != nil {
		return err
	}
	return longEnough("reason", in.Reason, MinReason)
}

func refundable(c Case, in Input) error {
	charge, err := charged(c, in)
	switch {
	case err != nil:
		return err
	case !charge.Paid:
		return wrongState(c, in.Command)
	case in.Amount < 1 || charge.Refunded+in.Amount > charge.Amount:
		return fault.BadFee.New(fault.Field("amount_fen"))
	}
	return longEnough("reason", in.Reason, MinReason)
}

// account notes what became of a charge.
func (c *Case) account(in Input) {
	switch in.Command {
	case ChargeFee:
		c.Charges = append(c.Charges, Charge{Amount: in.Amount})
	case PayFee:
		c.Charges[in.Charge-1].Paid = true
	case WaiveFee:
		c.Charges[in.Charge-1].Waived = true
	case RefundFee:
		c.Charges[in.Charge-1].Refunded += in.Amount
	}
}
