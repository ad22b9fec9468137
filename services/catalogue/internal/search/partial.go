package search

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// maxPartial bounds the pairs that a partial match looks at, the rarest first, and
// maxCandidates the items it weighs.
const (
	maxPartial    = 24
	maxCandidates = 8000
)

// part is one pair of what was typed. A pair in the title or an alias counts twice.
type part struct {
	text, head *roaring.Bitmap
	weight     float64
}

// parts are the pairs of the words that any item has, the rarest and therefore
// weightiest first. Pairs that nobody has say nothing.
func (s *selection) parts(words [][]rune, allowed *roaring.Bitmap) (all []part, sum float64) {
	n := float64(s.x.live.GetCardinality())
	for _, w := range words {
		if len(w) < 2 {
			continue
		}
		for _, g := range grams(w) {
			if b := s.x.text[g]; b != nil {
				weight := math.Log(1 + n/float64(1+b.GetCardinality()))
				all = append(all, part{and(b, allowed), and(s.x.head[g], allowed), weight})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b part) int { return cmp.Compare(b.weight, a.weight) })
	all = all[:min(len(all), maxPartial)]
	for _, p := range all {
		sum += p.weight
	}
	return all, sum
}

// enough is what part of the weight of what was typed an item must have.
const enough = 0.4

// partial takes items that have a good part of what was typed, by weight.
func (s *selection) partial(words [][]rune, allowed *roaring.Bitmap) {
	parts, sum := s.parts(words, allowed)
	candidates := roaring.New()
	rest := sum
	for _, p := range parts {
		// What has none of the parts so far cannot come to enough with the rest; and
		// the commonest parts alone make nobody happy.
		if rest < sum*enough || !candidates.IsEmpty() && candidates.GetCardinality()+p.text.GetCardinality() > maxCandidates {
			break
		}
		candidates.Or(p.text)
		rest -= p.weight
	}
	candidates.AndNot(s.taken)
	if candidates.IsEmpty() {
		return
	}
	scores := make([]float64, len(s.x.slots))
	for _, p := range parts {
		for _, b := range []*roaring.Bitmap{and(p.text, candidates), and(p.head, candidates)} {
			if b == nil {
				continue
			}
			for it := b.Iterator(); it.HasNext(); {
				scores[it.Next()] += p.weight / 2
			}
		}
	}
	for it := candidates.Iterator(); it.HasNext(); {
		if slot := it.Next(); scores[slot] >= sum*enough-1e-9 {
			s.add(slot, uint64(rankPartial)<<60|uint64(15-15*scores[slot]/sum)<<56)
		}
	}
}

// fillers are what people say around what they look for.
var fillers = strings.NewReplacer("怎么办理", "", "怎么办", "", "怎么样", "", "怎样办理", "", "怎样", "", "怎么", "", "如何办理", "", "如何", "",
	"我要办理", "", "我要办", "", "我要", "", "我想办理", "", "我想办", "", "我想", "", "想要", "", "需要什么材料", "", "需要什么", "", "要什么材料", "",
	"在哪里办", "", "在哪办", "", "去哪里", "", "哪里", "", "请问", "", "吗", "", "呢", "", "啊", "", "了", "")

// withoutFillers are the words without them; nil when nothing changes or nothing is left.
func withoutFillers(words [][]rune) [][]rune {
	var out [][]rune
	changed := false
	for _, w := range words {
		s := fillers.Replace(string(w))
		changed = changed || s != string(w)
		if s != "" {
			out = append(out, []rune(s))
		}
	}
	if !changed {
		return nil
	}
	return out
}
