package casework

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/form"
)

// formerCases is how many former cases are looked at for what was filled in before.
const formerCases = 20

// The sources of a value.
const (
	fromProfile  = "profile"
	fromIdentity = "identity"
	fromCase     = "case"
	fromMandate  = "mandate"
)

// PrefillForm gives an item's form with what is known already.
func (s *Service) PrefillForm(ctx context.Context, req *caseworkv1.PrefillFormRequest) (*caseworkv1.PrefillFormResponse, error) {
	a, err := applicantOf(ctx)
	if err != nil {
		return nil, err
	}
	item, err := s.items.inForce(hallOf(req.GetItem()), req.GetItem(), 0, s.clock.Now())
	if err != nil {
		return nil, err
	}
	known, err := s.knownFor(ctx, a, item, req.GetMandate())
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.PrefillFormResponse{ItemRevision: item.Revision, FormSchema: item.FormSchema, Applicant: known.applicant()}
	schema := s.forms.of(item)
	if schema == nil {
		return res, nil
	}
	values := map[string]any{}
	form.Walk(schema.Fields, func(f *form.Field) {
		if f.Prefill == "" || f.Kind == form.Group {
			return
		}
		value, source, from := known.value(s.forms, item, f)
		// What was true of another form may not fit this one.
		if value == nil || !fits(schema, f.Path, value) {
			return
		}
		form.Set(values, f.Path, value)
		res.Fields = append(res.Fields, &caseworkv1.PrefilledField{Path: f.Path, Source: source, Case: from})
	})
	if res.Form, err = structpb.NewStruct(values); err != nil {
		return nil, fmt.Errorf("casework: prefilled form: %w", err)
	}
	return res, nil
}

// fits reports whether a value alone is one that the form takes at the path.
func fits(schema *form.Schema, path string, value any) bool {
	alone := map[string]any{}
	form.Set(alone, path, value)
	return len(schema.Check("", alone, false)) == 0
}

// known is what the hall knows of whoever is to apply.
type known struct {
	// name is what is known without a profile and without a case, source where from; party
	// is the principal as its mandate names it, nil for the caller itself.
	name, source string
	party        *caseworkv1.Party
	profile      *caseworkv1.Profile
	// former are its latest cases, submitted ones only.
	former []*caseworkv1.Case
	items  *catalogue
}

// knownFor is what is known of the caller or, by a mandate, of whoever gave it: what the
// mandate lets the agent hand in for this item, and of former cases those it may see.
func (s *Service) knownFor(ctx context.Context, a authn.Access, item *rules.Item, mandate string) (*known, error) {
	owner, sees, err := s.seenBy(ctx, a, mandate)
	if err != nil {
		return nil, err
	}
	k := &known{name: a.Name, source: fromIdentity, items: s.items}
	if mandate != "" {
		m, row, err := s.mandate(ctx, a, mandate)
		if err != nil {
			return nil, err
		}
		if err := mandateFacts(row, m).Allows(item.Name, s.clock.Now()); err != nil {
			return nil, fault.At("mandate", err)
		}
		k.party = m.GetPrincipal()
		k.name, k.source = k.party.GetDisplayName(), fromMandate
	}
	return k, s.remember(ctx, k, owner, sees)
}

// remember looks up the profile and the former cases of somebody, as far as they may be seen.
func (s *Service) remember(ctx context.Context, k *known, owner string, sees func(*caseworkv1.Case) bool) (err error) {
	if k.profile, _, err = s.profile(ctx, owner); err != nil {
		return err
	}
	found, err := store.List(ctx, s.db.Read(), store.Filter{ApplicantKey: owner, Size: formerCases})
	if err != nil {
		return err
	}
	for _, e := range found {
		c := &caseworkv1.Case{}
		if err := proto.Unmarshal(e.Data, c); err != nil {
			return fmt.Errorf("casework: stored case %s: %w", e.CaseNo, err)
		}
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT && sees(c) {
			k.former = append(k.former, c)
		}
	}
	return nil
}

