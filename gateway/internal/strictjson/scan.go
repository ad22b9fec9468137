package strictjson

import (
	"github.com/onehall/onehall/services/platform/fault"
)

// enter and leave keep count of the nesting.
func (s *scanner) enter() error {
	s.depth++
	if s.depth > MaxDepth {
		return s.bad()
	}
	s.i++
	s.space()
	return nil
}

func (s *scanner) leave() {
	s.depth--
	s.i++
}

// object reads an object, calling member with the place behind each colon.
func (s *scanner) object(member func(key []byte) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.leave()
		return nil
	}
	for {
		key, err := s.readKey()
		if err != nil {
			return err
		}
		if s.space(); s.peek() != ':' {
			return s.bad()
		}
		s.i++
		s.space()
		if err := member(key); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.i++
			s.space()
		case '}':
			s.leave()
			return nil
		default:
			return s.bad()
		}
	}
}

// array reads a list, calling element at each.
func (s *scanner) array(element func() error) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.peek() == ']' {
		s.leave()
		return nil
	}
	s.path = append(s.path, step{})
	at := len(s.path) - 1
	for ; ; s.path[at].index++ {
		if err := element(); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.i++
			s.space()
		case ']':
			s.path = s.path[:at]
			s.leave()
			return nil
		default:
			return s.bad()
		}
	}
}

// message reads an object whose fields are known.
func (s *scanner) message(sh *shape) error {
	var seen bits
	return s.object(func(key []byte) error {
		f := sh.fields[string(key)]
		if f == nil {
			return s.unknown(key)
		}
		s.path = append(s.path, step{name: f.name})
		if seen.set(f.number) {
			return s.refuse(fault.DuplicateKey)
		}
		if err := s.fieldValue(f); err != nil {
			return err
		}
		s.path = s.path[:len(s.path)-1]
		return nil
	})
}

func (s *scanner) fieldValue(f *field) error {
	c := s.peek()
	switch {
	case c == 'n':
		return s.literal("null") // a field that is null is a field left out
	case f.list:
		if c != '[' {
			return s.otherKind()
		}
		return s.array(func() error { return s.value(f) })
	case f.mapping:
		if c != '{' {
			return s.otherKind()
		}
		return s.free(func() error { return s.value(f) })
	}
	return s.value(f)
}

// value reads one value of a field, or an element of it, and refuses what the decoder
// would refuse without naming the field.
func (s *scanner) value(f *field) error {
	start := s.i
	if err := s.ofKind(f); err != nil || f.accepts == nil {
		return err
	}
	if !f.accepts(s.b[start:s.i]) {
		return s.wrongKind()
	}
	return nil
}

// ofKind reads one value of the field's kind.
func (s *scanner) ofKind(f *field) error {
	c := s.peek()
	switch f.kind {
	case kindAny:
		return s.any()
	case kindText:
		if c == '"' {
			return s.text()
		}
	case kindBool:
		if c == 't' || c == 'f' {
			return s.any()
		}
	case kindInteger, kindEnum:
		if c == '"' || isNumber(c) {
			return s.any()
		}
	case kindFloat:
		if isNumber(c) {
			return s.number()
		}
		if c == '"' {
			return s.finite()
		}
	case kindMessage:
		if c == '{' {
			return s.message(f.shape())
		}
	case kindFree:
		if c == '{' {
			return s.any()
		}
	case kindFreeList:
		if c == '[' {
			return s.any()
		}
	}
	return s.otherKind()
}

// otherKind reads the value that is of no use, to tell a wrong kind from no JSON.
func (s *scanner) otherKind() error {
	wrong := s.wrongKind()
	if err := s.any(); err != nil {
		return err
	}
	return wrong
}

// finite refuses the words protojson takes for numbers that are none.
func (s *scanner) finite() error {
	word, err := s.read(true)
	if err != nil {
		return err
	}
	switch string(word) {
	case "NaN", "Infinity", "-Infinity":
		return s.wrongKind()
	}
	return nil
}

// free reads an object of any keys, none of them twice.
func (s *scanner) free(element func() error) error {
	var seen map[string]struct{}
	return s.object(func(key []byte) error {
		s.path = append(s.path, step{name: speakable(key)})
		if _, twice := seen[string(key)]; twice {
			return s.refuse(fault.DuplicateKey)
		}
		if seen == nil {
			seen = make(map[string]struct{}, 8)
		}
		seen[string(key)] = struct{}{}
		if err := element(); err != nil {
			return err
		}
		s.path = s.path[:len(s.path)-1]
		return nil
	})
}

// any reads any value.
func (s *scanner) any() error {
	switch c := s.peek(); {
	case c == '{':
		return s.free(s.any)
	case c == '[':
		return s.array(s.any)
	case c == '"':
		return s.text()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case isNumber(c):
		return s.number()
	}
	return s.bad()
}

// bits are the fields seen in one message.
type bits [4]uint64

// set notes a field and says whether it was there before.
func (b *bits) set(n int) bool {
	n %= 256 // no message of ours is near that; a test counts
	before := b[n/64]&(1<<(n%64)) != 0
	b[n/64] |= 1 << (n % 64)
	return before
}
