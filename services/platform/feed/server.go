package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

const (
	// streamBatch is how many events a message of a stream carries at the most, and
	// maxBatchBytes about how large it gets: far below the 4 MiB a client takes.
	streamBatch   = 500
	maxBatchBytes = 2 << 20
	// maxPage is the largest page of ReadEvents.
	maxPage = 1000
	// heartbeat is how long a stream may be silent.
	heartbeat = time.Second
	// sendDeadline is how long a reader may leave a message unread.
	sendDeadline = 10 * time.Second
	// defaultMargin covers other replicas' clocks and unseen beginnings.
	defaultMargin = 200 * time.Millisecond
)

// Server serves a service's events to followers.
type Server struct {
	Parked
	db           *db.DB
	log          *slog.Logger
	margin       time.Duration
	sendDeadline time.Duration
	hint         chan struct{}
	stopped      chan struct{} // closed when Run ends
	stop         func()
	streams      atomic.Int64

	mu      sync.Mutex
	head    head
	changed chan struct{} // closed and replaced when head changes
}

// ServerOption changes what a Server does by default.
type ServerOption func(*Server)

// WithMargin sets how far complete_until stays behind on PostgreSQL, where other
// replicas write whose clocks may differ (default 200 ms).
func WithMargin(d time.Duration) ServerOption { return func(s *Server) { s.margin = d } }

// WithLog sets where failures are told (default slog.Default).
func WithLog(l *slog.Logger) ServerOption { return func(s *Server) { s.log = l } }

// WithSendDeadline sets how long a reader may leave a message unread (default 10 s).
func WithSendDeadline(d time.Duration) ServerOption { return func(s *Server) { s.sendDeadline = d } }

