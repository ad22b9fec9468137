package store

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
)

var noon = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func write(t *testing.T, d *db.DB, fn func(ctx context.Context, tx *db.Tx) error) error {
	t.Helper()
	return d.Write(t.Context(), "test", fn)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, what string, err error, want *fault.Reason) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %s", what, err, want.Name)
	}
}

func row(name string) Item {
	return Item{Name: name, Hall: "h", Department: "d", Title: "t", Level: 3, State: InForce, Revision: 1, Sequence: 1, Created: noon, Updated: noon, DraftSHA256: "x"}
}

func TestResources(t *testing.T) {
	dbtest.Each(t, Migrations, func(t *testing.T, d *db.DB) {
		hall := Resource{"halls/1", 1, []byte("one")}
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertHall(ctx, tx, hall, "", 2) }))
		is(t, "hall twice", write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertHall(ctx, tx, hall, "", 2) }), fault.AlreadyExists)
		hall.Sequence, hall.Data = 2, []byte("two")
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error { return UpdateHall(ctx, tx, hall) }))
		is(t, "update of an old state", write(t, d, func(ctx context.Context, tx *db.Tx) error { return UpdateHall(ctx, tx, hall) }), fault.Conflict)
		got, err := GetHall(t.Context(), d.Read(), "halls/1")
		if d := cmp.Diff(hall, got); d != "" || err != nil {
			t.Error(d, err)
		}
		_, err = GetHall(t.Context(), d.Read(), "halls/2")
		is(t, "no hall", err, fault.NotFound)
		_, err = GetDepartment(t.Context(), d.Read(), "x")
		is(t, "no department", err, fault.NotFound)
		_, err = GetDirectoryEntry(t.Context(), d.Read(), "x")
		is(t, "no entry", err, fault.NotFound)
		_, err = GetItem(t.Context(), d.Read(), "x")
		is(t, "no item", err, fault.ItemNotFound)
	})
}

func TestAnswers(t *testing.T) {
	dbtest.Each(t, Migrations, func(t *testing.T, d *db.DB) {
		if got, err := Answer(t.Context(), d.Read(), "k", []byte("h")); got != nil || err != nil {
			t.Errorf("a new request: %q, %v", got, err)
		}
		save := func(ctx context.Context, tx *db.Tx) error { return SaveAnswer(ctx, tx, "k", []byte("h"), nil) }
		must(t, write(t, d, save))
		is(t, "answered twice", write(t, d, save), fault.Conflict)
		if got, err := Answer(t.Context(), d.Read(), "k", []byte("h")); got == nil || len(got) != 0 || err != nil {
			t.Errorf("an empty answer is one: %v, %v", got, err)
		}
		_, err := Answer(t.Context(), d.Read(), "k", []byte("other"))
		is(t, "other content", err, fault.RequestIDReused)
	})
}

func TestItemsAndRevisions(t *testing.T) {
	dbtest.Each(t, Migrations, func(t *testing.T, d *db.DB) {
		it := row("i")
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertItem(ctx, tx, it) }))
		is(t, "item twice", write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertItem(ctx, tx, it) }), fault.AlreadyExists)
		it.Sequence, it.Draft = 2, []byte("draft")
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error { return UpdateItem(ctx, tx, it) }))
		is(t, "update of an old state", write(t, d, func(ctx context.Context, tx *db.Tx) error { return UpdateItem(ctx, tx, it) }), fault.Conflict)
		got, err := GetItem(t.Context(), d.Read(), "i")
		if d := cmp.Diff(it, got); d != "" || err != nil {
			t.Error(d, err)
		}
		other := row("j")
		other.Draft = []byte{}
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertItem(ctx, tx, other) }))
		for _, c := range []struct {
			it   Item
			want bool
		}{{it, true}, {Item{Name: "k", Department: "d", Title: "t", Level: 4}, false}, {Item{Name: "k", Department: "d", Title: "u", Level: 3}, false}} {
			if taken, err := TitleTaken(t.Context(), d.Read(), c.it); taken != c.want || err != nil {
				t.Errorf("%v: taken %v, %v", c.it, taken, err)
			}
		}
		titles, err := Titles(t.Context(), d.Read(), "d")
		if len(titles[Titled{"t", 3}]) != 2 || err != nil {
			t.Errorf("titles %v, %v", titles, err)
		}
		rev := Revision{Item: "i", Revision: 1, Effective: noon, Data: []byte("r1")}
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertRevision(ctx, tx, rev) }))
		rev.Data = []byte("changed")
		is(t, "a published revision", write(t, d, func(ctx context.Context, tx *db.Tx) error { return InsertRevision(ctx, tx, rev) }), fault.Conflict)
		if data, err := GetRevision(t.Context(), d.Read(), "i", 1); string(data) != "r1" || err != nil {
			t.Errorf("revision %q, %v", data, err)
		}
		_, err = GetRevision(t.Context(), d.Read(), "i", 2)
		is(t, "no revision", err, fault.NotFound)
	})
}

