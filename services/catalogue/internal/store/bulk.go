package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/db"
)

// chunk bounds the values of one IN list.
const chunk = 500

// in runs a query over each part of a list of names: %s stands for the list. The
// first arguments of the query, $1 and on, are those of lead.
func in(ctx context.Context, q db.Querier, query string, lead []any, names []string, scan func(*sql.Rows) error) error {
	for len(names) > 0 {
		part := names[:min(chunk, len(names))]
		names = names[len(part):]
		args := append(make([]any, 0, len(lead)+len(part)), lead...)
		marks := make([]string, 0, len(part))
		for _, name := range part {
			args = append(args, name)
			marks = append(marks, fmt.Sprintf("$%d", len(args)))
		}
		if err := each(ctx, q, fmt.Sprintf(query, strings.Join(marks, ",")), args, scan); err != nil {
			return err
		}
	}
	return nil
}

func each(ctx context.Context, q db.Querier, query string, args []any, scan func(*sql.Rows) error) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Items reads the rows of many items at once; those that are not there are left out.
func Items(ctx context.Context, q db.Querier, names []string) (map[string]Item, error) {
	all := make(map[string]Item, len(names))
	err := in(ctx, q, `SELECT name, hall, department, title, level, state, revision, sequence, editor, created_at, updated_at,
draft_sha256, draft FROM items WHERE name IN (%s)`, nil, names, func(rows *sql.Rows) error {
		var it Item
		var created, updated int64
		if err := rows.Scan(&it.Name, &it.Hall, &it.Department, &it.Title, &it.Level, &it.State, &it.Revision, &it.Sequence,
			&it.Editor, &created, &updated, &it.DraftSHA256, &it.Draft); err != nil {
			return err
		}
		it.Created, it.Updated = db.Time(created), db.Time(updated)
		all[it.Name] = it
		return nil
	})
	return all, err
}

// Revisions reads the last revisions of many items at once.
func Revisions(ctx context.Context, q db.Querier, names []string) (map[string][]byte, error) {
	all := make(map[string][]byte, len(names))
	err := in(ctx, q, `SELECT r.item, r.data FROM item_revisions r JOIN items i ON i.name = r.item AND i.revision = r.revision
WHERE r.item IN (%s)`, nil, names, func(rows *sql.Rows) error {
		var name string
		var data []byte
		if err := rows.Scan(&name, &data); err != nil {
			return err
		}
		all[name] = data
		return nil
	})
	return all, err
}

// Departments reads many departments at once.
func Departments(ctx context.Context, q db.Querier, names []string) (map[string]Resource, error) {
	return resources(ctx, q, "departments", names)
}

// DirectoryEntries reads many directory entries at once.
func DirectoryEntries(ctx context.Context, q db.Querier, names []string) (map[string]Resource, error) {
	return resources(ctx, q, "directory_entries", names)
}

func resources(ctx context.Context, q db.Querier, table string, names []string) (map[string]Resource, error) {
	all := make(map[string]Resource, len(names))
	err := in(ctx, q, "SELECT name, sequence, data FROM "+table+" WHERE name IN (%s)", nil, names, func(rows *sql.Rows) error {
		var r Resource
		if err := rows.Scan(&r.Name, &r.Sequence, &r.Data); err != nil {
			return err
		}
		all[r.Name] = r
		return nil
	})
	return all, err
}

// Findable is what search must know of an item: the revision in force, nil where the
// public is to find nothing, and when that changes by itself (zero: never).
type Findable struct {
	Name    string
	Data    []byte
	Changes time.Time
}

// findable reads, for the items chosen by the condition, the revision in force at $1.
const findable = `SELECT i.name, i.state, COALESCE(r.ends_at, 0), r.data,
  COALESCE((SELECT MIN(y.effective_at) FROM item_revisions y WHERE y.item = i.name AND y.effective_at > $1), 0)
FROM items i
LEFT JOIN item_revisions r ON r.item = i.name AND r.revision =
  (SELECT MAX(x.revision) FROM item_revisions x WHERE x.item = i.name AND x.effective_at <= $1)
WHERE i.name `

// Finds reads what search must know of some items; one that is not there is left out.
func Finds(ctx context.Context, q db.Querier, names []string, now time.Time) ([]Findable, error) {
	var all []Findable
	err := in(ctx, q, findable+"IN (%s)", []any{db.Micros(now)}, names, collect(now, &all))
	return all, err
}

// FindsAfter reads what search must know of the items that follow a name, by name.
func FindsAfter(ctx context.Context, q db.Querier, after string, now time.Time, size int) ([]Findable, error) {
	var all []Findable
	err := each(ctx, q, findable+"> $2 ORDER BY i.name LIMIT $3", []any{db.Micros(now), after, int64(size)}, collect(now, &all))
	return all, err
}

func collect(now time.Time, all *[]Findable) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var f Findable
		var state State
		var ends, next int64
		if err := rows.Scan(&f.Name, &state, &ends, &f.Data, &next); err != nil {
			return err
		}
		if ended := ends != 0 && ends <= db.Micros(now); state != InForce || ended {
			f.Data = nil
		}
		f.Changes = db.Time(next)
		if last := db.Time(ends); f.Data != nil && ends != 0 && (next == 0 || last.Before(f.Changes)) {
			f.Changes = last
		}
		*all = append(*all, f)
		return nil
	}
}
