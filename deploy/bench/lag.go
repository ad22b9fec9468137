package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"

	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/services/platform/workday"
)

// lagResult is how long news take, from the commit's acknowledgement on.
type lagResult struct {
	// Card is until the case's last card is in the supervisor's stream, First until the
	// first; Figure until the hub's rates count the case.
	First, Card, Figure lagTimes
	// Late are cases filed more than 10 ms after their time: the load could not keep up.
	Late int
}

// lagTimes are quantiles.
type lagTimes struct{ P50, P99, Max time.Duration }

func timesOf(all []time.Duration) lagTimes {
	slices.Sort(all)
	if len(all) == 0 {
		return lagTimes{}
	}
	return lagTimes{quantile(all, .5), quantile(all, .99), all[len(all)-1]}
}

// cardsOfCase is how many cards each case of the open loop gets: it is entered at a
// window long after it came in, so its late entry shows in the deed itself (P4), and
// the overdue acceptance (T4) once time is known to have passed without a deed.
const cardsOfCase = 2

// lagWatch notes when each thing was first seen.
type lagWatch struct {
	mu      sync.Mutex
	acked   map[string]time.Time
	cards   map[string][]time.Time
	figures []seenFigure
}

// seenFigure is the hub's count of submissions at a moment.
type seenFigure struct {
	at    time.Time
	count int64
}

// lag files cases at a steady rate and watches for their cards and figures.
func lag(ctx context.Context, spec loadSpec, all *cast) (loadResult, error) {
	w := &lagWatch{acked: map[string]time.Time{}, cards: map[string][]time.Time{}}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	base := &restclient.Client{Base: spec.Base}
	before, err := submittedCount(ctx, base)
	if err != nil {
		return loadResult{}, err
	}
	var group sync.WaitGroup
	problems := make(chan error, 2)
	begun := make(chan struct{})
	group.Go(func() { problems <- w.watchCards(watching, spec.Base, all.Supervisor, begun) })
	group.Go(func() { problems <- w.watchFigures(watching, base) })
	select {
	case <-begun:
	case err := <-problems:
		return loadResult{}, errors.Join(errors.New("the watch ended before it began"), err)
	}
	r, err := w.openLoop(spec, all)
	if err != nil {
		return r, err
	}
	if err := until(ctx, "cards and figures", 30*time.Second, func() (bool, error) { return w.complete(before), nil }); err != nil {
		return r, fmt.Errorf("%w (%s)", err, w.state(before))
	}
	stop()
	group.Wait()
	close(problems)
	for err := range problems {
		if err != nil {
			return r, err
		}
	}
	w.evaluate(&r, before)
	return r, nil
}

// openLoop files each case at its time, however long the ones before it take.
func (w *lagWatch) openLoop(spec loadSpec, all *cast) (loadResult, error) {
	clients := make(chan *client, spec.Clients)
	for range spec.Clients {
		wi, err := dialWire(spec.Base)
		if err != nil {
			return loadResult{}, err
		}
		clients <- &client{wire: wi, cast: all}
	}
	r := loadResult{Lag: &lagResult{}}
	// Ten working days and a weekend back, at ten in the morning.
	day, _ := workday.China().Add(city, workday.DateOf(time.Now().AddDate(0, 0, -21)), 1)
	happened := workday.StartOfDay(day).Add(10 * time.Hour).UTC().Format(time.RFC3339)
	var group sync.WaitGroup
	began := time.Now()
	for i := range int(spec.For.Seconds() * float64(spec.Rate)) {
		at := began.Add(time.Duration(i) * time.Second / time.Duration(spec.Rate))
		time.Sleep(time.Until(at))
		c := <-clients
		if time.Since(at) > 10*time.Millisecond {
			r.Lag.Late++
		}
		group.Go(func() {
			if c.failure == nil {
				c.failure = w.fileLate(c, &all.Applicants[i%len(all.Applicants)], happened)
			}
			clients <- c
		})
	}
	group.Wait()
	r.Took = time.Since(began)
	var took []time.Duration
	for range spec.Clients {
		c := <-clients
		took = append(took, c.took...)
		if c.failure != nil {
			r.Failed++
			r.Failure = c.failure.Error()
		}
		if err := c.wire.close(); err != nil {
			return r, err
		}
	}
	slices.Sort(took)
	r.P50, r.P99, r.Done = quantile(took, .5), quantile(took, .99), int64(len(took))
	return r, nil
}

// fileLate enters at the window what came in long ago.
func (w *lagWatch) fileLate(c *client, who *actor, happened string) error {
	body, ok := strings.CutSuffix(strings.TrimSpace(string(who.Body)), "}")
	if !ok {
		return errors.New("the application is no object")
	}
	body = strings.Replace(body, placeholder, newID(), 1)
	body = strings.Replace(body, `"CHANNEL_WEB"`, `"CHANNEL_WINDOW"`, 1) + `,"consent":true,"happenedAt":"` + happened + `"}`
	answer, err := c.call(c.cast.Parent+"/cases:file", c.cast.Window, []byte(body))
	if err != nil {
		return err
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked[field(answer, "name")] = now
	return nil
}

// watchCards reads the supervisor's stream of cards.
func (w *lagWatch) watchCards(ctx context.Context, base, token string, begun chan<- struct{}) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/halls/"+city+"/cards:watch", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("watch: %s", resp.Status)
	}
	in := bufio.NewScanner(resp.Body)
	in.Buffer(make([]byte, 64<<10), 1<<20)
	open := false
	for in.Scan() {
		now := time.Now()
		var line struct {
			Result struct{ Card struct{ Subject string } }
		}
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return fmt.Errorf("watch: %q: %w", in.Text(), err)
		}
		subject := line.Result.Card.Subject
		if subject == "" && !open {
			open = true // what stood is told, from here on come changes
			close(begun)
		}
		if subject != "" {
			w.mu.Lock()
			w.cards[subject] = append(w.cards[subject], now)
			w.mu.Unlock()
		}
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // being told to stop is how the watch ends well
	}
	return errors.Join(errors.New("the stream of cards ended"), in.Err())
}

