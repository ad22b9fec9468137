package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

var at = time.Date(2026, 3, 2, 2, 0, 0, 123000, time.UTC)

func number(i int) string { return fmt.Sprintf("441300260302%08d1", i) }

func row(i int, change func(*Row)) Row {
	r := Row{
		CaseNo: number(i), Hall: "441300", Department: "441300/d1", ApplicantKey: "ada", State: rules.Submitted, Stage: rules.StageAcceptance,
		Due: rules.Day(20000 + i), Seq: 1, Happened: at, Data: []byte{byte(i)},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func write(t *testing.T, d *db.DB, fn func(ctx context.Context, tx *db.Tx) error) error {
	t.Helper()
	return d.Write(t.Context(), "test", fn)
}

func insert(t *testing.T, d *db.DB, rows ...Row) {
	t.Helper()
	if err := write(t, d, func(ctx context.Context, tx *db.Tx) error {
		for _, r := range rows {
			if err := Insert(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func numbers(entries []Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, e.CaseNo)
	}
	return out
}

func TestInsertAndGet(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		want := row(1, nil)
		insert(t, d, want)
		got, found, err := Get(t.Context(), d.Read(), want.CaseNo)
		if err != nil || !found {
			t.Fatalf("found %t, err %v", found, err)
		}
		want.Department, want.ApplicantKey = "", ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for _, unknown := range []string{number(2), "", "x"} {
			if _, found, err := Get(t.Context(), d.Read(), unknown); found || err != nil {
				t.Errorf("%q: found %t, err %v", unknown, found, err)
			}
		}
		err = write(t, d, func(ctx context.Context, tx *db.Tx) error { return Insert(ctx, tx, row(1, nil)) })
		if !db.IsUnique(err) {
			t.Errorf("second of one number: %v", err)
		}
	})
}

func TestSaveOnlyWhatWasRead(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		for i, tc := range []struct {
			name   string
			state  rules.State
			change func(*Row)
		}{
			{"draft", rules.Draft, func(r *Row) { r.ApplicantKey, r.Department = "bo", "441300/d2" }},
			{"same state", rules.Submitted, func(*Row) {}},
			{"next state", rules.Submitted, func(r *Row) { r.State, r.Stage, r.Due = rules.Accepted, rules.StageUndertake, 3 }},
		} {
			old := row(i, func(r *Row) { r.State = tc.state })
			insert(t, d, old)
			next := old
			next.Seq, next.Data, next.Happened = 2, []byte("two"), at.Add(time.Hour)
			tc.change(&next)
			save := func() error {
				return write(t, d, func(ctx context.Context, tx *db.Tx) error { return Save(ctx, tx, old, next) })
			}
			if err := save(); err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			got, _, err := Get(t.Context(), d.Read(), old.CaseNo)
			if err != nil {
				t.Fatal(err)
			}
			want := next
			want.Department, want.ApplicantKey = "", ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", tc.name, diff)
			}
			if err := save(); !errors.Is(err, fault.Conflict) {
				t.Errorf("%s, from a state that is gone: %v, want CONFLICT", tc.name, err)
			}
		}
		found, err := List(t.Context(), d.Read(), Filter{Hall: "441300", ApplicantKey: "bo", Size: 9})
		if err != nil || len(found) != 1 {
			t.Errorf("drafts of the new applicant: %v, %v", numbers(found), err)
		}
	})
}

