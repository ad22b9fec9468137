package casework

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// PreAcceptCase passes the online pre-acceptance.
func (s *Service) PreAcceptCase(ctx context.Context, req *caseworkv1.PreAcceptCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "PreAcceptCase", event: "case.pre_accepted", command: rules.PreAccept,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(), detail: requestDetail(req),
		input: func(*turn) (rules.Input, error) {
			_, err := optional("opinion", req.GetOpinion(), 2000)
			return rules.Input{}, err
		},
		effect: func(t *turn) { t.c.PreAcceptTime = stamp(t.at()) },
	})
}

// RequestSupplement tells the applicant all gaps at once.
func (s *Service) RequestSupplement(ctx context.Context, req *caseworkv1.RequestSupplementRequest) (*caseworkv1.Case, error) {
	days := int(req.GetLimitDays())
	var fields []string
	return s.perform(ctx, step{
		rpc: "RequestSupplement", event: "case.supplement_requested", command: rules.RequestSupplement,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			if in.Reason, err = reason("reason", req.GetReason(), 2000); err != nil {
				return in, err
			}
			if fields, err = formFields(req.GetFormFields()); err != nil {
				return in, err
			}
			if err := s.knownMaterials(t.c, req.GetMaterialIds()); err != nil {
				return in, err
			}
			policy := s.policyOf(t.c, t.before, t.now)
			if days == 0 {
				days = policy.SupplementDays
			}
			told := t.now
			if h := req.GetHappenedAt(); h != nil {
				told = h.AsTime()
			}
			in.Due = rules.SupplementDue(s.almanac.Book().Calendar, hallOf(t.c.GetName()), told, days)
			return in, nil
		},
		effect: func(t *turn) {
			notice := t.after.Supplements[len(t.after.Supplements)-1]
			t.c.Supplements = append(t.c.Supplements, &caseworkv1.Supplement{
				Serial: int32(len(t.after.Supplements)), Reason: t.in.Reason, MaterialIds: req.GetMaterialIds(), FormFields: fields,
				LimitDays: int32(days), DueDate: notice.Due.String(), NoticeTime: stamp(notice.Told), Officer: t.access.Subject,
				AfterAcceptance: notice.AfterAcceptance,
			})
		},
	})
}

func formFields(sent []string) ([]string, error) {
	out := make([]string, len(sent))
	for i, f := range sent {
		name, err := codes.Line(f, 200)
		if err != nil {
			return nil, fault.At("form_fields", err)
		}
		out[i] = name
	}
	return out, nil
}

// itemOfCase is the revision the case was filed under.
func (s *Service) itemOfCase(c *caseworkv1.Case) (*rules.Item, error) {
	item := s.items.revision(c.GetItem(), c.GetItemRevision())
	if item == nil {
		// Another replica has it and we shall in a second.
		return nil, fault.Unavailable.New()
	}
	return item, nil
}

func (s *Service) knownMaterials(c *caseworkv1.Case, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	item, err := s.itemOfCase(c)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(item.Materials, func(m rules.ItemMaterial) bool { return m.ID == id }) {
			return fault.MaterialUnknown.New(fault.Field("material_ids"))
		}
	}
	return nil
}

// ReceiveSupplement takes in what the applicant brings.
func (s *Service) ReceiveSupplement(ctx context.Context, req *caseworkv1.ReceiveSupplementRequest) (*caseworkv1.Case, error) {
	var all []*caseworkv1.CaseMaterial
	var by caseworkv1.Channel
	return s.perform(ctx, step{
		rpc: "ReceiveSupplement", event: "case.supplement_received", command: rules.ReceiveSupplement,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(t *turn) (in rules.Input, err error) {
			if by, err = channel("channel", req.GetChannel(), t.asApplicant); err != nil {
				return in, err
			}
			if req.GetForm() != nil {
				item, err := s.itemOfCase(t.c)
				if err != nil {
					return in, err
				}
				if err := s.forms.check(item, "form", req.GetForm(), true); err != nil {
					return in, err
				}
			}
			all, err = s.merged(ctx, t.c, req.GetMaterials(), t.asApplicant)
			in.Filled = filling(t.c, req.GetMaterials())
			return in, err
		},
		effect: func(t *turn) {
			t.c.Materials = all
			filled(t)
			if req.GetForm() != nil {
				t.c.Form = req.GetForm()
			}
			for i, r := range t.after.Supplements {
				t.c.Supplements[i].ReceiptTime = stamp(r.Received)
			}
			if t.c.LastChannel = by; by == caseworkv1.Channel_CHANNEL_WINDOW {
				t.c.Visits++
			}
		},
		files: true,
	})
}

