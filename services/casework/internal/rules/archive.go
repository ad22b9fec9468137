package rules

import "github.com/onehall/onehall/services/platform/workday"

// Term is how long the documents of an ended case are kept, in years.
type Term int

// The terms of State Archives Administration Order 8 of 2006: ten and thirty years and
// for ever.
const (
	NoTerm      Term = 0
	TenYears    Term = 10
	ThirtyYears Term = 30
	Permanent   Term = 1000
)

// ArchiveTerm is how long a case's documents are kept that ended so. What gives or takes
// a right is kept for thirty years, what went no further for ten; the longest term of the
// results that the item's revision names goes before it when one was granted. Before the
// end nothing can be said.
func ArchiveTerm(c Case, item *Item) Term {
	switch c.State {
	case Finished, Collected, Revoked:
	case NotAccepted, Refused, Withdrawn, Lapsed, Voided:
		return TenYears
	default:
		return NoTerm
	}
	if c.Result == ResultForwarded || c.Result == ResultReturned {
		return TenYears
	}
	if c.Granted && item != nil && item.Archive != NoTerm {
		return item.Archive
	}
	return ThirtyYears
}

// KeptUntil is the last day of a term; it begins with the year after the case ended.
func (t Term) KeptUntil(end workday.Date) (last workday.Date, forever bool) {
	if t == Permanent {
		return 0, true
	}
	year, _, _ := end.Civil()
	return workday.NewDate(year+int(t), 12, 31), false
}
