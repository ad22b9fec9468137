package rules

import (
	"cmp"
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// Revision is a published revision of an item, as far as rates need it.
type Revision struct {
	Number int32
	// Effective is when it comes into force, LastDay its planned last day or 0.
	Effective time.Time
	LastDay   workday.Date
	// OnApplication is whether people apply for it; the rates count no other.
	OnApplication bool
	// FullOnline is whether its whole flow runs online, Possible whether it can be
	// applied for online at all.
	FullOnline, Possible bool
	Department           string
}

// ItemChange is one event of an item.
type ItemChange struct {
	At time.Time
	// Open and Closed tell that it can, or can no longer, be applied for from At on;
	// neither leaves that as it was.
	Open, Closed bool
	// Revision is what was published, or nil.
	Revision *Revision
}

// ItemSpan is a time in which an item can be applied for, From included, To not.
type ItemSpan struct {
	From, To             time.Time
	FullOnline, Possible bool
	Department           string
}

// Forever is the end of a span that has none yet.
var Forever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// onApplication are the item types of GB/T 39046-2020 that people apply for; the
// others (penalties, coercion, levies, inspections) the authority does by itself.
var onApplication = map[string]bool{"01": true, "05": true, "07": true, "08": true, "09": true, "10": true, "20": true}

// OnApplication reports whether people apply for items of a type.
func OnApplication(itemType string) bool { return onApplication[itemType] }

// Spans are the times in which an item can be applied for, by its changes in the order
// of their events. In force at a moment is the highest revision effective by then.
func Spans(changes []ItemChange) []ItemSpan {
	var spans []ItemSpan
	moments := momentsOf(changes)
	for i, from := range moments {
		to := Forever
		if i+1 < len(moments) {
			to = moments[i+1]
		}
		r := inForce(changes, from)
		if r == nil || !r.OnApplication || closedAt(changes, from) {
			continue
		}
		s := ItemSpan{From: from, To: to, FullOnline: r.FullOnline, Possible: r.Possible, Department: r.Department}
		if n := len(spans); n > 0 && spans[n-1].To.Equal(from) && sameBut(spans[n-1], s) {
			spans[n-1].To = to
			continue
		}
		spans = append(spans, s)
	}
	return spans
}

// momentsOf are the moments at which something may change, in order.
func momentsOf(changes []ItemChange) []time.Time {
	var moments []time.Time
	for _, c := range changes {
		if c.Open || c.Closed {
			moments = append(moments, c.At)
		}
		if r := c.Revision; r != nil {
			moments = append(moments, r.Effective)
			if r.LastDay != 0 {
				moments = append(moments, workday.StartOfDay(r.LastDay+1))
			}
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	return slices.CompactFunc(moments, time.Time.Equal)
}

func inForce(changes []ItemChange, at time.Time) *Revision {
	var best *Revision
	for _, c := range changes {
		if r := c.Revision; r != nil && !r.Effective.After(at) && (best == nil || cmp.Compare(r.Number, best.Number) > 0) {
			best = r
		}
	}
	if best != nil && best.LastDay != 0 && !at.Before(workday.StartOfDay(best.LastDay+1)) {
		return nil
	}
	return best
}

func closedAt(changes []ItemChange, at time.Time) bool {
	closed := false
	for _, c := range changes {
		if (c.Open || c.Closed) && !c.At.After(at) {
			closed = c.Closed
		}
	}
	return closed
}

func sameBut(a, b ItemSpan) bool {
	return a.FullOnline == b.FullOnline && a.Possible == b.Possible && a.Department == b.Department
}
