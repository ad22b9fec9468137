package boot

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/rpc"
)

// watchClock compares a guarded clock with the others' until the runtime is closed, and
// measures it.
func (rt *Runtime) watchClock() {
	g, ok := rt.Clock.(*clock.Guard)
	if !ok {
		return
	}
	rt.Metrics.MustRegister(clockCollector{g})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	rt.closers = append(rt.closers, func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}

// CompareClock has a guarded clock held against those of the processes that serve some
// roles.
func (rt *Runtime) CompareClock(roles ...string) error {
	g, ok := rt.Clock.(*clock.Guard)
	if !ok {
		return nil
	}
	for _, role := range roles {
		conn, err := rt.Dialer.Dial(role)
		if err != nil {
			return fmt.Errorf("clock of %s: %w", role, err)
		}
		forget := g.Ask(role, func(ctx context.Context) (clock.Answer, error) { return rpc.AskTime(ctx, conn) })
		rt.closers = append(rt.closers, func(context.Context) error {
			forget()
			return conn.Close()
		})
	}
	return nil
}

var (
	descDoubt  = prometheus.NewDesc("onehall_clock_unconfirmed", "1 while the clock is not believed and every write is refused.", nil, nil)
	descJumps  = prometheus.NewDesc("onehall_clock_jumps_total", "How often the clock was put by more than five seconds.", nil, nil)
	descOffset = prometheus.NewDesc("onehall_clock_offset_seconds", "By how much another clock is ahead of this process's.", []string{"other"}, nil)
)

// clockCollector measures a guarded clock.
type clockCollector struct{ g *clock.Guard }

// Describe implements prometheus.Collector.
func (c clockCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- descDoubt
	ch <- descJumps
	ch <- descOffset
}

// Collect implements prometheus.Collector.
func (c clockCollector) Collect(ch chan<- prometheus.Metric) {
	doubt := 0.0
	if c.g.Doubt() != nil {
		doubt = 1
	}
	ch <- prometheus.MustNewConstMetric(descDoubt, prometheus.GaugeValue, doubt)
	ch <- prometheus.MustNewConstMetric(descJumps, prometheus.CounterValue, float64(c.g.Jumps()))
	for name, offset := range c.g.Offsets() {
		ch <- prometheus.MustNewConstMetric(descOffset, prometheus.GaugeValue, offset.Seconds(), name)
	}
}
