package supervision

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// ownSet is a hall's own rules from a moment on.
type ownSet struct {
	hall      string
	effective time.Time
	rules     *rules.ConductSet
	settings  map[string]setting
}

// ownRules compiles the halls' own rules, each version once.
type ownRules struct {
	mu       sync.Mutex
	compiled map[string]ownSet
}

// inForce are the sets that were approved, by the moment from which they hold. A set
// is approved before its moment, so whoever judges an event after it finds the set.
func (o *ownRules) inForce(ctx context.Context, q db.Querier) ([]ownSet, error) {
	rows, err := store.RuleSetsInForce(ctx, q, store.KindRules)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]ownSet, 0, len(rows))
	for _, row := range rows {
		set, ok := o.compiled[row.Name]
		if !ok {
			m := &supervisionv1.RuleSet{}
			if err := proto.Unmarshal(row.Data, m); err != nil {
				return nil, fmt.Errorf("stored rule set %s: %w", row.Name, err)
			}
			if set.rules, err = compileRules(m.GetName(), m.GetRules(), m.GetDisabledRules()); err != nil {
				return nil, fmt.Errorf("stored rule set %s: %w", row.Name, err)
			}
			set.hall, set.effective, set.settings = row.Hall, row.Effective, settingsOf(m)
			if o.compiled == nil {
				o.compiled = map[string]ownSet{}
			}
			o.compiled[row.Name] = set
		}
		all = append(all, set)
	}
	return all, nil
}

// setAt is the set that a hall had at a moment; an empty one for those of the program
// alone.
func setAt(sets []ownSet, hall string, at time.Time) (found ownSet) {
	for _, s := range sets {
		if s.hall == hall && !at.Before(s.effective) {
			found = s
		}
	}
	return found
}

// settingAt is how the card of a finding comes about, by the set of its moment.
func settingAt(sets []ownSet, hall string, f rules.Finding) setting {
	return setAt(sets, hall, f.AsOf).settings[f.Rule]
}

// compileRules puts rules beside those of the program.
func compileRules(version string, own []*supervisionv1.ConductRule, disabled []string) (*rules.ConductSet, error) {
	further := make([]*rules.ConductRule, 0, len(own))
	for _, r := range own {
		one := &rules.ConductRule{ID: r.GetId(), Name: r.GetDisplayName(), Description: r.GetDescription(), Source: r.GetLegalSource(),
			Each: r.GetEach(), Occurrence: r.GetOccurrence(), Officer: r.GetOfficer(), Ground: r.GetGround()}
		for _, c := range r.GetConditions() {
			one.When = append(one.When, rules.Condition{Level: rules.Level(c.GetLevel()), If: c.GetExpression()})
		}
		further = append(further, one)
	}
	return rules.DefaultConduct().With(version, further, disabled)
}

// checkRules refuses rules that cannot be compiled, and says which and why.
func checkRules(version string, own []*supervisionv1.ConductRule, disabled []string) (*rules.ConductSet, error) {
	set, err := compileRules(version, own, disabled)
	if err != nil {
		return nil, fault.BadRule.New(fault.Meta("detail", err.Error()), fault.Field("rules"))
	}
	return set, nil
}

// ruleSets are drafted and approved as all regulations are.
var ruleSets = regulations[*supervisionv1.RuleSet]{
	kind: store.KindRules, method: "RuleSet", event: "rule_set", collection: "ruleSets", question: "rule sets",
	parse: ruleSetOf, approved: fault.RuleSetApproved, notAhead: fault.RuleSetNotAhead,
	approve: func(m *supervisionv1.RuleSet, by act, from workday.Date) {
		m.State, m.Approver, m.ApproveTime = supervisionv1.RuleSetState_RULE_SET_STATE_APPROVED, by.person, by.at
		m.EffectiveDate, m.Etag = from.String(), by.etag
	},
}

// CreateRuleSet drafts a rule set.
func (s *Service) CreateRuleSet(ctx context.Context, req *supervisionv1.CreateRuleSetRequest) (*supervisionv1.RuleSet, error) {
	in := req.GetRuleSet()
	if err := s.checkSet(in); err != nil {
		return nil, err
	}
	return ruleSets.draft(ctx, s, req, func(by act) *supervisionv1.RuleSet {
		return &supervisionv1.RuleSet{Name: by.name, DisplayName: in.GetDisplayName(), Rules: in.GetRules(), DisabledRules: in.GetDisabledRules(),
			Settings: in.GetSettings(), State: supervisionv1.RuleSetState_RULE_SET_STATE_DRAFT, Author: by.person, CreateTime: by.at, Etag: by.etag}
	})
}

func ruleSetOf(data []byte) (*supervisionv1.RuleSet, error) {
	m := &supervisionv1.RuleSet{}
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("stored rule set: %w", err)
	}
	return m, nil
}

// ApproveRuleSet lets a rule set hold from a day on.
func (s *Service) ApproveRuleSet(ctx context.Context, req *supervisionv1.ApproveRuleSetRequest) (*supervisionv1.RuleSet, error) {
	return ruleSets.hold(ctx, s, req)
}

// ListRuleSets lists a hall's rule sets, newest first.
func (s *Service) ListRuleSets(ctx context.Context, req *supervisionv1.ListRuleSetsRequest) (*supervisionv1.ListRuleSetsResponse, error) {
	all, next, err := ruleSets.list(ctx, s, req)
	if err != nil {
		return nil, err
	}
	return &supervisionv1.ListRuleSetsResponse{RuleSets: all, NextPageToken: next}, nil
}
