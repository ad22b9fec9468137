// Package form reads the form of an item: a JSON Schema (draft 2020-12) that a page can
// be drawn from and what people fill in can be held against.
//
// A form may use a part of JSON Schema only, so that everything that can be published
// can also be shown, filled in without a script, and checked in a time that is known:
// every value is looked at by one schema, patterns are short, nothing refers to anything
// outside, and nothing refers to itself.
package form

// The bounds of a schema.
const (
	// MaxText is how many characters a schema may have.
	MaxText = 8000
	// MaxFields is how many fields a form may have, those of groups and rows included.
	MaxFields = 200
	// MaxDepth is how many groups and rows may lie in one another.
	MaxDepth = 5
	// MaxRows is how many rows a list may have.
	MaxRows = 50
	// MaxOptions is how many options a choice may have.
	MaxOptions = 100
	// maxNesting bounds the text itself, before anything is known of it.
	maxNesting = 30
	// maxConditions is how many conditions a form may have.
	maxConditions = 50
	// maxPattern and maxProgram bound a pattern: its characters and its steps.
	maxPattern, maxProgram = 100, 300
	// maxMatched is how long a text may be that a pattern is held against.
	maxMatched = 100
	// maxProblems is how many problems are told at once.
	maxProblems = 100
)

// Problem is one thing that is wrong with a schema.
type Problem struct {
	// At is the place in the schema, as properties.phone.pattern; empty for the whole.
	At string
	// ZH and EN say what is wrong.
	ZH, EN string
}
