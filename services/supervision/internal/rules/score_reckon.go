package rules

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// scoring is a score while it is reckoned.
type scoring struct {
	formula *Formula
	in      ScoreInput
	view    ScoreView
	taken   []float64 // by part, below zero is given
	entries []ScoreEntry
}

// Score reckons a month. It depends on nothing but the formula and the input, and not on
// the order in which cards and marks are given.
func (f *Formula) Score(in ScoreInput) (*ScoreResult, error) {
	s := &scoring{formula: f, in: in, taken: make([]float64, len(f.Parts)), view: ScoreView{Kind: in.Kind, Month: in.Month,
		Concluded: in.N, Early: in.Early, Late: in.Late, Refused: in.Refused, Supplemented: in.Supplemented, Paused: in.Paused,
		LeastCut: in.LeastCut, Reviews: in.Reviews, Satisfied: in.Satisfied}}
	cards := s.cards()
	if err := s.terms(); err != nil {
		return nil, err
	}
	s.marks()
	res := &ScoreResult{Factor: 1, View: s.view}
	for i, p := range f.Parts {
		part := PartResult{ID: p.ID, Name: p.Name, Points: p.Points, Deducted: cents(s.taken[i])}
		part.Score = cents(min(p.Points, max(0, p.Points-s.taken[i])))
		res.Sum += part.Score
		res.Parts = append(res.Parts, part)
	}
	vars := map[string]any{"score": &s.view}
	for _, b := range f.Bonuses {
		points, err := s.value(b, vars)
		if err != nil {
			return nil, err
		}
		e := ScoreEntry{ID: EntryBonus + "." + b.ID, Kind: EntryBonus, Points: points, Ground: b.Name, Opens: b.Opens}
		if points = s.enter(e); points != 0 {
			res.Bonuses = append(res.Bonuses, BonusResult{ID: b.ID, Name: b.Name, Points: points})
		}
		res.Bonus += points
	}
	if f.factor != nil {
		factor, err := run[float64](f.factor, vars)
		if err != nil {
			return nil, fmt.Errorf("factor: %w", err)
		}
		res.Factor = factor
	}
	res.Sum, res.Bonus = cents(res.Sum), cents(res.Bonus)
	res.Total = cents((res.Sum + res.Bonus) * res.Factor)
	res.Small = in.N+int64(len(cards)) < f.MinCases
	for _, g := range f.Grades {
		if !res.Small && res.Total >= g.AtLeast {
			res.Grade = g.Name
			break
		}
	}
	slices.SortFunc(s.entries, func(a, b ScoreEntry) int { return cmp.Compare(a.ID, b.ID) })
	res.Entries = s.entries
	return res, nil
}

// enter notes an entry and returns the points that count: none of one set aside. What
// comes to nothing is no entry, but for a card.
func (s *scoring) enter(e ScoreEntry) float64 {
	e.Aside = s.in.Aside[e.ID]
	if e.Points == 0 && e.Kind != EntryCard {
		return 0
	}
	s.entries = append(s.entries, e)
	if e.Aside {
		return 0
	}
	return e.Points
}

// cards lets the cards take their points and counts them.
func (s *scoring) cards() []ScoreCard {
	gaps := map[string]bool{}
	kept := make([]ScoreCard, 0, len(s.in.Cards))
	for _, c := range s.in.Cards {
		if s.in.Aside[cardEntry(c)] {
			// It is shown, but neither takes points nor hides a lower one.
			if i, j, ok := s.formula.fits(c); ok {
				part := s.formula.Parts[i]
				s.enter(ScoreEntry{ID: cardEntry(c), Kind: EntryCard, Part: part.ID, Points: -part.Cards[j].Points, Card: c})
			}
			continue
		}
		kept = append(kept, c)
		if strings.HasPrefix(c.Rule, "H2_") {
			gaps[c.Subject] = true
		}
	}
	s.view.Gaps = int64(len(gaps))
	counting := s.formula.counting(kept)
	seen := map[[2]int]int64{}
	for _, c := range counting {
		for level, n := range map[Level]*int64{Warning: &s.view.Warnings, Yellow: &s.view.Yellows, Red: &s.view.Reds} {
			if c.Level == level {
				*n++
			}
		}
		i, j, ok := s.formula.fits(c)
		if !ok {
			continue
		}
		row := s.formula.Parts[i].Cards[j]
		seen[[2]int{i, j}]++
		e := ScoreEntry{ID: cardEntry(c), Kind: EntryCard, Part: s.formula.Parts[i].ID, Card: c}
		if n := seen[[2]int{i, j}]; row.Per <= 1 || n%row.Per == 0 {
			e.Points = -row.Points
		}
		s.taken[i] -= s.enter(e)
	}
	return counting
}

// cardEntry is the id of a card's entry.
func cardEntry(c ScoreCard) string {
	return EntryCard + "." + c.Name[strings.LastIndexByte(c.Name, '/')+1:]
}

// terms lets the figures give and take.
func (s *scoring) terms() error {
	vars := map[string]any{"score": &s.view}
	for i, p := range s.formula.Parts {
		for _, t := range p.Terms {
			points, err := s.value(t, vars)
			if err != nil {
				return fmt.Errorf("part %s: %w", p.ID, err)
			}
			s.taken[i] -= s.enter(ScoreEntry{ID: EntryTerm + "." + t.ID, Kind: EntryTerm, Part: p.ID, Points: points, Ground: t.Name, Opens: t.Opens})
		}
	}
	return nil
}

func (s *scoring) value(t ScoreTerm, vars map[string]any) (float64, error) {
	v, err := run[float64](t.value, vars)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("rules: %s came out as %v", t.Expression, v)
	}
	if t.Cap > 0 {
		v = max(-t.Cap, min(t.Cap, v))
	}
	return cents(v), nil
}

// marks lets what was given and taken by hand count.
func (s *scoring) marks() {
	byName := map[string]ScoreMark{}
	for _, m := range s.in.Marks {
		byName[m.Name] = m
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		m := byName[name]
		for i, p := range s.formula.Parts {
			if p.ID == m.Part {
				id := EntryMark + "." + m.Name[strings.LastIndexByte(m.Name, '/')+1:]
				s.taken[i] -= s.enter(ScoreEntry{ID: id, Kind: EntryMark, Part: p.ID, Points: m.Points, Ground: m.Ground})
			}
		}
	}
}

// Mean is the score of a quarter or year: the mean of its months.
func Mean(totals []float64) float64 {
	if len(totals) == 0 {
		return 0
	}
	sum := 0.0
	for _, t := range totals {
		sum += t
	}
	return cents(sum / float64(len(totals)))
}

// GradeOf is the grade of a total.
func (f *Formula) GradeOf(total float64) string {
	for _, g := range f.Grades {
		if total >= g.AtLeast {
			return g.Name
		}
	}
	return ""
}
