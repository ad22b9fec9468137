package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/onehall/onehall/services/catalogue/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Numbered is a version of the calendar or of a hall's policy.
type Numbered struct {
	Version int64
	Data    []byte
}

// InsertCalendar writes the next version; fault.Conflict when another one took its place.
func InsertCalendar(ctx context.Context, tx *db.Tx, version int64, data []byte) error {
	n, err := queries.New(tx).InsertCalendar(ctx, queries.InsertCalendarParams{Version: version, Data: data})
	return one(n, err, fault.Conflict)
}

// AllCalendars are the published versions in order.
func AllCalendars(ctx context.Context, q db.Querier) ([]Numbered, error) {
	rows, err := queries.New(q).AllCalendars(ctx)
	all := make([]Numbered, 0, len(rows))
	for _, r := range rows {
		all = append(all, Numbered(r))
	}
	return all, err
}

// GetCalendar reads a published version, or returns fault.NotFound.
func GetCalendar(ctx context.Context, q db.Querier, version int64) ([]byte, error) {
	return found(queries.New(q).GetCalendar(ctx, version))
}

// ListCalendars lists published versions before one, newest first; 0 begins.
func ListCalendars(ctx context.Context, q db.Querier, before int64, size int) ([]Numbered, error) {
	rows, err := queries.New(q).ListCalendars(ctx, queries.ListCalendarsParams{Before: orAll(before), Size: int64(size)})
	all := make([]Numbered, 0, len(rows))
	for _, r := range rows {
		all = append(all, Numbered(r))
	}
	return all, err
}

func orAll(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}

// Policy is a hall's policy as stored; State is that of the contract's enum.
type Policy struct {
	Hall                                string
	Version, State, Effective, Sequence int64
	Data                                []byte
}

// InsertPolicy writes the next version; fault.Conflict when another one took its place.
func InsertPolicy(ctx context.Context, tx *db.Tx, p Policy) error {
	n, err := queries.New(tx).InsertPolicy(ctx, queries.InsertPolicyParams(p))
	return one(n, err, fault.Conflict)
}

// UpdatePolicy replaces a policy that still is at the sequence before.
func UpdatePolicy(ctx context.Context, tx *db.Tx, p Policy) error {
	n, err := queries.New(tx).UpdatePolicy(ctx, queries.UpdatePolicyParams{State: p.State, Sequence: p.Sequence, Data: p.Data, Hall: p.Hall, Version: p.Version})
	return one(n, err, fault.Conflict)
}

// GetPolicy reads a policy, or returns fault.NotFound.
func GetPolicy(ctx context.Context, q db.Querier, hall string, version int64) (Policy, error) {
	row, err := queries.New(q).GetPolicy(ctx, queries.GetPolicyParams{Hall: hall, Version: version})
	return found(Policy{Hall: hall, Version: version, Sequence: row.Sequence, Data: row.Data}, err)
}

// LastPolicy is the last version of a hall's policy; 0 when it has none.
func LastPolicy(ctx context.Context, q db.Querier, hall string) (int64, error) {
	return queries.New(q).LastPolicy(ctx, hall)
}

// PolicyInForce is the published policy that holds on a day; nil when the hall has none.
func PolicyInForce(ctx context.Context, q db.Querier, hall string, day int64) ([]byte, error) {
	data, err := queries.New(q).PolicyInForce(ctx, queries.PolicyInForceParams{Hall: hall, Effective: day})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: policy in force: %w", err)
	}
	return data, nil
}

// ListPolicies lists a hall's policies before one, newest first; 0 begins.
func ListPolicies(ctx context.Context, q db.Querier, hall string, before int64, size int) ([]Numbered, error) {
	rows, err := queries.New(q).ListPolicies(ctx, queries.ListPoliciesParams{Hall: hall, Before: orAll(before), Size: int64(size)})
	all := make([]Numbered, 0, len(rows))
	for _, r := range rows {
		all = append(all, Numbered(r))
	}
	return all, err
}
