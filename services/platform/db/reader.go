package db

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
)

// maxStatements bounds the prepared statements kept; a program has fewer queries than that.
const maxStatements = 512

// cachedReader reads from a pool with statements prepared once a connection.
// PostgreSQL's driver does that itself; SQLite's parses each query anew otherwise.
type cachedReader struct {
	db    *sql.DB
	stmts sync.Map // string -> *sql.Stmt
	count atomic.Int64
}

func (r *cachedReader) prepared(ctx context.Context, query string) *sql.Stmt {
	if s, ok := r.stmts.Load(query); ok {
		return s.(*sql.Stmt)
	}
	if r.count.Load() >= maxStatements {
		return nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil // the plain way gives the same error to the caller
	}
	if other, loaded := r.stmts.LoadOrStore(query, s); loaded {
		_ = s.Close() // another goroutine was first
		return other.(*sql.Stmt)
	}
	r.count.Add(1)
	return s
}

func (r *cachedReader) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return r.db.ExecContext(ctx, query, args...)
}

func (r *cachedReader) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return r.db.PrepareContext(ctx, query)
}

func (r *cachedReader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := r.prepared(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return r.db.QueryContext(ctx, query, args...)
}

func (r *cachedReader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := r.prepared(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return r.db.QueryRowContext(ctx, query, args...)
}

func (r *cachedReader) close() {
	r.stmts.Range(func(_, s any) bool {
		_ = s.(*sql.Stmt).Close() // the pool is closed next
		return true
	})
}
