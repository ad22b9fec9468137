package web

import (
	"net/url"
	"strings"

	"github.com/google/uuid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// take reads what the browser sent.
func (a *application) take(sent url.Values) {
	v := &a.view
	if a.schema != nil {
		a.filled = read(a.schema.Fields, sent, formPrefix)
	}
	v.Subject, v.Mandate, v.Draft, v.Etag = strings.TrimSpace(sent.Get("subject")), sent.Get("mandate"), sent.Get("draft"), sent.Get("etag")
	v.Again = sent.Get("allow_duplicate") != ""
	if id := sent.Get("request_id"); uuid.Validate(id) == nil {
		v.RequestID = id
	}
	v.Applicant = applicantSent(sent)
	for i, m := range v.Materials {
		v.Materials[i].Way = sent.Get("material." + m.GetId())
	}
}

// applicantSent is the applicant as typed. A credit code begins with a letter or a digit
// like an identity number, but is never as long.
func applicantSent(sent url.Values) *caseworkv1.Applicant {
	a := &caseworkv1.Applicant{
		DisplayName: strings.TrimSpace(sent.Get("applicant.display_name")), IdNumber: squeeze(sent.Get("applicant.id_number")),
		Phone: strings.TrimSpace(sent.Get("applicant.phone")), Address: strings.TrimSpace(sent.Get("applicant.address")),
		ContactName: strings.TrimSpace(sent.Get("applicant.contact_name")),
		Type:        caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON, IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID,
	}
	if sent.Get("applicant.id_type") == "uscc" {
		a.Type, a.IdType = caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, caseworkv1.IdType_ID_TYPE_USCC
	}
	return a
}

// check holds the form against the schema without sending it.
func (a *application) check(complete bool) error {
	if a.schema == nil {
		return nil
	}
	if found := a.schema.Check("case.form", a.filled, complete); len(found) > 0 {
		return fault.FormInvalid.New(fault.Violations(found...))
	}
	return nil
}
