// Package store keeps cases as they are now, and this service's copy of the catalogue.
// What happened is kept by platform/feed in the same transactions.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this service and of the feed.
func Migrations() fs.FS { return feed.WithMigrations(migrations) }

// Row is one case as stored.
type Row struct {
	// CaseNo is the 21-digit number; Hall its division.
	CaseNo, Hall string
	// Department is the handling department, as division/id.
	Department string
	// ApplicantKey stands for the applicant's identity number.
	ApplicantKey string
	// Assignee is who is to do the step it waits for, empty while it lies in the pool.
	Assignee string
	State    rules.State
	// OnBehalf tells that a window entered it.
	OnBehalf bool
	// Stage and Due are the inbox it waits in and the day it is sorted by.
	Stage rules.Stage
	Due   rules.Day
	// Dated tells that it waits in no inbox and has days that a calendar may move.
	Dated bool
	// Reckoned is the version of the almanac's book that its dates were reckoned with.
	Reckoned int64
	// Seq is the sequence of its last event, Happened when that happened.
	Seq      int64
	Happened time.Time
	// Step is the step of its own flow it waits for; nil for none.
	Step *Step
	// Filing is written when the application comes in, and not read back.
	Filing Filing
	// Data is the whole case.
	Data []byte
}

// Insert writes a new case. The number must be new: the event written before it in the
// same transaction has made sure. One that Filing refuses is fault.CaseDuplicate.
func Insert(ctx context.Context, tx *db.Tx, r Row) error {
	since, lowest, highest := r.Filing.window(r.Hall)
	res, err := queries.New(tx).InsertCase(ctx, queries.InsertCaseParams{
		CaseNo: r.CaseNo, Hall: r.Hall, Department: r.Department, ApplicantKey: r.ApplicantKey, State: int64(r.State),
		OnBehalf: r.OnBehalf, Stage: int64(r.Stage), Due: int64(r.Due), Dated: r.Dated, Reckoned: r.Reckoned, Seq: r.Seq,
		HappenedAt: db.Micros(r.Happened), Data: r.Data,
		Content: r.Filing.Content, FiledAt: r.Filing.micros(), Once: r.Filing.Once, Since: since, Lowest: lowest, Highest: highest,
	})
	if err != nil {
		return fmt.Errorf("store: insert case: %w", err)
	}
	return tx.Expect(ctx, res, 1, func(ctx context.Context) error { return r.filedBefore(ctx, tx, fault.Conflict.New()) })
}

// Get reads a case by its number; false when there is none. Department, ApplicantKey,
// Assignee and OnBehalf are left empty: they are in the data.
func Get(ctx context.Context, q db.Querier, caseNo string) (Row, bool, error) {
	g, err := queries.New(q).GetCase(ctx, caseNo)
	if errors.Is(err, sql.ErrNoRows) {
		return Row{}, false, nil
	}
	if err != nil {
		return Row{}, false, fmt.Errorf("store: get case: %w", err)
	}
	return Row{
		CaseNo: caseNo, Hall: caseNo[:min(6, len(caseNo))], State: rules.State(g.State), Stage: rules.Stage(g.Stage),
		Due: rules.Day(g.Due), Dated: g.Dated, Reckoned: g.Reckoned, Seq: g.Seq, Happened: db.Time(g.HappenedAt), Data: g.Data,
	}, true, nil
}

// Save writes what became of a case that was read as old. A case that was changed
// since is left as it is, and the answer is fault.Conflict; a draft handed in that Filing
// refuses, and it is fault.CaseDuplicate. The owner of anything but a
// draft never changes.
func Save(ctx context.Context, tx *db.Tx, old, next Row) error {
	q := queries.New(tx)
	var res sql.Result
	var err error
	switch {
	case old.State == rules.Draft:
		since, lowest, highest := next.Filing.window(next.Hall)
		res, err = q.UpdateDraft(ctx, queries.UpdateDraftParams{
			Department: next.Department, ApplicantKey: next.ApplicantKey, State: int64(next.State), Stage: int64(next.Stage),
			Due: int64(next.Due), Dated: next.Dated, Reckoned: next.Reckoned, Seq: next.Seq, HappenedAt: db.Micros(next.Happened),
			Data: next.Data, CaseNo: next.CaseNo,
			Content: next.Filing.Content, FiledAt: next.Filing.micros(), Once: next.Filing.Once, Since: since, Lowest: lowest, Highest: highest,
		})
	case old.Department != next.Department || old.Assignee != next.Assignee:
		res, err = q.MoveCase(ctx, queries.MoveCaseParams{
			Department: next.Department, Assignee: next.Assignee, State: int64(next.State), Stage: int64(next.Stage), Due: int64(next.Due),
			Dated: next.Dated, Reckoned: next.Reckoned, Seq: next.Seq, HappenedAt: db.Micros(next.Happened), Data: next.Data, CaseNo: next.CaseNo,
		})
	case old.State == next.State && old.Stage == next.Stage && old.Due == next.Due && old.Dated == next.Dated:
		// Columns that are named are written to their indexes even when they stay the same.
		res, err = q.TouchCase(ctx, queries.TouchCaseParams{
			Reckoned: next.Reckoned, Seq: next.Seq, HappenedAt: db.Micros(next.Happened), Data: next.Data, CaseNo: next.CaseNo,
		})
	default:
		res, err = q.UpdateCase(ctx, queries.UpdateCaseParams{
			State: int64(next.State), Stage: int64(next.Stage), Due: int64(next.Due), Dated: next.Dated, Reckoned: next.Reckoned, Seq: next.Seq,
			HappenedAt: db.Micros(next.Happened), Data: next.Data, CaseNo: next.CaseNo,
		})
	}
	if err != nil {
		return fmt.Errorf("store: save case: %w", err)
	}
	if err := tx.Expect(ctx, res, 1, func(ctx context.Context) error { return next.filedBefore(ctx, tx, fault.Conflict.New()) }); err != nil {
		return err
	}
	return saveStep(ctx, tx, old, next)
}

