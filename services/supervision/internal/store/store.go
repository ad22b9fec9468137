// Package store keeps the clocks of the cases and the cards raised against them.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"math"
	"time"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/supervision/internal/rules"
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
}

// Card is a stored card. Data is the message as it was last written.
type Card struct {
	ID                              int64
	Name, Hall, Department, Subject string
	Level                           rules.Level
	// Standing is false once it was revoked.
	Standing bool
	Sequence int64
	Data     []byte
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

// DueCases names cases with a finding due before a moment, the earliest first.
func DueCases(ctx context.Context, q db.Querier, before time.Time, limit int) ([]string, error) {
	return queries.New(q).DueCases(ctx, queries.DueCasesParams{NextAt: db.Micros(before), Limit: int32(limit)})
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

// InsertCard writes a new card and reports whether it is new: one of the same name
// is the same card, raised before.
func InsertCard(ctx context.Context, tx *db.Tx, c Card) (bool, error) {
	n, err := queries.New(tx).InsertCard(ctx, queries.InsertCardParams{
		ID: c.ID, Name: c.Name, Hall: c.Hall, Department: c.Department, Subject: c.Subject, Level: int64(c.Level), Data: c.Data,
	})
	return n == 1, err
}

// GetCard reads a card, or returns fault.NotFound.
func GetCard(ctx context.Context, q db.Querier, name string) (Card, error) {
	row, err := queries.New(q).GetCard(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Card{}, fault.NotFound.New()
	}
	return cardOf(row), err
}

// UpdateCard replaces a card's message if it still is at the sequence before.
func UpdateCard(ctx context.Context, tx *db.Tx, name string, data []byte, standing bool, sequence int64) error {
	n, err := queries.New(tx).UpdateCard(ctx, queries.UpdateCardParams{
		Data: data, Standing: standing, Sequence: sequence, Name: name, Sequence_2: sequence - 1,
	})
	if err == nil && n == 0 {
		return fault.Conflict.New()
	}
	return err
}

// CardFilter says which cards to list: of a subject, else of a department, else of a
// hall, else all.
type CardFilter struct {
	Subject, Department, Hall string
	// Level is the lowest wanted.
	Level rules.Level
}

// ListCards lists cards, newest first, before an id; 0 begins.
func ListCards(ctx context.Context, q db.Querier, f CardFilter, before int64, limit int) ([]Card, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	var rows []queries.Card
	var err error
	switch qs, level, n := queries.New(q), int64(f.Level), int32(limit); {
	case f.Subject != "":
		rows, err = qs.ListSubjectCards(ctx, queries.ListSubjectCardsParams{Subject: f.Subject, ID: before, Level: level, Limit: n})
	case f.Department != "":
		rows, err = qs.ListDepartmentCards(ctx, queries.ListDepartmentCardsParams{Department: f.Department, ID: before, Level: level, Limit: n})
	case f.Hall != "":
		rows, err = qs.ListHallCards(ctx, queries.ListHallCardsParams{Hall: f.Hall, ID: before, Level: level, Limit: n})
	default:
		rows, err = qs.ListCards(ctx, queries.ListCardsParams{ID: before, Level: level, Limit: n})
	}
	cards := make([]Card, 0, len(rows))
	for _, r := range rows {
		cards = append(cards, cardOf(r))
	}
	return cards, err
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

func clockOf(r queries.Clock) *Clock {
	return &Clock{
		Case: r.CaseName, Hall: r.Hall, Department: r.Department, ApplicantKey: r.ApplicantKey, Facts: r.Facts, Raised: r.Raised,
		Sequence: r.Sequence, Revision: r.Revision, NextAt: db.Time(r.NextAt), Due: r.Due, Open: r.Open,
	}
}

func cardOf(r queries.Card) Card {
	return Card{
		ID: r.ID, Name: r.Name, Hall: r.Hall, Department: r.Department, Subject: r.Subject, Level: rules.Level(r.Level),
		Standing: r.Standing, Sequence: r.Sequence, Data: r.Data,
	}
}

// StandingCards lists the cards that stand of a department, else of a hall, else all,
// oldest first, after an id.
func StandingCards(ctx context.Context, q db.Querier, f CardFilter, after int64, limit int) ([]Card, error) {
	var rows []queries.Card
	var err error
	switch qs, n := queries.New(q), int32(limit); {
	case f.Department != "":
		rows, err = qs.StandingDepartmentCards(ctx, queries.StandingDepartmentCardsParams{Department: f.Department, ID: after, Limit: n})
	case f.Hall != "":
		rows, err = qs.StandingHallCards(ctx, queries.StandingHallCardsParams{Hall: f.Hall, ID: after, Limit: n})
	default:
		rows, err = qs.StandingCards(ctx, queries.StandingCardsParams{ID: after, Limit: n})
	}
	cards := make([]Card, 0, len(rows))
	for _, r := range rows {
		cards = append(cards, cardOf(r))
	}
	return cards, err
}

// LastPosition is the last numbered event of the service's own feed.
func LastPosition(ctx context.Context, q db.Querier) (int64, error) {
	var last int64
	err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), 0) FROM events`).Scan(&last)
	return last, err
}
