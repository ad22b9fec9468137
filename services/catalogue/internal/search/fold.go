package search

import (
	"sync"
	"unicode"

	"github.com/longbridgeapp/opencc"
	"golang.org/x/text/unicode/norm"
)

// The Han characters that have simplified forms worth knowing.
const (
	firstHan = 0x4e00
	lastHan  = 0x9fff
)

// simplified maps each Han character to its simplified form. It takes some ten
// milliseconds to make, which a process that never searches does not spend.
var simplified = sync.OnceValue(func() *[lastHan - firstHan + 1]rune {
	table := &[lastHan - firstHan + 1]rune{}
	converter, err := opencc.New("t2s")
	for i := range table {
		r := rune(firstHan + i)
		table[i] = r
		if err != nil {
			continue // the dictionary is embedded: this cannot be
		}
		// Character by character: with phrases, a query would fold otherwise than the
		// text around it.
		if s, err := converter.Convert(string(r)); err == nil {
			if one := []rune(s); len(one) == 1 {
				table[i] = one[0]
			}
		}
	}
	return table
})

// fold gives the words of a text in the one spelling that is compared: half width,
// lower case, simplified; whatever is neither letter nor digit parts words.
func fold(text string) [][]rune {
	table := simplified()
	var words [][]rune
	var word []rune
	for _, r := range norm.NFKC.String(text) {
		switch {
		case r >= firstHan && r <= lastHan:
			word = append(word, table[r-firstHan])
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			word = append(word, unicode.ToLower(r))
		case len(word) > 0:
			words, word = append(words, word), nil
		}
	}
	if len(word) > 0 {
		words = append(words, word)
	}
	return words
}

// joined is a folded text without what parts its words: 居住证（首次） is found by
// 居住证首次 too.
func joined(words [][]rune) []rune {
	if len(words) == 1 {
		return words[0]
	}
	var all []rune
	for _, w := range words {
		all = append(all, w...)
	}
	return all
}

// gram is one character or two neighbouring ones.
type gram uint64

func pair(a, b rune) gram { return gram(a)<<32 | gram(b) }

// grams are the pairs of a word, or its only character.
func grams(word []rune) []gram {
	if len(word) == 1 {
		return []gram{gram(word[0])}
	}
	all := make([]gram, 0, len(word))
	for i := 1; i < len(word); i++ {
		all = append(all, pair(word[i-1], word[i]))
	}
	return all
}
