package store

import (
	"context"
	"fmt"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// changesPage is how many rows a look for changes reads at a time.
const changesPage = 500

// ItemRow is an item's state, Position that of the event that set it.
type ItemRow struct {
	Name     string
	State    rules.ItemState
	Position int64
}

// RevisionRow is one published revision as the catalogue sent it.
type RevisionRow struct {
	Name     string
	Revision int32
	Position int64
	Data     []byte
}

// PutItem sets an item's state.
func PutItem(ctx context.Context, tx *db.Tx, r ItemRow) error {
	err := queries.New(tx).PutItem(ctx, queries.PutItemParams{Name: r.Name, State: int64(r.State), Position: r.Position})
	if err != nil {
		return fmt.Errorf("store: put item: %w", err)
	}
	return nil
}

// AddItem notes an item unless it is known.
func AddItem(ctx context.Context, tx *db.Tx, r ItemRow) error {
	err := queries.New(tx).AddItem(ctx, queries.AddItemParams{Name: r.Name, State: int64(r.State), Position: r.Position})
	if err != nil {
		return fmt.Errorf("store: add item: %w", err)
	}
	return nil
}

// PutRevision keeps a revision. One that is known is left as it is: revisions never change.
func PutRevision(ctx context.Context, tx *db.Tx, r RevisionRow) error {
	err := queries.New(tx).PutRevision(ctx, queries.PutRevisionParams{
		Name: r.Name, Revision: int64(r.Revision), Position: r.Position, Data: r.Data,
	})
	if err != nil {
		return fmt.Errorf("store: put revision: %w", err)
	}
	return nil
}

// Items calls each for every item whose state was set by an event after the position.
func Items(ctx context.Context, q db.Querier, after int64, each func(ItemRow)) error {
	for {
		rows, err := queries.New(q).ItemsAfter(ctx, queries.ItemsAfterParams{After: after, Size: changesPage})
		if err != nil {
			return fmt.Errorf("store: items: %w", err)
		}
		for _, r := range rows {
			each(ItemRow{Name: r.Name, State: rules.ItemState(r.State), Position: r.Position})
			after = r.Position
		}
		if len(rows) < changesPage {
			return nil
		}
	}
}

// Revisions calls each for every revision that came with an event after the position,
// and stops at its first error.
func Revisions(ctx context.Context, q db.Querier, after int64, each func(RevisionRow) error) error {
	for {
		rows, err := queries.New(q).RevisionsAfter(ctx, queries.RevisionsAfterParams{After: after, Size: changesPage})
		if err != nil {
			return fmt.Errorf("store: revisions: %w", err)
		}
		for _, r := range rows {
			if err := each(RevisionRow{Name: r.Name, Revision: int32(r.Revision), Position: r.Position, Data: r.Data}); err != nil {
				return err
			}
			after = r.Position
		}
		if len(rows) < changesPage {
			return nil
		}
	}
}
