package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
)

const (
	reckonerEnv = "ONEHALL_CASEWORK_TEST_RECKONER"
	// killFiled and killTold are how many cases are open, handled here and at a source.
	killFiled, killTold = 2500, 500
	killRounds          = 4
)

// TestKilledReckonerMovesEachCaseOnce runs itself as a child that reckons some thousand open
// cases again, and is killed in the middle, time and again: in the end each case has
// exactly one event of it.
func TestKilledReckonerMovesEachCaseOnce(t *testing.T) {
	if settings := os.Getenv(reckonerEnv); settings != "" {
		reckonUntilKilled(t, settings)
		return
	}
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		const all = killFiled + killTold
		opened(t, cfg, func(s *Service) {
			fileMany(t, s)
			tellMany(t, s)
			closeTomorrow(t, s)
		})
		moved := 0
		for round := range killRounds {
			runReckoner(t, cfg, moved+all/8)
			opened(t, cfg, func(s *Service) {
				before := moved
				if moved = movedCases(t, s); moved < before+all/8 || moved >= all {
					t.Fatalf("round %d: killed with %d of %d cases moved, which is no middle", round, moved, all)
				}
			})
		}
		runReckoner(t, cfg, 0)
		opened(t, cfg, func(s *Service) { checkMovedOnce(t, s, all) })
	})
}

// opened lets something be done with the database while no child has it.
func opened(t *testing.T, cfg db.Config, do func(s *Service)) {
	t.Helper()
	s := quiet(t, cfg)
	do(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// reckoner is what the child is told: the database, and with how many moved cases it is to
// be killed; 0 lets it get through.
type reckoner struct {
	DB     db.Config
	KillAt int
}

// runReckoner runs the child to its end.
func runReckoner(t *testing.T, cfg db.Config, killAt int) {
	t.Helper()
	settings, err := json.Marshal(reckoner{cfg, killAt})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledReckonerMovesEachCaseOnce$")
	cmd.Env = append(os.Environ(), reckonerEnv+"="+string(settings))
	out, err := cmd.CombinedOutput()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); killAt > 0 && (!ok || !status.Signaled() || status.Signal() != syscall.SIGKILL) || killAt == 0 && err != nil {
		t.Fatalf("the child ended with %v:\n%s", err, out)
	}
}

// reckonUntilKilled is the child. It sends itself the signal, which leaves it no more time
// than one from outside, and comes when it is due however busy the machine is.
func reckonUntilKilled(t *testing.T, settings string) {
	var r reckoner
	if err := json.Unmarshal([]byte(settings), &r); err != nil {
		t.Fatal(err)
	}
	s := quiet(t, r.DB)
	through := make(chan error, 1)
	go func() { through <- s.recomputeHalls(t.Context()) }()
	for tick := time.NewTicker(time.Millisecond); ; {
		select {
		case err := <-through:
			if err != nil {
				t.Fatal(err)
			}
			return
		case <-tick.C:
			if r.KillAt > 0 && movedCases(t, s) >= r.KillAt {
				if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// fileMany files the cases that are handled here.
func fileMany(t *testing.T, s *Service) {
	t.Helper()
	ctx := authn.WithAccess(t.Context(), authn.Access{Principal: everybody["ada"], Scope: optionsv1.Scope_SCOPE_OWN})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for range killFiled / 20 {
				if _, err := s.FileCase(ctx, filing(promisedItem)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

// tellMany takes in the cases that a source handles.
func tellMany(t *testing.T, s *Service) {
	t.Helper()
	now := s.clock.Now()
	in := &ingest{s: s, source: &caseworkv1.ExchangeSource{Name: sourceName}, now: now}
	at := now.Add(-time.Minute).In(workday.Zone).Format(time.DateTime)
	var sent []sentRow
	for n := range killTold {
		no := fmt.Sprintf("K%d", n)
		sent = append(sent, in.read(appliedAt(no, promisedItem, at)), in.read(told(no, promisedItem, exchange.Acceptance, "SLZTDM", "1", "SLSJ", at, "BLRXM", "李受理")))
	}
	err := s.db.Write(t.Context(), sourceName, func(ctx context.Context, tx *db.Tx) error {
		if err := store.InsertSource(ctx, tx, store.SourceRow{Name: sourceName, Client: "user/front", Data: []byte{}}); err != nil {
			return err
		}
		res, err := newBatch(in, tx).run(ctx, sent, "")
		if err == nil && int(res.GetAccepted()) != len(sent) {
			return fmt.Errorf("taken in: %v", res)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// closeTomorrow closes the hall on the next working day, on which every limit runs.
func closeTomorrow(t *testing.T, s *Service) {
	t.Helper()
	day := workday.DateOf(s.clock.Now()) + 1
	for !workday.China().IsWorkday("", day) {
		day++
	}
	data := feed.Deterministic(&cataloguev1.Calendar{Version: 2, Division: "441300", Title: "台风停止办公",
		Days: []*cataloguev1.CalendarDay{{Date: day.String(), Kind: shut}}})
	err := s.db.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
		return almanac.Apply(ctx, tx, &feedv1.Event{Position: 1, Type: almanac.CalendarPublished, Resource: data})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// movedCases counts the events of being reckoned again.
func movedCases(t *testing.T, s *Service) (n int) {
	t.Helper()
	if err := s.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM events WHERE type = 'case.due_changed'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// checkMovedOnce looks at every case and its history.
func checkMovedOnce(t *testing.T, s *Service, want int) {
	t.Helper()
	rows, err := s.db.Read().QueryContext(t.Context(), `SELECT c.case_no, c.seq, c.data, (SELECT count(*) FROM events e
  WHERE e.subject = 'halls/441300/cases/' || c.case_no AND e.type = 'case.due_changed') FROM cases c`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	seen, wrong := 0, 0
	for rows.Next() {
		var no string
		var seq, events int64
		var data []byte
		if err := rows.Scan(&no, &seq, &data, &events); err != nil {
			t.Fatal(err)
		}
		c, err := caseOf(&feedv1.Event{Resource: data})
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if events != 1 || c.GetDueChange().GetSequence() != seq || c.GetCalendarVersion() != 2 {
			wrong++
			t.Logf("%s: %d events, %v", no, events, c.GetDueChange())
		}
	}
	if err := rows.Err(); err != nil || seen != want || wrong > 0 {
		t.Errorf("%d of %d cases, %d of them wrong, %v", seen, want, wrong, err)
	}
}
