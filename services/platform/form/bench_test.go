package form

import (
	"encoding/json"
	"os"
	"testing"
)

// BenchmarkCheck holds a form of ordinary size, the sample's newborn, against its schema.
func BenchmarkCheck(b *testing.B) {
	raw, err := os.ReadFile("../../../deploy/sample/forms/birth-registration.json")
	if err != nil {
		b.Fatal(err)
	}
	s, problems := Compile(string(raw))
	if s == nil {
		b.Fatalf("%+v", problems)
	}
	values := s.Example()
	for b.Loop() {
		if found := s.Check("form", values, true); found != nil {
			b.Fatalf("%+v", found)
		}
	}
}

// BenchmarkCompile reads the same schema, as is done once for each revision.
func BenchmarkCompile(b *testing.B) {
	raw, err := os.ReadFile("../../../deploy/sample/forms/birth-registration.json")
	if err != nil || !json.Valid(raw) {
		b.Fatal(err)
	}
	for b.Loop() {
		if s, problems := Compile(string(raw)); s == nil {
			b.Fatalf("%+v", problems)
		}
	}
}
