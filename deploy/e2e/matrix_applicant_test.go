package e2e

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/sample"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// party is a person as one side of a mandate.
func party(a sample.Applicant) *caseworkv1.Party {
	return &caseworkv1.Party{DisplayName: a.Name, IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID, IdNumber: a.IDNumber}
}

// mandate is given by person 1 to person 5.
func (s *scene) mandate() *caseworkv1.Mandate {
	s.t.Helper()
	_, client := s.person(1)
	m := &caseworkv1.Mandate{}
	s.must("mandate", client.Post(s.t.Context(), "/v1/mandates?requestId="+newID(), &caseworkv1.Mandate{
		Principal: party(s.data.People[1]), Agent: party(s.data.People[5]), EndTime: timestamppb.New(time.Now().AddDate(1, 0, 0)),
	}, m))
	return m
}

func (s *scene) applicantRows(x things) map[string]row {
	m := s.mandate()
	return map[string]row{
		"GetProfile": list(func() proto.Message { return &caseworkv1.GetProfileRequest{} }),
		// A phone number that is none, so that nothing is saved.
		"UpdateProfile": list(func() proto.Message {
			return &caseworkv1.UpdateProfileRequest{Profile: &caseworkv1.Profile{Phone: "12"}, RequestId: newID()}
		}),
		"ListMyCases": list(func() proto.Message { return &caseworkv1.ListMyCasesRequest{} }),
		"PrefillForm": list(func() proto.Message { return &caseworkv1.PrefillFormRequest{Item: x.item} }),
		// Without an end.
		"CreateMandate": list(func() proto.Message {
			return &caseworkv1.CreateMandateRequest{RequestId: newID(), Mandate: &caseworkv1.Mandate{Principal: party(s.data.People[1]), Agent: party(s.data.People[5])}}
		}),
		"GetMandate":    the(func() proto.Message { return &caseworkv1.GetMandateRequest{Name: m.GetName()} }),
		"ListMandates":  list(func() proto.Message { return &caseworkv1.ListMandatesRequest{} }),
		"RevokeMandate": the(func() proto.Message { return &caseworkv1.RevokeMandateRequest{Name: m.GetName(), RequestId: newID()} }),
	}
}
