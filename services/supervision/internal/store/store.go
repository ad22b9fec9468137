// Package store keeps the clocks of the cases and the cards raised against them.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of the service and of its feed.
var Migrations fs.FS = feed.WithMigrations(migrations)

// Clock is the row of one case.
type Clock struct {
	// Case is its resource name; Hall and Department are resource names too.
	Case, Hall, Department string
	ApplicantKey           string
	// Facts are the case as it was last told, shortened.
	Facts []byte
	// Raised are the keys of the findings already made, a blank between them.
	Raised string
	// Sequence is the last event of the case that was applied.
	Sequence int64
	// Revision counts the writes of this row; Save checks it.
	Revision int64
	// NextAt is when a finding falls due if nothing happens; zero for never.
	NextAt time.Time
	// Due sorts open clocks, the most urgent first.
	Due int64
	// Open tells that acceptance or decision is awaited.
	Open bool
	// Source is the service that tells of it and vouches for its silence.
	Source string
	// Terms are the steps that the item's revision published; empty for none.
	Terms []byte
	// Submitted is when a case was, Deeds are what was told of it, a line each.
	Submitted time.Time
	Deeds     string
	// Stage is what an open case waits in.
	Stage string
}

// GetClock reads a clock, or returns fault.NotFound.
func GetClock(ctx context.Context, q db.Querier, name string) (*Clock, error) {
	row, err := queries.New(q).GetClock(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.NotFound.New()
	}
	if err != nil {
		return nil, err
	}
	return clockOf(row), nil
}

// DueCases names what a source tells of that has a finding due before a moment, the
// earliest first.
func DueCases(ctx context.Context, q db.Querier, source string, before time.Time, limit int) ([]string, error) {
	return queries.New(q).DueCases(ctx, queries.DueCasesParams{Source: source, NextAt: db.Micros(before), Limit: int32(limit)})
}

// NextDue is the earliest moment at which a finding about a source's falls due; zero for
// never.
func NextDue(ctx context.Context, q db.Querier, source string) (time.Time, error) {
	at, err := queries.New(q).NextDue(ctx, source)
	return db.Time(at), err
}

// LiveCases names cases whose clocks still matter, by name after a name.
func LiveCases(ctx context.Context, q db.Querier, after string, limit int) ([]string, error) {
	return queries.New(q).LiveCases(ctx, queries.LiveCasesParams{CaseName: after, Limit: int32(limit)})
}

// ListClocks lists the open clocks of a department, else of a hall, the nearest due
// date first, after a place in that order.
func ListClocks(ctx context.Context, q db.Querier, hall, department string, afterDue int64, afterCase string, limit int) ([]*Clock, error) {
	var rows []queries.Clock
	var err error
	if department != "" {
		rows, err = queries.New(q).ListDepartmentClocks(ctx, queries.ListDepartmentClocksParams{
			Department: department, Due: afterDue, CaseName: afterCase, Limit: int32(limit)})
	} else {
		rows, err = queries.New(q).ListHallClocks(ctx, queries.ListHallClocksParams{
			Hall: hall, Due: afterDue, CaseName: afterCase, Limit: int32(limit)})
	}
	clocks := make([]*Clock, 0, len(rows))
	for _, r := range rows {
		clocks = append(clocks, clockOf(r))
	}
	return clocks, err
}

// PolicyVersion is the policy that the clocks were reckoned with; empty at first.
func PolicyVersion(ctx context.Context, q db.Querier) (string, error) {
	version, err := queries.New(q).PolicyVersion(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return version, err
}

// SetPolicyVersion notes the policy that the clocks are reckoned with.
func SetPolicyVersion(ctx context.Context, tx *db.Tx, version string) error {
	return queries.New(tx).SetPolicyVersion(ctx, version)
}

// ReckonPlace is how far reckoning again has come: the version it is for and the last
// case done. Both are empty when none is under way.
func ReckonPlace(ctx context.Context, q db.Querier) (version, after string, err error) {
	text, err := queries.New(q).ReckonPlace(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	version, after, _ = strings.Cut(text, "\t")
	return version, after, err
}

// SetReckonPlace notes how far it has come.
func SetReckonPlace(ctx context.Context, tx *db.Tx, version, after string) error {
	return queries.New(tx).SetReckonPlace(ctx, version+"\t"+after)
}

func clockOf(r queries.Clock) *Clock {
	if len(r.Terms) == 0 {
		r.Terms = nil // databases differ in how they give nothing back
	}
	return &Clock{
		Case: r.CaseName, Hall: r.Hall, Department: r.Department, ApplicantKey: r.ApplicantKey, Facts: r.Facts, Raised: r.Raised,
		Sequence: r.Sequence, Revision: r.Revision, NextAt: db.Time(r.NextAt), Due: r.Due, Open: r.Open,
		Source: r.Source, Terms: r.Terms, Submitted: db.Time(r.Submitted), Deeds: r.Deeds, Stage: r.Stage,
	}
}
