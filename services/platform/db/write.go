package db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onehall/onehall/services/platform/fault"
)

// WriteFunc is the work of one Write.
type WriteFunc func(ctx context.Context, tx *Tx) error

// Write runs fn in a transaction and returns once it is durable.
//
// fn may be called more than once, so it must take everything from tx and from what
// it captured at the start, and set results outside as its last act. It must use the
// context it is given. Its error, or panic (as *PanicError), is returned to this
// caller and undoes this caller's changes only.
//
// Other calls may share the transaction. An error that fn returns before it wrote
// anything costs them nothing; one returned later makes them run again, which they
// do not notice.
//
// Writes of one key are done in the order of their arrival in this process. A caller
// whose context ends while waiting for its turn gets the context's error, with no
// effect; once its turn has come the call ends with the outcome.
//
// While the clock cannot be believed every call is fault.ClockUnconfirmed.
//
// An error that is fault.UnknownOutcome means that the change may have become
// durable. Any other error means that it has not.
func (d *DB) Write(ctx context.Context, key string, fn func(ctx context.Context, tx *Tx) error) error {
	defer d.stats.writes.Add(1)
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Value(writingKey{}) != nil {
		return ErrNested
	}
	if err := d.believed(); err != nil {
		d.stats.refused.Add(1)
		return err
	}
	j := &job{ctx: ctx, key: key, fn: fn, done: make(chan error, 1)}
	if err := d.pick(key).push(j); err != nil {
		d.stats.refused.Add(1)
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.state.CompareAndSwap(queued, left) {
			return ctx.Err()
		}
		return <-j.done
	}
}

// writingKey marks the context inside a Write.
type writingKey struct{}

// The states of a job. Whoever moves it from queued decides: the writer by taking
// it, or the caller by leaving.
const (
	queued int32 = iota
	taken
	left
)

// job is one waiting Write.
type job struct {
	ctx   context.Context
	key   string
	fn    WriteFunc
	state atomic.Int32
	done  chan error
	// answer is what fn returned in the running transaction; it is told only when
	// that transaction's fate is known, since it may rest on changes of a neighbour.
	answer error
}

// writer is a queue and the goroutine that empties it.
type writer struct {
	d      *DB
	mu     sync.Mutex
	wake   sync.Cond
	queue  []*job
	closed bool
}

func newWriter(d *DB) *writer {
	w := &writer{d: d}
	w.wake.L = &w.mu
	return w
}

func (w *writer) push(j *job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fault.Unavailable.New(fault.Cause(errors.New("db: closed")))
	}
	if len(w.queue) >= w.d.cfg.MaxQueue {
		return fault.Unavailable.New(fault.Cause(errors.New("db: too many writes are waiting")))
	}
	w.queue = append(w.queue, j)
	w.wake.Signal()
	return nil
}

func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.wake.Broadcast()
}

func (w *writer) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// loop takes whatever waits, up to a batch, and runs it. There is no timer: while one
// batch flushes, the next gathers by itself, the larger the slower the disk is.
func (w *writer) loop() {
	for {
		jobs, ok := w.take()
		if !ok {
			return
		}
		w.run(jobs)
	}
}

// take waits for work; ok is false when there will be none.
func (w *writer) take() (jobs []*job, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 {
		if w.closed {
			return nil, false
		}
		w.wake.Wait()
	}
	n := min(len(w.queue), w.d.cfg.MaxBatch)
	for _, j := range w.queue[:n] {
		if j.state.CompareAndSwap(queued, taken) {
			jobs = append(jobs, j)
		}
	}
	// The rest moves down, so that the array does not grow for ever and keeps no job alive.
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
	if w.d.engine.remote() {
		// Writers of other replicas lock rows in the same order, so they wait for
		// each other instead of in a circle.
		slices.SortStableFunc(jobs, func(a, b *job) int { return strings.Compare(a.key, b.key) })
	}
	return jobs, true
}

// finish tells a caller how it ended.
func (j *job) finish(err error) { j.done <- err }
