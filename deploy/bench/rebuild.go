package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/deploy/stand"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
)

// watchRoles are what a supervision needs to be measured alone.
var watchRoles = []string{"catalogue", "casework", "supervision", stand.Gateway}

// watchHall prepares an empty hall of supervision and what it follows, with the events of
// n cases in casework's feed, and does not start it.
func (b *bench) watchHall(ctx context.Context, events func(yield func(bulkEvent) bool)) (hallSpec, error) {
	pg, err := b.emptyPostgres(ctx)
	if err != nil {
		return hallSpec{}, err
	}
	spec := hallSpec{Driver: db.Postgres, DSN: pg.dsn(), Dir: b.path("hall"), Roles: watchRoles}
	if err := stand.Migrate(ctx, hallConfig(spec), func(string) {}); err != nil {
		return spec, err
	}
	began := time.Now()
	n, err := copyEvents(ctx, pg, events)
	if err != nil {
		return spec, err
	}
	took := time.Since(began)
	fmt.Fprintf(b.out, "  %d events stored in %.0f s, %.0f a second\n", n, took.Seconds(), float64(n)/took.Seconds())
	return spec, nil
}

// startWatch starts a hall without waiting for an application to be taken.
func (b *bench) startWatch(spec hallSpec) (*hall, error) {
	spec.Cast, spec.Applicants = spec.Dir+".cast", 1
	c, err := startChild("hall", spec)
	if err != nil {
		return nil, err
	}
	h := &hall{child: c, spec: spec, minted: time.Now(), pg: b.pg}
	return h, c.receive(&h.hallReady)
}

// caughtUp waits until supervision has applied everything, and tells how long that took.
func (h *hall) caughtUp(ctx context.Context, most time.Duration) (time.Duration, error) {
	began := time.Now()
	err := until(ctx, "supervision", most, func() (bool, error) {
		var a hallAnswer
		err := h.ask(hallQuestion{Do: "progress"}, &a)
		return err == nil && a.Progress.done() && a.Progress.Cases > 0, errors.Join(err, fmt.Errorf("%+v", a.Progress))
	})
	return time.Since(began), err
}

// number is one number out of the database.
func (p *postgres) number(ctx context.Context, query string, args ...any) (n float64, err error) {
	conn, err := pgx.Connect(ctx, p.dsn())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	err = conn.QueryRow(ctx, query, args...).Scan(&n)
	return n, err
}

// measureRebuild lets a supervision that knows nothing come to the cards and due dates of
// all stored cases.
func measureRebuild(ctx context.Context, b *bench) error {
	h, err := b.rebuilt(ctx, true)
	if err != nil {
		return err
	}
	return h.remove()
}

// rebuilt is a hall whose supervision has taken in the stored cases.
func (b *bench) rebuilt(ctx context.Context, report bool) (*hall, error) {
	n := b.plan.stored
	spec, err := b.watchHall(ctx, aYear(n, time.Now()))
	if err != nil {
		return nil, err
	}
	h, err := b.startWatch(spec)
	if err != nil {
		return nil, err
	}
	if err := h.ask(hallQuestion{Do: "begin", Name: "rebuild"}, &hallAnswer{}); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	took, err := h.caughtUp(ctx, time.Hour)
	if err != nil {
		return nil, errors.Join(err, h.remove())
	}
	var end hallAnswer
	if err := h.ask(hallQuestion{Do: "end"}, &end); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	events, err1 := b.pg.number(ctx, "SELECT count(*) FROM casework.events")
	cards, err2 := b.pg.number(ctx, "SELECT count(*) FROM supervision.cards")
	clocks, err3 := b.pg.number(ctx, "SELECT count(*) FROM supervision.clocks")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	if int(clocks) != n || cards == 0 {
		return nil, errors.Join(fmt.Errorf("%.0f clocks and %.0f cards of %d cases", clocks, cards, n), h.remove())
	}
	if report {
		reach := 10 * time.Minute * time.Duration(max(1, n/1_000_000))
		b.report.add(row{what: fmt.Sprintf("rebuild of cards and due dates of %d cases from %.0f events", n, events), figure: seconds(took.Seconds()),
			reach: "≤ 10 min a million", met: took <= reach,
			notes: fmt.Sprintf("%s, %.0f cards, %.0f µs CPU an event, %s", rate(events/took.Seconds()), cards, end.CPU.Seconds()*1e6/events, mebibytes(float64(end.RSS)))})
	}
	return h, nil
}

// measureDryRun judges all stored cases by another preset, page by page as a person would.
func measureDryRun(ctx context.Context, b *bench) (err error) {
	h, err := b.rebuilt(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	all, err := readCast(h.spec.Cast)
	if err != nil {
		return err
	}
	c := &restclient.Client{Base: h.Gateway, Token: func(context.Context) (string, error) { return all.Supervisor, nil }}
	req := &supervisionv1.DryRunRulesRequest{Preset: "gd_dongguan2006", PageSize: 5000,
		StartDate: time.Now().AddDate(-2, 0, 0).Format(time.DateOnly), EndDate: time.Now().Format(time.DateOnly)}
	store, err := b.pg.cpuTime()
	if err != nil {
		return err
	}
	if err := h.ask(hallQuestion{Do: "begin", Name: "dryrun"}, &hallAnswer{}); err != nil {
		return err
	}
	began, cases, would := time.Now(), int64(0), int64(0)
	for pages := 0; ; pages++ {
		res := &supervisionv1.DryRunRulesResponse{}
		if err := c.Post(ctx, "/v1/halls/"+city+"/rules:dryRun", req, res); err != nil {
			return err
		}
		cases += res.GetCases()
		for _, n := range res.GetCounts() {
			would += n.GetWould()
		}
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			break
		}
		if pages%10 == 9 {
			if err := h.ask(hallQuestion{Do: "cast"}, &hallAnswer{}); err != nil { // tokens last ten minutes
				return err
			}
			if all, err = readCast(h.spec.Cast); err != nil {
				return err
			}
		}
	}
	took := time.Since(began)
	var end hallAnswer
	if err := h.ask(hallQuestion{Do: "end"}, &end); err != nil {
		return err
	}
	storeAfter, err := b.pg.cpuTime()
	if err != nil {
		return err
	}
	if int(cases) != b.plan.stored {
		return fmt.Errorf("%d cases judged, not %d", cases, b.plan.stored)
	}
	perMillion := took.Seconds() * 1e6 / float64(cases)
	b.report.add(row{what: fmt.Sprintf("dry run of another preset over %d past cases", cases), figure: seconds(took.Seconds()), reach: "≤ 120 s a million", met: perMillion <= 120,
		notes: fmt.Sprintf("%s, pages of 5,000 over REST; a case takes the hall %.0f µs CPU and PostgreSQL %.0f; %d cards it would raise", rate(float64(cases)/took.Seconds()),
			end.CPU.Seconds()*1e6/float64(cases), (storeAfter-store).Seconds()*1e6/float64(cases), would)})
	return nil
}
