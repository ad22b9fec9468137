package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
)

// saveSizes are how many cases one statement writes, so that three serve any number.
var saveSizes = []int{32, 8, 1}

const (
	caseColumns = "name, hall, department, item, item_title, applicant_key, handlers, submitted, accepted, finished, voided, sequence"
	caseWidth   = 12
)

// saveCases are the statements by the number of their cases.
var saveCases = func() map[int]string {
	all := map[int]string{}
	for _, size := range saveSizes {
		rows := make([]string, size)
		for i := range rows {
			places := make([]string, caseWidth)
			for k := range places {
				places[k] = "$" + strconv.Itoa(i*caseWidth+k+1)
			}
			rows[i] = "(" + strings.Join(places, ",") + ")"
		}
		all[size] = "INSERT INTO cases (" + caseColumns + ") VALUES " + strings.Join(rows, ",") + `
ON CONFLICT (name) DO UPDATE SET handlers = excluded.handlers, submitted = excluded.submitted, accepted = excluded.accepted,
  finished = excluded.finished, voided = excluded.voided, sequence = excluded.sequence
WHERE cases.sequence < excluded.sequence`
	}
	return all
}()

// SaveCases keeps what the feed told, each case at most once; an older state than the
// one kept is passed over.
func SaveCases(ctx context.Context, tx *db.Tx, cases []Case) error {
	for len(cases) > 0 {
		size := 1
		for _, s := range saveSizes {
			if len(cases) >= s {
				size = s
				break
			}
		}
		args := make([]any, 0, size*caseWidth)
		for _, c := range cases[:size] {
			args = append(args, c.Name, c.Hall, c.Department, c.Item, c.ItemTitle, c.ApplicantKey, strings.Join(c.Handlers, "\n"),
				c.Submitted, c.Accepted, c.Finished, c.Voided, c.Sequence)
		}
		if _, err := tx.ExecContext(ctx, saveCases[size], args...); err != nil {
			return fmt.Errorf("store: save cases: %w", err)
		}
		cases = cases[size:]
	}
	return nil
}
