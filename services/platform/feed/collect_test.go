package feed_test

import (
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
)

// gathered are the values of all metrics that have one series.
func gathered(t *testing.T, all ...prometheus.Collector) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(all...)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		out[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return out
}

// What an alarm is set on is there: how far the feed and its followers are, what waits
// of before the start too, and whether the disk has failed.
func TestMetrics(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	server, client := serve(t, d)
	add(t, d, draft("halls/441300/things/a", 1))
	target := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	source := &played{events: story(60, 5)}
	source.events[33].Resource = []byte("damaged")
	stop := background(t, follower(target, source).Run)
	followed(t, target, 60)
	stop()
	after := follower(target, source)
	background(t, after.Run)
	until(t, "the own feed's head", func() bool { return server.Status().Position == 1 })
	until(t, "word from the source", func() bool { return !after.Status().CompleteUntil.IsZero() })
	if _, err := client.FollowEvents(t.Context(), &feedv1.FollowEventsRequest{}); err != nil {
		t.Fatal(err)
	}
	until(t, "a stream", func() bool { return server.Status().Streams == 1 })

	got := gathered(t, d.Collector(), feed.NewCollector(target, server, after))
	for name, want := range map[string]float64{
		"onehall_feed_position": 1, "onehall_feed_streams": 1, "onehall_feed_parked": 6, "onehall_feed_follower_position": 60,
		"onehall_feed_follower_applied_total": 0, "onehall_feed_follower_parked_total": 0, "onehall_db_failed": 0, "onehall_db_queue": 0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
	for _, name := range []string{
		"onehall_feed_complete_until_seconds", "onehall_feed_follower_complete_until_seconds", "onehall_db_writes_total",
		"onehall_db_commits_total", "onehall_db_largest_batch",
	} {
		if got[name] <= 0 {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	d.Fail(errors.New("the disk has failed"))
	if got := gathered(t, d.Collector()); got["onehall_db_failed"] != 1 {
		t.Error("a failed disk is not told")
	}
}
