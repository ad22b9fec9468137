package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/pressly/goose/v3"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine is one file: one connection that writes and a pool that reads.
type sqliteEngine struct {
	lock    *os.File
	writer  *sql.DB
	readers *sql.DB
	cached  *cachedReader

	mu    sync.Mutex
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// openSQLite takes the file for this process and opens it, making it where absent.
func openSQLite(ctx context.Context, cfg Config) (*sqliteEngine, error) {
	path, err := filepath.Abs(cfg.DSN)
	if err != nil {
		return nil, fmt.Errorf("db: %s: %w", cfg.DSN, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	if err := private(path); err != nil {
		return nil, errors.Join(fmt.Errorf("db: %w", err), lock.Close())
	}
	e := &sqliteEngine{lock: lock, stmts: map[string]*sql.Stmt{}}
	if err := e.open(ctx, path, cfg.Readers); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// private makes the file, or takes it, for its owner alone: it holds personal data. What
// SQLite lays beside it later gets the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	errs := []error{f.Close()}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (e *sqliteEngine) open(ctx context.Context, path string, readers int) error {
	var err error
	// The order matters: a wait for locks first, then WAL from the very first page,
	// so that no rollback journal can ever be found after a power cut. The log grows to
	// 64 MiB before it is copied back, because a page that many commits change is then
	// copied once.
	if e.writer, err = sql.Open("sqlite", sqliteDSN(path, "immediate",
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-16000)", "wal_autocheckpoint(16000)")); err != nil {
		return fmt.Errorf("db: open %s: %w", path, err)
	}
	e.writer.SetMaxOpenConns(1)
	var mode string
	if err := e.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return fmt.Errorf("db: open %s: %w", path, err)
	}
	if mode != "wal" {
		return fmt.Errorf("db: %s is in journal mode %s, not wal: is it on a network file system?", path, mode)
	}
	// The name of a new file must survive a power cut as well as its content.
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("db: %w", err)
	}
	if e.readers, err = sql.Open("sqlite", sqliteDSN(path, "deferred",
		"busy_timeout(10000)", "query_only(1)", "cache_size(-4000)")); err != nil {
		return fmt.Errorf("db: open %s: %w", path, err)
	}
	e.readers.SetMaxOpenConns(readers)
	e.readers.SetMaxIdleConns(readers)
	e.cached = &cachedReader{db: e.readers}
	return nil
}

func sqliteDSN(path, txlock string, pragmas ...string) string {
	q := url.Values{"_pragma": pragmas, "_txlock": {txlock}}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (e *sqliteEngine) remote() bool    { return false }
func (e *sqliteEngine) reader() Querier { return e.cached }

func (e *sqliteEngine) beginRead(ctx context.Context) (*sql.Tx, error) {
	return e.readers.BeginTx(ctx, nil)
}

func (e *sqliteEngine) migrate(ctx context.Context, migrations fs.FS, apply bool) error {
	return runGoose(ctx, goose.DialectSQLite3, e.writer, migrations, apply)
}

func (e *sqliteEngine) close() error {
	var errs []error
	for _, s := range e.stmts {
		errs = append(errs, s.Close())
	}
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.readers != nil {
		e.cached.close()
		errs = append(errs, e.readers.Close())
	}
	if e.writer != nil {
		errs = append(errs, e.writer.Close())
	}
	return errors.Join(append(errs, e.lock.Close())...)
}

// begin starts the transaction by hand on the writer's own connection, so that
// statements stay prepared between transactions.
func (e *sqliteEngine) begin(ctx context.Context) (session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn == nil {
		conn, err := e.writer.Conn(ctx)
		if err != nil {
			return nil, err
		}
		e.conn = conn
	}
	s := sqliteSession{e}
	if _, err := s.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		if errors.Is(err, driver.ErrBadConn) {
			e.forget()
		}
		return nil, err
	}
	return s, nil
}

// forget drops a connection that no longer works, with what was prepared on it.
func (e *sqliteEngine) forget() {
	for _, s := range e.stmts {
		_ = s.Close() // the connection is gone; nothing to save
	}
	_ = e.conn.Close()
	e.conn, e.stmts = nil, map[string]*sql.Stmt{}
}

// sqliteSession is the running transaction of the one writer; only its goroutine uses it.
type sqliteSession struct{ e *sqliteEngine }

// prepared finds the statement for a query, preparing it once for all transactions.
func (s sqliteSession) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := s.e.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.e.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(s.e.stmts) >= maxStatements {
		for q, old := range s.e.stmts {
			_ = old.Close() // finalising a statement that is not running cannot fail
			delete(s.e.stmts, q)
			break
		}
	}
	s.e.stmts[query] = stmt
	return stmt, nil
}

func (s sqliteSession) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (s sqliteSession) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return s.e.conn.PrepareContext(ctx, query)
}

// QueryContext does not use a prepared statement: were the same query asked again
// while the rows are being read, the two would share one cursor.
func (s sqliteSession) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.e.conn.QueryContext(ctx, query, args...)
}

func (s sqliteSession) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.prepared(ctx, query)
	if err != nil {
		return s.e.conn.QueryRowContext(ctx, query, args...) // carries the same error
	}
	return stmt.QueryRowContext(ctx, args...)
}

// later reports false: without a network there is nothing to gain by waiting.
func (sqliteSession) later(*pending) bool { return false }

func (sqliteSession) send(context.Context, bool) error { return nil }

func (sqliteSession) failed() error { return nil }

func (sqliteSession) drop(*Tx) bool { return false }

func (s sqliteSession) commit() error {
	_, err := s.ExecContext(context.Background(), "COMMIT")
	if err == nil {
		return nil
	}
	code, known := sqliteCode(err)
	switch {
	case code == sqlite3.SQLITE_IOERR_FSYNC || code == sqlite3.SQLITE_IOERR_DIR_FSYNC || code&0xff == sqlite3.SQLITE_CORRUPT:
		return errBroken{err}
	case !known || code&0xff == sqlite3.SQLITE_IOERR:
		return errUnknown{err}
	}
	return err
}

func (s sqliteSession) rollback() {
	// After some errors SQLite has rolled back by itself; then this one says so and
	// there is nothing left to do.
	_, _ = s.e.conn.ExecContext(context.Background(), "ROLLBACK")
}
