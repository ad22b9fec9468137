package supervision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// escalationDays are the working days after which an order that still is not met
	// goes one hall further up.
	escalationDays = 5
	// orderPoll is how soon at the latest orders are looked at again: a clock may be put
	// forward, and other replicas issue orders.
	orderPoll = time.Minute
)

// orderChange is one change of an order that a request asks for.
type orderChange struct {
	method, event, name, etag, key string
	request                        proto.Message
	// from are the states it is allowed in.
	from   []supervisionv1.OrderState
	change func(o *supervisionv1.Order, row *store.Order, now time.Time) error
	// also writes what else becomes of it; nil for nothing.
	also func(ctx context.Context, tx *db.Tx, o *supervisionv1.Order) error
}

var orderStates = map[supervisionv1.OrderState]string{
	supervisionv1.OrderState_ORDER_STATE_ISSUED:   "已下达",
	supervisionv1.OrderState_ORDER_STATE_RECEIVED: "已签收",
	supervisionv1.OrderState_ORDER_STATE_FED_BACK: "已反馈",
	supervisionv1.OrderState_ORDER_STATE_CLOSED:   "已办结",
}

// changeOrder changes an order. What fell due before is judged first: nobody escapes a
// card by being quicker than the watch.
func (s *Service) changeOrder(ctx context.Context, ch orderChange) (*supervisionv1.Order, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	if _, err := s.engine.judgeOrders(ctx); err != nil {
		return nil, err
	}
	key, hash := feed.RequestKey(hallOf(ch.name), access.Subject, ch.method, ch.key), feed.RequestHash(ch.request)
	var answer *supervisionv1.Order
	err := s.db.Write(ctx, hallOf(ch.name), func(ctx context.Context, tx *db.Tx) error {
		row, err := store.GetOrder(ctx, tx, ch.name)
		if err != nil {
			return err
		}
		if !covers(access, row.Hall, row.Department, "") {
			return fault.NotFound.New()
		}
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		if err := feed.CheckEtag(ch.etag, row.Name, row.Sequence); err != nil {
			return err
		}
		now := tx.Now()
		if !row.NextAt.IsZero() && !now.Before(row.NextAt) {
			return fault.Conflict.New(fault.Cause(errors.New("the order fell due just now")))
		}
		o, err := orderOf(row.Data)
		if err != nil {
			return err
		}
		if !slices.Contains(ch.from, o.GetState()) {
			return fault.OrderWrongState.New(fault.Meta("state", orderStates[o.GetState()]))
		}
		if err := ch.change(o, &row, now); err != nil {
			return err
		}
		answer = o
		if ch.also != nil {
			if err := ch.also(ctx, tx, o); err != nil {
				return err
			}
		}
		return saveOrder(ctx, tx, row, o, feed.Draft{Type: ch.event, Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash})
	})
	if e, ok := feed.Replayed(err); ok {
		return orderOf(e.GetResource())
	}
	return answer, err
}

// saveOrder writes an order one sequence on, and the event that says why.
func saveOrder(ctx context.Context, tx *db.Tx, row store.Order, o *supervisionv1.Order, event feed.Draft) error {
	row.Sequence++
	o.Etag = feed.Etag(row.Name, row.Sequence)
	event.Subject, event.Sequence, event.Resource = row.Name, row.Sequence, o
	if _, err := feed.Append(ctx, tx, event); err != nil {
		return err
	}
	row.Data = marshal(o)
	return store.UpdateOrder(ctx, tx, row)
}

// watchOrders judges orders as their last days go by, until ctx ends.
func (e *engine) watchOrders(ctx context.Context) error {
	for {
		wait := orderPoll
		next, err := e.judgeOrders(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			e.logger().ErrorContext(ctx, "supervision: orders could not be judged", slog.Any("error", err))
		case !next.IsZero():
			wait = min(wait, max(next.Sub(e.clock.Now()), time.Millisecond))
		}
		if err := clock.Sleep(ctx, e.clock, wait); err != nil {
			return nil //nolint:nilerr // being told to stop is how it ends well
		}
	}
}

// judgeOrders raises the cards of all orders whose last day is over, and tells when the
// next one is.
func (e *engine) judgeOrders(ctx context.Context) (next time.Time, err error) {
	for {
		row, ok, err := store.NextOrder(ctx, e.db.Read())
		if err != nil || !ok || e.clock.Now().Before(row.NextAt) {
			return row.NextAt, err
		}
		err = e.db.Write(ctx, row.Hall, func(ctx context.Context, tx *db.Tx) error { return e.overdue(ctx, tx, row) })
		if err != nil && !errors.Is(err, fault.Conflict) { // another replica was faster
			return time.Time{}, err
		}
	}
}

// overdue raises the red card of an order whose last day is over, with the proposal to
// rectify, and takes it one hall further up; at the top it stays.
func (e *engine) overdue(ctx context.Context, tx *db.Tx, row store.Order) error {
	o, err := orderOf(row.Data)
	if err != nil {
		return err
	}
	o.Overdue++
	from := o.GetEscalatedTo()
	if from == "" {
		from = row.Hall
	}
	above, err := store.ParentHall(ctx, tx, from)
	if err != nil {
		return err
	}
	policy := e.policyAt(divisionOf(row.Hall), e.clock.Now())
	at := row.NextAt
	row.NextAt = time.Time{}
	if above != "" {
		o.EscalatedTo = above
		day, _ := policy.Calendar.Add(divisionOf(row.Hall), workday.DateOf(at)-1, escalationDays)
		row.NextAt = workday.StartOfDay(day + 1)
	}
	o.Proposal = fmt.Sprintf("整改建议书：督办单“%s”要求于%s前反馈，至今未反馈，已%d次逾期。建议责任部门立即落实督办要求，查明原因，明确责任人，并在%d个工作日内书面报告整改结果。",
		o.GetTitle(), o.GetFeedbackDueDate(), o.GetOverdue(), escalationDays)
	ground := fmt.Sprintf("督办单“%s”应于%s前反馈，第%d次逾期未反馈", o.GetTitle(), o.GetFeedbackDueDate(), o.GetOverdue())
	if above != "" {
		ground += "，已报上级" + above
	}
	draft := cardDraft{policy: policy, subject: subject{name: o.GetName(), itemTitle: o.GetTitle(), department: o.GetDepartment()},
		finding: rules.Finding{Rule: rules.S1, Level: rules.Red, Occurrence: int(o.GetOverdue()), AsOf: at, Officer: o.GetReceiver(),
			Ground: ground + "。" + o.GetProposal(), Version: rules.OrderVersion}}
	if err := e.issue(ctx, tx, draft); err != nil {
		return err
	}
	return saveOrder(ctx, tx, row, o, feed.Draft{Type: "order.overdue", Actor: systemActor, HappenedAt: at})
}
