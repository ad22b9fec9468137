package sample

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/onehall/onehall/services/platform/form"
)

//go:embed forms/*.json
var formFiles embed.FS

// formOf is the form of a service, as JSON Schema; empty when it has none.
func formOf(id string) string {
	raw, err := formFiles.ReadFile("forms/" + id + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		panic(fmt.Sprintf("sample: form of %s: %v", id, err)) // embedded: cannot differ from what the tests saw
	}
	return string(raw)
}

// schemas are the forms that were read, by their text.
var schemas sync.Map

// FilledForm is a form filled in as somebody would: what the applicant has, and else the
// schema's own examples. It is nil for an item without a form.
func FilledForm(schema string, a Applicant) map[string]any {
	if schema == "" {
		return nil
	}
	known, ok := schemas.Load(schema)
	if !ok {
		s, problems := form.Compile(schema)
		if s == nil {
			panic(fmt.Sprintf("sample: form: %+v", problems))
		}
		known, _ = schemas.LoadOrStore(schema, s)
	}
	s := known.(*form.Schema)
	values := s.Example()
	form.Walk(s.Fields, func(f *form.Field) {
		v := a.prefill(f.Prefill)
		if v == "" || form.Get(values, f.Path) == nil && !f.Required {
			return
		}
		form.Set(values, f.Path, v)
	})
	return values
}

// prefill is what an applicant has for a source of a form.
func (a Applicant) prefill(source string) string {
	switch source {
	case "profile.name":
		return a.Name
	case "profile.phone":
		return a.Phone
	case "profile.address", "profile.deliveryAddress":
		return a.Address
	}
	switch {
	case source == "profile.idNumber" && !a.Company:
		return a.IDNumber
	case source == "uscc.name" && a.Company:
		return a.Name
	case source == "uscc.code" && a.Company:
		return a.IDNumber
	}
	return ""
}
