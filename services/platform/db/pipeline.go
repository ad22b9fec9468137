package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// maxKept is how many statements are kept before they are sent in any case.
const maxKept = 512

// takeTurn waits for the transaction's turn, until its end. The transaction gets its
// number first, so that others see since when it is there while it waits.
const takeTurn = "SELECT pg_current_xact_id(), pg_advisory_xact_lock($1, hashtext(current_schema()))"

// turnLock is the advisory lock of "the last statements of a schema".
const turnLock = 0x6f6e6568 // "oneh"

// postgresSession is one write transaction. It is begun with the first statements that
// are sent. What is written is kept and sent in one go, together with what other writes
// of the batch have kept: a round trip costs more than most statements.
type postgresSession struct {
	// ctx is the life of the transaction.
	ctx        context.Context
	conn       *sql.Conn
	begun      bool
	turn       bool
	kept, last []*pending
	// failure is why the transaction cannot go on.
	failure error
}

func (e *postgresEngine) begin(ctx context.Context) (session, error) {
	conn, err := e.writers.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &postgresSession{ctx: ctx, conn: conn}, nil
}

func (s *postgresSession) later(p *pending) bool {
	if p.last {
		s.last = append(s.last, p)
		return true
	}
	if s.kept = append(s.kept, p); len(s.kept) >= maxKept {
		_ = s.send(s.ctx, false) // remembered in failure, and told at the next statement
	}
	return true
}

func (s *postgresSession) failed() error { return s.failure }

func (s *postgresSession) drop(tx *Tx) bool {
	if tx.sent {
		return false
	}
	foreign := func(all []*pending) []*pending {
		var rest []*pending
		for _, p := range all {
			if p.tx != tx {
				rest = append(rest, p)
			}
		}
		return rest
	}
	s.kept, s.last = foreign(s.kept), foreign(s.last)
	return true
}

// send sends what is kept as one, the first time behind the begin.
func (s *postgresSession) send(ctx context.Context, last bool) error {
	return s.flight(ctx, last, false)
}

// flight sends what is kept and takes the answers, perhaps with the commit behind it:
// then whoever waits for this transaction does not wait for the network. A statement
// that fails keeps those behind it from being run.
func (s *postgresSession) flight(ctx context.Context, last, commit bool) error {
	if s.failure != nil {
		return s.failure
	}
	f := &flight{all: s.kept, first: len(s.kept), begin: !s.begun, commit: commit}
	s.kept = nil
	if last {
		f.all = append(f.all, s.last...)
		s.last = nil
	}
	f.turn = !s.turn && len(f.all) > f.first
	b := f.batch()
	if b.Len() == 0 {
		return nil
	}
	if s.failure = f.believed(); s.failure != nil {
		return s.failure
	}
	s.begun, s.turn = true, s.turn || f.turn
	s.failure = s.raw(func(c *pgx.Conn) error {
		results := c.SendBatch(ctx, b)
		err := f.receive(results)
		return errors.Join(err, results.Close())
	})
	if s.failure != nil && commit && !f.undone(s.failure) {
		s.failure = errUnknown{s.failure}
	}
	return s.failure
}

// flight is what is sent at once: a begin, statements, those from first on in turn, and a
// commit.
type flight struct {
	all                 []*pending
	first               int
	begin, turn, commit bool
	// committing tells that all answers but the commit's have come.
	committing bool
}

func (f *flight) batch() *pgx.Batch {
	b := &pgx.Batch{}
	if f.begin {
		b.Queue("begin")
	}
	for i, p := range f.all {
		if i == f.first && f.turn {
			b.Queue(takeTurn, int32(turnLock))
		}
		query := p.query
		if p.stamp != nil {
			p.args = p.stamp(p.tx.Now())
		} else if p.want >= 0 {
			query = strict(query, p.want)
		}
		p.tx.sent = true
		b.Queue(query, p.args...)
	}
	if f.commit {
		b.Queue("commit")
	}
	return b
}

// believed refuses what was stamped by a clock that is not believed.
func (f *flight) believed() error {
	for _, p := range f.all {
		if p.stamp != nil {
			return p.tx.db.believed() // one database, one clock
		}
	}
	return nil
}

