package feed

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onehall/onehall/services/platform/db"
)

// countDeadline is how long a collection waits for the number of parked events.
const countDeadline = 2 * time.Second

var (
	followerPosition   = followerDesc("onehall_feed_follower_position", "Last event of the source that is applied or parked.")
	followerComplete   = followerDesc("onehall_feed_follower_complete_until_seconds", "Moment up to which everything of the source is applied or parked.")
	followerApplied    = followerDesc("onehall_feed_follower_applied_total", "Events applied since the start.")
	followerParked     = followerDesc("onehall_feed_follower_parked_total", "Events set aside since the start.")
	followerReconnects = followerDesc("onehall_feed_follower_reconnects_total", "Streams of the source that ended since the start.")
	parkedNow          = prometheus.NewDesc("onehall_feed_parked", "Events that wait to be released or skipped.", nil, nil)
	serverPosition     = prometheus.NewDesc("onehall_feed_position", "Last position given in the own feed.", nil, nil)
	serverComplete     = prometheus.NewDesc("onehall_feed_complete_until_seconds", "Moment up to which the own feed is complete.", nil, nil)
	serverStreams      = prometheus.NewDesc("onehall_feed_streams", "Followers connected to the own feed.", nil, nil)
)

func followerDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"source"}, nil)
}

// NewCollector tells how a service's feed and its followers fare: what alarms are set
// on. server is nil for a service without a feed.
func NewCollector(d *db.DB, server *Server, followers ...*Follower) prometheus.Collector {
	return collector{d, server, followers}
}

type collector struct {
	db        *db.DB
	server    *Server
	followers []*Follower
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		followerPosition, followerComplete, followerApplied, followerParked, followerReconnects, parkedNow,
		serverPosition, serverComplete, serverStreams,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, f := range c.followers {
		s := f.Status()
		tell := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
			ch <- prometheus.MustNewConstMetric(d, kind, v, f.Source)
		}
		tell(followerPosition, prometheus.GaugeValue, float64(s.Position))
		tell(followerApplied, prometheus.CounterValue, float64(s.Applied))
		tell(followerParked, prometheus.CounterValue, float64(s.Parked))
		tell(followerReconnects, prometheus.CounterValue, float64(s.Reconnects))
		if !s.CompleteUntil.IsZero() {
			tell(followerComplete, prometheus.GaugeValue, seconds(s.CompleteUntil))
		}
	}
	if len(c.followers) > 0 {
		// Counted in the table: those of before the start wait too.
		ctx, cancel := context.WithTimeout(context.Background(), countDeadline)
		defer cancel()
		if n, err := CountParked(ctx, c.db.Read()); err != nil {
			ch <- prometheus.NewInvalidMetric(parkedNow, err)
		} else {
			ch <- prometheus.MustNewConstMetric(parkedNow, prometheus.GaugeValue, float64(n))
		}
	}
	if c.server == nil {
		return
	}
	s := c.server.Status()
	ch <- prometheus.MustNewConstMetric(serverPosition, prometheus.GaugeValue, float64(s.Position))
	ch <- prometheus.MustNewConstMetric(serverStreams, prometheus.GaugeValue, float64(s.Streams))
	if !s.CompleteUntil.IsZero() {
		ch <- prometheus.MustNewConstMetric(serverComplete, prometheus.GaugeValue, seconds(s.CompleteUntil))
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
