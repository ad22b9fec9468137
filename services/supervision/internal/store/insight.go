package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// Finding is a stored finding; Data is the message.
type Finding struct {
	Name, Hall    string
	Month         int64
	Kind, Measure int64
	Department    string
	// Place is its place in order of certainty.
	Place int64
	Data  []byte
}

// ReplaceFindings writes the findings of a hall and month in place of any former ones.
func ReplaceFindings(ctx context.Context, tx *db.Tx, hall string, month int64, all []Finding) error {
	qs := queries.New(tx)
	if err := qs.DeleteFindings(ctx, queries.DeleteFindingsParams{Hall: hall, Month: month}); err != nil {
		return err
	}
	for _, f := range all {
		if err := qs.InsertFinding(ctx, queries.InsertFindingParams{Name: f.Name, Hall: hall, Month: month, Kind: f.Kind, Measure: f.Measure,
			Department: f.Department, Place: f.Place, Data: f.Data}); err != nil {
			return err
		}
	}
	return nil
}

// ListFindings lists the findings of a hall and month after a place; zero words of the
// filter do not narrow.
func ListFindings(ctx context.Context, q db.Querier, f Finding, limit int) ([]Finding, error) {
	rows, err := queries.New(q).ListFindings(ctx, queries.ListFindingsParams{Hall: f.Hall, Month: f.Month, Place: f.Place, Column4: f.Kind,
		Column5: f.Measure, Column6: f.Department, Limit: int32(limit)})
	all := make([]Finding, 0, len(rows))
	for _, r := range rows {
		all = append(all, Finding{Place: r.Place, Department: r.Department, Data: r.Data})
	}
	return all, err
}

// GetFinding reads a finding, or returns fault.NotFound.
func GetFinding(ctx context.Context, q db.Querier, name string) (Finding, error) {
	r, err := queries.New(q).GetFinding(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Finding{}, fault.NotFound.New()
	}
	return Finding{Name: name, Department: r.Department, Data: r.Data}, err
}

// LastFindings is the last month with findings of a hall; 0 for none.
func LastFindings(ctx context.Context, q db.Querier, hall string) (int64, error) {
	return queries.New(q).LastFindings(ctx, hall)
}

// LikeFilter says which like cases are wanted.
type LikeFilter struct {
	Entry                     string
	From, To                  int64
	Applicant                 int64
	Department, Officer, Item string
}

// LikeCases lists like cases by month and name, after a place in that order.
func LikeCases(ctx context.Context, q db.Querier, f LikeFilter, afterMonth int64, after string, limit int) ([]CountedCase, error) {
	rows, err := queries.New(q).LikeCases(ctx, queries.LikeCasesParams{Entry: f.Entry, Month: f.From, Month_2: f.To, Applicant: f.Applicant, Department: f.Department,
		Month_3: afterMonth, CaseName: after, Column8: f.Officer, Column9: f.Item, Limit: int32(limit)})
	all := make([]CountedCase, 0, len(rows))
	for _, r := range rows {
		all = append(all, countedOf(r))
	}
	return all, err
}

// Load is how busy a department is.
type Load struct {
	Department string
	// Open are the cases accepted and not decided; Usual what is usual, in thousandths.
	Open, Usual, Seen int64
}

// PastKey is whose cases stood where, and when that was entered.
type PastKey struct {
	Hall, Department, Item string
	Month                  int64
	rules.Place
}

var (
	selectLoads = statements(func(size int) string {
		return `SELECT department, open, usual, seen FROM department_loads WHERE department IN ` + tuple(0, size)
	})
	saveLoads = statements(func(size int) string {
		return `INSERT INTO department_loads (department, open, usual, seen) VALUES ` + tuples(size, 4) + `
ON CONFLICT (department) DO UPDATE SET open = excluded.open, usual = excluded.usual, seen = excluded.seen`
	})
	addPast = statements(func(size int) string {
		return `INSERT INTO past_places (hall, department, item, month, stage, fifth, load, n, overran, remaining) VALUES ` + tuples(size, 10) + `
ON CONFLICT (hall, department, item, month, stage, fifth, load) DO UPDATE SET n = past_places.n + excluded.n,
  overran = past_places.overran + excluded.overran, remaining = past_places.remaining + excluded.remaining`
	})
	dropForecasts = statements(func(size int) string { return `DELETE FROM forecasts WHERE case_name IN ` + tuple(0, size) })
	saveForecasts = statements(func(size int) string {
		return `INSERT INTO forecasts (case_name, hall, department, risk, day, data) VALUES ` + tuples(size, 6) + `
ON CONFLICT (case_name) DO UPDATE SET hall = excluded.hall, department = excluded.department, risk = excluded.risk, day = excluded.day, data = excluded.data`
	})
)

