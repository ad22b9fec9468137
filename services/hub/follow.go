package hub

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/workday"
)

// applier applies events of a source within the transaction that moves the cursor.
type applier func(ctx context.Context, tx *db.Tx, src *source, events []*feedv1.Event) error

// appliers are what is done with each feed.
var appliers = map[string]applier{
	"catalogue": applyCatalogue, "casework": applyCases, "review": applyReviews, "supervision": applyCards,
}

// decode reads the events that carry a message of T's type, and calls each. All of a
// batch are looked at before anything is written: what cannot be read or cannot be true
// is told apart from what can, whichever events it arrives with.
func decode[T any, M interface {
	*T
	proto.Message
}](src *source, events []*feedv1.Event, each func(e *feedv1.Event, m M) error) error {
	want := string(M(new(T)).ProtoReflect().Descriptor().FullName())
	for _, e := range events {
		if e.GetResourceType() != want {
			continue
		}
		m := M(new(T))
		if err := proto.Unmarshal(e.GetResource(), m); err != nil {
			return fmt.Errorf("%s of %s: %w", want, e.GetSubject(), err)
		}
		hall, ok := hallOf(e.GetSubject())
		if !ok {
			return fmt.Errorf("%s: %q is in no hall", want, e.GetSubject())
		}
		if !src.speaksFor(hall) {
			return fmt.Errorf("%s: source %s does not speak for %s", e.GetSubject(), src.name, hall)
		}
		if err := each(e, m); err != nil {
			return fmt.Errorf("%s: %w", e.GetSubject(), err)
		}
	}
	return nil
}

// hallOf is the hall in a resource name: halls/441300 of halls/441300/cases/….
func hallOf(name string) (string, bool) {
	const length = len("halls/441300")
	if !strings.HasPrefix(name, "halls/") || len(name) < length || len(name) > length && name[length] != '/' {
		return "", false
	}
	for _, r := range name[len("halls/"):length] {
		if r < '0' || r > '9' {
			return "", false
		}
	}
	return name[:length], true
}

// day is the day of a moment in China, 0 for none. One that lies too far ahead of now
// cannot be.
func (src *source) day(now time.Time, t *timestamppb.Timestamp) (workday.Date, error) {
	if t == nil {
		return 0, nil
	}
	at := t.AsTime()
	if at.After(now.Add(src.maxAhead)) {
		return 0, fmt.Errorf("%v lies in the future", at)
	}
	d := workday.DateOf(at)
	if d <= 0 {
		return 0, fmt.Errorf("%v is no time of a case", at)
	}
	return d, nil
}
