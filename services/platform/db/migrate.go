package db

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/pressly/goose/v3"
)

// versionTable is where goose notes what was applied; on PostgreSQL one a schema.
const versionTable = "schema_migrations"

// Migrate applies the pending migrations and closes the database again. Several
// processes may do so at once.
func Migrate(ctx context.Context, cfg Config, migrations fs.FS) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	e, err := openEngine(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(e.migrate(ctx, migrations, true), e.close())
}

// runGoose applies or only checks. A database newer than this program is welcome:
// old code must run after a migration, or no rolling upgrade would.
func runGoose(ctx context.Context, dialect goose.Dialect, pool *sql.DB, migrations fs.FS, apply bool) error {
	if migrations == nil {
		return nil
	}
	root, err := MigrationRoot(migrations)
	if err != nil {
		return err
	}
	// Asked here, because goose takes a directory it cannot read for an empty one.
	if _, err := fs.ReadDir(root, "."); err != nil {
		return fmt.Errorf("db: migrations: %w", err)
	}
	if dialect == goose.DialectSQLite3 {
		root = rowKeys{root}
	}
	p, err := goose.NewProvider(dialect, pool, root,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true),
		// The feed's migrations have low numbers and may gain one after the
		// service's were applied.
		goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("db: migrations: %w", err)
	}
	if !apply {
		return checkApplied(ctx, p, pool)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("db: migrations: %w", err)
	}
	return nil
}

// checkApplied refuses a database with pending migrations.
func checkApplied(ctx context.Context, p *goose.Provider, pool *sql.DB) error {
	errPending := errors.New("db: migrations are pending; run `onehall migrate` first")
	var n int
	// Asked here, because goose would make the table, and a service may not be allowed to.
	if err := pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+versionTable).Scan(&n); err != nil {
		return fmt.Errorf("%w (%w)", errPending, err)
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("db: migrations: %w", err)
	}
	if pending {
		return errPending
	}
	return nil
}

// MigrationRoot is where the .sql files lie: the directory itself or its
// subdirectory "migrations", as `//go:embed migrations` makes it. A nil FS is empty.
func MigrationRoot(migrations fs.FS) (fs.FS, error) {
	if migrations == nil {
		return emptyFS{}, nil
	}
	files, err := fs.Glob(migrations, "*.sql")
	if err != nil || len(files) > 0 {
		return migrations, err
	}
	if info, err := fs.Stat(migrations, "migrations"); err == nil && info.IsDir() {
		return fs.Sub(migrations, "migrations")
	}
	return migrations, nil
}

// rowKeys is a directory of migrations for SQLite, in which a number that is a table's
// whole key is the address of its rows: SQLite takes it for that only when it is spelled
// INTEGER, else it keeps an index beside the table, to be written with every row.
type rowKeys struct{ fs.FS }

// Open opens a migration as SQLite reads it.
func (r rowKeys) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	text, err := io.ReadAll(f)
	info, statErr := f.Stat()
	if err := errors.Join(err, statErr, f.Close()); err != nil {
		return nil, err
	}
	text = bytes.ReplaceAll(text, []byte(" BIGINT NOT NULL PRIMARY KEY"), []byte(" INTEGER NOT NULL PRIMARY KEY"))
	return migrationFile{bytes.NewReader(text), info}, nil
}

// ReadDir lists the directory.
func (r rowKeys) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(r.FS, name) }

// migrationFile is a migration in memory.
type migrationFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f migrationFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (migrationFile) Close() error                 { return nil }

// emptyFS has no files.
type emptyFS struct{}

func (emptyFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
