package db

import (
	"sync"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
)

// inflight knows since when the oldest running write transaction of this process
// runs. Whoever wants to say "nothing older will still appear" must ask it.
type inflight struct {
	mu     sync.Mutex
	clock  clock.Clock
	next   uint64
	starts map[uint64]time.Time
}

// enter registers a transaction; the function it returns ends the registration.
// The moment is read under the lock, so a settled moment read before cannot be later.
func (f *inflight) enter() (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	id := f.next
	f.starts[id] = f.clock.Now()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.starts, id)
	}
}

// settled is a moment such that every write of this process which read the clock at
// or before it has ended.
func (f *inflight) settled() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	oldest := f.clock.Now()
	for _, t := range f.starts {
		if t.Before(oldest) {
			oldest = t
		}
	}
	return oldest.Add(-time.Microsecond)
}
