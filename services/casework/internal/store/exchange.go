package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Rows of other systems come by the hundred, so everything here is read and written for
// many at once, by statements that sqlc cannot make.

// SourceRow is a registered source.
type SourceRow struct {
	Name, Client string
	Data         []byte
	// OpenGaps and OpenRejects are kept counts.
	OpenGaps, OpenRejects int64
}

// InsertSource writes a new source; one of the name must not exist.
func InsertSource(ctx context.Context, tx *db.Tx, r SourceRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO exchange_sources (name, client, data, batches, open_gaps, open_rejects) VALUES ($1, $2, $3, 0, 0, 0)`,
		r.Name, r.Client, r.Data)
	return wrap("insert source", err)
}

const sourceColumns = `name, client, data, open_gaps, open_rejects`

// GetSource reads a source; false when there is none.
func GetSource(ctx context.Context, q db.Querier, name string) (SourceRow, bool, error) {
	var r SourceRow
	err := q.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM exchange_sources WHERE name = $1`, name).
		Scan(&r.Name, &r.Client, &r.Data, &r.OpenGaps, &r.OpenRejects)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, wrap("get source", err)
}

// Sources lists those whose names begin with a prefix that ends in a slash; "" lists all.
func Sources(ctx context.Context, q db.Querier, prefix string) ([]SourceRow, error) {
	last := "\U0010ffff"
	if prefix != "" {
		last = strings.TrimSuffix(prefix, "/") + "0" // the character behind the slash
	}
	return query(ctx, q, "sources", func(rows *sql.Rows) (r SourceRow, err error) {
		err = rows.Scan(&r.Name, &r.Client, &r.Data, &r.OpenGaps, &r.OpenRejects)
		return r, err
	}, `SELECT `+sourceColumns+` FROM exchange_sources WHERE name >= $1 AND name < $2 ORDER BY name`, prefix, last)
}

// LockSource lets one batch of a source be written at a time, also by other replicas.
func LockSource(ctx context.Context, tx *db.Tx, name string) error {
	_, err := tx.ExecContext(ctx, `UPDATE exchange_sources SET batches = batches + 1 WHERE name = $1`, name)
	return wrap("lock source", err)
}

