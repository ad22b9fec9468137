package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// CountedCase is one case that has come to its end, as figures count it.
type CountedCase struct {
	Case string
	// Cell is where it counts.
	Cell Cell
	rules.Counted
}

// Cell is a place where cases and reviews are added up.
type Cell struct {
	Hall                      string
	Month                     int64
	Department, Item, Officer string
	// Applicant is the kind of applicant; Cut the tenths that the promise lies below the
	// law's limit, -1 for unknown.
	Applicant, Cut int64
	// Entry makes cases of different halls alike.
	Entry string
}

// The flags of a counted case.
const (
	FlagEarly int64 = 1 << iota
	FlagLate
	FlagRefused
	FlagSupplemented
	FlagPaused
)

func flagsOf(c rules.Counted) int64 {
	flags := int64(0)
	for flag, is := range map[int64]bool{FlagEarly: c.Early, FlagLate: c.Late, FlagRefused: c.Refused, FlagSupplemented: c.Supplemented, FlagPaused: c.Paused} {
		if is {
			flags |= flag
		}
	}
	return flags
}

func countedOf(r queries.CountedCase) CountedCase {
	is := func(flag int64) bool { return r.Flags&flag != 0 }
	return CountedCase{Case: r.CaseName,
		Cell: Cell{Hall: r.Hall, Month: r.Month, Department: r.Department, Item: r.Item, Officer: r.Officer, Applicant: r.Applicant, Cut: r.Cut, Entry: r.Entry},
		Counted: rules.Counted{Officer: r.Officer, Ended: db.Time(r.Ended), Cut: r.Cut, Work: r.Work, Promised: r.Promised,
			Early: is(FlagEarly), Late: is(FlagLate), Refused: is(FlagRefused), Supplemented: is(FlagSupplemented), Paused: is(FlagPaused)}}
}

const countedColumns = `case_name, hall, month, department, item, entry, officer, applicant, cut, flags, work, promised, ended`

const countedWidth = 13

const cellColumns = `hall, month, department, item, officer, applicant, cut, entry, n, early, late, refused, supplemented, paused, promised, used,
  reviews, satisfied, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11`

const cellWidth = 30

var (
	saveCounted = statements(func(size int) string {
		return `INSERT INTO counted_cases (` + countedColumns + `) VALUES ` + tuples(size, countedWidth) + `
ON CONFLICT (case_name) DO UPDATE SET month = excluded.month, department = excluded.department, item = excluded.item, entry = excluded.entry,
  officer = excluded.officer, applicant = excluded.applicant, cut = excluded.cut, flags = excluded.flags, work = excluded.work,
  promised = excluded.promised, ended = excluded.ended`
	})
	deleteCounted = statements(func(size int) string {
		return `DELETE FROM counted_cases WHERE case_name IN ` + tuple(0, size) + ` RETURNING ` + countedColumns
	})
	addCells = statements(func(size int) string {
		var sums []string
		for _, column := range strings.Split(cellColumns, ",")[8:] {
			column = strings.TrimSpace(column)
			sums = append(sums, column+" = month_facts."+column+" + excluded."+column)
		}
		return `INSERT INTO month_facts (` + cellColumns + `) VALUES ` + tuples(size, cellWidth) + `
ON CONFLICT (hall, month, department, item, officer, applicant, cut) DO UPDATE SET ` + strings.Join(sums, ", ")
	})
)

// tuples is so many tuples of a width, a comma between them.
func tuples(size, width int) string {
	values := make([]string, size)
	for i := range values {
		values[i] = tuple(i*width, width)
	}
	return strings.Join(values, ", ")
}

// SaveCounted notes cases that came to their end.
func SaveCounted(ctx context.Context, tx *db.Tx, cases []CountedCase) error {
	slices.SortFunc(cases, func(a, b CountedCase) int { return strings.Compare(a.Case, b.Case) })
	return inChunks(ctx, tx, saveCounted, cases, func(c CountedCase) []any {
		return []any{c.Case, c.Cell.Hall, c.Cell.Month, c.Cell.Department, c.Cell.Item, c.Cell.Entry, c.Cell.Officer, c.Cell.Applicant, c.Cell.Cut,
			flagsOf(c.Counted), c.Work, c.Promised, db.Micros(c.Ended)}
	})
}

// TakeBackCounted forgets cases and returns what they were counted as.
func TakeBackCounted(ctx context.Context, tx *db.Tx, names []string) ([]CountedCase, error) {
	var all []CountedCase
	err := each(ctx, tx, deleteCounted, names, func(rows *sql.Rows) error {
		c, err := scanCounted(rows)
		all = append(all, c)
		return err
	})
	return all, err
}

func scanCounted(rows *sql.Rows) (CountedCase, error) {
	var r queries.CountedCase
	err := rows.Scan(&r.CaseName, &r.Hall, &r.Month, &r.Department, &r.Item, &r.Entry, &r.Officer, &r.Applicant, &r.Cut, &r.Flags, &r.Work, &r.Promised, &r.Ended)
	return countedOf(r), err
}

