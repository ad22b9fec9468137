package clock

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 2, 14, 1, 0, 0, 0, time.UTC)

func fired(t Timer) (time.Time, bool) {
	select {
	case at := <-t.C():
		return at, true
	default:
		return time.Time{}, false
	}
}

func TestVirtualStandsStill(t *testing.T) {
	v := NewVirtual(start)
	if !v.Now().Equal(start) || !v.Now().Equal(start) {
		t.Fatalf("Now = %v, want %v", v.Now(), start)
	}
	v.Advance(90 * time.Minute)
	if got, want := v.Now(), start.Add(90*time.Minute); !got.Equal(want) {
		t.Fatalf("Now = %v, want %v", got, want)
	}
	v.Advance(-time.Hour)
	v.Set(start)
	if got, want := v.Now(), start.Add(90*time.Minute); !got.Equal(want) {
		t.Fatalf("the clock went back to %v", got)
	}
}

func TestVirtualFiresDueTimersAtTheirMoment(t *testing.T) {
	v := NewVirtual(start)
	delays := []time.Duration{3 * time.Hour, time.Hour, 2 * time.Hour, 5 * time.Hour}
	timers := make([]Timer, len(delays))
	for i, d := range delays {
		timers[i] = v.NewTimer(d)
	}
	v.Set(start.Add(3 * time.Hour))
	for i, d := range delays {
		at, ok := fired(timers[i])
		if want := d <= 3*time.Hour; ok != want {
			t.Errorf("timer of %v: fired = %v, want %v", d, ok, want)
		}
		if ok && !at.Equal(start.Add(d)) {
			t.Errorf("timer of %v fired at %v", d, at)
		}
	}
	if v.Pending() != 1 {
		t.Errorf("Pending = %d, want 1", v.Pending())
	}
}

func TestHeapOrderIsDueThenAge(t *testing.T) {
	v := NewVirtual(start)
	for _, d := range []time.Duration{2, 1, 2, 1, 3} {
		v.NewTimer(d * time.Second)
	}
	var got []uint64
	for d := 1; d <= 3; d++ {
		for len(v.pending) > 0 && v.pending[0].due == time.Duration(d)*time.Second {
			got = append(got, v.pending[0].order)
			v.pending[0].Stop()
		}
	}
	if diff := cmp.Diff([]uint64{2, 4, 1, 3, 5}, got); diff != "" {
		t.Error(diff)
	}
}

func TestStop(t *testing.T) {
	v := NewVirtual(start)
	kept, stopped := v.NewTimer(time.Second), v.NewTimer(time.Second)
	if !stopped.Stop() {
		t.Error("the first Stop reported false")
	}
	if stopped.Stop() {
		t.Error("the second Stop reported true")
	}
	v.Advance(time.Second)
	if _, ok := fired(stopped); ok {
		t.Error("a stopped timer fired")
	}
	if _, ok := fired(kept); !ok {
		t.Error("its neighbour did not fire")
	}
	if kept.Stop() {
		t.Error("Stop after firing reported true")
	}
	if _, ok := fired(v.NewTimer(0)); !ok {
		t.Error("a timer of zero did not fire at once")
	}
}

func TestJumpKeepsRemainingDurations(t *testing.T) {
	v := NewVirtual(start)
	timer := v.NewTimer(time.Hour)
	v.Jump(start.Add(-24 * time.Hour))
	if got, want := v.Now(), start.Add(-24*time.Hour); !got.Equal(want) {
		t.Fatalf("Now = %v, want %v", got, want)
	}
	v.Jump(start.Add(24 * time.Hour))
	if _, ok := fired(timer); ok {
		t.Fatal("a corrected clock fired a timer early")
	}
	v.Advance(time.Hour)
	if _, ok := fired(timer); !ok {
		t.Fatal("the timer did not fire after its hour")
	}
}

func TestSleepAndAwait(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	v := NewVirtual(start)
	done := make(chan error, 1)
	go func() { done <- Sleep(ctx, v, time.Minute) }()
	if err := v.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	v.Advance(time.Minute)
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	short, stop := context.WithCancel(ctx)
	go func() { done <- Sleep(short, v, time.Minute) }()
	if err := v.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Sleep = %v, want context.Canceled", err)
	}
	if v.Pending() != 0 {
		t.Error("an abandoned Sleep left its timer behind")
	}
	if err := v.Await(short, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Await = %v, want context.Canceled", err)
	}
	if err := Sleep(short, v, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Sleep on a dead context = %v", err)
	}
}

func TestSystem(t *testing.T) {
	c := System()
	if c.Now().Location() != time.UTC {
		t.Error("Now is not in UTC")
	}
	timer := c.NewTimer(time.Hour)
	if !timer.Stop() {
		t.Error("Stop reported false on a running timer")
	}
	if err := Sleep(t.Context(), c, time.Microsecond); err != nil {
		t.Error(err)
	}
}
