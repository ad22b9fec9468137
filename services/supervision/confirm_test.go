package supervision_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// enact drafts and approves a rule set that holds from a day on.
func (h *house) enact(set *supervisionv1.RuleSet, day string) {
	h.t.Helper()
	drafted := must[*supervisionv1.RuleSet](h.t)(h.client.CreateRuleSet(h.As("supervisor"), &supervisionv1.CreateRuleSetRequest{Parent: hall, RequestId: uuid.NewString(), RuleSet: set}))
	must[*supervisionv1.RuleSet](h.t)(h.client.ApproveRuleSet(h.As("supervisor2"), &supervisionv1.ApproveRuleSetRequest{Name: drafted.GetName(), RequestId: uuid.NewString(),
		Etag: drafted.GetEtag(), EffectiveDate: day}))
}

func (h *house) confirm(user string, c *supervisionv1.Card) (*supervisionv1.Card, error) {
	return supervisionv1.NewConfirmationServiceClient(h.Dial("supervision")).ConfirmCard(h.As(user),
		&supervisionv1.ConfirmCardRequest{Name: c.GetName(), RequestId: uuid.NewString(), Etag: c.GetEtag()})
}

func (h *house) cancel(user string, c *supervisionv1.Card) (*supervisionv1.Card, error) {
	return supervisionv1.NewConfirmationServiceClient(h.Dial("supervision")).CancelCard(h.As(user),
		&supervisionv1.CancelCardRequest{Name: c.GetName(), RequestId: uuid.NewString(), Etag: c.GetEtag(), Reason: "补正系申请人多次更改诉求所致"})
}

// A hall wants the cards of one rule confirmed: the worked example of docs/cards.md.
func TestConfirmedCards(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ok := must[*supervisionv1.Card](t)
		h.publish(hall, &cataloguev1.Hall{Name: hall, ParentHall: "halls/440000"})
		h.enact(&supervisionv1.RuleSet{DisplayName: "人工确认", Settings: []*supervisionv1.RuleSetting{
			{Rule: "P7_REPEATED_SUPPLEMENT", Confirm: true, Message: "$rule_name$$level$：$ground$，$feedback_due_date$前反馈"}}}, "2018-10-16")
		h.clock.Set(monday.AddDate(0, 0, 1)) // Tuesday
		for i := 1; i <= 2; i++ {
			h.tell(i, 1, func(c *caseworkv1.Case) { c.Supplements = make([]*caseworkv1.Supplement, 2) })
		}
		pending := &supervisionv1.ListCardsRequest{Parent: hall, State: supervisionv1.CardState_CARD_STATE_PENDING}
		h.eventually("two pending cards", func() bool { return len(h.cards("supervisor", pending)) == 2 })
		card, other := h.cards("supervisor", pending)[0], h.cards("supervisor", pending)[1]
		if card.GetConfirmDueDate() != "2018-10-18" || card.GetFeedbackDueDate() != "" || card.GetNotice() != nil || card.GetConfirmOverdue() {
			t.Errorf("a pending card: %v", card)
		}
		h.unseen(t, card)
		// On Friday the last day to confirm it is over: that is shown, with who is asked.
		h.clock.Set(monday.AddDate(0, 0, 4))
		h.eventually("the tree of halls", func() bool {
			return ok(h.client.GetCard(h.As("supervisor"), &supervisionv1.GetCardRequest{Name: card.GetName()})).GetEscalatedTo() != ""
		})
		late := ok(h.client.GetCard(h.As("supervisor"), &supervisionv1.GetCardRequest{Name: card.GetName()}))
		if !late.GetConfirmOverdue() || late.GetEscalatedTo() != "halls/440000" {
			t.Errorf("it waits too long: %v", late)
		}
		counts := must[*supervisionv1.CountCardsResponse](t)(h.client.CountCards(h.As("supervisor"), &supervisionv1.CountCardsRequest{Parent: hall}))
		if counts.GetPending() != 2 || counts.GetPendingOverdue() != 2 || counts.GetValid() != 0 || counts.GetCounts()[0].GetPendingOverdue() != 2 {
			t.Errorf("counted: %v", counts)
		}
		// Confirmed on Friday the 19th: five working days from then.
		confirmed := ok(h.confirm("supervisor", card))
		if confirmed.GetState() != supervisionv1.CardState_CARD_STATE_ISSUED || confirmed.GetFeedbackDueDate() != "2018-10-26" || confirmed.GetCorrectDueDate() != "2018-11-09" ||
			!confirmed.GetAsOf().AsTime().Equal(card.GetAsOf().AsTime()) || confirmed.GetConfirmer() != "user/supervisor" {
			t.Errorf("confirmed: %v", confirmed)
		}
		if n := confirmed.GetNotice(); n.GetText() != "多次补正预警：同一办件第2次告知补正，未做到一次性告知，2018-10-26前反馈" || len(n.GetRecipients()) != 1 {
			t.Errorf("the notice: %v", n)
		}
		if got := h.cards("head", &supervisionv1.ListCardsRequest{Parent: hall}); len(got) != 1 || got[0].GetName() != card.GetName() {
			t.Errorf("the department sees %v", got)
		}
		cancelled := ok(h.cancel("supervisor2", other))
		if cancelled.GetState() != supervisionv1.CardState_CARD_STATE_CANCELLED || cancelled.GetCanceller() != "user/supervisor2" {
			t.Errorf("cancelled: %v", cancelled)
		}
		for name, c := range map[string]*supervisionv1.Card{"confirmed": confirmed, "cancelled": cancelled} {
			if _, err := h.confirm("supervisor", c); !is(err, fault.CardWrongState) {
				t.Errorf("%s is confirmed again: %v", name, err)
			}
		}
		if _, err := h.client.RevokeCard(h.As("supervisor"), &supervisionv1.RevokeCardRequest{Name: cancelled.GetName(), RequestId: uuid.NewString(), Etag: cancelled.GetEtag(),
			Reason: "系统故障造成，经核实予以撤销"}); !is(err, fault.CardWrongState) {
			t.Errorf("a cancelled card is revoked: %v", err)
		}
		h.afterConfirmation(t, confirmed)
	})
}

