package rules_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/supervision/internal/rules"
)

func scoreCard(i int, subject, rule string, level rules.Level) rules.ScoreCard {
	return rules.ScoreCard{Name: fmt.Sprintf("halls/441300/cards/%d.%s.%s.1", i, rule, level), Subject: subject, Rule: rule, Level: level,
		AsOf: time.Date(2018, 11, 1+i, 0, 0, 0, 0, time.UTC)}
}

// The worked example of docs/score.md, reckoned by hand.
func TestHuizhouByHand(t *testing.T) {
	in := rules.ScoreInput{Kind: "department", Month: 201811, LeastCut: 4,
		Tallied: rules.Tallied{N: 200, Early: 56, Reviews: 40, Satisfied: 38},
		Cards: []rules.ScoreCard{
			scoreCard(1, "case 1", "T1_PROMISE", rules.Warning), // hidden by the yellow one
			scoreCard(2, "case 1", "T1_PROMISE", rules.Yellow),  // time limits -5
			scoreCard(3, "case 2", "T1_PROMISE", rules.Warning),
			scoreCard(4, "case 3", "T1_PROMISE", rules.Warning),
			scoreCard(5, "case 4", "T7_SPECIAL_OVERDUE", rules.Warning), // the third: -3
			scoreCard(6, "case 5", "P1_STEP_SKIPPED", rules.Red),        // procedure -10
			scoreCard(7, "case 6", "P10_NO_REASON", rules.Yellow),       // procedure -5, and it is empty
			scoreCard(8, "case 7", "H2_DATA_GAP", rules.Warning),        // three gaps of 200: 1 %, -1;
			scoreCard(9, "case 8", "H2_DATA_GAP", rules.Warning),
			scoreCard(10, "case 9", "H2_DATA_GAP", rules.Warning), // and three warnings, -3
			scoreCard(11, "review 1", "R1_BAD_REVIEW", rules.Yellow),
		},
		Marks: []rules.ScoreMark{{Name: "halls/441300/scoreMarks/7", Part: "integrity", Points: -2, Ground: "专项检查发现问题"}},
	}
	got, err := rules.DefaultFormula().Score(in)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]float64{}
	for _, p := range got.Parts {
		parts[p.ID] = p.Score
	}
	want := map[string]float64{"openness": 10, "procedure": 0, "time_limits": 6, "fees": 8, "satisfaction": 9.5, "attitude": 5,
		"inspection": 14, "liability": 10, "integrity": 8}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Error(diff)
	}
	// 70.5, and 2 for 28 % early, 4 for limits cut by 40 %.
	if got.Sum != 70.5 || got.Bonus != 6 || got.Total != 76.5 || got.Grade != "合格" || got.Small {
		t.Errorf("%+v", got)
	}
	if d := got.Parts[1].Deducted; d != 19 {
		t.Errorf("procedure lost %v", d)
	}
	in.Aside = map[string]bool{"card.6.P1_STEP_SKIPPED.red.1": true, "mark.7": true}
	again, err := rules.DefaultFormula().Score(in)
	if err != nil || again.Parts[1].Score != 5 || again.Total != 83.5 || again.Grade != "良好" || len(again.Entries) != len(got.Entries) {
		t.Errorf("after the appeals %+v, %v", again, err)
	}
}

// The same cards in any order give the same score, and so does setting aside what is
// not there.
func TestScoreKnowsNoOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		in := rules.ScoreInput{Kind: "officer", Month: 201811, LeastCut: -1, Tallied: rules.Tallied{N: int64(r.IntN(50)), Early: int64(r.IntN(9))}}
		for i := range r.IntN(30) {
			rule := []string{"T1_PROMISE", "P7_REPEATED_SUPPLEMENT", "H2_DATA_GAP", "Z1_OTHER"}[r.IntN(4)]
			in.Cards = append(in.Cards, scoreCard(i%9, fmt.Sprint("case ", r.IntN(12)), rule, rules.Level(1+r.IntN(3))))
			in.Cards[i].Name += fmt.Sprint(i)
		}
		want, err := rules.DefaultFormula().Score(in)
		if err != nil {
			t.Fatal(err)
		}
		r.Shuffle(len(in.Cards), func(i, j int) { in.Cards[i], in.Cards[j] = in.Cards[j], in.Cards[i] })
		in.Aside = map[string]bool{"card.none": true}
		got, err := rules.DefaultFormula().Score(in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		sum := 0.0
		for _, e := range got.Entries {
			if e.Kind == rules.EntryCard && e.Points > 0 {
				t.Errorf("a card gives points: %+v", e)
			}
			sum += e.Points
		}
		lost := 0.0
		for _, p := range got.Parts {
			lost += p.Deducted
		}
		if d := sum - (got.Bonus - lost); d > 1e-9 || d < -1e-9 {
			t.Fatalf("the entries add up to %v, the parts lost %v and the bonus is %v", sum, lost, got.Bonus)
		}
	}
}

func TestFormulasAreChecked(t *testing.T) {
	for name, f := range map[string]*rules.Formula{
		"no part":          {},
		"unknown variable": {Parts: []rules.ScorePart{{ID: "a", Terms: []rules.ScoreTerm{{ID: "t", Expression: "score.nothing"}}}}},
		"no double":        {Parts: []rules.ScorePart{{ID: "a", Terms: []rules.ScoreTerm{{ID: "t", Expression: "score.early"}}}}},
		"one id twice":     {Parts: []rules.ScorePart{{ID: "a"}, {ID: "a"}}},
		"bad factor":       {Parts: []rules.ScorePart{{ID: "a"}}, Factor: "'x'"},
		"grades upward":    {Parts: []rules.ScorePart{{ID: "a"}}, Grades: []rules.ScoreGrade{{Name: "x", AtLeast: 1}, {Name: "y", AtLeast: 2}}},
	} {
		if err := f.Compile(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	f := &rules.Formula{Parts: []rules.ScorePart{{ID: "a", Points: 100}}, Factor: "score.kind == 'item' ? 0.5 : 1.1", MinCases: 1,
		Bonuses: []rules.ScoreTerm{{ID: "b", Expression: "1.0 / double(score.late)"}}}
	if err := f.Compile(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Score(rules.ScoreInput{}); err == nil {
		t.Error("a share of nothing is no number, and was taken")
	}
	got, err := f.Score(rules.ScoreInput{Kind: "item", Tallied: rules.Tallied{Late: 2}})
	if err != nil || got.Total != 50.25 || !got.Small || got.Grade != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if rules.Mean([]float64{80, 90.01}) != 85.01 || rules.Mean(nil) != 0 {
		t.Error("the mean is rounded half up")
	}
}
