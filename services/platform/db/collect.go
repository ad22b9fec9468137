package db

import "github.com/prometheus/client_golang/prometheus"

var (
	descWrites    = desc("onehall_db_writes_total", "Writes that ended, well or not.")
	descRefused   = desc("onehall_db_refused_total", "Writes that were not even queued.")
	descCommits   = desc("onehall_db_commits_total", "Transactions committed; writes over commits is what sharing them gains.")
	descRollbacks = desc("onehall_db_rollbacks_total", "Transactions undone.")
	descRetries   = desc("onehall_db_retries_total", "Transactions tried again because another stood in the way.")
	descUnknown   = desc("onehall_db_unknown_total", "Commits of which nobody knows whether they took effect.")
	descLargest   = desc("onehall_db_largest_batch", "Most writes that shared one commit since the start.")
	descQueue     = desc("onehall_db_queue", "Writes that wait for their turn now.")
	descFailed    = desc("onehall_db_failed", "1 once the disk has failed a flush and every write is refused.")
)

func desc(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// Collector tells what the writers did.
func (d *DB) Collector() prometheus.Collector { return collector{d} }

type collector struct{ d *DB }

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descWrites, descRefused, descCommits, descRollbacks, descRetries, descUnknown, descLargest, descQueue, descFailed,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.d.Stats()
	var failed int64
	if c.d.Err() != nil {
		failed = 1
	}
	for d, v := range map[*prometheus.Desc]int64{
		descWrites: s.Writes, descRefused: s.Refused, descCommits: s.Commits, descRollbacks: s.Rollbacks, descRetries: s.Retries, descUnknown: s.Unknown,
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	for d, v := range map[*prometheus.Desc]int64{descLargest: s.LargestBatch, descQueue: s.Waiting, descFailed: failed} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
}
