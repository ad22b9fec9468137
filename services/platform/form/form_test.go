package form

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// household is a form with everything that a form can have.
const household = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "户口登记", "type": "object", "additionalProperties": false,
  "required": ["name", "kind", "household", "agree"],
  "properties": {
    "name": {"type": "string", "title": "姓名", "maxLength": 60, "x-prefill": "profile.name"},
    "kind": {"type": "string", "title": "登记类别", "enum": ["birth", "move"], "x-labels": ["出生登记", "迁入登记"]},
    "from": {"type": "string", "title": "迁出地", "maxLength": 100},
    "day": {"type": "string", "title": "日期", "format": "date"},
    "note": {"type": "string", "title": "说明", "x-multiline": true, "maxLength": 500, "description": "不超过五百字"},
    "area": {"type": "number", "title": "面积", "minimum": 0, "maximum": 1000, "multipleOf": 0.01, "x-unit": "平方米"},
    "plate": {"type": "string", "title": "车牌", "pattern": "^粤[A-Z][0-9A-Z]{5,6}$", "maxLength": 8},
    "needs": {"type": "array", "title": "需要", "uniqueItems": true, "maxItems": 3, "items": {"type": "string", "enum": ["a", "b", "c"]}},
    "phones": {"type": "array", "title": "电话", "maxItems": 3, "items": {"type": "string", "format": "phone", "maxLength": 20}},
    "household": {"type": "object", "title": "本户", "required": ["members"], "properties": {
      "members": {"type": "array", "title": "成员", "minItems": 1, "maxItems": 10, "items": {"$ref": "#/$defs/member"}}
    }},
    "agree": {"type": "boolean", "title": "属实", "const": true}
  },
  "allOf": [{"if": {"properties": {"kind": {"const": "move"}}, "required": ["kind"]}, "then": {"required": ["from"]}}],
  "$defs": {"member": {"type": "object", "required": ["name", "id"], "properties": {
    "name": {"type": "string", "title": "姓名", "maxLength": 60}, "id": {"type": "string", "title": "身份号码", "format": "resident-id"}
  }}}
}`

func compiled(t *testing.T, text string) *Schema {
	t.Helper()
	s, problems := Compile(text)
	if s == nil {
		t.Fatalf("%+v", problems)
	}
	return s
}

func TestFields(t *testing.T) {
	s := compiled(t, household)
	var got []string
	Walk(s.Fields, func(f *Field) { got = append(got, f.Path+" "+string(f.Kind)) })
	want := []string{"name text", "kind choice", "from text", "day date", "note long", "area number", "plate text", "needs choices", "phones list",
		"household group", "household.members rows", "agree boolean"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	kind, from := Find(s.Fields, "kind"), Find(s.Fields, "from")
	if !kind.Required || kind.Options[1] != (Option{"move", "迁入登记"}) || from.Required || !from.Sometimes {
		t.Errorf("%+v, %+v", kind, from)
	}
	if f := Find(s.Fields, "household.members[2].id"); f == nil || f.Path != "household.members[].id" || f.Format != "resident-id" || !f.Required {
		t.Errorf("member: %+v", f)
	}
	if f := Find(s.Fields, "phones[1]"); f == nil || f.Format != "phone" {
		t.Errorf("phone: %+v", f)
	}
	if Find(s.Fields, "nothing.at[0].all") != nil {
		t.Error("found what is not there")
	}
}

func TestCheck(t *testing.T) {
	s := compiled(t, household)
	good := func(change func(map[string]any)) map[string]any {
		v := map[string]any{"name": "张三", "kind": "birth", "agree": true,
			"household": map[string]any{"members": []any{map[string]any{"name": "李四", "id": "11010519491231002X"}}}}
		if change != nil {
			change(v)
		}
		return v
	}
	for name, tc := range map[string]struct {
		values map[string]any
		want   []string // path: reason
		draft  []string // the same, of a draft
	}{
		"good":      {good(nil), nil, nil},
		"empty":     {nil, []string{"form.agree FIELD_REQUIRED", "form.household FIELD_REQUIRED", "form.kind FIELD_REQUIRED", "form.name FIELD_REQUIRED"}, nil},
		"condition": {good(func(v map[string]any) { v["kind"] = "move" }), []string{"form.from FIELD_REQUIRED"}, nil},
		"many at once": {good(func(v map[string]any) {
			v["kind"], v["day"], v["area"], v["plate"] = "other", "2026-02-30", -1.0, "京A12345"
			v["household"] = map[string]any{"members": []any{map[string]any{"name": "甲", "id": "11010519491231002X"}, map[string]any{}, map[string]any{"name": 3.0, "id": "1"}}}
		}), []string{"form.area FORM_INVALID", "form.day FORM_INVALID", "form.household.members[1].id FIELD_REQUIRED", "form.household.members[1].name FIELD_REQUIRED",
			"form.household.members[2].id FORM_INVALID", "form.household.members[2].name FORM_INVALID", "form.kind FORM_INVALID", "form.plate FORM_INVALID"},
			[]string{"form.area FORM_INVALID", "form.day FORM_INVALID", "form.household.members[2].id FORM_INVALID", "form.household.members[2].name FORM_INVALID",
				"form.kind FORM_INVALID", "form.plate FORM_INVALID"}},
		"unknown":      {good(func(v map[string]any) { v["秘密"] = "x" }), []string{"form.* FORM_INVALID"}, []string{"form.* FORM_INVALID"}},
		"no members":   {good(func(v map[string]any) { v["household"] = map[string]any{"members": []any{}} }), []string{"form.household.members FORM_INVALID"}, nil},
		"not agreed":   {good(func(v map[string]any) { v["agree"] = false }), []string{"form.agree FORM_INVALID"}, []string{"form.agree FORM_INVALID"}},
		"twice":        {good(func(v map[string]any) { v["needs"] = []any{"a", "a"} }), []string{"form.needs FORM_INVALID"}, []string{"form.needs FORM_INVALID"}},
		"hidden":       {good(func(v map[string]any) { v["note"] = "正文\u202e倒序" }), []string{"form.note FORM_INVALID"}, []string{"form.note FORM_INVALID"}},
		"wrong phone":  {good(func(v map[string]any) { v["phones"] = []any{"13800000000", "x"} }), []string{"form.phones[1] FORM_INVALID"}, []string{"form.phones[1] FORM_INVALID"}},
		"no number":    {good(func(v map[string]any) { v["area"] = math.NaN() }), []string{"form.area FORM_INVALID"}, []string{"form.area FORM_INVALID"}},
		"endless":      {good(func(v map[string]any) { v["x"] = []any{math.Inf(1)} }), []string{"form.x[0] FORM_INVALID"}, []string{"form.x[0] FORM_INVALID"}},
		"long pattern": {good(func(v map[string]any) { v["plate"] = "粤A" + strings.Repeat("1", 9000) }), []string{"form.plate FORM_INVALID"}, []string{"form.plate FORM_INVALID"}},
	} {
		for complete, want := range map[bool][]string{true: tc.want, false: tc.draft} {
			var got []string
			for _, v := range s.Check("form", tc.values, complete) {
				got = append(got, v.Field+" "+v.Reason)
				if v.ZH == "" || v.EN == "" {
					t.Errorf("%s: %s has no text", name, v.Field)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, complete %v: %s", name, complete, diff)
			}
		}
	}
}

// TestTexts holds what is told to what was asked, in both languages.
func TestTexts(t *testing.T) {
	s := compiled(t, household)
	got := map[string]string{}
	for _, v := range s.Check("form", map[string]any{"area": 2000.0, "name": strings.Repeat("长", 61), "day": "明天", "kind": 1.0}, true) {
		got[v.Field] = v.ZH + "|" + v.EN
	}
	want := map[string]string{
		"form.area": "不能大于 1000|must be at most 1000", "form.name": "长度不能超过 60 个字|must be at most 60 characters long",
		"form.day": "应当是日期，例如 2026-01-31|must be a date such as 2026-01-31", "form.kind": "应当是文字|must be a string",
		"form.household": "必须填写|is required", "form.agree": "必须填写|is required",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExample(t *testing.T) {
	s := compiled(t, household)
	if found := s.Check("form", s.Example(), true); found != nil {
		t.Errorf("%v does not fit: %+v", s.Example(), found)
	}
}

func TestGetAndSet(t *testing.T) {
	v := map[string]any{"plain": "x"}
	Set(v, "a.b.c", 1)
	Set(v, "plain.inner", 2)
	if Get(v, "a.b.c") != 1 || Get(v, "a.nothing.c") != nil || Get(v, "plain") != "x" {
		t.Errorf("%v", v)
	}
}