// AddCells adds to the sums of cells, one statement for many.
func AddCells(ctx context.Context, tx *db.Tx, cells map[Cell]*rules.Tallied) error {
	keys := make([]Cell, 0, len(cells))
	for key := range cells {
		keys = append(keys, key)
	}
	// One order for everybody, so that two replicas never wait for each other in a circle.
	slices.SortFunc(keys, compareCells)
	return inChunks(ctx, tx, addCells, keys, func(c Cell) []any {
		args := []any{c.Hall, c.Month, c.Department, c.Item, c.Officer, c.Applicant, c.Cut, c.Entry}
		for _, n := range cells[c].Numbers() {
			args = append(args, *n)
		}
		return args
	})
}

func compareCells(a, b Cell) int {
	return cmp.Or(cmp.Compare(a.Hall, b.Hall), cmp.Compare(a.Month, b.Month), cmp.Compare(a.Department, b.Department), cmp.Compare(a.Item, b.Item),
		cmp.Compare(a.Officer, b.Officer), cmp.Compare(a.Applicant, b.Applicant), cmp.Compare(a.Cut, b.Cut))
}

// inChunks runs a statement for all rows in the sizes that are prepared.
func inChunks[T any](ctx context.Context, tx *db.Tx, statement map[int]string, all []T, args func(T) []any) error {
	for len(all) > 0 {
		n := chunk(len(all))
		var values []any
		for _, one := range all[:n] {
			values = append(values, args(one)...)
		}
		if _, err := tx.ExecContext(ctx, statement[n], values...); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		all = all[n:]
	}
	return nil
}

// CellFilter says which cells are wanted: of months and an entry, else of a hall, and of
// a department of it if one is named.
type CellFilter struct {
	Hall, Department, Entry string
	From, To                int64
}

// Cells reads cells by key, and those that sum up to nothing too.
func Cells(ctx context.Context, q db.Querier, f CellFilter, row func(Cell, rules.Tallied) error) (err error) {
	where, args := `hall = $3`, []any{f.From, f.To, f.Hall}
	switch {
	case f.Entry != "":
		where, args[2] = `entry = $3`, f.Entry
	case f.Department != "":
		where, args = `hall = $3 AND department = $4`, append(args, f.Department)
	case f.Hall == "":
		where, args = `n <> 0`, args[:2]
	}
	rows, err := q.QueryContext(ctx, `SELECT `+cellColumns+` FROM month_facts WHERE month >= $1 AND month <= $2 AND `+where+`
ORDER BY entry, hall, month, department, item, officer, applicant, cut`, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c Cell
		var t rules.Tallied
		to := []any{&c.Hall, &c.Month, &c.Department, &c.Item, &c.Officer, &c.Applicant, &c.Cut, &c.Entry}
		for _, n := range t.Numbers() {
			to = append(to, n)
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if err := row(c, t); err != nil {
			return err
		}
	}
	return rows.Err()
}

// CountedFilter says which counted cases are wanted.
type CountedFilter struct {
	Department    string
	Month         int64
	Officer, Item string
	// Flags must all be set.
	Flags int64
}

// CountedCases lists counted cases of a department and month by name, after a name.
func CountedCases(ctx context.Context, q db.Querier, f CountedFilter, after string, limit int) ([]CountedCase, error) {
	rows, err := queries.New(q).CountedCases(ctx, queries.CountedCasesParams{Department: f.Department, Month: f.Month, CaseName: after,
		Flags: f.Flags, Column5: f.Officer, Column6: f.Item, Limit: int32(limit)})
	all := make([]CountedCase, 0, len(rows))
	for _, r := range rows {
		all = append(all, countedOf(r))
	}
	return all, err
}

// MonthsWithFacts are the months after one and before another in which something was
// counted or a card came, in order.
func MonthsWithFacts(ctx context.Context, q db.Querier, after, before int64) (all []int64, err error) {
	rows, err := q.QueryContext(ctx, `SELECT month FROM month_facts WHERE month > $1 AND month < $2 UNION SELECT month FROM cards WHERE month > $1 AND month < $2 ORDER BY month`, after, before)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m int64
		if err := rows.Scan(&m); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// HallsOfMonth are the halls with facts or cards in a month, in order.
func HallsOfMonth(ctx context.Context, q db.Querier, month int64) (all []string, err error) {
	rows, err := q.QueryContext(ctx, `SELECT hall FROM month_facts WHERE month = $1 UNION SELECT hall FROM cards WHERE month = $1 ORDER BY hall`, month)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var hall string
		if err := rows.Scan(&hall); err != nil {
			return nil, err
		}
		all = append(all, hall)
	}
	return all, rows.Err()
}

// Unplaced are cards written before their months were kept, after an id.
func Unplaced(ctx context.Context, q db.Querier, after int64, limit int) ([]Card, error) {
	rows, err := queries.New(q).UnplacedCards(ctx, queries.UnplacedCardsParams{ID: after, Limit: int32(limit)})
	all := make([]Card, 0, len(rows))
	for _, r := range rows {
		all = append(all, cardOf(r))
	}
	return all, err
}

// PlaceCard notes what scores look a card up by.
func PlaceCard(ctx context.Context, tx *db.Tx, c Card) error {
	return queries.New(tx).PlaceCard(ctx, queries.PlaceCardParams{Month: rules.MonthOf(c.AsOf), AsOf: db.Micros(c.AsOf), Rule: c.Rule, Item: c.Item, Officer: c.Officer, ID: c.ID})
}
