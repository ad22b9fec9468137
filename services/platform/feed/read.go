package feed

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

const eventColumns = `position, subject, sequence, type, resource_type, resource, resource_sha256,
  actor, actor_department, happened_at, entered_at, detail, detail_type`

// History is a subject's events after a sequence, oldest first; limit of 0 or less means 500.
func History(ctx context.Context, q db.Querier, subject string, afterSequence int64, limit int) ([]*feedv1.Event, error) {
	if limit <= 0 {
		limit = 500
	}
	return events(ctx, q, `SELECT `+eventColumns+` FROM events
WHERE subject = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`, subject, afterSequence, int64(limit))
}

// Page is the events after a position, oldest first.
func Page(ctx context.Context, q db.Querier, after int64, limit int) ([]*feedv1.Event, error) {
	return events(ctx, q, `SELECT `+eventColumns+` FROM events
WHERE position > $1 ORDER BY position LIMIT $2`, after, int64(limit))
}

// LastSequence is the sequence of a subject's latest event, 0 for none.
func LastSequence(ctx context.Context, q db.Querier, subject string) (int64, error) {
	if err := written(ctx, q); err != nil {
		return 0, err
	}
	var last int64
	err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(sequence), 0) FROM events WHERE subject = $1`, subject).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("feed: last sequence: %w", err)
	}
	return last, nil
}

// ByRequest is the event that a request caused, or nil when it caused none yet.
func ByRequest(ctx context.Context, q db.Querier, requestKey string) (*feedv1.Event, error) {
	e, _, err := byRequest(ctx, q, requestKey)
	return e, err
}

// Check tells a repeated request from a new one: nil for a new one, ErrReplayed with
// the event for one carried out before, fault.RequestIDReused when the id was used
// with other content. A service asks it before it decides, since the decision made
// for the first may not be open to the second; Append asks again in any case.
func Check(ctx context.Context, q db.Querier, requestKey string, requestHash []byte) error {
	e, hash, err := byRequest(ctx, q, requestKey)
	switch {
	case err != nil:
		return err
	case e == nil:
		return nil
	case !bytes.Equal(hash, requestHash):
		return fault.RequestIDReused.New()
	}
	return ErrReplayed{e}
}

func byRequest(ctx context.Context, q db.Querier, requestKey string) (*feedv1.Event, []byte, error) {
	if requestKey == "" {
		return nil, nil, nil
	}
	if err := written(ctx, q); err != nil {
		return nil, nil, err
	}
	var hash []byte
	e, err := scan(q.QueryRowContext(ctx, `SELECT `+eventColumns+`, request_hash FROM events WHERE request_key = $1`, requestKey), &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("feed: event of request: %w", err)
	}
	return e, hash, nil
}

func events(ctx context.Context, q db.Querier, query string, args ...any) (all []*feedv1.Event, err error) {
	if err := written(ctx, q); err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("feed: read events: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("feed: read events: %w", err)
		}
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("feed: read events: %w", err)
	}
	return all, nil
}

// written makes a transaction write the events it has appended, so that it sees them.
func written(ctx context.Context, q db.Querier) error {
	if tx, ok := q.(*db.Tx); ok {
		return tx.SendLast(ctx)
	}
	return nil
}

type scanner interface{ Scan(dest ...any) error }

// scan reads an event, and what more columns there are into more.
func scan(row scanner, more ...any) (*feedv1.Event, error) {
	var e feedv1.Event
	var happened, entered int64
	dest := append([]any{&e.Position, &e.Subject, &e.Sequence, &e.Type, &e.ResourceType, &e.Resource, &e.ResourceSha256,
		&e.Actor, &e.ActorDepartment, &happened, &entered, &e.Detail, &e.DetailType}, more...)
	if err := row.Scan(dest...); err != nil {
		return nil, err
	}
	e.HappenedAt = timestamppb.New(db.Time(happened))
	e.EnteredAt = timestamppb.New(db.Time(entered))
	return &e, nil
}
