package db

import (
	"context"
	"strconv"
	"strings"
)

// Statements over many rows have no fixed number of placeholders. Few sizes keep the
// statements few, so that the databases know them all.
var (
	readSizes  = []int{512, 64, 8, 1}
	writeSizes = []int{32, 4, 1}
)

// Chunks calls fn with words a chunk at a time, as arguments and as the list of their
// placeholders, which begins behind the fixed arguments. A chunk is filled up with its last
// word: asking twice for a row gives it once.
func Chunks(words []string, fixed []any, fn func(args []any, list string) error) error {
	for len(words) > 0 {
		n := min(len(words), readSizes[0])
		size := readSizes[0]
		for _, s := range readSizes {
			if s >= n {
				size = s
			}
		}
		args := append(make([]any, 0, len(fixed)+size), fixed...)
		for i := range size {
			args = append(args, words[min(i, n-1)])
		}
		if err := fn(args, placeholders(len(fixed)+1, size)); err != nil {
			return err
		}
		words = words[n:]
	}
	return nil
}

// placeholders is ($from, ..., $from+n-1).
func placeholders(from, n int) string {
	var b strings.Builder
	open := "($"
	for i := range n {
		b.WriteString(open)
		b.WriteString(strconv.Itoa(from + i))
		open = ",$"
	}
	b.WriteByte(')')
	return b.String()
}

// InsertMany writes rows by head, VALUES and tail: "INSERT INTO t (a, b) VALUES" and, where
// there is one, "ON CONFLICT ...". No two of the rows may have the same key.
func InsertMany[T any](ctx context.Context, tx *Tx, head, tail string, rows []T, values func(T) []any) error {
	for len(rows) > 0 {
		n := 1
		for _, s := range writeSizes {
			if s <= len(rows) {
				n = s
				break
			}
		}
		var query strings.Builder
		query.WriteString(head)
		var args []any
		for i, r := range rows[:n] {
			v := values(r)
			if i > 0 {
				query.WriteByte(',')
			}
			query.WriteString(placeholders(len(args)+1, len(v)))
			args = append(args, v...)
		}
		query.WriteString(tail)
		if _, err := tx.ExecContext(ctx, query.String(), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
