package supervision

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

func orderOf(data []byte) (*supervisionv1.Order, error) {
	o := &supervisionv1.Order{}
	if err := proto.Unmarshal(data, o); err != nil {
		return nil, fmt.Errorf("stored order: %w", err)
	}
	return o, nil
}

// dueDay reads a last day to report, which lies ahead, and gives the moment it is over.
func dueDay(text string, now time.Time) (time.Time, error) {
	day, err := workday.ParseDate(text)
	if err != nil {
		return time.Time{}, fault.InvalidArgument.New(fault.Field("feedback_due_date"), fault.Cause(err))
	}
	if day <= workday.DateOf(now) {
		return time.Time{}, fault.OrderNotAhead.New(fault.Field("feedback_due_date"))
	}
	return workday.StartOfDay(day + 1), nil
}

// IssueOrder issues an order to a department of the hall.
func (s *Service) IssueOrder(ctx context.Context, req *supervisionv1.IssueOrderRequest) (*supervisionv1.Order, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	asked := req.GetOrder()
	title, err := codes.Text(asked.GetTitle(), 100)
	if err != nil {
		return nil, fault.At("order.title", err)
	}
	content, err := codes.Text(asked.GetContent(), 4000)
	if err != nil {
		return nil, fault.At("order.content", err)
	}
	if hallOf(asked.GetDepartment()) != req.GetParent() || asked.GetCard() != "" && hallOf(asked.GetCard()) != req.GetParent() {
		return nil, fault.InvalidArgument.New(fault.Field("order.department"))
	}
	key, hash := feed.RequestKey(req.GetParent(), access.Subject, "IssueOrder", req.GetRequestId()), feed.RequestHash(req)
	var answer *supervisionv1.Order
	err = s.db.Write(ctx, req.GetParent(), func(ctx context.Context, tx *db.Tx) error {
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		over, err := dueDay(asked.GetFeedbackDueDate(), tx.Now())
		if err != nil {
			return err
		}
		if asked.GetCard() != "" {
			card, err := store.GetCard(ctx, tx, asked.GetCard())
			if err != nil {
				return err
			}
			if err := (cardChange{}).allowed(card.State); err != nil {
				return err
			}
		}
		id := tx.NextID()
		o := &supervisionv1.Order{
			Name: fmt.Sprintf("%s/orders/%d", req.GetParent(), id), Title: title, Content: content, Department: asked.GetDepartment(), Card: asked.GetCard(),
			FeedbackDueDate: asked.GetFeedbackDueDate(), State: supervisionv1.OrderState_ORDER_STATE_ISSUED, Issuer: access.Subject, IssueTime: timestamppb.New(tx.Now()),
		}
		o.Etag = feed.Etag(o.GetName(), 1)
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: o.GetName(), Sequence: 1, Type: "order.issued", Resource: o,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		answer = o
		if err := cardUnderOrder(ctx, tx, o, "card.under_order", access.Subject, orderIssued(o)); err != nil {
			return err
		}
		return store.InsertOrder(ctx, tx, store.Order{ID: id, Name: o.GetName(), Hall: req.GetParent(), Department: o.GetDepartment(), NextAt: over, Data: marshal(o)})
	})
	if e, ok := feed.Replayed(err); ok {
		return orderOf(e.GetResource())
	}
	return answer, err
}

// GetOrder reads an order.
func (s *Service) GetOrder(ctx context.Context, req *supervisionv1.GetOrderRequest) (*supervisionv1.Order, error) {
	access, _ := authn.AccessFrom(ctx)
	row, err := store.GetOrder(ctx, s.db.Read(), req.GetName())
	if err != nil {
		return nil, err
	}
	if !covers(access, row.Hall, row.Department, "") {
		return nil, fault.NotFound.New()
	}
	return orderOf(row.Data)
}

