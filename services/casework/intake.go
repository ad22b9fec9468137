package casework

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// intake is an application being taken in.
type intake struct {
	access authn.Access
	hall   string
	// asApplicant tells that the applicant itself acts.
	asApplicant bool
	// complete demands that every necessary material is there.
	complete bool
	// formAt is where the form stands in the request, case.form when empty.
	formAt string
	// wanted is the item revision the applicant read, 0 for any.
	wanted int32
	now    time.Time
}

// application checks what was sent and makes a new case of it, every text in its one
// spelling. Fields that only the service sets are not looked at.
func (s *Service) application(ctx context.Context, in intake, sent *caseworkv1.Case) (*caseworkv1.Case, error) {
	item, err := s.items.inForce(in.hall, sent.GetItem(), in.wanted, in.now)
	if err != nil {
		return nil, fault.At("case", err)
	}
	c := &caseworkv1.Case{
		State: caseworkv1.CaseState_CASE_STATE_DRAFT, Form: sent.GetForm(), CreateTime: stamp(in.now), UpdateTime: stamp(in.now),
		OnBehalf: !in.asApplicant,
	}
	takeItem(c, item)
	if c.Applicant, c.ApplicantKey, err = s.applicant(in, item, sent.GetApplicant()); err != nil {
		return nil, err
	}
	if err := s.takeMandate(ctx, in, c, sent.GetMandate()); err != nil {
		return nil, err
	}
	if c.Channel, err = channel("case.channel", sent.GetChannel(), in.asApplicant); err != nil {
		return nil, err
	}
	if c.Subject, err = line("case.subject", sent.GetSubject(), 200); err != nil {
		return nil, err
	}
	if err := s.applicationForm(in, item, c.Form); err != nil {
		return nil, err
	}
	if c.Materials, err = s.materials(item, sent.GetMaterials(), in.asApplicant); err != nil {
		return nil, fault.At("case", err)
	}
	if err := s.takeFiles(ctx, c.ApplicantKey, item, c.Materials); err != nil {
		return nil, fault.At("case", err)
	}
	return c, fault.At("case", checkMaterials(item, c.Materials, in.complete))
}

// takeItem gives the case what it keeps of the item's revision for life.
func takeItem(c *caseworkv1.Case, item *rules.Item) {
	c.Item, c.ItemRevision, c.ItemTitle, c.Department = item.Name, item.Revision, item.Title, item.Department
	c.CaseType = caseworkv1.CaseType_CASE_TYPE_PROMISED
	if item.Instant {
		c.CaseType = caseworkv1.CaseType_CASE_TYPE_INSTANT
	}
	c.PromisedLimit, c.StatutoryLimit = int32(item.Limits.Promised), int32(item.Limits.Statutory)
	c.LimitUnit = unitName(item.Limits.Unit)
	c.FullFlow, c.FourEyes, c.ELicense, c.OwnFlow = item.FullFlow, item.FourEyes, item.ELicense, len(item.Flow) > 0
}

// applicant checks who applies: a number that exists, and an item open to it.
func (s *Service) applicant(in intake, item *rules.Item, sent *caseworkv1.Applicant) (*caseworkv1.Applicant, string, error) {
	const at = "case.applicant"
	a := &caseworkv1.Applicant{Type: sent.GetType(), IdType: sent.GetIdType()}
	var err error
	idType, serves := authn.IDTypeResident, item.ServesPersons()
	switch {
	case a.Type == caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON && a.IdType == caseworkv1.IdType_ID_TYPE_RESIDENT_ID:
		a.IdNumber, err = codes.ResidentIDAt(sent.GetIdNumber(), in.now)
	case a.Type == caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE && a.IdType == caseworkv1.IdType_ID_TYPE_USCC:
		idType, serves = authn.IDTypeUSCC, item.ServesBodies()
		a.IdNumber, err = codes.USCC(sent.GetIdNumber())
	default:
		return nil, "", fault.InvalidArgument.New(fault.Field(at + ".id_type"))
	}
	if err != nil {
		return nil, "", fault.At(at+".id_number", err)
	}
	if !serves {
		return nil, "", fault.WrongApplicantType.New(fault.Field(at+".type"), currentRevision(item.Revision))
	}
	if a.DisplayName, err = codes.CleanName(sent.GetDisplayName()); err != nil {
		return nil, "", fault.At(at+".display_name", err)
	}
	if sent.GetContactName() != "" {
		if a.ContactName, err = codes.CleanName(sent.GetContactName()); err != nil {
			return nil, "", fault.At(at+".contact_name", err)
		}
	}
	if a.Phone, err = codes.Phone(sent.GetPhone()); err != nil {
		return nil, "", fault.At(at+".phone", err)
	}
	if a.Address, err = line(at+".address", sent.GetAddress(), 300); err != nil {
		return nil, "", err
	}
	return a, s.identity(idType, a.IdNumber), nil
}

