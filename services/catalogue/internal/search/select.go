package search

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// selection keeps the best MaxHits of what a query takes, rank by rank.
type selection struct {
	x     *Index
	near  map[*hall]uint64
	taken *roaring.Bitmap
	total int
	best  worstFirst
}

type candidate struct {
	key  uint64
	slot uint32
}

// worstFirst is a heap with the worst candidate on top.
type worstFirst []candidate

func (h worstFirst) Len() int           { return len(h) }
func (h worstFirst) Less(i, j int) bool { return h[i].key > h[j].key }
func (h worstFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *worstFirst) Push(v any)        { *h = append(*h, v.(candidate)) }
func (h *worstFirst) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// take takes a bitmap's items, but those that have a better rank already. Ranks are
// taken best first, so once there are MaxHits the rest is neither wanted nor counted.
func (s *selection) take(rank uint64, found *roaring.Bitmap) {
	if found == nil || s.total >= MaxHits {
		return
	}
	fresh := found
	if !s.taken.IsEmpty() {
		fresh = roaring.AndNot(found, s.taken)
	}
	it := fresh.ManyIterator()
	var buf [256]uint32
	for n := it.NextMany(buf[:]); n > 0; n = it.NextMany(buf[:]) {
		for _, slot := range buf[:n] {
			s.offer(slot, rank<<60)
		}
	}
	s.total += int(fresh.GetCardinality())
	s.taken.Or(fresh)
}

// add takes one item.
func (s *selection) add(slot uint32, rank uint64) {
	s.offer(slot, rank)
	s.total++
	s.taken.Add(slot)
}

// offer puts an item among the best, if it is. The key holds the rank (4 bits), how
// much is missing (4), how far the hall is (4), and the item's own order.
func (s *selection) offer(slot uint32, rank uint64) {
	c := candidate{rank | s.x.orders[slot], slot}
	if s.near != nil {
		c.key |= s.near[s.x.slots[slot].hall] << 52
	}
	if len(s.best) < MaxHits {
		heap.Push(&s.best, c)
	} else if c.key < s.best[0].key {
		s.best[0] = c
		heap.Fix(&s.best, 0)
	}
}

// maxVerified bounds how many items a rank looks at one by one. Of more than that the
// pairs alone decide: nobody pages through them all.
const maxVerified = 10_000

// verified are the items that pass a closer look.
func (s *selection) verified(found *roaring.Bitmap, fits func(*entry) bool) *roaring.Bitmap {
	if found == nil || found.GetCardinality() > maxVerified {
		return found
	}
	out := roaring.New()
	it := found.ManyIterator()
	var buf [256]uint32
	for n := it.NextMany(buf[:]); n > 0; n = it.NextMany(buf[:]) {
		for _, slot := range buf[:n] {
			if fits(s.x.slots[slot]) {
				out.Add(slot)
			}
		}
	}
	return out
}

// page cuts the hits after a place out of the best.
func (s *selection) page(after Place, size int) []Hit {
	name := func(c candidate) string { return s.x.slots[c.slot].doc.Name }
	slices.SortFunc(s.best, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(name(a), name(b)))
	})
	var hits []Hit
	for _, c := range s.best {
		if len(hits) == size {
			break
		}
		if c.key > after.Key || c.key == after.Key && name(c) > after.Name {
			e := s.x.slots[c.slot]
			hits = append(hits, Hit{Doc: e.doc, HallTitle: e.hall.Title, Place: Place{c.key, e.doc.Name}})
		}
	}
	return hits
}
