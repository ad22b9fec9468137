package clock

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Virtual is a clock that stands still until it is moved by hand.
//
// It keeps two readings, as a real machine does: the time of day, which may be
// corrected in either direction (Jump), and the time elapsed, which only grows and
// is what timers run on. So a corrected clock never fires a timer early or starves it.
type Virtual struct {
	mu      sync.Mutex
	now     time.Time     // time of day
	elapsed time.Duration // since the clock was made; never decreases
	pending timerHeap
	made    uint64
	changed chan struct{} // closed and replaced whenever pending changes
}

// NewVirtual makes a clock that shows start.
func NewVirtual(start time.Time) *Virtual {
	return &Virtual{now: start.UTC().Round(0), changed: make(chan struct{})}
}

// Now is the moment the clock was last moved to.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Reading is the time of day, and how far the clock was advanced: a Jump changes the
// first alone.
func (v *Virtual) Reading() (now time.Time, elapsed time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now, v.elapsed
}

// NewTimer makes a timer that fires when the clock has been advanced by d.
func (v *Virtual) NewTimer(d time.Duration) Timer {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.made++
	t := &virtualTimer{clock: v, due: v.elapsed + d, order: v.made, c: make(chan time.Time, 1), index: -1}
	if d <= 0 {
		t.c <- v.now
		return t
	}
	heap.Push(&v.pending, t)
	v.announce()
	return t
}

// Advance moves the clock forward by d and fires every timer that falls due, in
// the order of their due moments; while a timer fires, Now shows its due moment.
// A negative d changes nothing.
func (v *Virtual) Advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.advance(d)
}

// Set moves the clock forward to t, firing timers as Advance does. A t in the past
// changes nothing: going back is a correction of the clock and has its own name, Jump.
func (v *Virtual) Set(t time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.advance(t.Sub(v.now))
}

// Jump corrects the time of day to t, in either direction. Timers keep the
// duration they still have to run.
func (v *Virtual) Jump(t time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = t.UTC().Round(0)
}

// Pending is the number of timers that have neither fired nor been stopped.
func (v *Virtual) Pending() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.pending)
}

// Await returns once at least n timers are pending. A test calls it before Advance,
// to know that the goroutines it drives have gone to sleep.
func (v *Virtual) Await(ctx context.Context, n int) error {
	for {
		v.mu.Lock()
		enough, changed := len(v.pending) >= n, v.changed
		v.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (v *Virtual) advance(d time.Duration) {
	if d <= 0 {
		return
	}
	target := v.elapsed + d
	for len(v.pending) > 0 && v.pending[0].due <= target {
		t := heap.Pop(&v.pending).(*virtualTimer)
		v.step(t.due)
		t.c <- v.now // one slot, one send: never blocks
		v.announce()
	}
	v.step(target)
}

func (v *Virtual) step(to time.Duration) {
	v.now = v.now.Add(to - v.elapsed)
	v.elapsed = to
}

func (v *Virtual) announce() {
	close(v.changed)
	v.changed = make(chan struct{})
}

type virtualTimer struct {
	clock *Virtual
	due   time.Duration
	order uint64
	c     chan time.Time
	index int // place in the heap, -1 when not in it
}

func (t *virtualTimer) C() <-chan time.Time { return t.c }

func (t *virtualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.clock.pending, t.index)
	t.clock.announce()
	return true
}

// timerHeap orders timers by due moment and, within one moment, by age.
type timerHeap []*virtualTimer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].order < h[j].order
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *timerHeap) Push(x any) {
	t := x.(*virtualTimer)
	t.index = len(*h)
	*h = append(*h, t)
}

// Pop implements heap.Interface.
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
