package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/onehall/onehall/deploy/e2e/house"
)

// TestCrash kills the processes of a split hall one after the other, while people file
// and officials handle, and then holds what the hall knows against what it has answered:
// nothing acknowledged is lost, nothing is there twice, every history is whole, and the
// followers know what their sources do.
func TestCrash(t *testing.T) {
	for _, driver := range house.Drivers(t) {
		t.Run(driver, func(t *testing.T) {
			c := crash{scene: newScene(t, house.Options{Shape: house.Split, Driver: driver}), journal: newJournal()}
			ctx, stop := context.WithCancel(context.Background())
			var workers sync.WaitGroup
			for n := range crashWorkers {
				workers.Go(func() { c.work(ctx, n) })
			}
			c.passes(30) // the load is on
			for _, role := range []string{"casework", "supervision", "hub", "gateway", "etcd", "casework", "gateway"} {
				c.kill(role)
			}
			stop()
			workers.Wait()
			c.check()
			t.Logf("kills %d; %s; slowest recovery %v", c.kills, c.journal, c.slowest.Round(time.Millisecond))
		})
	}
}

const crashWorkers = 8

// crash is a run of the crash test.
type crash struct {
	*scene
	journal *journal
	kills   int
	// slowest is the longest from a restart to the next acknowledged step.
	slowest time.Duration
}

// kill ends a process with SIGKILL, lets the load feel it, and starts it again.
func (c *crash) kill(role string) {
	c.t.Helper()
	before := c.journal.count()
	c.Kill(role)
	c.kills++
	switch role {
	case "casework", "gateway":
		// Nobody can be served: every worker must come to an unknown outcome.
		house.Eventually(c.t, "the load feels that "+role+" is gone", func(context.Context) (bool, string) {
			now := c.journal.count()
			return now.unknown >= before.unknown+crashWorkers/2, now.String()
		})
	default:
		// Filing and handling do not need the followers, nor discovery.
		c.passes(40)
	}
	c.Restart(role)
	back := time.Now()
	c.passes(1)
	c.slowest = max(c.slowest, time.Since(back))
	c.passes(40)
}

// passes waits until so many more steps have been acknowledged.
func (c *crash) passes(steps int) {
	c.t.Helper()
	want := c.journal.count().acked + steps
	house.Eventually(c.t, fmt.Sprintf("%d more steps acknowledged", steps), func(context.Context) (bool, string) {
		now := c.journal.count()
		return now.acked >= want, now.String()
	})
}
