package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// Score is the frozen score of a month. Data is the message as it was last written.
type Score struct {
	Name, Hall string
	Month      int64
	Kind       int64
	Department string
	Sequence   int64
	Data       []byte
}

// InsertScore writes a frozen score and reports whether it is new.
func InsertScore(ctx context.Context, tx *db.Tx, s Score) (bool, error) {
	n, err := queries.New(tx).InsertScore(ctx, queries.InsertScoreParams{Name: s.Name, Hall: s.Hall, Month: s.Month, Kind: s.Kind, Department: s.Department, Data: s.Data})
	return n == 1, err
}

// UpdateScore replaces a score that still is at the sequence before.
func UpdateScore(ctx context.Context, tx *db.Tx, s Score) error {
	n, err := queries.New(tx).UpdateScore(ctx, queries.UpdateScoreParams{Sequence: s.Sequence, Data: s.Data, Name: s.Name, Sequence_2: s.Sequence - 1})
	if err == nil && n == 0 {
		return fault.Conflict.New()
	}
	return err
}

// GetScore reads a frozen score; false when there is none.
func GetScore(ctx context.Context, q db.Querier, name string) (Score, bool, error) {
	row, err := queries.New(q).GetScore(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Score{}, false, nil
	}
	return scoreOf(row), err == nil, err
}

func scoreOf(r queries.Score) Score {
	return Score{Name: r.Name, Hall: r.Hall, Month: r.Month, Kind: r.Kind, Department: r.Department, Sequence: r.Sequence, Data: r.Data}
}

// ListScores lists the frozen scores of a hall, month and kind by name, after a name.
func ListScores(ctx context.Context, q db.Querier, hall string, month, kind int64, after string, limit int) ([]Score, error) {
	rows, err := queries.New(q).ListScores(ctx, queries.ListScoresParams{Hall: hall, Month: month, Kind: kind, Name: after, Limit: int32(limit)})
	all := make([]Score, 0, len(rows))
	for _, r := range rows {
		all = append(all, scoreOf(r))
	}
	return all, err
}

// FrozenMonth is the last month whose scores are frozen; 0 for none.
func FrozenMonth(ctx context.Context, q db.Querier) (int64, error) {
	text, err := queries.New(q).FrozenMonth(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// HoldMonths keeps other transactions from freezing a month, or from changing what counts
// in a frozen one, until this one ends.
func HoldMonths(ctx context.Context, tx *db.Tx) error { return queries.New(tx).HoldMonths(ctx) }

// SetFrozenMonth notes the last month whose scores are frozen.
func SetFrozenMonth(ctx context.Context, tx *db.Tx, month int64) error {
	return queries.New(tx).SetFrozenMonth(ctx, strconv.FormatInt(month, 10))
}

// MonthCards are the cards that stand of a hall and month, of one department if named.
func MonthCards(ctx context.Context, q db.Querier, hall string, month int64, department string) ([]rules.ScoreCard, error) {
	var rows []queries.MonthCardsRow
	var err error
	if department == "" {
		rows, err = queries.New(q).MonthCards(ctx, queries.MonthCardsParams{Hall: hall, Month: month})
	} else {
		var some []queries.MonthDepartmentCardsRow
		some, err = queries.New(q).MonthDepartmentCards(ctx, queries.MonthDepartmentCardsParams{Hall: hall, Month: month, Department: department})
		for _, r := range some {
			rows = append(rows, queries.MonthCardsRow(r))
		}
	}
	all := make([]rules.ScoreCard, 0, len(rows))
	for _, r := range rows {
		all = append(all, rules.ScoreCard{Name: r.Name, Subject: r.Subject, Rule: r.Rule, Level: rules.Level(r.Level), AsOf: db.Time(r.AsOf),
			Department: r.Department, Item: r.Item, Officer: r.Officer})
	}
	return all, err
}

// ScoreMark is a stored mark; Data is the message.
type ScoreMark struct {
	ID         int64
	Name, Hall string
	Month      int64
	Department string
	Score      string
	Data       []byte
}

// InsertScoreMark writes a mark.
func InsertScoreMark(ctx context.Context, tx *db.Tx, m ScoreMark) error {
	return queries.New(tx).InsertScoreMark(ctx, queries.InsertScoreMarkParams{ID: m.ID, Name: m.Name, Hall: m.Hall, Month: m.Month, Department: m.Department, Score: m.Score, Data: m.Data})
}

// ScoreMarks are the marks of a hall and month.
func ScoreMarks(ctx context.Context, q db.Querier, hall string, month int64) ([]ScoreMark, error) {
	rows, err := queries.New(q).ScoreMarks(ctx, queries.ScoreMarksParams{Hall: hall, Month: month})
	all := make([]ScoreMark, 0, len(rows))
	for _, r := range rows {
		all = append(all, ScoreMark{ID: r.ID, Name: r.Name, Hall: r.Hall, Month: r.Month, Department: r.Department, Score: r.Score, Data: r.Data})
	}
	return all, err
}
