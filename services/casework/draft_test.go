package casework

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func (h *hall) draft(login, item string) *caseworkv1.Case {
	h.t.Helper()
	c, err := h.client.CreateCase(as(h.t.Context(), login), &caseworkv1.CreateCaseRequest{Parent: hallName, Case: application(item), RequestId: newID()})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return c
}

func TestDraftToSubmission(t *testing.T) {
	eachHall(t, func(h *hall) {
		ctx := as(h.t.Context(), "ada")
		create := &caseworkv1.CreateCaseRequest{Parent: hallName, Case: application(promisedItem), RequestId: newID()}
		create.Case.Materials = nil // to be added later
		cases, errs := together(10, func(int) (*caseworkv1.Case, error) { return h.client.CreateCase(ctx, create) })
		for i, err := range errs {
			if err != nil || cases[i].GetName() != cases[0].GetName() {
				h.t.Fatalf("create: %v, %v", cases[i], err)
			}
		}
		c := cases[0]
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT || c.GetQueryCode() != "" || c.GetAcceptanceDueDate() != "" {
			h.t.Errorf("draft: %v", c)
		}
		_, err := h.client.SubmitCase(ctx, &caseworkv1.SubmitCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()})
		h.refusedWith(err, fault.MaterialMissing)

		// The client sends back what it was shown, with the new content.
		sent := proto.CloneOf(c)
		sent.Item, sent.Materials, sent.Form = instantItem, application(instantItem).Materials, wideForm(3)
		update := &caseworkv1.UpdateCaseRequest{Case: sent, RequestId: newID()}
		if c, err = h.client.UpdateCase(ctx, update); err != nil {
			h.t.Fatal(explain(err))
		}
		if again, err := h.client.UpdateCase(ctx, update); err != nil || bytesOf(h.t, again) != bytesOf(h.t, c) {
			h.t.Errorf("update again: %v, %v", again, err)
		}
		if c.GetItem() != instantItem || c.GetCaseType() != caseworkv1.CaseType_CASE_TYPE_INSTANT || c.GetForm() != nil {
			h.t.Errorf("updated: %v", c)
		}
		stale := proto.CloneOf(update)
		stale.RequestId = newID()
		_, err = h.client.UpdateCase(ctx, stale)
		h.refusedWith(err, fault.ETagStale)

		submit := &caseworkv1.SubmitCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()}
		cases, errs = together(10, func(int) (*caseworkv1.Case, error) { return h.client.SubmitCase(ctx, submit) })
		for i, err := range errs {
			if err != nil || bytesOf(h.t, cases[i]) != bytesOf(h.t, cases[0]) || cases[i].GetQueryCode() == "" {
				h.t.Fatalf("submit: %v, %v", cases[i], err)
			}
		}
		revealed, err := h.client.RevealApplicant(ctx, &caseworkv1.RevealApplicantRequest{Name: c.GetName(), Purpose: "核对信息", RequestId: newID()})
		if diff := cmp.Diff(application("").Applicant, revealed, protocmp.Transform()); diff != "" || err != nil {
			h.t.Errorf("the applicant sent back masked has become %s, %v", diff, err)
		}
		got, err := h.client.GetCase(ctx, &caseworkv1.GetCaseRequest{Name: c.GetName()})
		if err != nil || len(got.GetForm().GetFields()) != 3 || got.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
			h.t.Errorf("submitted: %v, %v", got, err)
		}
		_, err = h.client.UpdateCase(ctx, &caseworkv1.UpdateCaseRequest{Case: got, RequestId: newID()})
		h.refusedWith(err, fault.CaseWrongState)
	})
}

