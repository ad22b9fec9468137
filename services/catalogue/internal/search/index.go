package search

import (
	"hash/fnv"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// Doc is an item in force.
type Doc struct {
	// Name is the item's resource name, Hall and Department those of its hall and body.
	Name, Hall, Department          string
	Title, DepartmentTitle, Summary string
	Aliases                         []string
	Conditions                      string
	Level, Promised, Visits         int32
	Objects                         []int32
	PersonThemes, LegalThemes       []string
	FullOnline                      bool
}

// Hall is a hall of the tree.
type Hall struct {
	Name, Title, Parent string
}

// entry is what the index keeps of an item.
type entry struct {
	doc Doc
	// heads are the title and the aliases, folded; wholes and initials spell them.
	heads, wholes, initials []string
	hall                    *hall
}

type hall struct {
	Hall
	// docs are the items of the hall and of all below it.
	docs *roaring.Bitmap
}

// postings are bitmaps of items by something they have.
type postings[K comparable] map[K]*roaring.Bitmap

func (p postings[K]) add(k K, slot uint32) {
	b := p[k]
	if b == nil {
		b = roaring.New()
		p[k] = b
	}
	b.Add(slot)
}

// Index finds items. It is for concurrent use.
type Index struct {
	mu      sync.RWMutex
	speller *speller
	slots   []*entry
	// orders is, by slot, the part of an item's sort key that no query changes; it lies
	// apart because nearly all that a common word finds is looked at for this alone.
	orders []uint64
	byName map[string]uint32
	// live are the slots in use. A slot that was left is not used again, so that the
	// bitmaps need not be searched for it.
	live  *roaring.Bitmap
	halls map[string]*hall

	// head has the grams of titles and aliases, text those of everything, starts the
	// first gram of each title and alias, exact the whole ones.
	head, text, starts postings[gram]
	exact              map[string][]uint32
	// letters has runs of letters of initials and of whole pinyin.
	letters postings[letters]
	// facets are what one can filter by.
	facets postings[facet]
}

type facetKind byte

const (
	byLevel facetKind = iota
	byObject
	byPersonTheme
	byLegalTheme
	byDepartment
	byFullOnline
)

type facet struct {
	kind   facetKind
	number int32
	word   string
}

// New makes an empty index.
func New() *Index {
	return &Index{
		speller: newSpeller(), byName: map[string]uint32{}, live: roaring.New(), halls: map[string]*hall{},
		head: postings[gram]{}, text: postings[gram]{}, starts: postings[gram]{}, exact: map[string][]uint32{},
		letters: postings[letters]{}, facets: postings[facet]{},
	}
}

// SetHalls adds halls or gives them other titles. Parents come before or with their
// children; a hall's place in the tree never changes.
func (x *Index) SetHalls(halls ...Hall) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, h := range halls {
		x.hall(h.Name).Hall = h
	}
}

// hall finds a hall or makes one that is known by name only.
func (x *Index) hall(name string) *hall {
	h := x.halls[name]
	if h == nil {
		h = &hall{Hall: Hall{Name: name}, docs: roaring.New()}
		x.halls[name] = h
	}
	return h
}

// Apply replaces or adds items and takes others out, all at once for readers.
func (x *Index) Apply(put []Doc, remove []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range remove {
		x.drop(name)
	}
	for _, d := range put {
		x.drop(d.Name)
		x.add(d)
	}
}

// Len is how many items can be found, Dead how many slots are left over from items
// that changed or went. An index with many of those is better built anew.
func (x *Index) Len() (live, dead int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byName), len(x.slots) - len(x.byName)
}

func (x *Index) drop(name string) {
	slot, ok := x.byName[name]
	if !ok {
		return
	}
	delete(x.byName, name)
	x.live.Remove(slot)
	x.slots[slot] = nil
}

