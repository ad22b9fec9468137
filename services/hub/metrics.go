package hub

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// collector tells how each feed fares: what an alarm is set on.
type collector struct {
	s                         *Service
	position, applied, parked *prometheus.Desc
	reconnects, age           *prometheus.Desc
}

func newCollector(s *Service) *collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("onehall_hub_"+name, help, []string{"source", "feed"}, nil)
	}
	return &collector{
		s:          s,
		position:   desc("position", "Last event of the feed that is counted or parked."),
		applied:    desc("events_applied_total", "Events counted since the start."),
		parked:     desc("events_parked_total", "Events set aside with a fault since the start."),
		reconnects: desc("reconnects_total", "Streams of the feed that ended since the start."),
		age:        desc("age_seconds", "How old the feed's last complete news is."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.position, c.applied, c.parked, c.reconnects, c.age} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	now := c.s.rt.Clock.Now()
	for _, src := range c.s.sources {
		for _, f := range src.followers {
			st := f.Status()
			tell := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
				ch <- prometheus.MustNewConstMetric(d, kind, v, f.feed.Source, f.feed.Name)
			}
			tell(c.position, prometheus.GaugeValue, float64(st.Position))
			tell(c.applied, prometheus.CounterValue, float64(st.Applied))
			tell(c.parked, prometheus.CounterValue, float64(st.Parked))
			tell(c.reconnects, prometheus.CounterValue, float64(st.Reconnects))
			if until := c.s.fresh.of(f.feed); !until.IsZero() {
				tell(c.age, prometheus.GaugeValue, now.Sub(until).Seconds())
			}
		}
	}
}

func (s *Service) registerMetrics() error {
	s.metrics = newCollector(s)
	if err := s.rt.Metrics.Register(s.metrics); err != nil {
		return fmt.Errorf("hub: metrics: %w", err)
	}
	return nil
}

// unregisterMetrics lets a service be made again in the same process.
func (s *Service) unregisterMetrics() {
	if s.metrics != nil {
		s.rt.Metrics.Unregister(s.metrics)
	}
}
