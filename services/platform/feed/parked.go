package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// maxReason is how much of an error is kept with a parked event.
const maxReason = 2000

// behindReason is the reason of events that are parked for no fault of their own.
const behindReason = "behind an earlier parked event of the same subject"

// ParkedEvent is an event that waits to be released or skipped.
type ParkedEvent struct {
	Source, Name string
	Event        *feedv1.Event
	// Reason is why it could not be applied; Attempts how often that was tried.
	Reason   string
	Attempts int64
	ParkedAt time.Time
	// SkippedAt, SkippedBy and SkipReason tell who gave it up; zero while it waits.
	SkippedAt             time.Time
	SkippedBy, SkipReason string
}

// write applies events and moves the cursor in one transaction. Events of a parked
// subject are parked behind it instead.
func (f *Follower) write(ctx context.Context, position int64, events []*feedv1.Event) error {
	var applied, parked int
	err := f.DB.Write(ctx, f.key(), func(ctx context.Context, tx *db.Tx) error {
		if err := f.move(ctx, tx, position, events[len(events)-1].GetPosition()); err != nil {
			return err
		}
		if err := tx.ByKey(ctx); err != nil {
			return err
		}
		if err := f.noteSubjects(ctx, tx, events); err != nil {
			return err
		}
		free, behind, err := f.split(ctx, tx, events)
		if err != nil {
			return err
		}
		for _, e := range behind {
			if err := f.insertParked(ctx, tx, e, behindReason, 0); err != nil {
				return err
			}
		}
		if len(free) > 0 {
			if err := f.Apply(ctx, tx, free); err != nil {
				return err
			}
		}
		applied, parked = len(free), len(behind)
		return nil
	})
	if err == nil {
		f.note(func(s *FollowerStatus) { s.Applied += int64(applied); s.Parked += int64(parked) })
	}
	return err
}

// key is the line in which the follower's writes queue.
func (f *Follower) key() string { return followerKey(f.Source, f.Name) }

func followerKey(source, name string) string { return "~follow/" + source + "/" + name }

// split parts the events into those to apply and those whose subject is parked.
func (f *Follower) split(ctx context.Context, tx *db.Tx, events []*feedv1.Event) (free, behind []*feedv1.Event, err error) {
	var any bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM parked_events WHERE source = $1 AND name = $2 AND skipped_at = 0)`,
		f.Source, f.Name).Scan(&any)
	if err != nil {
		return nil, nil, fmt.Errorf("feed: parked events: %w", err)
	}
	if !any {
		return events, nil, nil
	}
	parked := map[string]bool{}
	for _, e := range events {
		is, known := parked[e.GetSubject()]
		if !known {
			err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM parked_events
WHERE source = $1 AND name = $2 AND subject = $3 AND skipped_at = 0)`, f.Source, f.Name, e.GetSubject()).Scan(&is)
			if err != nil {
				return nil, nil, fmt.Errorf("feed: parked events: %w", err)
			}
			parked[e.GetSubject()] = is
		}
		if is {
			behind = append(behind, e)
		} else {
			free = append(free, e)
		}
	}
	return free, behind, nil
}

// park sets one event aside with the reason and moves on.
func (f *Follower) park(ctx context.Context, position int64, e *feedv1.Event, cause error) error {
	err := f.DB.Write(ctx, f.key(), func(ctx context.Context, tx *db.Tx) error {
		if err := f.move(ctx, tx, position, e.GetPosition()); err != nil {
			return err
		}
		if err := f.noteSubjects(ctx, tx, []*feedv1.Event{e}); err != nil {
			return err
		}
		return f.insertParked(ctx, tx, e, cause.Error(), 1)
	})
	if err != nil {
		return err
	}
	f.note(func(s *FollowerStatus) { s.Parked++ })
	f.Log.Error("feed: event parked", "source", f.Source, "follower", f.Name, "reason", fault.EventPoisoned.Name,
		"position", e.GetPosition(), "subject", e.GetSubject(), "sequence", e.GetSequence(), "type", e.GetType(), "err", cause)
	return nil
}

