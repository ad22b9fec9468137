package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// chunks are the sizes in which rows are read and written, so that a few statements
// serve any number and are prepared once. Larger ones gain nothing: SQLite looks for the
// name of each parameter among all of them.
var chunks = []int{32, 8, 1}

// chunk is how many of n rows go into the next statement.
func chunk(n int) int {
	for _, size := range chunks {
		if n >= size {
			return size
		}
	}
	return 0
}

const clockColumns = `case_name, hall, department, applicant_key, facts, raised, sequence, revision, next_at, due, open, source, terms, submitted, deeds, stage`

const clockWidth = 16

// The statements, by the number of their rows.
var (
	selectClocks = statements(func(size int) string {
		return `SELECT ` + clockColumns + ` FROM clocks WHERE case_name IN ` + tuple(0, size)
	})
	selectLevels = statements(func(size int) string {
		return `SELECT subject, MAX(level) FROM cards WHERE standing AND subject IN ` + tuple(0, size) + ` GROUP BY subject`
	})
	selectNames = statements(func(size int) string {
		return `SELECT subject, name, standing FROM cards WHERE subject IN ` + tuple(0, size)
	})
	saveClocks = statements(func(size int) string {
		values := make([]string, size)
		for i := range values {
			values[i] = tuple(i*clockWidth, clockWidth)
		}
		return `INSERT INTO clocks (` + clockColumns + `) VALUES ` + strings.Join(values, ", ") + `
ON CONFLICT (case_name) DO UPDATE SET hall = excluded.hall, department = excluded.department, applicant_key = excluded.applicant_key,
  facts = excluded.facts, raised = excluded.raised, sequence = excluded.sequence, revision = excluded.revision,
  next_at = excluded.next_at, due = excluded.due, open = excluded.open, source = excluded.source, terms = excluded.terms,
  submitted = excluded.submitted, deeds = excluded.deeds, stage = excluded.stage
WHERE clocks.revision = excluded.revision - 1`
	})
)

func statements(text func(size int) string) map[int]string {
	all := map[int]string{}
	for _, size := range chunks {
		all[size] = text(size)
	}
	return all
}

// tuple is ($first+1, …) with n places.
func tuple(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i == 0 {
			b.WriteString("($")
		} else {
			b.WriteString(", $")
		}
		b.WriteString(strconv.Itoa(first + i + 1))
	}
	b.WriteByte(')')
	return b.String()
}

// LoadClocks reads the clocks of cases by name; those unknown are absent.
func LoadClocks(ctx context.Context, q db.Querier, names []string) (map[string]*Clock, error) {
	all := make(map[string]*Clock, len(names))
	err := each(ctx, q, selectClocks, names, func(rows *sql.Rows) error {
		var r queries.Clock
		if err := rows.Scan(&r.CaseName, &r.Hall, &r.Department, &r.ApplicantKey, &r.Facts, &r.Raised,
			&r.Sequence, &r.Revision, &r.NextAt, &r.Due, &r.Open, &r.Source, &r.Terms, &r.Submitted, &r.Deeds, &r.Stage); err != nil {
			return err
		}
		all[r.CaseName] = clockOf(r)
		return nil
	})
	return all, err
}

// StandingLevels is the highest level among the standing cards of each subject.
func StandingLevels(ctx context.Context, q db.Querier, subjects []string) (map[string]rules.Level, error) {
	all := make(map[string]rules.Level, len(subjects))
	err := each(ctx, q, selectLevels, subjects, func(rows *sql.Rows) error {
		var subject string
		var level int64
		if err := rows.Scan(&subject, &level); err != nil {
			return err
		}
		all[subject] = rules.Level(level)
		return nil
	})
	return all, err
}

// each runs a query of names in chunks and hands on its rows.
func each(ctx context.Context, q db.Querier, query map[int]string, names []string, row func(*sql.Rows) error) error {
	for len(names) > 0 {
		n := chunk(len(names))
		if err := eachRow(ctx, q, query[n], names[:n], row); err != nil {
			return fmt.Errorf("store: by name: %w", err)
		}
		names = names[n:]
	}
	return nil
}

func eachRow(ctx context.Context, q db.Querier, query string, names []string, row func(*sql.Rows) error) (err error) {
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// nonNil is for columns that are never null.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// SaveClocks writes clocks, each one revision on from what was loaded (a new one has
// revision 0). When somebody else wrote one of them in between it returns
// fault.Conflict, and the caller's transaction must not be committed.
func SaveClocks(ctx context.Context, tx *db.Tx, clocks []*Clock) error {
	// One order for everybody, so that two replicas never wait for each other in a circle.
	slices.SortFunc(clocks, func(a, b *Clock) int { return strings.Compare(a.Case, b.Case) })
	for len(clocks) > 0 {
		n := chunk(len(clocks))
		args := make([]any, 0, n*clockWidth)
		for _, c := range clocks[:n] {
			args = append(args, c.Case, c.Hall, c.Department, c.ApplicantKey, c.Facts, c.Raised,
				c.Sequence, c.Revision+1, db.Micros(c.NextAt), c.Due, c.Open, c.Source, nonNil(c.Terms),
				db.Micros(c.Submitted), c.Deeds, c.Stage)
		}
		res, err := tx.ExecContext(ctx, saveClocks[n], args...)
		if err != nil {
			return fmt.Errorf("save clocks: %w", err)
		}
		saved, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("save clocks: %w", err)
		}
		if saved != int64(n) {
			return fault.Conflict.New(fault.Cause(errors.New("a clock was written by another replica")))
		}
		clocks = clocks[n:]
	}
	return nil
}
