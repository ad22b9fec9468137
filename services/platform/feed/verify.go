package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/onehall/onehall/services/platform/db"
)

// Counts is what a feed holds.
type Counts struct {
	// Events is all of them, Subjects the distinct ones.
	Events, Subjects int64
	// LastPosition is the highest position.
	LastPosition int64
}

// Count counts the feed.
func Count(ctx context.Context, q db.Querier) (Counts, error) {
	var c Counts
	err := q.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(DISTINCT subject), COALESCE(MAX(position), 0) FROM events`).
		Scan(&c.Events, &c.Subjects, &c.LastPosition)
	if err != nil {
		return c, fmt.Errorf("feed: count: %w", err)
	}
	return c, nil
}

// Finding is something in a feed that cannot be.
type Finding struct {
	// Subject is whose events are wrong; empty for the line as a whole.
	Subject string
	Problem string
}

// Verify looks for what cannot be: a gap in the positions or in a subject's sequence,
// times that do not rise within a subject, an order of positions against the sequence,
// content that does not have its hash. It reads every event, a page at a time; an
// honest feed gives no finding. At most 100 are given.
func Verify(ctx context.Context, q db.Querier) ([]Finding, error) {
	type state struct{ sequence, entered int64 }
	subjects := map[string]state{}
	var found []Finding
	report := func(subject, format string, args ...any) {
		if len(found) < 100 {
			found = append(found, Finding{subject, fmt.Sprintf(format, args...)})
		}
	}
	var position int64
	for {
		page, err := Page(ctx, q, position, maxPage)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if e.GetPosition() != position+1 {
				report("", "position %d is followed by %d", position, e.GetPosition())
			}
			position = e.GetPosition()
			before, entered := subjects[e.GetSubject()], db.Micros(e.GetEnteredAt().AsTime())
			if e.GetSequence() != before.sequence+1 {
				report(e.GetSubject(), "sequence %d is followed by %d at position %d", before.sequence, e.GetSequence(), position)
			}
			if entered <= before.entered {
				report(e.GetSubject(), "sequence %d was entered no later than the one before", e.GetSequence())
			}
			if sum := sha256.Sum256(e.GetResource()); !bytes.Equal(sum[:], e.GetResourceSha256()) {
				report(e.GetSubject(), "sequence %d does not have its hash", e.GetSequence())
			}
			subjects[e.GetSubject()] = state{e.GetSequence(), entered}
		}
		if len(page) == 0 {
			return found, nil
		}
	}
}
