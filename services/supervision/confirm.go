package supervision

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// confirmations serves what becomes of pending cards.
type confirmations struct {
	supervisionv1.UnimplementedConfirmationServiceServer
	s *Service
}

// seesHidden tells whether a caller sees cards that are not issued: supervisors, whose
// reach is everything, and nobody else.
func seesHidden(a authn.Access) bool { return a.Scope == optionsv1.Scope_SCOPE_ALL }

func stateOf(c *supervisionv1.Card) store.CardState { return store.CardState(c.GetState()) }

// ConfirmCard issues a pending card. The days to answer count from now, by the setting of
// the card's moment.
func (x confirmations) ConfirmCard(ctx context.Context, req *supervisionv1.ConfirmCardRequest) (*supervisionv1.Card, error) {
	access, _ := authn.AccessFrom(ctx)
	return x.s.changeCard(ctx, cardChange{
		method: "ConfirmCard", event: "card.confirmed", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		from: []store.CardState{store.Pending},
		change: func(ctx context.Context, tx *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error {
			own, err := x.s.engine.own.inForce(ctx, tx)
			if err != nil {
				return err
			}
			hall := hallOf(c.GetName())
			how := settingAt(own, hall, rules.Finding{Rule: c.GetRule(), AsOf: c.GetAsOf().AsTime()})
			enforce(c, x.s.engine.policyAt(divisionOf(hall), now.AsTime()), how, workday.DateOf(now.AsTime()))
			c.Confirmer, c.ConfirmTime = access.Subject, now
			return nil
		},
	})
}

// CancelCard ends a pending card: it never counts, and supervisors alone see it.
func (x confirmations) CancelCard(ctx context.Context, req *supervisionv1.CancelCardRequest) (*supervisionv1.Card, error) {
	reason, err := codes.Text(req.GetReason(), 1000)
	if err != nil {
		return nil, fault.At("reason", err)
	}
	access, _ := authn.AccessFrom(ctx)
	return x.s.changeCard(ctx, cardChange{
		method: "CancelCard", event: "card.cancelled", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		from: []store.CardState{store.Pending},
		change: func(_ context.Context, _ *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error {
			c.State = supervisionv1.CardState_CARD_STATE_CANCELLED
			c.Canceller, c.CancelReason, c.CancelTime = access.Subject, reason, now
			return nil
		},
	})
}

// escalate shows on a card that waits too long whom that concerns.
func (s *Service) escalate(ctx context.Context, c *supervisionv1.Card) (err error) {
	if stateOf(c) != store.Pending || !late(c.GetConfirmDueDate(), timestamppb.New(s.rt.Clock.Now())) {
		return nil
	}
	c.ConfirmOverdue = true
	c.EscalatedTo, err = store.ParentHall(ctx, s.db.Read(), hallOf(c.GetName()))
	return err
}

// cardUnderOrder notes on a card that an order follows from it, or is closed.
func cardUnderOrder(ctx context.Context, tx *db.Tx, o *supervisionv1.Order, event, actor string, change func(c *supervisionv1.Card) bool) error {
	if o.GetCard() == "" {
		return nil
	}
	row, err := store.GetCard(ctx, tx, o.GetCard())
	if err != nil {
		return err
	}
	c, err := cardOf(row.Data)
	if err != nil || !change(c) {
		return err
	}
	return saveCard(ctx, tx, row, c, feed.Draft{Type: event, Actor: actor})
}

// orderIssued is the change when an order names the card; orderClosed when it is closed
// and no later one was issued.
func orderIssued(o *supervisionv1.Order) func(c *supervisionv1.Card) bool {
	return func(c *supervisionv1.Card) bool {
		c.State, c.Order = supervisionv1.CardState_CARD_STATE_UNDER_ORDER, o.GetName()
		return true
	}
}

func orderClosed(o *supervisionv1.Order) func(c *supervisionv1.Card) bool {
	return func(c *supervisionv1.Card) bool {
		if stateOf(c) != store.UnderOrder || c.GetOrder() != o.GetName() {
			return false
		}
		c.State = supervisionv1.CardState_CARD_STATE_ISSUED
		return true
	}
}
