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
	// remote reports whether there is a network in between. Then statements need a
	// context with an end, which in SQLite would cost a goroutine a statement, and are
	// best sent many at once.
	remote() bool
	close() error
}

// session is one write transaction.
type session interface {
	Querier
	// later keeps a statement to be sent with others and reports true, or reports false
	// when it is best run at once.
	later(p *pending) bool
	// send runs what is kept, and what goes last only if told to. Which statement was to
	// blame for an error stands in its Tx.
	send(ctx context.Context, last bool) error
	// failed is why the transaction cannot go on, once something that was kept failed:
	// errors after that are its consequence.
	failed() error
	// drop forgets what a Tx has kept; false when some of it was sent already.
	drop(tx *Tx) bool
	// commit sends what is kept and makes it durable. An errUnknown error means that it may or
	// may not be.
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
