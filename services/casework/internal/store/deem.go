package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// NextHall is the first hall behind the given one that has cases; false when there is
// none. The primary key answers it without a look at the cases of a hall.
func NextHall(ctx context.Context, q db.Querier, behind string) (string, bool, error) {
	if behind != "" {
		// Longer than any number with the prefix, so it sorts behind all of them.
		behind += strings.Repeat("9", 16)
	}
	hall, err := queries.New(q).NextHall(ctx, behind)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("store: next hall: %w", err)
	}
	return hall, true, nil
}

// Unaccepted lists a hall's submitted cases whose last day to be accepted is before
// today, the longest waiting first, after the given one. It is the inbox's index that
// finds them, so that a filing writes no index of its own for it.
func Unaccepted(ctx context.Context, q db.Querier, hall string, today rules.Day, after Entry, size int) ([]Entry, error) {
	rows, err := queries.New(q).ListUnaccepted(ctx, queries.ListUnacceptedParams{
		Hall: hall, AfterDue: int64(after.Due), AfterCaseNo: after.CaseNo, Today: int64(today), Size: int64(size),
	})
	if err != nil {
		return nil, fmt.Errorf("store: unaccepted: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{CaseNo: r.CaseNo, Due: rules.Day(r.Due)}
	}
	return out, nil
}
