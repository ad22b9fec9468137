package verify

import (
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
)

// figures are the counts of one fact, in the order of names.
type figures [10]int64

var names = [10]string{"submitted", "submitted_online", "accepted", "finished", "finished_online", "finished_on_time", "finished_reviewed",
	"reviews", "reviews_satisfied", "cards"}

func figuresOf(f *hubv1.Fact) figures {
	return figures{f.GetSubmitted(), f.GetSubmittedOnline(), f.GetAccepted(), f.GetFinished(), f.GetFinishedOnline(), f.GetFinishedOnTime(),
		f.GetFinishedReviewed(), f.GetReviews(), f.GetReviewsSatisfied(), f.GetCards()}
}

// row is what a fact is of, in numbers.
type row struct {
	on day
	place
	channel string
}

// word is the channel as facts write it.
func word(c caseworkv1.Channel) string {
	switch c {
	case caseworkv1.Channel_CHANNEL_WEB:
		return "web"
	case caseworkv1.Channel_CHANNEL_MOBILE:
		return "mobile"
	case caseworkv1.Channel_CHANNEL_COURIER:
		return "courier"
	default:
		return "window"
	}
}

// count makes the facts of the last states.
func (f *fold) count() map[row]*figures {
	facts := map[row]*figures{}
	add := func(on day, p place, channel string, at ...int) {
		if on == noDay {
			return
		}
		k := row{on, p, channel}
		if facts[k] == nil {
			facts[k] = &figures{}
		}
		for _, i := range at {
			facts[k][i]++
		}
	}
	for _, c := range f.cases {
		c.reviewed = false
	}
	for _, v := range f.voices {
		channel := "web"
		if c := f.cases[v.of]; c != nil {
			channel = word(c.channel)
			c.reviewed = c.reviewed || !v.card
		}
		switch {
		case v.card && v.in:
			add(v.on, v.place, channel, 9)
		case !v.card && v.good:
			add(v.on, v.place, channel, 7, 8)
		case !v.card:
			add(v.on, v.place, channel, 7)
		}
	}
	for _, c := range f.cases {
		if !c.counts {
			continue
		}
		channel := word(c.channel)
		submitted, finished := []int{0}, []int{3}
		if channel == "web" || channel == "mobile" {
			submitted = append(submitted, 1)
		}
		if c.online {
			finished = append(finished, 4)
		}
		if !c.late {
			finished = append(finished, 5)
		}
		if c.reviewed {
			finished = append(finished, 6)
		}
		add(c.submitted, c.place, channel, submitted...)
		add(c.accepted, c.place, channel, 2)
		add(c.finished, c.place, channel, finished...)
	}
	return facts
}

// tally tells how many reviews and cards there are.
func (f *fold) tally() (reviews, cards int64) {
	for _, v := range f.voices {
		if v.card {
			cards++
		} else {
			reviews++
		}
	}
	return reviews, cards
}
