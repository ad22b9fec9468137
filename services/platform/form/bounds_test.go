package form

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// one is a form with one field.
func one(field string) string {
	return `{"type":"object","properties":{"a":` + field + `}}`
}

// nested is a form of groups within groups.
func nested(levels int) string {
	text := `{"type":"string","title":"底"}`
	for range levels {
		text = `{"type":"object","title":"组","properties":{"a":` + text + `}}`
	}
	return one(text)
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"a%d":{"type":"string","title":"栏"}`, i)
	}
	return `{"type":"object","properties":{` + b.String() + `}}`
}

func TestRefusals(t *testing.T) {
	text := `"type":"string","title":"栏"`
	for name, tc := range map[string]struct{ schema, at string }{
		"no JSON":            {`{`, ""},
		"two values":         {`{} {}`, ""},
		"no object":          {`[]`, ""},
		"a text":             {`"object"`, ""},
		"key twice":          {`{"type":"object","type":"object"}`, ""},
		"too long":           {one(`{` + text + `,"description":"` + strings.Repeat("长", MaxText) + `"}`), ""},
		"nested text":        {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), ""},
		"deep":               {nested(MaxDepth + 1), strings.Repeat("properties.a.", MaxDepth) + "properties.a"},
		"many fields":        {many(MaxFields + 1), "properties"},
		"other draft":        {`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{` + text + `}}}`, "$schema"},
		"no field":           {`{"type":"object"}`, "properties"},
		"odd name":           {`{"type":"object","properties":{"a-b":{` + text + `}}}`, "properties.a-b"},
		"no title":           {one(`{"type":"string"}`), "properties.a.title"},
		"no type":            {one(`{"title":"栏"}`), "properties.a.type"},
		"two types":          {one(`{"title":"栏","type":["string","null"]}`), "properties.a.type"},
		"remote ref":         {one(`{"$ref":"https://example.com/x.json"}`), "properties.a.$ref"},
		"file ref":           {one(`{"$ref":"file:///etc/passwd"}`), "properties.a.$ref"},
		"unknown ref":        {one(`{"$ref":"#/$defs/nothing"}`), "properties.a.$ref"},
		"root ref":           {one(`{"$ref":"#"}`), "properties.a.$ref"},
		"dynamic ref":        {one(`{` + text + `,"$dynamicRef":"#x"}`), "properties.a.$dynamicRef"},
		"own id":             {one(`{` + text + `,"$id":"https://example.com/"}`), "properties.a.$id"},
		"any of":             {one(`{` + text + `,"anyOf":[{}]}`), "properties.a.anyOf"},
		"pattern properties": {`{"type":"object","patternProperties":{"(a+)+":{}},"properties":{"a":{` + text + `}}}`, "patternProperties"},
		"broken pattern":     {one(`{` + text + `,"maxLength":9,"pattern":"("}`), "properties.a.pattern"},
		"look-ahead":         {one(`{` + text + `,"maxLength":9,"pattern":"(?=a)b"}`), "properties.a.pattern"},
		"long pattern":       {one(`{` + text + `,"maxLength":9,"pattern":"` + strings.Repeat("a", maxPattern+1) + `"}`), "properties.a.pattern"},
		"large pattern":      {one(`{` + text + `,"maxLength":9,"pattern":"(a{30}){30}"}`), "properties.a.pattern"},
		"unbounded pattern":  {one(`{` + text + `,"pattern":"a+"}`), "properties.a.maxLength"},
		"format":             {one(`{` + text + `,"format":"regex"}`), "properties.a.format"},
		"prefill":            {one(`{` + text + `,"x-prefill":"profile.password"}`), "properties.a.x-prefill"},
		"labels":             {one(`{` + text + `,"enum":["a","b"],"x-labels":["甲"]}`), "properties.a.x-labels"},
		"no options":         {one(`{` + text + `,"enum":[]}`), "properties.a.enum"},
		"endless rows":       {one(`{"type":"array","title":"列","items":{"type":"string"}}`), "properties.a.maxItems"},
		"rows of rows":       {one(`{"type":"array","title":"列","maxItems":9,"items":{"type":"array","title":"内","maxItems":9,"items":{"type":"string"}}}`), "properties.a.items"},
		"odd bound":          {one(`{` + text + `,"maxLength":1.5}`), "properties.a.maxLength"},
		"required":           {`{"type":"object","required":["b"],"properties":{"a":{` + text + `}}}`, "required"},
		"odd condition":      {`{"type":"object","if":{"not":{}},"properties":{"a":{` + text + `}}}`, "if.not"},
		"all of anything":    {`{"type":"object","allOf":[{"$ref":"#"}],"properties":{"a":{` + text + `}}}`, "allOf"},
		"condition on none":  {`{"type":"object","if":{"properties":{"b":{"const":1}}},"properties":{"a":{` + text + `}}}`, "if.properties.b"},
		"step":               {one(`{"type":"number","title":"数","multipleOf":0}`), "properties.a.multipleOf"},
	} {
		s, problems := Compile(tc.schema)
		if s != nil || len(problems) == 0 {
			t.Errorf("%s: taken", name)
			continue
		}
		if problems[0].At != tc.at || problems[0].ZH == "" || problems[0].EN == "" {
			t.Errorf("%s: %+v", name, problems[0])
		}
	}
}

// Definitions that multiply when they are followed are as many fields as they become.
func TestMultiplying(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, `,"d%d":{"type":"object","title":"组","properties":{"a":{"$ref":"#/$defs/d%d"},"b":{"$ref":"#/$defs/d%d"}}}`, i, i+1, i+1)
	}
	text := `{"type":"object","properties":{"a":{"$ref":"#/$defs/d0"}},"$defs":{"d20":{"type":"string","title":"底"}` + b.String() + `}}`
	began := time.Now()
	if s, _ := Compile(text); s != nil {
		t.Error("taken")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
	self := `{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"object","title":"组","properties":{"a":{"$ref":"#/$defs/a"}}}}}`
	if s, _ := Compile(self); s != nil {
		t.Error("a form within itself was taken")
	}
}

// TestCost measures the worst form that is let through: as many values as there may be,
// each as long as a pattern looks at, against the largest pattern.
func TestCost(t *testing.T) {
	pattern := "^(.?a?){48}$"
	if _, err := compilePattern(pattern); err != nil {
		t.Fatal(err)
	}
	s := compiled(t, one(`{"type":"array","title":"列","maxItems":50,"items":{"type":"object","properties":{
		"a":{"type":"string","title":"甲","maxLength":100,"pattern":"`+pattern+`"},"b":{"type":"string","title":"乙","maxLength":100,"pattern":"`+pattern+`"},
		"c":{"type":"string","title":"丙","maxLength":100,"pattern":"`+pattern+`"}}}}`))
	bad := strings.Repeat("a", 99) + "!"
	rows := make([]any, 50)
	for i := range rows {
		rows[i] = map[string]any{"a": bad, "b": bad, "c": bad}
	}
	least := time.Hour
	for range 3 { // the least of some: others use this machine too
		began := time.Now()
		s.Check("form", map[string]any{"a": rows}, true)
		least = min(least, time.Since(began))
	}
	t.Logf("the worst form took %v", least)
	if least > 20*time.Second { // a thousand times what it takes: a busy machine stays below, a pattern gone wild does not
		t.Errorf("the worst form took %v", least)
	}
	began := time.Now()
	compiled(t, many(150))
	t.Logf("a schema of 150 fields took %v to read", time.Since(began))
}

func FuzzCompile(f *testing.F) {
	f.Add(household, "x", 1.5)
	f.Add(one(`{"type":"boolean","title":"是"}`), "", 0.0)
	f.Fuzz(func(t *testing.T, text, word string, number float64) {
		s, problems := Compile(text)
		if (s == nil) == (len(problems) == 0) {
			t.Fatal("neither a schema nor a problem, or both")
		}
		if s == nil {
			return
		}
		s.Example()
		for _, v := range []func() any{
			func() any { return word }, func() any { return number }, func() any { return true }, func() any { return nil },
			func() any { return []any{word, map[string]any{word: number}} }, func() any { return map[string]any{word: []any{number}} },
		} {
			values := map[string]any{}
			Walk(s.Fields, func(f *Field) { Set(values, f.Path, v()) })
			s.Check("form", values, true)
			s.Check("form", values, false)
		}
	})
}
