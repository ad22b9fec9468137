package rules

import "github.com/onehall/onehall/services/platform/workday"

// MarkKind is what a mark is.
type MarkKind int64

// The kinds.
const (
	ReviewMark MarkKind = iota + 1
	CardMark
)

// SatisfiedStars is the least number of stars that counts as satisfied.
const SatisfiedStars = 3

// Mark is a review or a card: something said of a case that counts for itself. It
// keeps counting when the case is voided, or voiding would wipe out bad reviews; a
// card that should not stand is revoked.
type Mark struct {
	Kind MarkKind
	// Case is the case's resource name, or empty.
	Case                            string
	Day                             workday.Date
	Hall, Department, Item, Channel string
	// Good is of a review with enough stars, InForce of a card that counts.
	Good, InForce bool
}

// Contribute adds to d, sign times, what the mark counts for.
func (m Mark) Contribute(sign int64, d Deltas) {
	k := Key{Day: m.Day, Hall: m.Hall, Department: m.Department, Item: m.Item, Channel: m.Channel}
	switch m.Kind {
	case ReviewMark:
		d.Add(sign, k, Reviews)
		if m.Good {
			d.Add(sign, k, ReviewsSatisfied)
		}
	case CardMark:
		if m.InForce {
			d.Add(sign, k, Cards)
		}
	}
}

// ChannelOf is the channel that the marks of a case stand under.
func ChannelOf(c Case) string {
	if c.Channel == "" {
		return DefaultChannel
	}
	return c.Channel
}
