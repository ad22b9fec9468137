package boot_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel"
	metricpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
)

// collector counts what a collector would get.
type collector struct {
	tracepb.UnimplementedTraceServiceServer
	spans, metrics atomic.Int64
}

// Export implements the trace service.
func (c *collector) Export(_ context.Context, req *tracepb.ExportTraceServiceRequest) (*tracepb.ExportTraceServiceResponse, error) {
	for _, r := range req.GetResourceSpans() {
		for _, s := range r.GetScopeSpans() {
			c.spans.Add(int64(len(s.GetSpans())))
		}
	}
	return &tracepb.ExportTraceServiceResponse{}, nil
}

// figures is the collector's other half; both services call their method Export.
type figures struct {
	metricpb.UnimplementedMetricsServiceServer
	c *collector
}

// Export implements the metrics service.
func (f figures) Export(_ context.Context, req *metricpb.ExportMetricsServiceRequest) (*metricpb.ExportMetricsServiceResponse, error) {
	for _, r := range req.GetResourceMetrics() {
		for _, s := range r.GetScopeMetrics() {
			f.c.metrics.Add(int64(len(s.GetMetrics())))
		}
	}
	return &metricpb.ExportMetricsServiceResponse{}, nil
}

// With the standard variable set, spans and the Prometheus metrics arrive at
// the collector, at the latest when the process ends.
func TestTelemetry(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, srv := &collector{}, grpc.NewServer()
	tracepb.RegisterTraceServiceServer(srv, c)
	metricpb.RegisterMetricsServiceServer(srv, figures{c: c})
	go func() {
		if err := srv.Serve(lis); err != nil {
			t.Errorf("collector: %v", err)
		}
	}()
	t.Cleanup(srv.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+lis.Addr().String())
	before := otel.GetTracerProvider()
	t.Cleanup(func() { otel.SetTracerProvider(before) })

	cfg := boot.DefaultConfig()
	cfg.Auth.Issuer, cfg.Auth.IdentitySecret = "http://127.0.0.1:1", "0123456789abcdef"
	rt, err := boot.NewRuntime(t.Context(), cfg, boot.Params{
		Clock: clock.System(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "v-test",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("test").Start(t.Context(), "work")
	span.End()
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	if c.spans.Load() == 0 || c.metrics.Load() == 0 {
		t.Errorf("%d spans and %d metrics arrived", c.spans.Load(), c.metrics.Load())
	}
}
