package supervision

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
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

// CreateRuleSet drafts a rule set.
func (s *Service) CreateRuleSet(ctx context.Context, req *supervisionv1.CreateRuleSetRequest) (*supervisionv1.RuleSet, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	if err := s.checkSet(req.GetRuleSet()); err != nil {
		return nil, err
	}
	key, hash := feed.RequestKey(req.GetParent(), access.Subject, "CreateRuleSet", req.GetRequestId()), feed.RequestHash(req)
	var answer *supervisionv1.RuleSet
	err := s.db.Write(ctx, req.GetParent(), func(ctx context.Context, tx *db.Tx) error {
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		id := tx.NextID()
		set := &supervisionv1.RuleSet{
			Name: fmt.Sprintf("%s/ruleSets/%d", req.GetParent(), id), DisplayName: req.GetRuleSet().GetDisplayName(),
			Rules: req.GetRuleSet().GetRules(), DisabledRules: req.GetRuleSet().GetDisabledRules(), Settings: req.GetRuleSet().GetSettings(),
			State: supervisionv1.RuleSetState_RULE_SET_STATE_DRAFT, Author: access.Subject, CreateTime: timestamppb.New(tx.Now()),
		}
		set.Etag = feed.Etag(set.GetName(), 1)
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: set.GetName(), Sequence: 1, Type: "rule_set.drafted", Resource: set,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		answer = set
		return store.InsertRuleSet(ctx, tx, store.RuleSet{ID: id, Name: set.GetName(), Hall: req.GetParent(), Data: marshal(set), Kind: store.KindRules})
	})
	if e, ok := feed.Replayed(err); ok {
		return ruleSetOf(e.GetResource())
	}
	return answer, err
}

func ruleSetOf(data []byte) (*supervisionv1.RuleSet, error) {
	m := &supervisionv1.RuleSet{}
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("stored rule set: %w", err)
	}
	return m, nil
}

// ApproveRuleSet lets a rule set hold from a day on. The day lies ahead, so that nobody
// can change by which rules past deeds are judged.
func (s *Service) ApproveRuleSet(ctx context.Context, req *supervisionv1.ApproveRuleSetRequest) (*supervisionv1.RuleSet, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	day, err := workday.ParseDate(req.GetEffectiveDate())
	if err != nil {
		return nil, fault.InvalidArgument.New(fault.Field("effective_date"), fault.Cause(err))
	}
	hall := hallOf(req.GetName())
	key, hash := feed.RequestKey(hall, access.Subject, "ApproveRuleSet", req.GetRequestId()), feed.RequestHash(req)
	var answer *supervisionv1.RuleSet
	err = s.db.Write(ctx, hall, func(ctx context.Context, tx *db.Tx) error {
		row, err := store.GetRuleSet(ctx, tx, req.GetName())
		if err != nil {
			return err
		}
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		if err := feed.CheckEtag(req.GetEtag(), row.Name, row.Sequence); err != nil {
			return err
		}
		set, err := ruleSetOf(row.Data)
		if err != nil {
			return err
		}
		switch {
		case set.GetState() != supervisionv1.RuleSetState_RULE_SET_STATE_DRAFT:
			return fault.RuleSetApproved.New()
		case set.GetAuthor() == access.Subject:
			return fault.SamePersonForbidden.New()
		case day <= workday.DateOf(tx.Now()):
			return fault.RuleSetNotAhead.New(fault.Field("effective_date"))
		}
		set.State, set.Approver = supervisionv1.RuleSetState_RULE_SET_STATE_APPROVED, access.Subject
		set.EffectiveDate, set.ApproveTime = day.String(), timestamppb.New(tx.Now())
		set.Etag = feed.Etag(row.Name, row.Sequence+1)
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: row.Name, Sequence: row.Sequence + 1, Type: "rule_set.approved", Resource: set,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		row.Sequence, row.Effective, row.Data = row.Sequence+1, workday.StartOfDay(day), marshal(set)
		answer = set
		return store.UpdateRuleSet(ctx, tx, row)
	})
	if e, ok := feed.Replayed(err); ok {
		return ruleSetOf(e.GetResource())
	}
	return answer, err
}

// ListRuleSets lists a hall's rule sets, newest first.
func (s *Service) ListRuleSets(ctx context.Context, req *supervisionv1.ListRuleSetsRequest) (*supervisionv1.ListRuleSetsResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	question := page.FilterHash("rule sets", req.GetParent())
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
	rows, err := store.ListRuleSets(ctx, s.db.Read(), store.KindRules, req.GetParent(), before, size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListRuleSetsResponse{}
	if len(rows) > size {
		rows = rows[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(rows[size-1].ID, 10))
	}
	for _, row := range rows {
		set, err := ruleSetOf(row.Data)
		if err != nil {
			return nil, err
		}
		res.RuleSets = append(res.RuleSets, set)
	}
	return res, nil
}
