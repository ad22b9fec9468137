package verify

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// FeedPosition is how far a feed was read, which is how far the hub had counted it.
type FeedPosition struct {
	Source, Feed string
	Position     int64
	// Parked is how many subjects the hub has set aside with a fault. It leaves them
	// out, the recount does not.
	Parked int32
}

// Key is what a fact is of.
type Key struct{ Date, Hall, Department, Item, Channel string }

// Difference is one figure of one fact on which the two do not agree.
type Difference struct {
	Key
	// Count is the figure, as finished_on_time.
	Count string
	// Hub is what the hub shows, Recount what the events say.
	Hub, Recount int64
}

// Report is the outcome of a recount.
type Report struct {
	// Feeds is the common position at which both were compared.
	Feeds []FeedPosition
	// Events, Cases, Reviews, Cards and Facts are how many were looked at.
	Events, Cases, Reviews, Cards, Facts int64
	// Differences is every figure that differs, by key.
	Differences []Difference
	// Findings is what the feeds themselves break of their promises.
	Findings []string
	// Attempts is how often the hub was compared until it stood still meanwhile.
	Attempts int
	// Took is how long it all took.
	Took time.Duration
}

// OK reports whether everything is equal and unbroken.
func (r Report) OK() bool { return len(r.Differences) == 0 && len(r.Findings) == 0 }

func (r *Report) sort() {
	slices.SortFunc(r.Differences, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.Date, b.Date), strings.Compare(a.Hall, b.Hall), strings.Compare(a.Department, b.Department),
			strings.Compare(a.Item, b.Item), strings.Compare(a.Channel, b.Channel), strings.Compare(a.Count, b.Count))
	})
}

// WriteTo writes the report for people, and implements io.WriterTo.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "recounted %d events: %d cases, %d reviews, %d cards, %d facts in %v\n", r.Events, r.Cases, r.Reviews, r.Cards, r.Facts,
		r.Took.Round(time.Millisecond))
	for _, f := range r.Feeds {
		fmt.Fprintf(&b, "  %s/%s to position %d", f.Source, f.Feed, f.Position)
		if f.Parked > 0 {
			fmt.Fprintf(&b, ", %d subjects parked at the hub", f.Parked)
		}
		b.WriteByte('\n')
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  BROKEN %s\n", f)
	}
	for _, d := range r.Differences {
		fmt.Fprintf(&b, "  DIFFERS %s %s %s %s %s %s: hub %d, recount %d\n", d.Date, d.Hall, d.Department, d.Item, d.Channel, d.Count, d.Hub, d.Recount)
	}
	if r.OK() {
		b.WriteString("equal to the unit\n")
	} else {
		fmt.Fprintf(&b, "%d differences, %d findings\n", len(r.Differences), len(r.Findings))
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
