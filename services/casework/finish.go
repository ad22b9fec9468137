package casework

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// FinishCase finishes the case with a result.
func (s *Service) FinishCase(ctx context.Context, req *caseworkv1.FinishCaseRequest) (*caseworkv1.Case, error) {
	f := &caseworkv1.Finish{Result: req.GetResult(), Online: req.GetOnline()}
	return s.perform(ctx, step{
		rpc: "FinishCase", event: "case.finished", command: rules.Finish,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			in.Result, in.Handover = rules.FinishResult(req.GetResult()), handover(f)
			if in.Reason, err = reason("description", req.GetDescription(), 2000); err != nil {
				return in, err
			}
			if f.CertificateName, err = line("certificate_name", req.GetCertificateName(), 200); err != nil {
				return in, err
			}
			if f.ForwardedTo = req.GetForwardedTo(); f.ForwardedTo != "" && in.Result != rules.ResultForwarded {
				return in, fault.InvalidArgument.New(fault.Field("forwarded_to"))
			}
			f.CertificateNo, err = line("certificate_no", req.GetCertificateNo(), 100)
			return in, err
		},
		effect: func(t *turn) {
			f.Description, f.Officer, f.FinishTime = t.in.Reason, t.access.Subject, stamp(t.at())
			t.c.Finish = f
		},
	})
}

// CollectCase registers that the result was collected or delivered.
func (s *Service) CollectCase(ctx context.Context, req *caseworkv1.CollectCaseRequest) (*caseworkv1.Case, error) {
	var collector string
	return s.perform(ctx, step{
		rpc: "CollectCase", event: "case.collected", command: rules.Collect,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			if collector, err = codes.CleanName(req.GetCollector()); err != nil {
				return in, fault.At("collector", err)
			}
			return in, nil
		},
		effect: func(t *turn) {
			t.c.Collection = &caseworkv1.Collection{Collector: collector, Way: req.GetWay(), CollectTime: stamp(t.at())}
			if t.c.LastChannel = req.GetWay(); req.GetWay() == caseworkv1.Channel_CHANNEL_WINDOW {
				t.c.Visits++
			}
		},
	})
}

// WithdrawCase withdraws the application before the decision; a joint one with all its
// parts that can still be withdrawn.
func (s *Service) WithdrawCase(ctx context.Context, req *caseworkv1.WithdrawCaseRequest) (*caseworkv1.Case, error) {
	var parts []part
	return s.perform(ctx, step{
		rpc: "WithdrawCase", event: "case.withdrawn", command: rules.Withdraw,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			if parts, err = s.openParts(ctx, t); err != nil {
				return in, err
			}
			return reasonOnly(req)(t)
		},
		effect: ended,
		also:   func(ctx context.Context, tx *db.Tx, t *turn) error { return s.withdrawParts(ctx, tx, t, parts) },
	})
}

// LapseCase closes a case whose applicant missed the supplement limit.
func (s *Service) LapseCase(ctx context.Context, req *caseworkv1.LapseCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "LapseCase", event: "case.lapsed", command: rules.Lapse,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: reasonOnly(req), effect: ended,
	})
}

// VoidCase voids a case as an authorised correction.
func (s *Service) VoidCase(ctx context.Context, req *caseworkv1.VoidCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "VoidCase", event: "case.voided", command: rules.Void,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			in, err = reasonOnly(req)(t)
			in.Deleted = req.GetDeleted()
			return in, err
		},
		effect: func(t *turn) {
			ended(t)
			t.c.Deleted = req.GetDeleted()
		},
	})
}

// RevealApplicant shows the applicant's personal data, and leaves an event that says
// who looked and what for.
func (s *Service) RevealApplicant(ctx context.Context, req *caseworkv1.RevealApplicantRequest) (*caseworkv1.Applicant, error) {
	c, _, err := s.performFull(ctx, step{
		rpc: "RevealApplicant", event: "case.applicant_revealed", command: rules.Reveal, request: req, noEtag: true, detail: requestDetail(req),
		input: func(*turn) (in rules.Input, err error) {
			in.Reason, err = reason("purpose", req.GetPurpose(), 200)
			return in, err
		},
	})
	if err == nil {
		return c.GetApplicant(), nil
	}
	// A repeated look is answered from the case: the event has the data masked.
	if _, again := s.answer(err, false); again != nil {
		return nil, again
	}
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	_, c, _, err = s.load(ctx, a, req.GetName())
	return c.GetApplicant(), err
}