// unseen tries everything that a department must not see or do before a card counts.
func (h *house) unseen(t *testing.T, card *supervisionv1.Card) {
	t.Helper()
	if got := h.cards("head", &supervisionv1.ListCardsRequest{Parent: hall}); len(got) != 0 {
		t.Errorf("the department sees %v", got)
	}
	if got := h.cards("head", &supervisionv1.ListCardsRequest{Parent: hall, State: supervisionv1.CardState_CARD_STATE_PENDING}); len(got) != 0 {
		t.Errorf("the department asks for pending cards and sees %v", got)
	}
	if _, err := h.client.GetCard(h.As("head"), &supervisionv1.GetCardRequest{Name: card.GetName()}); !is(err, fault.NotFound) {
		t.Errorf("the department reads it: %v", err)
	}
	if _, err := h.client.ReplyCard(h.As("head"), &supervisionv1.ReplyCardRequest{Name: card.GetName(), RequestId: uuid.NewString(), Etag: card.GetEtag(), Reply: "情况属实"}); !is(err, fault.NotFound) {
		t.Errorf("the department answers it: %v", err)
	}
	counts := must[*supervisionv1.CountCardsResponse](t)(h.client.CountCards(h.As("head"), &supervisionv1.CountCardsRequest{Parent: hall}))
	if len(counts.GetCounts()) != 0 || counts.GetPending() != 0 {
		t.Errorf("the department counts %v", counts)
	}
	clock := must[*supervisionv1.CaseClock](t)(h.client.GetCaseClock(h.As("head"), &supervisionv1.GetCaseClockRequest{Name: card.GetSubject() + "/clock"}))
	if clock.GetLevel() != 0 {
		t.Errorf("the case shows the level of a pending card: %v", clock.GetLevel())
	}
	for _, user := range []string{"head", "officer"} {
		if _, err := h.confirm(user, card); !is(err, fault.PermissionDenied) {
			t.Errorf("%s confirms: %v", user, err)
		}
	}
	if _, err := h.client.IssueOrder(h.As("supervisor"), &supervisionv1.IssueOrderRequest{Parent: hall, RequestId: uuid.NewString(),
		Order: &supervisionv1.Order{Title: "督办", Content: "请限期整改", Department: d1, FeedbackDueDate: "2018-10-30", Card: card.GetName()}}); !is(err, fault.CardWrongState) {
		t.Errorf("an order from a pending card: %v", err)
	}
}

