package rules

import (
	"strings"
	"testing"
)

// A rule that could only go wrong later is refused at once.
func TestParseConductRefuses(t *testing.T) {
	rule := func(id, each, condition, ground string) string {
		return `{"version":"v","rules":[{"id":"` + id + `","name":"n","source":"s","each":"` + each + `","when":[{"level":"red","if":"` + condition + `"}],"ground":"` + ground + `"}]}`
	}
	if _, err := ParseConduct([]byte(rule("L1", "special", "it.days > 3 && case.promised > 0", "'超过' + string(it.days)"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no JSON":                     `{`,
		"a bad id":                    rule("l1", "", "true", "'x'"),
		"no condition":                rule("L1", "", "", "'x'"),
		"no ground":                   rule("L1", "", "true", ""),
		"no such variable":            rule("L1", "", "kase.instant", "'x'"),
		"no such field":               rule("L1", "", "case.promise > 3", "'x'"),
		"it without each":             rule("L1", "", "it.days > 3", "'x'"),
		"a field of another it":       rule("L1", "reason", "it.days > 3", "'x'"),
		"no such each":                rule("L1", "receipt", "true", "'x'"),
		"a condition that is no bool": rule("L1", "", "case.promised", "'x'"),
		"a ground that is no text":    rule("L1", "", "true", "1"),
		"types that do not meet":      rule("L1", "", "case.promised > '3'", "'x'"),
		"too long":                    rule("L1", "", strings.Repeat("true && ", 300)+"true", "'x'"),
		"an unknown level":            strings.Replace(rule("L1", "", "true", "'x'"), "red", "black", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseConduct([]byte(text)); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

// A rule that costs too much raises nothing and says so; the others still judge.
func TestExpensiveRulesAreCutOff(t *testing.T) {
	ten := "[1,2,3,4,5,6,7,8,9,10]"
	expensive := "true"
	for range 5 {
		expensive = ten + ".all(x" + strings.Repeat("x", len(expensive)%7) + ", " + expensive + ")"
	}
	own, err := DefaultConduct().With("own", []*ConductRule{{ID: "L1", Name: "n", Source: "s", Ground: "'x'", When: []Condition{{Level: Red, If: expensive}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := policy(t, "")
	p.Rules = own
	found, err := p.Conduct(accepted(func(f *Facts) { f.Supplements = make([]Supplement, 2) }), Deed{Entered: at("2018-10-17 10:00:00")}, nothing)
	if err == nil || !strings.Contains(err.Error(), "cost") || len(found) != 1 || found[0].Rule != "P7_REPEATED_SUPPLEMENT" {
		t.Errorf("%v, %v", found, err)
	}
}

// A hall's own rule stands beside the program's, replaces one of the same id, and a
// disabled one is silent.
func TestOwnRules(t *testing.T) {
	facts := accepted(func(f *Facts) { f.Supplements = make([]Supplement, 2) })
	deed := Deed{Entered: at("2018-10-17 10:00:00")}
	one := func(id string) *ConductRule {
		return &ConductRule{ID: id, Name: "补正即黄牌", Source: "本市规定", Each: "supplement", When: []Condition{{Level: Yellow, If: "it.number > 1"}},
			Occurrence: "it.number", Ground: "'第' + string(it.number) + '次补正'"}
	}
	for name, tc := range map[string]struct {
		own      []*ConductRule
		disabled []string
		want     string
	}{
		"beside":   {[]*ConductRule{one("L1")}, nil, "P7_REPEATED_SUPPLEMENT.warning.2 L1.yellow.2"},
		"replaced": {[]*ConductRule{one("P7_REPEATED_SUPPLEMENT")}, nil, "P7_REPEATED_SUPPLEMENT.yellow.2"},
		"disabled": {nil, []string{"P7_REPEATED_SUPPLEMENT"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy(t, "")
			var err error
			if p.Rules, err = DefaultConduct().With("own-1", tc.own, tc.disabled); err != nil {
				t.Fatal(err)
			}
			found, err := p.Conduct(facts, deed, nothing)
			keys := make([]string, 0, len(found))
			for _, f := range found {
				keys = append(keys, f.Key())
				if f.Version != "own-1" || p.LegalSource(f.Rule) == "" {
					t.Errorf("%+v", f)
				}
			}
			if got := strings.Join(keys, " "); got != tc.want || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A trial over what a case has become finds what watching it step by step found.
func TestTrialFindsWhatWasFound(t *testing.T) {
	f := accepted(func(f *Facts) {
		f.Supplements = []Supplement{{Serial: 1, Notice: at("2018-10-16 10:00:00"), Receipt: at("2018-10-17 10:00:00"), Accepted: true, Officer: "a"},
			{Serial: 2, Notice: at("2018-10-18 10:00:00"), Receipt: at("2018-10-19 10:00:00"), Accepted: true, Officer: "a"}}
		f.Decision = &Decision{Officer: "b", Reason: "不行", Time: at("2018-11-01 20:00:00")}
	})
	deeds := []Deed{}
	for i, when := range []string{"2018-10-15 10:00:00", "2018-10-16 10:00:00", "2018-10-17 10:00:00", "2018-10-18 10:00:00", "2018-10-19 10:00:00", "2018-11-01 20:00:00"} {
		deeds = append(deeds, Deed{Sequence: int64(i + 1), Actor: "a", Happened: at(when), Entered: at(when)})
	}
	p := policy(t, "")
	got, err := p.Trial(f, deeds, at("2018-12-31 00:00:00"))
	var keys []string
	for _, one := range got {
		keys = append(keys, one.Key()+"@"+one.AsOf.In(at("2018-01-01 00:00:00").Location()).Format("01-02 15:04"))
	}
	want := "P7_REPEATED_SUPPLEMENT.warning.2@10-18 10:00 T1_PROMISE.warning.1@10-24 00:00 T1_PROMISE.yellow.1@10-29 00:00 T2_STATUTORY.red.1@11-01 00:00 " +
		"P5_OFF_HOURS.warning.1@11-01 20:00 P10_NO_REASON.yellow.2@11-01 20:00"
	if strings.Join(keys, " ") != want || err != nil {
		t.Errorf("%s, %v", strings.Join(keys, " "), err)
	}
}
