package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// RuleSet is a stored rule set. Data is the message as it was last written.
type RuleSet struct {
	ID         int64
	Name, Hall string
	// Effective is when it begins to hold; zero for a draft.
	Effective time.Time
	Sequence  int64
	Data      []byte
	// Kind is what the document is: KindRules or KindScore.
	Kind string
}

// The kinds of documents that are approved as rule sets are.
const (
	KindRules = "rules"
	KindScore = "score"
)

func ruleSetOf(r queries.RuleSet) RuleSet {
	return RuleSet{ID: r.ID, Name: r.Name, Hall: r.Hall, Effective: db.Time(r.Effective), Sequence: r.Sequence, Data: r.Data, Kind: r.Kind}
}

// InsertRuleSet writes a new draft; one without a kind is of rules.
func InsertRuleSet(ctx context.Context, tx *db.Tx, s RuleSet) error {
	return queries.New(tx).InsertRuleSet(ctx, queries.InsertRuleSetParams{ID: s.ID, Name: s.Name, Hall: s.Hall, Data: s.Data, Kind: cmp.Or(s.Kind, KindRules)})
}

// UpdateRuleSet replaces a rule set that still is at the sequence before.
func UpdateRuleSet(ctx context.Context, tx *db.Tx, s RuleSet) error {
	n, err := queries.New(tx).UpdateRuleSet(ctx, queries.UpdateRuleSetParams{
		Effective: db.Micros(s.Effective), Sequence: s.Sequence, Data: s.Data, Name: s.Name, Sequence_2: s.Sequence - 1})
	if err == nil && n == 0 {
		return fault.Conflict.New()
	}
	return err
}

// GetRuleSet reads a rule set, or returns fault.NotFound.
func GetRuleSet(ctx context.Context, q db.Querier, name string) (RuleSet, error) {
	row, err := queries.New(q).GetRuleSet(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return RuleSet{}, fault.NotFound.New()
	}
	return ruleSetOf(row), err
}

// ListRuleSets lists a hall's of a kind, newest first, before an id; 0 begins.
func ListRuleSets(ctx context.Context, q db.Querier, kind, hall string, before int64, limit int) ([]RuleSet, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := queries.New(q).ListRuleSets(ctx, queries.ListRuleSetsParams{Hall: hall, Kind: kind, ID: before, Limit: int32(limit)})
	return ruleSets(rows), err
}

// RuleSetsInForce are all of a kind that were approved, by the moment from which they hold.
func RuleSetsInForce(ctx context.Context, q db.Querier, kind string) ([]RuleSet, error) {
	rows, err := queries.New(q).RuleSetsInForce(ctx, kind)
	return ruleSets(rows), err
}

func ruleSets(rows []queries.RuleSet) []RuleSet {
	all := make([]RuleSet, 0, len(rows))
	for _, r := range rows {
		all = append(all, ruleSetOf(r))
	}
	return all
}

// SubmittedCases lists the cases of a hall that were submitted in a span, by the moment
// and name, after a place in that order.
func SubmittedCases(ctx context.Context, q db.Querier, hall string, from, to, after time.Time, afterCase string, limit int) ([]*Clock, error) {
	rows, err := queries.New(q).SubmittedCases(ctx, queries.SubmittedCasesParams{Hall: hall, Submitted: db.Micros(from),
		Submitted_2: db.Micros(to), Submitted_3: db.Micros(after), CaseName: afterCase, Limit: int32(limit)})
	clocks := make([]*Clock, 0, len(rows))
	for _, r := range rows {
		clocks = append(clocks, clockOf(r))
	}
	return clocks, err
}

// CardNames are the names of all cards about subjects, and whether each stands.
func CardNames(ctx context.Context, q db.Querier, subjects []string) (map[string]map[string]bool, error) {
	all := make(map[string]map[string]bool, len(subjects))
	err := each(ctx, q, selectNames, subjects, func(rows *sql.Rows) error {
		var subject, name string
		var standing bool
		if err := rows.Scan(&subject, &name, &standing); err != nil {
			return err
		}
		if all[subject] == nil {
			all[subject] = map[string]bool{}
		}
		all[subject][name] = standing
		return nil
	})
	return all, err
}
