package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// Case is a case with where it came from. Sequence is its last event counted, 0 where
// only a mark of it has come; Marks is how many reviews and cards are known of it.
type Case struct {
	rules.Case
	Name, Source    string
	Sequence, Marks int64
}

const caseColumns = `name, source, sequence, hall, department, item, channel, submit_day, accept_day, finish_day,
  finish_online, judged, on_time, reviews, marks`

// Cases reads those of the cases that are known.
func Cases(ctx context.Context, q db.Querier, names []string) (map[string]Case, error) {
	found := make(map[string]Case, len(names))
	err := db.Chunks(names, nil, func(args []any, in string) (err error) {
		rows, err := q.QueryContext(ctx, `SELECT `+caseColumns+` FROM case_facts WHERE name IN `+in, args...)
		if err != nil {
			return fmt.Errorf("store: cases: %w", err)
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var c Case
			var submit, accept, finish int64
			if err := rows.Scan(&c.Name, &c.Source, &c.Sequence, &c.Hall, &c.Department, &c.Item, &c.Channel, &submit, &accept, &finish,
				&c.FinishOnline, &c.Judged, &c.OnTime, &c.Reviews, &c.Marks); err != nil {
				return fmt.Errorf("store: cases: %w", err)
			}
			c.Submit, c.Accept, c.Finish = rules.Date(submit), rules.Date(accept), rules.Date(finish)
			found[c.Name] = c
		}
		return rows.Err()
	})
	return found, err
}

