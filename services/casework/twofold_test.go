package casework

import (
	"testing"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// A clerk who also applies is, in another hall, an applicant: it sees its own case and
// no other's, files for itself and not at the window.
func TestAClerkApplies(t *testing.T) {
	h := oneHall(t)
	own := h.file(promisedItem)
	other := filing(promisedItem)
	other.Case.Applicant.IdNumber, other.Case.Applicant.DisplayName = bobID, "鲍勃"
	others, err := h.client.FileCase(as(t.Context(), "bob"), other)
	if err != nil {
		t.Fatal(explain(err))
	}
	ctx := as(t.Context(), "twofold")
	got, err := h.client.GetCase(ctx, &caseworkv1.GetCaseRequest{Name: own.GetName()})
	if err != nil || got.GetName() != own.GetName() {
		t.Errorf("its own case: %s", explain(err))
	}
	_, err = h.client.GetCase(ctx, &caseworkv1.GetCaseRequest{Name: others.GetName()})
	h.refusedWith(err, fault.NotFound)
	if all := h.pages("twofold", &caseworkv1.ListCasesRequest{Parent: hallName}); len(all) != 1 || all[0] != own.GetName() {
		t.Errorf("lists %v", all)
	}
	_, err = h.client.ListInbox(ctx, &caseworkv1.ListInboxRequest{Parent: hallName})
	h.refusedWith(err, fault.NotFound)

	filed, err := h.client.FileCase(ctx, filing(promisedItem))
	if err != nil || filed.GetOnBehalf() || filed.GetChannel() != caseworkv1.Channel_CHANNEL_WEB {
		t.Errorf("filed %v, %s", filed, explain(err))
	}
	_, err = h.client.FileCase(ctx, other)
	h.refusedWith(err, fault.PermissionDenied)
	_, err = h.client.AcceptCase(ctx, &caseworkv1.AcceptCaseRequest{Name: own.GetName(), Etag: own.GetEtag(), RequestId: newID()})
	h.refusedWith(err, fault.NotFound)
}
