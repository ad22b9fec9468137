package search

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// Query is what is asked for; empty parts mean any.
type Query struct {
	// Text is what a person typed.
	Text string
	// Hall is a hall: items of it and of the halls below it.
	Hall       string
	Level      int32
	Object     int32
	Theme      string
	Department string
	FullOnline bool
}

// MaxHits is how many hits are counted and can be paged through.
const MaxHits = 1000

// few is below how many exact hits partial ones are added.
const few = 3

// Hit is one found item.
type Hit struct {
	Doc
	HallTitle string
	// Place is where the hit stands in the order of the query's hits.
	Place Place
}

// Place is a position in the order of hits; the zero Place is before the first.
type Place struct {
	Key  uint64
	Name string
}

// Find gives up to size hits after a place, best first, and how many there are in all,
// counted up to MaxHits.
func (x *Index) Find(q Query, after Place, size int) (hits []Hit, total int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := &selection{x: x, near: x.nearness(q.Hall), taken: roaring.New()}
	allowed := x.allowed(q)
	if allowed == nil || allowed.IsEmpty() {
		return nil, 0
	}
	words := fold(q.Text)
	switch {
	case strings.TrimSpace(q.Text) == "":
		s.take(0, allowed)
	case len(words) > 0:
		s.strict(words, allowed)
		if s.total == 0 {
			if plain := withoutFillers(words); plain != nil {
				words = plain
				s.strict(words, allowed)
			}
		}
		if s.total < few {
			s.partial(words, allowed)
		}
	}
	return s.page(after, size), min(s.total, MaxHits)
}

// allowed are the items that pass the filters; nil for none.
func (x *Index) allowed(q Query) *roaring.Bitmap {
	parts := []*roaring.Bitmap{x.live}
	add := func(b *roaring.Bitmap) { parts = append(parts, b) }
	if q.Hall != "" {
		if h := x.halls[q.Hall]; h != nil {
			add(h.docs)
		} else {
			return nil
		}
	}
	if q.Level != 0 {
		add(x.facets[facet{byLevel, q.Level, ""}])
	}
	if q.Object != 0 {
		add(x.facets[facet{byObject, q.Object, ""}])
	}
	if q.Theme != "" {
		add(x.theme(q.Theme, q.Object))
	}
	if q.Department != "" {
		add(x.facets[facet{byDepartment, 0, q.Department}])
	}
	if q.FullOnline {
		add(x.facets[facet{byFullOnline, 0, ""}])
	}
	return all(parts)
}

// theme is the items of a theme: of the list for persons, of that for legal persons, or
// of either where the service object does not tell.
func (x *Index) theme(code string, object int32) *roaring.Bitmap {
	persons, legals := x.facets[facet{byPersonTheme, 0, code}], x.facets[facet{byLegalTheme, 0, code}]
	switch {
	case object == 1 || object == 0 && legals == nil:
		return persons
	case object > 1 || persons == nil:
		return legals
	}
	return roaring.Or(persons, legals)
}

// all is what all bitmaps have; nil when one of them is missing.
func all(parts []*roaring.Bitmap) *roaring.Bitmap {
	if len(parts) == 0 || slices.Contains(parts, nil) {
		return nil
	}
	// The small ones first make the rest cheap.
	slices.SortFunc(parts, func(a, b *roaring.Bitmap) int {
		return int(int64(a.GetCardinality()) - int64(b.GetCardinality()))
	})
	if len(parts) == 1 {
		return parts[0]
	}
	out := roaring.And(parts[0], parts[1])
	for _, p := range parts[2:] {
		out.And(p)
	}
	return out
}

// nearness is how far below the asked hall each hall lies.
func (x *Index) nearness(asked string) map[*hall]uint64 {
	if asked == "" {
		return nil
	}
	near := make(map[*hall]uint64, len(x.halls))
	for _, h := range x.halls {
		depth := uint64(0)
		for at := h; at != nil && at.Name != asked && depth < maxDepth; at = x.halls[at.Parent] {
			depth++
		}
		near[h] = depth
	}
	return near
}

// The ranks, best first.
const (
	rankExact = iota
	rankExactPinyin
	rankPrefix
	rankPrefixPinyin
	rankContains
	rankAllGrams
	rankPartial
)

