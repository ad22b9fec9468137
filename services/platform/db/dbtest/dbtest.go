// Package dbtest gives tests real databases: a SQLite file and a PostgreSQL schema,
// both new and empty for each test.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes and drops schemas

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
)

// Each runs the same test on SQLite and on PostgreSQL, as subtests of those names.
func Each(t *testing.T, migrations fs.FS, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachClock(t, migrations, clock.System(), test)
}

// EachClock is Each with a clock of the test's own.
func EachClock(t *testing.T, migrations fs.FS, clk clock.Clock, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, cfg db.Config) {
		test(t, Open(t, cfg, migrations, clk))
	})
}

// EachConfig runs the test with a configuration for each database, for tests that
// open it themselves: more than once, one after the other or (PostgreSQL) together.
func EachConfig(t *testing.T, test func(t *testing.T, cfg db.Config)) {
	t.Helper()
	t.Run(db.SQLite, func(t *testing.T) { test(t, SQLiteConfig(t)) })
	if Postgres(t) != "" {
		t.Run(db.Postgres, func(t *testing.T) { test(t, PostgresConfig(t)) })
	}
}

// SQLiteConfig is a new file, removed when the test ends.
func SQLiteConfig(t testing.TB) db.Config {
	t.Helper()
	return db.Config{Driver: db.SQLite, DSN: filepath.Join(t.TempDir(), "test.db")}
}

var schemas atomic.Int64

// PostgresConfig is a new schema, dropped when the test ends. It must not be called
// where Postgres gives no server.
func PostgresConfig(t testing.TB) db.Config {
	t.Helper()
	dsn := Postgres(t)
	if dsn == "" {
		t.Fatal("dbtest: PostgresConfig without a PostgreSQL server")
	}
	// The process id keeps apart test binaries that share a server given from outside.
	name := fmt.Sprintf("t%d_%d", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() {
		pool, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Errorf("dbtest: %v", err)
			return
		}
		defer func() { _ = pool.Close() }() // the drop below reports what matters
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if _, err := pool.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE"); err != nil {
			t.Errorf("dbtest: drop schema %s: %v", name, err)
		}
	})
	return db.Config{Driver: db.Postgres, DSN: dsn, Schema: name}
}

// Open opens a database that is closed when the test ends.
func Open(t testing.TB, cfg db.Config, migrations fs.FS, clk clock.Clock) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), cfg, migrations, clk)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("dbtest: %v", err)
		}
	})
	return d
}
