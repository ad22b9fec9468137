package casework

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
)

// ListMyCases lists the caller's cases in all halls, or those that a mandate reaches.
func (s *Service) ListMyCases(ctx context.Context, req *caseworkv1.ListMyCasesRequest) (*caseworkv1.ListMyCasesResponse, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	hash := page.FilterHash("ListMyCases", req.GetMandate())
	key, err := s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return nil, err
	}
	owner, sees, err := s.seenBy(ctx, a, req.GetMandate())
	if err != nil {
		return nil, err
	}
	f := store.Filter{ApplicantKey: owner, Size: size + 1}
	if len(key) == 1 {
		f.Before = key[0]
	}
	found, err := store.List(ctx, s.db.Read(), f)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListMyCasesResponse{}
	if len(found) > size {
		found = found[:size]
		res.NextPageToken = s.pages.Encode(a.Subject, hash, found[size-1].CaseNo)
	}
	for _, e := range found {
		c := &caseworkv1.Case{}
		if err := proto.Unmarshal(e.Data, c); err != nil {
			return nil, fmt.Errorf("casework: stored case %s: %w", e.CaseNo, err)
		}
		if sees(c) {
			res.Cases = append(res.Cases, masked(c))
		}
	}
	return res, nil
}

// seenBy is whose cases are listed, and which of them: one's own, or what a mandate
// reaches of its principal's. A page of those may be short.
func (s *Service) seenBy(ctx context.Context, a authn.Access, name string) (owner string, sees func(*caseworkv1.Case) bool, err error) {
	if name == "" {
		return a.IdentityKey, func(*caseworkv1.Case) bool { return true }, nil
	}
	m, row, err := s.mandate(ctx, a, name)
	if err != nil {
		return "", nil, err
	}
	if row.Agent != a.IdentityKey {
		return "", nil, fault.MandateUnknown.New(fault.Field("mandate"))
	}
	facts := mandateFacts(row, m)
	facts.Items = nil // which items is asked of each case
	if err := facts.Allows("", s.clock.Now()); err != nil {
		return "", nil, fault.At("mandate", err)
	}
	return row.Principal, func(c *caseworkv1.Case) bool {
		filed := c.GetAgentKey() == a.IdentityKey
		draft := c.GetState() == caseworkv1.CaseState_CASE_STATE_DRAFT
		return reaches(m, c.GetItem()) && (filed || m.GetAllCases() && !draft)
	}, nil
}
