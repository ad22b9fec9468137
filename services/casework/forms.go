package casework

import (
	"log/slog"

	lru "github.com/hashicorp/golang-lru/v2"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/form"
)

// knownForms is how many schemas are kept ready to be used: the forms in daily use.
const knownForms = 256

// forms are the schemas of item revisions, read when they are first needed.
type forms struct {
	log   *slog.Logger
	known *lru.Cache[formKey, *form.Schema]
}

type formKey struct {
	item     string
	revision int32
}

func newForms(log *slog.Logger) *forms {
	known, _ := lru.New[formKey, *form.Schema](knownForms) // its only error is a size below one
	return &forms{log: log, known: known}
}

// of is the form of an item's revision; nil when it has none.
func (f *forms) of(item *rules.Item) *form.Schema {
	if item.FormSchema == "" {
		return nil
	}
	key := formKey{item.Name, item.Revision}
	if s, ok := f.known.Get(key); ok {
		return s
	}
	s, problems := form.Compile(item.FormSchema)
	if s == nil {
		// The catalogue does not publish such a form. If one comes all the same, it stops
		// nobody from applying.
		f.log.Error("form of an item cannot be read", "item", item.Name, "revision", item.Revision, "problems", len(problems))
	}
	f.known.Add(key, s)
	return s
}

// check refuses a form that is too large or, by the item's schema, filled in wrongly:
// everything that is wrong is told at once. at is the form's place in the request.
func (f *forms) check(item *rules.Item, at string, filled *structpb.Struct, complete bool) error {
	if filled != nil {
		if err := checkForm(at, filled); err != nil {
			return err
		}
	}
	s := f.of(item)
	if s == nil || filled == nil && !complete {
		return nil
	}
	if found := s.Check(at, filled.AsMap(), complete); len(found) > 0 {
		return fault.FormInvalid.New(fault.Violations(found...))
	}
	return nil
}

// applicationForm checks the form of an application.
func (s *Service) applicationForm(in intake, item *rules.Item, filled *structpb.Struct) error {
	at := in.formAt
	if at == "" {
		at = "case.form"
	}
	return s.forms.check(item, at, filled, in.complete)
}
