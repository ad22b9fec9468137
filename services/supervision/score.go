package supervision

import (
	"context"
	"slices"
	"strings"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// scoreName reads the name of a score that the caller may see.
func (s *Service) scoreName(ctx context.Context, name string) (authn.Access, scoreRef, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return access, scoreRef{}, fault.Unauthenticated.New()
	}
	r, err := readRef(name)
	if err != nil {
		return access, r, err
	}
	if !covers(access, r.hall, r.department, "") || r.months[0] > rules.MonthOf(s.rt.Clock.Now()) {
		return access, r, fault.NotFound.New()
	}
	return access, r, nil
}

// monthScore is a score of a month: the frozen one, else as it stands; nil when nothing
// is known of it.
func (s *Service) monthScore(ctx context.Context, q db.Querier, r scoreRef, month int64) (*supervisionv1.Score, *rules.ScoreResult, error) {
	row, frozen, err := store.GetScore(ctx, q, r.in(month))
	if err != nil {
		return nil, nil, err
	}
	b, err := openBook(ctx, q, r.hall, month, r.department)
	if err != nil {
		return nil, nil, err
	}
	k, ok := b.find(r, month)
	if !ok {
		return nil, nil, nil
	}
	f, err := s.engine.formulas.of(ctx, q, r.hall, month)
	if err != nil {
		return nil, nil, err
	}
	in := b[k]
	if !frozen {
		return reckonScore(k, in, f)
	}
	score, err := storedScore(row.Data)
	if err != nil {
		return nil, nil, err
	}
	in.Aside = setAside(score)
	_, res, err := reckonScore(k, in, f)
	return score, res, err
}

