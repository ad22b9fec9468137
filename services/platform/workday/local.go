package workday

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// closure is one day on which a division and everything in it is closed.
type closure struct {
	prefix string // of division codes: 2 digits for a province, 4 city, 6 county, 9 town, 12 village
	date   Date
}

var prefixLengths = [...]int{2, 4, 6, 9, 12}

// WithLocal is a new calendar in which the division, and every division inside it, is
// also closed on date. The division is a code of 6 or 12 digits, 440100 meaning the
// whole city. Closing a day twice, or on a day off, changes no deadline. The version
// gets a suffix that depends on the closures alone, not on the order they came in.
func (c *Calendar) WithLocal(division string, date Date, reason string) (*Calendar, error) {
	code, err := codes.Division(division)
	if err != nil {
		return nil, fault.At("division", err)
	}
	closures := maps.Clone(c.localReason)
	if closures == nil {
		closures = map[closure]string{}
	}
	closures[closure{prefixOf(code), date}] = reason
	next := *c
	next.setLocal(closures)
	return &next, nil
}

// ExplainIn is Explain for a division: a day closed there is Closed, with the reason.
func (c *Calendar) ExplainIn(division string, d Date) (Kind, string) {
	kind, name := c.Explain(d)
	if kind == Off || kind == Weekend {
		return kind, name
	}
	for _, n := range prefixLengths {
		if n > len(division) {
			break
		}
		if reason, ok := c.localReason[closure{division[:n], d}]; ok {
			return Closed, reason
		}
	}
	return kind, name
}

// setLocal makes the calendar know exactly these closures.
func (c *Calendar) setLocal(closures map[closure]string) {
	c.localReason, c.local, c.version = closures, map[string][]Date{}, c.notices
	if len(closures) == 0 {
		return
	}
	sum := sha256.New()
	for _, one := range slices.SortedFunc(maps.Keys(closures), compareClosures) {
		fmt.Fprintf(sum, "%s %s\n", one.prefix, one.date) // a hash never fails to write
		if c.index(one.date+1) == c.index(one.date) || c.closures(one.prefix, one.date-1, one.date) > 0 {
			continue // a day off anyway, or closed already by a wider division, which comes first
		}
		c.local[one.prefix] = append(c.local[one.prefix], one.date)
	}
	c.version = fmt.Sprintf("%s+%x", c.notices, sum.Sum(nil)[:4])
}

func compareClosures(a, b closure) int {
	if a.prefix != b.prefix {
		return strings.Compare(a.prefix, b.prefix)
	}
	return int(a.date - b.date)
}

// closures is the number of working days in (from, to] on which the division is closed.
func (c *Calendar) closures(division string, from, to Date) int {
	if len(c.local) == 0 || to <= from {
		return 0
	}
	total := 0
	for _, n := range prefixLengths {
		if n > len(division) {
			break
		}
		dates := c.local[division[:n]]
		low, _ := slices.BinarySearch(dates, from+1)
		high, _ := slices.BinarySearch(dates, to+1)
		total += high - low
	}
	return total
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
