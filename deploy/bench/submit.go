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
// against the same front door without a store; and shows it with all followers on the
// same cores.
func measureGroup(ctx context.Context, b *bench) (err error) {
	path := []string{"catalogue", "casework", stand.Gateway}
	var halls []*hall
	defer func() {
		for _, h := range halls {
			err = errors.Join(err, h.remove())
		}
	}()
	for _, spec := range []hallSpec{
		{Driver: db.SQLite, Town: true, Storeless: true, Roles: path}, {Driver: db.SQLite, Town: true, NoGroup: true, Roles: path}, {Driver: db.SQLite, Town: true},
	} {
		h, err := b.startHall(ctx, spec)
		if err != nil {
			return err
		}
		halls = append(halls, h)
		if err := h.warm(ctx, ""); err != nil {
			return err
		}
	}
	if err := halls[0].warm(ctx, halls[0].Storeless); err != nil {
		return err
	}
	loads := []struct {
		name, base string
		hall       *hall
	}{{"group", "", halls[0]}, {"single", "", halls[1]}, {"all", "", halls[2]}, {"storeless", halls[0].Storeless, halls[0]}}
	rates, last := make([][]float64, len(loads)), make([]measured, len(loads))
	for i := range b.plan.rounds {
		for k, l := range loads {
			m, err := l.hall.round(ctx, fmt.Sprintf("%s-%d", l.name, i), loadSpec{Base: l.base, Kind: loadFile, Clients: 64, For: b.plan.round, First: i * 1000})
			if err != nil {
				return err
			}
			rates[k], last[k] = append(rates[k], m.perSecond()), m
		}
	}
	b.groupRows(rates, last)
	return nil
}

// groupRows are of group commit, a commit a request, all roles, and no store.
func (b *bench) groupRows(rates [][]float64, last []measured) {
	line := func(what string, k int, limit string, against int, reach string, least float64) row {
		q := median(ratios(rates[k], rates[against]))
		return row{
			what: what, figure: rate(median(rates[k])), limitWhat: limit, limit: rate(median(rates[against])), ratio: times(q), reach: reach, met: q >= least,
			notes: fmt.Sprintf("%d rounds, %s against %s; p50 %s, p99 %s; hall %d µs CPU a case, against %d µs; followers done %s after", len(rates[k]),
				spread(rates[k], rate), spread(rates[against], rate), millis(last[k].P50), millis(last[k].P99), last[k].cpu.Microseconds(), last[against].cpu.Microseconds(), millis(last[k].behind)),
		}
	}
	const what = "durable submissions over REST, SQLite FULL, 64 clients, "
	b.report.add(
		line(what+"the submit path alone", 0, "a transaction a request", 1, "≥ 2.5", 2.5),
		line("the same, against the front door alone", 0, "the front door without a store", 3, "≥ 0.4", .4),
		line(what+"all roles in one process", 2, "the front door without a store", 3, "", 0))
}

// clip shortens a text for a line.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
