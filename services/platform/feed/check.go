package feed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

var errHash = errors.New("feed: the resource does not have its hash")

// contiguous refuses events that do not follow the position one by one. What is
// missing would never be noticed again, so nothing is applied.
func contiguous(position int64, events []*feedv1.Event) error {
	last := map[string]int64{}
	for _, e := range events {
		position++
		if e.GetPosition() != position {
			return gap(fmt.Errorf("feed: expected position %d, got %d", position, e.GetPosition()))
		}
		if before, ok := last[e.GetSubject()]; ok && e.GetSequence() != before+1 {
			return gap(fmt.Errorf("feed: position %d: %s goes from sequence %d to %d", position, e.GetSubject(), before, e.GetSequence()))
		}
		last[e.GetSubject()] = e.GetSequence()
	}
	return nil
}

func gap(err error) error { return fault.FeedGap.New(fault.Cause(err)) }

// sound gives the leading events whose content is what its hash says. When already
// the first is not, it is read anew a few times, then given up: damaged is then why.
func (f *Follower) sound(events []*feedv1.Event) (good []*feedv1.Event, damaged, err error) {
	for i, e := range events {
		sum := sha256.Sum256(e.GetResource())
		if bytes.Equal(sum[:], e.GetResourceSha256()) {
			continue
		}
		if i > 0 {
			return events[:i], nil, nil
		}
		f.rereads[e.GetPosition()]++
		if f.rereads[e.GetPosition()] <= maxRereads {
			return nil, nil, fault.Unavailable.New(fault.Cause(fmt.Errorf("position %d: %w", e.GetPosition(), errHash)))
		}
		delete(f.rereads, e.GetPosition())
		return nil, errHash, nil
	}
	return events, nil, nil
}
