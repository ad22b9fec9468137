package exchange

import (
	"strings"
	"unicode/utf8"
)

// The tables have no columns for some of what a case holds. It stands in the free column
// BYZD, on lines of its own: a word, and behind an equals sign what is told, in parts.

// FreeColumn is the column that every table leaves free.
const FreeColumn = "BYZD"

// The words.
const (
	// FlowMark numbers a step of the item's own flow: 流程=number|step|退回|department.
	FlowMark = "流程"
	// GapMark is a material that was missing at acceptance: 容缺=name|day|days given|when it came.
	GapMark = "容缺"
	// ChargeMark is what the applicant was asked to pay.
	ChargeMark = "收费"
	// RevokedMark tells when a grant was revoked, and by whom.
	RevokedMark = "撤销"
	// JointMark is on a joint case: the numbers of its parts. PartMark is on a part: the
	// number of the joint case.
	JointMark = "并联主件"
	PartMark  = "并联父件"
)

// flowSerials is where the serials of the steps of an own flow begin, behind those of the
// usual three.
const flowSerials = 100

// FlowSerial is the serial of the n-th step of an own flow.
func FlowSerial(n int) int { return flowSerials + n }

// IsFlow reports a step of an item's own flow.
func (k Key) IsFlow() bool { return k.Table == Approval && k.Serial > flowSerials }

// Mark writes one line. What separates the parts does not stand inside them.
func Mark(word string, parts ...string) string {
	clean := make([]string, len(parts))
	for i, p := range parts {
		clean[i] = strings.TrimSpace(strings.NewReplacer("|", "／", "\n", " ", "\r", " ", "\t", " ").Replace(p))
	}
	return word + "=" + strings.Join(clean, "|")
}

// JoinMarks writes lines, as many as the column has room for.
func JoinMarks(lines []string) string {
	var b strings.Builder
	left := freeWidth
	for _, line := range lines {
		if left -= utf8.RuneCountInString(line) + 1; left < 0 {
			break
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimSpace(b.String())
}

// freeWidth is how many characters the free column takes.
const freeWidth = 2000

// Marks are the parts of a row's lines of a word.
func (r *Row) Marks(word string) [][]string {
	var out [][]string
	for line := range strings.Lines(r.Get(FreeColumn)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), word+"="); ok {
			out = append(out, strings.Split(rest, "|"))
		}
	}
	return out
}

// Mark is the part of a row's first line of a word with a number; empty without one.
func (r *Row) Mark(word string, part int) string {
	for _, parts := range r.Marks(word) {
		if part < len(parts) {
			return parts[part]
		}
	}
	return ""
}

// Marked reports a line that is a word alone, or has parts.
func (r *Row) Marked(word string) bool {
	for line := range strings.Lines(r.Get(FreeColumn)) {
		if line = strings.TrimSpace(line); line == word || strings.HasPrefix(line, word+"=") {
			return true
		}
	}
	return false
}