// CountOpen changes the kept counts of a source.
func CountOpen(ctx context.Context, tx *db.Tx, name string, gaps, rejects int64) error {
	if gaps == 0 && rejects == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE exchange_sources SET open_gaps = open_gaps + $2, open_rejects = open_rejects + $3 WHERE name = $1`, name, gaps, rejects)
	return wrap("count open", err)
}

// ExchangeRow is one version of one row as it was told.
type ExchangeRow struct {
	Source, Case, Table string
	Serial, Version     int
	Happened, Entered   time.Time
	Columns             []byte
}

// ExchangeRows reads all versions of the rows of cases.
func ExchangeRows(ctx context.Context, q db.Querier, source string, cases []string) ([]ExchangeRow, error) {
	var all []ExchangeRow
	err := db.Chunks(cases, []any{source}, func(args []any, list string) error {
		some, err := query(ctx, q, "exchange rows", func(rows *sql.Rows) (r ExchangeRow, err error) {
			var happened, entered int64
			err = rows.Scan(&r.Case, &r.Table, &r.Serial, &r.Version, &happened, &entered, &r.Columns)
			r.Source, r.Happened, r.Entered = source, db.Time(happened), db.Time(entered)
			return r, err
		}, `SELECT case_no, tbl, serial, version, happened_at, entered_at, columns FROM exchange_rows WHERE source = $1 AND case_no IN `+list, args...)
		all = append(all, some...)
		return err
	})
	return all, err
}

// InsertExchangeRows adds versions that are new.
func InsertExchangeRows(ctx context.Context, tx *db.Tx, rows []ExchangeRow) error {
	err := db.InsertMany(ctx, tx, `INSERT INTO exchange_rows (source, case_no, tbl, serial, version, happened_at, entered_at, columns) VALUES `, "", rows,
		func(r ExchangeRow) []any {
			return []any{r.Source, r.Case, r.Table, r.Serial, r.Version, db.Micros(r.Happened), db.Micros(r.Entered), r.Columns}
		})
	return wrap("insert exchange rows", err)
}

// ExchangeCase is what is known of the case that rows tell of.
type ExchangeCase struct {
	Source, SourceCaseNo string
	// CaseNo is our number, empty until the application came.
	CaseNo string
	// Told are the rows told so far, in order; Waiting those that wait, for Missing.
	Told, Waiting, Missing string
	// Since is when they began to wait, zero when none do. Forced tells that they waited too
	// long and were told all the same.
	Since  time.Time
	Forced bool
}

const exchangeCaseColumns = `source, source_case_no, case_no, told, waiting, missing, waiting_since, forced`

func scanExchangeCase(rows *sql.Rows) (c ExchangeCase, err error) {
	var since int64
	err = rows.Scan(&c.Source, &c.SourceCaseNo, &c.CaseNo, &c.Told, &c.Waiting, &c.Missing, &since, &c.Forced)
	if since > 0 {
		c.Since = db.Time(since)
	}
	return c, err
}

// ExchangeCases reads what is known of cases.
func ExchangeCases(ctx context.Context, q db.Querier, source string, cases []string) (map[string]ExchangeCase, error) {
	found := map[string]ExchangeCase{}
	err := db.Chunks(cases, []any{source}, func(args []any, list string) error {
		some, err := query(ctx, q, "exchange cases", scanExchangeCase,
			`SELECT `+exchangeCaseColumns+` FROM exchange_cases WHERE source = $1 AND source_case_no IN `+list, args...)
		for _, c := range some {
			found[c.SourceCaseNo] = c
		}
		return err
	})
	return found, err
}

// SaveExchangeCases writes what is now known of cases.
func SaveExchangeCases(ctx context.Context, tx *db.Tx, cases []ExchangeCase) error {
	slices.SortFunc(cases, func(a, b ExchangeCase) int { return strings.Compare(a.SourceCaseNo, b.SourceCaseNo) })
	err := db.InsertMany(ctx, tx, `INSERT INTO exchange_cases (`+exchangeCaseColumns+`) VALUES `, ` ON CONFLICT (source, source_case_no) DO UPDATE SET
  case_no = excluded.case_no, told = excluded.told, waiting = excluded.waiting, missing = excluded.missing,
  waiting_since = excluded.waiting_since, forced = excluded.forced`, cases, func(c ExchangeCase) []any {
		since := int64(0)
		if !c.Since.IsZero() {
			since = db.Micros(c.Since)
		}
		return []any{c.Source, c.SourceCaseNo, c.CaseNo, c.Told, c.Waiting, c.Missing, since, c.Forced}
	})
	return wrap("save exchange cases", err)
}

// Gaps lists the cases of a source of which rows wait, behind one.
func Gaps(ctx context.Context, q db.Querier, source, after string, size int) ([]ExchangeCase, error) {
	return query(ctx, q, "gaps", scanExchangeCase, `SELECT `+exchangeCaseColumns+` FROM exchange_cases
WHERE source = $1 AND source_case_no > $2 AND waiting_since > 0 ORDER BY source_case_no LIMIT $3`, source, after, size)
}

// OverdueGaps lists cases whose rows began to wait before a moment, the longest first.
func OverdueGaps(ctx context.Context, q db.Querier, before time.Time, size int) ([]ExchangeCase, error) {
	return query(ctx, q, "overdue gaps", scanExchangeCase, `SELECT `+exchangeCaseColumns+` FROM exchange_cases
WHERE waiting_since > 0 AND NOT forced AND waiting_since < $1 ORDER BY waiting_since LIMIT $2`, db.Micros(before), size)
}

// GetMany reads cases by their numbers, as Get does.
func GetMany(ctx context.Context, q db.Querier, caseNos []string) (map[string]Row, error) {
	found := map[string]Row{}
	err := db.Chunks(caseNos, nil, func(args []any, list string) error {
		some, err := query(ctx, q, "get cases", func(rows *sql.Rows) (r Row, err error) {
			var state, stage, due, happened int64
			err = rows.Scan(&r.CaseNo, &state, &stage, &due, &r.Dated, &r.Reckoned, &r.Seq, &happened, &r.Data)
			r.Hall, r.State, r.Stage, r.Due, r.Happened = r.CaseNo[:min(6, len(r.CaseNo))], rules.State(state), rules.Stage(stage), rules.Day(due), db.Time(happened)
			return r, err
		}, `SELECT case_no, state, stage, due, dated, reckoned, seq, happened_at, data FROM cases WHERE case_no IN `+list, args...)
		for _, r := range some {
			found[r.CaseNo] = r
		}
		return err
	})
	return found, err
}

// SaveTold writes what became of a case by what its source told: by several events at once,
// and a correction may have changed even whose it is. A case that was changed since it was
// read gives fault.Conflict.
func SaveTold(ctx context.Context, tx *db.Tx, old, next Row) error {
	res, err := tx.ExecContext(ctx, `UPDATE cases SET department = $1, applicant_key = $2, state = $3, stage = $4, due = $5, dated = $6, reckoned = $7, seq = $8, happened_at = $9, data = $10
WHERE case_no = $11 AND seq = $12`, next.Department, next.ApplicantKey, int64(next.State), int64(next.Stage), int64(next.Due), next.Dated, next.Reckoned, next.Seq,
		db.Micros(next.Happened), next.Data, next.CaseNo, old.Seq)
	if err != nil {
		return wrap("save told case", err)
	}
	return tx.Expect(ctx, res, 1, func(context.Context) error { return fault.Conflict.New() })
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("store: %s: %w", what, err)
	}
	return nil
}

// query reads rows with a scan of one.
func query[T any](ctx context.Context, q db.Querier, what string, scan func(*sql.Rows) (T, error), text string, args ...any) (all []T, err error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, wrap(what, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, wrap(what, err)
		}
		all = append(all, r)
	}
	return all, wrap(what, rows.Err())
}
