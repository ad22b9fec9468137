package casework

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

func jointFiling(items ...string) *caseworkv1.FileJointCaseRequest {
	req := &caseworkv1.FileJointCaseRequest{Parent: hallName, RequestId: newID(), AllowDuplicate: true, Subject: "开一家小餐馆", Applicant: application(promisedItem).GetApplicant()}
	for _, i := range items {
		req.Parts = append(req.Parts, &caseworkv1.JointPart{Item: i, Materials: application(i).GetMaterials()})
	}
	return req
}

// fileJoint files two items of ada's at once and reads the children.
func (h *hall) fileJoint() (parent *caseworkv1.Case, children []*caseworkv1.Case) {
	h.t.Helper()
	parent, err := h.client.FileJointCase(as(h.t.Context(), "ada"), jointFiling(promisedItem, instantItem))
	if err != nil {
		h.t.Fatal(explain(err))
	}
	for _, name := range parent.GetChildCases() {
		children = append(children, h.read(name))
	}
	return parent, children
}

func TestJointCaseEndsWithItsChildren(t *testing.T) {
	eachHall(t, func(h *hall) {
		parent, children := h.fileJoint()
		if parent.GetCaseType() != caseworkv1.CaseType_CASE_TYPE_JOINT || parent.GetQueryCode() == "" || len(children) != 2 || len(parent.GetMaterials()) != 0 {
			h.t.Fatalf("parent: %v", parent)
		}
		for i, want := range []string{promisedItem, instantItem} {
			if c := children[i]; c.GetItem() != want || c.GetParentCase() != parent.GetName() || c.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
				h.t.Errorf("child %d: %v", i, c)
			}
		}
		parent = h.do(parent, "accept")
		due, _ := workday.China().Add("441300", workday.DateOf(monday), 45)
		if parent.GetPromisedDueDate() != due.String() || parent.GetStatutoryDueDate() != due.String() {
			h.t.Errorf("due %s and %s, want %s", parent.GetPromisedDueDate(), parent.GetStatutoryDueDate(), due)
		}
		for _, step := range []string{"undertake", "decide", "finish"} {
			h.refusedWith(h.try(parent, step, by[step]), fault.CaseWrongState)
		}
		first := h.do(children[0], "accept", "undertake", "decide", "finish")
		if first.GetPromisedDueDate() != "2026-03-16" {
			h.t.Errorf("the child's own clock: %s", first.GetPromisedDueDate())
		}
		if got := h.read(parent.GetName()); got.GetState() != caseworkv1.CaseState_CASE_STATE_ACCEPTED {
			h.t.Errorf("with one child open: %s", got.GetState())
		}
		h.clock.Advance(24 * time.Hour)
		h.do(children[1], "refuse")
		h.checkConcluded(parent, monday.Add(24*time.Hour))
	})
}

func (h *hall) checkConcluded(parent *caseworkv1.Case, at time.Time) {
	h.t.Helper()
	got, events := h.read(parent.GetName()), h.events(parent.GetName())
	last := events[len(events)-1]
	if got.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED || got.GetFinish().GetResult() != caseworkv1.FinishResult_FINISH_RESULT_FINISHED {
		h.t.Fatalf("with all children ended: %v", got)
	}
	if !last.GetHappenedAt().AsTime().Equal(at) || last.GetActor() != "system/casework" || last.GetType() != "case.finished" {
		h.t.Errorf("the last event: %v, want at %s", last, at)
	}
}

// TestJointCaseWaitsForItsAcceptance ends the children before anybody accepted the whole.
func TestJointCaseWaitsForItsAcceptance(t *testing.T) {
	h := oneHall(t)
	parent, children := h.fileJoint()
	for _, c := range children {
		h.do(c, "withdraw")
	}
	if got := h.read(parent.GetName()); got.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
		t.Errorf("not accepted: %s", got.GetState())
	}
	h.do(parent, "accept")
	h.checkConcluded(parent, monday)
}

// TestJointCaseIsFoundLater ends the children at once, in the middle of which a process
// may stop: the round of the timer finds what it left.
func TestJointCaseIsFoundLater(t *testing.T) {
	eachHall(t, func(h *hall) {
		parent, children := h.fileJoint()
		h.do(parent, "accept")
		_, errs := together(2, func(i int) (*caseworkv1.Case, error) { return nil, h.try(children[i], "withdraw", "ada") })
		for _, err := range errs {
			if err != nil {
				h.t.Fatal(explain(err))
			}
		}
		for range 3 {
			if err := h.service.concludeAll(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		}
		h.checkConcluded(parent, monday)
		if n := len(h.events(parent.GetName())); n != 3 {
			h.t.Errorf("%d events", n)
		}
	})
}

func TestJointFilingsRefused(t *testing.T) {
	eachHall(t, func(h *hall) {
		ctx := as(h.t.Context(), "ada")
		_, err := h.client.FileJointCase(ctx, jointFiling(promisedItem))
		h.refusedWith(err, fault.InvalidArgument)
		_, err = h.client.FileJointCase(ctx, jointFiling(promisedItem, promisedItem))
		h.refusedWith(err, fault.InvalidArgument)
		_, err = h.client.FileJointCase(ctx, jointFiling(promisedItem, pausedItem))
		h.refusedWith(err, fault.ItemNotInForce)
		lacking := jointFiling(promisedItem, fullItem)
		lacking.Parts[1].Materials = nil
		_, err = h.client.FileJointCase(ctx, lacking)
		h.refusedWith(err, fault.MaterialMissing)
		_, err = h.client.FileJointCase(as(h.t.Context(), "window"), jointFiling(promisedItem, fullItem))
		h.refusedWith(err, fault.ConsentRequired)
		_, err = h.client.FileJointCase(as(h.t.Context(), "bob"), jointFiling(promisedItem, fullItem))
		h.refusedWith(err, fault.PermissionDenied)
		list, err := h.client.ListCases(ctx, &caseworkv1.ListCasesRequest{Parent: hallName})
		if err != nil || len(list.GetCases()) != 0 {
			h.t.Errorf("what was refused is there: %v, %v", list, err)
		}
		req := jointFiling(promisedItem, fullItem)
		cases, errs := together(4, func(int) (*caseworkv1.Case, error) { return h.client.FileJointCase(ctx, req) })
		for i, err := range errs {
			if err != nil || bytesOf(h.t, cases[i]) != bytesOf(h.t, cases[0]) {
				h.t.Errorf("repeated: %v, %v", cases[i], err)
			}
		}
		other := proto.CloneOf(req)
		other.Subject = "别的事"
		_, err = h.client.FileJointCase(ctx, other)
		h.refusedWith(err, fault.RequestIDReused)
		if list, err = h.client.ListCases(ctx, &caseworkv1.ListCasesRequest{Parent: hallName}); err != nil || len(list.GetCases()) != 3 {
			h.t.Errorf("%d cases, %v", len(list.GetCases()), err)
		}
	})
}
