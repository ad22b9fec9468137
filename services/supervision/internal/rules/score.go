package rules

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

// Formula is a version of how performance is scored (绩效测评), as data.
type Formula struct {
	Version     string      `json:"version"`
	DisplayName string      `json:"display_name"`
	Parts       []ScorePart `json:"parts"`
	Bonuses     []ScoreTerm `json:"bonuses,omitempty"`
	// Factor is the conversion factor; empty is 1.
	Factor string       `json:"factor,omitempty"`
	Grades []ScoreGrade `json:"grades"`
	// EveryCard lets every card take points; else only the highest of a subject does.
	EveryCard bool `json:"every_card,omitempty"`
	// MinCases is how many cases and cards a grade needs.
	MinCases int64 `json:"min_cases,omitempty"`

	factor *expression
}

// ScorePart is one part with its full points; it never falls below zero.
type ScorePart struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Points float64      `json:"points"`
	Cards  []CardPoints `json:"cards,omitempty"`
	Terms  []ScoreTerm  `json:"terms,omitempty"`
}

// CardPoints are what cards of some rules and a level take.
type CardPoints struct {
	// Rules are ids, or beginnings of ids before a star.
	Rules  []string `json:"rules"`
	Level  Level    `json:"level"`
	Points float64  `json:"points"`
	// Per takes the points at every so many cards only; 0 and 1 are each.
	Per int64 `json:"per,omitempty"`
}

// ScoreTerm gives or takes points by the figures.
type ScoreTerm struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Expression string `json:"expression"`
	// Cap is the most it gives or takes; 0 for no bound.
	Cap float64 `json:"cap,omitempty"`
	// Opens names the cases it rests on: early, late, refused, supplemented, paused or
	// all.
	Opens string `json:"opens,omitempty"`

	value *expression
}

// ScoreGrade is a grade and the lowest total that has it.
type ScoreGrade struct {
	Name    string  `json:"name"`
	AtLeast float64 `json:"at_least"`
}

// ScoreView is what expressions of a formula see as "score".
type ScoreView struct {
	// Kind is department, officer or item; Month as 201811.
	Kind  string `cel:"kind"`
	Month int64  `cel:"month"`

	Concluded    int64 `cel:"concluded"`
	Early        int64 `cel:"early"`
	Late         int64 `cel:"late"`
	Refused      int64 `cel:"refused"`
	Supplemented int64 `cel:"supplemented"`
	Paused       int64 `cel:"paused"`
	// LeastCut is the least cut of the law's limit among the items, in tenths; -1 for
	// none known.
	LeastCut int64 `cel:"least_cut"`
	// Warnings, Yellows and Reds are the cards that count.
	Warnings int64 `cel:"warnings"`
	Yellows  int64 `cel:"yellows"`
	Reds     int64 `cel:"reds"`
	// Gaps are subjects with a card for missing data.
	Gaps      int64 `cel:"gaps"`
	Reviews   int64 `cel:"reviews"`
	Satisfied int64 `cel:"satisfied"`
}

// scoreEnvironment is what expressions of formulas are compiled in.
var scoreEnvironment = func() *cel.Env {
	env, err := cel.NewEnv(ext.NativeTypes(ext.ParseStructTags(true), reflect.TypeFor[*ScoreView]()),
		cel.Variable("score", cel.ObjectType("rules.ScoreView")))
	if err != nil {
		panic(fmt.Errorf("rules: %w", err)) // a mistake of the program
	}
	return env
}()

// Compile checks a formula; nothing in it is left to be found wrong later but what
// depends on the figures.
func (f *Formula) Compile() (err error) {
	ids := map[string]bool{}
	term := func(t *ScoreTerm) error {
		if t.ID == "" || ids[t.ID] || t.Expression == "" {
			return fmt.Errorf("rules: term %q needs an id of its own and an expression", t.ID)
		}
		ids[t.ID] = true
		t.value, err = compileIn(scoreEnvironment, t.Expression, cel.DoubleType)
		return err
	}
	if len(f.Parts) == 0 {
		return errors.New("rules: a formula needs a part")
	}
	for i := range f.Parts {
		p := &f.Parts[i]
		if p.ID == "" || ids[p.ID] {
			return fmt.Errorf("rules: part %q needs an id of its own", p.ID)
		}
		ids[p.ID] = true
		for j := range p.Terms {
			if err := term(&p.Terms[j]); err != nil {
				return fmt.Errorf("part %s: %w", p.ID, err)
			}
		}
	}
	for i := range f.Bonuses {
		if err := term(&f.Bonuses[i]); err != nil {
			return fmt.Errorf("bonus: %w", err)
		}
	}
	if !slices.IsSortedFunc(f.Grades, func(a, b ScoreGrade) int { return cmp.Compare(b.AtLeast, a.AtLeast) }) {
		return errors.New("rules: the grades go from the highest to the lowest")
	}
	if f.Factor != "" {
		f.factor, err = compileIn(scoreEnvironment, f.Factor, cel.DoubleType)
	}
	return err
}