func (x *Index) add(d Doc) {
	slot := uint32(len(x.slots))
	e := &entry{hall: x.hall(d.Hall)}
	x.byName[d.Name] = slot
	x.live.Add(slot)
	x.slots, x.orders = append(x.slots, e), append(x.orders, 0)
	for h, depth := e.hall, 0; h != nil && depth < maxDepth; h, depth = x.halls[h.Parent], depth+1 {
		h.docs.Add(slot)
	}
	title := x.addHead(e, slot, d.Title)
	for _, alias := range d.Aliases {
		x.addHead(e, slot, alias)
	}
	x.addText(slot, joined(fold(d.DepartmentTitle)), true)
	x.addText(slot, joined(fold(d.Summary)), true)
	conditions := joined(fold(d.Conditions))
	x.addText(slot, conditions[:min(len(conditions), maxConditions)], false)
	x.addFacets(slot, d)
	x.orders[slot] = order(title, d)
	d.Aliases, d.Conditions, d.Objects, d.PersonThemes, d.LegalThemes = nil, "", nil, nil, nil
	e.doc = d
}

// maxDepth bounds the way up the tree of halls, maxConditions what of the conditions is
// indexed: they hold many words that the item is not about.
const (
	maxDepth      = 8
	maxConditions = 120
)

// addHead indexes a title or an alias and returns its length.
func (x *Index) addHead(e *entry, slot uint32, text string) int {
	word := joined(fold(text))
	if len(word) == 0 {
		return 0
	}
	folded := string(word)
	whole, initials := x.speller.spell(word)
	e.heads, e.wholes, e.initials = append(e.heads, folded), append(e.wholes, whole), append(e.initials, initials)
	x.exact[folded] = append(x.exact[folded], slot)
	x.starts.add(gram(word[0]), slot)
	if len(word) > 1 {
		x.starts.add(pair(word[0], word[1]), slot)
	}
	for i, r := range word {
		x.head.add(gram(r), slot)
		if i > 0 {
			x.head.add(pair(word[i-1], r), slot)
		}
	}
	x.addText(slot, word, true)
	for _, l := range runs(whole, wholeRun) {
		x.letters.add(l, slot)
	}
	for _, l := range runs(initials, initialsRun) {
		x.letters.add(l, slot)
	}
	if len(initials) >= 2 {
		for i := 1; i < len(initials); i++ {
			x.letters.add(run(initials[i-1:i+1]), slot)
		}
	}
	return len(word)
}

func (x *Index) addText(slot uint32, word []rune, single bool) {
	for i, r := range word {
		if single {
			x.text.add(gram(r), slot)
		}
		if i > 0 {
			x.text.add(pair(word[i-1], r), slot)
		}
	}
}

func (x *Index) addFacets(slot uint32, d Doc) {
	x.facets.add(facet{byLevel, d.Level, ""}, slot)
	x.facets.add(facet{byDepartment, 0, d.Department}, slot)
	for _, o := range d.Objects {
		x.facets.add(facet{byObject, o, ""}, slot)
	}
	for _, t := range d.PersonThemes {
		x.facets.add(facet{byPersonTheme, 0, t}, slot)
	}
	for _, t := range d.LegalThemes {
		x.facets.add(facet{byLegalTheme, 0, t}, slot)
	}
	if d.FullOnline {
		x.facets.add(facet{byFullOnline, 0, ""}, slot)
	}
}

// letters is a run of two, three or four letters, packed.
type letters uint64

// The lengths of runs: whole pinyin has few different short ones.
const (
	wholeRun    = 4
	initialsRun = 3
)

func run(s string) letters {
	l := letters(len(s)) << 32
	for i := range len(s) {
		l |= letters(s[i]) << (8 * i)
	}
	return l
}

// runs are the runs of n letters in s.
func runs(s string, n int) []letters {
	var all []letters
	for i := n; i <= len(s); i++ {
		all = append(all, run(s[i-n:i]))
	}
	return all
}

// order is the part of an item's sort key that is the same in every query and in every
// replica: short titles first, then the higher level, then anyhow but always the same.
func order(title int, d Doc) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(d.Name)) // a hash never fails to write
	return uint64(min(title, 255))<<44 | uint64(d.Level&15)<<40 | h.Sum64()>>24
}
