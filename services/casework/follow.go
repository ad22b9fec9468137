package casework

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/db"
)

// applyCatalogue keeps the copy of the catalogue's items and of the almanac. Other events
// of the catalogue mean nothing to a case.
func applyCatalogue(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	for _, e := range events {
		if err := almanac.Apply(ctx, tx, e); err != nil {
			return fmt.Errorf("casework: %s: %w", e.GetType(), err)
		}
		if !strings.HasPrefix(e.GetType(), "item.") {
			continue
		}
		if err := applyItem(ctx, tx, e); err != nil {
			return fmt.Errorf("casework: %s of %s: %w", e.GetType(), e.GetSubject(), err)
		}
	}
	return nil
}

func applyItem(ctx context.Context, tx *db.Tx, e *feedv1.Event) error {
	row := store.ItemRow{Name: e.GetSubject(), Position: e.GetPosition()}
	switch e.GetType() {
	case "item.published":
		var r cataloguev1.ItemRevision
		if err := proto.Unmarshal(e.GetResource(), &r); err != nil {
			return err
		}
		if _, err := itemOf(&r); err != nil {
			return err
		}
		err := store.PutRevision(ctx, tx, store.RevisionRow{
			Name: e.GetSubject(), Revision: r.GetRevision(), Position: e.GetPosition(), Data: e.GetResource(),
		})
		if err != nil {
			return err
		}
		row.State = rules.ItemState(r.GetItem().GetState())
		if row.State < rules.ItemInForce {
			row.State = rules.ItemInForce
		}
		return store.PutItem(ctx, tx, row)
	case "item.paused", "item.resumed", "item.cancelled":
		row.State = map[string]rules.ItemState{
			"item.paused": rules.ItemPaused, "item.resumed": rules.ItemInForce, "item.cancelled": rules.ItemCancelled,
		}[e.GetType()]
		return store.PutItem(ctx, tx, row)
	default:
		// A draft is known by name, so that who applies for it too early is told so.
		row.State = rules.ItemDraft
		return store.AddItem(ctx, tx, row)
	}
}

// caughtUp is called when everything the catalogue said is applied, by this replica or
// another one; the heartbeat of the feed brings it here every second.
func (s *Service) caughtUp(ctx context.Context, _ time.Time) error {
	if err := s.items.refresh(ctx, s.db.Read()); err != nil {
		return err
	}
	changed, err := s.almanac.Refresh(ctx, s.db.Read())
	if err != nil {
		return err
	}
	if changed {
		select {
		case s.moved <- struct{}{}:
		default: // it is awake already
		}
	}
	s.setReady()
	return nil
}
