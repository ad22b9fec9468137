package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"

	"github.com/google/uuid"

	"github.com/onehall/onehall/deploy/sample"
	simulation "github.com/onehall/onehall/deploy/simulate"
	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/rpc"
	"github.com/onehall/onehall/services/platform/workday"
)

func newID() string { return uuid.NewString() }

// simulate lives through a city's days in a hall of this process and checks every
// invariant at the end.
func simulate(ctx context.Context, out io.Writer, args []string) (err error) {
	s := newFlags("simulate", out)
	days := s.flags.Int("days", 30, "days to live through")
	perDay := s.flags.Int("cases", 200, "cases filed on a working day")
	seed := s.flags.Uint64("seed", 1, "the same seed gives the same city")
	speed := s.flags.Float64("speed", 0, "days a second at the most; 0 is as fast as it goes")
	workers := s.flags.Int("workers", 16, "people acting at once")
	start := s.flags.String("start", "2026-01-04", "first day, YYYY-MM-DD")
	c := stand.DefaultConfig()
	c.Log.Level = "error"
	if err := s.load(args, &c); err != nil {
		return err
	}
	first, err := workday.ParseDate(*start)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "onehall-simulate-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c.DataDir, c.Gateway.Listen, c.Issuer.Listen = filepath.Join(dir, "data"), "127.0.0.1:0", "127.0.0.1:0"
	c.Limits.RatePerSecond = -1
	clk := clock.NewVirtual(workday.StartOfDay(first))
	p, err := params(c, clk)
	if err != nil {
		return err
	}
	h, err := stand.Up(ctx, c, p, demoUsers())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	l, done, err := loaderOf(h, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := loadCity(rpc.WithToken(ctx, adminOf(h.Issuer)), l); err != nil {
		return err
	}
	began := time.Now()
	stats, err := liveCity(ctx, out, h, clk, simulation.Options{
		Seed: *seed, Days: *days, PerDay: *perDay, Workers: *workers, Speed: *speed, Shares: simulation.DefaultShares(),
	})
	if err != nil {
		return err
	}
	tellSimulation(out, stats, time.Since(began))
	if err := verifyHall(ctx, out, h); err != nil {
		return err
	}
	return tellCost(out, stats, c.DataDir)
}

// liveCity runs the simulation against a hall of this process.
func liveCity(ctx context.Context, out io.Writer, h *stand.Hall, clk *clock.Virtual, o simulation.Options) (simulation.Stats, error) {
	casework, err := h.Runtime.Dialer.Dial("casework")
	if err != nil {
		return simulation.Stats{}, err
	}
	defer casework.Close()
	review, err := h.Runtime.Dialer.Dial("review")
	if err != nil {
		return simulation.Stats{}, err
	}
	defer review.Close()
	data := sample.Huizhou()
	o.Flow = caseworkv1.NewFlowServiceClient(casework)
	o.Casework, o.Review, o.Clock = caseworkv1.NewCaseworkServiceClient(casework), reviewv1.NewReviewServiceClient(review), clk
	o.Items, o.Departments = data.Items, data.Departments
	tokens := &tokens{issuer: h.Issuer, clock: clk, by: map[string]token{}}
	o.As = func(ctx context.Context, who simulation.Person) context.Context {
		return rpc.WithToken(ctx, tokenOf{tokens, who})
	}
	o.Progress = func(day workday.Date, s simulation.Stats) {
		fmt.Fprintf(out, "  %s  申办 %d  受理 %d  办结 %d  评价 %d\n", day, s.Filed, s.Accepted, s.Finished, s.Reviews)
	}
	return simulation.New(o).Run(ctx)
}

func tellSimulation(out io.Writer, s simulation.Stats, took time.Duration) {
	share := func(n, of int) float64 {
		if of == 0 {
			return 0
		}
		return 100 * float64(n) / float64(of)
	}
	fmt.Fprintf(out, "%d cases, %.1f %% online, %d supplements, %d finished, %.1f %% of them late, %d ended otherwise, %d reviews\n",
		s.Filed, share(s.Online, s.Filed), s.Supplements, s.Finished, share(s.Late, s.Finished), s.Ended, s.Reviews)
	fmt.Fprintf(out, "%d calls in %.1f s (%.0f/s, %.0f cases/s)\n", s.Calls, took.Seconds(), float64(s.Calls)/took.Seconds(), float64(s.Filed)/took.Seconds())
}

// tellCost tells what the simulated days took of the machine: the most memory this
// process ever held, its time on the processors, and what a case takes on disk.
func tellCost(out io.Writer, s simulation.Stats, dir string) error {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	stored := int64(0)
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			stored += info.Size()
		}
		return err
	})
	if err != nil {
		return err
	}
	busy := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	cases := max(1, s.Filed)
	fmt.Fprintf(out, "peak memory %d MiB; %.2f ms of processor a case; %d MiB on disk, %d bytes a case\n",
		used.Maxrss>>10, float64(busy.Microseconds())/1000/float64(cases), stored>>20, stored/int64(cases))
	return nil
}

// tokens keeps a token for everybody in the simulation until shortly before it ends.
type tokens struct {
	issuer *authn.Issuer
	clock  clock.Clock
	mu     sync.Mutex
	by     map[string]token
}

type token struct {
	raw   string
	until time.Time
}

type tokenOf struct {
	*tokens
	who simulation.Person
}

// Token implements authn.TokenSource.
func (t tokenOf) Token(context.Context) (string, error) {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.by[t.who.Login]; now.Before(k.until) {
		return k.raw, nil
	}
	raw, err := t.issuer.Mint(authn.User{
		Login: t.who.Login, Name: t.who.Name, Roles: []string{t.who.Role}, Hall: t.who.Hall, Department: t.who.Department,
		IDType: t.who.IDType, IDNumber: t.who.IDNumber, Posts: posts(t.who),
	})
	if err != nil {
		return "", err
	}
	t.by[t.who.Login] = token{raw, now.Add(5 * time.Minute)}
	return raw, nil
}

// posts is the post of an official; nobody else has any.
func posts(p simulation.Person) []string {
	if p.Post == "" {
		return nil
	}
	return []string{p.Post}
}
