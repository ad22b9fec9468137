package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// plan is how much of everything a run does.
type plan struct {
	rounds int
	// round is one round of load, pgRound one of pgbench.
	round, pgRound time.Duration
	// stored is how many cases lie there in the large hall.
	stored int
	// lag is how long cases are filed at a steady rate.
	lag time.Duration
	// starts is how often a hall is started from nothing, searches how often the search
	// is measured.
	starts, searches int
	// clocks is how many clocks are open in a quiet hour, quiet how long one is looked at,
	// due how many then fall due, one after the other and as many at once.
	clocks, due int
	quiet       time.Duration
	// readers is how many read the wall.
	readers int
}

var (
	fullPlan = plan{rounds: 3, round: 6 * time.Second, pgRound: 5 * time.Second, stored: 1_000_000, lag: 30 * time.Second, starts: 3, searches: 3,
		clocks: 250_000, due: 2000, quiet: time.Minute, readers: 1000}
	shortPlan = plan{rounds: 3, round: time.Second, pgRound: time.Second, stored: 20_000, lag: 4 * time.Second, starts: 1, searches: 1,
		clocks: 5000, due: 200, quiet: 5 * time.Second, readers: 50}
)

// bench is one run.
type bench struct {
	dir    string
	out    io.Writer
	report *report
	plan   plan
	pg     *postgres
	count  int
}

// postgres starts the run's server at its first use.
func (b *bench) postgres(ctx context.Context) (*postgres, error) {
	if b.pg != nil {
		return b.pg, nil
	}
	pg, err := startPostgres(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	b.pg = pg
	fmt.Fprintf(b.out, "  %s, shared_buffers 512MB, max_wal_size 4GB, fsync on\n", pg.version())
	return pg, nil
}

// emptyPostgres gives the server with all schemas of former halls gone.
func (b *bench) emptyPostgres(ctx context.Context) (*postgres, error) {
	pg, err := b.postgres(ctx)
	if err != nil {
		return nil, err
	}
	var drops []string
	for _, schema := range []string{"catalogue", "casework", "review", "supervision", "hub", limitSchema} {
		drops = append(drops, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
	}
	return pg, pg.exec(ctx, append(drops, "CHECKPOINT")...)
}

func (b *bench) stop() error {
	if b.pg == nil {
		return nil
	}
	return b.pg.stop()
}

// path is a fresh path in the run's directory.
func (b *bench) path(name string) string {
	b.count++
	return filepath.Join(b.dir, fmt.Sprintf("%02d-%s", b.count, name))
}

// hall is a hall in a process of its own, seen from outside.
type hall struct {
	*child
	hallReady
	spec   hallSpec
	minted time.Time
	pg     *postgres
}

// applicants are many people, and few enough that each's token is verified before the
// first round counts, and then once a minute: people who apply have been looking around.
const applicants = 1000

// tokensFor is how long tokens are used; they are good for ten minutes.
const tokensFor = 4 * time.Minute

// startHall starts a hall and waits until casework takes applications.
func (b *bench) startHall(ctx context.Context, spec hallSpec) (*hall, error) {
	if spec.Dir == "" {
		spec.Dir = b.path("hall")
	}
	spec.Cast, spec.Applicants = spec.Dir+".cast", applicants
	c, err := startChild("hall", spec)
	if err != nil {
		return nil, err
	}
	h := &hall{child: c, spec: spec, minted: time.Now(), pg: b.pg}
	if err := c.receive(&h.hallReady); err != nil {
		return nil, err
	}
	if err := h.awaitItem(ctx); err != nil {
		return nil, errors.Join(err, h.stop())
	}
	return h, nil
}

// awaitItem waits until an application is taken: casework follows the catalogue.
func (h *hall) awaitItem(ctx context.Context) error {
	return until(ctx, "the first application", time.Minute, func() (bool, error) {
		_, err := h.fileOne()
		return err == nil, err
	})
}

// fileOne files one application and gives the case's name.
func (h *hall) fileOne() (string, error) {
	all, err := readCast(h.spec.Cast)
	if err != nil {
		return "", err
	}
	w, err := dialWire(h.Gateway)
	if err != nil {
		return "", err
	}
	c := &client{wire: w, cast: all}
	_, err = c.file(&all.Applicants[0])
	return c.name, errors.Join(err, w.close())
}

// load makes a load in a process of its own.
func (h *hall) load(spec loadSpec) (loadResult, error) {
	var r loadResult
	spec.Cast = h.spec.Cast
	if spec.Base == "" {
		spec.Base = h.Gateway
	}
	c, err := startChild("load", spec)
	if err != nil {
		return r, err
	}
	if err := c.receive(&r); err != nil {
		return r, err
	}
	if err := c.stop(); err != nil {
		return r, err
	}
	if r.Failed > 0 {
		return r, fmt.Errorf("%d clients failed: %s", r.Failed, r.Failure)
	}
	return r, nil
}

// settle waits until every follower knows everything.
func (h *hall) settle(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := until(ctx, "the followers", 5*time.Minute, func() (bool, error) {
		var a hallAnswer
		err := h.ask(hallQuestion{Do: "progress"}, &a)
		return err == nil && a.Progress.done(), errors.Join(err, fmt.Errorf("%+v", a.Progress))
	})
	return time.Since(began), err
}

// measured is a load with what it cost the hall.
type measured struct {
	loadResult
	// cpu is what the hall's process used for each thing done, store what PostgreSQL's
	// processes did, rss the hall's memory after.
	cpu, store time.Duration
	rss        int64
	// behind is how long the followers took after the last answer.
	behind time.Duration
}

// sustained is the rate that counts the followers' work as part of the time.
func (m measured) sustained() float64 { return float64(m.Done) / (m.Took + m.behind).Seconds() }

// round makes a load with fresh tokens and lets the followers come after.
func (h *hall) round(ctx context.Context, name string, spec loadSpec) (m measured, err error) {
	if time.Since(h.minted) > tokensFor {
		if err := h.ask(hallQuestion{Do: "cast"}, &hallAnswer{}); err != nil {
			return m, err
		}
		h.minted = time.Now()
	}
	before, err := h.storeTime()
	if err != nil {
		return m, err
	}
	if err := h.ask(hallQuestion{Do: "begin", Name: name}, &hallAnswer{}); err != nil {
		return m, err
	}
	if m.loadResult, err = h.load(spec); err != nil {
		return m, err
	}
	if m.behind, err = h.settle(ctx); err != nil {
		return m, err
	}
	var a hallAnswer
	if err := h.ask(hallQuestion{Do: "end"}, &a); err != nil {
		return m, err
	}
	after, err := h.storeTime()
	if err == nil && h.spec.postgres() {
		err = h.pg.profile(ctx, name)
	}
	m.cpu, m.store, m.rss = a.CPU/time.Duration(max(1, m.Done)), (after-before)/time.Duration(max(1, m.Done)), a.RSS
	return m, err
}

// storeTime is what the database's processes have used so far.
func (h *hall) storeTime() (time.Duration, error) {
	if !h.spec.postgres() {
		return 0, nil
	}
	return h.pg.cpuTime()
}

// removeHall stops a hall and removes its files.
func (h *hall) remove() error {
	return errors.Join(h.stop(), os.RemoveAll(h.spec.Dir), os.Remove(h.spec.Cast))
}
