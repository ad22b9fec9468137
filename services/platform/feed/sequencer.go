package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

const (
	// numberBatch is how many events get their number in one statement.
	numberBatch = 1000
	// busyPoll and idlePoll are how often other replicas' work is looked for, while
	// there was some just now and at the most.
	busyPoll = 50 * time.Millisecond
	idlePoll = time.Second
	// numberEvery is the least time between two passes while events come in: numbering
	// twenty at once costs hardly more than one, and so does everything behind it. An
	// event that comes after a pause waits for nothing.
	numberEvery = 40 * time.Millisecond
	// crowd is how many events at once make it worth waiting crowdEvery for more: each
	// batch costs every follower a transaction.
	crowd      = 30
	crowdEvery = 120 * time.Millisecond
	// sequencerKey sorts behind every resource name, so that in a shared transaction
	// the events of the others are there to be numbered.
	sequencerKey = "~feed"
	// sequencerLock is the advisory lock of "1 feed a schema"; see number.
	sequencerLock = 0x6f6e6568 // "oneh"
)

// Events of a subject are numbered in their order: the earlier was committed before
// or with the later, so it is numbered already or in this batch, ahead of it. Two
// replicas that number at once would give one position twice, which the unique
// constraint refuses to the second.
const numberEvents = `UPDATE events SET position = n.position
FROM (SELECT u.id AS id, (SELECT COALESCE(MAX(position), 0) FROM events) + row_number() OVER (ORDER BY u.sequence, u.id) AS position
  FROM (SELECT id, sequence FROM events WHERE position IS NULL ORDER BY sequence, id LIMIT 1000) u) n
WHERE events.id = n.id AND events.position IS NULL`

const lastPosition = `SELECT COALESCE(MAX(position), 0) FROM events`

// head is what the feed can vouch for.
type head struct {
	// position is the last one given.
	position int64
	// completeUntil is such that everything entered at or before it has a position
	// at or below the one above.
	completeUntil time.Time
}

// pass numbers what waits and finds the new head. busy tells that there was or still
// is something to number.
func (s *Server) pass(ctx context.Context) (busy bool, err error) {
	// The moment is read before the tables: a write that ends in between is then in
	// the tables, one that begins in between is later than the moment.
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
	for {
		got, err := s.number(ctx)
		busy = busy || got > 0
		if err != nil {
			return busy, err
		}
		if got < numberBatch {
			break
		}
	}
	h, behind, err := readHead(ctx, s.db.Read(), until)
	if err != nil {
		return busy, err
	}
	s.publish(h)
	return busy || behind, nil
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

// number gives positions to a batch of events.
func (s *Server) number(ctx context.Context) (int64, error) {
	var waiting bool
	err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM events WHERE position IS NULL)`).Scan(&waiting)
	if err != nil || !waiting {
		return 0, err
	}
	var n int64
	err = s.db.Write(ctx, sequencerKey, func(ctx context.Context, tx *db.Tx) error {
		n = 0
		if tx.Driver() == db.Postgres {
			// Not needed to be right, only to spare two replicas the collision.
			var mine bool
			err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema()))`, int64(sequencerLock)).Scan(&mine)
			if err != nil || !mine {
				return err
			}
			if err := tx.ByKey(ctx); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, numberEvents)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if db.IsUnique(err) || errors.Is(err, fault.Conflict) {
		return 0, nil // another replica did it; the next pass sees what is left
	}
	if err != nil {
		return 0, fmt.Errorf("feed: number events: %w", err)
	}
	return n, nil
}

// readHead finds the last position, how far it is complete, and whether events wait
// for a number. What still waits for
// a number is asked first: numbered in between, it is below the head read after.
func readHead(ctx context.Context, q db.Querier, until time.Time) (_ head, behind bool, err error) {
	var waiting sql.NullInt64
	if err := q.QueryRowContext(ctx, `SELECT MIN(entered_at) FROM events WHERE position IS NULL`).Scan(&waiting); err != nil {
		return head{}, false, fmt.Errorf("feed: head: %w", err)
	}
	if before := db.Time(waiting.Int64 - 1); waiting.Valid && before.Before(until) {
		until = before
	}
	var position int64
	if err := q.QueryRowContext(ctx, lastPosition).Scan(&position); err != nil {
		return head{}, false, fmt.Errorf("feed: head: %w", err)
	}
	return head{position: position, completeUntil: until.Truncate(time.Microsecond)}, waiting.Valid, nil
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

// Run numbers events until the context ends, and keeps the readers informed. Every
// replica runs it, once. When it ends, so do the streams.
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
			s.log.Error("feed: numbering failed", "err", err)
			wait = idlePoll
		case busy:
			wait = busyPoll
		default:
			wait = min(2*wait, idlePoll)
		}
		if !s.shared() && !busy {
			wait = idlePoll // there is no other replica to look for
		}
		rest := numberEvery
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
