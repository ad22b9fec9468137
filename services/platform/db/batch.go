package db

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

const (
	// maxRestarts is how often a batch is begun again without the write that spoilt
	// it, before all run alone. Beginning again is cheaper than a flush for each.
	maxRestarts = 3
	// maxRetries is how often a transaction is tried again that the database undid
	// for the sake of a concurrent one.
	maxRetries = 3
)

// run brings all jobs to their end.
func (w *writer) run(jobs []*job) {
	least := 2
	if w.d.engine.remote() {
		least = 1 // even one write's statements are better sent together
	}
	var apart []*job
	for restarts := 0; len(jobs) >= least; restarts++ {
		spoilers, done, err := w.together(jobs)
		if done {
			jobs = nil
			break
		}
		if restarts == maxRestarts || len(spoilers) == 0 && !again(err) {
			break // or nobody knows who spoilt it
		}
		if again(err) {
			w.d.stats.retries.Add(1)
			pause(restarts)
		}
		var rest []*job
		for i, j := range jobs {
			if slices.Contains(spoilers, i) {
				apart = append(apart, j)
			} else {
				rest = append(rest, j)
			}
		}
		jobs = rest
	}
	for _, j := range append(jobs, apart...) {
		w.alone(j)
	}
}

// again reports an error that a further try of the same may not meet.
func again(err error) bool { return err != nil && (retryable(err) || disconnected(err)) }

// together runs the jobs in one transaction. done means that all have been told.
// Otherwise nothing has happened, spoilers are the jobs that must not take part again,
// as far as they are known, and err is what happened.
func (w *writer) together(jobs []*job) (spoilers []int, done bool, err error) {
	leave := w.d.inflight.enter()
	defer leave()
	ctx, cancel := w.context()
	defer cancel()
	if w.refuseBroken(jobs) {
		return nil, true, nil
	}
	s, err := w.d.engine.begin(ctx)
	if err != nil {
		// Without a database each would wait for its own time-out in vain.
		finishAll(jobs, outward(err))
		return nil, true, nil
	}
	txs := make([]*Tx, len(jobs))
	// unseen tells that something waits to be written at the end, which nobody in the
	// batch can read yet. doubted are the jobs that refused without seeing it: what they
	// took for taken by another may be a row of the very request they repeat.
	wrote, unseen := false, false
	doubted := map[*job]bool{}
	for i, j := range jobs {
		tx := &Tx{q: s, db: w.d}
		txs[i] = tx
		if j.answer = j.ctx.Err(); j.answer != nil {
			continue // gave up before it started
		}
		j.answer = call(ctx, j, tx)
		unseen = unseen || tx.lasts > 0
		doubted[j] = unseen && j.answer != nil
		if j.answer != nil && tx.failed == nil && tx.wrote && s.drop(tx) {
			tx.wrote = false
		}
		if s.failed() != nil || tx.failed != nil || j.answer != nil && tx.wrote {
			if tx.failed == nil && s.failed() == nil {
				tx.failed = j.answer
			}
			spoilers, err := w.undo(s, txs[:i+1])
			return spoilers, false, err
		}
		wrote = wrote || tx.wrote
	}
	if err := w.end(s, wrote); err != nil {
		if isOpen(err) {
			finishAll(jobs, w.open(err))
			return nil, true, nil
		}
		return spoilersOf(txs), false, err
	}
	w.d.stats.batch(len(jobs))
	for _, j := range jobs {
		if !doubted[j] {
			j.finish(outward(j.answer))
		}
	}
	if wrote {
		w.d.committed()
	}
	for _, j := range jobs {
		if doubted[j] {
			w.alone(j)
		}
	}
	return nil, true, nil
}

// undo ends a transaction that was spoilt.
func (w *writer) undo(s session, txs []*Tx) (spoilers []int, err error) {
	s.rollback()
	w.d.stats.rollbacks.Add(1)
	spoilers, err = spoilersOf(txs), s.failed()
	for _, i := range spoilers {
		if retryable(txs[i].failed) {
			err = txs[i].failed
		}
	}
	return spoilers, err
}

