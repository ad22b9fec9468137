package sample

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/form"
)

// TestForms reads every form, fills it in for everybody and holds it against itself.
func TestForms(t *testing.T) {
	n := 0
	people := Applicants(7, 40)
	for _, s := range Core() {
		if s.Form == "" {
			continue
		}
		n++
		schema, problems := form.Compile(s.Form)
		if schema == nil {
			t.Errorf("%s: %+v", s.ID, problems)
			continue
		}
		if size := utf8.RuneCountInString(s.Form); size > form.MaxText*3/4 || strings.ContainsRune(s.Form, '\t') {
			t.Errorf("%s: %d characters, or a tab", s.ID, size)
		}
		for _, a := range people {
			filled := FilledForm(s.Form, a)
			if found := schema.Check("form", filled, true); len(found) > 0 {
				t.Fatalf("%s of %v: %+v\n%v", s.ID, a, found, filled)
			}
		}
		form.Walk(schema.Fields, func(f *form.Field) {
			if len(f.Options) > 0 && f.Options[0].Label == f.Options[0].Value {
				t.Errorf("%s: %s shows its values to people", s.ID, f.Path)
			}
		})
	}
	if n < 8 {
		t.Errorf("only %d forms", n)
	}
	files, err := formFiles.ReadDir("forms")
	if err != nil || len(files) != n {
		t.Errorf("%d files for %d services, %v", len(files), n, err)
	}
}
