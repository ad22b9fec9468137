package boot_test

import (
	"context"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
)

// A process whose clock differs from that of the others it can find does not believe it,
// and its metrics say so; a clock that is moved on purpose is left alone.
func TestClockIsHeldAgainstOtherProcesses(t *testing.T) {
	d := newDeployment(t)
	ahead := clock.NewVirtual(time.Now().Add(time.Hour))
	other, err := boot.NewRuntime(t.Context(), d.config, boot.Params{Clock: ahead, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	if other.Clock != clock.Clock(ahead) {
		t.Errorf("a clock of the caller's became %T", other.Clock)
	}
	rt := d.runtime(t)
	guard, ok := rt.Clock.(*clock.Guard)
	if !ok {
		t.Fatalf("the clock of a process is %T", rt.Clock)
	}
	if err := rt.CompareClock("casework"); err != nil {
		t.Fatal(err)
	}
	guard.Check(t.Context())
	if len(guard.Offsets()) != 0 || guard.Doubt() != nil {
		t.Errorf("nobody answers, yet %v, %v", guard.Offsets(), guard.Doubt())
	}
	c := newComponent()
	close(c.ready)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- boot.Serve(ctx, other, "casework", "127.0.0.1:0", c) }()
	eventually(t, "the other process is asked", func() bool {
		guard.Check(t.Context())
		return len(guard.Offsets()) == 1
	})
	series := map[string]float64{}
	families, err := rt.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		series[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	if by := series["onehall_clock_offset_seconds"]; series["onehall_clock_unconfirmed"] != 1 || guard.Doubt() == nil || math.Abs(by-3600) > 60 {
		t.Errorf("an hour behind the other: %v, ahead by %v s", guard.Doubt(), by)
	}
	ahead.Jump(time.Now())
	guard.Check(t.Context())
	if err := guard.Doubt(); err != nil {
		t.Errorf("in accord again: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
