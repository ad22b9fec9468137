package catalogue

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// filled is a policy with all its numbers, as the almanac reads it.
func filled(m *cataloguev1.HallPolicy) (*cataloguev1.HallPolicy, workday.Policy, error) {
	p, err := almanac.PolicyOf(m)
	if err != nil {
		return nil, p, fault.At("policy", err)
	}
	m = proto.CloneOf(m)
	m.AcceptanceDays, m.PreAcceptanceDays, m.SupplementDays = int32(p.AcceptanceDays), int32(p.PreAcceptanceDays), int32(p.SupplementDays)
	m.DeliveryDays, m.ForwardDays = int32(p.DeliveryDays), int32(p.ForwardDays)
	m.ExtensionDays, m.JointExtensionDays = int32(p.ExtensionDays), int32(p.JointExtensionDays)
	m.CountBy = cataloguev1.CountBy_COUNT_BY_DAY
	if p.Mode == workday.SecondMode {
		m.CountBy = cataloguev1.CountBy_COUNT_BY_SECOND
	}
	m.Hours = nil
	for _, span := range p.Hours.Spans() {
		m.Hours = append(m.Hours, span.String())
	}
	return m, p, nil
}

// general is what holds for a hall that has no policy of its own.
func general(hall string) *cataloguev1.HallPolicy {
	m, _, err := filled(&cataloguev1.HallPolicy{EffectiveDate: "2012-01-01"})
	if err != nil {
		panic(err) // it is written above
	}
	m.Name, m.State = hall+"/policies/0", cataloguev1.PolicyState_POLICY_STATE_PUBLISHED
	m.Reason = "通用时限规则"
	return m
}

// SetHallPolicy proposes by what limits a hall counts.
func (s days) SetHallPolicy(ctx context.Context, req *cataloguev1.SetHallPolicyRequest) (*cataloguev1.HallPolicy, error) {
	r := requestOf(ctx, req.GetParent(), "SetHallPolicy", req)
	reason, err := codes.Line(req.GetPolicy().GetReason(), 200)
	if err != nil {
		return nil, fault.At("policy.reason", err)
	}
	if _, err := workday.ParseDate(req.GetPolicy().GetEffectiveDate()); err != nil {
		return nil, fault.InvalidArgument.New(fault.Field("policy.effective_date"), fault.Cause(err))
	}
	m, p, err := filled(req.GetPolicy())
	if err != nil {
		return nil, err
	}
	m.State, m.Reason, m.Proposer = cataloguev1.PolicyState_POLICY_STATE_PROPOSED, reason, r.actor()
	m.Approver, m.PublishTime = "", nil
	propose := func(ctx context.Context, q db.Querier) error {
		last, err := store.LastPolicy(ctx, q, req.GetParent())
		if err != nil {
			return err
		}
		m.Version = int32(last) + 1
		m.Name = fmt.Sprintf("%s/policies/%d", req.GetParent(), m.GetVersion())
		return nil
	}
	if req.GetValidateOnly() {
		return m, propose(ctx, s.db.Read())
	}
	return change(ctx, s.Service, r, req.GetParent(), &cataloguev1.HallPolicy{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.HallPolicy, error) {
		if err := propose(ctx, tx); err != nil {
			return nil, err
		}
		m.CreateTime, m.Etag = timestamppb.New(tx.Now()), feed.Etag(m.GetName(), 1)
		row := store.Policy{Hall: req.GetParent(), Version: int64(m.GetVersion()), State: int64(m.GetState()), Effective: int64(p.From), Sequence: 1, Data: feed.Deterministic(m)}
		if err := store.InsertPolicy(ctx, tx, row); err != nil {
			return nil, err
		}
		return m, r.happened(ctx, tx, "policy.proposed", m.GetName(), 1, m, nil)
	})
}

// ApproveHallPolicy publishes a proposed policy.
func (s days) ApproveHallPolicy(ctx context.Context, req *cataloguev1.ApproveHallPolicyRequest) (*cataloguev1.HallPolicy, error) {
	hall := hallOf(req.GetName())
	r := requestOf(ctx, hall, "ApproveHallPolicy", req)
	version, err := versionOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return change(ctx, s.Service, r, hall, &cataloguev1.HallPolicy{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.HallPolicy, error) {
		row, err := store.GetPolicy(ctx, tx, hall, version)
		if err != nil {
			return nil, err
		}
		if err := feed.CheckEtag(req.GetEtag(), req.GetName(), row.Sequence); err != nil {
			return nil, err
		}
		m, err := decode(row.Data, &cataloguev1.HallPolicy{})
		if err != nil {
			return nil, err
		}
		switch {
		case m.GetState() != cataloguev1.PolicyState_POLICY_STATE_PROPOSED:
			return nil, fault.WrongTransition.New(fault.Meta("state", m.GetState().String()))
		case m.GetProposer() == r.actor():
			return nil, fault.SamePersonForbidden.New()
		}
		row.Sequence++
		m.State, m.Approver, m.PublishTime = cataloguev1.PolicyState_POLICY_STATE_PUBLISHED, r.actor(), timestamppb.New(tx.Now())
		m.Etag = feed.Etag(m.GetName(), row.Sequence)
		row.State, row.Data = int64(m.GetState()), feed.Deterministic(m)
		if err := store.UpdatePolicy(ctx, tx, row); err != nil {
			return nil, err
		}
		return m, r.happened(ctx, tx, almanac.PolicyPublished, m.GetName(), row.Sequence, m, nil)
	})
}

func versionOf(name string) (int64, error) {
	version, err := strconv.ParseInt(lastPart(name), 10, 32)
	if err != nil {
		return 0, fault.NotFound.New()
	}
	return version, nil
}

// GetHallPolicy reads a policy, or what holds for who applies now.
func (s days) GetHallPolicy(ctx context.Context, req *cataloguev1.GetHallPolicyRequest) (*cataloguev1.HallPolicy, error) {
	hall := hallOf(req.GetName())
	if lastPart(req.GetName()) == "current" {
		data, err := store.PolicyInForce(ctx, s.db.Read(), hall, int64(workday.DateOf(s.clock.Now())))
		if err != nil {
			return nil, err
		}
		if data == nil {
			return general(hall), nil
		}
		return decode(data, &cataloguev1.HallPolicy{})
	}
	version, err := versionOf(req.GetName())
	if err != nil {
		return nil, err
	}
	row, err := store.GetPolicy(ctx, s.db.Read(), hall, version)
	if err != nil {
		return nil, err
	}
	return decode(row.Data, &cataloguev1.HallPolicy{})
}

// ListHallPolicies lists the policies of a hall, newest first.
func (s days) ListHallPolicies(ctx context.Context, req *cataloguev1.ListHallPoliciesRequest) (*cataloguev1.ListHallPoliciesResponse, error) {
	l, before, err := s.numbered(ctx, req, page.FilterHash("policies", req.GetParent()))
	if err != nil {
		return nil, err
	}
	rows, err := store.ListPolicies(ctx, s.db.Read(), req.GetParent(), before, l.size+1)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListHallPoliciesResponse{}
	rows, resp.NextPageToken = cut(l, rows, func(r store.Numbered) string { return strconv.FormatInt(r.Version, 10) })
	for _, row := range rows {
		m, err := decode(row.Data, &cataloguev1.HallPolicy{})
		if err != nil {
			return nil, err
		}
		resp.HallPolicies = append(resp.HallPolicies, m)
	}
	return resp, nil
}
