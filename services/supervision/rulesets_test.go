package supervision_test

import (
	"testing"

	"github.com/google/uuid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// localRule cards every case that promises more than a number of days.
func localRule(expression string) *supervisionv1.ConductRule {
	return &supervisionv1.ConductRule{Id: "L1_LONG_PROMISE", DisplayName: "承诺过长", LegalSource: "本市规定", Ground: "'承诺时限' + string(case.promised) + '天'",
		Conditions: []*supervisionv1.RuleCondition{{Level: supervisionv1.CardLevel_CARD_LEVEL_YELLOW, Expression: expression}}}
}

// A hall's own rule is drafted by one supervisor, approved by another, and judges what
// is entered from its day on.
func TestRuleSetsHoldFromTheirDayOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		req := &supervisionv1.CreateRuleSetRequest{Parent: hall, RequestId: uuid.NewString(), RuleSet: &supervisionv1.RuleSet{
			DisplayName: "试行规则", Rules: []*supervisionv1.ConductRule{localRule("case.promised > 5")}}}
		bad := &supervisionv1.CreateRuleSetRequest{Parent: hall, RequestId: uuid.NewString(), RuleSet: &supervisionv1.RuleSet{
			DisplayName: "x", Rules: []*supervisionv1.ConductRule{localRule("case.promise > 5")}}}
		if _, err := h.client.CreateRuleSet(h.As("supervisor"), bad); !is(err, fault.BadRule) {
			t.Errorf("a rule that cannot be compiled: %v", err)
		}
		if _, err := h.client.CreateRuleSet(h.As("head"), req); !is(err, fault.PermissionDenied) {
			t.Errorf("by a head: %v", err)
		}
		set, err := h.client.CreateRuleSet(h.As("supervisor"), req)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := h.client.CreateRuleSet(h.As("supervisor"), req); err != nil || again.GetName() != set.GetName() {
			t.Errorf("a retry made %v, %v", again, err)
		}
		approve := func(user, day, etag string) (*supervisionv1.RuleSet, error) {
			return h.client.ApproveRuleSet(h.As(user), &supervisionv1.ApproveRuleSetRequest{Name: set.GetName(), RequestId: uuid.NewString(), Etag: etag, EffectiveDate: day})
		}
		for _, tc := range []struct {
			user, day, etag string
			want            *fault.Reason
		}{
			{"supervisor", "2018-10-16", set.GetEtag(), fault.SamePersonForbidden},
			{"supervisor2", "2018-10-15", set.GetEtag(), fault.RuleSetNotAhead},
			{"supervisor2", "2018-02-30", set.GetEtag(), fault.InvalidArgument},
			{"supervisor2", "2018-10-16", "", fault.ETagMissing},
		} {
			if _, err := approve(tc.user, tc.day, tc.etag); !is(err, tc.want) {
				t.Errorf("%s for %s: %v", tc.user, tc.day, err)
			}
		}
		approved, err := approve("supervisor2", "2018-10-16", set.GetEtag())
		if err != nil || approved.GetState() != supervisionv1.RuleSetState_RULE_SET_STATE_APPROVED || approved.GetApprover() == approved.GetAuthor() {
			t.Fatalf("%v, %v", approved, err)
		}
		if _, err := approve("supervisor2", "2018-10-17", approved.GetEtag()); !is(err, fault.RuleSetApproved) {
			t.Errorf("twice: %v", err)
		}
		list, err := h.client.ListRuleSets(h.As("supervisor"), &supervisionv1.ListRuleSetsRequest{Parent: hall})
		if err != nil || len(list.GetRuleSets()) != 1 || list.GetRuleSets()[0].GetEffectiveDate() != "2018-10-16" {
			t.Errorf("%v, %v", list, err)
		}
		h.tell(1, 1, nil)
		h.arrived(caseName(1))
		h.clock.Set(monday.AddDate(0, 0, 1))
		h.tell(2, 1, nil)
		h.tell(3, 1, func(c *caseworkv1.Case) { c.PromisedLimit = 5 })
		h.arrived(caseName(2), caseName(3))
		cards := h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall})
		if len(cards) != 1 || cards[0].GetSubject() != caseName(2) || cards[0].GetRule() != "L1_LONG_PROMISE" || cards[0].GetRuleVersion() != set.GetName() ||
			cards[0].GetLegalSource() != "本市规定" || cards[0].GetGround() != "承诺时限7天" {
			t.Errorf("%v", cards)
		}
	})
}

// A dry run tells what other rules and thresholds would have raised, and writes nothing.
func TestDryRun(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for i := 1; i <= 5; i++ {
			h.tell(i, 1, func(c *caseworkv1.Case) { c.PromisedLimit = int32(3 + i) })
		}
		h.clock.Set(monday.AddDate(0, 0, 7)) // five working days used
		h.eventually("the warnings", func() bool {
			return len(h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall})) == 5 // four warnings, and yellow for four days promised
		})
		run := func(change func(r *supervisionv1.DryRunRulesRequest)) *supervisionv1.DryRunRulesResponse {
			t.Helper()
			req := &supervisionv1.DryRunRulesRequest{Parent: hall, StartDate: "2018-10-01", EndDate: "2018-10-31"}
			if change != nil {
				change(req)
			}
			res, err := h.client.DryRunRules(h.As("supervisor"), req)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		same := run(nil)
		if same.GetCases() != 5 || len(same.GetDifferences()) != 0 || len(same.GetCounts()) != 2 {
			t.Errorf("the rules in force differ from themselves: %v", same)
		}
		other := run(func(r *supervisionv1.DryRunRulesRequest) {
			r.Rules = []*supervisionv1.ConductRule{localRule("case.promised > 6")}
			r.Preset = "gd_dongguan2006"
		})
		found := map[string]int64{}
		for _, c := range other.GetCounts() {
			found[c.GetRule()+c.GetLevel().String()] = c.GetWould()*100 + c.GetStands()*10 + c.GetBoth()
		}
		if found["L1_LONG_PROMISECARD_LEVEL_YELLOW"] != 200 || len(other.GetDifferences()) == 0 {
			t.Errorf("%v", other)
		}
		first := run(func(r *supervisionv1.DryRunRulesRequest) { r.PageSize = 2 })
		rest := run(func(r *supervisionv1.DryRunRulesRequest) { r.PageSize, r.PageToken = 4, first.GetNextPageToken() })
		if first.GetCases() != 2 || rest.GetCases() != 3 || rest.GetNextPageToken() != "" {
			t.Errorf("pages of %d and %d", first.GetCases(), rest.GetCases())
		}
		if none := run(func(r *supervisionv1.DryRunRulesRequest) { r.StartDate, r.EndDate = "2018-10-16", "2018-10-31" }); none.GetCases() != 0 {
			t.Errorf("another span has %d cases", none.GetCases())
		}
		for name, req := range map[string]*supervisionv1.DryRunRulesRequest{
			"the end before the start": {Parent: hall, StartDate: "2018-10-31", EndDate: "2018-10-01"},
			"no such preset":           {Parent: hall, StartDate: "2018-10-01", EndDate: "2018-10-31", Preset: "mars"},
		} {
			if _, err := h.client.DryRunRules(h.As("supervisor"), req); !is(err, fault.InvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.client.DryRunRules(h.As("supervisor"), &supervisionv1.DryRunRulesRequest{Parent: hall, StartDate: "2018-10-01", EndDate: "2018-10-31",
			Rules: []*supervisionv1.ConductRule{localRule("nothing")}}); !is(err, fault.BadRule) {
			t.Errorf("a bad rule: %v", err)
		}
	})
}
