package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// SaveTerms keeps what a revision published; a revision never changes.
func SaveTerms(ctx context.Context, tx *db.Tx, revision string, data []byte) error {
	return queries.New(tx).SaveTerms(ctx, queries.SaveTermsParams{Name: revision, Data: data})
}

// GetTerms reads what a revision published; false when it is not known.
func GetTerms(ctx context.Context, q db.Querier, revision string) ([]byte, bool, error) {
	data, err := queries.New(q).GetTerms(ctx, revision)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// SaveHall keeps which hall stands above one.
func SaveHall(ctx context.Context, tx *db.Tx, name, parent, displayName string) error {
	return queries.New(tx).SaveHall(ctx, queries.SaveHallParams{Name: name, Parent: parent, DisplayName: displayName})
}

// ParentHall is the hall above one; empty at the top and for a hall not known.
func ParentHall(ctx context.Context, q db.Querier, name string) (string, error) {
	row, err := queries.New(q).GetHall(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return row.Parent, err
}

// Recent are the latest moments at which an account entered finished cases, in
// microseconds and in the order they were told.
func Recent(ctx context.Context, q db.Querier, account string) ([]int64, error) {
	text, err := queries.New(q).GetAccount(ctx, account)
	if errors.Is(err, sql.ErrNoRows) || text == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, part := range strings.Fields(text) {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("stored account %s: %w", account, err)
		}
		all = append(all, n)
	}
	return all, nil
}

// SaveRecent replaces them.
func SaveRecent(ctx context.Context, tx *db.Tx, account string, moments []int64) error {
	parts := make([]string, len(moments))
	for i, m := range moments {
		parts[i] = strconv.FormatInt(m, 10)
	}
	return queries.New(tx).SaveAccount(ctx, queries.SaveAccountParams{Account: account, Recent: strings.Join(parts, " ")})
}

// Tally is what a month's outcomes of one item or officer add up to; the one without a
// subject is of all.
type Tally struct {
	rules.Tally
	Month                     int64
	Item, Department, Officer string
}

// AddTally adds outcomes.
func AddTally(ctx context.Context, tx *db.Tx, t Tally) error {
	return queries.New(tx).AddTally(ctx, queries.AddTallyParams{Month: t.Month, Subject: t.Subject, Label: t.Name, Item: t.Item,
		Department: t.Department, Officer: t.Officer, Total: t.Total, Refused: t.Refused})
}

// Tallies are those of a month that reach a number of outcomes, and the one of all.
func Tallies(ctx context.Context, q db.Querier, month int64, least int) ([]Tally, error) {
	rows, err := queries.New(q).Tallies(ctx, queries.TalliesParams{Month: month, Total: int64(least)})
	all := make([]Tally, 0, len(rows))
	for _, r := range rows {
		all = append(all, Tally{Month: r.Month, Item: r.Item, Department: r.Department, Officer: r.Officer,
			Tally: rules.Tally{Subject: r.Subject, Name: r.Label, Total: r.Total, Refused: r.Refused}})
	}
	return all, err
}

// MonthsToJudge are the months with outcomes before one that are not judged yet.
func MonthsToJudge(ctx context.Context, q db.Querier, before int64) ([]int64, error) {
	text, err := queries.New(q).JudgedMonth(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	judged := int64(0)
	if text != "" {
		if judged, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("stored month: %w", err)
		}
	}
	if judged >= before-1 {
		return nil, nil
	}
	return queries.New(q).TallyMonths(ctx, queries.TallyMonthsParams{Month: judged, Month_2: before})
}

// SetJudgedMonth notes the last month judged.
func SetJudgedMonth(ctx context.Context, tx *db.Tx, month int64) error {
	return queries.New(tx).SetJudgedMonth(ctx, strconv.FormatInt(month, 10))
}
