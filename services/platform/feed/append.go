package feed

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Draft is an event before it is written.
type Draft struct {
	// Subject is the resource name of what it happened to.
	Subject string
	// Sequence is the place among the subject's events: 1 for the first, and one more
	// than the state the change was decided on (its etag) for each later one.
	Sequence int64
	// Type is what happened, as "case.accepted".
	Type string
	// Resource is the whole resource after the change, personal fields masked.
	Resource proto.Message
	// Actor is the subject of the verified token, or "system/<role>";
	// ActorDepartment the actor's, if an official.
	Actor, ActorDepartment string
	// HappenedAt is when it happened, as claimed. Zero means as it is entered.
	HappenedAt time.Time
	// Detail is what the resource does not show, or nil.
	Detail proto.Message
	// RequestKey and RequestHash are of the request that caused it; empty for a
	// change that no request caused.
	RequestKey  string
	RequestHash []byte
}

// ErrReplayed is returned by Append when the request was already carried out. The
// caller answers from its event and changes nothing.
type ErrReplayed struct {
	// Event is what the request caused the first time.
	Event *feedv1.Event
}

// Error says so.
func (e ErrReplayed) Error() string {
	return fmt.Sprintf("request already carried out: %s sequence %d", e.Event.GetSubject(), e.Event.GetSequence())
}

// Replayed is the event of an ErrReplayed in the chain of err.
func Replayed(err error) (*feedv1.Event, bool) {
	var r ErrReplayed
	if errors.As(err, &r) {
		return r.Event, true
	}
	return nil, false
}

// The first event of a subject stands on nothing. Each later one is written only where
// the one before it is, so that a subject never has a gap; and its time is pushed on, so
// that it rises within a subject even when the clock stood still or went back. The
// position is the next one: such statements take turns.
const (
	eventColumnsIn = `INSERT INTO events (position, subject, sequence, type, resource_type, resource, resource_sha256,
  actor, actor_department, happened_at, entered_at, detail, detail_type, request_key, request_hash)
`
	eventValues = `(SELECT COALESCE(MAX(position), 0) + 1 FROM events), CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), $5, $6,
  CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS BIGINT),
  CASE WHEN CAST($2 AS BIGINT) = 1 THEN CAST($10 AS BIGINT) ELSE (SELECT CASE WHEN p.entered_at >= CAST($10 AS BIGINT) THEN p.entered_at + 1 ELSE CAST($10 AS BIGINT) END
    FROM events p WHERE p.subject = CAST($1 AS TEXT) AND p.sequence = CAST($2 AS BIGINT) - 1) END,
  $11, CAST($12 AS TEXT), CAST($13 AS TEXT), $14`
	// insertEvent fails where the sequence or the request is taken, and where there would
	// be a gap: the time is then of no event.
	insertEvent = eventColumnsIn + `VALUES (` + eventValues + `) RETURNING position, entered_at`
	// insertCarefully inserts nothing in these cases.
	insertCarefully = eventColumnsIn + `SELECT ` + eventValues + `
WHERE CAST($2 AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM events p WHERE p.subject = CAST($1 AS TEXT) AND p.sequence = CAST($2 AS BIGINT) - 1)
ON CONFLICT DO NOTHING RETURNING position, entered_at`
)

// Append writes an event, in the transaction of the change it reports, as the last thing
// done there. When the Write ends well, the event has its position and its time. It ends
//   - with ErrReplayed when the same request was carried out before,
//   - with fault.RequestIDReused when its id was used for a request of other content,
//   - with fault.Conflict, with the current sequence as metadata "sequence", when the
//     sequence is taken or would leave a gap.
//
// Append itself tells so where it can, see db.Tx.Last. None of the three has written
// anything.
func Append(ctx context.Context, tx *db.Tx, draft Draft) (*feedv1.Event, error) {
	e, err := draft.event()
	if err != nil {
		return nil, err
	}
	var key sql.NullString
	if draft.RequestKey != "" {
		key = sql.NullString{String: draft.RequestKey, Valid: true}
	}
	err = tx.Last(ctx, db.Last{
		Query: insertEvent, Careful: insertCarefully,
		Args: func(now time.Time) []any {
			happened := draft.HappenedAt
			if happened.IsZero() {
				happened = now
			}
			e.HappenedAt = timestamppb.New(happened.Truncate(time.Microsecond))
			return []any{
				e.Subject, e.Sequence, e.Type, e.ResourceType, e.Resource, e.ResourceSha256, e.Actor, e.ActorDepartment,
				db.Micros(happened), db.Micros(now), e.Detail, e.DetailType, key, draft.RequestHash,
			}
		},
		Into:      []any{&e.Position, (*entered)(e)},
		Otherwise: func(ctx context.Context) error { return refusal(ctx, tx, draft) },
	})
	if err != nil {
		return nil, fmt.Errorf("feed: append %s: %w", draft.Type, err)
	}
	return e, nil
}

// entered takes an event's time from the database.
type entered feedv1.Event

// Scan implements sql.Scanner.
func (e *entered) Scan(v any) error {
	us, ok := v.(int64)
	if !ok {
		return fmt.Errorf("feed: entered at %T", v)
	}
	e.EnteredAt = timestamppb.New(db.Time(us))
	return nil
}

// refusal finds out why nothing was inserted.
func refusal(ctx context.Context, q db.Querier, draft Draft) error {
	if err := Check(ctx, q, draft.RequestKey, draft.RequestHash); err != nil {
		return err
	}
	last, err := LastSequence(ctx, q, draft.Subject)
	if err != nil {
		return err
	}
	return fault.Conflict.New(fault.Meta("sequence", strconv.FormatInt(last, 10)))
}

// event checks the draft and makes the message, but for its position and its times.
func (d Draft) event() (*feedv1.Event, error) {
	if d.Subject == "" || d.Type == "" || d.Actor == "" || d.Sequence < 1 || d.Resource == nil {
		return nil, fmt.Errorf("feed: draft of %q lacks subject, type, actor, sequence or resource", d.Type)
	}
	if (d.RequestKey == "") != (len(d.RequestHash) == 0) {
		return nil, fmt.Errorf("feed: draft of %q has only one of request key and hash", d.Type)
	}
	e := &feedv1.Event{
		Subject: d.Subject, Sequence: d.Sequence, Type: d.Type, Actor: d.Actor, ActorDepartment: d.ActorDepartment,
		ResourceType: string(d.Resource.ProtoReflect().Descriptor().FullName()), Detail: []byte{},
	}
	var err error
	opts := proto.MarshalOptions{Deterministic: true}
	if e.Resource, err = opts.Marshal(d.Resource); err != nil {
		return nil, fmt.Errorf("feed: resource of %s: %w", d.Type, err)
	}
	if e.Resource == nil {
		e.Resource = []byte{}
	}
	sum := sha256.Sum256(e.Resource)
	e.ResourceSha256 = sum[:]
	if d.Detail != nil {
		e.DetailType = string(d.Detail.ProtoReflect().Descriptor().FullName())
		if e.Detail, err = opts.Marshal(d.Detail); err != nil {
			return nil, fmt.Errorf("feed: detail of %s: %w", d.Type, err)
		}
		if e.Detail == nil {
			e.Detail = []byte{}
		}
	}
	return e, nil
}