// ListOrders lists a hall's orders, newest first.
func (s *Service) ListOrders(ctx context.Context, req *supervisionv1.ListOrdersRequest) (*supervisionv1.ListOrdersResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	department, err := ownDepartment(access, req.GetParent(), req.GetDepartment())
	if err != nil {
		return nil, err
	}
	if department != "" && hallOf(department) != req.GetParent() {
		return &supervisionv1.ListOrdersResponse{}, nil // no department of this hall
	}
	question := page.FilterHash("orders", req.GetParent(), department)
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if len(key) == 1 {
		if before, err = strconv.ParseInt(key[0], 10, 64); err != nil {
			return nil, fault.BadPageToken.New(fault.Cause(err))
		}
	}
	rows, err := store.ListOrders(ctx, s.db.Read(), req.GetParent(), department, before, size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListOrdersResponse{}
	if len(rows) > size {
		rows = rows[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(rows[size-1].ID, 10))
	}
	for _, row := range rows {
		o, err := orderOf(row.Data)
		if err != nil {
			return nil, err
		}
		res.Orders = append(res.Orders, o)
	}
	return res, nil
}

// ReceiveOrder confirms that the department has the order.
func (s *Service) ReceiveOrder(ctx context.Context, req *supervisionv1.ReceiveOrderRequest) (*supervisionv1.Order, error) {
	access, _ := authn.AccessFrom(ctx)
	return s.changeOrder(ctx, orderChange{
		method: "ReceiveOrder", event: "order.received", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		from: []supervisionv1.OrderState{supervisionv1.OrderState_ORDER_STATE_ISSUED},
		change: func(o *supervisionv1.Order, row *store.Order, now time.Time) error {
			o.State, o.Receiver, o.ReceiveTime = supervisionv1.OrderState_ORDER_STATE_RECEIVED, access.Subject, timestamppb.New(now)
			return nil
		},
	})
}

// FeedBackOrder reports what was done. The last day is kept by that; the check has none.
func (s *Service) FeedBackOrder(ctx context.Context, req *supervisionv1.FeedBackOrderRequest) (*supervisionv1.Order, error) {
	feedback, err := codes.Text(req.GetFeedback(), 4000)
	if err != nil {
		return nil, fault.At("feedback", err)
	}
	evidence := make([]string, len(req.GetEvidence()))
	for i, text := range req.GetEvidence() {
		if evidence[i], err = codes.Text(text, 500); err != nil {
			return nil, fault.At(fmt.Sprintf("evidence[%d]", i), err)
		}
	}
	return s.changeOrder(ctx, orderChange{
		method: "FeedBackOrder", event: "order.fed_back", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		from: []supervisionv1.OrderState{supervisionv1.OrderState_ORDER_STATE_RECEIVED},
		change: func(o *supervisionv1.Order, row *store.Order, now time.Time) error {
			o.State, o.Feedback, o.Evidence, o.FeedbackTime = supervisionv1.OrderState_ORDER_STATE_FED_BACK, feedback, evidence, timestamppb.New(now)
			row.NextAt = time.Time{}
			return nil
		},
	})
}

// CheckOrder closes what was reported, or sends it back with a new last day.
func (s *Service) CheckOrder(ctx context.Context, req *supervisionv1.CheckOrderRequest) (*supervisionv1.Order, error) {
	opinion, err := codes.Text(req.GetOpinion(), 1000)
	if err != nil {
		return nil, fault.At("opinion", err)
	}
	access, _ := authn.AccessFrom(ctx)
	event := "order.sent_back"
	if req.GetClose() {
		event = "order.closed"
	}
	return s.changeOrder(ctx, orderChange{
		method: "CheckOrder", event: event, name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		from: []supervisionv1.OrderState{supervisionv1.OrderState_ORDER_STATE_FED_BACK},
		also: func(ctx context.Context, tx *db.Tx, o *supervisionv1.Order) error {
			if !req.GetClose() {
				return nil
			}
			return cardUnderOrder(ctx, tx, o, "card.order_closed", access.Subject, orderClosed(o))
		},
		change: func(o *supervisionv1.Order, row *store.Order, now time.Time) error {
			if req.GetClose() {
				o.State = supervisionv1.OrderState_ORDER_STATE_CLOSED
			} else {
				over, err := dueDay(req.GetFeedbackDueDate(), now)
				if err != nil {
					return err
				}
				o.State, o.FeedbackDueDate, row.NextAt = supervisionv1.OrderState_ORDER_STATE_RECEIVED, req.GetFeedbackDueDate(), over
				o.SentBack++
			}
			o.CheckOpinion, o.CheckTime = opinion, timestamppb.New(now)
			return nil
		},
	})
}
