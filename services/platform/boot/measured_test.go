package boot_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onehall/onehall/services/platform/boot"
)

// measured is a component with a metric of its own.
type measured struct {
	*component
	gauge prometheus.Gauge
}

// Metrics implements boot.Measured.
func (m measured) Metrics() []prometheus.Collector { return []prometheus.Collector{m.gauge} }

// A component's metrics carry its role, and are gone with it, so that a role can be
// served again in the same process.
func TestMetricsOfAComponent(t *testing.T) {
	d := newDeployment(t)
	rt := d.runtime(t)
	series := func() (n int) {
		families, err := rt.Metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "onehall_test_things" && f.GetMetric()[0].GetLabel()[0].GetValue() == "casework" {
				n++
			}
		}
		return n
	}
	for range 2 {
		c := newComponent()
		close(c.ready)
		one := measured{c, prometheus.NewGauge(prometheus.GaugeOpts{Name: "onehall_test_things", Help: "Things."})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- boot.Serve(ctx, rt, "casework", "127.0.0.1:0", one) }()
		eventually(t, "the metric is there", func() bool { return series() == 1 })
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if series() != 0 {
			t.Error("the metric stayed")
		}
	}
}
