package casework

import (
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// TestRecreated links a case to the one that its office ended, through two of them, and
// none to what its applicant withdrew.
func TestRecreated(t *testing.T) {
	eachHall(t, func(h *hall) {
		tomorrow := func() { h.clock.Set(h.clock.Now().Add(24 * time.Hour)) }
		h.do(h.file(promisedItem), "withdraw")
		tomorrow()
		first := h.do(h.file(promisedItem), "accept", "undertake")
		if first.GetRecreation() != nil {
			t.Errorf("after a withdrawal: %v", first.GetRecreation())
		}
		tomorrow()
		first = h.do(first, "return")
		tomorrow()
		second := h.file(promisedItem)
		tomorrow()
		second = h.do(second, "not_accept")
		tomorrow()
		third := h.file(promisedItem)
		if third.GetRecreation() != nil {
			t.Errorf("before anybody looked at it: %v", third.GetRecreation())
		}
		third = h.do(third, "accept")
		r := third.GetRecreation()
		if r.GetCase() != second.GetName() || !r.GetFirstSubmitTime().AsTime().Equal(first.GetSubmitTime().AsTime()) ||
			!r.GetFirstAcceptTime().AsTime().Equal(first.GetAcceptTime().AsTime()) || len(r.GetGaps()) != 2 {
			t.Fatalf("re-created: %v", r)
		}
		if g := r.GetGaps()[1]; !g.GetStartTime().AsTime().Equal(second.GetEndTime().AsTime()) || !g.GetEndTime().AsTime().Equal(third.GetSubmitTime().AsTime()) {
			t.Errorf("the time between: %v", g)
		}
		// Of another item, and of another applicant, nothing went before.
		if c := h.do(h.file(fullItem), "accept"); c.GetRecreation() != nil {
			t.Errorf("another item: %v", c.GetRecreation())
		}
		req := filing(promisedItem)
		req.Case.Applicant.DisplayName, req.Case.Applicant.IdNumber, req.Consent = "鲍勃", bobID, true
		other, err := h.client.FileCase(as(h.t.Context(), "window"), req)
		if err != nil {
			t.Fatal(explain(err))
		}
		if c := h.do(other, "accept"); c.GetRecreation() != nil {
			t.Errorf("another applicant: %v", c.GetRecreation())
		}
	})
}

// TestRecreatedByTheLaw links a case that counts as accepted because nobody said a word.
func TestRecreatedByTheLaw(t *testing.T) {
	h := oneHall(t)
	first := h.do(h.file(promisedItem), "void")
	c := h.file(promisedItem)
	h.clock.Set(h.clock.Now().AddDate(0, 0, 14))
	if err := h.service.deemDue(t.Context(), h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	c = h.read(c.GetName())
	if c.GetState() != caseworkv1.CaseState_CASE_STATE_ACCEPTED || c.GetRecreation().GetCase() != first.GetName() {
		t.Errorf("%s: %v", c.GetState(), c.GetRecreation())
	}
}
