package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/onehall/onehall/services/platform/db"
)

// lifeClients is how many cases are in hand at once.
const lifeClients = 32

// measureLife takes whole lifecycles, seven calls and seven commits each, on an empty
// hall and on one with very many cases stored.
func measureLife(ctx context.Context, b *bench) (err error) {
	pg, err := b.emptyPostgres(ctx)
	if err != nil {
		return err
	}
	spec := hallSpec{Driver: db.Postgres, DSN: pg.dsn(), Town: true, Dir: b.path("hall")}
	h, err := b.startHall(ctx, spec)
	if err != nil {
		return err
	}
	empty, last, err := b.lives(ctx, h, "empty")
	if err != nil {
		return errors.Join(err, h.remove())
	}
	b.report.add(lifeRow("whole lifecycles, 7 calls each, PostgreSQL, empty", empty, last))
	// A case of each kind to multiply.
	var patterns []pattern
	for _, kind := range []struct {
		acts, share int
	}{{6, 19}, {1, 1}} {
		name, err := h.liveOne(kind.acts)
		if err != nil {
			return errors.Join(err, h.remove())
		}
		patterns = append(patterns, pattern{name: name, share: kind.share})
	}
	if _, err = h.settle(ctx); err != nil {
		return errors.Join(err, h.remove())
	}
	// The rows are put in while nobody is there.
	if err := h.stop(); err != nil {
		return err
	}
	took, size, err := multiply(ctx, pg, patterns, b.plan.stored)
	if err != nil {
		return fmt.Errorf("store %d cases: %w", b.plan.stored, err)
	}
	fmt.Fprintf(b.out, "  %d cases with their events and all that followers keep of them stored in %.0f s, %s\n", b.plan.stored, took.Seconds(), size)
	spec.Town = false
	if h, err = b.startHall(ctx, spec); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	full, last, err := b.lives(ctx, h, "full")
	if err != nil {
		return err
	}
	kept := median(full) / median(empty)
	r := lifeRow(fmt.Sprintf("the same with %d cases stored (%s)", b.plan.stored, size), full, last)
	r.limitWhat, r.limit, r.ratio, r.reach, r.met = "the same hall empty", rate(median(empty)), times(kept), "drop < 15 %", kept > .85
	b.report.add(r)
	return nil
}

func lifeRow(what string, all []float64, last measured) row {
	return row{
		what: what, figure: rate(median(all)), reach: "≥ 150/s", met: median(all) >= 150,
		notes: fmt.Sprintf("%d rounds, %s, %d cases in hand; a call p50 %s, p99 %s; the followers were done %s after; with that time %s; hall %d µs CPU a lifecycle, its PostgreSQL %d",
			len(all), spread(all, rate), lifeClients, millis(last.P50), millis(last.P99), millis(last.behind), rate(last.sustained()), last.cpu.Microseconds(), last.store.Microseconds()),
	}
}

// lives makes the rounds of lifecycles. Each hall begins right behind a checkpoint and
// warms up for as long.
func (b *bench) lives(ctx context.Context, h *hall, name string) (all []float64, last measured, err error) {
	if err := h.pg.exec(ctx, "CHECKPOINT"); err != nil {
		return nil, last, err
	}
	if _, err := h.load(loadSpec{Kind: loadLife, Clients: lifeClients, For: b.plan.round / 3}); err != nil {
		return nil, last, err
	}
	if _, err := h.settle(ctx); err != nil {
		return nil, last, err
	}
	for i := range b.plan.rounds {
		if last, err = h.round(ctx, fmt.Sprintf("life-%s-%d", name, i), loadSpec{Kind: loadLife, Clients: lifeClients, For: b.plan.round, First: i * 1000}); err != nil {
			return nil, last, err
		}
		all = append(all, last.perSecond())
	}
	return all, last, nil
}

// liveOne takes one case some acts far.
func (h *hall) liveOne(acts int) (string, error) {
	all, err := readCast(h.spec.Cast)
	if err != nil {
		return "", err
	}
	w, err := dialWire(h.Gateway)
	if err != nil {
		return "", err
	}
	c := &client{wire: w, cast: all}
	err = c.live(&all.Applicants[1], acts)
	return c.name, errors.Join(err, w.close())
}
