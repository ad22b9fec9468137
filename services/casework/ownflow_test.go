package casework

import (
	"strings"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// take takes a step of the own flow.
func (h *hall) take(c *caseworkv1.Case, id, login string) (*caseworkv1.Case, error) {
	return h.flow.PerformStep(as(h.t.Context(), login), &caseworkv1.PerformStepRequest{
		Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), StepId: id, Opinion: "情况属实",
	})
}

// walk takes steps as in "undertake:officer advice:adviser", and must not fail.
func (h *hall) walk(c *caseworkv1.Case, way string) *caseworkv1.Case {
	h.t.Helper()
	for _, word := range strings.Fields(way) {
		id, login, _ := strings.Cut(word, ":")
		next, err := h.take(c, id, login)
		if err != nil {
			h.t.Fatalf("%s: %s", word, explain(err))
		}
		c = next
	}
	return c
}

// byPosts are the names of the cases in somebody's inbox of posts.
func (h *hall) byPosts(login string) []string {
	h.t.Helper()
	res, err := h.client.ListInbox(as(h.t.Context(), login), &caseworkv1.ListInboxRequest{Parent: hallName, Assignee: caseworkv1.InboxAssignee_INBOX_ASSIGNEE_MY_POSTS})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	var names []string
	for _, c := range res.GetCases() {
		names = append(names, c.GetName())
	}
	return names
}

func TestAnItemsOwnFlow(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := h.file(flowItem)
		if !c.GetOwnFlow() || c.GetCurrentStep() != nil {
			h.t.Errorf("filed: own flow %t, step %v", c.GetOwnFlow(), c.GetCurrentStep())
		}
		c = h.do(c, "accept")
		if now := c.GetCurrentStep(); now.GetStepId() != "undertake" || now.GetDueDate() != "2026-03-03" {
			h.t.Errorf("accepted: %v", now)
		}
		h.refusedWith(h.try(c, "undertake", "officer"), fault.CaseWrongState)
		_, err := h.take(c, "undertake", "adviser")
		h.refusedWith(err, fault.NotFound) // the step is not that department's, nor is the case
		h.inboxes(c.GetName(), "officer surveyor", "adviser")
		c = h.walk(c, "undertake:officer")

		// The next step is another department's: it sees the case, takes the step and no other.
		h.inboxes(c.GetName(), "adviser", "officer surveyor")
		if _, err := h.client.GetCase(as(h.t.Context(), "adviser"), &caseworkv1.GetCaseRequest{Name: c.GetName()}); err != nil {
			h.t.Error(explain(err))
		}
		h.refusedWith(h.try(c, "finish", "adviser"), fault.PermissionDenied)
		h.refusedWith(h.try(c, "claim", "officer"), fault.StepNotYours)
		claimed, err := commands["claim"](as(h.t.Context(), "adviser"), h.client, c.GetName(), newID(), c.GetEtag(), nil)
		if err != nil {
			h.t.Fatal(explain(err))
		}
		mine, err := h.client.ListInbox(as(h.t.Context(), "adviser"), &caseworkv1.ListInboxRequest{Parent: hallName, Assignee: caseworkv1.InboxAssignee_INBOX_ASSIGNEE_MINE})
		if err != nil || len(mine.GetCases()) != 1 {
			h.t.Errorf("the adviser's work: %v, %v", mine.GetCases(), err)
		}
		req := &caseworkv1.PerformStepRequest{Name: c.GetName(), Etag: claimed.GetEtag(), RequestId: newID(), StepId: "advice", Opinion: "无意见"}
		c, err = h.flow.PerformStep(as(h.t.Context(), "adviser"), req)
		if err != nil || c.GetAssignee() != "" || c.GetSteps()[1].GetDepartment() != "halls/441300/departments/D3" {
			h.t.Fatalf("%v, %s", c.GetSteps(), explain(err))
		}
		h.clock.Advance(24 * time.Hour)
		c = h.backAndForth(c)
		again, err := h.flow.PerformStep(as(h.t.Context(), "adviser"), req)
		if err != nil || len(again.GetSteps()) != 2 {
			h.t.Errorf("the adviser's retry: %v, %v", again.GetSteps(), err)
		}
		c = h.do(c, "decide", "finish")
		if c.GetCurrentStep() != nil || len(h.byPosts("surveyor"))+len(h.byPosts("officer")) > 0 {
			h.t.Errorf("at the end it waits for %v", c.GetCurrentStep())
		}
	})
}

// inboxes checks who finds a case among the work of their posts, and who does not.
func (h *hall) inboxes(name, with, without string) {
	h.t.Helper()
	for _, login := range strings.Fields(with) {
		if got := h.byPosts(login); len(got) != 1 || got[0] != name {
			h.t.Errorf("%s finds %v", login, got)
		}
	}
	for _, login := range strings.Fields(without) {
		if got := h.byPosts(login); len(got) > 0 {
			h.t.Errorf("%s finds %v", login, got)
		}
	}
}

// backAndForth surveys, sends back and surveys again, up to the approval.
func (h *hall) backAndForth(c *caseworkv1.Case) *caseworkv1.Case {
	h.t.Helper()
	h.inboxes(c.GetName(), "surveyor", "adviser officer")
	_, err := h.take(c, "survey", "officer")
	h.refusedWith(err, fault.StepNotYours)
	_, err = h.take(c, "approve", "head")
	if f := h.refusedWith(err, fault.CaseWrongState); f.Metadata()["missing"] != "survey" {
		h.t.Errorf("metadata %v", f.Metadata())
	}
	c = h.walk(c, "survey:surveyor survey:surveyor")
	back := &caseworkv1.SendBackStepRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Reason: "照片"}
	_, err = h.flow.SendBackStep(as(h.t.Context(), "head"), back)
	h.refusedWith(err, fault.ReasonRequired)
	back.RequestId, back.Reason = newID(), "勘验照片看不清后厨，请重新勘验"
	if c, err = h.flow.SendBackStep(as(h.t.Context(), "head"), back); err != nil {
		h.t.Fatal(explain(err))
	}
	last := c.GetSteps()[len(c.GetSteps())-1]
	if c.GetCurrentStep().GetStepId() != "survey" || !last.GetSentBack() || last.GetOpinion() != back.GetReason() || last.GetStepId() != "approve" {
		h.t.Errorf("sent back: %v, %v", c.GetCurrentStep(), last)
	}
	h.refusedWith(h.try(c, "decide", "head"), fault.CaseWrongState)
	c = h.walk(c, "survey:surveyor approve:head")
	if c.GetCurrentStep() != nil {
		h.t.Errorf("approved, and it waits for %v", c.GetCurrentStep())
	}
	return c
}

// TestHandedOverWithItsFlow: steps without a department of their own go with the case.
func TestHandedOverWithItsFlow(t *testing.T) {
	h := oneHall(t)
	h.publish(item(flowItem[:len(flowItem)-5]+"00000", func(i *cataloguev1.Item) { i.Department = "halls/441300/departments/D2" }), 1, h.clock.Now().Add(-time.Hour))
	h.settle()
	c := h.do(h.file(flowItem), "accept")
	c, err := h.client.HandOverCase(as(t.Context(), "head"), &caseworkv1.HandOverCaseRequest{
		Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Department: "halls/441300/departments/D2", Reason: longReason,
	})
	if err != nil {
		t.Fatal(explain(err))
	}
	h.inboxes(c.GetName(), "stranger", "officer")
	if _, err := h.take(c, "undertake", "officer"); err == nil {
		t.Error("the former department takes the step")
	}
	h.walk(c, "undertake:stranger")
}
