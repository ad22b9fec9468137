package supervision

import (
	"fmt"
	"strconv"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
)

// setting is how a hall wants the cards of one rule to come about. The zero one is that
// of a rule without.
type setting struct {
	confirm, silent bool
	message         string
}

func settingsOf(m *supervisionv1.RuleSet) map[string]setting {
	all := make(map[string]setting, len(m.GetSettings()))
	for _, s := range m.GetSettings() {
		all[s.GetRule()] = setting{confirm: s.GetConfirm(), silent: s.GetSilent(), message: s.GetMessage()}
	}
	return all
}

// checkSet refuses a rule set that could not hold: rules that cannot be compiled, settings
// of rules there are not, and messages that name what there is not.
func (s *Service) checkSet(set *supervisionv1.RuleSet) error {
	own, err := checkRules("draft", set.GetRules(), set.GetDisabledRules())
	if err != nil {
		return err
	}
	policy := s.engine.policies.general
	policy.Rules = own
	known := map[string]bool{}
	for _, r := range policy.Catalog() {
		known[r.ID] = true
	}
	for i, one := range set.GetSettings() {
		field := fault.Field(fmt.Sprintf("rule_set.settings[%d]", i))
		if !known[one.GetRule()] {
			return fault.BadRule.New(fault.Meta("detail", one.GetRule()), field)
		}
		known[one.GetRule()] = false // one setting a rule
		if err := rules.CheckMessage(one.GetMessage()); err != nil {
			return fault.BadRule.New(fault.Meta("detail", err.Error()), field)
		}
	}
	return nil
}

// notice makes the notice about a card; nil when nobody is to be told.
func (s setting) notice(c *supervisionv1.Card, p rules.Policy) *supervisionv1.CardNotice {
	to := p.Recipients(rules.Level(c.GetLevel()))
	if s.silent || len(to) == 0 {
		return nil
	}
	message := s.message
	if message == "" {
		message = rules.DefaultMessage
	}
	text, err := rules.FillMessage(message, func(name string) string { return noticeValue(c, p, name) })
	if err != nil {
		text = c.GetGround() // messages are checked when they are given; the reason is never lost
	}
	return &supervisionv1.CardNotice{Text: text, Recipients: to}
}

func noticeValue(c *supervisionv1.Card, p rules.Policy, name string) string {
	switch name {
	case "level":
		return rules.LevelName(rules.Level(c.GetLevel()))
	case "rule":
		return c.GetRule()
	case "rule_name":
		return p.RuleName(c.GetRule())
	case "subject":
		return lastPart(c.GetSubject())
	case "item":
		return c.GetItemTitle()
	case "department":
		return lastPart(c.GetDepartment())
	case "officer":
		return c.GetOfficer()
	case "ground":
		return c.GetGround()
	case "as_of":
		return c.GetAsOf().AsTime().In(workday.Zone).Format("2006-01-02 15:04")
	case "used":
		return strconv.Itoa(int(c.GetDaysUsed()))
	case "limit":
		return strconv.Itoa(int(c.GetLimit()))
	case "feedback_due_date":
		return c.GetFeedbackDueDate()
	default:
		return c.GetCorrectDueDate()
	}
}
