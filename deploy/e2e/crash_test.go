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
			t.Cleanup(func() { // also when the test ends in the middle
				stop()
				workers.Wait()
			})
			for n := range crashWorkers {
				workers.Go(func() { c.work(ctx, n) })
			}
			c.passes(100) // the load is on
			for range crashRounds {
				for _, role := range []string{"casework", "supervision", "hub", "gateway", "etcd", "catalogue", "review"} {
					c.kill(role)
				}
			}
			c.withoutEtcd()
			stop()
			workers.Wait()
			c.check()
			t.Logf("kills %d; %s; slowest recovery %v", c.kills, c.journal, c.slowest.Round(time.Millisecond))
		})
	}
}

const (
	crashWorkers = 8
	crashRounds  = 3
	// between is how many steps are acknowledged before the next kill, and while a
	// process is away that nobody filing needs.
	between = 150
)

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
		// Filing and handling need neither those who follow nor those who are followed, nor
		// discovery.
		c.passes(between)
	}
	c.back(role)
	c.passes(between)
}

// back starts a process again and waits for the load to get through.
func (c *crash) back(role string) {
	c.t.Helper()
	c.Restart(role)
	start := time.Now()
	c.passes(1)
	c.slowest = max(c.slowest, time.Since(start))
}

// withoutEtcd kills and starts the two that everybody needs while nobody can be looked
// up: they find each other where they last were.
func (c *crash) withoutEtcd() {
	c.t.Helper()
	c.Kill("etcd")
	for _, role := range []string{"gateway", "casework"} {
		c.Kill(role)
		c.back(role)
	}
	c.kills += 3
	c.passes(between)
	c.Restart("etcd")
	c.passes(between)
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
