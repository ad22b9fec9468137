package form

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onehall/onehall/services/platform/codes"
)

// Draft is the one draft that a schema may name.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// Schema is a form that was read. It is safe for concurrent use.
type Schema struct {
	// Title and Description head the form.
	Title, Description string
	// Fields are in the order they were written in.
	Fields []*Field

	compiled *jsonschema.Schema
}

// Compile reads a schema. It is nil when there are problems.
func Compile(text string) (*Schema, []Problem) {
	if utf8.RuneCountInString(text) > MaxText {
		return nil, []Problem{{"", "表单结构过长", "the schema is too long"}}
	}
	root, err := readTree(text)
	switch {
	case errors.Is(err, errNesting):
		return nil, []Problem{{"", "表单结构层级过深", "the schema is nested too deeply"}}
	case err != nil:
		return nil, []Problem{{"", "不是有效的 JSON", "it is not valid JSON"}}
	}
	r := &reader{defs: root.get("$defs")}
	s := &Schema{Title: root.get("title").text(), Description: root.get("description").text()}
	s.Fields = r.root(root)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	if s.compiled, err = compile(text); err != nil {
		return nil, []Problem{{"", "不是有效的 JSON Schema（2020-12）", "it is not a valid JSON Schema (2020-12)"}}
	}
	return s, nil
}

// compile lets the library read what has passed; it can load nothing.
func compile(text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(jsonschema.SchemeURLLoader{})
	c.UseRegexpEngine(compilePattern)
	c.AssertFormat()
	for name, check := range ownFormats {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			if text, ok := v.(string); ok {
				return check(text)
			}
			return nil
		}})
	}
	const place = "urn:onehall:form"
	if err := c.AddResource(place, doc); err != nil {
		return nil, err
	}
	return c.Compile(place)
}

// ownFormats are those of this field; what they accept is what a case's applicant may be.
var ownFormats = map[string]func(string) error{
	"phone":       func(s string) error { _, err := codes.Phone(s); return err },
	"resident-id": func(s string) error { _, err := codes.ResidentID(s); return err },
	"uscc":        func(s string) error { _, err := codes.USCC(s); return err },
}

// pattern is a regular expression that is held against short texts only: what a match
// costs grows with both, and a long text fits no pattern of a form anyway.
type pattern struct{ re *regexp.Regexp }

// String implements jsonschema.Regexp.
func (p pattern) String() string { return p.re.String() }

// MatchString implements jsonschema.Regexp.
func (p pattern) MatchString(s string) bool {
	return utf8.RuneCountInString(s) <= maxMatched && p.re.MatchString(s)
}

var errPattern = errors.New("form: the pattern is too large")

// compilePattern reads a pattern and refuses one with too many steps: a{1000} is one
// short text of a thousand.
func compilePattern(text string) (jsonschema.Regexp, error) {
	if utf8.RuneCountInString(text) > maxPattern {
		return nil, errPattern
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxProgram {
		return nil, errPattern
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	return pattern{re}, nil
}
