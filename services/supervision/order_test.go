package supervision_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func (h *house) issue(due string) (*supervisionv1.Order, error) {
	return h.client.IssueOrder(h.As("supervisor"), &supervisionv1.IssueOrderRequest{Parent: hall, RequestId: uuid.NewString(),
		Order: &supervisionv1.Order{Title: "超时办件督办", Content: "请限期办结超时办件并说明原因", Department: d1, FeedbackDueDate: due}})
}

func (h *house) receive(user string, o *supervisionv1.Order) (*supervisionv1.Order, error) {
	return h.client.ReceiveOrder(h.As(user), &supervisionv1.ReceiveOrderRequest{Name: o.GetName(), RequestId: uuid.NewString(), Etag: o.GetEtag()})
}

func (h *house) feedBack(user string, o *supervisionv1.Order) (*supervisionv1.Order, error) {
	return h.client.FeedBackOrder(h.As(user), &supervisionv1.FeedBackOrderRequest{Name: o.GetName(), RequestId: uuid.NewString(), Etag: o.GetEtag(),
		Feedback: "已全部办结", Evidence: []string{"办结清单第1号", "约谈记录"}})
}

func (h *house) check(o *supervisionv1.Order, close bool, due string) (*supervisionv1.Order, error) {
	return h.client.CheckOrder(h.As("supervisor"), &supervisionv1.CheckOrderRequest{Name: o.GetName(), RequestId: uuid.NewString(), Etag: o.GetEtag(),
		Close: close, Opinion: "经核查属实", FeedbackDueDate: due})
}

// must fails the test on an error.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// An order is issued, received, reported on, sent back, reported on again and closed;
// every other step is refused in every state.
func TestLifeOfAnOrder(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ok := must[*supervisionv1.Order](t)
		if _, err := h.issue("2018-10-15"); !is(err, fault.OrderNotAhead) {
			t.Errorf("due today: %v", err)
		}
		if _, err := h.client.IssueOrder(h.As("supervisor"), &supervisionv1.IssueOrderRequest{Parent: hall, RequestId: uuid.NewString(),
			Order: &supervisionv1.Order{Title: "督办", Content: "请限期办结", Department: "halls/441900/departments/d1", FeedbackDueDate: "2018-10-19"}}); !is(err, fault.InvalidArgument) {
			t.Errorf("to another hall's department: %v", err)
		}
		if _, err := h.client.IssueOrder(h.As("head"), &supervisionv1.IssueOrderRequest{Parent: hall, RequestId: uuid.NewString(),
			Order: &supervisionv1.Order{Title: "督办", Content: "请限期办结", Department: d1, FeedbackDueDate: "2018-10-19"}}); !is(err, fault.PermissionDenied) {
			t.Errorf("by a head: %v", err)
		}
		o := ok(h.issue("2018-10-19"))
		refused := func(state string, steps ...string) {
			t.Helper()
			for _, step := range steps {
				var err error
				switch step {
				case "receive":
					_, err = h.receive("officer", o)
				case "feed back":
					_, err = h.feedBack("officer", o)
				case "close":
					_, err = h.check(o, true, "")
				case "send back":
					_, err = h.check(o, false, "2018-10-26")
				}
				if !is(err, fault.OrderWrongState) {
					t.Errorf("%s in state %s: %v", step, state, err)
				}
			}
		}
		refused("issued", "feed back", "close", "send back")
		if _, err := h.receive("head2", o); !is(err, fault.NotFound) {
			t.Errorf("received by another department: %v", err)
		}
		o = ok(h.receive("officer", o))
		refused("received", "receive", "close", "send back")
		o = ok(h.feedBack("officer", o))
		refused("fed back", "receive", "feed back")
		if _, err := h.check(o, false, "2018-10-15"); !is(err, fault.OrderNotAhead) {
			t.Errorf("sent back without time: %v", err)
		}
		o = ok(h.check(o, false, "2018-10-26"))
		if o.GetSentBack() != 1 || o.GetState() != supervisionv1.OrderState_ORDER_STATE_RECEIVED || o.GetFeedbackDueDate() != "2018-10-26" {
			t.Errorf("sent back: %v", o)
		}
		o = ok(h.feedBack("head", o))
		o = ok(h.check(o, true, ""))
		refused("closed", "receive", "feed back", "close", "send back")
		got := ok(h.client.GetOrder(h.As("officer"), &supervisionv1.GetOrderRequest{Name: o.GetName()}))
		if got.GetState() != supervisionv1.OrderState_ORDER_STATE_CLOSED || got.GetOverdue() != 0 || len(got.GetEvidence()) != 2 {
			t.Errorf("%v", got)
		}
		if _, err := h.client.GetOrder(h.As("head2"), &supervisionv1.GetOrderRequest{Name: o.GetName()}); !is(err, fault.NotFound) {
			t.Errorf("read by another department: %v", err)
		}
		for i := range 3 {
			ok(h.issue("2018-10-2" + string(rune('2'+i))))
		}
		first, err := h.client.ListOrders(h.As("head"), &supervisionv1.ListOrdersRequest{Parent: hall, PageSize: 3})
		if err != nil || len(first.GetOrders()) != 3 {
			t.Fatalf("%v, %v", first, err)
		}
		rest, err := h.client.ListOrders(h.As("head"), &supervisionv1.ListOrdersRequest{Parent: hall, PageSize: 3, PageToken: first.GetNextPageToken()})
		if err != nil || len(rest.GetOrders()) != 1 || rest.GetOrders()[0].GetName() != o.GetName() {
			t.Errorf("%v, %v", rest, err)
		}
	})
}

