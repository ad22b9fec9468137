package feed

import (
	"context"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
)

const (
	// busyPoll and idlePoll are how often other replicas' work is looked for, while
	// there was some just now and at the most.
	busyPoll = 50 * time.Millisecond
	idlePoll = time.Second
	// tellEvery is the least time between two looks while events come in: telling
	// followers of twenty at once costs hardly more than of one. An event that comes after
	// a pause waits for nothing.
	tellEvery = 40 * time.Millisecond
	// crowd is how many events at once make it worth waiting crowdEvery for more: each
	// batch costs every follower a transaction.
	crowd      = 30
	crowdEvery = 120 * time.Millisecond
)

const lastPosition = `SELECT COALESCE(MAX(position), 0) FROM events`

// head is what the feed can vouch for.
type head struct {
	// position is the last one given.
	position int64
	// completeUntil is such that everything entered at or before it has a position
	// at or below the one above.
	completeUntil time.Time
}

// pass finds the new head. busy tells that events came in since the last.
func (s *Server) pass(ctx context.Context) (busy bool, err error) {
	// The moment is read before the table: a write that ends in between is then in
	// the table, one that begins in between is later than the moment.
	until := s.db.Settled()
	if s.shared() {
		age, err := oldestWrite(ctx, s.db.Read())
		if err != nil {
			return false, err
		}
		// Other replicas write too. How long the oldest running transaction runs is
		// known; the margin is for what is not seen of them: clocks that differ, and
		// the moment between reading the clock and the first change.
		if other := s.db.Clock().Now().Add(-age - s.margin); other.Before(until) {
			until = other
		}
	}
	before, _ := s.current()
	if clock.Doubt(s.db.Clock()) != nil {
		until = before.completeUntil // a clock that is not believed vouches for no moment
	}
	var position int64
	if err := s.db.Read().QueryRowContext(ctx, lastPosition).Scan(&position); err != nil {
		return false, fmt.Errorf("feed: head: %w", err)
	}
	s.publish(head{position: position, completeUntil: until.Truncate(time.Microsecond)})
	return position > before.position, nil
}

// shared reports whether other processes may write to the same feed. A virtual clock
// cannot be shared, so neither is what runs by it.
func (s *Server) shared() bool {
	return s.db.Driver() == db.Postgres && !s.virtual()
}

func (s *Server) virtual() bool {
	_, virtual := s.db.Clock().(*clock.Virtual)
	return virtual
}

// oldestWrite is for how long the oldest transaction of this role in this database
// runs that has changed something.
func oldestWrite(ctx context.Context, q db.Querier) (time.Duration, error) {
	var us int64
	err := q.QueryRowContext(ctx, `SELECT CAST(COALESCE(MAX(EXTRACT(EPOCH FROM clock_timestamp() - xact_start)), 0) * 1000000 AS BIGINT)
FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND backend_xid IS NOT NULL`).Scan(&us)
	if err != nil {
		return 0, fmt.Errorf("feed: oldest write: %w", err)
	}
	return time.Duration(max(us, 0)) * time.Microsecond, nil
}

// Run keeps the readers informed until the context ends. Every replica runs it, once.
// When it ends, so do the streams.
func (s *Server) Run(ctx context.Context) error {
	defer s.stop()
	wait := busyPoll
	for {
		began := time.Now()
		before, _ := s.current()
		busy, err := s.pass(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is how Run ends well
		}
		if broken := s.db.Err(); broken != nil {
			return broken // what the disk dropped it will not write again: the process must end
		}
		switch {
		case err != nil:
			s.log.Error("feed: the head cannot be read", "err", err)
			wait = idlePoll
		case busy:
			wait = busyPoll
		default:
			wait = min(2*wait, idlePoll)
		}
		if !s.shared() && !busy {
			wait = idlePoll // there is no other replica to look for
		}
		rest := tellEvery
		if after, _ := s.current(); after.position-before.position >= crowd {
			rest = crowdEvery
		}
		if busy && !pause(ctx, rest-time.Since(began)) || !s.sleep(ctx, wait) {
			return nil
		}
	}
}

// pause waits for d of real time; it reports false when the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// sleep waits for work, for the virtual clock to move, or for d of real time. It
// reports false when the context ended.
func (s *Server) sleep(ctx context.Context, d time.Duration) bool {
	real := time.NewTimer(d)
	defer real.Stop()
	var moved <-chan time.Time
	if s.virtual() {
		// A new moment of legal time means something to followers even when nothing
		// happened: limits run out.
		timer := s.db.Clock().NewTimer(time.Microsecond)
		defer timer.Stop()
		moved = timer.C()
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.hint:
	case <-moved:
	case <-real.C:
	}
	return true
}