// channel is the way something came in. What a window enters came to the window unless
// it says otherwise; an applicant who acts itself is not at the window.
func channel(field string, sent caseworkv1.Channel, asApplicant bool) (caseworkv1.Channel, error) {
	switch {
	case sent == caseworkv1.Channel_CHANNEL_WINDOW && asApplicant:
		return 0, fault.InvalidArgument.New(fault.Field(field))
	case sent != caseworkv1.Channel_CHANNEL_UNSPECIFIED:
		return sent, nil
	case asApplicant:
		return caseworkv1.Channel_CHANNEL_WEB, nil
	default:
		return caseworkv1.Channel_CHANNEL_WINDOW, nil
	}
}

// cameBy is the way by which the public took part in a step; none when an office acted
// by itself.
func cameBy(c *caseworkv1.Case, a authn.Access, asApplicant bool) caseworkv1.Channel {
	switch {
	case asApplicant && c.GetChannel() == caseworkv1.Channel_CHANNEL_MOBILE:
		return caseworkv1.Channel_CHANNEL_MOBILE
	case asApplicant:
		return caseworkv1.Channel_CHANNEL_WEB
	case atWindow(a):
		return caseworkv1.Channel_CHANNEL_WINDOW
	}
	return caseworkv1.Channel_CHANNEL_UNSPECIFIED
}

// materials are what was handed in, with the guide's own titles.
func (s *Service) materials(item *rules.Item, sent []*caseworkv1.CaseMaterial, asApplicant bool) ([]*caseworkv1.CaseMaterial, error) {
	titles := map[string]string{}
	for _, m := range item.Materials {
		titles[m.ID] = m.Title
	}
	out := make([]*caseworkv1.CaseMaterial, len(sent))
	for i, m := range sent {
		file, err := line("materials["+strconv.Itoa(i)+"].file_name", m.GetFileName(), 200)
		if err != nil {
			return nil, err
		}
		out[i] = proto.CloneOf(m)
		out[i].FileName, out[i].DisplayName, out[i].Copies = file, titles[m.GetMaterialId()], max(1, m.GetCopies())
		out[i].Size, out[i].MediaType, out[i].TrustLevel = 0, "", 0
		if out[i].Promise != nil {
			if err := s.signed(out[i].Promise, asApplicant); err != nil {
				return nil, fault.At("materials["+strconv.Itoa(i)+"]", err)
			}
		}
	}
	return out, nil
}

func checkMaterials(item *rules.Item, all []*caseworkv1.CaseMaterial, complete bool) error {
	return rules.CheckMaterials(item, plainMaterials(all), complete)
}

// plainMaterials are materials as the rules see them.
func plainMaterials(all []*caseworkv1.CaseMaterial) []rules.Material {
	plain := make([]rules.Material, len(all))
	for i, m := range all {
		plain[i] = rules.Material{ID: m.GetMaterialId(), SHA256: m.GetSha256(), Paper: m.GetPaper(), Promised: m.GetPromised(), Promise: m.GetPromise() != nil, Trust: rules.Trust(m.GetTrustLevel())}
	}
	return plain
}
