package casework

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/fault"
)

// RevokeCase revokes afterwards what was granted.
func (s *Service) RevokeCase(ctx context.Context, req *caseworkv1.RevokeCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "RevokeCase", event: "case.revoked", command: rules.Revoke,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			if in.Reason, err = reason("reason", req.GetReason(), 4000); err != nil {
				return in, err
			}
			in.Remedies, err = reason("remedies", req.GetRemedies(), 2000)
			return in, err
		},
		effect: func(t *turn) {
			t.c.Revocation = &caseworkv1.Revocation{
				Reason: t.in.Reason, Remedies: t.in.Remedies, Officer: t.access.Subject, RevokeTime: stamp(t.at()),
			}
		},
	})
}

// ChangeRevision moves a running case to a newer revision of its item, or shows what
// would become of it.
func (s *Service) ChangeRevision(ctx context.Context, req *caseworkv1.ChangeRevisionRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "ChangeRevision", event: "case.revision_changed", command: rules.ChangeRevision, dry: req.GetValidateOnly(),
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(), detail: requestDetail(req),
		input: func(t *turn) (in rules.Input, err error) {
			if in.Reason, err = reason("reason", req.GetReason(), 2000); err != nil {
				return in, err
			}
			if in.Was, err = s.itemOfCase(t.c); err != nil {
				return in, err
			}
			if in.Becomes = s.items.revision(t.c.GetItem(), req.GetItemRevision()); in.Becomes == nil {
				return in, fault.InvalidArgument.New(fault.Field("item_revision"))
			}
			in.Unfit = s.unfit(t, in.Becomes)
			return in, nil
		},
		effect: func(t *turn) {
			// Who handles it is the hand-over's business, not the revision's.
			department := t.c.Department
			takeItem(t.c, t.in.Becomes)
			t.c.Department = department
		},
	})
}

// unfit is everything in a case that another revision of its item would not take: wrong or
// missing in the form, or in the materials.
func (s *Service) unfit(t *turn, becomes *rules.Item) []fault.Violation {
	var all []fault.Violation
	if schema := s.forms.of(becomes); schema != nil {
		all = schema.Check("form", t.c.GetForm().AsMap(), true)
	}
	return append(all, rules.UnfitMaterials(t.before.Gaps, plainMaterials(t.c.GetMaterials()), becomes)...)
}
