package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

const (
	// silence is how long a stream may give nothing, heartbeats included, before it
	// is taken for dead.
	silence = 15 * time.Second
	// minBackoff and maxBackoff bound the wait before connecting again.
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
	// healthy is how long a stream must have lasted for its end to be nothing unusual.
	healthy = 10 * time.Second
	// maxRereads is how often an event with a wrong hash is read anew before it is
	// believed to be damaged at its source, and parked.
	maxRereads = 3
)

// Follower applies the events of one source to the follower's own database.
//
// Each event is applied exactly once, in the order of the source within a subject,
// however often the process dies and however many replicas run the same follower.
type Follower struct {
	// Source names whose feed it is, Name who follows; together they name the cursor.
	Source, Name string
	Client       feedv1.FeedServiceClient
	// DB was opened with WithMigrations.
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Apply changes the follower's tables by the events, in order. It runs in a
	// Write, so it may be called more than once for the same events. An error that
	// waiting cannot cure (any but ABORTED, UNAVAILABLE and the like) parks the event.
	Apply func(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error
	// Idle, if given, is called when everything that the source wrote until then is
	// applied: the moment to judge by what has not happened.
	Idle func(ctx context.Context, completeUntil time.Time) error

	mu      sync.Mutex
	status  FollowerStatus
	rereads map[int64]int
}

// FollowerStatus tells how a follower fares, for metrics and health.
type FollowerStatus struct {
	// Position is the last event applied or parked.
	Position int64
	// CompleteUntil is the last moment up to which everything is known.
	CompleteUntil time.Time
	// Applied and Parked count events since the start.
	Applied, Parked int64
	// Reconnects counts the streams that ended; LastError is why the last one did.
	Reconnects int64
	LastError  error
}

// Status is how the follower fares now.
func (f *Follower) Status() FollowerStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *Follower) note(change func(*FollowerStatus)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.status)
}

// Run follows until the context ends, and returns nil then. It returns an error only
// when the follower's own database is broken for good.
func (f *Follower) Run(ctx context.Context) error {
	if f.Log == nil {
		f.Log = slog.Default()
	}
	log := f.Log.With("source", f.Source, "follower", f.Name)
	f.rereads = map[int64]int{}
	backoff := minBackoff
	for ctx.Err() == nil {
		position, began := f.Status().Position, time.Now()
		err := f.follow(ctx)
		if ctx.Err() != nil {
			break
		}
		if broken := f.DB.Err(); broken != nil {
			return broken
		}
		f.note(func(s *FollowerStatus) { s.Reconnects++; s.LastError = err })
		if f.Status().Position > position || time.Since(began) > healthy {
			backoff = minBackoff
		}
		// A server that restarts is daily life; a feed with a hole is not.
		level := slog.LevelWarn
		if errors.Is(fault.Of(err), fault.FeedGap) {
			level = slog.LevelError
		}
		log.Log(ctx, level, "feed: stream ended, connecting again", "err", err, "after", backoff)
		wait := time.NewTimer(backoff/2 + rand.N(backoff))
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
		backoff = min(2*backoff, maxBackoff)
	}
	return nil
}

// follow reads one stream until it ends; it never returns nil while the context lives.
func (f *Follower) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	position, err := Position(ctx, f.DB.Read(), f.Source, f.Name)
	if err != nil {
		return err
	}
	f.note(func(s *FollowerStatus) { s.Position = position })
	stream, err := f.Client.FollowEvents(ctx, &feedv1.FollowEventsRequest{After: position})
	if err != nil {
		return err
	}
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	for {
		res, err := stream.Recv()
		if err != nil {
			if context.Cause(ctx) == errSilent { //nolint:errorlint // it is this very value
				return errSilent
			}
			return err
		}
		// Applying may take its time; only the source's silence counts.
		watchdog.Stop()
		if position, err = f.take(ctx, position, res.GetEvents()); err != nil {
			return err
		}
		f.note(func(s *FollowerStatus) { s.Position = position })
		if err := f.idle(ctx, res); err != nil {
			return err
		}
		watchdog.Reset(silence)
	}
}

var errSilent = errors.New("feed: the source has gone silent")

// idle passes on how far everything is known.
func (f *Follower) idle(ctx context.Context, res *feedv1.FollowEventsResponse) error {
	if res.GetCompleteUntil() == nil {
		return nil
	}
	until := res.GetCompleteUntil().AsTime()
	f.note(func(s *FollowerStatus) { s.CompleteUntil = until })
	if f.Idle == nil {
		return nil
	}
	if err := f.Idle(ctx, until); err != nil {
		return fmt.Errorf("feed: idle: %w", err)
	}
	return nil
}

// take applies what of the events lies behind the position, and gives the new one.
func (f *Follower) take(ctx context.Context, position int64, events []*feedv1.Event) (int64, error) {
	for {
		for len(events) > 0 && events[0].GetPosition() <= position {
			events = events[1:] // another replica was faster
		}
		if len(events) == 0 {
			return position, nil
		}
		if err := contiguous(position, events); err != nil {
			return position, err
		}
		good, damaged, err := f.sound(events)
		if err != nil {
			return position, err
		}
		if len(good) > 0 {
			err = f.apply(ctx, position, good)
		} else {
			err = f.park(ctx, position, events[0], damaged)
		}
		if err != nil && !errors.Is(err, errBehind) {
			return position, err
		}
		// Whoever moved the cursor, it is the truth.
		moved, err := Position(ctx, f.DB.Read(), f.Source, f.Name)
		if err != nil {
			return position, err
		}
		if moved <= position {
			return position, fault.Conflict.New(fault.Cause(errors.New("feed: the cursor went back")))
		}
		position = moved
	}
}

// apply applies events in one write. When they cannot be applied together it halves
// them, until the one that spoils it stands alone and is parked.
func (f *Follower) apply(ctx context.Context, position int64, events []*feedv1.Event) error {
	for len(events) > 0 {
		n := len(events)
		var err error
		for {
			err = f.write(ctx, position, events[:n])
			if err == nil || errors.Is(err, errBehind) || temporary(ctx, err) {
				break
			}
			if n == 1 {
				err = f.park(ctx, position, events[0], err)
				break
			}
			n = (n + 1) / 2
		}
		if err != nil {
			return err
		}
		position = events[n-1].GetPosition()
		events = events[n:]
	}
	return nil
}

// temporary reports an error that waiting may cure, so that the event is not to blame.
func temporary(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, fault.FeedGap) {
		return true
	}
	switch fault.Of(err).Reason().Code {
	case codes.Aborted, codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted:
		return true
	}
	return false
}
