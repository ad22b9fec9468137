package gateway

import (
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"

	"github.com/onehall/onehall/services/platform/fault"
)

// streamsPerConn is how many streams share a channel to a service: fewer than a server
// takes of one connection (128), so that none waits for another's end.
const streamsPerConn = 100

// pool has channels for the streams of one service, as many as are needed.
type pool struct {
	dial func() (*grpc.ClientConn, error)

	mu     sync.Mutex
	conns  []*pooled
	closed bool
}

// pooled is one channel and how many streams it carries.
type pooled struct {
	*grpc.ClientConn
	streams int
}

// take gives a channel with room for one more stream; free gives the room back. Channels
// stay: there are never more than the most streams need.
func (p *pool) take() (conn *grpc.ClientConn, free func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, fault.Unavailable.New(fault.Cause(errDraining))
	}
	var found *pooled
	for _, c := range p.conns {
		if c.streams < streamsPerConn {
			found = c
			break
		}
	}
	if found == nil {
		cc, err := p.dial()
		if err != nil {
			return nil, nil, fault.Internal.New(fault.Cause(fmt.Errorf("gateway: one more channel for streams: %w", err)))
		}
		found = &pooled{ClientConn: cc}
		p.conns = append(p.conns, found)
	}
	found.streams++
	return found.ClientConn, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		found.streams--
	}, nil
}

// Close closes all channels.
func (p *pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, c := range p.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
