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

// formulas compiles the halls' own formulas, each version once.
type formulas struct {
	mu       sync.Mutex
	compiled map[string]*rules.Formula
}

// of is the formula that a hall scores a month by: the one that held on its first day. A
// formula is approved before it holds, so this never changes afterwards.
func (o *formulas) of(ctx context.Context, q db.Querier, hall string, month int64) (formula, error) {
	found := formula{name: hall + "/scoreFormulas/" + rules.HuizhouName, Formula: rules.DefaultFormula()}
	rows, err := store.RuleSetsInForce(ctx, q, store.KindScore)
	if err != nil {
		return found, err
	}
	begin := time.Date(int(month/100), time.Month(month%100), 1, 0, 0, 0, 0, workday.Zone)
	var last *store.RuleSet
	for i, row := range rows {
		if row.Hall == hall && !row.Effective.After(begin) {
			last = &rows[i]
		}
	}
	if last == nil {
		return found, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.compiled[last.Name]
	if !ok {
		m, err := formulaMessage(last.Data)
		if err != nil {
			return found, err
		}
		if f, err = compileFormula(m); err != nil {
			return found, fmt.Errorf("stored formula %s: %w", last.Name, err)
		}
		if o.compiled == nil {
			o.compiled = map[string]*rules.Formula{}
		}
		o.compiled[last.Name] = f
	}
	return formula{name: last.Name, Formula: f}, nil
}

func formulaMessage(data []byte) (*supervisionv1.ScoreFormula, error) {
	m := &supervisionv1.ScoreFormula{}
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("stored formula: %w", err)
	}
	return m, nil
}

// opensWords are the kinds of cases that terms open to.
var opensWords = map[string]supervisionv1.ScoreCases{
	"early": supervisionv1.ScoreCases_SCORE_CASES_EARLY, "late": supervisionv1.ScoreCases_SCORE_CASES_LATE,
	"refused": supervisionv1.ScoreCases_SCORE_CASES_REFUSED, "supplemented": supervisionv1.ScoreCases_SCORE_CASES_SUPPLEMENTED,
	"paused": supervisionv1.ScoreCases_SCORE_CASES_PAUSED,
}

func compileFormula(m *supervisionv1.ScoreFormula) (*rules.Formula, error) {
	terms := func(all []*supervisionv1.ScoreTerm) (out []rules.ScoreTerm) {
		for _, t := range all {
			one := rules.ScoreTerm{ID: t.GetId(), Name: t.GetDisplayName(), Expression: t.GetExpression(), Cap: t.GetCap()}
			for word, opens := range opensWords {
				if opens == t.GetOpens() {
					one.Opens = word
				}
			}
			out = append(out, one)
		}
		return out
	}
	f := &rules.Formula{Version: m.GetName(), DisplayName: m.GetDisplayName(), Factor: m.GetFactor(), EveryCard: m.GetEveryCard(),
		MinCases: int64(m.GetMinCases()), Bonuses: terms(m.GetBonuses())}
	for _, p := range m.GetParts() {
		part := rules.ScorePart{ID: p.GetId(), Name: p.GetDisplayName(), Points: p.GetPoints(), Terms: terms(p.GetTerms())}
		for _, c := range p.GetCards() {
			part.Cards = append(part.Cards, rules.CardPoints{Rules: c.GetRules(), Level: rules.Level(c.GetLevel()), Points: c.GetPoints(), Per: int64(c.GetPer())})
		}
		f.Parts = append(f.Parts, part)
	}
	for _, g := range m.GetGrades() {
		f.Grades = append(f.Grades, rules.ScoreGrade{Name: g.GetDisplayName(), AtLeast: g.GetAtLeast()})
	}
	return f, f.Compile()
}

