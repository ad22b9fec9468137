package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

func save(t *testing.T, d *db.DB, clocks ...*store.Clock) error {
	t.Helper()
	return d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error { return store.SaveClocks(ctx, tx, clocks) })
}

func TestClocksAnyNumber(t *testing.T) {
	dbtest.Each(t, store.Migrations, func(t *testing.T, d *db.DB) {
		at := time.Date(2018, 10, 15, 2, 0, 0, 0, time.UTC)
		var names []string
		var clocks []*store.Clock
		for i := range 77 { // two full chunks, a middle one and singles
			c := &store.Clock{Case: fmt.Sprintf("halls/441300/cases/%03d", i), Hall: "halls/441300", Department: "halls/441300/departments/d1",
				ApplicantKey: "key", Facts: []byte{byte(i)}, Raised: "T1.red.1", Sequence: int64(i + 1), Due: int64(100 - i), Open: i%2 == 0, Source: "casework"}
			if i%2 == 0 {
				c.Terms = []byte("terms")
			}
			if i%3 == 0 {
				c.NextAt = at.Add(time.Duration(77-i) * time.Hour)
			}
			names, clocks = append(names, c.Case), append(clocks, c)
		}
		if err := save(t, d, clocks...); err != nil {
			t.Fatal(err)
		}
		got, err := store.LoadClocks(t.Context(), d.Read(), append(names, "halls/441300/cases/none"))
		if err != nil || len(got) != len(names) {
			t.Fatalf("%d loaded, %v", len(got), err)
		}
		for _, want := range clocks {
			want.Revision = 1
			if diff := cmp.Diff(want, got[want.Case]); diff != "" {
				t.Fatal(diff)
			}
		}
		due, err := store.DueCases(t.Context(), d.Read(), "casework", at.Add(10*time.Hour), 100)
		if diff := cmp.Diff([]string{names[75], names[72], names[69]}, due); diff != "" || err != nil {
			t.Errorf("due: %s, %v", diff, err)
		}
		nearest, err := store.ListClocks(t.Context(), d.Read(), "halls/441300", "", -1, "", 2)
		if err != nil || len(nearest) != 2 || nearest[0].Case != names[76] || nearest[1].Case != names[74] {
			t.Errorf("nearest: %v, %v", nearest, err)
		}
		live, err := store.LiveCases(t.Context(), d.Read(), names[70], 100)
		if diff := cmp.Diff([]string{names[72], names[74], names[75], names[76]}, live); diff != "" || err != nil {
			t.Errorf("live: %s, %v", diff, err)
		}
	})
}

// Who writes a clock on the ground of a state that somebody else has changed since must
// learn it, and nothing of the batch may stay.
func TestClocksAreComparedBeforeTheyAreSet(t *testing.T) {
	dbtest.Each(t, store.Migrations, func(t *testing.T, d *db.DB) {
		fresh := func(name string) *store.Clock {
			return &store.Clock{Case: name, Hall: "h", Facts: []byte{1}, Sequence: 1}
		}
		if err := save(t, d, fresh("a"), fresh("b")); err != nil {
			t.Fatal(err)
		}
		if err := save(t, d, fresh("c"), fresh("a")); !errors.Is(err, fault.Conflict) {
			t.Errorf("a clock that exists was written as new: %v", err)
		}
		loaded, err := store.LoadClocks(t.Context(), d.Read(), []string{"a", "b", "c"})
		if err != nil || len(loaded) != 2 {
			t.Fatalf("%v, %v", loaded, err)
		}
		stale := *loaded["a"]
		loaded["a"].Sequence = 2
		if err := save(t, d, loaded["a"]); err != nil {
			t.Fatal(err)
		}
		if err := save(t, d, &stale, loaded["b"]); !errors.Is(err, fault.Conflict) {
			t.Errorf("a stale clock was written: %v", err)
		}
		after, err := store.LoadClocks(t.Context(), d.Read(), []string{"a", "b"})
		if err != nil || after["a"].Sequence != 2 || after["a"].Revision != 2 || after["b"].Revision != 1 {
			t.Errorf("%+v, %v", after, err)
		}
	})
}

func TestCards(t *testing.T) {
	dbtest.Each(t, store.Migrations, func(t *testing.T, d *db.DB) {
		insert := func(id int64, name string) (fresh bool) {
			t.Helper()
			err := d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) (err error) {
				fresh, err = store.InsertCard(ctx, tx, store.Card{ID: id, Name: name, Hall: "h", Department: "d", Subject: "s", Level: 2, State: store.Issued, Data: []byte{1}})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return fresh
		}
		if !insert(1, "one") || insert(2, "one") || !insert(3, "two") {
			t.Error("a card of one name is one card")
		}
		update := func(sequence int64) error {
			return d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
				return store.UpdateCard(ctx, tx, "one", []byte{2}, store.Revoked, sequence)
			})
		}
		if err := update(2); err != nil {
			t.Fatal(err)
		}
		if err := update(2); !errors.Is(err, fault.Conflict) {
			t.Errorf("changed twice from one state: %v", err)
		}
		if _, err := store.GetCard(t.Context(), d.Read(), "none"); !errors.Is(err, fault.NotFound) {
			t.Errorf("unknown card: %v", err)
		}
		for name, f := range map[string]store.CardFilter{"all": {}, "hall": {Hall: "h"}, "department": {Department: "d"}, "subject": {Subject: "s"}} {
			all, err := store.ListCards(t.Context(), d.Read(), f, 0, 10)
			if err != nil || len(all) != 2 || all[0].Name != "two" || all[1].State != store.Revoked {
				t.Errorf("%s: %+v, %v", name, all, err)
			}
			f.Level = 3
			if red, err := store.ListCards(t.Context(), d.Read(), f, 0, 10); err != nil || len(red) != 0 {
				t.Errorf("%s, red: %+v, %v", name, red, err)
			}
			standing, err := store.StandingCards(t.Context(), d.Read(), f, 0, 10)
			if err != nil || len(standing) != 1 || standing[0].Name != "two" {
				t.Errorf("%s, standing: %+v, %v", name, standing, err)
			}
		}
	})
}
