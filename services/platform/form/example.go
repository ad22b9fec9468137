package form

import (
	"slices"
	"strings"
)

// Example is a form that passes: what a schema gives as examples, and else the least
// that fits. Only what must be filled in is, and what has an example.
func (s *Schema) Example() map[string]any { return exampleOf(s.Fields) }

func exampleOf(fields []*Field) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		if v := f.example(); v != nil {
			out[f.Key] = v
		}
	}
	return out
}

func (f *Field) example() any {
	if f.Example != nil {
		return f.Example
	}
	switch f.Kind {
	case Group:
		if f.Required || exemplified(f.Fields) {
			return exampleOf(f.Fields)
		}
		return nil
	case Rows, List, Choices:
		return f.several()
	}
	if !f.Required {
		return nil
	}
	return f.least()
}

// exemplified reports whether any of the fields has an example of its own.
func exemplified(fields []*Field) bool {
	return slices.ContainsFunc(fields, func(f *Field) bool { return f.Example != nil || f.Kind == Group && exemplified(f.Fields) })
}

// several is as many values as there must be.
func (f *Field) several() any {
	n := 0
	if f.Min != nil {
		n = int(*f.Min)
	}
	if n == 0 && !f.Required {
		return nil
	}
	out := []any{}
	for i := range n {
		switch {
		case f.Kind == Rows:
			out = append(out, exampleOf(f.Fields))
		case f.Kind == Choices && i < len(f.Options):
			out = append(out, f.Options[i].Value)
		case f.Item != nil && f.Item.Example != nil:
			out = append(out, f.Item.Example)
		case f.Item != nil:
			out = append(out, f.Item.least())
		}
	}
	return out
}

// least is the least value that fits, where anything does that is known here.
func (f *Field) least() any {
	switch f.Kind {
	case Number, Integer:
		if f.Min != nil {
			return *f.Min
		}
		return 0.0
	case Boolean:
		return true
	case Date:
		return "2026-01-31"
	case Choice:
		return f.Options[0].Value
	}
	switch f.Format {
	case "phone":
		return "13800000000"
	case "email":
		return "someone@example.com"
	case "resident-id":
		return "11010519491231002X"
	case "uscc":
		return "91350100M000100Y43"
	}
	return strings.Repeat("例", max(1, f.MinLength))
}
