package form

import "strings"

// Kind is how a field is filled in.
type Kind string

// The kinds of field.
const (
	Text    Kind = "text"
	Long    Kind = "long" // a text of several lines
	Number  Kind = "number"
	Integer Kind = "integer"
	Boolean Kind = "boolean"
	Date    Kind = "date"
	Choice  Kind = "choice"  // one of some options
	Choices Kind = "choices" // any of some options
	List    Kind = "list"    // several texts or numbers
	Group   Kind = "group"   // fields that belong together
	Rows    Kind = "rows"    // a group, several times
)

// Option is one option of a choice.
type Option struct{ Value, Label string }

// Field is one field of a form, in the order of the schema.
type Field struct {
	// Key is its name among its neighbours, Path that in the whole form; the rows of a
	// list are written members[].
	Key, Path          string
	Title, Description string
	Kind               Kind
	// Required tells that it must be filled in always, Sometimes that another field's
	// value decides.
	Required, Sometimes bool
	Options             []Option
	// Format is date, email, phone, resident-id or uscc; Pattern a regular expression.
	Format, Pattern string
	// The bounds; nil for none. Of a list Min and Max count its items.
	Min, Max             *float64
	MinLength, MaxLength int
	// Unit is shown behind a number.
	Unit string
	// Prefill is the source that a value may come from before anything is typed.
	Prefill string
	// Example is a value that fits, for documentation.
	Example any
	// Fields are those of a group or of one row; Item is one value of a list.
	Fields []*Field
	Item   *Field
}

// Prefills are the sources that a field may name.
var Prefills = []string{
	"profile.name", "profile.idNumber", "profile.phone", "profile.email", "profile.address", "profile.deliveryAddress", "profile.contactName",
	"uscc.name", "uscc.code", "uscc.legalRepresentative", "former",
}

// formats are those that are checked; all but date and email are our own.
var formats = []string{"date", "email", "phone", "resident-id", "uscc"}

// Walk calls each for every field that holds a value, groups before what is in them.
// What lies in rows is not walked: a row has no value before there is one.
func Walk(fields []*Field, each func(*Field)) {
	for _, f := range fields {
		each(f)
		if f.Kind == Group {
			Walk(f.Fields, each)
		}
	}
}

// Find is the field of a path such as household.members[2].name, nil for none.
func Find(fields []*Field, path string) *Field {
	head, rest, more := strings.Cut(path, ".")
	key, _, row := strings.Cut(head, "[")
	for _, f := range fields {
		switch {
		case f.Key != key:
		case !more && row && f.Kind == List:
			return f.Item
		case !more:
			return f
		default:
			return Find(f.Fields, rest)
		}
	}
	return nil
}

// Get is the value at a path of keys without rows, nil for none.
func Get(values map[string]any, path string) any {
	head, rest, more := strings.Cut(path, ".")
	if !more {
		return values[head]
	}
	inner, _ := values[head].(map[string]any)
	return Get(inner, rest)
}

// Set puts a value at a path of keys without rows, and makes the groups on the way. A
// value that stands in the way is left alone.
func Set(values map[string]any, path string, value any) {
	head, rest, more := strings.Cut(path, ".")
	if !more {
		values[head] = value
		return
	}
	if values[head] == nil {
		values[head] = map[string]any{}
	}
	if inner, ok := values[head].(map[string]any); ok {
		Set(inner, rest, value)
	}
}
