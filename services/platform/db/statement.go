package db

import (
	"strings"
	"sync"
)

// kind is what a statement can do.
type kind int

const (
	// reading changes nothing.
	reading kind = iota
	// changing changes rows and counts them truly.
	changing
	// other is everything else; it counts as having written whatever it reports.
	other
)

// statements remembers the kind of each query text. Queries are constants of the
// program, so the map stays as small as the program's SQL.
var statements sync.Map // string -> kind

func kindOf(query string) kind {
	if known, ok := statements.Load(query); ok {
		return known.(kind)
	}
	k := classify(query)
	statements.Store(query, k)
	return k
}

// classify looks at the first word; what it does not know is a write, because taking
// a write for a read would let a failed caller's change be committed.
func classify(query string) kind {
	rest := skipComments(query)
	switch word(rest) {
	case "SELECT", "VALUES", "EXPLAIN":
		return reading
	case "INSERT", "UPDATE", "DELETE":
		return changing
	case "WITH":
		if !hasWriteWord(rest) {
			return reading
		}
	}
	return other
}

// skipComments drops leading blanks and comments; sqlc puts the query's name in one.
func skipComments(s string) string {
	for {
		s = strings.TrimLeft(s, " \t\r\n;(")
		switch {
		case strings.HasPrefix(s, "--"):
			_, after, ok := strings.Cut(s, "\n")
			if !ok {
				return ""
			}
			s = after
		case strings.HasPrefix(s, "/*"):
			_, after, ok := strings.Cut(s, "*/")
			if !ok {
				return ""
			}
			s = after
		default:
			return s
		}
	}
}

func word(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return !isWordRune(r) })
	if end < 0 {
		end = len(s)
	}
	return strings.ToUpper(s[:end])
}

// hasWriteWord errs to the safe side: a column called "update" makes a read a write.
func hasWriteWord(s string) bool {
	for _, w := range strings.FieldsFunc(strings.ToUpper(s), func(r rune) bool { return !isWordRune(r) }) {
		switch w {
		case "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE":
			return true
		}
	}
	return false
}

func isWordRune(r rune) bool {
	return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
