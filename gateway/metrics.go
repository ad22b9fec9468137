package gateway

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what operators see of the gateway. Labels come from the contract, never
// from what somebody typed, so their number is bounded.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refusals *prometheus.CounterVec
	conns    prometheus.Counter
}

func newMetrics(reg *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onehall_gateway_requests_total", Help: "Requests by method, path pattern and status.",
		}, []string{"method", "pattern", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onehall_gateway_request_seconds", Help: "Time from the header to the end of the answer, without streams.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"pattern"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onehall_gateway_refusals_total", Help: "Refusals by reason.",
		}, []string{"reason"}),
		conns: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "onehall_gateway_connections_refused_total", Help: "Connections closed because there were too many.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.refusals, m.conns} {
		err := reg.Register(c)
		var twice prometheus.AlreadyRegisteredError
		if err != nil && !errors.As(err, &twice) {
			return nil, fmt.Errorf("gateway: metrics: %w", err)
		}
	}
	return m, nil
}

// method is a known method or "other".
func methodLabel(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PATCH", "OPTIONS":
		return method
	}
	return "other"
}

func (m *metrics) observe(method string, in *info, code int, stream bool, took time.Duration) {
	m.requests.WithLabelValues(methodLabel(method), in.pattern, strconv.Itoa(code)).Inc()
	if !stream {
		m.seconds.WithLabelValues(in.pattern).Observe(took.Seconds())
	}
	if in.reason != "" {
		m.refusals.WithLabelValues(in.reason).Inc()
	}
}
