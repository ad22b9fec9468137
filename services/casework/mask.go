package casework

import (
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/codes"
)

// masked is the case as it leaves the service: personal data masked, without the form
// and the query code.
func masked(c *caseworkv1.Case) *caseworkv1.Case {
	// What is left out is not copied first: a form may be large.
	form, code, applicant := c.Form, c.QueryCode, c.Applicant
	c.Form, c.QueryCode, c.Applicant = nil, "", nil
	m := proto.CloneOf(c)
	c.Form, c.QueryCode, c.Applicant = form, code, applicant
	m.Applicant = maskedApplicant(applicant)
	if m.Collection != nil {
		m.Collection.Collector = codes.MaskName(m.Collection.Collector)
	}
	return m
}

// maskedApplicant leaves enough for a person to recognise itself, and no more.
func maskedApplicant(a *caseworkv1.Applicant) *caseworkv1.Applicant {
	if a == nil {
		return nil
	}
	m := &caseworkv1.Applicant{
		Type: a.GetType(), DisplayName: codes.MaskName(a.GetDisplayName()), IdType: a.GetIdType(), IdNumber: codes.MaskID(a.GetIdNumber()),
		ContactName: codes.MaskName(a.GetContactName()), Phone: codes.MaskPhone(a.GetPhone()), Address: maskAddress(a.GetAddress()),
	}
	if a.GetIdType() == caseworkv1.IdType_ID_TYPE_USCC {
		// A company's name stands in a public register; it is nobody's personal data.
		m.DisplayName, m.IdNumber = a.GetDisplayName(), codes.MaskUSCC(a.GetIdNumber())
	}
	return m
}

// maskAddress hides an address altogether: even its first words tell the town.
func maskAddress(s string) string {
	if s == "" {
		return ""
	}
	return strings.Repeat("*", 6)
}