// figureEvery is how often the hub's figures are asked for; it is part of their lag.
const figureEvery = 20 * time.Millisecond

func (w *lagWatch) watchFigures(ctx context.Context, c *restclient.Client) error {
	tick := time.NewTicker(figureEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		n, err := submittedCount(ctx, c)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is how the watch ends well
		}
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.figures = append(w.figures, seenFigure{time.Now(), n})
		w.mu.Unlock()
	}
}

// submittedCount is the denominator of the rate of online applications: all submitted.
func submittedCount(ctx context.Context, c *restclient.Client) (int64, error) {
	today := workday.DateOf(time.Now())
	rates := &hubv1.GetRatesResponse{}
	path := fmt.Sprintf("/v1/rates?hall=halls/%s&startDate=%s&endDate=%s", city, today-60, today)
	if err := c.Get(ctx, path, rates); err != nil {
		return 0, err
	}
	for _, r := range rates.GetRates() {
		if r.GetMetric() == "online_apply_rate" {
			return r.GetDenominator(), nil
		}
	}
	return 0, errors.New("the hub has no rate of online applications")
}

func (w *lagWatch) complete(before int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.figures); n == 0 || w.figures[n-1].count < before+int64(len(w.acked)) {
		return false
	}
	for name := range w.acked {
		if len(w.cards[name]) < cardsOfCase {
			return false
		}
	}
	return true
}

// state tells what is missing, for the error.
func (w *lagWatch) state(before int64) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	cards, figure := 0, int64(0)
	for name := range w.acked {
		cards += len(w.cards[name])
	}
	if n := len(w.figures); n > 0 {
		figure = w.figures[n-1].count - before
	}
	return strconv.Itoa(len(w.acked)) + " cases, " + strconv.Itoa(cards) + " cards, " + strconv.FormatInt(figure, 10) + " counted"
}

// evaluate works out the lags. The figure counts cases without naming them: the n-th
// acknowledged counts as seen when n are counted.
func (w *lagWatch) evaluate(r *loadResult, before int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var first, last, figure []time.Duration
	var acks []time.Time
	for name, at := range w.acked {
		acks = append(acks, at)
		seen := w.cards[name]
		first, last = append(first, seen[0].Sub(at)), append(last, seen[cardsOfCase-1].Sub(at))
	}
	slices.SortFunc(acks, time.Time.Compare)
	k := 0
	for i, at := range acks {
		for k < len(w.figures) && w.figures[k].count < before+int64(i+1) {
			k++
		}
		if k < len(w.figures) {
			figure = append(figure, max(0, w.figures[k].at.Sub(at)))
		}
	}
	r.Lag.First, r.Lag.Card, r.Lag.Figure = timesOf(first), timesOf(last), timesOf(figure)
}

// feedLagRate is the load under which news are timed.
const feedLagRate = 200

// newsLimit is what news may take.
const newsLimit = 500 * time.Millisecond

// measureLag times news under a steady load.
func measureLag(ctx context.Context, b *bench) (err error) {
	for _, driver := range []string{"postgres", "sqlite"} {
		if err := b.lagOn(ctx, driver); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) lagOn(ctx context.Context, driver string) (err error) {
	spec := hallSpec{Driver: driver, Town: true}
	if spec.postgres() {
		pg, err := b.emptyPostgres(ctx)
		if err != nil {
			return err
		}
		spec.DSN = pg.dsn()
	}
	h, err := b.startHall(ctx, spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	if err := h.warm(ctx, ""); err != nil {
		return err
	}
	m, err := h.round(ctx, "lag-"+driver, loadSpec{Kind: loadLag, Clients: 64, For: b.plan.lag, Rate: feedLagRate})
	if err != nil {
		return err
	}
	l := m.Lag
	note := fmt.Sprintf("%d cases in %.0f s, %d filed late by the load; answers p50 %s, p99 %s", m.Done, m.Took.Seconds(), l.Late, millis(m.P50), millis(m.P99))
	line := func(what string, t lagTimes) row {
		return row{
			what: fmt.Sprintf("commit to %s, %s, %d cases/s", what, driver, feedLagRate), figure: "p99 " + millis(t.P99), reach: "p99 < 500 ms", met: t.P99 < newsLimit,
			notes: fmt.Sprintf("p50 %s, max %s; %s", millis(t.P50), millis(t.Max), note),
		}
	}
	b.report.add(line("card of conduct", l.First), line("card of time passed", l.Card), line("figure of the hub", l.Figure))
	return nil
}
