package casework

import (
	"strings"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/fault"
)

// anew is a filing of ada's that must not be one a second time.
func anew(change func(*caseworkv1.FileCaseRequest)) *caseworkv1.FileCaseRequest {
	req := filing(promisedItem)
	req.AllowDuplicate = false
	if change != nil {
		change(req)
	}
	return req
}

// TestFiledAgain asks back about the same application under another request id.
func TestFiledAgain(t *testing.T) {
	eachHall(t, func(h *hall) {
		file := func(login string, req *caseworkv1.FileCaseRequest) (*caseworkv1.Case, error) {
			return h.client.FileCase(as(h.t.Context(), login), req)
		}
		first := anew(nil)
		c, err := file("ada", first)
		if err != nil {
			t.Fatal(explain(err))
		}
		_, err = file("ada", anew(nil))
		if f := h.refusedWith(err, fault.CaseDuplicate); f.Metadata()["case"] != c.GetName() {
			t.Errorf("the first case is called %q", f.Metadata()["case"])
		}
		// The very request is answered as the first time, and at a window it is the same too.
		if again, err := file("ada", first); err != nil || bytesOf(t, again) != bytesOf(t, c) {
			t.Errorf("a retry: %v", err)
		}
		_, err = file("window", anew(func(r *caseworkv1.FileCaseRequest) { r.Consent = true }))
		h.refusedWith(err, fault.CaseDuplicate)
		for name, req := range map[string]*caseworkv1.FileCaseRequest{
			"another item":      anew(func(r *caseworkv1.FileCaseRequest) { r.Case.Item = instantItem }),
			"another matter":    anew(func(r *caseworkv1.FileCaseRequest) { r.Case.Subject = "另一件事" }),
			"another form":      anew(func(r *caseworkv1.FileCaseRequest) { r.Case.Form = structOf(t, map[string]any{"copies": 2}) }),
			"another material":  anew(func(r *caseworkv1.FileCaseRequest) { r.Case.Materials[0].Sha256 = sha('f') }),
			"said deliberately": anew(func(r *caseworkv1.FileCaseRequest) { r.AllowDuplicate = true }),
		} {
			if _, err := file("ada", req); err != nil {
				t.Errorf("%s: %v", name, explain(err))
			}
		}
		bobs := anew(func(r *caseworkv1.FileCaseRequest) {
			r.Case.Applicant.DisplayName, r.Case.Applicant.IdNumber, r.Consent = "鲍勃", bobID, true
		})
		if _, err := file("window", bobs); err != nil {
			t.Errorf("the next person at the window: %v", explain(err))
		}
		h.clock.Set(h.clock.Now().Add(rules.AgainWithin))
		if _, err := file("ada", anew(nil)); err != nil {
			t.Errorf("a minute later: %v", explain(err))
		}
	})
}

// TestFiledAgainAtOnce has one filing of many at the same moment go through.
func TestFiledAgainAtOnce(t *testing.T) {
	eachHall(t, func(h *hall) {
		_, errs := together(8, func(int) (*caseworkv1.Case, error) { return h.client.FileCase(as(h.t.Context(), "ada"), anew(nil)) })
		through := 0
		for _, err := range errs {
			if err == nil {
				through++
			} else {
				h.refusedWith(err, fault.CaseDuplicate)
			}
		}
		list, err := h.client.ListCases(as(h.t.Context(), "window"), &caseworkv1.ListCasesRequest{Parent: hallName})
		if err != nil || through != 1 || len(list.GetCases()) != 1 {
			t.Errorf("%d of 8 went through, %d cases, %v", through, len(list.GetCases()), err)
		}
	})
}

// TestFiledAgainOverMidnight looks back into the numbers of the day before.
func TestFiledAgainOverMidnight(t *testing.T) {
	h := oneHall(t)
	h.clock.Set(time.Date(2026, 3, 2, 23, 59, 50, 0, monday.Location()))
	if _, err := h.client.FileCase(as(t.Context(), "ada"), anew(nil)); err != nil {
		t.Fatal(explain(err))
	}
	h.clock.Set(h.clock.Now().Add(20 * time.Second))
	_, err := h.client.FileCase(as(t.Context(), "ada"), anew(nil))
	h.refusedWith(err, fault.CaseDuplicate)
}

// TestHandedInAgain asks back about a draft that says what was filed a moment ago, and about
// a joint filing that contains it.
func TestHandedInAgain(t *testing.T) {
	eachHall(t, func(h *hall) {
		draft := h.draft("ada", promisedItem)
		if _, err := h.client.FileCase(as(h.t.Context(), "ada"), anew(nil)); err != nil {
			t.Fatal(explain(err))
		}
		submit := &caseworkv1.SubmitCaseRequest{Name: draft.GetName(), Etag: draft.GetEtag(), RequestId: newID()}
		_, err := h.client.SubmitCase(as(h.t.Context(), "ada"), submit)
		h.refusedWith(err, fault.CaseDuplicate)
		submit.RequestId, submit.AllowDuplicate = newID(), true
		c, err := h.client.SubmitCase(as(h.t.Context(), "ada"), submit)
		if err != nil || c.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
			t.Fatalf("%v, %v", c, err)
		}
		papers := application("").GetMaterials()
		joint := &caseworkv1.FileJointCaseRequest{
			Parent: hallName, RequestId: newID(), Applicant: application("").GetApplicant(), Subject: application("").GetSubject(),
			Parts: []*caseworkv1.JointPart{{Item: instantItem, Materials: papers}, {Item: promisedItem, Materials: papers}},
		}
		_, err = h.client.FileJointCase(as(h.t.Context(), "ada"), joint)
		if f := h.refusedWith(err, fault.CaseDuplicate); !strings.HasPrefix(f.Metadata()["case"], hallName) {
			t.Errorf("called %v", f.Metadata())
		}
		joint.RequestId, joint.AllowDuplicate = newID(), true
		if _, err = h.client.FileJointCase(as(h.t.Context(), "ada"), joint); err != nil {
			t.Error(explain(err))
		}
	})
}
