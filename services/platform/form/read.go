package form

import (
	"regexp"
	"slices"
	"strings"
)

// reader turns a schema into fields and notes what a form cannot have.
type reader struct {
	defs       *node
	problems   []Problem
	fields     int
	conditions int
}

func (r *reader) bad(at, zh, en string) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, Problem{at, zh, en})
	}
}

// Keywords that say something in each place.
var (
	describing = []string{"title", "description", "$comment", "examples", "default"}
	ofField    = append([]string{"type", "$ref", "x-prefill"}, describing...)
	ofObject   = []string{"properties", "required", "additionalProperties", "dependentRequired", "allOf", "if", "then", "else", "minProperties"}
	ofKind     = map[string][]string{
		"string":  {"minLength", "maxLength", "pattern", "format", "enum", "x-labels", "x-multiline"},
		"number":  {"minimum", "maximum", "multipleOf", "x-unit"},
		"integer": {"minimum", "maximum", "multipleOf", "x-unit"},
		"boolean": {"const"},
		"array":   {"items", "minItems", "maxItems", "uniqueItems"},
		"object":  ofObject,
	}
)

// keyName is what a field may be called: it stands in paths and in names of a page.
var keyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)

func (r *reader) root(n *node) []*Field {
	if !n.object() || n.get("type").text() != "object" {
		r.bad("", "表单应当是 type 为 object 的 JSON Schema", "a form is a JSON Schema of type object")
		return nil
	}
	if s := n.get("$schema"); s != nil && strings.TrimSuffix(s.text(), "#") != Draft {
		r.bad("$schema", "只支持 JSON Schema 2020-12", "only draft 2020-12 is supported")
	}
	r.known(n, "", "object", "$schema", "$defs", "x-order")
	if d := n.get("$defs"); d != nil && !d.object() {
		r.bad("$defs", "应当是对象", "must be an object")
	}
	return r.object(n, "", "", 0)
}

// known refuses keywords that a form cannot have: what is not looked at here could
// neither be shown nor be bounded.
func (r *reader) known(n *node, at, kind string, more ...string) {
	for _, key := range n.keys {
		if !slices.Contains(ofField, key) && !slices.Contains(ofKind[kind], key) && !slices.Contains(more, key) {
			r.bad(join(at, key), "表单不能使用这个关键字", "a form cannot use this keyword")
		}
	}
	for _, key := range []string{"title", "description", "$comment", "x-unit"} {
		if v := n.get(key); v != nil && !v.isText() {
			r.bad(join(at, key), "应当是文字", "must be a string")
		}
	}
}

// object reads the fields of an object; path is that of the form, at that of the schema.
func (r *reader) object(n *node, at, path string, level int) []*Field {
	if level > MaxDepth {
		r.bad(at, "表单分组层级过深", "groups lie too deep in one another")
		return nil
	}
	props := n.get("properties")
	if !props.object() || len(props.keys) == 0 {
		r.bad(join(at, "properties"), "至少要有一个栏目", "there must be at least one field")
		return nil
	}
	if extra := n.get("additionalProperties"); extra != nil {
		if _, ok := extra.value.(bool); !ok {
			r.bad(join(at, "additionalProperties"), "只能是 true 或 false", "must be true or false")
		}
	}
	var fields []*Field
	for _, key := range props.keys {
		if r.fields++; r.fields > MaxFields {
			r.bad(join(at, "properties"), "栏目过多", "there are too many fields")
			return fields
		}
		place := join(join(at, "properties"), key)
		if !keyName.MatchString(key) {
			r.bad(place, "栏目名应当由字母、数字和下划线组成，以字母开头", "a field's name has letters, digits and underscores and begins with a letter")
			continue
		}
		f := &Field{Key: key, Path: join(path, key)}
		r.field(f, props.byKey[key], place, level)
		fields = append(fields, f)
	}
	r.demands(n, at, fields)
	r.condition(n, at, fields, 0)
	return fields
}

