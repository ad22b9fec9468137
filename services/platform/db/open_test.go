package db_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name string
		cfg  db.Config
		want string
	}{
		{"no DSN", db.Config{Driver: db.SQLite}, "no DSN"},
		{"unknown driver", db.Config{Driver: "oracle", DSN: "x"}, `"oracle"`},
		{"schema that needs quoting", db.Config{Driver: db.Postgres, DSN: "x", Schema: `a"; DROP`}, "plain"},
		{"bad DSN", db.Config{Driver: db.Postgres, DSN: "postgres://u:secret@h:notaport/"}, "cannot be understood"},
		{"not a database", db.Config{Driver: db.SQLite, DSN: textFile(t)}, "not a database"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := db.Open(t.Context(), tt.cfg, nil, clock.System())
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func textFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(name, []byte(strings.Repeat("no database at all ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSecondOpenerOfAFileIsRefused(t *testing.T) {
	cfg := dbtest.SQLiteConfig(t)
	first, err := db.Open(t.Context(), cfg, notes, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Open(t.Context(), cfg, notes, clock.System())
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by another process (pid %d)", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	dbtest.Open(t, cfg, notes, clock.System()) // free again
}

// What lies in the files is for the service's own user, also when an earlier version or
// a careless copy left them open.
func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cfg := db.Config{Driver: db.SQLite, DSN: filepath.Join(dir, "test.db")}
	for range 2 {
		d, err := db.Open(t.Context(), cfg, notes, clock.System())
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]os.FileMode{dir: 0o700, cfg.DSN: 0o600, cfg.DSN + "-wal": 0o600, cfg.DSN + "-shm": 0o600} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(cfg.DSN, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMigrations(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		manual := cfg
		manual.ManualMigrations = true
		if _, err := db.Open(t.Context(), manual, notes, clock.System()); err == nil || !strings.Contains(err.Error(), "pending") {
			t.Fatalf("pending migrations: %v", err)
		}
		// Replicas start together; SQLite has none.
		var group sync.WaitGroup
		for range 3 {
			if cfg.Driver == db.Postgres {
				group.Go(func() {
					if err := db.Migrate(t.Context(), cfg, notes); err != nil {
						t.Error(err)
					}
				})
			}
		}
		group.Wait()
		if err := db.Migrate(t.Context(), cfg, notes); err != nil {
			t.Fatal(err)
		}
		newer := fstest.MapFS{"00200_more.sql": {Data: []byte("-- +goose Up\nCREATE TABLE more (id BIGINT);\n")}}
		for name, file := range notes {
			newer[filepath.Base(name)] = file
		}
		if err := db.Migrate(t.Context(), cfg, newer); err != nil {
			t.Fatal(err)
		}
		// Old code runs on a database that newer code has migrated.
		d := dbtest.Open(t, manual, notes, clock.System())
		if err := d.Write(t.Context(), "k", insert(1, "one")); err != nil {
			t.Error(err)
		}
		if err := d.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestStorageFull(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), notes, clock.System())
	limit := func(pages int) {
		t.Helper()
		err := d.Write(t.Context(), "k", func(ctx context.Context, tx *db.Tx) error {
			var now int
			return tx.QueryRowContext(ctx, "PRAGMA max_page_count = "+strconv.Itoa(pages)).Scan(&now)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(20)
	big := strings.Repeat("x", 200_000)
	errs := crowd(t, d, insert(1, "small"), insert(2, big), insert(3, "small too"))
	if errs[0] != nil || !errors.Is(errs[1], fault.StorageFull) || errs[2] != nil {
		t.Errorf("got %v", errs)
	}
	limit(10_000)
	if err := d.Write(t.Context(), "k", insert(2, big)); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

const childEnv = "ONEHALL_DB_TEST_CHILD"

// TestKilledWriterLosesNothingAcknowledged runs itself as a child that writes and
// reports each acknowledgement, kills it in the middle and looks for what was reported.
func TestKilledWriterLosesNothingAcknowledged(t *testing.T) {
	if path := os.Getenv(childEnv); path != "" {
		writeUntilKilled(t, path)
		return
	}
	cfg := dbtest.SQLiteConfig(t)
	acked := map[int64]bool{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriterLosesNothingAcknowledged$")
		cmd.Env = append(os.Environ(), childEnv+"="+cfg.DSN)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 150+50*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			if id, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
				acked[id] = true
			}
		}
		_ = cmd.Wait() // it was killed
	}
	d := dbtest.Open(t, cfg, notes, clock.System())
	stored := map[string]bool{}
	for _, w := range words(t, d) {
		stored[w] = true
	}
	if len(acked) < 450 {
		t.Fatalf("only %d acknowledged", len(acked))
	}
	for id := range acked {
		if !stored[fmt.Sprint(id)] {
			t.Errorf("%d was acknowledged and is lost", id)
		}
	}
}

func writeUntilKilled(t *testing.T, path string) {
	d, err := db.Open(t.Context(), db.Config{Driver: db.SQLite, DSN: path}, notes, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
				id := d.NextID()
				if err := d.Write(t.Context(), "k", insert(id, fmt.Sprint(id))); err != nil {
					continue // not acknowledged, so not reported
				}
				out.Lock()
				_, _ = fmt.Println(id)
				out.Unlock()
			}
		})
	}
	group.Wait()
}

func TestANumberThatIsTheKeyAddressesTheRows(t *testing.T) {
	d, err := db.Open(t.Context(), dbtest.SQLiteConfig(t), notes, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	var indexes int
	err = d.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = 'notes'").Scan(&indexes)
	if err != nil || indexes != 1 {
		t.Errorf("%d indexes on notes, %v; want one of the word, none of the id", indexes, err)
	}
}
