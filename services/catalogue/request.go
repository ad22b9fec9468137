package catalogue

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
)

// request is who asks for a change, and by which request.
type request struct {
	access authn.Access
	key    string
	hash   []byte
}

// identified is a request message with a request id.
type identified interface {
	proto.Message
	GetRequestId() string
}

func requestOf(ctx context.Context, hall, method string, m identified) request {
	access, _ := authn.AccessFrom(ctx) // the permission interceptor refused whoever has none
	r := request{access: access}
	r.key = feed.RequestKey(hall, r.actor(), method, m.GetRequestId())
	r.hash = feed.RequestHash(m)
	return r
}

func (r request) actor() string {
	if r.access.Principal == nil {
		return ""
	}
	return r.access.Subject
}

// covers says whether a thing of the department is within the caller's reach.
func (r request) covers(department string) bool { return covers(r.access, department) }

func covers(a authn.Access, department string) bool {
	return a.Covers(lastPart(hallOf(department)), lastPart(department), "")
}

// happened writes the event of a change.
func (r request) happened(ctx context.Context, tx *db.Tx, kind, subject string, sequence int64, resource, detail proto.Message) error {
	_, err := r.told(ctx, tx, feed.Draft{Subject: subject, Sequence: sequence, Type: kind, Resource: resource, Detail: detail, RequestKey: r.key, RequestHash: r.hash})
	return err
}

// told writes an event and gives the bytes of its resource.
func (r request) told(ctx context.Context, tx *db.Tx, d feed.Draft) ([]byte, error) {
	d.Actor, d.ActorDepartment = r.actor(), r.access.Department
	e, err := feed.Append(ctx, tx, d)
	return e.GetResource(), err
}

// change runs a write once for its request. A request carried out before is answered
// from its event, whatever has become of the resource since.
func change[T proto.Message](ctx context.Context, s *Service, r request, lock string, stored T, fn func(context.Context, *db.Tx) (T, error)) (T, error) {
	var answer, none T
	err := s.db.Write(ctx, lock, func(ctx context.Context, tx *db.Tx) error {
		if err := feed.Check(ctx, tx, r.key, r.hash); err != nil {
			return err
		}
		a, err := fn(ctx, tx)
		if err == nil {
			answer = a
		}
		return err
	})
	if e, ok := feed.Replayed(err); ok {
		if err := proto.Unmarshal(e.GetResource(), stored); err != nil {
			return none, fmt.Errorf("resource of %s %d: %w", e.GetSubject(), e.GetSequence(), err)
		}
		return stored, nil
	}
	if err != nil {
		return none, err
	}
	return answer, nil
}

// decode reads a stored message.
func decode[T proto.Message](data []byte, into T) (T, error) {
	if err := proto.Unmarshal(data, into); err != nil {
		var none T
		return none, fmt.Errorf("stored %s: %w", into.ProtoReflect().Descriptor().FullName(), err)
	}
	return into, nil
}

// hallOf is the hall in a resource name: halls/441300 of halls/441300/items/….
func hallOf(name string) string {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "/" + parts[1]
}

// lastPart is the id at the end of a resource name.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// batch is change for a request that changes many things, or none, and therefore is
// remembered by its answer and not by an event.
func batch[T proto.Message](ctx context.Context, s *Service, r request, lock string, stored T, fn func(context.Context, *db.Tx) (T, error)) (T, error) {
	var answer, none T
	err := s.db.Write(ctx, lock, func(ctx context.Context, tx *db.Tx) error {
		before, err := store.Answer(ctx, tx, r.key, r.hash)
		if err != nil {
			return err
		}
		if before != nil {
			answer, err = decode(before, stored)
			return err
		}
		a, err := fn(ctx, tx)
		if err != nil {
			return err
		}
		answer = a
		return store.SaveAnswer(ctx, tx, r.key, r.hash, feed.Deterministic(a))
	})
	if err != nil {
		return none, err
	}
	return answer, nil
}