// demands reads which fields must be filled in.
func (r *reader) demands(n *node, at string, fields []*Field) {
	for _, key := range r.names(n.get("required"), join(at, "required")) {
		if f := own(fields, key); f != nil {
			f.Required = true
		} else {
			r.bad(join(at, "required"), "必填栏目不在表单中", "a required field is not in the form")
		}
	}
	deps := n.get("dependentRequired")
	if deps == nil {
		return
	}
	if !deps.object() {
		r.bad(join(at, "dependentRequired"), "应当是对象", "must be an object")
		return
	}
	for _, key := range deps.keys {
		for _, other := range append(r.names(deps.byKey[key], join(at, "dependentRequired")), key) {
			if f := own(fields, other); f == nil {
				r.bad(join(at, "dependentRequired"), "所指的栏目不在表单中", "it names a field that is not in the form")
			} else if other != key {
				f.Sometimes = true
			}
		}
	}
}

// names is a list of fields.
func (r *reader) names(n *node, at string) []string {
	if n == nil {
		return nil
	}
	names, ok := n.texts()
	if !ok || len(names) > MaxFields {
		r.bad(at, "应当是栏目名的列表", "must be a list of fields")
	}
	return names
}

// conditional are the keywords of what a condition says of one field.
var conditional = []string{"const", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "$comment"}

// condition reads if, then and else, and allOf as a list of them.
func (r *reader) condition(n *node, at string, fields []*Field, level int) {
	if all := n.get("allOf"); all != nil {
		if !all.array() || level > 0 || len(all.items) > maxConditions {
			r.bad(join(at, "allOf"), "只能是条件的列表", "must be a list of conditions")
			return
		}
		for _, one := range all.items {
			place := join(at, "allOf")
			if !one.object() || one.get("if") == nil {
				r.bad(place, "只能是条件（if、then、else）", "must hold conditions (if, then, else)")
				continue
			}
			for _, key := range one.keys {
				if !slices.Contains([]string{"if", "then", "else", "$comment"}, key) {
					r.bad(join(place, key), "只能是条件（if、then、else）", "must hold conditions (if, then, else)")
				}
			}
			r.condition(one, place, fields, level+1)
		}
	}
	for _, key := range []string{"if", "then", "else"} {
		if part := n.get(key); part != nil {
			if r.conditions++; r.conditions > 3*maxConditions {
				r.bad(join(at, key), "条件过多", "there are too many conditions")
				return
			}
			r.part(part, join(at, key), fields, key != "if")
		}
	}
}

// part reads one part of a condition: which fields there must be, and what they hold.
func (r *reader) part(n *node, at string, fields []*Field, demands bool) {
	if !n.object() {
		r.bad(at, "应当是对象", "must be an object")
		return
	}
	for _, key := range n.keys {
		if key != "properties" && key != "required" && key != "$comment" {
			r.bad(join(at, key), "条件只能使用 properties 和 required", "a condition has only properties and required")
		}
	}
	for _, key := range r.names(n.get("required"), join(at, "required")) {
		if f := own(fields, key); f == nil {
			r.bad(join(at, "required"), "所指的栏目不在表单中", "it names a field that is not in the form")
		} else if demands {
			f.Sometimes = true
		}
	}
	props := n.get("properties")
	if props == nil {
		return
	}
	for _, key := range props.keys {
		place := join(join(at, "properties"), key)
		if own(fields, key) == nil || !props.byKey[key].object() {
			r.bad(place, "所指的栏目不在表单中", "it names a field that is not in the form")
			continue
		}
		for _, word := range props.byKey[key].keys {
			if !slices.Contains(conditional, word) {
				r.bad(join(place, word), "条件不能使用这个关键字", "a condition cannot use this keyword")
			}
		}
		if list := props.byKey[key].get("enum"); list != nil && (!list.array() || len(list.items) > MaxOptions) {
			r.bad(join(place, "enum"), "选项过多", "there are too many options")
		}
	}
}

func own(fields []*Field, key string) *Field {
	i := slices.IndexFunc(fields, func(f *Field) bool { return f.Key == key })
	if i < 0 {
		return nil
	}
	return fields[i]
}

// sayable is a key that may be repeated in a problem: others are what somebody made up.
var sayable = regexp.MustCompile(`^[$A-Za-z][A-Za-z0-9_$-]{0,39}$`)

func join(at, key string) string {
	if !sayable.MatchString(key) {
		key = "*"
	}
	if at == "" {
		return key
	}
	return at + "." + key
}
