package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

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
	State                           CardState
	// Rule, Item, Officer and AsOf are what scores look at; they are not read back.
	Rule, Item, Officer string
	AsOf                time.Time
	// ConfirmBy is when a pending card's last day to be confirmed is over.
	ConfirmBy time.Time
	Sequence  int64
	Data      []byte
}

// CardState is where a card stands; the numbers are those of the contract.
type CardState int64

// The states of a card.
const (
	Pending    CardState = iota + 1 // D, waits to be confirmed
	Issued                          // Y
	Revoked                         // C
	Cancelled                       // Q
	UnderOrder                      // B
)

// Standing tells whether a card in this state counts.
func (s CardState) Standing() bool { return s == Issued || s == UnderOrder }

// Hidden tells whether only supervisors see a card in this state.
func (s CardState) Hidden() bool { return s == Pending || s == Cancelled }

// InsertCard writes a new card and reports whether it is new: one of the same name
// is the same card, raised before.
func InsertCard(ctx context.Context, tx *db.Tx, c Card) (bool, error) {
	n, err := queries.New(tx).InsertCard(ctx, queries.InsertCardParams{
		ID: c.ID, Name: c.Name, Hall: c.Hall, Department: c.Department, Subject: c.Subject, Level: int64(c.Level), Data: c.Data,
		Standing: c.State.Standing(), State: int64(c.State), ConfirmBy: db.Micros(c.ConfirmBy),
		Month: rules.MonthOf(c.AsOf), AsOf: db.Micros(c.AsOf), Rule: c.Rule, Item: c.Item, Officer: c.Officer,
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
func UpdateCard(ctx context.Context, tx *db.Tx, name string, data []byte, state CardState, sequence int64) error {
	n, err := queries.New(tx).UpdateCard(ctx, queries.UpdateCardParams{
		Data: data, Standing: state.Standing(), State: int64(state), Sequence: sequence, Name: name, Sequence_2: sequence - 1,
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
	// State is the one wanted, 0 for any; Hidden lists those too that only supervisors see.
	State  CardState
	Hidden bool
}

// states is the span of states wanted.
func (f CardFilter) states() (least, most int64) {
	if f.State != 0 {
		return int64(f.State), int64(f.State)
	}
	return 0, int64(UnderOrder)
}

// ListCards lists cards, newest first, before an id; 0 begins.
func ListCards(ctx context.Context, q db.Querier, f CardFilter, before int64, limit int) ([]Card, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	var rows []queries.Card
	var err error
	least, most := f.states()
	switch qs, level, n := queries.New(q), int64(f.Level), int32(limit); {
	case f.Subject != "":
		rows, err = qs.ListSubjectCards(ctx, queries.ListSubjectCardsParams{Subject: f.Subject, ID: before, Level: level, State: least, State_2: most, Column6: f.Hidden, Limit: n})
	case f.Department != "":
		rows, err = qs.ListDepartmentCards(ctx, queries.ListDepartmentCardsParams{Department: f.Department, ID: before, Level: level, State: least, State_2: most, Column6: f.Hidden, Limit: n})
	case f.Hall != "":
		rows, err = qs.ListHallCards(ctx, queries.ListHallCardsParams{Hall: f.Hall, ID: before, Level: level, State: least, State_2: most, Column6: f.Hidden, Limit: n})
	default:
		rows, err = qs.ListCards(ctx, queries.ListCardsParams{ID: before, Level: level, State: least, State_2: most, Column5: f.Hidden, Limit: n})
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
		State: CardState(r.State), ConfirmBy: db.Time(r.ConfirmBy), Sequence: r.Sequence, Data: r.Data,
	}
}

// StandingCards lists the cards that stand or wait to be confirmed of a department, else
// of a hall, else all, oldest first, after an id.
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

// LastPosition is the last event of the service's own feed.
func LastPosition(ctx context.Context, q db.Querier) (int64, error) {
	var last int64
	err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), 0) FROM events`).Scan(&last)
	return last, err
}

// Moment is a state of the cards that a reader can begin with.
type Moment struct {
	// Position is the last event of the service's own feed.
	Position int64
	// LastID is the newest card.
	LastID int64
}

// Present is the moment of one state of the database, as DB.ReadTx shows it.
func Present(ctx context.Context, q db.Querier) (m Moment, err error) {
	if m.Position, err = LastPosition(ctx, q); err != nil {
		return m, err
	}
	err = q.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM cards`).Scan(&m.LastID)
	return m, err
}
