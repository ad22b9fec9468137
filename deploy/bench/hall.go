package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
)

// profileEnv names a directory for CPU profiles of the halls' rounds.
const profileEnv = "ONEHALL_CPUPROFILE"

// hallSpec says which hall a process is.
type hallSpec struct {
	// Dir holds its data, Driver and DSN are its database.
	Dir, Driver, DSN string
	// NoGroup gives each write a commit of its own.
	NoGroup bool
	// Roles are what runs; all when empty.
	Roles []string
	// Town loads the halls and items; otherwise they are there from a former process.
	Town bool
	// Storeless adds a second front door, whose casework stores nothing.
	Storeless bool
	// Cast is the file the actors are written to, Applicants how many apply.
	Cast       string
	Applicants int
}

// hallReady is a hall's first answer.
type hallReady struct {
	// Gateway is the front door, Storeless the one without a store.
	Gateway, Storeless string
}

// hallQuestion is what a hall may be asked.
type hallQuestion struct {
	// Do is cast, progress, begin or end.
	Do string
	// Name names a round's profile.
	Name string
}

// hallAnswer answers it.
type hallAnswer struct {
	Progress progress
	// CPU is what the process used since begin; RSS is its memory now.
	CPU time.Duration
	RSS int64
}

// hallPart runs a whole hall in this process, as `onehall up` does.
func hallPart(ctx context.Context, in *bufio.Scanner, answer func(any) error) (err error) {
	var spec hallSpec
	if ok, err := next(in, &spec); !ok || err != nil {
		return errors.Join(errors.New("no spec"), err)
	}
	c := hallConfig(spec)
	log, err := boot.NewLogger(c.Log, os.Stderr)
	if err != nil {
		return err
	}
	p := boot.Params{Clock: clock.System(), Log: log, Version: "bench"}
	h, err := stand.Up(ctx, c, p, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	if spec.Town {
		if err := openTown(ctx, h); err != nil {
			return err
		}
	}
	ready := hallReady{Gateway: h.Gateway}
	if spec.Storeless {
		door, err := openStoreless(ctx, h, p)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, door.stop()) }()
		ready.Storeless = door.gateway
	}
	if err := writeCast(spec.Cast, h.Issuer, spec.Applicants); err != nil {
		return err
	}
	if err := answer(ready); err != nil {
		return err
	}
	s := &served{hall: h, spec: spec}
	for {
		var q hallQuestion
		ok, err := next(in, &q)
		if !ok || err != nil {
			return err
		}
		a, err := s.answer(ctx, q)
		if err != nil {
			return err
		}
		if err := answer(a); err != nil {
			return err
		}
	}
}

// hallConfig is a hall on free ports that bounds no caller's rate: all the load comes
// from one address.
func hallConfig(spec hallSpec) stand.Config {
	c := stand.DefaultConfig()
	c.DataDir, c.Roles = spec.Dir, spec.Roles
	c.Log.Level = "error"
	c.Storage.Driver, c.Storage.DSN, c.Storage.NoGroup = spec.Driver, boot.Secret(spec.DSN), spec.NoGroup
	c.Issuer.Listen, c.Gateway.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Limits.RatePerSecond, c.Gateway.RatePerSecond = -1, -1
	c.Gateway.MaxConnsPerAddress, c.Gateway.MaxStreams = 0, 5000
	return c
}

// served answers questions about a running hall.
type served struct {
	hall    *stand.Hall
	spec    hallSpec
	began   time.Duration
	profile *os.File
	stores  *stores
}

func (s *served) answer(ctx context.Context, q hallQuestion) (a hallAnswer, err error) {
	switch q.Do {
	case "cast":
		return a, writeCast(s.spec.Cast, s.hall.Issuer, s.spec.Applicants)
	case "progress":
		if s.stores == nil {
			if s.stores, err = openStores(s.spec); err != nil {
				return a, err
			}
		}
		a.Progress, err = s.stores.progress(ctx)
		return a, err
	case "begin":
		if s.began, err = cpuTime(); err != nil {
			return a, err
		}
		return a, s.startProfile(q.Name)
	case "end":
		now, err := cpuTime()
		if err != nil {
			return a, err
		}
		a.CPU = now - s.began
		if s.profile != nil {
			pprof.StopCPUProfile()
			err = s.profile.Close()
			s.profile = nil
		}
		if err == nil {
			a.RSS, err = residentBytes(os.Getpid())
		}
		return a, err
	}
	return a, fmt.Errorf("there is no question %q", q.Do)
}

func (s *served) startProfile(name string) (err error) {
	dir := os.Getenv(profileEnv)
	if dir == "" {
		return nil
	}
	if s.profile, err = os.Create(filepath.Join(dir, name+".pprof")); err != nil {
		return err
	}
	return pprof.StartCPUProfile(s.profile)
}

// cpuTime is what this process has used so far.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// residentBytes is the resident memory of a process.
func residentBytes(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		var kib int64
		if n, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 && err == nil {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("process %d has no resident memory", pid)
}

// postgresDriver reports whether the spec's database is PostgreSQL.
func (s hallSpec) postgres() bool { return s.Driver == db.Postgres }
