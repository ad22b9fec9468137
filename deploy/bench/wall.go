package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onehall/onehall/services/platform/db"
)

// measureWall lets many read the wall through the front door while cases come in, and
// compares with the same hall without readers.
func measureWall(ctx context.Context, b *bench) (err error) {
	pg, err := b.emptyPostgres(ctx)
	if err != nil {
		return err
	}
	h, err := b.startHall(ctx, hallSpec{Driver: db.Postgres, DSN: pg.dsn(), Town: true, Dir: b.path("hall")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	spec := loadSpec{Kind: loadFile, Clients: 4, For: b.plan.round}
	alone, err := h.round(ctx, "wall-alone", spec)
	if err != nil {
		return err
	}
	w := &wallReaders{latest: make([]atomic.Int64, b.plan.readers)}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	if err := w.start(reading, h, b.plan.readers); err != nil {
		return err
	}
	watched, err := h.round(ctx, "wall-watched", spec)
	if err != nil {
		return err
	}
	behind := w.slowest(time.Now())
	stop()
	w.group.Wait()
	used := func(m measured) float64 { return m.cpu.Seconds() * float64(m.Done) / m.Took.Seconds() }
	b.report.add(row{what: fmt.Sprintf("the wall with %d readers through the front door", b.plan.readers),
		figure: percent(used(watched) - used(alone)), limitWhat: "the same load without readers", limit: percent(used(alone)),
		notes: fmt.Sprintf("of a core more, at %.0f cases a second (%.0f without); %d messages, %d broke off; the slowest reader's last message %s old; %s", watched.perSecond(), alone.perSecond(),
			w.messages.Load(), w.broken.Load(), millis(behind), mebibytes(float64(watched.rss)))})
	return nil
}

// wallReaders are readers of the wall.
type wallReaders struct {
	group            sync.WaitGroup
	messages, broken atomic.Int64
	latest           []atomic.Int64 // when each got its last message, in nanoseconds
}

// start connects the readers and waits until each has its snapshot.
func (w *wallReaders) start(ctx context.Context, h *hall, n int) error {
	all, err := readCast(h.spec.Cast)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 0}}
	for i := range n {
		w.group.Go(func() {
			if err := w.read(ctx, client, h.Gateway+all.Parent+"/wall:watch", all.Supervisor, &w.latest[i]); err != nil && ctx.Err() == nil {
				w.broken.Add(1)
			}
		})
	}
	return until(ctx, "the readers' snapshots", time.Minute, func() (bool, error) {
		ready := 0
		for i := range w.latest {
			if w.latest[i].Load() > 0 {
				ready++
			}
		}
		return ready == n, fmt.Errorf("%d of %d", ready, n)
	})
}

func (w *wallReaders) read(ctx context.Context, client *http.Client, url, token string, latest *atomic.Int64) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the wall: %s", resp.Status)
	}
	in := bufio.NewScanner(resp.Body)
	in.Buffer(make([]byte, 16<<10), 4<<20)
	for in.Scan() {
		if bytes.HasPrefix(in.Bytes(), []byte(`{"error"`)) {
			return fmt.Errorf("the wall: %.300s", in.Bytes())
		}
		w.messages.Add(1)
		latest.Store(time.Now().UnixNano())
	}
	return in.Err()
}

// slowest is how old the last message of the slowest reader is.
func (w *wallReaders) slowest(now time.Time) (age time.Duration) {
	for i := range w.latest {
		age = max(age, now.Sub(time.Unix(0, w.latest[i].Load())))
	}
	return age
}
