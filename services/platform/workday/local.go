package workday

import (
	"cmp"
	"maps"
	"slices"
	"sort"

	"github.com/onehall/onehall/services/platform/codes"
)

var prefixLengths = [...]int{2, 4, 6, 9, 12}

// shifts are the days on which one division differs from the wider one it lies in.
type shifts struct {
	dates []Date
	// sums[i] is by how many working days the division is ahead after dates[:i].
	sums []int
}

// until is by how many working days the division is ahead up to and including d.
func (s shifts) until(d Date) int {
	i, found := slices.BinarySearch(s.dates, d)
	if found {
		i++
	}
	return s.sums[i]
}

// withLocal is a copy that also knows days of a division and of all that lies in it.
func (c *Calendar) withLocal(code string, days []Change) *Calendar {
	next := *c
	next.local = maps.Clone(c.local)
	if next.local == nil {
		next.local = map[string]map[Date]Change{}
	}
	prefix := prefixOf(code)
	own := maps.Clone(next.local[prefix])
	if own == nil {
		own = map[Date]Change{}
	}
	for _, d := range days {
		own[d.Date] = d
	}
	next.local[prefix] = own
	next.settle()
	return &next
}

// settle works out the shifts of every division that has days of its own.
func (c *Calendar) settle() {
	c.shifts = make(map[string]shifts, len(c.local))
	for prefix, own := range c.local {
		s := shifts{sums: []int{0}}
		for _, d := range slices.Sorted(maps.Keys(own)) {
			above, here := c.works(prefix[:len(prefix)-1], d), c.works(prefix, d)
			if above == here {
				continue
			}
			delta := 1
			if above {
				delta = -1
			}
			s.dates, s.sums = append(s.dates, d), append(s.sums, s.sums[len(s.sums)-1]+delta)
		}
		if len(s.dates) > 0 {
			c.shifts[prefix] = s
		}
	}
}

// works tells of one day, by the narrowest division that has something to say of it.
func (c *Calendar) works(division string, d Date) bool {
	kind, _ := c.ExplainIn(division, d)
	return kind == Ordinary || kind == Makeup
}

// ExplainIn is Explain for a division. The narrowest division with a day of its own
// decides; closing what is closed already changes nothing.
func (c *Calendar) ExplainIn(division string, d Date) (Kind, string) {
	change := c.ruling(division, d)
	return change.Kind, change.Name
}

// NoticeOf is the title of the notice that made the day what it is in the division, and
// the version of the calendar that it came with; empty for the plain week.
func (c *Calendar) NoticeOf(division string, d Date) (title string, version int) {
	change := c.ruling(division, d)
	return change.notice, change.version
}

func (c *Calendar) ruling(division string, d Date) Change {
	now := c.national(d)
	if len(c.local) == 0 {
		return now
	}
	for _, n := range prefixLengths {
		if n > len(division) {
			break
		}
		change, ok := c.local[division[:n]][d]
		closed := now.Kind == Off || now.Kind == Weekend
		switch {
		case !ok:
		case change.Kind != Makeup && !closed, change.Kind == Makeup && now.Kind != Ordinary && now.Kind != Makeup:
			now = change
		}
	}
	return now
}

// ahead is by how many working days the division has more than the country in (from, to].
func (c *Calendar) ahead(division string, from, to Date) int {
	if len(c.shifts) == 0 || to <= from {
		return 0
	}
	total := 0
	for _, n := range prefixLengths {
		if n > len(division) {
			break
		}
		if s, ok := c.shifts[division[:n]]; ok {
			total += s.until(to) - s.until(from)
		}
	}
	return total
}

// localDays is the number of days on which the division differs from the country at most.
func (c *Calendar) localDays(division string) int {
	total := 0
	for _, n := range prefixLengths {
		if n > len(division) {
			break
		}
		total += len(c.shifts[division[:n]].dates)
	}
	return total
}

// search is Add where local days lie on the way. Each of them moves the date by one
// working day at most, so the right one lies in between.
func (c *Calendar) search(division string, start Date, n, local int) Date {
	if n > 0 {
		span := int(c.step(start, n+local) - start)
		return start + 1 + Date(sort.Search(span, func(i int) bool { return c.Count(division, start, start+1+Date(i)) >= n }))
	}
	span := int(start - c.step(start, n-local))
	return start - 1 - Date(sort.Search(span, func(i int) bool { return c.Count(division, start-2-Date(i), start-1) >= -n }))
}

// prefixOf is what the codes of all divisions inside one begin with: 4401 for 440100.
func prefixOf(code string) string {
	switch {
	case len(code) == 12 && code[9:] != "000":
		return code
	case len(code) == 12 && code[6:9] != "000":
		return code[:9]
	case code[2:6] == "0000":
		return code[:2]
	case code[4:6] == "00":
		return code[:4]
	}
	return code[:6]
}

// Within reports whether the division lies in another or is it; all lie in the country,
// whose code is empty. Codes have 6 or 12 digits.
func Within(division, wider string) bool {
	if wider == "" {
		return true
	}
	if _, err := codes.Division(wider); err != nil {
		return false
	}
	prefix := prefixOf(wider)
	return len(division) >= len(prefix) && division[:len(prefix)] == prefix
}

func byDate(a, b Change) int { return cmp.Compare(a.Date, b.Date) }
