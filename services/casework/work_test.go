package casework

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func (h *hall) inbox(login string, whose caseworkv1.InboxAssignee) []string {
	h.t.Helper()
	res, err := h.client.ListInbox(as(h.t.Context(), login), &caseworkv1.ListInboxRequest{Parent: hallName, Assignee: whose})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	out := []string{}
	for _, c := range res.GetCases() {
		out = append(out, c.GetName())
	}
	return out
}

func (h *hall) claim(c *caseworkv1.Case, login string) (*caseworkv1.Case, error) {
	return h.client.ClaimCase(as(h.t.Context(), login), &caseworkv1.ClaimCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()})
}

func TestClaimAssignRelease(t *testing.T) {
	eachHall(t, func(h *hall) {
		const mine, pool = caseworkv1.InboxAssignee_INBOX_ASSIGNEE_MINE, caseworkv1.InboxAssignee_INBOX_ASSIGNEE_UNASSIGNED
		ctx := h.t.Context()
		first, second := h.do(h.file(fullItem), "accept"), h.do(h.file(fullItem), "accept")
		c, err := h.claim(first, "officer")
		if err != nil || c.GetAssignee() != "user/officer" || c.GetAssigneeName() != "officer" {
			h.t.Fatalf("claimed: %v, %v", c, err)
		}
		_, err = h.claim(c, "officer2")
		if f := h.refusedWith(err, fault.CaseClaimed); f.Metadata()["assignee"] != "user/officer" {
			h.t.Errorf("metadata %v", f.Metadata())
		}
		if diff := cmp.Diff([]string{c.GetName()}, h.inbox("officer", mine)); diff != "" {
			h.t.Error(diff)
		}
		if diff := cmp.Diff([]string{second.GetName()}, h.inbox("officer", pool)); diff != "" {
			h.t.Error(diff)
		}
		_, err = h.client.ReleaseCase(as(ctx, "officer2"), &caseworkv1.ReleaseCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()})
		h.refusedWith(err, fault.PermissionDenied)
		_, err = h.client.AssignCase(as(ctx, "officer2"), &caseworkv1.AssignCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Assignee: "user/officer2"})
		h.refusedWith(err, fault.PermissionDenied)
		c, err = h.client.AssignCase(as(ctx, "head"), &caseworkv1.AssignCaseRequest{
			Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Assignee: "user/officer2", AssigneeName: "二号",
		})
		if err != nil || c.GetAssignee() != "user/officer2" || c.GetAssigneeName() != "二号" {
			h.t.Fatalf("assigned: %v, %v", c, err)
		}
		c, err = h.client.ReleaseCase(as(ctx, "officer2"), &caseworkv1.ReleaseCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Reason: "出差"})
		if err != nil || c.GetAssignee()+c.GetAssigneeName() != "" {
			h.t.Fatalf("released: %v, %v", c, err)
		}
		if got := h.inbox("officer2", mine); len(got) != 0 {
			h.t.Errorf("officer2 still has %v", got)
		}
		if c, err = h.claim(c, "officer"); err != nil {
			h.t.Fatal(explain(err))
		}
		if c = h.do(c, "undertake"); c.GetAssignee() != "" || len(h.inbox("officer", mine)) != 0 {
			h.t.Errorf("after the step it is still %s's", c.GetAssignee())
		}
		types := []string{}
		for _, e := range h.events(c.GetName()) {
			types = append(types, e.GetType())
			if e.GetTitle() == "" {
				h.t.Errorf("%s has no title", e.GetType())
			}
		}
		if diff := cmp.Diff([]string{"case.submitted", "case.accepted", "case.claimed", "case.assigned", "case.released", "case.claimed", "case.undertaken"}, types); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestHandOver(t *testing.T) {
	eachHall(t, func(h *hall) {
		const other = hallName + "/departments/D2"
		h.publish(item(hallName+"/items/11441300006940386X2440106009000", func(i *cataloguev1.Item) { i.Department = other }), 1, monday)
		h.settle()
		c, err := h.claim(h.do(h.file(promisedItem), "accept"), "officer")
		if err != nil {
			h.t.Fatal(explain(err))
		}
		try := func(login, department, reason string, dry bool) (*caseworkv1.Case, error) {
			return h.client.HandOverCase(as(h.t.Context(), login), &caseworkv1.HandOverCaseRequest{
				Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Department: department, Reason: reason, ValidateOnly: dry,
			})
		}
		_, err = try("head", other, "不归我们", true)
		h.refusedWith(err, fault.ReasonRequired)
		_, err = try("head", deptName, longReason, true)
		h.refusedWith(err, fault.InvalidArgument)
		_, err = try("head", hallName+"/departments/D9", longReason, true)
		h.refusedWith(err, fault.DepartmentUnknown)
		_, err = try("head", "halls/441302/departments/D2", longReason, true)
		h.refusedWith(err, fault.DepartmentUnknown)
		_, err = try("officer", other, longReason, false)
		h.refusedWith(err, fault.PermissionDenied)
		preview, err := try("head", other, longReason, true)
		if err != nil || preview.GetDepartment() != other || preview.GetEtag() != c.GetEtag() || len(preview.GetHandovers()) != 1 || preview.GetAssignee() != "" {
			h.t.Errorf("preview: %v, %v", preview, err)
		}
		if got := h.read(c.GetName()); got.GetDepartment() != deptName || got.GetAssignee() != "user/officer" || len(h.events(c.GetName())) != 3 {
			h.t.Errorf("the preview changed the case: %v", got)
		}
		moved, err := try("head", other, longReason, false)
		if err != nil || moved.GetDepartment() != other || moved.GetPromisedDueDate() != c.GetPromisedDueDate() {
			h.t.Fatalf("handed over: %v, %v", moved, err)
		}
		if got := moved.GetHandovers()[0]; got.GetFromDepartment() != deptName || got.GetToDepartment() != other || got.GetReason() != longReason || got.GetOfficer() != "user/head" {
			h.t.Errorf("noted: %v", got)
		}
		h.refusedWith(h.try(moved, "undertake", "officer"), fault.NotFound)
		if err := h.try(moved, "undertake", "stranger"); err != nil {
			h.t.Errorf("the other department: %s", explain(err))
		}
		for login, want := range map[string]int{"officer": 0, "stranger": 1} {
			if got := h.inbox(login, caseworkv1.InboxAssignee_INBOX_ASSIGNEE_UNSPECIFIED); len(got) != want {
				h.t.Errorf("%s's inbox has %v", login, got)
			}
		}
	})
}
