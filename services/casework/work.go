package casework

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// ClaimCase takes a case out of the pool.
func (s *Service) ClaimCase(ctx context.Context, req *caseworkv1.ClaimCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "ClaimCase", event: "case.claimed", command: rules.Claim, guests: true,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		effect: func(t *turn) { t.c.AssigneeName = t.access.Name },
	})
}

// AssignCase gives the next step to a member of the staff.
func (s *Service) AssignCase(ctx context.Context, req *caseworkv1.AssignCaseRequest) (*caseworkv1.Case, error) {
	var name string
	return s.perform(ctx, step{
		rpc: "AssignCase", event: "case.assigned", command: rules.Assign,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			if in.Assignee, err = codes.Line(req.GetAssignee(), 100); err != nil {
				return in, fault.At("assignee", err)
			}
			name, err = line("assignee_name", req.GetAssigneeName(), 60)
			return in, err
		},
		effect: func(t *turn) { t.c.AssigneeName = name },
	})
}

// ReleaseCase gives a case back to the pool.
func (s *Service) ReleaseCase(ctx context.Context, req *caseworkv1.ReleaseCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "ReleaseCase", event: "case.released", command: rules.Release, guests: true,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(), detail: requestDetail(req),
		input: func(*turn) (in rules.Input, err error) {
			in.Reason, err = optional("reason", req.GetReason(), 2000)
			return in, err
		},
	})
}

// HandOverCase hands a case over to another department of the hall, or shows what would
// become of it.
func (s *Service) HandOverCase(ctx context.Context, req *caseworkv1.HandOverCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "HandOverCase", event: "case.handed_over", command: rules.HandOver, dry: req.GetValidateOnly(),
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			in.Department = req.GetDepartment()
			if !s.items.handledBy(hallOf(t.c.GetName()), in.Department) {
				return in, fault.DepartmentUnknown.New(fault.Field("department"))
			}
			in.Reason, err = reason("reason", req.GetReason(), 2000)
			return in, err
		},
		effect: func(t *turn) {
			t.c.Handovers = append(t.c.Handovers, &caseworkv1.Handover{
				FromDepartment: t.before.Department, ToDepartment: t.after.Department, Reason: t.in.Reason,
				Officer: t.access.Subject, HandoverTime: stamp(t.at()),
			})
			t.c.Department = t.after.Department
		},
	})
}
