package casework

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// newMandate checks what was sent and makes a mandate of it.
func (s *Service) newMandate(ctx context.Context, a authn.Access, sent *caseworkv1.Mandate) (*caseworkv1.Mandate, store.Mandate, error) {
	now := s.clock.Now()
	m := &caseworkv1.Mandate{
		Name: "mandates/" + uuid.NewString(), Items: sent.GetItems(), AllCases: sent.GetAllCases(), EndTime: sent.GetEndTime(),
		StartTime: sent.GetStartTime(), CreateTime: stamp(now),
	}
	if m.StartTime == nil {
		m.StartTime = stamp(now)
	}
	if m.StartTime.CheckValid() != nil || m.EndTime.CheckValid() != nil {
		return nil, store.Mandate{}, fault.MandatePeriod.New(fault.Field("mandate.end_time"))
	}
	principal, principalKey, err := s.party(sent.GetPrincipal())
	if err != nil {
		return nil, store.Mandate{}, fault.At("mandate.principal", err)
	}
	if principalKey != a.IdentityKey {
		return nil, store.Mandate{}, fault.PermissionDenied.New(fault.Field("mandate.principal.id_number"))
	}
	agent, agentKey, err := s.party(sent.GetAgent())
	if err != nil {
		return nil, store.Mandate{}, fault.At("mandate.agent", err)
	}
	m.Principal, m.Agent = principal, agent
	row := store.Mandate{
		ID: lastPart(m.GetName()), Principal: principalKey, Agent: agentKey, Starts: timeOf(m.StartTime), Ends: timeOf(m.EndTime),
		Created: now, AllCases: m.GetAllCases(), Seq: 1,
	}
	if err := rules.CheckMandate(mandateFacts(row, m), now); err != nil {
		return nil, row, err
	}
	for i, item := range m.GetItems() {
		if s.items.get(item) == nil {
			return nil, row, fault.ItemNotFound.New(fault.Field("mandate.items[" + strconv.Itoa(i) + "]"))
		}
	}
	standing, err := store.StandingMandates(ctx, s.db.Read(), principalKey, now)
	if err != nil {
		return nil, row, err
	}
	if standing >= rules.MaxMandates {
		return nil, row, fault.MandateLimit.New()
	}
	row.Data, err = s.seal(principalKey, m.GetName(), m)
	s.fillMandate(m, row)
	return m, row, err
}

// party is one side of a mandate, every text in its one spelling, with its key.
func (s *Service) party(sent *caseworkv1.Party) (*caseworkv1.Party, string, error) {
	number, key, err := s.numbered(sent.GetIdType(), sent.GetIdNumber())
	if err != nil {
		return nil, "", fault.At("id_number", err)
	}
	name, err := codes.CleanName(sent.GetDisplayName())
	if err != nil {
		return nil, "", fault.At("display_name", err)
	}
	return &caseworkv1.Party{DisplayName: name, IdType: sent.GetIdType(), IdNumber: number}, key, nil
}