// applicant is who applies as a case names it: what it keeps, else what it gave last.
func (k *known) applicant() *caseworkv1.Applicant {
	p, last := k.profile, &caseworkv1.Applicant{}
	if len(k.former) > 0 {
		last = k.former[0].GetApplicant()
	}
	a := &caseworkv1.Applicant{
		DisplayName: first(p.GetDisplayName(), last.GetDisplayName(), k.name), IdType: p.GetIdType(), IdNumber: p.GetIdNumber(),
		Phone: first(p.GetPhone(), last.GetPhone()), Address: first(p.GetDeliveryAddress(), p.GetAddress(), last.GetAddress()),
		ContactName: first(p.GetContactName(), last.GetContactName()),
	}
	if a.IdNumber == "" {
		a.IdType, a.IdNumber = last.GetIdType(), last.GetIdNumber()
	}
	if a.IdNumber == "" {
		a.IdType, a.IdNumber = k.party.GetIdType(), k.party.GetIdNumber()
	}
	switch a.IdType {
	case caseworkv1.IdType_ID_TYPE_RESIDENT_ID:
		a.Type = caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON
	case caseworkv1.IdType_ID_TYPE_USCC:
		a.Type = caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE
	}
	return a
}

// value is what is known for a field, nil for nothing.
func (k *known) value(forms *forms, item *rules.Item, f *form.Field) (value any, source, from string) {
	if text := k.kept(f.Prefill); text != "" {
		return text, fromProfile, ""
	}
	for _, c := range k.former {
		if v := formerValue(forms, k.items, item, c, f); v != nil {
			return v, fromCase, c.GetName()
		}
	}
	if text := k.given(f.Prefill); text != "" {
		return text, fromCase, k.former[0].GetName()
	}
	if text := k.bare(f.Prefill); text != "" {
		return text, k.source, ""
	}
	return nil, "", ""
}

// bare is what the token says of the caller, or the mandate of its principal.
func (k *known) bare(source string) string {
	company := k.party.GetIdType() == caseworkv1.IdType_ID_TYPE_USCC
	switch {
	case source == "profile.name", source == "uscc.name" && company:
		return k.name
	case source == "profile.idNumber", source == "uscc.code" && company:
		return k.party.GetIdNumber()
	}
	return ""
}

// kept is what the profile says.
func (k *known) kept(source string) string {
	p, company := k.profile, k.profile.GetIdType() == caseworkv1.IdType_ID_TYPE_USCC
	switch source {
	case "profile.name":
		return p.GetDisplayName()
	case "profile.idNumber":
		return p.GetIdNumber()
	case "profile.phone":
		return p.GetPhone()
	case "profile.email":
		return p.GetEmail()
	case "profile.address":
		return p.GetAddress()
	case "profile.deliveryAddress":
		return first(p.GetDeliveryAddress(), p.GetAddress())
	case "profile.contactName":
		return p.GetContactName()
	case "uscc.legalRepresentative":
		return p.GetLegalRepresentative()
	}
	switch {
	case source == "uscc.name" && company:
		return p.GetDisplayName()
	case source == "uscc.code" && company:
		return p.GetIdNumber()
	}
	return ""
}

// given is what the last case says of its applicant.
func (k *known) given(source string) string {
	if len(k.former) == 0 {
		return ""
	}
	a := k.former[0].GetApplicant()
	company := a.GetIdType() == caseworkv1.IdType_ID_TYPE_USCC
	switch source {
	case "profile.name":
		return a.GetDisplayName()
	case "profile.idNumber":
		return a.GetIdNumber()
	case "profile.phone":
		return a.GetPhone()
	case "profile.address", "profile.deliveryAddress":
		return a.GetAddress()
	case "profile.contactName":
		return a.GetContactName()
	}
	switch {
	case source == "uscc.name" && company:
		return a.GetDisplayName()
	case source == "uscc.code" && company:
		return a.GetIdNumber()
	}
	return ""
}

// formerValue is what was filled in before: the same field of the same item, or a field
// of another item that means the same by its source.
func formerValue(forms *forms, items *catalogue, item *rules.Item, c *caseworkv1.Case, f *form.Field) any {
	if c.GetForm() == nil {
		return nil
	}
	if c.GetItem() == item.Name {
		return form.Get(c.GetForm().AsMap(), f.Path)
	}
	was := items.revision(c.GetItem(), c.GetItemRevision())
	if was == nil || f.Prefill == "former" {
		return nil
	}
	schema := forms.of(was)
	if schema == nil {
		return nil
	}
	var value any
	form.Walk(schema.Fields, func(other *form.Field) {
		if value == nil && other.Prefill == f.Prefill && other.Kind == f.Kind {
			value = form.Get(c.GetForm().AsMap(), other.Path)
		}
	})
	return value
}

// first is the first text that says something.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
