package search

import (
	"strings"

	gopinyin "github.com/mozillazg/go-pinyin"
)

// phrases read characters of several readings as they are read in these words; alone,
// the dictionary's first reading would be taken: 重庆 would be zhongqing.
var phrases = func() map[string][]string {
	table := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(phraseList), "\n") {
		word, reading, _ := strings.Cut(line, " ")
		table[word] = strings.Fields(reading)
	}
	return table
}()

// longestPhrase is the length of the longest phrase, in characters.
const longestPhrase = 4

// speller spells words. It is not for concurrent use.
type speller struct {
	args gopinyin.Args
	// known remembers single characters: the dictionary cuts a string each time.
	known map[rune]string
}

func newSpeller() *speller {
	return &speller{args: gopinyin.NewArgs(), known: map[rune]string{}}
}

// spell gives a folded word as whole pinyin and as initials; what is no Han character
// stands for itself in both.
func (s *speller) spell(word []rune) (whole, initials string) {
	var w, i strings.Builder
	for at := 0; at < len(word); {
		syllables, n := s.phrase(word[at:])
		if n == 0 {
			syllables, n = []string{s.one(word[at])}, 1
		}
		for _, syllable := range syllables {
			w.WriteString(syllable)
			i.WriteString(first(syllable))
		}
		at += n
	}
	return w.String(), i.String()
}

func first(syllable string) string {
	for _, r := range syllable {
		return string(r)
	}
	return ""
}

func (s *speller) phrase(rest []rune) (syllables []string, n int) {
	for n = min(longestPhrase, len(rest)); n > 1; n-- {
		if syllables, ok := phrases[string(rest[:n])]; ok {
			return syllables, n
		}
	}
	return nil, 0
}

func (s *speller) one(r rune) string {
	if r < firstHan {
		return string(r)
	}
	syllable, ok := s.known[r]
	if !ok {
		if readings := gopinyin.SinglePinyin(r, s.args); len(readings) > 0 {
			syllable = readings[0]
		}
		s.known[r] = syllable
	}
	return syllable
}