// merged is the materials of a case with those brought now: one with the id of an
// earlier one replaces it.
func (s *Service) merged(ctx context.Context, c *caseworkv1.Case, sent []*caseworkv1.CaseMaterial, asApplicant bool) ([]*caseworkv1.CaseMaterial, error) {
	item, err := s.itemOfCase(c)
	if err != nil {
		return nil, err
	}
	brought, err := s.materials(item, sent, asApplicant)
	if err != nil {
		return nil, err
	}
	if err := s.takeFiles(ctx, c.GetApplicantKey(), item, brought); err != nil {
		return nil, err
	}
	// What is given twice in one go is a mistake, and so must be seen before merging.
	if err := checkMaterials(item, brought, false); err != nil {
		return nil, err
	}
	all := slices.Clone(c.GetMaterials())
	for _, b := range brought {
		at := slices.IndexFunc(all, func(m *caseworkv1.CaseMaterial) bool { return m.GetMaterialId() == b.GetMaterialId() })
		if at >= 0 {
			all[at] = proto.CloneOf(b)
		} else {
			all = append(all, b)
		}
	}
	// What the case holds from an earlier revision and this one asks for no more is no harm.
	known := slices.DeleteFunc(slices.Clone(all), func(m *caseworkv1.CaseMaterial) bool {
		return !slices.ContainsFunc(item.Materials, func(asked rules.ItemMaterial) bool { return asked.ID == m.GetMaterialId() })
	})
	return all, checkMaterials(item, known, false)
}

// AcceptCase accepts the application.
func (s *Service) AcceptCase(ctx context.Context, req *caseworkv1.AcceptCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "AcceptCase", event: "case.accepted", command: rules.Accept,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(), detail: requestDetail(req),
		input: func(t *turn) (in rules.Input, err error) {
			if _, err := optional("opinion", req.GetOpinion(), 2000); err != nil {
				return in, err
			}
			if err := s.reliable(ctx, t); err != nil {
				return in, err
			}
			told := t.now
			if h := req.GetHappenedAt(); h != nil {
				told = h.AsTime()
			}
			in.Gaps, err = s.gaps(t, req.GetGaps(), req.GetWithGaps(), told)
			return in, err
		},
		effect: func(t *turn) {
			t.c.AcceptTime = stamp(t.after.Accepted)
			s.accepted(t.c, t.after)
		},
	})
}

// NotAcceptCase tells that the matter needs no permission.
func (s *Service) NotAcceptCase(ctx context.Context, req *caseworkv1.NotAcceptCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "NotAcceptCase", event: "case.not_accepted", command: rules.NotAccept,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: reasonOnly(req), effect: ended,
	})
}

// RefuseCase refuses an application outside the body's power.
func (s *Service) RefuseCase(ctx context.Context, req *caseworkv1.RefuseCaseRequest) (*caseworkv1.Case, error) {
	return s.perform(ctx, step{
		rpc: "RefuseCase", event: "case.refused", command: rules.Refuse,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			if in.Reason, err = reason("reason", req.GetReason(), 2000); err != nil {
				return in, err
			}
			in.RightBody, err = reason("right_body", strings.TrimSpace(req.GetRightBody()), 200)
			return in, err
		},
		effect: func(t *turn) {
			ended(t)
			// The applicant has to be told where to go; the case has one text for that.
			t.c.EndReason = t.in.Reason + "\n有权受理机关：" + t.in.RightBody
		},
	})
}

// reasonOnly is the input of a step that needs a reason and nothing else.
func reasonOnly(req interface{ GetReason() string }) func(*turn) (rules.Input, error) {
	return func(*turn) (in rules.Input, err error) {
		in.Reason, err = reason("reason", req.GetReason(), 2000)
		return in, err
	}
}

// ended notes that the case left the flow without a finish.
func ended(t *turn) {
	t.c.EndReason, t.c.EndTime = t.in.Reason, stamp(t.at())
}