// SaveCases writes cases over what was kept of them.
func SaveCases(ctx context.Context, tx *db.Tx, cases []Case) error {
	slices.SortFunc(cases, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	err := db.InsertMany(ctx, tx, `INSERT INTO case_facts (`+caseColumns+`) VALUES `, ` ON CONFLICT (name) DO UPDATE SET source = excluded.source,
  sequence = excluded.sequence, hall = excluded.hall, department = excluded.department, item = excluded.item,
  channel = excluded.channel, submit_day = excluded.submit_day, accept_day = excluded.accept_day, finish_day = excluded.finish_day,
  finish_online = excluded.finish_online, judged = excluded.judged, on_time = excluded.on_time, reviews = excluded.reviews,
  marks = excluded.marks`, cases, func(c Case) []any {
		return []any{c.Name, c.Source, c.Sequence, c.Hall, c.Department, c.Item, c.Channel, int64(c.Submit), int64(c.Accept),
			int64(c.Finish), c.FinishOnline, c.Judged, c.OnTime, c.Reviews, c.Marks}
	})
	if err != nil {
		return fmt.Errorf("store: save cases: %w", err)
	}
	return nil
}

// Mark is a review or a card with where it came from.
type Mark struct {
	rules.Mark
	Name, Source string
	Sequence     int64
}

const markColumns = `name, source, sequence, kind, case_name, day, hall, department, item, channel, good, in_force`

// Marks reads those of the marks that are known.
func Marks(ctx context.Context, q db.Querier, names []string) (map[string]Mark, error) {
	found := make(map[string]Mark, len(names))
	err := readMarks(ctx, q, "name", names, func(m Mark) { found[m.Name] = m })
	return found, err
}

// MarksOf reads all marks of cases.
func MarksOf(ctx context.Context, q db.Querier, cases []string) ([]Mark, error) {
	var found []Mark
	err := readMarks(ctx, q, "case_name", cases, func(m Mark) { found = append(found, m) })
	return found, err
}

func readMarks(ctx context.Context, q db.Querier, column string, names []string, each func(Mark)) error {
	return db.Chunks(names, nil, func(args []any, in string) (err error) {
		rows, err := q.QueryContext(ctx, `SELECT `+markColumns+` FROM marks WHERE `+column+` <> '' AND `+column+` IN `+in, args...)
		if err != nil {
			return fmt.Errorf("store: marks: %w", err)
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var m Mark
			var day int64
			if err := rows.Scan(&m.Name, &m.Source, &m.Sequence, &m.Kind, &m.Case, &day, &m.Hall, &m.Department, &m.Item, &m.Channel,
				&m.Good, &m.InForce); err != nil {
				return fmt.Errorf("store: marks: %w", err)
			}
			m.Day = rules.Date(day)
			each(m)
		}
		return rows.Err()
	})
}

// SaveMarks writes marks over what was kept of them.
func SaveMarks(ctx context.Context, tx *db.Tx, marks []Mark) error {
	slices.SortFunc(marks, func(a, b Mark) int { return strings.Compare(a.Name, b.Name) })
	err := db.InsertMany(ctx, tx, `INSERT INTO marks (`+markColumns+`) VALUES `, ` ON CONFLICT (name) DO UPDATE SET source = excluded.source,
  sequence = excluded.sequence, kind = excluded.kind, case_name = excluded.case_name, day = excluded.day, hall = excluded.hall,
  department = excluded.department, item = excluded.item, channel = excluded.channel, good = excluded.good,
  in_force = excluded.in_force`, marks, func(m Mark) []any {
		return []any{m.Name, m.Source, m.Sequence, int64(m.Kind), m.Case, int64(m.Day), m.Hall, m.Department, m.Item, m.Channel, m.Good, m.InForce}
	})
	if err != nil {
		return fmt.Errorf("store: save marks: %w", err)
	}
	return nil
}

const countColumns = `submitted, submitted_online, accepted, finished, finished_online, finished_on_time, reviews, reviews_satisfied,
  cards, finished_reviewed`

// addCounts is the end of an upsert that adds to the counts of a table.
func addCounts(table, key string) string {
	var b strings.Builder
	b.WriteString(` ON CONFLICT (` + key + `) DO UPDATE SET `)
	for i, c := range strings.Split(countColumns, ",") {
		if i > 0 {
			b.WriteString(", ")
		}
		c = strings.TrimSpace(c)
		b.WriteString(c + ` = ` + table + `.` + c + ` + excluded.` + c)
	}
	return b.String()
}

var (
	addToFacts = addCounts("facts", "day, hall, department, item, channel")
	addToHalls = addCounts("hall_facts", "hall, day")
)

// AddFacts adds changes to the facts, and drops a fact of which nothing is left.
func AddFacts(ctx context.Context, tx *db.Tx, deltas rules.Deltas) error {
	facts := deltas.Sorted()
	err := db.InsertMany(ctx, tx, `INSERT INTO facts (day, hall, department, item, channel, `+countColumns+`) VALUES `, addToFacts, facts,
		func(f rules.Fact) []any {
			return appendCounts([]any{int64(f.Day), f.Hall, f.Department, f.Item, f.Channel}, f.Counts)
		})
	if err != nil {
		return fmt.Errorf("store: add facts: %w", err)
	}
	err = db.InsertMany(ctx, tx, `INSERT INTO hall_facts (hall, day, `+countColumns+`) VALUES `, addToHalls, rules.ByHall(facts),
		func(f rules.Fact) []any { return appendCounts([]any{f.Hall, int64(f.Day)}, f.Counts) })
	if err != nil {
		return fmt.Errorf("store: add hall facts: %w", err)
	}
	for _, f := range facts {
		if !slices.ContainsFunc(f.Counts[:], func(n int64) bool { return n < 0 }) {
			continue
		}
		if err := queries.New(tx).DeleteEmptyFact(ctx, queries.DeleteEmptyFactParams{
			Day: int64(f.Day), Hall: f.Hall, Department: f.Department, Item: f.Item, Channel: f.Channel,
		}); err != nil {
			return fmt.Errorf("store: delete empty fact: %w", err)
		}
	}
	return nil
}

func appendCounts(args []any, c rules.Counts) []any {
	for _, n := range c {
		args = append(args, n)
	}
	return args
}