// spoilersOf are those whose statement failed.
func spoilersOf(txs []*Tx) (spoilers []int) {
	for i, tx := range txs {
		if tx.failed != nil {
			spoilers = append(spoilers, i)
		}
	}
	return spoilers
}

// alone runs one job in a transaction of its own, again if another stood in the way.
func (w *writer) alone(j *job) {
	for try := 0; ; try++ {
		if err := j.ctx.Err(); err != nil {
			j.finish(err)
			return
		}
		wrote, err := w.attempt(j)
		switch {
		case isOpen(err):
			err = w.open(err)
		case err != nil && retryable(err) && try < maxRetries:
			w.d.stats.retries.Add(1)
			pause(try)
			continue
		}
		j.finish(outward(err))
		if err == nil && wrote {
			w.d.committed()
		}
		return
	}
}

// attempt is one transaction with one job.
func (w *writer) attempt(j *job) (wrote bool, err error) {
	leave := w.d.inflight.enter()
	defer leave()
	ctx, cancel := w.context()
	defer cancel()
	if err := w.d.Err(); err != nil {
		return false, fault.Unavailable.New(fault.Cause(err))
	}
	s, err := w.d.engine.begin(ctx)
	if err != nil {
		return false, err
	}
	tx := &Tx{q: s, db: w.d, alone: true}
	err = call(ctx, j, tx)
	if s.failed() != nil {
		err = s.failed()
	} else if err == nil {
		// A function that went on after an error of the database has lost its
		// transaction on PostgreSQL; on SQLite it fares no better.
		err = tx.failed
	} else if tx.failed != nil && retryable(tx.failed) {
		// The function may have wrapped what the database said beyond recognition.
		err = tx.failed
	}
	if err != nil {
		s.rollback()
		w.d.stats.rollbacks.Add(1)
		return false, err
	}
	if err := w.end(s, tx.wrote); err != nil {
		return false, err
	}
	w.d.stats.batch(1)
	return tx.wrote, nil
}

// end commits, or lets go of a transaction in which nobody wrote.
func (w *writer) end(s session, wrote bool) error {
	if !wrote {
		s.rollback()
		return nil
	}
	if err := s.commit(); err != nil {
		s.rollback()
		w.d.stats.rollbacks.Add(1)
		return err
	}
	w.d.stats.commits.Add(1)
	return nil
}

// call runs a job's function and catches its panic.
func call(ctx context.Context, j *job, tx *Tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if err := j.fn(writeContext{Context: ctx, caller: j.ctx}, tx); err != nil {
		return err
	}
	return tx.db.believed() // it may have been put while fn looked at it
}

// context is the life of one transaction. It does not end with any caller's, because
// a caller who hangs up must not undo the work of others.
func (w *writer) context() (context.Context, context.CancelFunc) {
	if !w.d.engine.remote() {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), w.d.cfg.TxTimeout)
}

// writeContext lives as long as the transaction and knows what the caller's knew:
// who asks, the trace, the request id.
type writeContext struct {
	context.Context
	caller context.Context
}

func (c writeContext) Value(key any) any {
	if key == (writingKey{}) {
		return true
	}
	return c.caller.Value(key)
}

// isOpen reports an error that leaves the outcome open.
func isOpen(err error) bool {
	var unknown errUnknown
	var broken errBroken
	return errors.As(err, &unknown) || errors.As(err, &broken)
}

// open is what callers are told when nobody knows the outcome.
func (w *writer) open(err error) error {
	w.d.stats.unknown.Add(1)
	var broken errBroken
	if errors.As(err, &broken) {
		w.d.Fail(err)
	}
	return fault.UnknownOutcome.New(fault.Cause(err))
}

// refuseBroken ends all jobs when the disk can no longer be trusted.
func (w *writer) refuseBroken(jobs []*job) bool {
	err := w.d.Err()
	if err != nil {
		finishAll(jobs, fault.Unavailable.New(fault.Cause(err)))
	}
	return err != nil
}

func finishAll(jobs []*job, err error) {
	for _, j := range jobs {
		j.finish(err)
	}
}

// pause waits a moment that differs between writers, so that two which collided do
// not collide again.
func pause(try int) {
	time.Sleep(time.Duration(1+rand.IntN(4<<try)) * time.Millisecond)
}
