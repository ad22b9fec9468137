package feed

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// Sender sends on a stream from a goroutine of its own, since a Send that waits for a
// reader cannot be given up: only the end of the handler ends it.
type Sender[M any] struct {
	stream   Stream[M]
	in       chan func() error
	out      chan error
	patience time.Duration
	tooSlow  func() error
}

// Stream is what a Sender sends on: a server's stream of M.
type Stream[M any] interface {
	grpc.Stream
	Send(*M) error
}

// NewSender waits for a reader as long as its patience lasts, and then gives tooSlow.
func NewSender[M any](stream Stream[M], patience time.Duration, tooSlow func() error) *Sender[M] {
	// The answer has room, so that the goroutine ends when nobody waits for it any more.
	s := &Sender[M]{stream: stream, in: make(chan func() error), out: make(chan error, 1), patience: patience, tooSlow: tooSlow}
	go func() {
		for send := range s.in {
			s.out <- send()
		}
	}()
	return s
}

// Close ends the goroutine; nothing is sent any more.
func (s *Sender[M]) Close() { close(s.in) }

// Send sends a message. After an error nothing more may be sent.
func (s *Sender[M]) Send(ctx context.Context, m *M) error {
	return s.await(ctx, func() error { return s.stream.Send(m) })
}

// SendShared sends a message that other streams send too.
func (s *Sender[M]) SendShared(ctx context.Context, m *Shared[M]) error {
	return s.await(ctx, func() error { return m.send(s.stream) })
}

func (s *Sender[M]) await(ctx context.Context, send func() error) error {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	s.in <- send // the goroutine is free: the send before was waited for
	select {
	case err := <-s.out:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return s.tooSlow()
	}
}

// Shared is a message for many streams of one server, which need the same bytes: the first
// stream encodes it for all.
type Shared[M any] struct {
	Message *M

	once    sync.Once
	encoded grpc.PreparedMsg
	err     error
}

func (m *Shared[M]) send(stream grpc.Stream) error {
	if m.once.Do(func() { m.err = m.encoded.Encode(stream, m.Message) }); m.err != nil {
		return m.err
	}
	return stream.SendMsg(&m.encoded)
}
