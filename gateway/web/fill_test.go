package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/form"
)

const everything = `{"type":"object","required":["name","home"],"properties":{
	"name":{"type":"string","title":"姓名","maxLength":20},"note":{"type":"string","title":"说明","x-multiline":true},
	"kind":{"type":"string","title":"类别","enum":["a","b"],"x-labels":["甲","乙"]},"day":{"type":"string","title":"日期","format":"date"},
	"area":{"type":"number","title":"面积"},"count":{"type":"integer","title":"人数"},"yes":{"type":"boolean","title":"同意"},
	"needs":{"type":"array","title":"需要","uniqueItems":true,"maxItems":3,"items":{"type":"string","enum":["x","y"]}},
	"phones":{"type":"array","title":"电话","maxItems":3,"items":{"type":"string"}},
	"home":{"type":"object","title":"住所","properties":{"members":{"type":"array","title":"成员","maxItems":4,"items":{"type":"object","properties":{
		"name":{"type":"string","title":"姓名"},"age":{"type":"integer","title":"年龄"}}}}}}}}`

func schemaOf(t testing.TB, text string) *form.Schema {
	t.Helper()
	s, problems := form.Compile(text)
	if s == nil {
		t.Fatalf("%+v", problems)
	}
	return s
}

// answer is what a browser sends back when nobody changes what the page shows.
func answer(fields []*field, into url.Values) url.Values {
	for _, f := range fields {
		for i, row := range f.Rows {
			into.Set("row:"+f.Name+"["+itoa(i)+"]", "1")
			answer(row, into)
		}
		for i := range f.Inner {
			if f.Kind == form.List {
				into.Set("row:"+f.Name+"["+itoa(i)+"]", "1")
			}
		}
		answer(f.Inner, into)
		for value, chosen := range f.Chosen {
			if chosen {
				into.Add(f.Name, value)
			}
		}
		if f.Kind != form.Group && f.Kind != form.Rows && f.Kind != form.List && f.Kind != form.Choices && (f.Kind != form.Boolean || f.On()) {
			into.Set(f.Name, f.Value)
		}
	}
	return into
}

func TestWhatIsShownComesBack(t *testing.T) {
	s := schemaOf(t, everything)
	values := map[string]any{
		"name": "张三", "note": "一\n二", "kind": "b", "day": "2026-01-31", "area": 12.5, "count": 3.0, "yes": true, "needs": []any{"x", "y"}, "phones": []any{"1", "2"},
		"home": map[string]any{"members": []any{map[string]any{"name": "甲", "age": 1.0}, map[string]any{"name": "乙"}}},
	}
	p := &paper{blanks: map[string]int{"form.home.members": 1}}
	drawn := p.draw(s.Fields, values, formPrefix)
	if diff := cmp.Diff(values, read(s.Fields, answer(drawn, url.Values{}), formPrefix)); diff != "" {
		t.Error(diff)
	}
	rows := drawn[len(drawn)-1].Inner[0].Rows
	if len(rows) != 3 {
		t.Errorf("%d rows with one asked for", len(rows))
	}
	remove(values, "form.home.members[0]")
	if left := form.Get(values, "home.members").([]any); len(left) != 1 || left[0].(map[string]any)["name"] != "乙" {
		t.Errorf("left %v", left)
	}
	for _, odd := range []string{"", "form.home.members", "form.home.members[9]", "form.home.members[-1]", "form.name[0]", "form.home.members[0].name[0]", "x[0]"} {
		remove(values, odd)
	}
	if len(form.Get(values, "home.members").([]any)) != 1 {
		t.Error("an odd name took a row away")
	}
	if got := read(s.Fields, url.Values{"form.area": {"many"}, "form.name": {"  "}}, formPrefix); got["area"] != "many" || got["name"] != nil || got["home"] == nil {
		t.Errorf("odd answers: %v", got)
	}
}

// TestErrorsFindTheirFields puts each error beside its field and lists all in order.
func TestErrorsFindTheirFields(t *testing.T) {
	s := schemaOf(t, everything)
	p := &paper{errors: map[string]string{"form.home.members[1].age": "应当是整数", "form.name": "必须填写", "form.phones[0]": "不对"}, known: map[string]bool{"kind": true}}
	drawn := p.draw(s.Fields, map[string]any{"kind": "a", "phones": []any{"x"}, "home": map[string]any{"members": []any{map[string]any{}, map[string]any{"age": "x"}}}}, formPrefix)
	var got []string
	for _, w := range wrongFields(drawn, "") {
		got = append(got, w.ID+" "+w.Title+" "+w.Text)
	}
	want := []string{"f-form-name 姓名 必须填写", "f-form-phones-0 电话 1 不对", "f-form-home-members-1-age 住所，成员第 2 项，年龄 应当是整数"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !drawn[2].Prefilled || drawn[0].Prefilled {
		t.Error("what was filled in beforehand is not marked")
	}
}

func FuzzRead(f *testing.F) {
	f.Add("form.home.members[0].name", "row:form.home.members[0]", "x")
	f.Add("form.needs", "form.area", "1e999")
	f.Add("form.count", "form.area", "NaN")
	s := schemaOf(f, everything)
	f.Fuzz(func(t *testing.T, one, two, value string) {
		sent := url.Values{one: {value}, two: {value, one}}
		values := read(s.Fields, sent, formPrefix)
		remove(values, one)
		p := &paper{blanks: map[string]int{one: 100, two: -1}, errors: map[string]string{one: value}}
		for _, d := range p.draw(s.Fields, values, formPrefix) {
			if strings.ContainsAny(d.ID, " .[]") {
				t.Errorf("id %q", d.ID)
			}
		}
		s.Check("case.form", values, true)
	})
}