// Loads reads how busy departments are; those unknown are absent.
func Loads(ctx context.Context, q db.Querier, departments []string) (map[string]*Load, error) {
	all := map[string]*Load{}
	err := each(ctx, q, selectLoads, departments, func(rows *sql.Rows) error {
		l := &Load{}
		err := rows.Scan(&l.Department, &l.Open, &l.Usual, &l.Seen)
		all[l.Department] = l
		return err
	})
	return all, err
}

// SaveLoads replaces them.
func SaveLoads(ctx context.Context, tx *db.Tx, loads map[string]*Load) error {
	all := make([]*Load, 0, len(loads))
	for _, l := range loads {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *Load) int { return strings.Compare(a.Department, b.Department) })
	return inChunks(ctx, tx, saveLoads, all, func(l *Load) []any { return []any{l.Department, l.Open, l.Usual, l.Seen} })
}

// AddPast adds what became of cases.
func AddPast(ctx context.Context, tx *db.Tx, past map[PastKey]rules.Past) error {
	keys := make([]PastKey, 0, len(past))
	for k := range past {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b PastKey) int {
		return cmp.Or(cmp.Compare(a.Hall, b.Hall), cmp.Compare(a.Department, b.Department), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Month, b.Month),
			cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Fifth, b.Fifth), cmp.Compare(a.Load, b.Load))
	})
	return inChunks(ctx, tx, addPast, keys, func(k PastKey) []any {
		p := past[k]
		return []any{k.Hall, k.Department, k.Item, k.Month, k.Stage, k.Fifth, k.Load, p.N, p.Overran, p.Remaining}
	})
}

// Forecasts learns what is known of a hall since a month.
func Forecasts(ctx context.Context, q db.Querier, hall string, since int64) (*rules.Forecasts, error) {
	rows, err := queries.New(q).PastPlaces(ctx, queries.PastPlacesParams{Hall: hall, Month: since})
	m := rules.NewForecasts()
	for _, r := range rows {
		m.Learn(r.Department, r.Item, rules.Place{Stage: int(r.Stage), Fifth: int(r.Fifth), Load: int(r.Load)}, rules.Past{N: r.N, Overran: r.Overran, Remaining: r.Remaining})
	}
	return m, err
}

// Forecast is what is expected of an open case; Data is the message.
type Forecast struct {
	Case, Hall, Department string
	// Risk is the probability in millionths, Day when it was reckoned.
	Risk, Day int64
	Data      []byte
}

// SaveForecasts replaces the forecasts of cases.
func SaveForecasts(ctx context.Context, tx *db.Tx, all []Forecast) error {
	slices.SortFunc(all, func(a, b Forecast) int { return strings.Compare(a.Case, b.Case) })
	return inChunks(ctx, tx, saveForecasts, all, func(f Forecast) []any { return []any{f.Case, f.Hall, f.Department, f.Risk, f.Day, f.Data} })
}

// DropForecasts forgets those of cases that are decided.
func DropForecasts(ctx context.Context, tx *db.Tx, cases []string) error {
	slices.Sort(cases)
	return inChunks(ctx, tx, dropForecasts, cases, func(name string) []any { return []any{name} })
}

// SweepForecasts forgets the forecasts of a hall from before a day.
func SweepForecasts(ctx context.Context, tx *db.Tx, hall string, day int64) error {
	return queries.New(tx).SweepForecasts(ctx, queries.SweepForecastsParams{Hall: hall, Day: day})
}

// ListForecasts lists forecasts of a department, else of a hall, the highest risk first,
// after a place in that order.
func ListForecasts(ctx context.Context, q db.Querier, hall, department string, risk int64, after string, limit int) ([]Forecast, error) {
	var all []Forecast
	if department != "" {
		rows, err := queries.New(q).ListDepartmentForecasts(ctx, queries.ListDepartmentForecastsParams{Department: department, Risk: risk, CaseName: after, Limit: int32(limit)})
		for _, r := range rows {
			all = append(all, Forecast{Case: r.CaseName, Risk: r.Risk, Department: r.Department, Data: r.Data})
		}
		return all, err
	}
	rows, err := queries.New(q).ListHallForecasts(ctx, queries.ListHallForecastsParams{Hall: hall, Risk: risk, CaseName: after, Limit: int32(limit)})
	for _, r := range rows {
		all = append(all, Forecast{Case: r.CaseName, Risk: r.Risk, Department: r.Department, Data: r.Data})
	}
	return all, err
}

// ForecastDay is the day of the last forecasts, as they name it; empty at first.
func ForecastDay(ctx context.Context, q db.Querier) (string, error) {
	day, err := queries.New(q).ForecastDay(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return day, err
}

// SetForecastDay notes it.
func SetForecastDay(ctx context.Context, tx *db.Tx, day string) error {
	return queries.New(tx).SetForecastDay(ctx, day)
}

// OpenHalls are the halls with open cases.
func OpenHalls(ctx context.Context, q db.Querier) ([]string, error) {
	return queries.New(q).OpenHalls(ctx)
}
