package store

import (
	"context"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// Count is how many cards of one kind there are.
type Count struct {
	Hall, Department string
	Level            rules.Level
	Standing         bool
	N                int64
}

// CountCards counts cards of a department, else of a hall, else all.
func CountCards(ctx context.Context, q db.Querier, f CardFilter) ([]Count, error) {
	var all []Count
	add := func(hall, department string, level int64, standing bool, n int64) {
		all = append(all, Count{Hall: hall, Department: department, Level: rules.Level(level), Standing: standing, N: n})
	}
	switch qs := queries.New(q); {
	case f.Department != "":
		rows, err := qs.CountDepartmentCards(ctx, f.Department)
		for _, r := range rows {
			add(r.Hall, r.Department, r.Level, r.Standing, r.N)
		}
		return all, err
	case f.Hall != "":
		rows, err := qs.CountHallCards(ctx, f.Hall)
		for _, r := range rows {
			add(r.Hall, r.Department, r.Level, r.Standing, r.N)
		}
		return all, err
	default:
		rows, err := qs.CountCards(ctx)
		for _, r := range rows {
			add(r.Hall, r.Department, r.Level, r.Standing, r.N)
		}
		return all, err
	}
}
