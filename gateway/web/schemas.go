package web

import (
	"strconv"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/form"
)

// schemas are the forms in daily use, read once for each revision.
type schemas struct {
	known *lru.Cache[string, *form.Schema]
}

func newSchemas() schemas {
	known, _ := lru.New[string, *form.Schema](256) // its only error is a size below one
	return schemas{known}
}

// of is an item's form; nil when it has none that can be drawn.
func (s schemas) of(item *cataloguev1.Item) *form.Schema {
	if item.GetFormSchema() == "" {
		return nil
	}
	// The content decides and not the number: a test hall may begin again from 1.
	if f, ok := s.known.Get(item.GetFormSchema()); ok {
		return f
	}
	f, _ := form.Compile(item.GetFormSchema())
	s.known.Add(item.GetFormSchema(), f)
	return f
}

func itoa(n int) string { return strconv.Itoa(n) }

// hallOf is the division in a resource name.
func hallOf(name string) string {
	hall, _, _ := strings.Cut(strings.TrimPrefix(name, "halls/"), "/")
	return hall
}

// lastPart is the id at the end of a resource name.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
