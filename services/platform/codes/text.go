package codes

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/fault"
)

// MaxName is the longest name in characters; names of bodies run to a hundred.
const MaxName = 200

// maxMarks is how many combining marks may follow one another. Tibetan stacks need
// five or six; a flood of hundreds covers the lines above it.
const maxMarks = 8

// CleanName returns a person's or body's name without the blanks around it, or
// BAD_NAME. Rare Han characters, middle dots, variation selectors and characters for
// private use (which registers still hold) are kept as they are. What cannot be seen
// (controls, bidirectional overrides, zero-width characters, fillers) is refused, as
// it would make two names look alike; so are line breaks, pictures and mark floods.
func CleanName(s string) (string, error) {
	name, ok := clean(s, MaxName, func(r rune) bool {
		return r == ' ' || r == '\u3000' || (unicode.IsGraphic(r) && !unicode.Is(unicode.So, r)) || unicode.Is(unicode.Co, r)
	})
	if !ok || !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.Is(unicode.Co, r)
	}) {
		return "", fault.BadName.New()
	}
	return name, nil
}

// Text returns a free text without the blanks around it, or BAD_TEXT when it is
// empty, longer than max characters, or has characters that cannot be seen. Line
// breaks and tabs inside are kept, and so is everything that could be code somewhere:
// showing it safely is the business of whoever shows it.
func Text(s string, max int) (string, error) {
	text, ok := clean(s, max, func(r rune) bool {
		return r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' || visible(r)
	})
	if !ok {
		return "", fault.BadText.New()
	}
	return text, nil
}

// Line is Text on one line: a title, a label, a short answer.
func Line(s string, max int) (string, error) {
	text, ok := clean(s, max, visible)
	if !ok {
		return "", fault.BadText.New()
	}
	return text, nil
}

func visible(r rune) bool {
	return unicode.IsGraphic(r) || unicode.Is(unicode.Co, r)
}

// clean trims s and reports whether 1 to max allowed characters are left.
func clean(s string, max int, allowed func(rune) bool) (string, bool) {
	s = strings.TrimSpace(s)
	// The length in bytes comes first, so that ten megabytes are not read to be refused.
	if s == "" || len(s) > max*utf8.UTFMax || !utf8.ValidString(s) || utf8.RuneCountInString(s) > max {
		return "", false
	}
	marks := 0
	for _, r := range s {
		if hidden(r) || !allowed(r) {
			return "", false
		}
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			return "", false
		}
	}
	return s, true
}

// hidden reports characters that pass for letters, marks or blanks and show nothing, and the
// sign that a text was damaged before it got here. Format characters (bidirectional
// controls, zero-width joiners, tags) are not graphic and need no list.
func hidden(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0', unicode.ReplacementChar:
		return true
	}
	return false
}
