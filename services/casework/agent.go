package casework

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
)

// takeMandate settles for whom the caller applies: for itself, or by a mandate for the
// one who gave it, which the case then names. A window may name the mandate of whoever
// stands before it.
func (s *Service) takeMandate(ctx context.Context, in intake, c *caseworkv1.Case, name string) error {
	self := c.GetApplicantKey() != "" && c.GetApplicantKey() == in.access.IdentityKey
	switch {
	case in.asApplicant && self:
		return nil
	case name == "" && in.asApplicant:
		return fault.PermissionDenied.New(fault.Field("case.applicant.id_number"))
	case name == "":
		return nil
	}
	row, found, err := store.GetMandate(ctx, s.db.Read(), mandateID(name))
	if err != nil {
		return err
	}
	if !found || in.asApplicant && row.Agent != in.access.IdentityKey {
		return fault.MandateUnknown.New(fault.Field("case.mandate"))
	}
	if row.Principal != c.GetApplicantKey() {
		return fault.MandateMismatch.New(fault.Field("case.mandate"))
	}
	m, err := s.opened(row)
	if err != nil {
		return err
	}
	if err := mandateFacts(row, m).Allows(c.GetItem(), in.now); err != nil {
		return fault.At("case.mandate", err)
	}
	c.Mandate, c.AgentKey, c.Agent, c.ActingMandate = m.GetName(), row.Agent, maskedParty(m.GetAgent()), m.GetName()
	return nil
}

// agentReach is the mandate by which the caller may see and go on with a case that is
// not its own. Who filed it is told why it may no longer; for everybody else the case
// does not exist.
func (s *Service) agentReach(ctx context.Context, a authn.Access, c *caseworkv1.Case) (string, error) {
	if !mayOwn(a) {
		return "", fault.NotFound.New()
	}
	now := s.clock.Now()
	var refusal error = fault.NotFound.New()
	if c.GetAgentKey() == a.IdentityKey && c.GetMandate() != "" {
		row, found, err := store.GetMandate(ctx, s.db.Read(), mandateID(c.GetMandate()))
		if err != nil {
			return "", err
		}
		if found {
			m, err := s.opened(row)
			if err != nil {
				return "", err
			}
			if refusal = mandateFacts(row, m).Allows(c.GetItem(), now); refusal == nil {
				return m.GetName(), nil
			}
		}
	}
	if c.GetState() == caseworkv1.CaseState_CASE_STATE_DRAFT {
		return "", refusal // a draft is seen by who wrote it
	}
	rows, err := store.MandatesBetween(ctx, s.db.Read(), c.GetApplicantKey(), a.IdentityKey, now)
	if err != nil {
		return "", err
	}
	for _, row := range rows {
		m, err := s.opened(row)
		if err != nil {
			return "", err
		}
		if reaches(m, c.GetItem()) {
			return m.GetName(), nil
		}
	}
	return "", refusal
}