// An order that is not met becomes a red card with a proposal to rectify and goes up the
// tree of halls, step by step; whoever reports late does not undo that.
func TestOverdueOrdersGoUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ok := must[*supervisionv1.Order](t)
		h.publish(hall, &cataloguev1.Hall{Name: hall, ParentHall: "halls/440000"})
		h.publish("halls/440000", &cataloguev1.Hall{Name: "halls/440000"})
		late, kept := ok(h.issue("2018-10-17")), ok(h.issue("2018-10-17"))
		kept = ok(h.receive("officer", kept))
		kept = ok(h.feedBack("officer", kept))
		// A case that names a revision is not judged before the catalogue has told of it,
		// and so neither before it has told of what came earlier.
		h.publish(hall+"/items/x", &cataloguev1.ItemRevision{Revision: 1, Item: &cataloguev1.Item{}})
		h.tell(1, 1, func(c *caseworkv1.Case) {
			c.ItemRevision, c.Decision = 1, &caseworkv1.Decision{Result: caseworkv1.DecisionResult_DECISION_RESULT_DENIED, Reason: "不符合法定条件，不予许可", DecideTime: c.AcceptTime}
		})
		h.arrived(caseName(1))
		red := func() []*supervisionv1.Card {
			return h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall, Subject: late.GetName()})
		}
		h.clock.Set(monday.AddDate(0, 0, 3).Add(-11 * 3600e9)) // Wednesday, 23:00
		if len(red()) != 0 {
			t.Error("a card on the last day")
		}
		h.clock.Set(monday.AddDate(0, 0, 4))
		h.eventually("the red card", func() bool { return len(red()) == 1 })
		card := red()[0]
		if card.GetRule() != "S1_ORDER_OVERDUE" || card.GetLevel() != supervisionv1.CardLevel_CARD_LEVEL_RED || card.GetAsOf().AsTime().Format("2006-01-02 15:04") != "2018-10-17 16:00" ||
			!strings.Contains(card.GetGround(), "整改建议书") || card.GetLegalSource() == "" || card.GetDepartment() != d1 {
			t.Errorf("%v", card)
		}
		o := ok(h.client.GetOrder(h.As("supervisor"), &supervisionv1.GetOrderRequest{Name: late.GetName()}))
		if o.GetOverdue() != 1 || o.GetEscalatedTo() != "halls/440000" || o.GetProposal() == "" {
			t.Errorf("%v", o)
		}
		h.clock.Set(monday.AddDate(0, 0, 30)) // five working days later there is nobody above
		h.eventually("the second red card", func() bool { return len(red()) == 2 })
		o = ok(h.client.GetOrder(h.As("supervisor"), &supervisionv1.GetOrderRequest{Name: late.GetName()}))
		o = ok(h.receive("officer", o))
		o = ok(h.feedBack("officer", o))
		h.clock.Set(monday.AddDate(0, 0, 90))
		if o.GetOverdue() != 2 || len(red()) != 2 {
			t.Errorf("%d cards, %v", len(red()), o)
		}
		if cards := h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall, Subject: kept.GetName()}); len(cards) != 0 {
			t.Errorf("an order that was met has cards: %v", cards)
		}
	})
}
