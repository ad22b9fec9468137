package casework

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/db"
)

const (
	// overduePage is how many cases that wait too long are told in one transaction.
	overduePage = 100
	// overdueEvery is how often it is looked for them.
	overdueEvery = time.Hour
)

// tellOverdue tells, every hour, what has waited too long for a row that never came: the
// case then shows the gap, and supervision its card (H2, P1). A row that comes after all
// is a correction.
func (s *Service) tellOverdue(ctx context.Context) error {
	for {
		timer := s.clock.NewTimer(overdueEvery)
		if err := s.tellOverdueOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "rows that wait too long are put off", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C():
		}
	}
}

func (s *Service) tellOverdueOnce(ctx context.Context) error {
	for {
		now := s.clock.Now()
		found, err := store.OverdueGaps(ctx, s.db.Read(), now.Add(-s.gapLimit), overduePage)
		if err != nil || len(found) == 0 {
			return err
		}
		bySource := map[string][]string{}
		for _, g := range found {
			bySource[g.Source] = append(bySource[g.Source], g.SourceCaseNo)
		}
		for source, cases := range bySource {
			if err := s.force(ctx, source, cases, now); err != nil {
				return err
			}
		}
	}
}

// force tells cases of a source with what there is.
func (s *Service) force(ctx context.Context, source string, cases []string, now time.Time) error {
	row, ok, err := store.GetSource(ctx, s.db.Read(), source)
	if err != nil || !ok {
		return errors.Join(err, missingSource(ok))
	}
	src, err := sourceOf(row)
	if err != nil {
		return err
	}
	return s.told(ctx, source, func(ctx context.Context, tx *db.Tx) error {
		b := newBatch(&ingest{s: s, source: src, now: now}, tx)
		if err := store.LockSource(ctx, tx, source); err != nil {
			return err
		}
		if err := b.load(ctx, cases); err != nil {
			return err
		}
		for _, c := range b.cases {
			c.changed, c.known.Forced = true, true
		}
		if err := b.tellCases(ctx); err != nil {
			return err
		}
		return b.save(ctx)
	})
}

func missingSource(ok bool) error {
	if ok {
		return nil
	}
	return errors.New("casework: rows wait of a source that is not registered")
}
