package e2e

import (
	"time"

	"google.golang.org/protobuf/proto"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// supervisionRows are those of rule sets, orders and the life of cards.
func (s *scene) supervisionRows(x things) map[string]row {
	s.t.Helper()
	soon := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	rule := func(expression string) []*supervisionv1.ConductRule {
		return []*supervisionv1.ConductRule{{Id: "L1_LOCAL", DisplayName: "本地规则", LegalSource: "本市规定", Ground: "'本地规则'",
			Conditions: []*supervisionv1.RuleCondition{{Level: supervisionv1.CardLevel_CARD_LEVEL_WARNING, Expression: expression}}}}
	}
	set, order := &supervisionv1.RuleSet{}, &supervisionv1.Order{}
	s.must("draft a rule set", s.supervisor.Post(s.t.Context(), "/v1/"+s.hall+"/ruleSets?requestId="+newID(),
		&supervisionv1.RuleSet{DisplayName: "试行", Rules: rule("case.promised > 1000")}, set))
	s.must("issue an order", s.supervisor.Post(s.t.Context(), "/v1/"+s.hall+"/orders?requestId="+newID(),
		&supervisionv1.Order{Title: "限期办结", Content: "请限期办结并反馈", Department: x.department, FeedbackDueDate: soon}, order))
	return map[string]row{
		"CreateRuleSet": list(func() proto.Message {
			return &supervisionv1.CreateRuleSetRequest{Parent: s.hall, RequestId: newID(), RuleSet: &supervisionv1.RuleSet{DisplayName: "试行", Rules: rule("nothing")}}
		}),
		"ApproveRuleSet": the(func() proto.Message {
			return &supervisionv1.ApproveRuleSetRequest{Name: set.GetName(), RequestId: newID(), EffectiveDate: soon}
		}),
		"ListRuleSets": list(func() proto.Message { return &supervisionv1.ListRuleSetsRequest{Parent: s.hall} }),
		"DryRunRules": list(func() proto.Message {
			return &supervisionv1.DryRunRulesRequest{Parent: s.hall, StartDate: "2026-01-01", EndDate: "2026-01-31"}
		}),
		"AppealCard": the(func() proto.Message {
			return &supervisionv1.AppealCardRequest{Name: x.card, RequestId: newID(), Content: "当日系统故障，请予核实"}
		}),
		"DecideAppeal": the(func() proto.Message {
			return &supervisionv1.DecideAppealRequest{Name: x.card, RequestId: newID(), Opinion: "经核实系统日志，情况属实", Result: supervisionv1.AppealState_APPEAL_STATE_REJECTED}
		}),
		"CorrectCard": the(func() proto.Message {
			return &supervisionv1.CorrectCardRequest{Name: x.card, RequestId: newID(), Correction: "逐日检查"}
		}),
		// A card that is issued already, so that nothing is confirmed.
		"ConfirmCard": the(func() proto.Message { return &supervisionv1.ConfirmCardRequest{Name: x.card, RequestId: newID()} }),
		"CancelCard": the(func() proto.Message {
			return &supervisionv1.CancelCardRequest{Name: x.card, RequestId: newID(), Reason: "经核实系统日志，情况不属实"}
		}),
		"WatchWall":  list(func() proto.Message { return &supervisionv1.WatchWallRequest{Parent: s.hall} }),
		"CountCards": list(func() proto.Message { return &supervisionv1.CountCardsRequest{Parent: s.hall} }),
		"IssueOrder": list(func() proto.Message {
			return &supervisionv1.IssueOrderRequest{Parent: s.hall, RequestId: newID(), Order: &supervisionv1.Order{Title: "限期办结", Content: "请限期办结并反馈",
				Department: x.department, FeedbackDueDate: "2020-01-01"}}
		}),
		"GetOrder":   the(func() proto.Message { return &supervisionv1.GetOrderRequest{Name: order.GetName()} }),
		"ListOrders": list(func() proto.Message { return &supervisionv1.ListOrdersRequest{Parent: s.hall} }),
		"ReceiveOrder": the(func() proto.Message {
			return &supervisionv1.ReceiveOrderRequest{Name: order.GetName(), RequestId: newID()}
		}),
		"FeedBackOrder": the(func() proto.Message {
			return &supervisionv1.FeedBackOrderRequest{Name: order.GetName(), RequestId: newID(), Feedback: "已经办结", Evidence: []string{"办结清单"}}
		}),
		"CheckOrder": the(func() proto.Message {
			return &supervisionv1.CheckOrderRequest{Name: order.GetName(), RequestId: newID(), Opinion: "情况属实", Close: true}
		}),
	}
}