func TestList(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		insert(t, d,
			row(1, nil),
			row(2, func(r *Row) { r.ApplicantKey = "bo" }),
			row(3, func(r *Row) { r.State = rules.Accepted }),
			row(4, func(r *Row) { r.Department = "441300/d2" }),
			row(5, func(r *Row) { r.State = rules.Draft }),
			row(6, func(r *Row) { r.State, r.OnBehalf = rules.Draft, true }),
			row(7, func(r *Row) { r.CaseNo, r.Hall, r.Department = "441301260302000000071", "441301", "441301/d1" }),
			row(8, func(r *Row) { r.CaseNo, r.Hall, r.Department = "441299260302000000081", "441299", "441299/d1" }),
		)
		for _, tc := range []struct {
			name string
			f    Filter
			want []int
		}{
			{"hall", Filter{}, []int{4, 3, 2, 1}},
			{"hall with the window's drafts", Filter{Drafts: true}, []int{6, 4, 3, 2, 1}},
			{"hall, one state", Filter{State: rules.Accepted}, []int{3}},
			{"hall, from the second page", Filter{Before: number(3)}, []int{2, 1}},
			{"hall, one a page", Filter{Size: 1}, []int{4}},
			{"department", Filter{Department: "441300/d1"}, []int{3, 2, 1}},
			{"department never sees drafts", Filter{Department: "441300/d1", State: rules.Draft, Drafts: true}, nil},
			{"department, second page", Filter{Department: "441300/d1", Before: number(2)}, []int{1}},
			{"applicant with drafts", Filter{ApplicantKey: "ada"}, []int{6, 5, 4, 3, 1}},
			{"applicant, one state", Filter{ApplicantKey: "ada", State: rules.Draft}, []int{6, 5}},
			{"applicant, one department", Filter{ApplicantKey: "ada", Department: "441300/d2"}, []int{4}},
			{"nobody", Filter{ApplicantKey: "cy"}, nil},
		} {
			t.Run(tc.name, func(t *testing.T) {
				tc.f.Hall = "441300"
				if tc.f.Size == 0 {
					tc.f.Size = 10
				}
				got, err := List(t.Context(), d.Read(), tc.f)
				if err != nil {
					t.Fatal(err)
				}
				want := []string{}
				for _, i := range tc.want {
					want = append(want, number(i))
				}
				if diff := cmp.Diff(want, numbers(got)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestInbox(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		due := func(day rules.Day) func(*Row) { return func(r *Row) { r.Due = day } }
		insert(t, d,
			row(1, due(30)), row(2, due(10)), row(3, due(20)), row(4, due(20)),
			row(5, func(r *Row) { r.Due, r.Department = 15, "441300/d2" }),
			row(6, func(r *Row) { r.Stage = rules.StageExamine }),
			row(7, func(r *Row) { r.Stage = rules.StageNone }),
			row(8, due(rules.Unknown)),
			row(9, func(r *Row) { r.Hall = "441301" }),
		)
		first := Entry{Due: -1 << 31}
		for _, tc := range []struct {
			name, department string
			stage            rules.Stage
			after            Entry
			size             int
			want             []int
		}{
			{"hall", "", rules.StageAcceptance, first, 10, []int{2, 5, 3, 4, 1, 8}},
			{"department", "441300/d1", rules.StageAcceptance, first, 10, []int{2, 3, 4, 1, 8}},
			{"behind one of two due the same day", "", rules.StageAcceptance, Entry{Due: 20, CaseNo: number(3)}, 2, []int{4, 1}},
			{"another stage", "", rules.StageExamine, first, 10, []int{6}},
			{"no stage is no inbox", "", rules.StageNone, first, 10, nil},
		} {
			t.Run(tc.name, func(t *testing.T) {
				got, err := Inbox(t.Context(), d.Read(), InboxFilter{Hall: "441300", Department: tc.department, Stage: tc.stage, After: tc.after, Size: tc.size})
				if err != nil {
					t.Fatal(err)
				}
				want := []string{}
				for _, i := range tc.want {
					want = append(want, number(i))
				}
				if diff := cmp.Diff(want, numbers(got)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestCatalogueCopy(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		steps := []func(ctx context.Context, tx *db.Tx) error{
			func(ctx context.Context, tx *db.Tx) error { return AddItem(ctx, tx, ItemRow{"i", rules.ItemDraft, 1}) },
			func(ctx context.Context, tx *db.Tx) error {
				return PutRevision(ctx, tx, RevisionRow{"i", 1, 2, []byte("one")})
			},
			func(ctx context.Context, tx *db.Tx) error {
				return PutItem(ctx, tx, ItemRow{"i", rules.ItemInForce, 2})
			},
			func(ctx context.Context, tx *db.Tx) error { return AddItem(ctx, tx, ItemRow{"i", rules.ItemDraft, 3}) },
			func(ctx context.Context, tx *db.Tx) error {
				return PutRevision(ctx, tx, RevisionRow{"i", 1, 4, []byte("changed")})
			},
			func(ctx context.Context, tx *db.Tx) error {
				return PutRevision(ctx, tx, RevisionRow{"i", 2, 5, []byte("two")})
			},
		}
		for i, step := range steps {
			if err := write(t, d, step); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
		}
		var items []ItemRow
		if err := Items(t.Context(), d.Read(), 0, func(r ItemRow) { items = append(items, r) }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]ItemRow{{"i", rules.ItemInForce, 2}}, items); diff != "" {
			t.Error(diff)
		}
		for after, want := range map[int64][]RevisionRow{
			0: {{"i", 1, 2, []byte("one")}, {"i", 2, 5, []byte("two")}},
			2: {{"i", 2, 5, []byte("two")}},
			5: nil,
		} {
			var got []RevisionRow
			if err := Revisions(t.Context(), d.Read(), after, func(r RevisionRow) error { got = append(got, r); return nil }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %d: %s", after, diff)
			}
		}
	})
}

func TestUnaccepted(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		insert(t, d,
			row(1, func(r *Row) { r.Due = 30 }), row(2, func(r *Row) { r.Due = 10 }), row(3, func(r *Row) { r.Due = 20 }), row(4, func(r *Row) { r.Due = 40 }),
			row(5, func(r *Row) { r.Due, r.State = 5, rules.Supplementing }),
			row(6, func(r *Row) { r.Due, r.Stage, r.State = 5, rules.StageExamine, rules.Examining }),
			row(7, func(r *Row) { r.CaseNo, r.Hall, r.Due = "441301260302000000071", "441301", 5 }),
		)
		for _, tc := range []struct {
			name  string
			today rules.Day
			after Entry
			size  int
			want  []string
		}{
			{"all before today", 40, Entry{Due: -1}, 9, []string{number(2), number(3), number(1)}},
			{"a page", 40, Entry{Due: -1}, 2, []string{number(2), number(3)}},
			{"the page after", 40, Entry{Due: 20, CaseNo: number(3)}, 2, []string{number(1)}},
			{"on the last day", 10, Entry{Due: -1}, 9, []string{}},
		} {
			got, err := Unaccepted(t.Context(), d.Read(), "441300", tc.today, tc.after, tc.size)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, numbers(got)); diff != "" {
				t.Errorf("%s: %s", tc.name, diff)
			}
		}
		halls := []string{}
		for hall := ""; ; {
			next, ok, err := NextHall(t.Context(), d.Read(), hall)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			hall = next
			halls = append(halls, hall)
		}
		if diff := cmp.Diff([]string{"441300", "441301"}, halls); diff != "" {
			t.Error(diff)
		}
	})
}

func TestInboxOfOnePerson(t *testing.T) {
	dbtest.Each(t, Migrations(), func(t *testing.T, d *db.DB) {
		for i := 1; i <= 5; i++ {
			insert(t, d, row(i, func(r *Row) { r.Due = rules.Day(100 - i) }))
		}
		assign := func(i int, who, department string) {
			t.Helper()
			old := row(i, func(r *Row) { r.Due = rules.Day(100 - i) })
			next := old
			next.Seq, next.Assignee, next.Department = 2, who, department
			if err := write(t, d, func(ctx context.Context, tx *db.Tx) error { return Save(ctx, tx, old, next) }); err != nil {
				t.Fatal(err)
			}
		}
		assign(1, "bo", "441300/d1")
		assign(2, "cy", "441300/d1")
		assign(3, "bo", "441300/d2")
		for _, tc := range []struct {
			name string
			f    InboxFilter
			want []string
		}{
			{"everybody's", InboxFilter{}, []string{number(5), number(4), number(3), number(2), number(1)}},
			{"one's own", InboxFilter{Assignee: "bo"}, []string{number(3), number(1)}},
			{"one's own of one department", InboxFilter{Assignee: "bo", Department: "441300/d2"}, []string{number(3)}},
			{"one's own, the next page", InboxFilter{Assignee: "bo", After: Entry{Due: 97, CaseNo: number(3)}}, []string{number(1)}},
			{"the pool", InboxFilter{Unassigned: true}, []string{number(5), number(4)}},
			{"of another stage", InboxFilter{Assignee: "bo", Stage: rules.StageExamine}, []string{}},
			{"of another hall", InboxFilter{Assignee: "bo", Hall: "441301"}, []string{}},
		} {
			if tc.f.Hall == "" {
				tc.f.Hall = "441300"
			}
			if tc.f.Stage == 0 {
				tc.f.Stage = rules.StageAcceptance
			}
			tc.f.Size = 9
			got, err := Inbox(t.Context(), d.Read(), tc.f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, numbers(got)); diff != "" {
				t.Errorf("%s: %s", tc.name, diff)
			}
		}
	})
}

// TestLookupsUseTheirIndexes holds the looks of the timer and of a person's inbox to the
// indexes that a filing does not pay for.
func TestLookupsUseTheirIndexes(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), Migrations(), clock.NewVirtual(at))
	for index, query := range map[string]string{
		"cases_waiting": `SELECT case_no, due FROM cases WHERE hall = '441300' AND stage = 1 AND stage > 0 AND (due, case_no) > (0, '') AND due < 9 AND state = 2 ORDER BY due, case_no LIMIT 9`,
		"cases_assigned": `SELECT case_no, data FROM cases WHERE assignee = 'bo' AND assignee <> '' AND hall = '441300' AND stage = 2 AND (due, case_no) > (0, '')
			ORDER BY due, case_no LIMIT 9`,
		"sqlite_autoindex_cases_1": `SELECT hall FROM cases WHERE case_no > '4413009' ORDER BY case_no LIMIT 1`,
	} {
		rows, err := d.Read().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
		if err != nil {
			t.Fatal(err)
		}
		plan := ""
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan += detail + "\n"
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, index) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s is not used alone:\n%s", index, plan)
		}
	}
}
