package rules

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The page on the rules names every rule and every variable, and its example works.
func TestRulesPage(t *testing.T) {
	raw, err := os.ReadFile("../../../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, r := range policy(t, "").Catalog() {
		if !strings.Contains(page, "| `"+r.ID+"` |") {
			t.Errorf("%s is not on the page", r.ID)
		}
	}
	views := map[string]any{"`case`": &Case{}, "`deed`": &DeedView{}}
	for name, v := range each {
		views["`it` of `"+name+"`"] = v
	}
	for name, v := range views {
		var want []string
		for i := range reflect.TypeOf(v).Elem().NumField() {
			want = append(want, "`"+reflect.TypeOf(v).Elem().Field(i).Tag.Get("cel")+"`")
		}
		if line := "| " + name + " | " + strings.Join(want, " ") + " |"; !strings.Contains(page, line) {
			t.Errorf("the page lacks: %s", line)
		}
	}
	_, example, ok := strings.Cut(page, "```json\n")
	example, _, closed := strings.Cut(example, "```")
	if !ok || !closed {
		t.Fatal("the page has no example")
	}
	set, err := ParseConduct([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	p := policy(t, "")
	if p.Rules, err = DefaultConduct().With("example", set.Rules, nil); err != nil {
		t.Fatal(err)
	}
	found, err := p.Conduct(accepted(func(f *Facts) {
		f.Supplements = []Supplement{{Notice: at("2018-10-15 11:00:00")}, {Notice: at("2018-10-16 11:00:00")}}
	}), Deed{Entered: at("2018-10-16 11:00:00")}, nothing)
	if err != nil || len(found) != 1 || found[0].Key() != "P7_REPEATED_SUPPLEMENT.yellow.2" || found[0].Ground != "第2次告知补正（2018-10-16 11:00）" {
		t.Errorf("%v, %v", found, err)
	}
}
