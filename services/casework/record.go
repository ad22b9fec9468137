package casework

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// record writes one change of a resource that is no case. decide reads, tells by note
// what happened, and writes the resource; note comes before any write, since a request
// that was carried out before ends there. out becomes the resource of the event, of this
// or of the first time. What was decided on a state that somebody else changed meanwhile
// is decided again.
func (s *Service) record(ctx context.Context, a authn.Access, r request, key string, out proto.Message,
	decide func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error) error {
	for try := 1; ; try++ {
		var last proto.Message
		err := s.db.Write(ctx, key, func(ctx context.Context, tx *db.Tx) error {
			var noted proto.Message
			err := decide(ctx, tx, func(d feed.Draft) error {
				d.Actor, d.ActorDepartment, d.RequestKey, d.RequestHash = a.Subject, a.Department, r.key, r.hash
				noted = d.Resource
				_, err := feed.Append(ctx, tx, d)
				return err
			})
			if err == nil {
				last = noted
			}
			return err
		})
		if err == nil {
			proto.Merge(out, last)
			return nil
		}
		if errors.Is(err, fault.Conflict) && try < conflictTries {
			continue
		}
		if _, again := feed.Replayed(err); !again {
			err = s.refused(ctx, r, err)
		}
		e, again := feed.Replayed(err)
		if !again {
			return err
		}
		if err := proto.Unmarshal(e.GetResource(), out); err != nil {
			return fmt.Errorf("casework: resource of event %d of %s: %w", e.GetSequence(), e.GetSubject(), err)
		}
		return nil
	}
}

// unmarshal reads a resource that this service stored.
func unmarshal[T proto.Message](data []byte, into T) (T, error) {
	if err := proto.Unmarshal(data, into); err != nil {
		return into, fmt.Errorf("casework: stored %s: %w", into.ProtoReflect().Descriptor().Name(), err)
	}
	return into, nil
}
