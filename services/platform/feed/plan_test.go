package feed

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// The statements of the hot path must find their rows by an index: a plan that scans
// gives the right answer and passes every other test.
func TestHotQueriesUseIndexes(t *testing.T) {
	queries := []string{
		`SELECT ` + eventColumns + ` FROM events WHERE position > 2900 ORDER BY position LIMIT 50`,
		`SELECT ` + eventColumns + ` FROM events WHERE request_key = 'x'`,
		`SELECT ` + eventColumns + ` FROM events WHERE subject = 's1' AND sequence > 1 ORDER BY sequence LIMIT 5`,
		lastPosition,
	}
	dbtest.Each(t, WithMigrations(nil), func(t *testing.T, d *db.DB) {
		s := NewServer(d, d.Clock())
		err := d.Write(t.Context(), "fill", func(ctx context.Context, tx *db.Tx) error {
			for i := range 3000 {
				_, err := Append(ctx, tx, Draft{Subject: fmt.Sprintf("s%d", i%500), Sequence: int64(i/500 + 1), Type: "t",
					Actor: "a", Resource: wrapperspb.String(strings.Repeat("x", 200))})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.pass(t.Context()); err != nil || s.Status().Position != 3000 {
			t.Fatalf("pass: %v, %+v", err, s.Status())
		}
		// SQLite searches an index or by the address of the rows, or else scans.
		explain, found, missed := "EXPLAIN QUERY PLAN ", "SEARCH", "SCAN"
		if d.Driver() == db.Postgres {
			explain, found, missed = "EXPLAIN ", "Index", "Seq Scan"
			err := d.Write(t.Context(), "analyze", func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecContext(ctx, "ANALYZE events")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, query := range queries {
			plan := planOf(t, d, explain+query)
			if !strings.Contains(plan, found) || strings.Contains(plan, missed) {
				t.Errorf("%s\nplan: %s", query, plan)
			}
		}
	})
}

func planOf(t *testing.T, d *db.DB, query string) string {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			t.Fatal(err)
		}
		for _, c := range cells {
			fmt.Fprint(&plan, *c.(*any), " ")
		}
		plan.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
