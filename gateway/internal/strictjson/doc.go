// Package strictjson reads a request body once, before it is decoded, and refuses what
// a lenient decoder would let through or name badly: a key given twice (also once as
// snake_case and once as camelCase), an unknown field, text after the value, lone
// surrogates, NUL, values of the wrong kind, and bodies nested without end.
//
// Refusals name the field by its path in the request message. A key that somebody made
// up is repeated only if it looks like a field's name.
package strictjson

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/onehall/onehall/services/platform/fault"
)

// MaxDepth is how deep objects and lists may nest. The service's own limits on free
// forms are narrower.
const MaxDepth = 32

// Check reads body as a JSON object of the message md. The paths in its refusals begin
// with prefix, the field of the request that the body fills, or with nothing.
func Check(body []byte, md protoreflect.MessageDescriptor, prefix string) error {
	s := scanner{b: body}
	if prefix != "" {
		s.path = append(s.path, step{name: prefix})
	}
	s.space()
	if s.peek() != '{' {
		return s.bad()
	}
	if err := s.message(shapeOf(md)); err != nil {
		return err
	}
	s.space()
	if s.i < len(s.b) {
		return fault.TrailingData.New()
	}
	return nil
}

// step is one part of a path: a field or a place in a list.
type step struct {
	name  string
	index int
}

// scanner is the place in the body and the path that led there.
type scanner struct {
	b     []byte
	i     int
	depth int
	path  []step
	key   []byte // holds a key that was written with escapes
}

func (s *scanner) field() string {
	var b strings.Builder
	for _, p := range s.path {
		if p.name == "" {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(p.index))
			b.WriteByte(']')
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p.name)
	}
	return b.String()
}

func (s *scanner) refuse(r *fault.Reason) error {
	if path := s.field(); path != "" {
		return r.New(fault.Field(path))
	}
	return r.New()
}

// bad is for a body that is no JSON.
func (s *scanner) bad() error { return s.refuse(fault.BadJSON) }

// wrongKind is for JSON that cannot be the field's value.
func (s *scanner) wrongKind() error {
	return fault.InvalidArgument.New(fault.Violations(fault.Violation{
		Field: s.field(), Reason: "WRONG_TYPE", ZH: "值的类型不正确", EN: "has a value of the wrong type",
	}))
}

func (s *scanner) unknown(key []byte) error {
	s.path = append(s.path, step{name: speakable(key)})
	return s.refuse(fault.UnknownField)
}

// speakable is a key if it could be a field's name, and a star otherwise.
func speakable(key []byte) string {
	if len(key) == 0 || len(key) > 64 {
		return "*"
	}
	for _, c := range key {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			return "*"
		}
	}
	return string(key)
}