// The revision in force is the highest whose time has come, while it lasts.
func TestInForce(t *testing.T) {
	dbtest.Each(t, Migrations, func(t *testing.T, d *db.DB) {
		hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error {
			var errs []error
			for _, state := range []State{InForce, Paused, Cancelled, Draft} {
				it := row(fmt.Sprintf("i%d", state))
				it.State = state
				errs = append(errs, InsertItem(ctx, tx, it))
				for _, r := range []Revision{
					{it.Name, 1, hour(0), time.Time{}, []byte("r1")}, {it.Name, 2, hour(5), hour(9), []byte("r2")}, {it.Name, 3, hour(5), hour(8), []byte("r3")},
				} {
					errs = append(errs, InsertRevision(ctx, tx, r))
				}
			}
			return errors.Join(errs...)
		}))
		for _, c := range []struct {
			at      int
			data    string
			changes int
		}{{-1, "", 0}, {0, "r1", 5}, {4, "r1", 5}, {5, "r3", 8}, {7, "r3", 8}, {8, "", 99}} {
			got, err := GetInForce(t.Context(), d.Read(), "i2", hour(c.at))
			if string(got.Data) != c.data || (c.data == "") != errors.Is(err, fault.ItemNotFound) {
				t.Errorf("hour %d: %q, %v", c.at, got.Data, err)
			}
			if p, err := GetInForce(t.Context(), d.Read(), "i3", hour(c.at)); string(p.Data) != c.data || (c.data != "") != (err == nil) {
				t.Errorf("paused, hour %d: %q, %v", c.at, p.Data, err)
			}
			for _, name := range []string{"i4", "i1"} {
				_, err := GetInForce(t.Context(), d.Read(), name, hour(c.at))
				is(t, name, err, fault.ItemNotFound)
			}
			listed, err := ListInForce(t.Context(), d.Read(), "h", "d", "", hour(c.at), 10)
			if err != nil || (c.data != "") != (len(listed) == 1) || len(listed) == 1 && string(listed[0].Data) != c.data {
				t.Errorf("hour %d: listed %v, %v", c.at, listed, err)
			}
			found, err := Finds(t.Context(), d.Read(), []string{"i2", "i3", "unknown"}, hour(c.at))
			must(t, err)
			for _, f := range found {
				want := Findable{Name: f.Name}
				if f.Name == "i2" && c.data != "" {
					want.Data = []byte(c.data)
				}
				if c.changes != 99 && (f.Name == "i2" || c.changes == 5 || c.at < 0) {
					want.Changes = hour(c.changes)
				}
				if d := cmp.Diff(want, f); d != "" {
					t.Errorf("hour %d: %s", c.at, d)
				}
			}
			if len(found) != 2 {
				t.Errorf("found %v", found)
			}
		}
		page, err := FindsAfter(t.Context(), d.Read(), "i1", noon, 2)
		if err != nil || len(page) != 2 || page[0].Name != "i2" || page[1].Name != "i3" {
			t.Errorf("page %v, %v", page, err)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	dbtest.Each(t, Migrations, func(t *testing.T, d *db.DB) {
		var names []string
		must(t, write(t, d, func(ctx context.Context, tx *db.Tx) error {
			var errs []error
			names = nil
			for i := range 2*chunk + 7 {
				name := fmt.Sprintf("n%05d", i)
				names = append(names, name)
				errs = append(errs, InsertItem(ctx, tx, row(name)), InsertRevision(ctx, tx, Revision{Item: name, Revision: 1, Effective: noon, Data: []byte(name)}),
					InsertDepartment(ctx, tx, Resource{name, 1, []byte(name)}, "h"), InsertDirectoryEntry(ctx, tx, Resource{name, 1, []byte(name)}))
			}
			return errors.Join(errs...)
		}))
		items, err := Items(t.Context(), d.Read(), append(names, "unknown"))
		must(t, err)
		revisions, err := Revisions(t.Context(), d.Read(), names)
		must(t, err)
		departments, err := Departments(t.Context(), d.Read(), names)
		must(t, err)
		entries, err := DirectoryEntries(t.Context(), d.Read(), names)
		must(t, err)
		for _, name := range names {
			if items[name].Name != name || string(revisions[name]) != name || departments[name].Name != name || string(entries[name].Data) != name {
				t.Fatalf("%s is missing", name)
			}
		}
		if len(items) != len(names) {
			t.Errorf("%d items of %d", len(items), len(names))
		}
		n, after := 0, ""
		for {
			page, err := ListDepartments(t.Context(), d.Read(), "h", after, 100)
			must(t, err)
			if n += len(page); len(page) < 100 {
				break
			}
			after = page[99].Name
		}
		if n != len(names) {
			t.Errorf("paged through %d of %d", n, len(names))
		}
	})
}
