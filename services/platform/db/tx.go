package db

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Querier runs SQL. It is what sqlc's generated code asks for.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Tx is what the function of one Write sees of the transaction it runs in. It
// watches whether the function has written, since only then does its failure
// concern the others in the batch. It is not for use after the function returned.
type Tx struct {
	q  session
	db *DB
	// alone tells that no other write shares the transaction. Then each statement is run
	// at once, and each error is told by the statement that met it.
	alone bool
	// sent tells that a statement of this write was sent; lasts counts those that wait to
	// go last; latest is the latest that was kept.
	sent   bool
	lasts  int
	latest *pending
	// wrote is set once the function changed something, or may have.
	wrote bool
	// before is wrote as it was ahead of the latest statement.
	before bool
	// failed is the first SQL error. After one, PostgreSQL refuses the whole
	// transaction, so SQLite is treated the same.
	failed error
}

// Now is the present by the database's clock.
func (tx *Tx) Now() time.Time { return tx.db.clock.Now() }

// NextID makes an id that rises with time, for a row's primary key.
func (tx *Tx) NextID() int64 { return tx.db.NextID() }

// Driver is SQLite or Postgres.
func (tx *Tx) Driver() string { return tx.db.cfg.Driver }

// ByKey tells that the transaction's further statements find their rows by a key, and
// has them planned for that. PostgreSQL keeps the plan of a statement it knows, and plans
// a join with a table it has no statistics of by guessing: a plan made while the table
// was small reads all of it for ever after. For statements of many rows planning them
// anew costs next to nothing. SQLite plans by its indexes alone and needs no telling.
func (tx *Tx) ByKey(ctx context.Context) error {
	if tx.Driver() != Postgres {
		return nil
	}
	const byKey = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true)"
	if !tx.alone && tx.q.later(&pending{tx: tx, query: byKey, want: -1}) {
		return nil
	}
	_, err := tx.q.ExecContext(ctx, byKey)
	return tx.fail(err)
}

// Wrote reports whether anything was written through this Tx.
func (tx *Tx) Wrote() bool { return tx.wrote }

// NothingWritten tells that the latest statement, an INSERT or UPDATE ... RETURNING,
// returned no row and therefore changed nothing. An error returned after it then
// costs the other writes of the batch nothing.
func (tx *Tx) NothingWritten() { tx.wrote = tx.before }

// ExecContext runs a statement. One that touched no row counts as not having written.
//
// On PostgreSQL it is not sent at once, but with others: at the next query, when its
// result is asked for, or at the end. An error shows there, and ends the write.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	tx.mark(query)
	if !tx.alone && kindOf(query) == changing {
		p := &pending{tx: tx, query: query, args: args, want: -1}
		if tx.q.later(p) {
			tx.latest = p
			return lateResult{ctx, p}, nil
		}
	}
	tx.direct(query)
	res, err := tx.q.ExecContext(ctx, query, args...)
	if err != nil {
		return nil, tx.fail(err)
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 && kindOf(query) == changing {
		tx.NothingWritten()
	}
	return res, nil
}

// PrepareContext prepares a statement. One that would write counts as having written,
// because its executions are not seen here.
func (tx *Tx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	tx.mark(query)
	tx.direct(query)
	stmt, err := tx.q.PrepareContext(ctx, query)
	return stmt, tx.fail(err)
}

// QueryContext runs a query of many rows.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	tx.mark(query)
	tx.direct(query)
	rows, err := tx.q.QueryContext(ctx, query, args...)
	return rows, tx.fail(err)
}

// QueryRowContext runs a query of one row. The row must be scanned before the next statement.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	tx.mark(query)
	tx.direct(query)
	row := tx.q.QueryRowContext(ctx, query, args...)
	_ = tx.fail(row.Err()) // Scan gives the same error to the caller.
	return row
}

// direct notes that a statement is sent now.
func (tx *Tx) direct(query string) {
	if kindOf(query) != reading {
		tx.sent = true
	}
}

func (tx *Tx) mark(query string) {
	tx.before, tx.latest = tx.wrote, nil
	if kindOf(query) != reading {
		tx.wrote = true
	}
}

// fail remembers the first error of the database, unless it is the consequence of
// another write's.
func (tx *Tx) fail(err error) error {
	if err != nil && tx.failed == nil && !errors.Is(err, sql.ErrNoRows) && tx.q.failed() == nil {
		tx.failed = err
	}
	return err
}
