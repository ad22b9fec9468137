package casework

import (
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// reason is a text whose least length the rules know: blanks alone count as none.
func reason(field, s string, max int) (string, error) {
	if strings.TrimSpace(s) == "" {
		return "", nil
	}
	return given(field, s, max)
}

// optional is a text that may be left out, but not be blank.
func optional(field, s string, max int) (string, error) {
	if s == "" {
		return "", nil
	}
	return given(field, s, max)
}

func given(field, s string, max int) (string, error) {
	text, err := codes.Text(s, max)
	if err != nil {
		return "", fault.At(field, err)
	}
	return text, nil
}

// line is an optional text on one line.
func line(field, s string, max int) (string, error) {
	if s == "" {
		return "", nil
	}
	text, err := codes.Line(s, max)
	if err != nil {
		return "", fault.At(field, err)
	}
	return text, nil
}

// The limits of a form.
const (
	maxFormLevels = 8
	maxFormValues = 200
	maxFormText   = 10_000
)

// checkForm refuses forms that are too deep, too large, or hold what cannot be seen.
func checkForm(at string, form *structpb.Struct) error {
	values := 0
	if !formFits(structpb.NewStructValue(form), 0, &values) {
		return fault.FormTooLarge.New(fault.Field(at))
	}
	if !formSayable(structpb.NewStructValue(form)) {
		return fault.InvalidArgument.New(fault.Field(at))
	}
	return nil
}

// formSayable reports whether JSON can say the form: no number that is none, no value
// without a kind. gRPC can send both, and the form could never be shown again.
func formSayable(v *structpb.Value) bool {
	switch k := v.GetKind().(type) {
	case nil:
		return false
	case *structpb.Value_NumberValue:
		return !math.IsNaN(k.NumberValue) && !math.IsInf(k.NumberValue, 0)
	case *structpb.Value_StructValue:
		for _, field := range k.StructValue.GetFields() {
			if !formSayable(field) {
				return false
			}
		}
	case *structpb.Value_ListValue:
		return !slices.ContainsFunc(k.ListValue.GetValues(), func(e *structpb.Value) bool { return !formSayable(e) })
	}
	return true
}

// formFits counts values and levels; the form itself is level 0.
func formFits(v *structpb.Value, level int, values *int) bool {
	if level > maxFormLevels {
		return false
	}
	switch k := v.GetKind().(type) {
	case *structpb.Value_StructValue:
		for name, field := range k.StructValue.GetFields() {
			if len(name) > maxFormText || !formFits(field, level+1, values) {
				return false
			}
		}
	case *structpb.Value_ListValue:
		for _, field := range k.ListValue.GetValues() {
			if !formFits(field, level+1, values) {
				return false
			}
		}
	case *structpb.Value_StringValue:
		if len(k.StringValue) > maxFormText {
			return false
		}
	}
	*values++
	return *values <= maxFormValues+1 // the form itself is none
}
