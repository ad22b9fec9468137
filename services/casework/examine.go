package casework

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
)

// UndertakeCase takes the case in hand.
func (s *Service) UndertakeCase(ctx context.Context, req *caseworkv1.UndertakeCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, approvalStep("UndertakeCase", "case.undertaken", rules.Undertake, req))
}

// ExamineCase examines the case.
func (s *Service) ExamineCase(ctx context.Context, req *caseworkv1.ExamineCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, approvalStep("ExamineCase", "case.examined", rules.Examine, req))
}

// ApproveCase approves what was examined.
func (s *Service) ApproveCase(ctx context.Context, req *caseworkv1.ApproveCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, approvalStep("ApproveCase", "case.approved", rules.Approve, req))
}

// stepRequest is a request to take an approval step.
type stepRequest interface {
	message
	GetEtag() string
	GetHappenedAt() *timestamppb.Timestamp
	GetOpinion() string
}

// approvalStep is what the three approval steps have in common.
func approvalStep(rpc, event string, command rules.Command, req stepRequest) step {
	var opinion string
	return step{
		rpc: rpc, event: event, command: command, request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			opinion, err = optional("opinion", req.GetOpinion(), 2000)
			return in, err
		},
		effect: func(t *turn) {
			taken := t.after.Steps[len(t.after.Steps)-1]
			t.c.Steps = append(t.c.Steps, &caseworkv1.Step{
				Kind: caseworkv1.StepKind(taken.Kind), Officer: taken.Officer, OfficerName: t.access.Name, Opinion: opinion, StepTime: stamp(t.at()),
			})
		},
	}
}

// DecideCase grants or denies.
func (s *Service) DecideCase(ctx context.Context, req *caseworkv1.DecideCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "DecideCase", event: "case.decided", command: rules.Decide,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			in.Granted = req.GetResult() == caseworkv1.DecisionResult_DECISION_RESULT_GRANTED
			if in.Reason, err = reason("reason", req.GetReason(), 4000); err != nil {
				return in, err
			}
			in.Remedies, err = reason("remedies", req.GetRemedies(), 2000)
			return in, err
		},
		effect: func(t *turn) {
			t.c.Decision = &caseworkv1.Decision{
				Result: req.GetResult(), Reason: t.in.Reason, Remedies: t.in.Remedies, Officer: t.access.Subject, DecideTime: stamp(t.after.DecidedAt),
			}
			t.c.GrantedWithGaps = t.after.Granted && t.after.HasGaps()
		},
	})
}

// StartSpecialProcedure starts an extension or a procedure whose time does not count.
func (s *Service) StartSpecialProcedure(ctx context.Context, req *caseworkv1.StartSpecialProcedureRequest) (*caseworkv1.Case, error) {
	command := rules.StartExcluded
	if req.GetKind() == caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION {
		command = rules.Extend
	}
	return s.perform(ctx, step{
		rpc: "StartSpecialProcedure", event: "case.special_started", command: command,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			in.Limit, in.Unit = int(req.GetLimit()), unitOf(req.GetLimitUnit())
			policy := s.policyOf(t.c, t.before, t.now)
			if in.Most = policy.ExtensionDays; t.before.Joint {
				in.Most = policy.JointExtensionDays
			}
			if in.Name, err = given("display_name", req.GetDisplayName(), 100); err != nil {
				return in, err
			}
			if in.Requester, err = line("requester", req.GetRequester(), 100); err != nil {
				return in, err
			}
			in.Reason, err = reason("ground", req.GetGround(), 2000)
			return in, err
		},
		effect: func(t *turn) {
			p := t.after.Specials[len(t.after.Specials)-1]
			t.c.SpecialProcedures = append(t.c.SpecialProcedures, &caseworkv1.SpecialProcedure{
				Serial: int32(len(t.after.Specials)), Kind: req.GetKind(), DisplayName: p.Name, Ground: t.in.Reason,
				Requester: t.in.Requester, Approver: t.access.Subject, Limit: int32(p.Limit), LimitUnit: unitName(p.Unit),
				StartTime: stamp(p.Start), EndTime: stamp(p.End),
			})
			addHandler(t.c, t.in.Requester)
		},
	})
}

// EndSpecialProcedure ends the running procedure with its result.
func (s *Service) EndSpecialProcedure(ctx context.Context, req *caseworkv1.EndSpecialProcedureRequest) (*caseworkv1.Case, error) {
	var result string
	return s.perform(ctx, step{
		rpc: "EndSpecialProcedure", event: "case.special_ended", command: rules.EndSpecial,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			result, err = optional("result", req.GetResult(), 2000)
			return in, err
		},
		effect: func(t *turn) {
			for i, p := range t.after.Specials {
				if t.before.Specials[i].End.IsZero() && !p.End.IsZero() {
					t.c.SpecialProcedures[i].EndTime, t.c.SpecialProcedures[i].Result = stamp(p.End), result
				}
			}
		},
	})
}
