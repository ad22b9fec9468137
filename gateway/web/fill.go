package web

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/onehall/onehall/services/platform/form"
)

// field is one field as the page draws it.
type field struct {
	*form.Field
	// ID and Name are those of the input; the name is the path in the form.
	ID, Name string
	// Value is what stands in it, Chosen of several.
	Value  string
	Chosen map[string]bool
	// Error says what is wrong with it; Prefilled that it was not typed here.
	Error     string
	Prefilled bool
	// Inner are the fields of a group, the values of a list; Rows those of rows.
	Inner []*field
	Rows  [][]*field
	// More tells that another row or value may be added.
	More bool
}

// On tells whether a choice of yes or no is yes.
func (f *field) On() bool { return f.Value == "on" }

// Numeric tells whether a phone should show its number keys.
func (f *field) Numeric() bool { return f.Kind == form.Number || f.Kind == form.Integer }

// Hint is the id of the help text, empty for none.
func (f *field) Hint() string {
	if f.Description == "" && f.Unit == "" {
		return ""
	}
	return f.ID + "-hint"
}

// Described are the ids of what is said about the field, for those who hear the page.
func (f *field) Described() string {
	ids := []string{}
	if h := f.Hint(); h != "" {
		ids = append(ids, h)
	}
	if f.Error != "" {
		ids = append(ids, f.ID+"-error")
	}
	return strings.Join(ids, " ")
}

// paper is a form being drawn: what is filled in, what is wrong, and how many empty rows
// are wanted.
type paper struct {
	errors map[string]string
	known  map[string]bool
	blanks map[string]int
}

// formPrefix is what the names of the form's inputs begin with.
const formPrefix = "form."

func (p *paper) draw(fields []*form.Field, values map[string]any, at string) []*field {
	out := make([]*field, len(fields))
	for i, f := range fields {
		out[i] = p.one(f, values[f.Key], at+f.Key)
	}
	return out
}

func (p *paper) one(f *form.Field, value any, name string) *field {
	d := &field{Field: f, ID: "f-" + strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(name), Name: name, Error: p.errors[name]}
	d.Prefilled = p.known[strings.TrimPrefix(name, formPrefix)] && value != nil
	switch f.Kind {
	case form.Group:
		inner, _ := value.(map[string]any)
		d.Inner = p.draw(f.Fields, inner, name+".")
	case form.Rows, form.List:
		p.several(d, value)
	case form.Choices:
		d.Chosen = map[string]bool{}
		list, _ := value.([]any)
		for _, v := range list {
			d.Chosen[text(v)] = true
		}
	case form.Boolean:
		if value == true {
			d.Value = "on"
		}
	default:
		d.Value = text(value)
	}
	return d
}

// several draws the rows there are, those that must be, and those asked for.
func (p *paper) several(d *field, value any) {
	list, _ := value.([]any)
	n := len(list) + p.blanks[d.Name]
	if d.Required || p.blanks[d.Name] > 0 || d.Kind == form.List {
		n = max(n, int(*d.Min), 1)
	}
	n = min(n, int(*d.Max))
	for i := range n {
		name := d.Name + "[" + strconv.Itoa(i) + "]"
		var v any
		if i < len(list) {
			v = list[i]
		}
		if d.Kind == form.List {
			item := *d.Item
			item.Title = d.Title + " " + strconv.Itoa(i+1)
			d.Inner = append(d.Inner, p.one(&item, v, name))
			continue
		}
		inner, _ := v.(map[string]any)
		if message := p.errors[name]; message != "" {
			d.Error = message
		}
		d.Rows = append(d.Rows, p.draw(d.Fields, inner, name+"."))
	}
	d.More = n < int(*d.Max)
}

// text is a value as an input shows it.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// read is what an answer of the browser says, as the schema would have it. What is left
// empty is not there; a number that is none stays as it was typed, to be told of.
func read(fields []*form.Field, sent url.Values, at string) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		if v := readOne(f, sent, at+f.Key); v != nil {
			out[f.Key] = v
		}
	}
	return out
}

func readOne(f *form.Field, sent url.Values, name string) any {
	switch f.Kind {
	case form.Group:
		inner := read(f.Fields, sent, name+".")
		if len(inner) == 0 && !f.Required {
			return nil
		}
		return inner
	case form.Rows, form.List:
		return readSeveral(f, sent, name)
	case form.Choices:
		var list []any
		for _, o := range f.Options {
			if slices.Contains(sent[name], o.Value) {
				list = append(list, o.Value)
			}
		}
		if list == nil {
			return nil
		}
		return list
	case form.Boolean:
		if sent.Get(name) == "on" {
			return true
		}
		return nil
	}
	typed := strings.TrimSpace(strings.ReplaceAll(sent.Get(name), "\r\n", "\n"))
	if typed == "" {
		return nil
	}
	if f.Kind == form.Number || f.Kind == form.Integer {
		if n, err := strconv.ParseFloat(typed, 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n
		}
	}
	return typed
}

// readSeveral reads rows up to the first that the page did not have. Rows left empty
// fall out.
func readSeveral(f *form.Field, sent url.Values, name string) any {
	list := []any{}
	for i := range form.MaxRows {
		row := name + "[" + strconv.Itoa(i) + "]"
		if !sent.Has("row:" + row) {
			break
		}
		if f.Kind == form.List {
			if v := readOne(f.Item, sent, row); v != nil {
				list = append(list, v)
			}
			continue
		}
		if inner := read(f.Fields, sent, row+"."); len(inner) > 0 {
			list = append(list, inner)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// remove takes a row out of what is filled in, by its name form.household.members[2].
func remove(values map[string]any, name string) {
	path, ok := strings.CutPrefix(name, formPrefix)
	open := strings.LastIndexByte(path, '[')
	if !ok || open < 0 || !strings.HasSuffix(path, "]") || strings.ContainsRune(path[:open], '[') {
		return
	}
	i, err := strconv.Atoi(path[open+1 : len(path)-1])
	list, _ := form.Get(values, path[:open]).([]any)
	if err != nil || i < 0 || i >= len(list) {
		return
	}
	form.Set(values, path[:open], slices.Delete(list, i, i+1))
}
