package db

import (
	"context"
	"database/sql"
	"io/fs"
)

// engine is what differs between the two databases.
type engine interface {
	// begin starts a write transaction for one writer.
	begin(ctx context.Context) (session, error)
	// reader is the pool for reading.
	reader() Querier
	// beginRead starts a transaction that sees one state of the database.
	beginRead(ctx context.Context) (*sql.Tx, error)
	// migrate applies pending migrations, or only checks that none is.
	migrate(ctx context.Context, migrations fs.FS, apply bool) error
	// bounded reports whether statements need a context with an end: they do when
	// there is a network in between. In SQLite it would cost a goroutine a statement.
	bounded() bool
	close() error
}

// session is one write transaction.
type session interface {
	Querier
	// commit makes it durable. An errUnknown error means that it may or may not be.
	commit() error
	// rollback undoes it; it may be called after commit, doing nothing.
	rollback()
}

// errUnknown wraps an error of commit that leaves the outcome open.
type errUnknown struct{ cause error }

func (e errUnknown) Error() string { return "outcome of commit unknown: " + e.cause.Error() }
func (e errUnknown) Unwrap() error { return e.cause }

// errBroken wraps an error after which the process must not go on writing: the disk
// said that a flush failed, and what the kernel dropped it will not flush again.
type errBroken struct{ cause error }

func (e errBroken) Error() string { return "database broken: " + e.cause.Error() }
func (e errBroken) Unwrap() error { return e.cause }
