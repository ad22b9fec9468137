package document

import (
	"strings"
	"unicode"

	"github.com/go-pdf/fpdf"

	"github.com/onehall/onehall/services/casework/internal/typeface"
)

// geta stands for a character that no face has, as Chinese printers have always done.
const geta = '〓'

// Characters that may not begin a line, and those that may not end one (避头尾).
const (
	notFirst = "，。、；：！？）》」』】〉”’％.,;:!?)]}%"
	notLast  = "（《「『【〈“‘([{"
)

// setter measures and draws lines of mixed Chinese and Latin text.
type setter struct {
	pdf  *fpdf.Fpdf
	size float64
	// missing are the characters that no face has, in the order met.
	missing []rune
}

// run is neighbouring characters of one face.
type run struct {
	face *typeface.Face
	text string
}

// runs cuts a text where the face changes. What no face has becomes a geta mark and is
// remembered, so that the document can say which character stands there.
func (s *setter) runs(text string) []run {
	var all []run
	for _, r := range text {
		f := typeface.Of(r)
		if f == nil {
			if !strings.ContainsRune(string(s.missing), r) {
				s.missing = append(s.missing, r)
			}
			f, r = typeface.Han, geta
		}
		if n := len(all); n > 0 && all[n-1].face == f {
			all[n-1].text += string(r)
			continue
		}
		all = append(all, run{f, string(r)})
	}
	return all
}

func (s *setter) width(text string) float64 {
	w := 0.0
	for _, r := range s.runs(text) {
		s.pdf.SetFont(r.face.Name, "", s.size)
		w += s.pdf.GetStringWidth(r.text)
	}
	return w
}

func (s *setter) draw(x, y float64, text string) {
	for _, r := range s.runs(text) {
		s.pdf.SetFont(r.face.Name, "", s.size)
		s.pdf.Text(x, y, r.text)
		x += s.pdf.GetStringWidth(r.text)
	}
}

// pieces are what may stand on a line of its own: a Chinese character, or a word.
func pieces(text string) []string {
	var all []string
	inWord := false
	for _, r := range text {
		word := r < 0x2000 && !unicode.IsSpace(r)
		if n := len(all); n > 0 && ((word && inWord) || strings.ContainsRune(notFirst, r) || endsOpen(all[n-1])) {
			all[n-1] += string(r)
		} else {
			all = append(all, string(r))
		}
		inWord = word
	}
	return all
}

func endsOpen(piece string) bool {
	r := []rune(piece)
	return strings.ContainsRune(notLast, r[len(r)-1])
}

// wrap breaks a paragraph into lines; the first is shorter by indent.
func (s *setter) wrap(text string, width, indent float64) []string {
	var lines []string
	line, room := "", width-indent
	push := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, room = "", width
	}
	for _, p := range pieces(text) {
		if line == "" {
			p = strings.TrimLeft(p, " ")
		}
		for w := s.width(p); w > room && p != ""; w = s.width(p) {
			if line != "" {
				push()
				continue
			}
			// A piece longer than a whole line is cut where the line ends.
			fit := s.fitting(p, room)
			line, p = p[:fit], p[fit:]
			push()
		}
		line, room = line+p, room-s.width(p)
	}
	if line != "" {
		push()
	}
	return lines
}

// fitting is how many bytes of a piece a line takes; at least one character.
func (s *setter) fitting(piece string, room float64) int {
	fit := 0
	for i, r := range piece {
		end := i + len(string(r))
		if fit > 0 && s.width(piece[:end]) > room {
			break
		}
		fit = end
	}
	return fit
}
