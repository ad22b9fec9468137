package casework

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// midnight is the beginning of a day in China.
func midnight(t *testing.T, day string) time.Time {
	t.Helper()
	d, err := workday.ParseDate(day)
	if err != nil {
		t.Fatal(err)
	}
	return workday.StartOfDay(d)
}

func (h *hall) read(name string) *caseworkv1.Case {
	h.t.Helper()
	c, err := h.client.GetCase(as(h.t.Context(), "window"), &caseworkv1.GetCaseRequest{Name: name})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return c
}

func (h *hall) events(name string) []*caseworkv1.CaseEvent {
	h.t.Helper()
	res, err := h.client.ListCaseEvents(as(h.t.Context(), "window"), &caseworkv1.ListCaseEventsRequest{Parent: name})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return res.GetEvents()
}

// deemed waits until the case counts as accepted, and checks since when and how.
func (h *hall) deemed(name string, received, ended time.Time) *caseworkv1.Case {
	h.t.Helper()
	h.until("the law to accept the case", func() bool { return h.read(name).GetDeemedAcceptTime() != nil })
	c, events := h.read(name), h.events(name)
	last := events[len(events)-1]
	if c.GetState() != caseworkv1.CaseState_CASE_STATE_ACCEPTED || !c.GetAcceptTime().AsTime().Equal(received) || !c.GetDeemedAcceptTime().AsTime().Equal(ended) {
		h.t.Errorf("%s since %s, deemed at %s; want since %s, at %s", c.GetState(), c.GetAcceptTime().AsTime(), c.GetDeemedAcceptTime().AsTime(), received, ended)
	}
	if last.GetType() != "case.deemed_accepted" || last.GetActor() != "system/casework" || !last.GetHappenedAt().AsTime().Equal(ended) || last.GetTitle() == "" {
		h.t.Errorf("the last event is %v", last)
	}
	return c
}

func TestSilenceAccepts(t *testing.T) {
	eachHall(t, func(h *hall) {
		silent, supplemented, accepted, waiting := h.file(fullItem), h.file(promisedItem), h.file(promisedItem), h.file(promisedItem)
		waiting = h.do(waiting, "request_supplement")
		accepted = h.do(accepted, "accept")
		h.clock.Advance(48 * time.Hour)
		supplemented = h.do(supplemented, "request_supplement", "receive_supplement")
		h.clock.Set(midnight(t, "2026-03-10").Add(-time.Microsecond))
		if got := h.read(silent.GetName()); got.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
			h.t.Errorf("in the last moment of the last day: %s", got.GetState())
		}
		h.clock.Advance(time.Microsecond)
		c := h.deemed(silent.GetName(), monday, midnight(t, "2026-03-10"))
		if c.GetPromisedDueDate() != "2026-03-16" || len(c.GetHandlers()) != 0 {
			h.t.Errorf("due %s, handlers %v", c.GetPromisedDueDate(), c.GetHandlers())
		}
		h.clock.Advance(7 * 24 * time.Hour)
		h.deemed(supplemented.GetName(), monday.Add(48*time.Hour), midnight(t, "2026-03-12"))
		for name, want := range map[string]caseworkv1.CaseState{
			accepted.GetName(): caseworkv1.CaseState_CASE_STATE_ACCEPTED, waiting.GetName(): caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING,
		} {
			if got := h.read(name); got.GetState() != want || got.GetDeemedAcceptTime() != nil {
				h.t.Errorf("%s: %s, deemed at %v", name, got.GetState(), got.GetDeemedAcceptTime())
			}
		}
		if c = h.do(c, "undertake"); c.GetState() != caseworkv1.CaseState_CASE_STATE_EXAMINING {
			h.t.Errorf("undertaken: %s", c.GetState())
		}
	})
}

// TestSilenceAcceptsOnce lets four replicas find the same cases after an outage, while an
// official acts on them.
func TestSilenceAcceptsOnce(t *testing.T) {
	eachHall(t, func(h *hall) {
		var filed []*caseworkv1.Case
		for range 5 {
			filed = append(filed, h.file(promisedItem))
		}
		h.clock.Jump(monday.Add(30 * 24 * time.Hour)) // the midnights in between are missed
		_, errs := together(8, func(i int) (*caseworkv1.Case, error) {
			if i >= 4 {
				return nil, h.try(filed[i-4], "accept", "window")
			}
			return nil, h.service.deemDue(h.t.Context(), h.service.clock.Now())
		})
		for i, err := range errs {
			if i >= 4 {
				h.refusedWith(err, fault.ETagStale)
			} else if err != nil {
				h.t.Errorf("replica %d: %v", i, err)
			}
		}
		for _, c := range filed {
			h.deemed(c.GetName(), monday, midnight(t, "2026-03-10"))
			if n := len(h.events(c.GetName())); n != 2 {
				h.t.Errorf("%d events", n)
			}
		}
	})
}

