package store

import (
	"context"
	"fmt"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Stale lists a hall's cases that wait in a stage and were reckoned with an older book,
// after the given one. The inbox's index finds them, so that a filing writes none for it.
func Stale(ctx context.Context, q db.Querier, hall string, stage rules.Stage, book int64, after Entry, size int) ([]Entry, error) {
	rows, err := queries.New(q).ListStale(ctx, queries.ListStaleParams{
		Hall: hall, Stage: int64(stage), AfterDue: int64(after.Due), AfterCaseNo: after.CaseNo, Reckoned: book, Size: int64(size),
	})
	if err != nil {
		return nil, fmt.Errorf("store: stale: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{CaseNo: r.CaseNo, Due: rules.Day(r.Due)}
	}
	return out, nil
}

// StaleDated lists those of a hall's cases that wait in no inbox, have days all the same,
// and were reckoned with an older book, after the given one.
func StaleDated(ctx context.Context, q db.Querier, hall string, book int64, after Entry, size int) ([]Entry, error) {
	rows, err := queries.New(q).ListStaleDated(ctx, queries.ListStaleDatedParams{Hall: hall, AfterCaseNo: after.CaseNo, Reckoned: book, Size: int64(size)})
	if err != nil {
		return nil, fmt.Errorf("store: stale dated: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{CaseNo: r.CaseNo, Due: rules.Day(r.Due)}
	}
	return out, nil
}

// MarkReckoned notes that a book moves nothing in a case that is still as it was read.
func MarkReckoned(ctx context.Context, tx *db.Tx, r Row, book int64) error {
	res, err := queries.New(tx).MarkReckoned(ctx, queries.MarkReckonedParams{Reckoned: book, CaseNo: r.CaseNo, Seq: r.Seq})
	if err != nil {
		return fmt.Errorf("store: mark reckoned: %w", err)
	}
	return tx.Expect(ctx, res, 1, func(context.Context) error { return fault.Conflict.New() })
}
