// Package store keeps what the hub knows of each case, review, card and item, and the
// facts they add up to.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of the service and of its followers.
var Migrations fs.FS = feed.WithMigrations(migrations)

// Follower is the name under which the hub follows every feed.
const Follower = "hub"

// Feed is one feed of one source.
type Feed struct{ Source, Name string }

// String names the feed as its cursor is named.
func (f Feed) String() string { return f.Source + "/" + f.Name }

func feedOf(cursor string) Feed {
	source, name, _ := strings.Cut(cursor, "/")
	return Feed{source, name}
}

// AddSource makes a source known.
func AddSource(ctx context.Context, d *db.DB, source string) error {
	return d.Write(ctx, source, func(ctx context.Context, tx *db.Tx) error {
		return queries.New(tx).AddSource(ctx, source)
	})
}

// LockSource makes the batches of a source's feeds wait for each other until the end of
// the transaction. Without it a case and a review of it, applied at the same moment,
// would each not see the other.
func LockSource(ctx context.Context, tx *db.Tx, source string) error {
	n, err := queries.New(tx).LockSource(ctx, source)
	if err == nil && n == 0 {
		return fmt.Errorf("store: source %s is not known", source)
	}
	return err
}

// SetComplete notes until when a feed is complete; it never goes back.
func SetComplete(ctx context.Context, d *db.DB, f Feed, until time.Time) error {
	return d.Write(ctx, f.String(), func(ctx context.Context, tx *db.Tx) error {
		return queries.New(tx).SetComplete(ctx, queries.SetCompleteParams{Source: f.Source, Feed: f.Name, CompleteUntil: db.Micros(until)})
	})
}

// Completes gives until when each feed was last noted to be complete.
func Completes(ctx context.Context, q db.Querier) (map[Feed]time.Time, error) {
	rows, err := queries.New(q).Completes(ctx)
	out := map[Feed]time.Time{}
	for _, r := range rows {
		out[Feed{r.Source, r.Feed}] = db.Time(r.CompleteUntil)
	}
	return out, err
}

// Progress is how far a feed is counted.
type Progress struct {
	// Position is the last event counted, Parked the subjects left out with a fault.
	Position, Parked int64
}

// Progresses gives how far each feed is counted.
func Progresses(ctx context.Context, q db.Querier) (map[Feed]Progress, error) {
	out := map[Feed]Progress{}
	positions, err := queries.New(q).Positions(ctx, Follower)
	if err != nil {
		return nil, err
	}
	for _, r := range positions {
		out[feedOf(r.Source)] = Progress{Position: r.Position}
	}
	parked, err := queries.New(q).ParkedSubjects(ctx, Follower)
	if err != nil {
		return nil, err
	}
	for _, r := range parked {
		p := out[feedOf(r.Source)]
		p.Parked = r.Subjects
		out[feedOf(r.Source)] = p
	}
	return out, nil
}

// PutHall keeps a hall unless a later state of it is kept.
func PutHall(ctx context.Context, tx *db.Tx, h rules.Hall, sequence int64) error {
	return queries.New(tx).PutHall(ctx, queries.PutHallParams{
		Hall: h.Name, DisplayName: h.DisplayName, Level: int64(h.Level), Parent: h.Parent, Sequence: sequence,
	})
}

// Halls lists the halls by name.
func Halls(ctx context.Context, q db.Querier) ([]rules.Hall, error) {
	rows, err := queries.New(q).Halls(ctx)
	halls := make([]rules.Hall, 0, len(rows))
	for _, r := range rows {
		halls = append(halls, rules.Hall{Name: r.Hall, DisplayName: r.DisplayName, Parent: r.Parent, Level: rules.Level(r.Level)})
	}
	return halls, err
}

// GetHall reads a hall, or returns fault.NotFound.
func GetHall(ctx context.Context, q db.Querier, name string) (rules.Hall, error) {
	r, err := queries.New(q).GetHall(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return rules.Hall{}, fault.NotFound.New(fault.Field("hall"))
	}
	return rules.Hall{Name: r.Hall, DisplayName: r.DisplayName, Parent: r.Parent, Level: rules.Level(r.Level)}, err
}

// PutDepartment keeps a department unless a later state of it is kept.
func PutDepartment(ctx context.Context, tx *db.Tx, name, displayName string, sequence int64) error {
	return queries.New(tx).PutDepartment(ctx, queries.PutDepartmentParams{Department: name, DisplayName: displayName, Sequence: sequence})
}

// HasDepartment reports whether the department is known.
func HasDepartment(ctx context.Context, q db.Querier, name string) (bool, error) {
	return queries.New(q).HasDepartment(ctx, name)
}

// HasItem reports whether the item is known.
func HasItem(ctx context.Context, q db.Querier, name string) (bool, error) {
	return queries.New(q).HasItem(ctx, name)
}