// strict takes the items that have all that was typed.
func (s *selection) strict(words [][]rune, allowed *roaring.Bitmap) {
	whole := joined(words)
	folded := string(whole)
	s.take(rankExact, s.exact(folded, allowed))
	spelled := isLetters(folded)
	if spelled {
		s.takeSpelled(folded, allowed)
	}
	s.take(rankPrefix, s.verified(and(s.x.starts[first2(whole)], s.x.grams(s.x.head, whole), allowed), func(e *entry) bool {
		return slices.ContainsFunc(e.heads, func(h string) bool { return strings.HasPrefix(h, folded) })
	}))
	var heads, texts []*roaring.Bitmap
	for _, w := range words {
		in, anywhere := s.word(w, allowed)
		heads, texts = append(heads, in), append(texts, anywhere)
	}
	s.take(rankContains, all(heads))
	s.take(rankAllGrams, all(texts))
}

// word is where a word stands in titles and aliases, and where in anything.
func (s *selection) word(word []rune, allowed *roaring.Bitmap) (head, anywhere *roaring.Bitmap) {
	text := string(word)
	head = and(s.x.grams(s.x.head, word), allowed)
	if len(word) > 2 {
		head = s.verified(head, func(e *entry) bool {
			return slices.ContainsFunc(e.heads, func(h string) bool { return strings.Contains(h, text) })
		})
	}
	anywhere = and(s.x.grams(s.x.text, word), allowed)
	if isLetters(text) {
		spelled := s.spelled(text, allowed, strings.Contains)
		head, anywhere = or(head, spelled), or(anywhere, spelled)
	}
	return head, anywhere
}

func first2(word []rune) gram {
	if len(word) == 1 {
		return gram(word[0])
	}
	return pair(word[0], word[1])
}

// grams are the items that have all grams of a word; nil for none.
func (x *Index) grams(in postings[gram], word []rune) *roaring.Bitmap {
	var parts []*roaring.Bitmap
	for _, g := range grams(word) {
		b := in[g]
		if b == nil {
			return nil
		}
		parts = append(parts, b)
	}
	return all(parts)
}

func (s *selection) exact(folded string, allowed *roaring.Bitmap) *roaring.Bitmap {
	found := roaring.New()
	for _, slot := range s.x.exact[folded] {
		if allowed.Contains(slot) {
			found.Add(slot)
		}
	}
	return found
}

// takeSpelled takes the items whose title or alias is spelled so, or begins so. Of a
// few letters that everything is spelled with, nobody means the beginning.
func (s *selection) takeSpelled(typed string, allowed *roaring.Bitmap) {
	found := s.spelled(typed, allowed, strings.HasPrefix)
	if found == nil || found.GetCardinality() > maxVerified {
		return
	}
	s.take(rankExactPinyin, s.verified(found, func(e *entry) bool {
		return slices.Contains(e.initials, typed) || slices.Contains(e.wholes, typed)
	}))
	s.take(rankPrefixPinyin, found)
}

// spelled are the items with a title or alias whose pinyin or initials fit what was typed.
func (s *selection) spelled(typed string, allowed *roaring.Bitmap, fits func(spelling, typed string) bool) *roaring.Bitmap {
	if len(typed) < 2 {
		return nil
	}
	initials := s.x.letters[run(typed[:2])]
	if len(typed) >= initialsRun {
		initials = s.x.run(typed, initialsRun)
	}
	found := s.verified(and(initials, allowed), func(e *entry) bool {
		return slices.ContainsFunc(e.initials, func(i string) bool { return fits(i, typed) })
	})
	if len(typed) < wholeRun {
		return found
	}
	return or(found, s.verified(and(s.x.run(typed, wholeRun), allowed), func(e *entry) bool {
		return slices.ContainsFunc(e.wholes, func(w string) bool { return fits(w, typed) })
	}))
}

// run are the items that have all runs of n letters of what was typed.
func (x *Index) run(typed string, n int) *roaring.Bitmap {
	var parts []*roaring.Bitmap
	for _, l := range runs(typed, n) {
		parts = append(parts, x.letters[l])
	}
	return all(parts)
}

func isLetters(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) < 0
}

func and(parts ...*roaring.Bitmap) *roaring.Bitmap { return all(parts) }

func or(a, b *roaring.Bitmap) *roaring.Bitmap {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return roaring.Or(a, b)
}
