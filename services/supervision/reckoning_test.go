package supervision

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// steered is a supervision whose sources are heard when the test says so, and in the
// order it says.
type steered struct {
	*watch
	e *engine
}

const steeredCase = testHall + "/cases/441300181015000000010"

// steer has one accepted case of five days, four of which are over when it is asked for.
func steer(t *testing.T) *steered {
	start := time.Date(2018, 10, 15, 10, 0, 0, 0, workday.Zone) // a Monday
	s := newSource(t, start)
	s.catalogue = newFeed(t, s.clock)
	w := &steered{watch: newWatch(t, dbtest.SQLiteConfig(t), s, s.client)}
	w.restart()
	w.tell("case.accepted", func(c *caseworkv1.Case) { c.State = caseworkv1.CaseState_CASE_STATE_ACCEPTED })
	return w
}

// restart forgets what the process knew.
func (w *steered) restart() {
	w.e = w.engine()
	w.e.heard = newHearing()
	if err := w.e.reckonAgain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *steered) tell(kind string, change func(*caseworkv1.Case)) {
	c := &caseworkv1.Case{Name: steeredCase, PromisedLimit: 5, StatutoryLimit: 10, SubmitTime: timestamppb.New(at(15, 10)), AcceptTime: timestamppb.New(at(15, 10))}
	change(c)
	w.source.tell(kind, c, w.clock.Now())
}

// at is an hour of a day in October 2018.
func at(day, hour int) time.Time { return time.Date(2018, 10, day, hour, 0, 0, 0, workday.Zone) }