//go:embed scores/huizhou2008.json
var huizhouFile []byte

// HuizhouName is the formula of a hall that has none of its own.
const HuizhouName = "huizhou2008"

var huizhou = func() *Formula {
	f := &Formula{}
	if err := errors.Join(json.Unmarshal(huizhouFile, f), f.Compile()); err != nil {
		panic(err) // a mistake of the program
	}
	return f
}()

// DefaultFormula is the formula that comes with the program.
func DefaultFormula() *Formula { return huizhou }

// ScoreCard is a card that stands, as a score sees it.
type ScoreCard struct {
	Name, Subject, Rule string
	Level               Level
	AsOf                time.Time
	// Department, Item and Officer are who and what it is about.
	Department, Item, Officer string
}

// ScoreMark is what was given or taken by hand.
type ScoreMark struct {
	Name, Part, Ground string
	Points             float64
}

// ScoreInput is everything a month's score depends on.
type ScoreInput struct {
	Kind  string
	Month int64
	Tallied
	// LeastCut is the least cut among the items; -1 for none known.
	LeastCut int64
	Cards    []ScoreCard
	Marks    []ScoreMark
	// Aside are the ids of entries that an appeal set aside.
	Aside map[string]bool
}

// The kinds of entries.
const (
	EntryCard  = "card"
	EntryTerm  = "term"
	EntryBonus = "bonus"
	EntryMark  = "mark"
)

// ScoreEntry is one thing a score is made of.
type ScoreEntry struct {
	// ID is unique within the score.
	ID, Kind, Part, Ground, Opens string
	Points                        float64
	// Card is of an entry of a card.
	Card  ScoreCard
	Aside bool
}

// PartResult is what a part came to.
type PartResult struct {
	ID, Name                string
	Points, Deducted, Score float64
}

// BonusResult is what a bonus came to.
type BonusResult struct {
	ID, Name string
	Points   float64
}

// ScoreResult is a month's score.
type ScoreResult struct {
	Total, Sum, Bonus, Factor float64
	Grade                     string
	// Small tells that too little was counted for a grade.
	Small   bool
	Parts   []PartResult
	Bonuses []BonusResult
	View    ScoreView
	// Entries are by id.
	Entries []ScoreEntry
}

// fits finds the part and the points of a card; the first that fits takes it.
func (f *Formula) fits(c ScoreCard) (part, row int, ok bool) {
	for i := range f.Parts {
		for j, p := range f.Parts[i].Cards {
			if p.Level == c.Level && slices.ContainsFunc(p.Rules, func(rule string) bool {
				begin, star := strings.CutSuffix(rule, "*")
				return rule == c.Rule || star && strings.HasPrefix(c.Rule, begin)
			}) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// counting are the cards that take points, in the order of their moments: the highest
// of each subject, unless every card does.
func (f *Formula) counting(cards []ScoreCard) []ScoreCard {
	all := slices.Clone(cards)
	slices.SortFunc(all, func(a, b ScoreCard) int {
		return cmp.Or(-cmp.Compare(a.Level, b.Level), a.AsOf.Compare(b.AsOf), cmp.Compare(a.Name, b.Name))
	})
	if !f.EveryCard {
		seen := map[string]bool{}
		all = slices.DeleteFunc(all, func(c ScoreCard) bool {
			again := seen[c.Subject]
			seen[c.Subject] = true
			return again
		})
	}
	slices.SortFunc(all, func(a, b ScoreCard) int { return cmp.Or(a.AsOf.Compare(b.AsOf), cmp.Compare(a.Name, b.Name)) })
	return all
}

// cents rounds half up to two decimals.
func cents(x float64) float64 { return math.Floor(x*100+0.5+1e-9) / 100 }