// afterConfirmation puts the card under an order, which does not take away what the
// department may do, and closes the order.
func (h *house) afterConfirmation(t *testing.T, card *supervisionv1.Card) {
	order := must[*supervisionv1.Order](t)
	o := order(h.client.IssueOrder(h.As("supervisor"), &supervisionv1.IssueOrderRequest{Parent: hall, RequestId: uuid.NewString(),
		Order: &supervisionv1.Order{Title: "督办", Content: "请限期整改", Department: d1, FeedbackDueDate: "2018-10-30", Card: card.GetName()}}))
	get := func() *supervisionv1.Card {
		return must[*supervisionv1.Card](t)(h.client.GetCard(h.As("head"), &supervisionv1.GetCardRequest{Name: card.GetName()}))
	}
	under := get()
	if under.GetState() != supervisionv1.CardState_CARD_STATE_UNDER_ORDER || under.GetOrder() != o.GetName() {
		t.Errorf("under order: %v", under)
	}
	if _, err := h.client.ReplyCard(h.As("head"), &supervisionv1.ReplyCardRequest{Name: card.GetName(), RequestId: uuid.NewString(), Etag: under.GetEtag(), Reply: "情况属实"}); err != nil {
		t.Errorf("answered under order: %v", err)
	}
	counts := must[*supervisionv1.CountCardsResponse](t)(h.client.CountCards(h.As("head"), &supervisionv1.CountCardsRequest{Parent: hall}))
	if counts.GetValid() != 1 {
		t.Errorf("a card under order counts: %v", counts)
	}
	o = order(h.receive("head", o))
	o = order(h.feedBack("head", o))
	order(h.check(o, true, ""))
	if got := get(); got.GetState() != supervisionv1.CardState_CARD_STATE_ISSUED {
		t.Errorf("the order is closed: %v", got)
	}
	h.t.Log("confirmed, put under order and out of it:", card.GetName())
}

// A rule set with settings that cannot hold is refused.
func TestBadSettings(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, settings := range map[string][]*supervisionv1.RuleSetting{
			"an unknown rule":     {{Rule: "X1_NOTHING", Confirm: true}},
			"one rule twice":      {{Rule: "T1_PROMISE", Confirm: true}, {Rule: "T1_PROMISE", Silent: true}},
			"an unknown variable": {{Rule: "T1_PROMISE", Message: "$applicant$"}},
			"half a variable":     {{Rule: "T1_PROMISE", Message: "$ground"}},
		} {
			_, err := h.client.CreateRuleSet(h.As("supervisor"), &supervisionv1.CreateRuleSetRequest{Parent: hall, RequestId: uuid.NewString(),
				RuleSet: &supervisionv1.RuleSet{DisplayName: "试行", Settings: settings}})
			if !is(err, fault.BadRule) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Red notices go to the recipients of yellow cards and warnings too; a silent rule tells
// nobody.
func TestNotices(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enact(&supervisionv1.RuleSet{DisplayName: "不发短信", Settings: []*supervisionv1.RuleSetting{{Rule: "T1_PROMISE", Silent: true}}}, "2018-10-16")
		h.tell(1, 1, nil)
		h.arrived(caseName(1))
		h.clock.Set(monday.AddDate(0, 0, 30))
		h.eventually("three cards", func() bool { return len(h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall})) == 3 })
		for _, c := range h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall}) {
			if c.GetRule() == "T1_PROMISE" {
				if c.GetNotice() != nil {
					t.Errorf("a silent rule tells %v", c.GetNotice())
				}
				continue
			}
			want := &supervisionv1.CardNotice{Recipients: []string{"supervisor", "head", "officer"}, Text: "【红牌】居住证办理（" + caseName(1)[strings.LastIndexByte(caseName(1), '/')+1:] +
				"）：办件已用11个工作日，法定时限10个工作日，已超1个工作日，到期日2018-10-29。请于2018-11-21前反馈，于2018-12-05前整改。"}
			if diff := cmp.Diff(want, c.GetNotice(), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// What was confirmed, cancelled or waits is the same after everything was told again.
func TestConfirmationSurvivesReplay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enact(&supervisionv1.RuleSet{DisplayName: "人工确认", Settings: []*supervisionv1.RuleSetting{{Rule: "T1_PROMISE", Confirm: true}}}, "2018-10-20")
		h.tell(1, 1, nil)
		h.arrived(caseName(1))
		h.clock.Set(monday.AddDate(0, 0, 12))
		all := &supervisionv1.ListCardsRequest{Parent: hall}
		h.eventually("two cards", func() bool { return len(h.cards("supervisor", all)) == 2 })
		states := map[string]supervisionv1.CardState{}
		for _, c := range h.cards("supervisor", all) {
			states[c.GetLevel().String()] = c.GetState()
			if c.GetAsOf().AsTime().After(h.clock.Now()) || c.GetAsOf().AsTime().Before(monday.Add(24*time.Hour)) {
				t.Errorf("as of %v", c.GetAsOf().AsTime())
			}
		}
		// The warning came true on the 22nd and the yellow card on the 25th: both after the
		// day from which the set holds.
		want := map[string]supervisionv1.CardState{"CARD_LEVEL_WARNING": supervisionv1.CardState_CARD_STATE_PENDING, "CARD_LEVEL_YELLOW": supervisionv1.CardState_CARD_STATE_PENDING}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Error(diff)
		}
	})
}
