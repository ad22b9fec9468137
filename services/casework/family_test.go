package casework

import (
	"sync"
	"testing"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// TestWithdrawnWithItsParts: the applicant withdraws the whole, and with it what can be.
func TestWithdrawnWithItsParts(t *testing.T) {
	eachHall(t, func(h *hall) {
		parent, children := h.fileJoint()
		parent = h.do(parent, "accept")
		decided := h.do(children[1], "accept", "decide")
		claimed := h.do(children[0], "accept", "claim")
		for _, step := range []string{"void"} {
			if f := h.refusedWith(h.try(parent, step, by[step]), fault.CaseWrongState); f.Metadata()["missing"] != "children" {
				h.t.Errorf("%s: %v", step, f.Metadata())
			}
		}
		before := len(h.events(claimed.GetName()))
		parent = h.do(parent, "withdraw")
		if parent.GetState() != caseworkv1.CaseState_CASE_STATE_WITHDRAWN {
			h.t.Errorf("the parent is %s", parent.GetState())
		}
		gone := h.read(claimed.GetName())
		events := h.events(gone.GetName())
		last := events[len(events)-1]
		if gone.GetState() != caseworkv1.CaseState_CASE_STATE_WITHDRAWN || gone.GetAssignee() != "" || gone.GetEndTime() == nil || gone.GetEndReason() == "" ||
			len(events) != before+1 || last.GetType() != "case.withdrawn" || last.GetActor() != "user/ada" {
			h.t.Errorf("the open part: %v, %v", gone, last)
		}
		if got := h.read(decided.GetName()); got.GetState() != caseworkv1.CaseState_CASE_STATE_DECIDED || got.GetEtag() != decided.GetEtag() {
			h.t.Errorf("the decided part: %v", got)
		}
		h.do(decided, "finish") // and goes on by itself
	})
}

// TestPartsAreRefusedOneByOne: a hall cannot end a joint case over the heads of its parts.
func TestPartsAreRefusedOneByOne(t *testing.T) {
	h := oneHall(t)
	parent, children := h.fileJoint()
	for _, step := range []string{"refuse", "not_accept", "void"} {
		h.refusedWith(h.try(parent, step, by[step]), fault.CaseWrongState)
	}
	h.do(children[0], "refuse")
	h.do(children[1], "not_accept")
	if got := h.do(h.read(parent.GetName()), "void"); got.GetState() != caseworkv1.CaseState_CASE_STATE_VOIDED {
		t.Errorf("the parent is %s", got.GetState())
	}
}

// TestDeletedRecords: a record made in error is told from a void case, and only while
// nothing was decided on it.
func TestDeletedRecords(t *testing.T) {
	h := oneHall(t)
	void := func(c *caseworkv1.Case) (*caseworkv1.Case, error) {
		return h.client.VoidCase(as(t.Context(), "head"), &caseworkv1.VoidCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Reason: longReason, Deleted: true})
	}
	c, err := void(h.file(promisedItem))
	if err != nil || !c.GetDeleted() || c.GetState() != caseworkv1.CaseState_CASE_STATE_VOIDED {
		t.Errorf("%v, %v", c, err)
	}
	_, err = void(h.do(h.file(promisedItem), "accept", "undertake", "decide"))
	h.refusedWith(err, fault.CaseWrongState)
	if c := h.do(h.file(promisedItem), "void"); c.GetDeleted() {
		t.Error("a void case is called deleted")
	}
}

// TestOneOfManyWins lets grant, denial, withdrawal and suspension race on one case, round
// after round: exactly one is done, and each loser is told that the case has changed.
func TestOneOfManyWins(t *testing.T) {
	eachHall(t, func(h *hall) {
		rivals := []struct{ step, login string }{{"decide", "head"}, {"deny", "both"}, {"withdraw", "ada"}, {"start_special", "head"}}
		won := map[string]int{}
		for round := range 12 {
			c := h.do(h.file(promisedItem), "accept", "undertake")
			before := len(h.events(c.GetName()))
			errs := make([]error, len(rivals))
			start := make(chan struct{})
			var done sync.WaitGroup
			for i := range rivals {
				who := rivals[(i+round)%len(rivals)]
				done.Go(func() {
					<-start
					_, errs[i] = commands[who.step](as(h.t.Context(), who.login), h.client, c.GetName(), newID(), c.GetEtag(), nil)
				})
			}
			close(start)
			done.Wait()
			winners := 0
			for i, err := range errs {
				if err == nil {
					winners++
					won[rivals[(i+round)%len(rivals)].step]++
					continue
				}
				h.refusedWith(err, fault.ETagStale)
			}
			if events := h.events(c.GetName()); winners != 1 || len(events) != before+1 {
				h.t.Fatalf("round %d: %d winners, %d events more", round, winners, len(events)-before)
			}
		}
		h.t.Logf("won: %v", won)
	})
}

// TestRacingWithThePart lets a joint parent's withdrawal race with the decision on its
// part: the part ends by one of them, and the parent's etag decides nothing about it.
func TestRacingWithThePart(t *testing.T) {
	eachHall(t, func(h *hall) {
		for range 6 {
			parent, children := h.fileJoint()
			parent = h.do(parent, "accept")
			part := h.do(children[0], "accept", "undertake")
			var withdrawn, decided error
			start := make(chan struct{})
			var done sync.WaitGroup
			done.Go(func() { <-start; withdrawn = h.try(parent, "withdraw", "ada") })
			done.Go(func() { <-start; decided = h.try(part, "decide", "head") })
			close(start)
			done.Wait()
			got := h.read(part.GetName())
			want := caseworkv1.CaseState_CASE_STATE_WITHDRAWN
			if decided == nil {
				want = caseworkv1.CaseState_CASE_STATE_DECIDED
			}
			if withdrawn != nil || got.GetState() != want {
				h.t.Fatalf("withdrawal: %v, decision: %v, and the part is %s", withdrawn, decided, got.GetState())
			}
			if decided != nil {
				h.refusedWith(decided, fault.ETagStale)
			}
			if other := h.read(children[1].GetName()); other.GetState() != caseworkv1.CaseState_CASE_STATE_WITHDRAWN {
				h.t.Fatalf("the other part is %s", other.GetState())
			}
		}
	})
}
