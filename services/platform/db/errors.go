package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/onehall/onehall/services/platform/fault"
)

// ErrNested is returned by a Write made inside the function of another: it would
// wait for itself.
var ErrNested = errors.New("db: Write called inside a Write")

// PanicError is what a caller of Write gets when its function panicked.
type PanicError struct {
	// Value is what was thrown, Stack where.
	Value any
	Stack []byte
}

// Error gives the value and the stack, for the log.
func (e *PanicError) Error() string { return fmt.Sprintf("panic in a write: %v\n%s", e.Value, e.Stack) }

// IsUnique reports whether an error is a breach of a unique constraint or primary key.
func IsUnique(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return pgState(err) == "23505"
}

// retryable reports an error that another try may not meet: the database undid the
// transaction for the sake of a concurrent one.
func retryable(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code&0xff == sqlite3.SQLITE_BUSY || code&0xff == sqlite3.SQLITE_LOCKED
	}
	switch pgState(err) {
	case "40001", "40P01", "55P03": // serialization, deadlock, lock not to be had in time
		return true
	}
	return errors.Is(err, driver.ErrBadConn)
}

// outward turns what the database said into a fault where its meaning is known, and
// leaves everything else as it is.
func outward(err error) error {
	var f *fault.Fault
	var r *fault.Reason
	if err == nil || errors.As(err, &f) || errors.As(err, &r) {
		return err
	}
	if code, ok := sqliteCode(err); ok {
		switch code & 0xff {
		case sqlite3.SQLITE_FULL:
			return fault.StorageFull.New(fault.Cause(err))
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return fault.Conflict.New(fault.Cause(err))
		case sqlite3.SQLITE_IOERR:
			return fault.Unavailable.New(fault.Cause(err))
		}
		return err
	}
	switch state := pgState(err); {
	case state == "53100":
		return fault.StorageFull.New(fault.Cause(err))
	case state == "40001", state == "40P01", state == "55P03":
		return fault.Conflict.New(fault.Cause(err))
	case len(state) == 5 && (state[:2] == "08" || state[:2] == "53" || state[:2] == "57" || state == "25006"):
		// No connection, no resources, the server stopped us, or it is a standby.
		return fault.Unavailable.New(fault.Cause(err))
	case state == "" && disconnected(err):
		return fault.Unavailable.New(fault.Cause(err))
	}
	return err
}

// disconnected reports an error of the connection rather than of the statement.
func disconnected(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &connect) ||
		errors.As(err, &network) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// sqliteCode is SQLite's extended result code.
func sqliteCode(err error) (int, bool) {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code(), true
	}
	return 0, false
}

// pgState is PostgreSQL's SQLSTATE, or empty.
func pgState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