// TestWrongClockAcceptsNothing puts the clock over the midnight that ends a limit, for five
// minutes: neither the law nor an official acts by it, and the limit is what it was.
func TestWrongClockAcceptsNothing(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		var guard *clock.Guard
		h := newHallBy(t, cfg, func(v *clock.Virtual) clock.Clock {
			guard = clock.NewGuard(v, slog.New(slog.DiscardHandler))
			return unasked{guard}
		})
		c := h.file(promisedItem)
		before := midnight(t, "2026-03-10").Add(-time.Hour)
		h.clock.Set(before)
		h.clock.Jump(before.Add(2 * time.Hour))
		for range 5 {
			if err := h.service.deemDue(t.Context(), h.service.clock.Now()); !errors.Is(err, fault.ClockUnconfirmed) {
				t.Errorf("by a wrong clock: %v", err)
			}
			h.refusedWith(h.try(c, "accept", "window"), fault.ClockUnconfirmed)
			h.clock.Advance(time.Minute)
			guard.Check(t.Context())
		}
		h.clock.Jump(h.clock.Now().Add(-2 * time.Hour))
		guard.Check(t.Context())
		if err := h.service.deemDue(t.Context(), h.service.clock.Now()); err != nil {
			t.Error(err)
		}
		c = h.do(c, "accept")
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_ACCEPTED || c.GetDeemedAcceptTime() != nil || !c.GetAcceptTime().AsTime().Equal(before.Add(5*time.Minute)) {
			t.Errorf("%s at %s, deemed at %s", c.GetState(), c.GetAcceptTime().AsTime(), c.GetDeemedAcceptTime())
		}
	})
}

// unasked is a guarded clock that no database is asked about: the test's day is another
// than PostgreSQL's.
type unasked struct{ *clock.Guard }

// TestActsFindTheLawFirst acts on an overdue case before any timer came by.
func TestActsFindTheLawFirst(t *testing.T) {
	h := oneHall(t)
	c := h.file(promisedItem)
	h.clock.Jump(midnight(t, "2026-03-10"))
	h.refusedWith(h.try(c, "accept", "window"), fault.ETagStale)
	c = h.deemed(c.GetName(), monday, midnight(t, "2026-03-10"))
	for _, step := range []string{"accept", "refuse", "not_accept", "pre_accept"} {
		h.refusedWith(h.try(c, step, by[step]), fault.CaseWrongState)
	}
	h.do(c, "withdraw")
}

// TestPapersOfThePast enters what was received long before: the rest of what happened on
// paper can be entered too, until the end of the next working day.
func TestPapersOfThePast(t *testing.T) {
	h := oneHall(t)
	received := monday.Add(-28 * 24 * time.Hour)
	file := func() *caseworkv1.Case {
		req := filing(promisedItem)
		req.Consent, req.HappenedAt = true, timestamppb.New(received)
		c, err := h.client.FileCase(as(t.Context(), "window"), req)
		if err != nil {
			t.Fatal(explain(err))
		}
		return c
	}
	accepted, silent := file(), file()
	c, err := commands["accept"](as(t.Context(), "window"), h.client, accepted.GetName(), newID(), accepted.GetEtag(), timestamppb.New(received.Add(time.Hour)))
	if err != nil || c.GetDeemedAcceptTime() != nil {
		t.Errorf("accepted on paper at the time: %v, %v", c, err)
	}
	if err := h.service.deemDue(t.Context(), h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := h.read(silent.GetName()); got.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
		t.Errorf("at once: %s", got.GetState())
	}
	h.clock.Set(midnight(t, "2026-03-04"))
	h.deemed(silent.GetName(), received, midnight(t, "2026-02-10"))
}

// TestReplicasShareTheRound runs the timers of two replicas on one database.
func TestReplicasShareTheRound(t *testing.T) {
	if dbtest.Postgres(t) == "" {
		t.Fatal("PostgreSQL is needed to share a database")
	}
	cfg := dbtest.PostgresConfig(t)
	h := newHall(t, cfg)
	c := DefaultConfig()
	c.DB, c.QueryCodeSecret, c.PageSecret = cfg, "query code secret of tests", "page secret of the tests"
	c.Files.Store.Dir = t.TempDir()
	other, err := open(t.Context(), c, parts{
		clock: h.clock, log: slog.New(slog.DiscardHandler),
		identity: func(idType, number string) string { return authn.IdentityKey(identitySecret, idType, number) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	h.run(other.deemAll)
	var filed []*caseworkv1.Case
	for range 20 {
		filed = append(filed, h.file(promisedItem))
	}
	h.clock.Set(midnight(t, "2026-03-10"))
	for _, c := range filed {
		h.deemed(c.GetName(), monday, midnight(t, "2026-03-10"))
		if n := len(h.events(c.GetName())); n != 2 {
			t.Errorf("%d events", n)
		}
	}
}
