package casework

import (
	"testing"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// TestRefusedAttemptsAreKept: what the law forbids is refused and leaves a trace, which
// does not disturb whoever works on the case.
func TestRefusedAttemptsAreKept(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := h.do(h.file(fullItem), "accept")
		for _, step := range []string{"undertake", "examine"} {
			next, err := commands[step](as(h.t.Context(), "both"), h.client, c.GetName(), newID(), c.GetEtag(), nil)
			if err != nil {
				h.t.Fatal(explain(err))
			}
			c = next
		}
		approve := &caseworkv1.ApproveCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()}
		for range 2 { // the second is the first one's retry
			_, err := h.client.ApproveCase(as(h.t.Context(), "both"), approve)
			h.refusedWith(err, fault.SamePersonForbidden)
		}
		extend := &caseworkv1.StartSpecialProcedureRequest{
			Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION,
			DisplayName: "延长审批", Ground: longReason, Requester: "user/officer", Limit: 11,
		}
		_, err := h.client.StartSpecialProcedure(as(h.t.Context(), "head"), extend)
		h.refusedWith(err, fault.ExtensionLimit)
		extend.RequestId, extend.Limit, extend.Ground = newID(), 10, "忙"
		_, err = h.client.StartSpecialProcedure(as(h.t.Context(), "head"), extend)
		h.refusedWith(err, fault.ReasonRequired)
		h.refusedWith(h.try(c, "decide", "head"), fault.CaseWrongState) // out of turn is no offence

		ask := &caseworkv1.ListRefusedAttemptsRequest{Parent: c.GetName(), PageSize: 2}
		res, err := h.flow.ListRefusedAttempts(as(h.t.Context(), "supervisor"), ask)
		if err != nil || len(res.GetRefusedAttempts()) != 2 {
			h.t.Fatalf("%v, %s", res, explain(err))
		}
		first := res.GetRefusedAttempts()[0]
		if first.GetCommand() != "approve" || first.GetReason() != "SAME_PERSON_FORBIDDEN" || first.GetActor() != "user/both" || first.GetSerial() != 1 {
			h.t.Errorf("first: %v", first)
		}
		ask.PageToken = res.GetNextPageToken()
		res, err = h.flow.ListRefusedAttempts(as(h.t.Context(), "supervisor"), ask)
		if err != nil || len(res.GetRefusedAttempts()) != 1 || res.GetRefusedAttempts()[0].GetCommand() != "extend" || res.GetNextPageToken() != "" {
			h.t.Errorf("last page: %v, %v", res, err)
		}
		_, err = h.flow.ListRefusedAttempts(as(h.t.Context(), "stranger"), ask)
		h.refusedWith(err, fault.NotFound)
		h.do(c, "approve", "decide") // with the etag from before the attempts
	})
}
