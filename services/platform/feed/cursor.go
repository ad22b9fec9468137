package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	return tx.Expect(ctx, res, 1, func(context.Context) error { return errBehind })
}

// chunks are the sizes in which subjects are noted, so that three statements serve any
// number.
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

// noteSubjects checks that each subject goes on where it was left, and notes how far it
// came. What was left is not read: the statement that notes it touches only the rows
// that stand where they must, and their number tells whether all did.
func (f *Follower) noteSubjects(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	var fresh, known []*subjectRange
	for _, r := range ranges(events) {
		if r.first == 1 {
			fresh = append(fresh, r)
		} else {
			known = append(known, r)
		}
	}
	if err := f.noteInChunks(ctx, tx, fresh, insertSubjects); err != nil {
		return err
	}
	return f.noteInChunks(ctx, tx, known, moveSubjects)
}

func (f *Follower) noteInChunks(ctx context.Context, tx *db.Tx, all []*subjectRange, statement func(size int) string) error {
	for len(all) > 0 {
		size := 1
		for _, c := range chunks {
			if len(all) >= c {
				size = c
				break
			}
		}
		args := []any{f.Source, f.Name}
		for _, r := range all[:size] {
			args = append(args, r.subject, r.last, r.first-1)
		}
		res, err := tx.ExecContext(ctx, statement(size), args...)
		if err != nil {
			return fmt.Errorf("feed: note subjects: %w", err)
		}
		part := all[:size]
		err = tx.Expect(ctx, res, int64(size), func(ctx context.Context) error { return f.gapAmong(ctx, tx, part) })
		if err != nil {
			return err
		}
		all = all[size:]
	}
	return nil
}

// insertSubjects notes subjects that nothing is known of; moveSubjects moves those
// which stand right before the batch. The parameters of both are the same.
var (
	insertSubjects = bySize(func(values string) string {
		return `INSERT INTO followed_subjects (source, name, subject, sequence)
SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), v.column1, v.column2 FROM (VALUES ` + values + `) AS v WHERE v.column3 = 0
ON CONFLICT (subject, source, name) DO NOTHING`
	})
	moveSubjects = bySize(func(values string) string {
		return `UPDATE followed_subjects SET sequence = v.column2 FROM (VALUES ` + values + `) AS v
WHERE followed_subjects.source = $1 AND followed_subjects.name = $2 AND followed_subjects.subject = v.column1 AND followed_subjects.sequence = v.column3`
	})
)

// bySize makes a statement's text for each size of chunk, once.
func bySize(text func(values string) string) func(size int) string {
	made := map[int]string{}
	for _, size := range chunks {
		rows := make([]string, size)
		for i := range rows {
			n := 3*i + 3
			rows[i] = fmt.Sprintf("(CAST($%d AS TEXT), CAST($%d AS BIGINT), CAST($%d AS BIGINT))", n, n+1, n+2)
		}
		made[size] = text(strings.Join(rows, ","))
	}
	return func(size int) string { return made[size] }
}

// gapAmong finds the subject that did not stand where it must: after the statement that
// notes them, all others stand at their last sequence.
func (f *Follower) gapAmong(ctx context.Context, tx *db.Tx, part []*subjectRange) error {
	for _, r := range part {
		var sequence int64
		err := tx.QueryRowContext(ctx, `SELECT sequence FROM followed_subjects WHERE source = $1 AND name = $2 AND subject = $3`,
			f.Source, f.Name, r.subject).Scan(&sequence)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("feed: followed subjects: %w", err)
		}
		if sequence != r.last {
			return gap(fmt.Errorf("feed: %s goes from sequence %d to %d", r.subject, sequence, r.first))
		}
	}
	return gap(errors.New("feed: a subject does not go on where it was left"))
}
