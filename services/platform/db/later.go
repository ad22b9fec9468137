package db

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// pending is a statement that is kept until it is sent with others.
type pending struct {
	tx    *Tx
	query string
	args  []any
	// stamp gives the arguments when it is sent, into is where a returned row goes.
	stamp func(now time.Time) []any
	into  []any
	// last tells that it goes behind all others, in the transaction's turn.
	last bool
	// want is how many rows it must change, -1 for any.
	want int64
	// done and rows tell what came of it.
	done bool
	rows int64
}

// lateResult is the result of a statement that may not have been sent yet.
type lateResult struct {
	ctx context.Context
	p   *pending
}

// LastInsertId implements sql.Result.
func (lateResult) LastInsertId() (int64, error) {
	return 0, errors.New("db: there is no last inserted id")
}

// RowsAffected implements sql.Result. Asking for it has the statement sent.
func (r lateResult) RowsAffected() (int64, error) {
	tx := r.p.tx
	if !r.p.done {
		if err := tx.q.send(r.ctx, false); err != nil {
			return 0, err
		}
	}
	if r.p.rows == 0 && tx.latest == r.p {
		tx.NothingWritten()
	}
	return r.p.rows, nil
}

// Expect tells how many rows a statement must have changed; otherwise says what the
// caller of Write gets if it did not. It does not wait for the statement: where it is
// sent with others and turns out to have changed something else, the write runs again by
// itself, and only then is otherwise called.
func (tx *Tx) Expect(ctx context.Context, res sql.Result, rows int64, otherwise func(ctx context.Context) error) error {
	if late, ok := res.(lateResult); ok && !late.p.done {
		late.p.want = rows
		return nil
	}
	n, err := res.RowsAffected()
	if err != nil || n == rows {
		return err
	}
	return otherwise(ctx)
}

// Last is an INSERT of one row that returns something, run at the end of its
// transaction and in turn: such statements of all transactions in the database's schema,
// whoever makes them, happen one transaction after the other, in the order in which they
// become durable. So one that looks for the highest number given finds it. The turn
// begins with the first such statement and ends with the commit, for which nothing else
// is left to do by then.
type Last struct {
	// Query fails when the row cannot be inserted as it must; the write then runs again
	// by itself, with Careful, which inserts nothing in that case.
	Query, Careful string
	// Args gives the arguments when it is sent.
	Args func(now time.Time) []any
	// Into is where the returned row goes, by the end of the Write.
	Into []any
	// Otherwise gives the error when Careful inserted nothing.
	Otherwise func(ctx context.Context) error
}

// Last has a statement run at the end.
func (tx *Tx) Last(ctx context.Context, l Last) error {
	tx.mark(l.Query)
	p := &pending{tx: tx, query: l.Query, stamp: l.Args, into: l.Into, last: true, want: -1}
	if !tx.alone && tx.q.later(p) {
		tx.latest = p
		tx.lasts++
		return nil
	}
	p.query = l.Careful
	if err := tx.runLast(ctx, p); err != nil {
		return err
	}
	if p.rows == 0 {
		tx.NothingWritten()
		return l.Otherwise(ctx)
	}
	return nil
}

// runLast runs a statement in turn, now.
func (tx *Tx) runLast(ctx context.Context, p *pending) error {
	if tx.q.later(p) {
		return tx.q.send(ctx, true)
	}
	err := tx.q.QueryRowContext(ctx, p.query, p.stamp(tx.Now())...).Scan(p.into...)
	switch {
	case err == nil:
		p.rows = 1
	case errors.Is(err, sql.ErrNoRows):
		return nil
	}
	return tx.fail(err)
}

// SendLast runs at once what this write wanted run last, for a statement that must see
// it. It costs the other writes of the database some waiting, so it is for the rare case.
func (tx *Tx) SendLast(ctx context.Context) error {
	if tx.lasts == 0 {
		return nil
	}
	tx.lasts = 0
	return tx.q.send(ctx, true)
}
