package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/onehall/onehall/services/platform/db"
)

// Reject is a row that was refused.
type Reject struct {
	Source, Key         string
	Table, SourceCaseNo string
	Serial, Version     int
	Reason, Field       string
	At                  time.Time
	Attempts            int64
}

// KnownRejects are those of the keys that stand among a source's rejects.
func KnownRejects(ctx context.Context, q db.Querier, source string, keys []string) (map[string]bool, error) {
	known := map[string]bool{}
	err := db.Chunks(keys, []any{source}, func(args []any, list string) error {
		some, err := query(ctx, q, "known rejects", func(rows *sql.Rows) (k string, err error) { err = rows.Scan(&k); return k, err },
			`SELECT row_key FROM exchange_rejects WHERE source = $1 AND row_key IN `+list, args...)
		for _, k := range some {
			known[k] = true
		}
		return err
	})
	return known, err
}

// PutRejects writes refused rows, over what was known of the same rows.
func PutRejects(ctx context.Context, tx *db.Tx, rejects []Reject) error {
	return wrap("put rejects", db.InsertMany(ctx, tx, `INSERT INTO exchange_rejects (source, row_key, tbl, source_case_no, serial, version, reason, field, rejected_at, attempts) VALUES `,
		` ON CONFLICT (source, row_key) DO UPDATE SET version = excluded.version, reason = excluded.reason, field = excluded.field,
  rejected_at = excluded.rejected_at, attempts = exchange_rejects.attempts + excluded.attempts`, rejects, func(r Reject) []any {
			return []any{r.Source, r.Key, r.Table, r.SourceCaseNo, r.Serial, r.Version, r.Reason, r.Field, db.Micros(r.At), r.Attempts}
		}))
}

// ClearRejects takes rows off the list that were sent again well.
func ClearRejects(ctx context.Context, tx *db.Tx, source string, keys []string) error {
	return db.Chunks(keys, []any{source}, func(args []any, list string) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM exchange_rejects WHERE source = $1 AND row_key IN `+list, args...)
		return wrap("clear rejects", err)
	})
}

// Rejects lists the refused rows of a source behind a key.
func Rejects(ctx context.Context, q db.Querier, source, after string, size int) ([]Reject, error) {
	return query(ctx, q, "rejects", func(rows *sql.Rows) (r Reject, err error) {
		var at int64
		err = rows.Scan(&r.Key, &r.Table, &r.SourceCaseNo, &r.Serial, &r.Version, &r.Reason, &r.Field, &at, &r.Attempts)
		r.Source, r.At = source, db.Time(at)
		return r, err
	}, `SELECT row_key, tbl, source_case_no, serial, version, reason, field, rejected_at, attempts FROM exchange_rejects
WHERE source = $1 AND row_key > $2 ORDER BY row_key LIMIT $3`, source, after, size)
}

// QualityKey is what quality is counted by.
type QualityKey struct{ Month, Table string }

// Quality are the counts of one table in one month of arrival.
type Quality struct {
	Accepted, Rejected, Duplicates, Corrections, Disordered, Late, LagSeconds, Expected, Filled int64
}

// AddQuality adds to the counts of a source.
func AddQuality(ctx context.Context, tx *db.Tx, source string, keys []QualityKey, counts map[QualityKey]*Quality) error {
	return wrap("add quality", db.InsertMany(ctx, tx, `INSERT INTO exchange_quality AS q (source, month, tbl, accepted, rejected, duplicates, corrections,
  disordered, late, lag_seconds, expected_fields, filled_fields) VALUES `, ` ON CONFLICT (source, month, tbl) DO UPDATE SET
  accepted = q.accepted + excluded.accepted, rejected = q.rejected + excluded.rejected, duplicates = q.duplicates + excluded.duplicates,
  corrections = q.corrections + excluded.corrections, disordered = q.disordered + excluded.disordered, late = q.late + excluded.late,
  lag_seconds = q.lag_seconds + excluded.lag_seconds, expected_fields = q.expected_fields + excluded.expected_fields,
  filled_fields = q.filled_fields + excluded.filled_fields`, keys, func(k QualityKey) []any {
		c := counts[k]
		return []any{source, k.Month, k.Table, c.Accepted, c.Rejected, c.Duplicates, c.Corrections, c.Disordered, c.Late, c.LagSeconds, c.Expected, c.Filled}
	}))
}

// QualityRow is one row of the counts.
type QualityRow struct {
	QualityKey
	Quality
}

// ReadQuality reads the counts of a source between two months, by month and table.
func ReadQuality(ctx context.Context, q db.Querier, source, first, last string) ([]QualityRow, error) {
	return query(ctx, q, "read quality", func(rows *sql.Rows) (r QualityRow, err error) {
		err = rows.Scan(&r.Month, &r.Table, &r.Accepted, &r.Rejected, &r.Duplicates, &r.Corrections, &r.Disordered, &r.Late, &r.LagSeconds, &r.Expected, &r.Filled)
		return r, err
	}, `SELECT month, tbl, accepted, rejected, duplicates, corrections, disordered, late, lag_seconds, expected_fields, filled_fields
FROM exchange_quality WHERE source = $1 AND month >= $2 AND month <= $3 ORDER BY month, tbl`, source, first, last)
}
