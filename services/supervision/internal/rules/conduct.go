package rules

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
)

// Deed is the event by which the facts came to be what they are.
type Deed struct {
	Type     string
	Sequence int64
	Actor    string
	// Happened is claimed, Entered is when the system was told.
	Happened, Entered time.Time
	// Burst is how many finished cases the actor entered within ten minutes, with this.
	Burst int
	// Attempt is what was tried and refused, for the reason Refused; empty for what was done.
	Attempt, Refused string
}

// ConductRule is a rule of conduct as data. Its expressions are CEL over the variables
// that docs/rules.md lists.
type ConductRule struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Source      string `json:"source"`
	// Each names what the rule is asked about one by one, as "it"; empty asks once.
	Each string `json:"each,omitempty"`
	// When are the conditions; the first that holds gives the level.
	When []Condition `json:"when"`
	// Occurrence tells findings of one rule in one case apart; empty is 1.
	Occurrence string `json:"occurrence,omitempty"`
	// Officer is who is answerable, Ground why, Used and Limit the figures.
	Officer string `json:"officer,omitempty"`
	Ground  string `json:"ground"`
	Used    string `json:"used,omitempty"`
	Limit   string `json:"limit,omitempty"`

	occurrence, officer, ground, used, limit *expression
}

// Condition raises a level.
type Condition struct {
	Level Level  `json:"level"`
	If    string `json:"if"`

	holds *expression
}

// ConductSet is a version of the rules of conduct.
type ConductSet struct {
	Version string         `json:"version"`
	Rules   []*ConductRule `json:"rules"`
}

const (
	maxConductRules = 100
	maxConditions   = 5
)

var ruleID = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,39}$`)

// ParseConduct reads rules of conduct and compiles them; nothing in them is left to be
// found wrong later but what depends on a case.
func ParseConduct(raw []byte) (*ConductSet, error) {
	set := &ConductSet{}
	if err := json.Unmarshal(raw, set); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	if len(set.Rules) > maxConductRules {
		return nil, fmt.Errorf("rules: %d rules, more than %d", len(set.Rules), maxConductRules)
	}
	for _, r := range set.Rules {
		if err := r.compile(); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return set, nil
}

func (r *ConductRule) compile() (err error) {
	if !ruleID.MatchString(r.ID) {
		return fmt.Errorf("rules: %q is no id: capitals, digits and underscores, at most 40", r.ID)
	}
	if r.Name == "" || r.Source == "" || r.Ground == "" || len(r.When) == 0 || len(r.When) > maxConditions {
		return fmt.Errorf("rules: it needs a name, a source, a ground and one to %d conditions", maxConditions)
	}
	for i := range r.When {
		w := &r.When[i]
		if w.Level == None || w.If == "" {
			return errors.New("rules: a condition needs a level and an expression")
		}
		if w.holds, err = compile(r.Each, w.If, cel.BoolType); err != nil {
			return err
		}
	}
	for _, e := range []struct {
		to   **expression
		text string
		kind *cel.Type
	}{
		{&r.occurrence, r.Occurrence, cel.IntType}, {&r.officer, r.Officer, cel.StringType}, {&r.ground, r.Ground, cel.StringType},
		{&r.used, r.Used, cel.IntType}, {&r.limit, r.Limit, cel.IntType},
	} {
		if *e.to, err = compile(r.Each, e.text, e.kind); err != nil {
			return err
		}
	}
	return nil
}

//go:embed conduct/conduct.json
var conductFile []byte

// conduct are the rules that come with the program; a mistake in them is its mistake.
var conduct = func() *ConductSet {
	set, err := ParseConduct(conductFile)
	if err != nil {
		panic(err)
	}
	return set
}()

// With makes a set of the rules of this one that are neither disabled nor replaced by
// one of the same id, and further ones.
func (s *ConductSet) With(version string, further []*ConductRule, disabled []string) (*ConductSet, error) {
	own, gone := &ConductSet{Version: version}, map[string]bool{}
	for _, id := range disabled {
		gone[id] = true
	}
	for _, r := range further {
		if err := r.compile(); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		gone[r.ID] = true
	}
	for _, r := range s.Rules {
		if !gone[r.ID] {
			own.Rules = append(own.Rules, r)
		}
	}
	own.Rules = append(own.Rules, further...)
	return own, nil
}

// DefaultConduct are the rules of conduct that come with the program.
func DefaultConduct() *ConductSet { return conduct }

// conductSet are the rules of conduct in force by the policy.
func (p Policy) conductSet() *ConductSet {
	if p.Rules != nil {
		return p.Rules
	}
	return conduct
}

// Conduct lists the findings of conduct in the facts after a deed that are not yet
// known. They are as of the deed's entry: only then could anybody see them. An error is
// of rules that could not be evaluated; the findings of the others stand.
func (p Policy) Conduct(f *Facts, deed Deed, known func(key string) bool) ([]Finding, error) {
	set := p.conductSet()
	things := map[string][]any{
		"": {nil}, "supplement": f.supplementViews(), "special": p.specialViews(f), "milestone": f.milestoneViews(), "reason": f.reasonViews(deed),
		"fee": f.feeViews(),
	}
	vars := map[string]any{"case": p.caseView(f), "deed": p.deedView(f, deed)}
	var all []Finding
	var failed []error
	for _, r := range set.Rules {
		for _, it := range things[r.Each] {
			vars["it"] = it
			found, ok, err := r.judge(vars)
			if err != nil {
				failed = append(failed, fmt.Errorf("rule %s: %w", r.ID, err))
				continue
			}
			if found.AsOf, found.Version = deed.Entered, set.Version; ok && !known(found.Key()) {
				all = append(all, found)
			}
		}
	}
	return all, errors.Join(failed...)
}

// maxGround is the longest ground kept, in characters.
const maxGround = 1000

// judge tells whether the rule holds, and the finding then.
func (r *ConductRule) judge(vars map[string]any) (Finding, bool, error) {
	level := None
	for _, w := range r.When {
		holds, err := run[bool](w.holds, vars)
		if err != nil {
			return Finding{}, false, err
		}
		if holds {
			level = w.Level
			break
		}
	}
	if level == None {
		return Finding{}, false, nil
	}
	occurrence, err1 := run[int64](r.occurrence, vars)
	officer, err2 := run[string](r.officer, vars)
	ground, err3 := run[string](r.ground, vars)
	used, err4 := run[int64](r.used, vars)
	limit, err5 := run[int64](r.limit, vars)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return Finding{}, false, err
	}
	if r.occurrence == nil {
		occurrence = 1
	}
	if utf8.RuneCountInString(ground) > maxGround {
		ground = string([]rune(ground)[:maxGround])
	}
	return Finding{Rule: r.ID, Level: level, Occurrence: int(occurrence), Officer: officer, Ground: ground, Used: int(used), Limit: int(limit)}, true, nil
}
