package form

import (
	"slices"
	"strings"
)

// field reads what one schema says of a field.
func (r *reader) field(f *Field, n *node, at string, level int) {
	if n = r.resolved(n, at); n == nil {
		return
	}
	kind := n.get("type").text()
	if ofKind[kind] == nil {
		r.bad(join(at, "type"), "类型应当是 string、number、integer、boolean、array 或 object 之一", "the type must be one of string, number, integer, boolean, array and object")
		return
	}
	r.known(n, at, kind)
	f.Title, f.Description = n.get("title").text(), n.get("description").text()
	if f.Title == "" {
		r.bad(join(at, "title"), "栏目应当有名称", "a field has a title")
	}
	if p := n.get("x-prefill"); p != nil {
		if f.Prefill = p.text(); !slices.Contains(Prefills, f.Prefill) {
			r.bad(join(at, "x-prefill"), "没有这个预填来源", "there is no such source to fill in from")
		}
	}
	if e := n.get("examples"); e.array() && len(e.items) > 0 {
		f.Example = e.items[0].plain()
	}
	switch kind {
	case "string":
		r.text(f, n, at)
	case "number", "integer":
		f.Kind = Kind(kind)
		f.Min, f.Max, f.Unit = r.bound(n, at, "minimum"), r.bound(n, at, "maximum"), n.get("x-unit").text()
		if step := r.bound(n, at, "multipleOf"); step != nil && *step <= 0 {
			r.bad(join(at, "multipleOf"), "应当大于 0", "must be above 0")
		}
	case "boolean":
		f.Kind = Boolean
	case "object":
		f.Kind = Group
		f.Fields = r.object(n, at, f.Path, level+1)
	case "array":
		r.array(f, n, at, level)
	}
}

// resolved follows a reference within the schema. A title beside it stays in force.
func (r *reader) resolved(n *node, at string) *node {
	if !n.object() {
		r.bad(at, "应当是对象", "must be an object")
		return nil
	}
	ref := n.get("$ref")
	if ref == nil {
		return n
	}
	name, local := strings.CutPrefix(ref.text(), "#/$defs/")
	def := r.defs.get(name)
	if !local || !def.object() || def.get("$ref") != nil {
		r.bad(join(at, "$ref"), "只能引用本表单 $defs 中的定义", "it may refer only to a definition in this form's $defs")
		return nil
	}
	for _, key := range n.keys {
		if key != "$ref" && !slices.Contains(describing, key) && key != "x-prefill" {
			r.bad(join(at, key), "引用旁边不能有这个关键字", "this keyword cannot stand beside a reference")
		}
	}
	both := &node{kind: '{', byKey: map[string]*node{}}
	for _, from := range []*node{def, n} {
		for _, key := range from.keys {
			if key == "$ref" {
				continue
			}
			if both.byKey[key] == nil {
				both.keys = append(both.keys, key)
			}
			both.byKey[key] = from.byKey[key]
		}
	}
	return both
}

func (r *reader) text(f *Field, n *node, at string) {
	f.Kind = Text
	if long := n.get("x-multiline"); long != nil && long.value == true {
		f.Kind = Long
	}
	f.MinLength, f.MaxLength = r.count(n, at, "minLength", 10_000), r.count(n, at, "maxLength", 10_000)
	if p := n.get("pattern"); p != nil {
		f.Pattern = p.text()
		if _, err := compilePattern(f.Pattern); err != nil || !p.isText() {
			r.bad(join(at, "pattern"), "正则表达式不正确或过于复杂", "the pattern is wrong or too large")
		}
		if f.MaxLength == 0 || f.MaxLength > maxMatched {
			r.bad(join(at, "maxLength"), "有正则表达式的栏目应当限定长度不超过 100 字", "a field with a pattern has a maxLength of at most 100")
		}
	}
	if format := n.get("format"); format != nil {
		if f.Format = format.text(); !slices.Contains(formats, f.Format) {
			r.bad(join(at, "format"), "没有这种格式", "there is no such format")
		}
		if f.Format == "date" {
			f.Kind = Date
		}
	}
	if n.get("enum") != nil {
		f.Kind = Choice
		f.Options = r.options(n, at)
	}
}

// options are the values of an enum with their labels.
func (r *reader) options(n *node, at string) []Option {
	values, ok := n.get("enum").texts()
	if !ok || len(values) == 0 || len(values) > MaxOptions {
		r.bad(join(at, "enum"), "应当是 1 至 100 个文字选项", "must be 1 to 100 strings")
		return nil
	}
	labels := values
	if l := n.get("x-labels"); l != nil {
		if labels, ok = l.texts(); !ok || len(labels) != len(values) {
			r.bad(join(at, "x-labels"), "应当与选项一一对应", "there must be one label for each option")
			return nil
		}
	}
	out := make([]Option, len(values))
	for i, v := range values {
		if out[i] = (Option{v, labels[i]}); v == "" || slices.Contains(values[:i], v) {
			r.bad(join(at, "enum"), "选项不能为空或者重复", "an option is neither empty nor given twice")
		}
	}
	return out
}

// array is a choice of several, a list of values, or rows.
func (r *reader) array(f *Field, n *node, at string, level int) {
	items := n.get("items")
	if items == nil {
		r.bad(join(at, "items"), "列表应当写明每一项是什么", "a list says what its items are")
		return
	}
	least, most := r.count(n, at, "minItems", MaxRows), r.count(n, at, "maxItems", MaxRows)
	if most == 0 {
		r.bad(join(at, "maxItems"), "列表应当限定不超过 50 项", "a list has a maxItems of at most 50")
	}
	min, max := float64(least), float64(most)
	f.Min, f.Max = &min, &max
	one := &Field{Path: f.Path + "[]"}
	place := join(at, "items")
	if r.fields++; r.fields > MaxFields {
		r.bad(place, "栏目过多", "there are too many fields")
		return
	}
	// A value of a list has no need of a title of its own.
	before := len(r.problems)
	r.field(one, items, place, level)
	r.problems = slices.DeleteFunc(r.problems, func(p Problem) bool { return p.At == join(place, "title") })
	if len(r.problems) > before {
		return
	}
	switch one.Kind {
	case Choice:
		f.Kind, f.Options = Choices, one.Options
		if u := n.get("uniqueItems"); u == nil || u.value != true {
			r.bad(join(at, "uniqueItems"), "多选应当注明不重复（uniqueItems）", "a choice of several has uniqueItems")
		}
	case Group:
		f.Kind, f.Fields = Rows, one.Fields
	case Text, Number, Integer, Date:
		f.Kind, f.Item = List, one
		one.Title = f.Title
	default:
		r.bad(place, "列表的每一项应当是文字、数字、选项或一组栏目", "the items of a list are texts, numbers, options or groups")
	}
}

// bound is a number of a schema, nil where there is none.
func (r *reader) bound(n *node, at, key string) *float64 {
	v := n.get(key)
	if v == nil {
		return nil
	}
	f, ok := v.number()
	if !ok {
		r.bad(join(at, key), "应当是数字", "must be a number")
		return nil
	}
	return &f
}

// count is a whole number from 0 to a most, 0 where there is none.
func (r *reader) count(n *node, at, key string, most int) int {
	f := r.bound(n, at, key)
	if f == nil {
		return 0
	}
	if *f < 0 || *f > float64(most) || *f != float64(int(*f)) {
		r.bad(join(at, key), "超出允许的范围", "is out of range")
		return 0
	}
	return int(*f)
}
