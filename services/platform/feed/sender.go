package feed

import (
	"context"
	"time"
)

// Sender sends on a stream from a goroutine of its own, since a Send that waits for a
// reader cannot be given up: only the end of the handler ends it.
type Sender[M any] struct {
	in       chan *M
	out      chan error
	patience time.Duration
	tooSlow  func() error
}

// NewSender waits for a reader as long as its patience lasts, and then gives tooSlow.
func NewSender[M any](stream interface{ Send(*M) error }, patience time.Duration, tooSlow func() error) *Sender[M] {
	// The answer has room, so that the goroutine ends when nobody waits for it any more.
	s := &Sender[M]{in: make(chan *M), out: make(chan error, 1), patience: patience, tooSlow: tooSlow}
	go func() {
		for m := range s.in {
			s.out <- stream.Send(m)
		}
	}()
	return s
}

// Close ends the goroutine; nothing is sent any more.
func (s *Sender[M]) Close() { close(s.in) }

// Send sends a message. After an error nothing more may be sent.
func (s *Sender[M]) Send(ctx context.Context, m *M) error {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	s.in <- m // the goroutine is free: the send before was waited for
	select {
	case err := <-s.out:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return s.tooSlow()
	}
}
