package store

import (
	"context"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// OfficeEnd is an application that an office ended without a decision.
type OfficeEnd struct {
	CaseNo string
	Ended  time.Time
}

// InsertOfficeEnd notes that an office ended an application.
func InsertOfficeEnd(ctx context.Context, tx *db.Tx, applicantKey, item string, e OfficeEnd) error {
	err := queries.New(tx).InsertOfficeEnd(ctx, queries.InsertOfficeEndParams{ApplicantKey: applicantKey, Item: item, EndedAt: db.Micros(e.Ended), CaseNo: e.CaseNo})
	if err != nil {
		return fmt.Errorf("store: office end: %w", err)
	}
	return nil
}

// OfficeEnds are those of an applicant and an item between two moments, the latest first.
func OfficeEnds(ctx context.Context, q db.Querier, applicantKey, item string, since, until time.Time) ([]OfficeEnd, error) {
	rows, err := queries.New(q).OfficeEnds(ctx, queries.OfficeEndsParams{ApplicantKey: applicantKey, Item: item, Since: db.Micros(since), Until: db.Micros(until)})
	if err != nil {
		return nil, fmt.Errorf("store: office ends: %w", err)
	}
	out := make([]OfficeEnd, len(rows))
	for i, r := range rows {
		out[i] = OfficeEnd{CaseNo: r.CaseNo, Ended: db.Time(r.EndedAt)}
	}
	return out, nil
}
