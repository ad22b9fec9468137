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

// CreateScoreFormula drafts a formula.
func (s *Service) CreateScoreFormula(ctx context.Context, req *supervisionv1.CreateScoreFormulaRequest) (*supervisionv1.ScoreFormula, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	if _, err := compileFormula(req.GetScoreFormula()); err != nil {
		return nil, fault.BadFormula.New(fault.Meta("detail", err.Error()), fault.Field("score_formula"))
	}
	key, hash := feed.RequestKey(req.GetParent(), access.Subject, "CreateScoreFormula", req.GetRequestId()), feed.RequestHash(req)
	var answer *supervisionv1.ScoreFormula
	err := s.db.Write(ctx, req.GetParent(), func(ctx context.Context, tx *db.Tx) error {
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		id := tx.NextID()
		in := req.GetScoreFormula()
		f := &supervisionv1.ScoreFormula{Name: fmt.Sprintf("%s/scoreFormulas/%d", req.GetParent(), id), DisplayName: in.GetDisplayName(),
			Parts: in.GetParts(), Bonuses: in.GetBonuses(), Factor: in.GetFactor(), Grades: in.GetGrades(), EveryCard: in.GetEveryCard(),
			MinCases: in.GetMinCases(), State: supervisionv1.RuleSetState_RULE_SET_STATE_DRAFT, Author: access.Subject, CreateTime: timestamppb.New(tx.Now())}
		f.Etag = feed.Etag(f.GetName(), 1)
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: f.GetName(), Sequence: 1, Type: "score_formula.drafted", Resource: f,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		answer = f
		return store.InsertRuleSet(ctx, tx, store.RuleSet{ID: id, Name: f.GetName(), Hall: req.GetParent(), Data: marshal(f), Kind: store.KindScore})
	})
	if e, ok := feed.Replayed(err); ok {
		return formulaMessage(e.GetResource())
	}
	return answer, err
}

// ApproveScoreFormula lets a formula hold from the first day of a month that lies ahead,
// so that nobody can change how past deeds are scored.
func (s *Service) ApproveScoreFormula(ctx context.Context, req *supervisionv1.ApproveScoreFormulaRequest) (*supervisionv1.ScoreFormula, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	day, err := workday.ParseDate(req.GetEffectiveDate())
	if err != nil {
		return nil, fault.InvalidArgument.New(fault.Field("effective_date"), fault.Cause(err))
	}
	hall := hallOf(req.GetName())
	key, hash := feed.RequestKey(hall, access.Subject, "ApproveScoreFormula", req.GetRequestId()), feed.RequestHash(req)
	var answer *supervisionv1.ScoreFormula
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
		f, err := formulaMessage(row.Data)
		if err != nil {
			return err
		}
		switch {
		case f.GetState() != supervisionv1.RuleSetState_RULE_SET_STATE_DRAFT:
			return fault.ScoreFormulaApproved.New()
		case f.GetAuthor() == access.Subject:
			return fault.SamePersonForbidden.New()
		case day <= workday.DateOf(tx.Now()):
			return fault.ScoreFormulaNotAhead.New(fault.Field("effective_date"))
		}
		row.Sequence++
		row.Effective = workday.StartOfDay(day)
		f.State, f.Approver, f.EffectiveDate = supervisionv1.RuleSetState_RULE_SET_STATE_APPROVED, access.Subject, req.GetEffectiveDate()
		f.ApproveTime, f.Etag = timestamppb.New(tx.Now()), feed.Etag(row.Name, row.Sequence)
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: row.Name, Sequence: row.Sequence, Type: "score_formula.approved", Resource: f,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		row.Data, answer = marshal(f), f
		return store.UpdateRuleSet(ctx, tx, row)
	})
	if e, ok := feed.Replayed(err); ok {
		return formulaMessage(e.GetResource())
	}
	return answer, err
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
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	question := page.FilterHash("score formulas", req.GetParent())
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
	rows, err := store.ListRuleSets(ctx, s.db.Read(), store.KindScore, req.GetParent(), before, size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListScoreFormulasResponse{}
	if len(rows) > size {
		rows = rows[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(rows[size-1].ID, 10))
	}
	for _, row := range rows {
		f, err := formulaMessage(row.Data)
		if err != nil {
			return nil, err
		}
		res.ScoreFormulas = append(res.ScoreFormulas, f)
	}
	return res, nil
}
