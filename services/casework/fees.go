package casework

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// ChargeFee asks for a fee.
func (s *Service) ChargeFee(ctx context.Context, req *caseworkv1.ChargeFeeRequest) (*caseworkv1.Case, error) {
	var name, basis string
	return s.perform(ctx, step{
		rpc: "ChargeFee", event: "case.fee_charged", command: rules.ChargeFee,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			in.Amount = req.GetAmountFen()
			if name, err = codes.Line(req.GetDisplayName(), 100); err != nil {
				return in, fault.At("display_name", err)
			}
			if basis, err = optional("basis", req.GetBasis(), 500); err != nil {
				return in, err
			}
			if in.Was, err = s.itemOfCase(t.c); err != nil {
				return in, err
			}
			for _, f := range in.Was.Fees {
				if basis == "" && f.Name == name {
					basis = f.Basis
				}
			}
			return in, nil
		},
		effect: func(t *turn) {
			t.c.Charges = append(t.c.Charges, &caseworkv1.Charge{
				Serial: int32(len(t.after.Charges)), DisplayName: name, AmountFen: req.GetAmountFen(), Basis: basis,
				State: caseworkv1.ChargeState_CHARGE_STATE_DUE, Officer: t.access.Subject, ChargeTime: stamp(t.at()),
			})
		},
	})
}

// RecordPayment records that a charge was paid.
func (s *Service) RecordPayment(ctx context.Context, req *caseworkv1.RecordPaymentRequest) (*caseworkv1.Case, error) {
	var receipt string
	return s.perform(ctx, step{
		rpc: "RecordPayment", event: "case.fee_paid", command: rules.PayFee,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			in.Charge = int(req.GetSerial())
			if receipt, err = codes.Line(req.GetReceiptNo(), 60); err != nil {
				return in, fault.At("receipt_no", err)
			}
			return in, nil
		},
		effect: func(t *turn) {
			c := t.c.Charges[t.in.Charge-1]
			c.State, c.PaymentTime, c.Way, c.ReceiptNo = caseworkv1.ChargeState_CHARGE_STATE_PAID, stamp(t.at()), req.GetWay(), receipt
		},
	})
}

// WaiveFee waives a charge that was not paid.
func (s *Service) WaiveFee(ctx context.Context, req *caseworkv1.WaiveFeeRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "WaiveFee", event: "case.fee_waived", command: rules.WaiveFee,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			in.Charge = int(req.GetSerial())
			in.Reason, err = reason("reason", req.GetReason(), 2000)
			return in, err
		},
		effect: func(t *turn) { forgone(t, caseworkv1.ChargeState_CHARGE_STATE_WAIVED) },
	})
}

// RefundFee records that money was given back.
func (s *Service) RefundFee(ctx context.Context, req *caseworkv1.RefundFeeRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "RefundFee", event: "case.fee_refunded", command: rules.RefundFee,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			in.Charge, in.Amount = int(req.GetSerial()), req.GetAmountFen()
			in.Reason, err = reason("reason", req.GetReason(), 2000)
			return in, err
		},
		effect: func(t *turn) {
			forgone(t, caseworkv1.ChargeState_CHARGE_STATE_REFUNDED)
			t.c.Charges[t.in.Charge-1].RefundFen = t.after.Charges[t.in.Charge-1].Refunded
		},
	})
}

// forgone notes who let the applicant off a charge, and why.
func forgone(t *turn, state caseworkv1.ChargeState) {
	c := t.c.Charges[t.in.Charge-1]
	c.State, c.Reason, c.WaivedBy, c.WaiveTime = state, t.in.Reason, t.access.Subject, stamp(t.at())
}