// NewServer makes the server of a database opened with WithMigrations. Its Run must
// be running for anything to be served. The clock must be the database's.
func NewServer(d *db.DB, _ clock.Clock, opts ...ServerOption) *Server {
	s := &Server{
		db: d, log: slog.Default(), margin: defaultMargin, sendDeadline: sendDeadline,
		hint: make(chan struct{}, 1), changed: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	s.stop = sync.OnceFunc(func() { close(s.stopped) })
	for _, opt := range opts {
		opt(s)
	}
	d.OnCommit(s.Notify)
	return s
}

// Notify hints that there may be new events. Commits of this process do it by
// themselves.
func (s *Server) Notify() {
	select {
	case s.hint <- struct{}{}:
	default: // one hint is as good as many
	}
}

// publish lets all readers know the head, once for all of them.
func (s *Server) publish(h head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.position < s.head.position {
		h.position = s.head.position
	}
	if h.completeUntil.Before(s.head.completeUntil) {
		h.completeUntil = s.head.completeUntil // what was vouched for stays true
	}
	if h == s.head {
		return
	}
	s.head = h
	close(s.changed)
	s.changed = make(chan struct{})
}

// current is the head and a channel that closes when it is no longer current.
func (s *Server) current() (head, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, s.changed
}

// ServerStatus tells how a feed fares, for metrics and health.
type ServerStatus struct {
	// Position is the last one given, as far as this replica knows.
	Position int64
	// CompleteUntil is the moment up to which it vouches for everything; its age is
	// how long the oldest write takes that still runs.
	CompleteUntil time.Time
	// Streams is how many followers are connected.
	Streams int64
}

// Status is how the feed fares now.
func (s *Server) Status() ServerStatus {
	h, _ := s.current()
	return ServerStatus{h.position, h.completeUntil, s.streams.Load()}
}

// ReadEvents gives a page of events.
func (s *Server) ReadEvents(ctx context.Context, req *feedv1.ReadEventsRequest) (*feedv1.ReadEventsResponse, error) {
	size := int(req.GetPageSize())
	switch {
	case size < 0:
		return nil, fault.BadPageSize.New(fault.Field("page_size"))
	case req.GetAfter() < 0:
		return nil, fault.InvalidArgument.New(fault.Field("after"))
	case size == 0:
		size = streamBatch
	}
	if err := s.known(ctx, req.GetAfter()); err != nil {
		return nil, err
	}
	// Whoever asks wants to know up to when all is told now, not when last was looked.
	if _, err := s.pass(ctx); err != nil {
		return nil, err
	}
	events, last, until, err := s.batch(ctx, req.GetAfter(), min(size, maxPage))
	if err != nil {
		return nil, err
	}
	res := &feedv1.ReadEventsResponse{Events: events}
	if last {
		res.CompleteUntil = until
	}
	return res, nil
}

// known refuses a reader that has positions this feed never gave: the feed was put
// back to an older state, and going on would hide that from the reader for ever.
func (s *Server) known(ctx context.Context, after int64) error {
	if h, _ := s.current(); after <= h.position {
		return nil
	}
	// Another replica may have given more than this one knows of yet.
	var last int64
	if err := s.db.Read().QueryRowContext(ctx, lastPosition).Scan(&last); err != nil {
		return fmt.Errorf("feed: last position: %w", err)
	}
	if after > last {
		return fault.FeedGap.New(fault.Cause(fmt.Errorf("feed: a reader is at %d, past the last position %d", after, last)))
	}
	return nil
}

// batch reads the next events. last tells that there are none behind them which
// complete_until would have to count.
func (s *Server) batch(ctx context.Context, after int64, limit int) (_ []*feedv1.Event, last bool, until *timestamppb.Timestamp, err error) {
	h, _ := s.current()
	var events []*feedv1.Event
	if after < h.position {
		if events, err = Page(ctx, s.db.Read(), after, limit); err != nil {
			return nil, false, nil, err
		}
		events = cut(events)
	}
	if len(events) > 0 {
		after = events[len(events)-1].GetPosition()
	}
	if after >= h.position && !h.completeUntil.IsZero() {
		return events, true, timestamppb.New(h.completeUntil), nil
	}
	return events, false, nil, nil
}

// cut shortens a batch to what one message may carry; at least one event stays.
func cut(events []*feedv1.Event) []*feedv1.Event {
	size := 0
	for i, e := range events {
		size += len(e.GetResource()) + len(e.GetDetail()) + 512
		if size > maxBatchBytes && i > 0 {
			return events[:i]
		}
	}
	return events
}

// FollowEvents streams events as they come in, until the reader goes or reads no more.
func (s *Server) FollowEvents(req *feedv1.FollowEventsRequest, stream grpc.ServerStreamingServer[feedv1.FollowEventsResponse]) error {
	if req.GetAfter() < 0 {
		return fault.InvalidArgument.New(fault.Field("after"))
	}
	ctx := stream.Context()
	if err := s.known(ctx, req.GetAfter()); err != nil {
		return err
	}
	s.streams.Add(1)
	defer s.streams.Add(-1)
	out := NewSender(stream, s.sendDeadline, func() error {
		return fault.Unavailable.New(fault.Cause(errors.New("feed: the reader does not read")))
	})
	defer out.Close()
	after := req.GetAfter()
	beat := time.NewTimer(0)
	defer beat.Stop()
	due := true
	for {
		h, changed := s.current()
		events, last, until, err := s.batch(ctx, after, streamBatch)
		if err != nil {
			return err
		}
		if len(events) > 0 || due {
			res := &feedv1.FollowEventsResponse{Events: events}
			if last {
				res.CompleteUntil = until
			}
			if err := out.Send(ctx, res); err != nil {
				return err
			}
			if len(events) > 0 {
				after = events[len(events)-1].GetPosition()
			}
			due = false
			beat.Reset(heartbeat)
		}
		behind := after < h.position
		if behind {
			changed = closedChan // go on at once, unless it is time to stop
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.stopped:
			// A server that stops waits for its streams; they must not wait for it.
			return fault.Unavailable.New(fault.Cause(errors.New("feed: stopping")))
		case <-beat.C:
			due = true
		case <-changed:
			// With a virtual clock each move of the head is worth a message, since
			// that clock is what everybody waits for.
			due = due || s.virtual() && !behind
		}
	}
}

var closedChan = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