// Filter says which cases to list; empty fields do not restrict.
type Filter struct {
	// Hall is the division, always given.
	Hall string
	// ApplicantKey restricts to one applicant, Department to one department.
	ApplicantKey, Department string
	State                    rules.State
	// Drafts shows a hall's drafts that a window entered.
	Drafts bool
	// Before is the last case number of the page before.
	Before string
	Size   int
}

// Entry is one case of a listing.
type Entry struct {
	CaseNo string
	Due    rules.Day
	Data   []byte
}

// List lists cases, highest number first. Drafts are listed to their applicant; to a
// hall only those its window entered, and to a department none.
func List(ctx context.Context, q db.Querier, f Filter) ([]Entry, error) {
	before := f.Before
	if before == "" {
		// Longer than any number with the prefix, so it sorts behind all of them.
		before = f.Hall + strings.Repeat("9", 16)
	}
	var out []Entry
	var err error
	switch {
	case f.ApplicantKey != "":
		var rows []queries.ListByApplicantRow
		rows, err = queries.New(q).ListByApplicant(ctx, queries.ListByApplicantParams{
			ApplicantKey: f.ApplicantKey, Lowest: f.Hall, Before: before, State: int64(f.State), Department: f.Department, Size: int64(f.Size),
		})
		for _, r := range rows {
			out = append(out, Entry{CaseNo: r.CaseNo, Data: r.Data})
		}
	case f.Department != "":
		var rows []queries.ListByDepartmentRow
		rows, err = queries.New(q).ListByDepartment(ctx, queries.ListByDepartmentParams{
			Department: f.Department, Before: before, State: int64(f.State), Size: int64(f.Size),
		})
		for _, r := range rows {
			out = append(out, Entry{CaseNo: r.CaseNo, Data: r.Data})
		}
	default:
		var rows []queries.ListByHallRow
		rows, err = queries.New(q).ListByHall(ctx, queries.ListByHallParams{
			Lowest: f.Hall, Before: before, Drafts: f.Drafts, State: int64(f.State), Size: int64(f.Size),
		})
		for _, r := range rows {
			out = append(out, Entry{CaseNo: r.CaseNo, Data: r.Data})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("store: list cases: %w", err)
	}
	return out, nil
}

// InboxFilter says which part of a hall's work to list; empty fields do not restrict.
type InboxFilter struct {
	// Hall is the division and Stage the step waited for, always given.
	Hall  string
	Stage rules.Stage
	// Department restricts to one department.
	Department string
	// Assignee restricts to one person's cases, Unassigned to those of nobody.
	Assignee   string
	Unassigned bool
	// After is the last case of the page before.
	After Entry
	Size  int
}

// Inbox lists the cases of a hall that wait in a stage, nearest due day first.
func Inbox(ctx context.Context, q db.Querier, f InboxFilter) ([]Entry, error) {
	if f.Assignee != "" {
		rows, err := queries.New(q).ListAssigned(ctx, queries.ListAssignedParams{
			Assignee: f.Assignee, Hall: f.Hall, Stage: int64(f.Stage), AfterDue: int64(f.After.Due), AfterCaseNo: f.After.CaseNo,
			Department: f.Department, Size: int64(f.Size),
		})
		if err != nil {
			return nil, fmt.Errorf("store: assigned: %w", err)
		}
		out := make([]Entry, len(rows))
		for i, r := range rows {
			out[i] = Entry{CaseNo: r.CaseNo, Due: rules.Day(r.Due), Data: r.Data}
		}
		return out, nil
	}
	rows, err := queries.New(q).ListWaiting(ctx, queries.ListWaitingParams{
		Hall: f.Hall, Stage: int64(f.Stage), AfterDue: int64(f.After.Due), AfterCaseNo: f.After.CaseNo, Department: f.Department,
		Unassigned: f.Unassigned, Size: int64(f.Size),
	})
	if err != nil {
		return nil, fmt.Errorf("store: inbox: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{CaseNo: r.CaseNo, Due: rules.Day(r.Due), Data: r.Data}
	}
	return out, nil
}
