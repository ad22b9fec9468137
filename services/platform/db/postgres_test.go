package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

// admin is a plain connection pool to the test server.
func admin(t *testing.T) *sql.DB {
	t.Helper()
	pool, err := sql.Open("pgx", dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

func run(t *testing.T, pool *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := pool.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Two writers take the same two rows in opposite order. PostgreSQL breaks the circle
// by undoing one, which is then done again.
func TestDeadlockIsRetried(t *testing.T) {
	if dbtest.Postgres(t) == "" {
		return // said so loudly
	}
	d := dbtest.Open(t, dbtest.PostgresConfig(t), notes, clock.System())
	for i := range 2 {
		if err := d.Write(t.Context(), "k", insert(int64(i), fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	var both, group sync.WaitGroup
	both.Add(2)
	for i := range 2 {
		meet := sync.OnceFunc(func() { both.Done(); both.Wait() })
		group.Go(func() {
			// Without a key the writers take turns, so the two are not in one line.
			err := d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
				for step := range 2 {
					if _, err := counted(tx.ExecContext(ctx, "UPDATE notes SET n = n + 1 WHERE id = $1", (i+step)%2)); err != nil {
						return fmt.Errorf("wrapped %w", err)
					}
					meet()
				}
				return nil
			})
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	group.Wait()
	var sum int
	if err := d.Read().QueryRowContext(t.Context(), "SELECT CAST(SUM(n) AS BIGINT) FROM notes").Scan(&sum); err != nil || sum != 4 {
		t.Errorf("sum is %d (%v), want 4", sum, err)
	}
	if d.Stats().Retries == 0 {
		t.Error("nothing was retried")
	}
}

// When the wait for the standby is cancelled, PostgreSQL reports success with a
// warning. That must not become an acknowledgement.
func TestCancelledWaitForStandbyIsUnknown(t *testing.T) {
	if dbtest.Postgres(t) == "" {
		return // said so loudly
	}
	pool := admin(t)
	d := dbtest.Open(t, dbtest.PostgresConfig(t), notes, clock.System())
	run(t, pool, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	run(t, pool, "SELECT pg_reload_conf()")
	t.Cleanup(func() {
		run(t, pool, "ALTER SYSTEM RESET synchronous_standby_names")
		run(t, pool, "SELECT pg_reload_conf()")
	})
	waiting := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			var got int
			if err := pool.QueryRow("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got == n {
				return
			}
		}
		t.Fatal("nobody waits for a standby")
	}
	for i, how := range []string{"pg_cancel_backend", "pg_terminate_backend"} {
		done := make(chan error, 1)
		go func() { done <- d.Write(context.Background(), "k", insert(int64(i), how)) }()
		waiting(1)
		run(t, pool, "SELECT "+how+"(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
		if err := <-done; !errors.Is(err, fault.UnknownOutcome) {
			t.Errorf("%s: got %v, want unknown outcome", how, err)
		}
	}
	if got := d.Stats().Unknown; got != 2 {
		t.Errorf("%d unknown outcomes counted", got)
	}
}

func TestLostConnection(t *testing.T) {
	if dbtest.Postgres(t) == "" {
		return // said so loudly
	}
	pool := admin(t)
	cfg := dbtest.PostgresConfig(t)
	d := dbtest.Open(t, cfg, notes, clock.System())
	err := d.Write(t.Context(), "k", func(ctx context.Context, tx *db.Tx) error {
		if err := insert(1, "one")(ctx, tx); err != nil {
			return err
		}
		var n int
		err := pool.QueryRow("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", "onehall/"+cfg.Schema).Scan(&n)
		if err != nil {
			return err
		}
		return insert(2, "two")(ctx, tx)
	})
	if !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if err := d.Write(t.Context(), "k", insert(3, "three")); err != nil {
		t.Errorf("the next write: %v", err)
	}
	if got := words(t, d); len(got) != 1 || got[0] != "three" {
		t.Errorf("rows %v", got)
	}
}
