package store

import (
	"context"
	"time"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// Count is how many cards of one kind there are.
type Count struct {
	Hall, Department string
	Level            rules.Level
	State            CardState
	N                int64
}

// CountCards counts cards of a department, else of a hall, else all.
func CountCards(ctx context.Context, q db.Querier, f CardFilter) ([]Count, error) {
	var all []Count
	add := func(hall, department string, level, state, n int64) {
		all = append(all, Count{Hall: hall, Department: department, Level: rules.Level(level), State: CardState(state), N: n})
	}
	switch qs := queries.New(q); {
	case f.Department != "":
		rows, err := qs.CountDepartmentCards(ctx, f.Department)
		for _, r := range rows {
			add(r.Hall, r.Department, r.Level, r.State, r.N)
		}
		return all, err
	case f.Hall != "":
		rows, err := qs.CountHallCards(ctx, f.Hall)
		for _, r := range rows {
			add(r.Hall, r.Department, r.Level, r.State, r.N)
		}
		return all, err
	default:
		rows, err := qs.CountCards(ctx)
		for _, r := range rows {
			add(r.Hall, r.Department, r.Level, r.State, r.N)
		}
		return all, err
	}
}

// CountOverdueCards counts the pending cards whose last day to be confirmed is over.
func CountOverdueCards(ctx context.Context, q db.Querier, now time.Time) ([]Count, error) {
	rows, err := queries.New(q).CountOverdueCards(ctx, db.Micros(now))
	all := make([]Count, 0, len(rows))
	for _, r := range rows {
		all = append(all, Count{Hall: r.Hall, Department: r.Department, Level: rules.Level(r.Level), State: Pending, N: r.N})
	}
	return all, err
}

// Stage is how many open clocks of a department wait in a stage for one day.
type Stage struct {
	Hall, Department, Stage string
	Due, N                  int64
}

// CountStages counts the open clocks of a hall, or all for an empty one.
func CountStages(ctx context.Context, q db.Querier, hall string) ([]Stage, error) {
	var all []Stage
	if hall != "" {
		rows, err := queries.New(q).CountHallStages(ctx, hall)
		for _, r := range rows {
			all = append(all, Stage{r.Hall, r.Department, r.Stage, r.Due, r.N})
		}
		return all, err
	}
	rows, err := queries.New(q).CountStages(ctx)
	for _, r := range rows {
		all = append(all, Stage{r.Hall, r.Department, r.Stage, r.Due, r.N})
	}
	return all, err
}

// NearestClocks lists the open clocks of all halls, the nearest due date first.
func NearestClocks(ctx context.Context, q db.Querier, limit int) ([]*Clock, error) {
	rows, err := queries.New(q).NearestClocks(ctx, queries.NearestClocksParams{Due: 0, Limit: int32(limit)})
	clocks := make([]*Clock, 0, len(rows))
	for _, r := range rows {
		clocks = append(clocks, clockOf(r))
	}
	return clocks, err
}