func TestDraftsArePrivate(t *testing.T) {
	h := oneHall(t)
	own, behalf := h.draft("ada", promisedItem), h.draft("window", promisedItem)
	for _, tc := range []struct {
		as          string
		own, behalf bool
	}{{"ada", true, true}, {"bob", false, false}, {"window", false, true}, {"officer", false, false}, {"head", false, false}, {"supervisor", false, false}} {
		for _, c := range []struct {
			c    *caseworkv1.Case
			sees bool
		}{{own, tc.own}, {behalf, tc.behalf}} {
			_, err := h.client.GetCase(as(t.Context(), tc.as), &caseworkv1.GetCaseRequest{Name: c.c.GetName()})
			if c.sees && err != nil {
				t.Errorf("%s does not see its draft: %s", tc.as, explain(err))
			} else if !c.sees {
				h.refusedWith(err, fault.NotFound)
			}
		}
		if tc.as == "ada" || tc.as == "bob" {
			continue
		}
		list, err := h.client.ListCases(as(t.Context(), tc.as), &caseworkv1.ListCasesRequest{Parent: hallName})
		if want := map[bool]int{true: 1}[tc.behalf]; err != nil || len(list.GetCases()) != want {
			t.Errorf("%s lists %d, want %d; %v", tc.as, len(list.GetCases()), want, err)
		}
	}
	_, err := h.client.SubmitCase(as(t.Context(), "window"), &caseworkv1.SubmitCaseRequest{Name: behalf.GetName(), RequestId: newID(), Etag: behalf.GetEtag()})
	h.refusedWith(err, fault.ConsentRequired)
	c, err := h.client.SubmitCase(as(t.Context(), "window"), &caseworkv1.SubmitCaseRequest{Name: behalf.GetName(), RequestId: newID(), Etag: behalf.GetEtag(), Consent: true})
	if err != nil || !c.GetOnBehalf() || c.GetVisits() != 1 {
		t.Errorf("submitted at the window: %v, %v", c, err)
	}
	_, err = h.client.SubmitCase(as(t.Context(), "ada"), &caseworkv1.SubmitCaseRequest{Name: own.GetName(), RequestId: newID(), Etag: own.GetEtag(), ItemRevision: 3})
	h.refusedWith(err, fault.ItemNotInForce)
}

func TestOutputOnlyFieldsAreNotBelieved(t *testing.T) {
	h := oneHall(t)
	req := filing(promisedItem)
	req.Case.State, req.Case.ItemTitle, req.Case.Department = caseworkv1.CaseState_CASE_STATE_COLLECTED, "伪造", hallName+"/departments/D9"
	req.Case.QueryCode, req.Case.ApplicantKey, req.Case.Handlers, req.Case.PromisedLimit = "X", "X", []string{"user/head"}, 999
	req.Case.SubmitTime = timestamppb.New(monday.AddDate(-1, 0, 0))
	req.Case.Decision = &caseworkv1.Decision{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED}
	req.Case.Form = &structpb.Struct{}
	c, err := h.client.FileCase(as(t.Context(), "ada"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	if c.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED || c.GetItemTitle() == "伪造" || c.GetDepartment() != deptName ||
		c.GetQueryCode() == "X" || c.GetApplicantKey() == "X" || len(c.GetHandlers()) != 0 || c.GetPromisedLimit() != 10 ||
		!c.GetSubmitTime().AsTime().Equal(monday) || c.GetDecision() != nil {
		t.Errorf("filed: %v", c)
	}
}

func TestATakenNumberIsDrawnAgain(t *testing.T) {
	eachHall(t, func(h *hall) {
		serials := []int{7, 7, 7, 8}
		h.service.serial = func() (int, error) {
			next := serials[0]
			serials = serials[1:]
			return next, nil
		}
		first, second := h.file(promisedItem), h.file(promisedItem)
		if first.GetName() == second.GetName() || len(serials) != 0 {
			h.t.Errorf("numbers %s and %s, %d serials left", first.GetName(), second.GetName(), len(serials))
		}
		serials = []int{8, 8, 8, 8, 8, 8, 8, 8}
		_, err := h.client.FileCase(as(h.t.Context(), "ada"), filing(promisedItem))
		h.refusedWith(err, fault.Conflict)
	})
}
