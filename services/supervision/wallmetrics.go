package supervision

import "github.com/prometheus/client_golang/prometheus"

var (
	wallWatchers = prometheus.NewDesc("onehall_supervision_wall_watchers", "Readers connected to the wall.", nil, nil)
	wallCut      = prometheus.NewDesc("onehall_supervision_wall_cut_total", "Readers of the wall cut off because they did not read.", nil, nil)
)

// Describe implements prometheus.Collector.
func (w *wall) Describe(ch chan<- *prometheus.Desc) { ch <- wallWatchers; ch <- wallCut }

// Collect implements prometheus.Collector.
func (w *wall) Collect(ch chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(wallWatchers, prometheus.GaugeValue, float64(w.watchers))
	ch <- prometheus.MustNewConstMetric(wallCut, prometheus.CounterValue, float64(w.cut))
}
