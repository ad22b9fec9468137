package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

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

// Moment is a state of the cards that a reader can begin with.
type Moment struct {
	// Position is the last numbered event of the service's own feed.
	Position int64
	// LastID is the newest card.
	LastID int64
	// Waiting are the cards with a change that has no position yet: they will come.
	Waiting map[string]bool
}

// Present is the moment of one state of the database, as DB.ReadTx shows it.
func Present(ctx context.Context, q db.Querier) (m Moment, err error) {
	m.Waiting = map[string]bool{}
	if m.Position, err = LastPosition(ctx, q); err != nil {
		return m, err
	}
	if err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM cards`).Scan(&m.LastID); err != nil {
		return m, err
	}
	rows, err := q.QueryContext(ctx, `SELECT subject FROM events WHERE position IS NULL`)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var subject string
		if err := rows.Scan(&subject); err != nil {
			return m, err
		}
		m.Waiting[subject] = true
	}
	return m, rows.Err()
}
