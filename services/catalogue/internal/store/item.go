package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/onehall/onehall/services/catalogue/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// State is an item's state, numbered as in the contract.
type State int64

// The states.
const (
	Draft     State = 1
	InForce   State = 2
	Paused    State = 3
	Cancelled State = 4
)

// Item is the row of an item. Draft is the content being edited, empty where it is
// that of the last revision; DraftSHA256 is its hash in either case.
type Item struct {
	Name, Hall, Department, Title string
	Level                         int64
	State                         State
	Revision                      int32
	Sequence                      int64
	Editor                        string
	Created, Updated              time.Time
	DraftSHA256                   string
	Draft                         []byte
}

// Revision is a published revision. Effective and Ends bound the time it is in force;
// a zero Ends means open.
type Revision struct {
	Item            string
	Revision        int32
	Effective, Ends time.Time
	Data            []byte
}

// Published is an item with its revision in force.
type Published struct {
	Name, Department string
	State            State
	Sequence         int64
	Created, Updated time.Time
	Revision         int32
	Data             []byte
}

// InsertItem writes a new item; fault.AlreadyExists when there is one of the name.
func InsertItem(ctx context.Context, tx *db.Tx, it Item) error {
	n, err := queries.New(tx).InsertItem(ctx, queries.InsertItemParams{
		Name: it.Name, Hall: it.Hall, Department: it.Department, Title: it.Title, Level: it.Level, State: int64(it.State),
		Revision: int64(it.Revision), Sequence: it.Sequence, Editor: it.Editor, CreatedAt: db.Micros(it.Created),
		UpdatedAt: db.Micros(it.Updated), DraftSha256: it.DraftSHA256, Draft: bytes(it.Draft),
	})
	return one(n, err, fault.AlreadyExists)
}

// UpdateItem replaces an item that still is at the sequence before; hall and creation stay.
func UpdateItem(ctx context.Context, tx *db.Tx, it Item) error {
	n, err := queries.New(tx).UpdateItem(ctx, queries.UpdateItemParams{
		Name: it.Name, Department: it.Department, Title: it.Title, Level: it.Level, State: int64(it.State),
		Revision: int64(it.Revision), Sequence: it.Sequence, Editor: it.Editor, UpdatedAt: db.Micros(it.Updated),
		DraftSha256: it.DraftSHA256, Draft: bytes(it.Draft),
	})
	return one(n, err, fault.Conflict)
}

// bytes stores nothing as an empty value, never as NULL.
func bytes(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// GetItem reads an item's row, or returns fault.ItemNotFound.
func GetItem(ctx context.Context, q db.Querier, name string) (Item, error) {
	items, err := Items(ctx, q, []string{name})
	if err != nil {
		return Item{}, err
	}
	it, ok := items[name]
	if !ok {
		return Item{}, fault.ItemNotFound.New()
	}
	return it, nil
}

// TitleTaken says whether another item of the department and level, not cancelled, has
// the title.
func TitleTaken(ctx context.Context, q db.Querier, it Item) (bool, error) {
	n, err := queries.New(q).TitleTaken(ctx, queries.TitleTakenParams{
		Department: it.Department, Title: it.Title, Level: it.Level, Name: it.Name,
	})
	return n > 0, err
}

// Titled is a title in use.
type Titled struct {
	Title string
	Level int64
}

// Titles gives the items of a department by title and level.
func Titles(ctx context.Context, q db.Querier, department string) (map[Titled][]string, error) {
	rows, err := queries.New(q).TitlesOfDepartment(ctx, department)
	all := make(map[Titled][]string, len(rows))
	for _, r := range rows {
		t := Titled{r.Title, r.Level}
		all[t] = append(all[t], r.Name)
	}
	return all, err
}

// InsertRevision writes a revision; fault.Conflict when the number is taken, for a
// published revision never changes.
func InsertRevision(ctx context.Context, tx *db.Tx, r Revision) error {
	n, err := queries.New(tx).InsertRevision(ctx, queries.InsertRevisionParams{
		Item: r.Item, Revision: int64(r.Revision), EffectiveAt: db.Micros(r.Effective), EndsAt: db.Micros(r.Ends), Data: r.Data,
	})
	return one(n, err, fault.Conflict)
}

// GetRevision reads a revision, or returns fault.NotFound.
func GetRevision(ctx context.Context, q db.Querier, item string, revision int32) ([]byte, error) {
	data, err := queries.New(q).GetRevision(ctx, queries.GetRevisionParams{Item: item, Revision: int64(revision)})
	return found(data, err)
}

// ListRevisions lists an item's revisions, newest first, before a number; 0 begins.
func ListRevisions(ctx context.Context, q db.Querier, item string, before int32, size int) ([][]byte, error) {
	if before == 0 {
		before = math.MaxInt32
	}
	rows, err := queries.New(q).ListRevisions(ctx, queries.ListRevisionsParams{Item: item, Before: int64(before), Size: int64(size)})
	all := make([][]byte, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.Data)
	}
	return all, err
}

// GetInForce reads an item with the revision in force at now, or returns
// fault.ItemNotFound. A paused item has one, a cancelled one has not.
func GetInForce(ctx context.Context, q db.Querier, name string, now time.Time) (Published, error) {
	row, err := queries.New(q).GetInForce(ctx, queries.GetInForceParams{Name: name, Now: db.Micros(now)})
	if errors.Is(err, sql.ErrNoRows) {
		return Published{}, fault.ItemNotFound.New()
	}
	return published(queries.ListInForceRow(row)), err
}

// ListInForce lists a hall's items in force at now by name after a name; an empty
// department means all.
func ListInForce(ctx context.Context, q db.Querier, hall, department, after string, now time.Time, size int) ([]Published, error) {
	rows, err := queries.New(q).ListInForce(ctx, queries.ListInForceParams{
		Hall: hall, Department: department, After: after, Now: db.Micros(now), Size: int64(size),
	})
	all := make([]Published, 0, len(rows))
	for _, r := range rows {
		all = append(all, published(r))
	}
	return all, err
}

func published(r queries.ListInForceRow) Published {
	return Published{
		Name: r.Name, Department: r.Department, State: State(r.State), Sequence: r.Sequence,
		Created: db.Time(r.CreatedAt), Updated: db.Time(r.UpdatedAt), Revision: int32(r.Revision), Data: r.Data,
	}
}