// GetScore reads a score.
func (s *Service) GetScore(ctx context.Context, req *supervisionv1.GetScoreRequest) (*supervisionv1.Score, error) {
	_, r, err := s.scoreName(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	var all []*supervisionv1.Score
	now := rules.MonthOf(s.rt.Clock.Now())
	for _, month := range r.months {
		if month > now {
			break
		}
		one, _, err := s.monthScore(ctx, s.db.Read(), r, month)
		if err != nil {
			return nil, err
		}
		if one != nil && (len(r.months) == 1 || anything(one)) {
			all = append(all, one)
		}
	}
	if len(r.months) == 1 && len(all) == 1 {
		return all[0], nil
	}
	if len(all) == 0 && r.kind != supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT || len(r.months) == 1 {
		return nil, fault.NotFound.New()
	}
	return s.mean(ctx, r, all)
}

// anything tells whether anything at all was counted in a month.
func anything(s *supervisionv1.Score) bool {
	f := s.GetFigures()
	return s.GetFrozen() || f.GetConcluded()+f.GetWarnings()+f.GetYellows()+f.GetReds()+f.GetReviews() > 0
}

// mean is the score of a quarter or year: the mean of its months in which anything was
// counted. Its grade is by the formula of the last of them.
func (s *Service) mean(ctx context.Context, r scoreRef, all []*supervisionv1.Score) (*supervisionv1.Score, error) {
	out := &supervisionv1.Score{Name: r.name, Kind: r.kind, Department: r.department, Period: r.period, Figures: &supervisionv1.ScoreFigures{LeastCut: -1}}
	var totals []float64
	counted := int64(0)
	for _, m := range all {
		out.Officer, out.Item = m.GetOfficer(), m.GetItem()
		out.Months = append(out.Months, m.GetName())
		totals = append(totals, m.GetTotal())
		addFigures(out.GetFigures(), m.GetFigures())
		counted += m.GetFigures().GetConcluded() + m.GetFigures().GetWarnings() + m.GetFigures().GetYellows() + m.GetFigures().GetReds()
	}
	out.Total, out.Small = rules.Mean(totals), true
	if len(all) == 0 {
		return out, nil
	}
	months, err := monthsOf(all[len(all)-1].GetPeriod())
	if err != nil {
		return nil, err
	}
	f, err := s.engine.formulas.of(ctx, s.db.Read(), r.hall, months[0])
	if err != nil {
		return nil, err
	}
	if out.Small = counted < f.MinCases; !out.GetSmall() {
		out.Grade = f.GradeOf(out.GetTotal())
	}
	return out, nil
}

func addFigures(to, f *supervisionv1.ScoreFigures) {
	to.Concluded += f.GetConcluded()
	to.Early += f.GetEarly()
	to.Late += f.GetLate()
	to.Refused += f.GetRefused()
	to.Supplemented += f.GetSupplemented()
	to.Paused += f.GetPaused()
	to.Warnings += f.GetWarnings()
	to.Yellows += f.GetYellows()
	to.Reds += f.GetReds()
	to.Gaps += f.GetGaps()
	to.Reviews += f.GetReviews()
	to.Satisfied += f.GetSatisfied()
	if c := f.GetLeastCut(); c >= 0 && (to.GetLeastCut() < 0 || c < to.GetLeastCut()) {
		to.LeastCut = c
	}
}

// ListScores lists the scores of a hall, kind and period by name.
func (s *Service) ListScores(ctx context.Context, req *supervisionv1.ListScoresRequest) (*supervisionv1.ListScoresResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	department, err := ownDepartment(access, req.GetParent(), req.GetDepartment())
	if err != nil {
		return nil, err
	}
	months, err := monthsOf(req.GetPeriod())
	if err != nil {
		return nil, err
	}
	kind := max(req.GetKind(), supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT)
	question := page.FilterHash("scores", req.GetParent(), kind.String(), req.GetPeriod(), department)
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListScoresResponse{}
	if department != "" && hallOf(department) != req.GetParent() {
		return res, nil // no department of this hall
	}
	names, err := s.scoreNames(ctx, req.GetParent(), department, req.GetPeriod(), months, kind)
	if err != nil {
		return nil, err
	}
	if len(key) == 1 {
		at, found := slices.BinarySearch(names, key[0])
		if found {
			at++
		}
		names = names[at:]
	}
	if len(names) > size {
		names = names[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, names[size-1])
	}
	for _, name := range names {
		one, err := s.GetScore(ctx, &supervisionv1.GetScoreRequest{Name: name})
		if err != nil {
			return nil, err
		}
		res.Scores = append(res.Scores, one)
	}
	return res, nil
}

// scoreNames are the names of all scores of a kind and period, in order.
func (s *Service) scoreNames(ctx context.Context, hall, department, period string, months []int64, kind supervisionv1.ScoreKind) ([]string, error) {
	var names []string
	for _, month := range months {
		if month > rules.MonthOf(s.rt.Clock.Now()) {
			break
		}
		b, err := openBook(ctx, s.db.Read(), hall, month, department)
		if err != nil {
			return nil, err
		}
		for _, k := range b.of(kind) {
			names = append(names, k.name(period))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// ListScoreEntries lists what a month's score is made of.
func (s *Service) ListScoreEntries(ctx context.Context, req *supervisionv1.ListScoreEntriesRequest) (*supervisionv1.ListScoreEntriesResponse, error) {
	access, r, err := s.scoreName(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	question := page.FilterHash("score entries", req.GetParent())
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	score, made, err := s.monthScore(ctx, s.db.Read(), r, r.months[0])
	if err != nil {
		return nil, err
	}
	if score == nil {
		return nil, fault.NotFound.New()
	}
	res := &supervisionv1.ListScoreEntriesResponse{}
	entries := made.Entries
	if len(key) == 1 {
		entries = slices.DeleteFunc(slices.Clone(entries), func(e rules.ScoreEntry) bool { return e.ID <= key[0] })
	}
	if len(entries) > size {
		entries = entries[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, entries[size-1].ID)
	}
	for _, e := range entries {
		one, err := s.entryMessage(ctx, e, score.GetFormula())
		if err != nil {
			return nil, err
		}
		res.Entries = append(res.Entries, one)
	}
	return res, nil
}

func (s *Service) entryMessage(ctx context.Context, e rules.ScoreEntry, formula string) (*supervisionv1.ScoreEntry, error) {
	m := &supervisionv1.ScoreEntry{Id: e.ID, Part: e.Part, Points: e.Points, Formula: formula, Ground: e.Ground, SetAside: e.Aside, Opens: opensWords[e.Opens]}
	for kind, word := range map[supervisionv1.ScoreEntryKind]string{
		supervisionv1.ScoreEntryKind_SCORE_ENTRY_KIND_CARD: rules.EntryCard, supervisionv1.ScoreEntryKind_SCORE_ENTRY_KIND_TERM: rules.EntryTerm,
		supervisionv1.ScoreEntryKind_SCORE_ENTRY_KIND_BONUS: rules.EntryBonus, supervisionv1.ScoreEntryKind_SCORE_ENTRY_KIND_MARK: rules.EntryMark,
	} {
		if word == e.Kind {
			m.Kind = kind
		}
	}
	if e.Kind != rules.EntryCard {
		return m, nil
	}
	row, err := store.GetCard(ctx, s.db.Read(), e.Card.Name)
	if err != nil {
		return nil, err
	}
	c, err := cardOf(row.Data)
	if err != nil {
		return nil, err
	}
	m.Card, m.Subject, m.Rule, m.RuleVersion = c.GetName(), c.GetSubject(), c.GetRule(), c.GetRuleVersion()
	m.Level, m.AsOf, m.Ground = c.GetLevel(), c.GetAsOf(), c.GetGround()
	return m, nil
}

// caseFlags are the flags of the kinds of counted cases.
var caseFlags = map[supervisionv1.ScoreCases]int64{
	supervisionv1.ScoreCases_SCORE_CASES_EARLY: store.FlagEarly, supervisionv1.ScoreCases_SCORE_CASES_LATE: store.FlagLate,
	supervisionv1.ScoreCases_SCORE_CASES_REFUSED: store.FlagRefused, supervisionv1.ScoreCases_SCORE_CASES_SUPPLEMENTED: store.FlagSupplemented,
	supervisionv1.ScoreCases_SCORE_CASES_PAUSED: store.FlagPaused,
}

// ListScoreCases lists the cases that a month's score counts.
func (s *Service) ListScoreCases(ctx context.Context, req *supervisionv1.ListScoreCasesRequest) (*supervisionv1.ListScoreCasesResponse, error) {
	access, r, err := s.scoreName(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	question := page.FilterHash("score cases", req.GetParent(), req.GetCases().String())
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	b, err := openBook(ctx, s.db.Read(), r.hall, r.months[0], r.department)
	if err != nil {
		return nil, err
	}
	k, ok := b.find(r, r.months[0])
	if !ok {
		return nil, fault.NotFound.New()
	}
	filter := store.CountedFilter{Department: r.department, Month: r.months[0], Flags: caseFlags[req.GetCases()]}
	switch k.kind {
	case supervisionv1.ScoreKind_SCORE_KIND_OFFICER:
		filter.Officer = k.object
	case supervisionv1.ScoreKind_SCORE_KIND_ITEM:
		filter.Item = k.object
	}
	rows, err := store.CountedCases(ctx, s.db.Read(), filter, strings.Join(key, ""), size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListScoreCasesResponse{}
	if len(rows) > size {
		rows = rows[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, rows[size-1].Case)
	}
	for _, row := range rows {
		res.Cases = append(res.Cases, countedMessage(row, seesOfficers(access)))
	}
	return res, nil
}

// seesOfficers tells whether the caller may know who handled what: the heads of their
// own department and the supervisors.
func seesOfficers(a authn.Access) bool {
	return a.Principal != nil && slices.ContainsFunc(a.Roles, func(r optionsv1.Role) bool {
		return r == optionsv1.Role_ROLE_HEAD || r == optionsv1.Role_ROLE_SUPERVISOR
	})
}
