package strictjson

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/fault"
)

// peek is the byte at the place, and 0 at the end; 0 is no JSON anywhere.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

func (s *scanner) literal(word string) error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return s.bad()
	}
	s.i += len(word)
	return nil
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isNumber(c byte) bool { return c == '-' || isDigit(c) }

// number reads a number by JSON's grammar: no plus, no leading zero, no bare point.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return s.bad()
	}
	if s.peek() == '.' {
		s.i++
		if !s.digits() {
			return s.bad()
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if !s.digits() {
			return s.bad()
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.i
	for isDigit(s.peek()) {
		s.i++
	}
	return s.i > start
}

// text reads a string and keeps nothing of it.
func (s *scanner) text() error {
	_, err := s.read(false)
	return err
}

// readKey reads a string and returns it without escapes, good until the next key.
func (s *scanner) readKey() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.bad()
	}
	return s.read(true)
}

// read reads a string: valid UTF-8 without control characters, NUL or half a pair of
// surrogates. The content is put together only when asked for.
func (s *scanner) read(keep bool) ([]byte, error) {
	s.i++
	start, escaped := s.i, false
	for s.i < len(s.b) {
		c := s.b[s.i]
		switch {
		case c == '"':
			content := s.b[start:s.i]
			if escaped {
				content = s.key
			}
			s.i++
			return content, nil
		case c == '\\':
			if keep && !escaped {
				s.key = append(s.key[:0], s.b[start:s.i]...)
			}
			escaped = true
			r, err := s.escape()
			if err != nil {
				return nil, err
			}
			if keep {
				s.key = utf8.AppendRune(s.key, r)
			}
		case c < 0x20:
			return nil, s.bad()
		case c < utf8.RuneSelf:
			if keep && escaped {
				s.key = append(s.key, c)
			}
			s.i++
		default:
			r, size := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && size == 1 {
				return nil, s.bad()
			}
			if keep && escaped {
				s.key = append(s.key, s.b[s.i:s.i+size]...)
			}
			s.i += size
		}
	}
	return nil, s.bad()
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, error) {
	s.i++
	c := s.peek()
	s.i++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicode()
	}
	return 0, s.bad()
}

func (s *scanner) unicode() (rune, error) {
	r, ok := s.hex()
	if !ok {
		return 0, s.bad()
	}
	if r == 0 {
		// It would pass every decoder, and one of the two databases refuses it.
		return 0, s.refuse(fault.BadText)
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if s.peek() != '\\' {
		return 0, s.bad()
	}
	s.i++
	if s.peek() != 'u' {
		return 0, s.bad()
	}
	s.i++
	low, ok := s.hex()
	if !ok {
		return 0, s.bad()
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, s.bad()
	}
	return r, nil
}

// hex reads four hexadecimal digits.
func (s *scanner) hex() (rune, bool) {
	if len(s.b)-s.i < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s.b[s.i : s.i+4] {
		switch {
		case isDigit(c):
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.i += 4
	return r, true
}
