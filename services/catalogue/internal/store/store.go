// Package store keeps halls, departments, the directory and the items with their
// immutable revisions.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"

	"github.com/onehall/onehall/services/catalogue/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of the service and of its feed.
var Migrations = feed.WithMigrations(migrations)

// Resource is a hall, a department or a directory entry: Data is the message as it
// was last written.
type Resource struct {
	Name     string
	Sequence int64
	Data     []byte
}

// InsertHall writes a new hall; fault.AlreadyExists when there is one of the name.
func InsertHall(ctx context.Context, tx *db.Tx, r Resource, parent string, level int64) error {
	n, err := queries.New(tx).InsertHall(ctx, queries.InsertHallParams{
		Name: r.Name, Parent: parent, Level: level, Sequence: r.Sequence, Data: r.Data,
	})
	return one(n, err, fault.AlreadyExists)
}

// UpdateHall replaces a hall that still is at the sequence before.
func UpdateHall(ctx context.Context, tx *db.Tx, r Resource) error {
	n, err := queries.New(tx).UpdateHall(ctx, queries.UpdateHallParams{Name: r.Name, Sequence: r.Sequence, Data: r.Data})
	return one(n, err, fault.Conflict)
}

// GetHall reads a hall, or returns fault.NotFound.
func GetHall(ctx context.Context, q db.Querier, name string) (Resource, error) {
	row, err := queries.New(q).GetHall(ctx, name)
	return found(Resource{name, row.Sequence, row.Data}, err)
}

// ListHalls lists halls by name after a name; an empty parent and level 0 mean all.
func ListHalls(ctx context.Context, q db.Querier, parent string, level int64, after string, size int) ([]Resource, error) {
	rows, err := queries.New(q).ListHalls(ctx, queries.ListHallsParams{After: after, Parent: parent, Level: level, Size: int64(size)})
	all := make([]Resource, 0, len(rows))
	for _, r := range rows {
		all = append(all, Resource(r))
	}
	return all, err
}

// InsertDepartment writes a new department; fault.AlreadyExists when there is one of the name.
func InsertDepartment(ctx context.Context, tx *db.Tx, r Resource, hall string) error {
	n, err := queries.New(tx).InsertDepartment(ctx, queries.InsertDepartmentParams{
		Name: r.Name, Hall: hall, Sequence: r.Sequence, Data: r.Data,
	})
	return one(n, err, fault.AlreadyExists)
}

// GetDepartment reads a department, or returns fault.NotFound.
func GetDepartment(ctx context.Context, q db.Querier, name string) (Resource, error) {
	row, err := queries.New(q).GetDepartment(ctx, name)
	return found(Resource{name, row.Sequence, row.Data}, err)
}

// ListDepartments lists a hall's departments by name after a name.
func ListDepartments(ctx context.Context, q db.Querier, hall, after string, size int) ([]Resource, error) {
	rows, err := queries.New(q).ListDepartments(ctx, queries.ListDepartmentsParams{Hall: hall, After: after, Size: int64(size)})
	all := make([]Resource, 0, len(rows))
	for _, r := range rows {
		all = append(all, Resource(r))
	}
	return all, err
}

// InsertDirectoryEntry writes a new entry; fault.AlreadyExists when there is one of the name.
func InsertDirectoryEntry(ctx context.Context, tx *db.Tx, r Resource) error {
	n, err := queries.New(tx).InsertDirectoryEntry(ctx, queries.InsertDirectoryEntryParams{Name: r.Name, Sequence: r.Sequence, Data: r.Data})
	return one(n, err, fault.AlreadyExists)
}

// GetDirectoryEntry reads an entry, or returns fault.NotFound.
func GetDirectoryEntry(ctx context.Context, q db.Querier, name string) (Resource, error) {
	row, err := queries.New(q).GetDirectoryEntry(ctx, name)
	return found(Resource{name, row.Sequence, row.Data}, err)
}

// ListDirectoryEntries lists entries by name after a name.
func ListDirectoryEntries(ctx context.Context, q db.Querier, after string, size int) ([]Resource, error) {
	rows, err := queries.New(q).ListDirectoryEntries(ctx, queries.ListDirectoryEntriesParams{After: after, Size: int64(size)})
	all := make([]Resource, 0, len(rows))
	for _, r := range rows {
		all = append(all, Resource(r))
	}
	return all, err
}

// Answer is what a request was answered before: nil for a new request, and
// fault.RequestIDReused when its id was used with other content.
func Answer(ctx context.Context, q db.Querier, key string, hash []byte) ([]byte, error) {
	row, err := queries.New(q).GetAnswer(ctx, key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case string(row.RequestHash) != string(hash):
		return nil, fault.RequestIDReused.New()
	case row.Response == nil:
		return []byte{}, nil
	}
	return row.Response, nil
}

// SaveAnswer remembers the answer of a request; fault.Conflict when another replica
// answered it meanwhile.
func SaveAnswer(ctx context.Context, tx *db.Tx, key string, hash, response []byte) error {
	if response == nil {
		response = []byte{}
	}
	n, err := queries.New(tx).InsertAnswer(ctx, queries.InsertAnswerParams{
		RequestKey: key, RequestHash: hash, AnsweredAt: db.Micros(tx.Now()), Response: response,
	})
	return one(n, err, fault.Conflict)
}

// LastPosition is the position of the last event of the service's own feed.
func LastPosition(ctx context.Context, q db.Querier) (int64, error) {
	var last int64
	if err := q.QueryRowContext(ctx, "SELECT COALESCE(MAX(position), 0) FROM events").Scan(&last); err != nil {
		return 0, fmt.Errorf("last position: %w", err)
	}
	return last, nil
}

// one makes "no row written" the given fault.
func one(n int64, err error, none *fault.Reason) error {
	if err == nil && n == 0 {
		return none.New()
	}
	return err
}

// found makes "no row" fault.NotFound.
func found[T any](v T, err error) (T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		var none T
		return none, fault.NotFound.New()
	}
	return v, err
}
