package casework

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// TestExchangeTellsWhatWaitedTooLong lets an acceptance never come.
func TestExchangeTellsWhatWaitedTooLong(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.source(false)
		h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
		rows := wholeWay("W1")
		h.ingest(rows[0], rows[2], rows[5])
		if c := h.caseTold("W1"); c.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
			t.Fatalf("told already: %v", c.GetState())
		}
		for range 80 {
			h.clock.Advance(time.Hour)
		}
		h.until("what waited to be told", func() bool { return h.caseTold("W1").GetFinish() != nil })
		c := h.caseTold("W1")
		// A decision and steps without an acceptance: what rule H2 looks for.
		if c.GetAcceptTime() != nil || c.GetDecision() == nil || len(c.GetSteps()) != 1 {
			t.Errorf("told: %v", c)
		}
		if q := h.quality(); q.GetOpenGaps() != 0 {
			t.Errorf("%d gaps stand", q.GetOpenGaps())
		}
		// What comes after all is a correction.
		h.ingest(rows[1])
		c = h.caseTold("W1")
		if c.GetAcceptTime() == nil || c.GetCorrections() != 1 {
			t.Errorf("after the acceptance: %v", c)
		}
		want := []string{"case.submitted", "case.undertaken", "case.decided", "case.finished", "case.corrected"}
		if diff := cmp.Diff(want, h.eventTypes(c.GetName())); diff != "" {
			t.Error(diff)
		}
	})
}

// TestExchangeWaitsForTheApplicationHowLongEver has no case to tell of without it.
func TestExchangeWaitsForTheApplicationHowLongEver(t *testing.T) {
	h := oneHall(t)
	h.source(false)
	h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
	rows := wholeWay("W2")
	h.ingest(rows[1:]...)
	for range 80 {
		h.clock.Advance(time.Hour)
	}
	h.until("the round to end", func() bool {
		var n int
		err := h.service.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM exchange_cases WHERE forced`).Scan(&n)
		return err == nil && n == 1
	})
	if q := h.quality(); q.GetOpenGaps() != 1 {
		t.Errorf("%d gaps", q.GetOpenGaps())
	}
	h.ingest(rows[0])
	if c := h.caseTold("W2"); c.GetState() != caseworkv1.CaseState_CASE_STATE_COLLECTED {
		t.Errorf("state %v", c.GetState())
	}
}