// read applies what a source has written, without its silence.
func (w *steered) read(s *source, apply func(context.Context, *db.Tx, []*feedv1.Event) error) error {
	w.t.Helper()
	res, err := s.client.ReadEvents(w.t.Context(), &feedv1.ReadEventsRequest{PageSize: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.db.Write(w.t.Context(), "", func(ctx context.Context, tx *db.Tx) error { return apply(ctx, tx, res.GetEvents()) })
}

// standing are the keys of the standing cards, and all how many cards there are.
func (w *steered) standing() (keys []string, all int) {
	w.t.Helper()
	for name, c := range w.cardsOf(steeredCase) {
		if all++; stateOf(c).Standing() {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys, all
}

func (w *steered) must(errs ...error) {
	w.t.Helper()
	if err := errors.Join(errs...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *steered) expect(what string, all int, keys ...string) {
	w.t.Helper()
	if got, n := w.standing(); !slices.Equal(got, keys) || n != all {
		w.t.Errorf("%s: %v stand of %d, want %v of %d", what, got, n, keys, all)
	}
}

const warnedKey = "T1_PROMISE.warning.1"

// Stopped between a notice and the revocation of what it makes false, supervision takes
// that back before it judges anything more, whichever source is heard first.
func TestNoticeHoldsBeforeAnythingIsJudged(t *testing.T) {
	for _, first := range []string{sourceCatalogue, sourceCasework} {
		t.Run(first, func(t *testing.T) {
			w := steer(t)
			w.clock.Set(at(18, 9))
			w.must(w.read(w.source, w.e.apply), w.e.idle(t.Context(), at(18, 9)), w.e.idleCatalogue(t.Context(), at(18, 9)))
			w.expect("before the notice", 1, warnedKey)
			w.source.catalogue.closeOn(2, "2018-10-16", "2018-10-17")
			w.must(w.read(w.source.catalogue, applyCatalogue))
			w.restart()
			w.clock.Set(at(18, 12))
			hear := []func() error{
				func() error { return w.e.idleCatalogue(t.Context(), at(18, 12)) },
				func() error { return w.e.idle(t.Context(), at(18, 12)) },
			}
			if first == sourceCasework {
				slices.Reverse(hear)
			}
			w.must(hear[0](), hear[1]())
			if judged, ok := w.e.judged.Load(sourceCasework); !ok || !judged.(time.Time).Equal(at(18, 12)) {
				t.Errorf("judged up to %v", judged)
			}
			w.expect("after the notice", 1)
		})
	}
}

// An event raises what fell due before it only as far as the catalogue is known: not the
// first of two things alone must be behind that.
func TestEventWaitsForTheCatalogue(t *testing.T) {
	w := steer(t)
	w.must(w.read(w.source, w.e.apply), w.e.idleCatalogue(t.Context(), at(19, 9))) // the warning is of the 18th, the yellow card of the 23rd
	w.clock.Set(at(24, 9))
	w.tell("case.decided", func(c *caseworkv1.Case) {
		c.Decision = &caseworkv1.Decision{Result: 1, DecideTime: timestamppb.New(w.clock.Now()), Officer: "head"}
	})
	if err := w.read(w.source, w.e.apply); !errors.Is(err, fault.Unavailable) {
		t.Fatalf("judged what the catalogue is not known of: %v", err)
	}
	w.expect("while the catalogue is silent", 0)
	w.source.catalogue.closeOn(2, "2018-10-19", "2018-10-22", "2018-10-23")
	w.must(w.read(w.source.catalogue, applyCatalogue), w.e.idleCatalogue(t.Context(), at(24, 9)), w.read(w.source, w.e.apply))
	w.expect("when it has told of the closure", 1, warnedKey)
}

// What was read of a case before a notice came is not judged once the notice has been heard.
func TestFormerBookDoesNotJudge(t *testing.T) {
	w := steer(t)
	w.must(w.read(w.source, w.e.apply))
	w.clock.Set(at(18, 9))
	row, err := store.GetClock(t.Context(), w.db.Read(), steeredCase)
	w.must(err)
	old := w.e.watch(row)
	w.source.catalogue.closeOn(2, "2018-10-16", "2018-10-17")
	w.must(w.read(w.source.catalogue, applyCatalogue), w.e.idleCatalogue(t.Context(), at(18, 9)))
	if due, err := w.e.fallDueBefore(old, at(18, 9)); !errors.Is(err, fault.Unavailable) {
		t.Errorf("raised %v by a book of before the notice, %v", due, err)
	}
}

// A card that an event raised is not taken back because the silence up to it has not been
// vouched for yet: it would come again under a further name.
func TestCardsOfEventsOutliveANotice(t *testing.T) {
	w := steer(t)
	w.must(w.read(w.source, w.e.apply), w.e.idle(t.Context(), at(15, 11)), w.e.idleCatalogue(t.Context(), at(18, 9)))
	w.clock.Set(at(18, 9))
	w.tell("case.undertaken", func(c *caseworkv1.Case) { c.State = caseworkv1.CaseState_CASE_STATE_ACCEPTED })
	w.must(w.read(w.source, w.e.apply))
	w.expect("when the event came", 1, warnedKey)
	w.source.catalogue.closeOn(2, "2018-10-14", "2018-10-19")
	w.must(w.read(w.source.catalogue, applyCatalogue), w.e.idleCatalogue(t.Context(), at(18, 9)))
	w.expect("when the notice came", 1, warnedKey)
}

// A replica that hears of a notice late takes back what it raised by its former calendar
// after another had been through, and puts right the clocks that it wrote.
func TestReplicaThatHearsLatePutsRightItsOwn(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		w := steer(t)
		w.db = dbtest.Open(t, cfg, store.Migrations, w.clock)
		w.restart()
		w.must(w.read(w.source, w.e.apply), w.e.idleCatalogue(t.Context(), at(18, 9)), w.e.idle(t.Context(), at(15, 11)))
		late := w.e
		w.restart()
		w.clock.Set(at(18, 9))
		w.source.catalogue.closeOn(2, "2018-10-16", "2018-10-17")
		w.must(w.read(w.source.catalogue, applyCatalogue), w.e.idle(t.Context(), at(18, 9)), w.e.idleCatalogue(t.Context(), at(18, 9)))
		w.expect("by the replica that has heard", 0)
		// The other has the word of the catalogue up to the notice, and what was heard until
		// then lets it judge; and it writes a clock.
		row, err := store.GetClock(t.Context(), w.db.Read(), steeredCase)
		w.must(err)
		w.must(w.db.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			one := late.watch(row)
			if err := one.load(); err != nil {
				return err
			}
			one.schedule(tx.Now())
			return late.save(ctx, tx, map[string]*watched{steeredCase: one}, nil)
		}), late.idle(t.Context(), at(18, 9)))
		w.expect("by the replica that has not", 1, warnedKey)
		w.must(late.idleCatalogue(t.Context(), at(18, 9)))
		w.expect("when it has heard", 1)
		next, err := store.NextDue(t.Context(), w.db.Read(), sourceCasework)
		w.must(err)
		if want := at(22, 0); !next.Equal(want) {
			t.Errorf("the clock waits for %v, want %v", next, want)
		}
		if changes, err := feed.History(t.Context(), w.db.Read(), "supervision/policy", 0, 10); err != nil || len(changes) != 1 {
			t.Errorf("%d notes of one recompute, %v", len(changes), err)
		}
	})
}

// A clock put two hours ahead for five minutes raises no card: what would fall due is held
// until the clock is back, and comes at its own time.
func TestWrongClockHoldsCards(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		w := steer(t)
		guard := clock.NewGuard(w.clock, slog.New(slog.DiscardHandler))
		w.db = dbtest.Open(t, cfg, store.Migrations, unasked{guard})
		restart := func() { w.restart(); w.e.clock = guard }
		restart()
		judge := func() error {
			now := w.clock.Now()
			return errors.Join(w.e.idleCatalogue(t.Context(), now), w.e.idle(t.Context(), now))
		}
		w.must(w.read(w.source, w.e.apply), judge())
		w.clock.Set(at(17, 23)) // an hour before the warning falls due
		w.must(judge())
		w.clock.Jump(at(18, 1))
		for range 5 {
			w.must(judge())
			if judged, _ := w.e.judged.Load(sourceCasework); judged.(time.Time).After(at(17, 23).Add(5 * time.Minute)) {
				t.Errorf("judged up to %v by a wrong clock", judged)
			}
			w.clock.Advance(time.Minute)
			guard.Check(t.Context())
		}
		// What another node entered before midnight is not judged by this one's clock either.
		c := &caseworkv1.Case{Name: steeredCase, PromisedLimit: 5, StatutoryLimit: 10, SubmitTime: timestamppb.New(at(15, 10)), AcceptTime: timestamppb.New(at(15, 10))}
		w.source.tell("case.undertaken", c, at(17, 23))
		if err := w.read(w.source, w.e.apply); !errors.Is(err, fault.ClockUnconfirmed) {
			t.Errorf("an event by a wrong clock: %v", err)
		}
		w.expect("while the clock is wrong", 0)
		w.clock.Jump(w.clock.Now().Add(-2 * time.Hour))
		guard.Check(t.Context())
		w.must(judge())
		w.expect("when the clock is back", 0)
		w.clock.Set(at(18, 1))
		w.must(judge())
		w.expect("at its own time", 1, warnedKey)
		for _, c := range w.cardsOf(steeredCase) {
			if !c.GetAsOf().AsTime().Equal(at(18, 0)) {
				t.Errorf("the warning is as of %v", c.GetAsOf().AsTime())
			}
		}
	})
}

// unasked is a guarded clock that no database is asked about: the test's day is another
// than PostgreSQL's.
type unasked struct{ *clock.Guard }