// receive takes the answers in the order of the statements. The first error ends the
// transaction.
func (f *flight) receive(results pgx.BatchResults) error {
	if f.begin {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	for i, p := range f.all {
		if i == f.first && f.turn {
			if _, err := results.Exec(); err != nil {
				return fmt.Errorf("wait for the turn: %w", err)
			}
		}
		if err := p.receive(results); err != nil {
			p.tx.failed = err
			return err
		}
	}
	if !f.commit {
		return nil
	}
	f.committing = true
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// undone reports an error after which nothing was committed for certain.
func (f *flight) undone(err error) bool {
	var pg *pgconn.PgError
	if pgconn.SafeToRetry(err) || errors.Is(err, pgx.ErrTxCommitRollback) {
		return true
	}
	// Answers come in order: one that ends the session in the place of an earlier
	// statement's says that the commit was not reached. In the place of the commit's only
	// an ERROR is an answer; FATAL and PANIC may come after the commit record was written.
	return errors.As(err, &pg) && (!f.committing || pg.SeverityUnlocalized == "ERROR")
}

// receive takes one statement's answer.
func (p *pending) receive(results pgx.BatchResults) error {
	p.done = true
	if p.into == nil {
		tag, err := results.Exec()
		p.rows = tag.RowsAffected()
		return err
	}
	err := results.QueryRow().Scan(p.into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	p.rows = 1
	return err
}

// strict makes a statement fail that does not change so many rows, since what is behind
// it is not to be run then.
func strict(query string, rows int64) string {
	type key struct {
		query string
		rows  int64
	}
	if known, ok := stricts.Load(key{query, rows}); ok {
		return known.(string)
	}
	text := fmt.Sprintf("WITH changed AS (%s\nRETURNING 1) SELECT 1 / (CASE WHEN COUNT(*) = %d THEN 1 ELSE 0 END) FROM changed", strings.TrimRight(query, "; \n"), rows)
	stricts.Store(key{query, rows}, text)
	return text
}

// stricts keeps the texts: as few as the program's SQL.
var stricts sync.Map

// raw lets fn use the connection below database/sql, which knows no batches.
func (s *postgresSession) raw(fn func(c *pgx.Conn) error) error {
	return s.conn.Raw(func(dc any) error { return fn(dc.(*stdlib.Conn).Conn()) })
}

// ready makes sure that a statement run now sees what was written before it.
func (s *postgresSession) ready(ctx context.Context) error {
	if s.begun && len(s.kept) == 0 {
		return s.failure
	}
	return s.send(ctx, false)
}

func (s *postgresSession) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s.conn.ExecContext(ctx, query, args...)
}

func (s *postgresSession) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s.conn.PrepareContext(ctx, query)
}

func (s *postgresSession) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext gives a row that carries an error when what was kept has failed; why
// stands in failed.
func (s *postgresSession) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := s.ready(ctx); err != nil {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		return s.conn.QueryRowContext(ended, query, args...)
	}
	return s.conn.QueryRowContext(ctx, query, args...)
}

func (s *postgresSession) commit() error {
	s.warning() // forget what statements before may have warned of
	err := s.flight(s.ctx, true, true)
	if err == nil {
		// When the wait for the standby is cancelled, the server commits here, says
		// so in a warning and reports success. Whether a failover would keep the
		// change is then unknown. No other warning belongs to a COMMIT that worked,
		// so the text, which may be in any language, need not be read.
		if w := s.warning(); w != "" {
			err = errUnknown{errors.New(w)}
		}
	}
	if err == nil || isOpen(err) {
		_ = s.conn.Close() // gives the connection back; the outcome stands
	}
	return err
}

func (s *postgresSession) rollback() {
	if s.begun {
		// It fails only when the transaction is over or the connection lost, and with it
		// the transaction. A connection still in one is not used again.
		_ = s.raw(func(c *pgx.Conn) error {
			_, err := c.Exec(s.ctx, "rollback")
			return err
		})
	}
	_ = s.conn.Close()
}

// warning takes the last warning of the server from the connection.
func (s *postgresSession) warning() string {
	var text string
	// A connection that is gone has no warning to give.
	_ = s.raw(func(c *pgx.Conn) error {
		data := c.PgConn().CustomData()
		text, _ = data[warnedKey].(string)
		delete(data, warnedKey)
		return nil
	})
	return text
}