// presetMessage shows the program's formula as a hall's could be.
func presetMessage(hall string) *supervisionv1.ScoreFormula {
	f := rules.DefaultFormula()
	terms := func(all []rules.ScoreTerm) (out []*supervisionv1.ScoreTerm) {
		for _, t := range all {
			out = append(out, &supervisionv1.ScoreTerm{Id: t.ID, DisplayName: t.Name, Expression: t.Expression, Cap: t.Cap, Opens: opensWords[t.Opens]})
		}
		return out
	}
	m := &supervisionv1.ScoreFormula{Name: hall + "/scoreFormulas/" + rules.HuizhouName, DisplayName: f.DisplayName, Factor: f.Factor,
		EveryCard: f.EveryCard, MinCases: int32(f.MinCases), Bonuses: terms(f.Bonuses), State: supervisionv1.RuleSetState_RULE_SET_STATE_APPROVED}
	for _, p := range f.Parts {
		part := &supervisionv1.ScorePart{Id: p.ID, DisplayName: p.Name, Points: p.Points, Terms: terms(p.Terms)}
		for _, c := range p.Cards {
			part.Cards = append(part.Cards, &supervisionv1.ScoreCardPoints{Rules: c.Rules, Level: supervisionv1.CardLevel(c.Level), Points: c.Points, Per: int32(c.Per)})
		}
		m.Parts = append(m.Parts, part)
	}
	for _, g := range f.Grades {
		m.Grades = append(m.Grades, &supervisionv1.ScoreGrade{DisplayName: g.Name, AtLeast: g.AtLeast})
	}
	return m
}

// scoreFormulas are drafted and approved as all regulations are.
var scoreFormulas = regulations[*supervisionv1.ScoreFormula]{
	kind: store.KindScore, method: "ScoreFormula", event: "score_formula", collection: "scoreFormulas", question: "score formulas",
	parse: formulaMessage, approved: fault.ScoreFormulaApproved, notAhead: fault.ScoreFormulaNotAhead,
	approve: func(m *supervisionv1.ScoreFormula, by act, from workday.Date) {
		m.State, m.Approver, m.ApproveTime = supervisionv1.RuleSetState_RULE_SET_STATE_APPROVED, by.person, by.at
		m.EffectiveDate, m.Etag = from.String(), by.etag
	},
}

// CreateScoreFormula drafts a formula.
func (s *Service) CreateScoreFormula(ctx context.Context, req *supervisionv1.CreateScoreFormulaRequest) (*supervisionv1.ScoreFormula, error) {
	in := req.GetScoreFormula()
	if _, err := compileFormula(in); err != nil {
		return nil, fault.BadFormula.New(fault.Meta("detail", err.Error()), fault.Field("score_formula"))
	}
	return scoreFormulas.draft(ctx, s, req, func(by act) *supervisionv1.ScoreFormula {
		return &supervisionv1.ScoreFormula{Name: by.name, DisplayName: in.GetDisplayName(), Parts: in.GetParts(), Bonuses: in.GetBonuses(),
			Factor: in.GetFactor(), Grades: in.GetGrades(), EveryCard: in.GetEveryCard(), MinCases: in.GetMinCases(),
			State: supervisionv1.RuleSetState_RULE_SET_STATE_DRAFT, Author: by.person, CreateTime: by.at, Etag: by.etag}
	})
}

// ApproveScoreFormula lets a formula hold from a day on: the months that begin then or
// later are scored by it.
func (s *Service) ApproveScoreFormula(ctx context.Context, req *supervisionv1.ApproveScoreFormulaRequest) (*supervisionv1.ScoreFormula, error) {
	return scoreFormulas.hold(ctx, s, req)
}

// GetScoreFormula reads a formula, a hall's or the program's.
func (s *Service) GetScoreFormula(ctx context.Context, req *supervisionv1.GetScoreFormulaRequest) (*supervisionv1.ScoreFormula, error) {
	if lastPart(req.GetName()) == rules.HuizhouName {
		return presetMessage(hallOf(req.GetName())), nil
	}
	row, err := store.GetRuleSet(ctx, s.db.Read(), req.GetName())
	if err != nil {
		return nil, err
	}
	return formulaMessage(row.Data)
}

// ListScoreFormulas lists a hall's formulas, newest first.
func (s *Service) ListScoreFormulas(ctx context.Context, req *supervisionv1.ListScoreFormulasRequest) (*supervisionv1.ListScoreFormulasResponse, error) {
	all, next, err := scoreFormulas.list(ctx, s, req)
	if err != nil {
		return nil, err
	}
	return &supervisionv1.ListScoreFormulasResponse{ScoreFormulas: all, NextPageToken: next}, nil
}
