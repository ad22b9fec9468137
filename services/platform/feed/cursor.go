package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
)

// errBehind tells that another replica moved the cursor first.
var errBehind = errors.New("feed: another replica was faster")

// Position is the last position of the source that the follower has applied or
// parked; 0 before the first.
func Position(ctx context.Context, q db.Querier, source, name string) (int64, error) {
	var p int64
	err := q.QueryRowContext(ctx, `SELECT position FROM cursors WHERE source = $1 AND name = $2`, source, name).Scan(&p)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("feed: cursor: %w", err)
	}
	return p, nil
}

// move moves the cursor by compare-and-set; errBehind when it is not where it was.
// Being the first statement of each write of a follower, it also makes the writes of
// its replicas wait for each other.
func (f *Follower) move(ctx context.Context, tx *db.Tx, from, to int64) error {
	var res sql.Result
	var err error
	if from == 0 {
		res, err = tx.ExecContext(ctx, `INSERT INTO cursors (source, name, position) VALUES ($1, $2, $3)
ON CONFLICT (source, name) DO UPDATE SET position = excluded.position WHERE cursors.position = 0`, f.Source, f.Name, to)
	} else {
		res, err = tx.ExecContext(ctx, `UPDATE cursors SET position = $3 WHERE source = $1 AND name = $2 AND position = $4`,
			f.Source, f.Name, to, from)
	}
	if err != nil {
		return fmt.Errorf("feed: move cursor: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return fmt.Errorf("feed: move cursor: %w", err)
	} else if n == 0 {
		return errBehind
	}
	return nil
}

// chunks are the sizes in which subjects are asked for and noted, so that three
// statements serve any number.
var chunks = []int{64, 8, 1}

// subjectRange is what a batch says of one subject.
type subjectRange struct {
	subject     string
	first, last int64
}

func ranges(events []*feedv1.Event) []*subjectRange {
	var all []*subjectRange
	index := map[string]*subjectRange{}
	for _, e := range events {
		r := index[e.GetSubject()]
		if r == nil {
			r = &subjectRange{subject: e.GetSubject(), first: e.GetSequence()}
			index[r.subject] = r
			all = append(all, r)
		}
		r.last = e.GetSequence()
	}
	return all
}

// note checks that each subject goes on where it was left, and notes how far it came.
func (f *Follower) noteSubjects(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	for all := ranges(events); len(all) > 0; {
		size := 1
		for _, c := range chunks {
			if len(all) >= c {
				size = c
				break
			}
		}
		if err := f.checkSubjects(ctx, tx, all[:size]); err != nil {
			return err
		}
		if err := f.setSubjects(ctx, tx, all[:size]); err != nil {
			return err
		}
		all = all[size:]
	}
	return nil
}

func (f *Follower) checkSubjects(ctx context.Context, tx *db.Tx, part []*subjectRange) (err error) {
	var query strings.Builder
	query.WriteString(`SELECT subject, sequence FROM followed_subjects WHERE source = $1 AND name = $2 AND subject IN (`)
	args := []any{f.Source, f.Name}
	for i, r := range part {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteString("$" + strconv.Itoa(i+3))
		args = append(args, r.subject)
	}
	query.WriteByte(')')
	rows, err := tx.QueryContext(ctx, query.String(), args...)
	if err != nil {
		return fmt.Errorf("feed: followed subjects: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	known := map[string]int64{}
	for rows.Next() {
		var subject string
		var sequence int64
		if err := rows.Scan(&subject, &sequence); err != nil {
			return fmt.Errorf("feed: followed subjects: %w", err)
		}
		known[subject] = sequence
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("feed: followed subjects: %w", err)
	}
	for _, r := range part {
		if r.first != known[r.subject]+1 {
			return gap(fmt.Errorf("feed: %s goes from sequence %d to %d", r.subject, known[r.subject], r.first))
		}
	}
	return nil
}

func (f *Follower) setSubjects(ctx context.Context, tx *db.Tx, part []*subjectRange) error {
	var query strings.Builder
	query.WriteString(`INSERT INTO followed_subjects (source, name, subject, sequence) VALUES `)
	args := []any{f.Source, f.Name}
	for i, r := range part {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteString("($1, $2, $" + strconv.Itoa(2*i+3) + ", $" + strconv.Itoa(2*i+4) + ")")
		args = append(args, r.subject, r.last)
	}
	query.WriteString(` ON CONFLICT (source, name, subject) DO UPDATE SET sequence = excluded.sequence`)
	if _, err := tx.ExecContext(ctx, query.String(), args...); err != nil {
		return fmt.Errorf("feed: note subjects: %w", err)
	}
	return nil
}
