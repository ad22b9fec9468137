package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/db"
)

// warm is a little load before what counts: caches, connections, the first pages.
func (h *hall) warm(ctx context.Context, base string) error {
	_, err := h.load(loadSpec{Base: base, Kind: loadFile, Clients: 16, For: time.Second})
	if err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	_, err = h.settle(ctx)
	return err
}

// measureSubmit holds durable submissions over REST against what PostgreSQL itself does
// with the same statements from as many connections: once with the roles that a
// submission passes through, and once with the followers of the events on the same
// cores, where they work for their part of the time.
func measureSubmit(ctx context.Context, b *bench) error {
	for _, t := range []struct {
		what  string
		roles []string
	}{{"the submit path alone", []string{"catalogue", "casework", stand.Gateway}}, {"all roles in one process", nil}} {
		if err := b.submitWith(ctx, t.what, t.roles); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) submitWith(ctx context.Context, what string, roles []string) (err error) {
	pg, err := b.emptyPostgres(ctx)
	if err != nil {
		return err
	}
	h, err := b.startHall(ctx, hallSpec{Driver: db.Postgres, DSN: pg.dsn(), Town: true, Roles: roles})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	s, err := b.limitScript(ctx, pg, h)
	if err != nil {
		return err
	}
	if err := h.warm(ctx, ""); err != nil {
		return err
	}
	if _, err := s.run(ctx, pg, 16, time.Second); err != nil {
		return err
	}
	for _, t := range []struct {
		clients int
		reach   float64
	}{{16, .5}, {64, .7}} {
		if err := b.submitRounds(ctx, h, s, submitSpec{what, t.clients, t.reach}); err != nil {
			return err
		}
	}
	return nil
}

// limitScript takes the statements from one submission of this very hall.
func (b *bench) limitScript(ctx context.Context, pg *postgres, h *hall) (*script, error) {
	var name string
	list, err := captureSubmit(ctx, pg, func() (string, error) {
		var err error
		name, err = h.fileOne()
		return name, err
	})
	if err != nil {
		return nil, err
	}
	s, err := writeScript(b.dir, list, name)
	if err != nil {
		return nil, err
	}
	for _, text := range s.texts {
		fmt.Fprintf(b.out, "  pgbench: %s\n", clip(text, 110))
	}
	return s, makeLimitTables(ctx, pg)
}

// submitSpec is one row of the measurement.
type submitSpec struct {
	what    string
	clients int
	reach   float64
}

// perCase is what processes used for one case, in microseconds.
type perCase struct{ hall, store, load, limit []float64 }

func (b *bench) submitRounds(ctx context.Context, h *hall, s *script, spec submitSpec) error {
	var rest, limit []float64
	var cpu perCase
	var last measured
	for i := range b.plan.rounds {
		name := fmt.Sprintf("submit-%d-%d-%d", len(h.spec.Roles), spec.clients, i)
		m, err := h.round(ctx, name, loadSpec{Kind: loadFile, Clients: spec.clients, For: b.plan.round, First: i * 1000})
		if err != nil {
			return err
		}
		before, err := h.pg.cpuTime()
		if err != nil {
			return err
		}
		tps, err := s.run(ctx, h.pg, spec.clients, b.plan.pgRound)
		if err != nil {
			return err
		}
		after, err := h.pg.cpuTime()
		if err != nil {
			return err
		}
		cpu.limit = append(cpu.limit, float64((after-before+s.cpu).Microseconds())/(tps*b.plan.pgRound.Seconds()))
		cpu.hall, cpu.store = append(cpu.hall, float64(m.cpu.Microseconds())), append(cpu.store, float64(m.store.Microseconds()))
		cpu.load = append(cpu.load, float64(m.CPU.Microseconds())/float64(max(1, m.Done)))
		rest, limit = append(rest, m.perSecond()), append(limit, tps)
		last = m
	}
	q := median(ratios(rest, limit))
	all := median(cpu.hall) + median(cpu.store) + median(cpu.load)
	b.report.add(row{
		what: fmt.Sprintf("durable submissions over REST, PostgreSQL, %d clients, %s", spec.clients, spec.what), figure: rate(median(rest)),
		limitWhat: "pgbench, the same statements", limit: rate(median(limit)), ratio: times(q), reach: fmt.Sprintf("≥ %.1f", spec.reach), met: q >= spec.reach,
		notes: fmt.Sprintf("%d rounds, %s against %s; p50 %s, p99 %s; CPU a case: hall %.0f, its PostgreSQL %.0f, load %.0f µs, against %.0f µs of PostgreSQL and pgbench, ratio %.2f; followers done %s after",
			len(rest), spread(rest, rate), spread(limit, rate), millis(last.P50), millis(last.P99), median(cpu.hall), median(cpu.store), median(cpu.load), median(cpu.limit), median(cpu.limit)/all, millis(last.behind)),
	})
	return nil
}

// measureGroup holds SQLite with group commit against a commit for each request, and
// against the same front door without a store.
func measureGroup(ctx context.Context, b *bench) (err error) {
	group, err := b.startHall(ctx, hallSpec{Driver: db.SQLite, Town: true, Storeless: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, group.remove()) }()
	single, err := b.startHall(ctx, hallSpec{Driver: db.SQLite, Town: true, NoGroup: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, single.remove()) }()
	if err := errors.Join(group.warm(ctx, ""), single.warm(ctx, ""), group.warm(ctx, group.Storeless)); err != nil {
		return err
	}
	var grouped, alone, free []float64
	var last measured
	for i := range b.plan.rounds {
		spec := loadSpec{Kind: loadFile, Clients: 64, For: b.plan.round, First: i * 1000}
		m, err := group.round(ctx, fmt.Sprintf("group-%d", i), spec)
		if err != nil {
			return err
		}
		one, err := single.round(ctx, fmt.Sprintf("single-%d", i), spec)
		if err != nil {
			return err
		}
		spec.Base = group.Storeless
		none, err := group.round(ctx, fmt.Sprintf("storeless-%d", i), spec)
		if err != nil {
			return err
		}
		grouped, alone, free = append(grouped, m.perSecond()), append(alone, one.perSecond()), append(free, none.perSecond())
		last = m
	}
	gain, left := median(ratios(grouped, alone)), median(ratios(grouped, free))
	b.report.add(
		row{
			what: "durable submissions over REST, SQLite FULL, 64 clients, followers running", figure: rate(median(grouped)),
			limitWhat: "the same with a transaction a request", limit: rate(median(alone)), ratio: times(gain), reach: "≥ 2.5", met: gain >= 2.5,
			notes: fmt.Sprintf("%d rounds, %s against %s; p50 %s, p99 %s", len(grouped), spread(grouped, rate), spread(alone, rate), millis(last.P50), millis(last.P99)),
		},
		row{
			what: "the same, against the front door alone", figure: rate(median(grouped)), limitWhat: "the front door without a store",
			limit: rate(median(free)), ratio: times(left), reach: "≥ 0.4", met: left >= .4,
			notes: fmt.Sprintf("%d rounds, %s against %s", len(free), spread(grouped, rate), spread(free, rate)),
		})
	return nil
}

// clip shortens a text for a line.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