func (f *Follower) insertParked(ctx context.Context, tx *db.Tx, e *feedv1.Event, reason string, attempts int64) error {
	raw, err := proto.Marshal(e)
	if err != nil {
		return fmt.Errorf("feed: park: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO parked_events (source, name, position, subject, sequence, event, reason, attempts,
  parked_at, skipped_at, skipped_by, skip_reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', '')`,
		f.Source, f.Name, e.GetPosition(), e.GetSubject(), e.GetSequence(), raw, clip(reason), attempts, db.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("feed: park: %w", err)
	}
	return nil
}

// clip shortens a reason and makes it storable: PostgreSQL takes no NUL and no broken UTF-8.
func clip(s string) string {
	b := []rune(s)
	kept := b[:0]
	for _, r := range b {
		if r != 0 && len(kept) < maxReason {
			kept = append(kept, r)
		}
	}
	return string(kept)
}

// parkedPlace is a place in the list of what waits.
type parkedPlace struct {
	source   string
	position int64
}

const parkedColumns = `source, name, event, reason, attempts, parked_at, skipped_at, skipped_by, skip_reason`

// listParked lists events that wait, of one source or, when it is empty, of all, in the
// order of source and position behind a place.
func listParked(ctx context.Context, q db.Querier, source string, from parkedPlace, limit int) (all []ParkedEvent, err error) {
	rows, err := q.QueryContext(ctx, `SELECT `+parkedColumns+` FROM parked_events
WHERE skipped_at = 0 AND (source > $1 OR source = $1 AND position > $2) AND (CAST($3 AS TEXT) = '' OR source = $3)
ORDER BY source, position LIMIT $4`, from.source, from.position, source, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("feed: parked events: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		p, err := scanParked(rows)
		if err != nil {
			return nil, fmt.Errorf("feed: parked events: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

func scanParked(row scanner) (ParkedEvent, error) {
	var p ParkedEvent
	var raw []byte
	var parked, skipped int64
	err := row.Scan(&p.Source, &p.Name, &raw, &p.Reason, &p.Attempts, &parked, &skipped, &p.SkippedBy, &p.SkipReason)
	if err != nil {
		return p, err
	}
	p.ParkedAt, p.SkippedAt = db.Time(parked), db.Time(skipped)
	p.Event = &feedv1.Event{}
	return p, proto.Unmarshal(raw, p.Event)
}

// CountParked is how many events wait, of all sources.
func CountParked(ctx context.Context, q db.Querier) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM parked_events WHERE skipped_at = 0`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("feed: count parked: %w", err)
	}
	return n, nil
}

// firstParked locks the follower's cursor, so that no event is parked behind the last
// one while that is being released, and finds the subject's first waiting event.
func firstParked(ctx context.Context, tx *db.Tx, source, name, subject string) (*ParkedEvent, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE cursors SET position = position WHERE source = $1 AND name = $2`, source, name); err != nil {
		return nil, fmt.Errorf("feed: lock cursor: %w", err)
	}
	return firstWaiting(ctx, tx, source, name, subject)
}

// firstWaiting is the subject's first waiting event, nil when none waits.
func firstWaiting(ctx context.Context, q db.Querier, source, name, subject string) (*ParkedEvent, error) {
	p, err := scanParked(q.QueryRowContext(ctx, `SELECT `+parkedColumns+` FROM parked_events
WHERE source = $1 AND name = $2 AND subject = $3 AND skipped_at = 0 ORDER BY position LIMIT 1`, source, name, subject))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("feed: parked event: %w", err)
	}
	return &p, nil
}

// Release applies a subject's parked events again, in their order, each in its own
// transaction, and stops at the first that still fails. It gives how many it freed
// and why it stopped.
func (f *Follower) Release(ctx context.Context, subject string) (int, error) {
	freed := 0
	for {
		p, err := f.releaseFirst(ctx, subject)
		switch {
		case err == nil && p == nil:
			return freed, nil
		case err == nil:
			freed++
			continue
		case p != nil && !temporary(ctx, err):
			err = errors.Join(err, noteAttempt(ctx, f.DB, p, err))
		}
		return freed, err
	}
}

// releaseFirst applies the subject's first waiting event; it gives the event, nil when
// none waits.
func (f *Follower) releaseFirst(ctx context.Context, subject string) (p *ParkedEvent, err error) {
	err = f.DB.Write(ctx, f.key(), func(ctx context.Context, tx *db.Tx) error {
		first, err := firstParked(ctx, tx, f.Source, f.Name, subject)
		p = first
		if err != nil || first == nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM parked_events WHERE source = $1 AND name = $2 AND position = $3`,
			f.Source, f.Name, first.Event.GetPosition()); err != nil {
			return fmt.Errorf("feed: release: %w", err)
		}
		return f.Apply(ctx, tx, []*feedv1.Event{first.Event})
	})
	return p, err
}

// noteAttempt keeps the newest reason why an event cannot be applied.
func noteAttempt(ctx context.Context, d *db.DB, p *ParkedEvent, cause error) error {
	return d.Write(ctx, followerKey(p.Source, p.Name), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE parked_events SET reason = $4, attempts = attempts + 1
WHERE source = $1 AND name = $2 AND position = $3 AND skipped_at = 0`, p.Source, p.Name, p.Event.GetPosition(), clip(cause.Error()))
		return err
	})
}

// Skip gives up a subject's parked events up to a position: they will never be applied,
// and stay in the table with who said so and why. The events behind them can then be
// released. It gives how many up to that position are given up in all, so that a
// repetition has the same answer.
func Skip(ctx context.Context, d *db.DB, source, name, subject string, upTo int64, by, reason string) (int64, error) {
	if by == "" || reason == "" {
		return 0, fault.ReasonRequired.New(fault.Field("reason"))
	}
	var skipped int64
	err := d.Write(ctx, followerKey(source, name), func(ctx context.Context, tx *db.Tx) error {
		if _, err := firstParked(ctx, tx, source, name, subject); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE parked_events SET skipped_at = $5, skipped_by = $6, skip_reason = $7
WHERE source = $1 AND name = $2 AND subject = $3 AND position <= $4 AND skipped_at = 0`,
			source, name, subject, upTo, db.Micros(tx.Now()), by, clip(reason)); err != nil {
			return fmt.Errorf("feed: skip: %w", err)
		}
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM parked_events
WHERE source = $1 AND name = $2 AND subject = $3 AND position <= $4 AND skipped_at > 0`, source, name, subject, upTo).Scan(&n); err != nil {
			return fmt.Errorf("feed: skip: %w", err)
		}
		skipped = n
		return nil
	})
	return skipped, err
}
