// Package clock is the one source of legal time. Rules and stores never ask the
// operating system what day it is: they are handed a Clock, so that a test, a
// demonstration or a replay can run a month of deadlines in a second.
//
// Two kinds of time must not be mixed. Legal time (when an application came in,
// whether a limit has passed) comes from a Clock. Time-outs of the network and of
// input and output are real time and use context deadlines, because a peer that
// hangs does not care what the virtual calendar says.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and wakes callers up. It is safe for concurrent use.
type Clock interface {
	// Now is the present moment in UTC.
	Now() time.Time
	// NewTimer makes a timer that fires once, d after now. A d of zero or less
	// fires at once.
	NewTimer(d time.Duration) Timer
}

// Timer fires once.
type Timer interface {
	// C receives the moment of firing, at most once.
	C() <-chan time.Time
	// Stop prevents firing. It reports false when the timer has fired or was
	// stopped before.
	Stop() bool
}

// System is the clock of the machine.
func System() Source { return system{} }

type system struct{}

// started is what the time elapsed is counted from.
var started = time.Now()

func (system) Now() time.Time { return time.Now().UTC() }

// Reading takes both from one look: Go reads the two clocks of the machine together.
func (system) Reading() (now time.Time, elapsed time.Duration) {
	t := time.Now()
	return t.UTC().Round(0), t.Sub(started)
}

func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

type systemTimer struct{ t *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.t.C }
func (t systemTimer) Stop() bool          { return t.t.Stop() }

// Sleep waits for d by the given clock. It returns nil when d has passed and the
// context's error when that ended first.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
