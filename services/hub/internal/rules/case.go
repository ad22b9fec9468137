package rules

import "github.com/onehall/onehall/services/platform/workday"

// The channels. A review or a card whose case is not known stands under DefaultChannel.
const (
	Window         = "window"
	Web            = "web"
	Mobile         = "mobile"
	Courier        = "courier"
	DefaultChannel = Web
)

// Online reports whether an application by the channel is one by network.
func Online(channel string) bool { return channel == Web || channel == Mobile }

// Case is what the hub keeps of a case. A day of 0 means that it has not come; the
// program knows no case of 1970.
type Case struct {
	Hall, Department, Item, Channel string
	// Submit, Accept and Finish are the days it counts on.
	Submit, Accept, Finish workday.Date
	// FinishOnline tells that it was finished without a visit.
	FinishOnline bool
	// Judged tells that the case was decided, and OnTime whether within the promise.
	// Once judged it stays so: a calendar corrected later does not make late what was
	// in time.
	Judged, OnTime bool
	// Reviews is how many reviews are known of it.
	Reviews int64
}

// State is a case as one event shows it.
type State struct {
	Hall, Department, Item, Channel string
	// Draft and Voided cases count nowhere.
	Draft, Voided          bool
	Submit, Accept, Finish workday.Date
	FinishOnline           bool
	// Decide is the day of the decision, 0 without one.
	Decide workday.Date
	// Due is the last day of the promise, 0 when none stands.
	Due workday.Date
}

// Advance is the case after an event that shows it in the state s.
func (c Case) Advance(s State) Case {
	next := Case{
		Hall: s.Hall, Department: s.Department, Item: s.Item, Channel: s.Channel,
		Judged: c.Judged, OnTime: c.OnTime, Reviews: c.Reviews,
	}
	if decided := firstOf(s.Decide, s.Finish); decided != 0 && !c.Judged {
		next.Judged, next.OnTime = true, s.Due == 0 || decided <= s.Due
	}
	if !s.Draft && !s.Voided {
		next.Submit, next.Accept, next.Finish, next.FinishOnline = s.Submit, s.Accept, s.Finish, s.FinishOnline
	}
	return next
}

// Unjudged is the case without the judgement whether it was in time: what that rested on has
// been corrected, and the next state is judged anew.
func (c Case) Unjudged() Case {
	c.Judged, c.OnTime = false, false
	return c
}

func firstOf(a, b workday.Date) workday.Date {
	if a != 0 {
		return a
	}
	return b
}

// Contribute adds to d, sign times, what the case counts for.
func (c Case) Contribute(sign int64, d Deltas) {
	k := Key{Hall: c.Hall, Department: c.Department, Item: c.Item, Channel: c.Channel}
	add := func(day workday.Date, count Count, when bool) {
		if day != 0 && when {
			k.Day = day
			d.Add(sign, k, count)
		}
	}
	add(c.Submit, Submitted, true)
	add(c.Submit, SubmittedOnline, Online(c.Channel))
	add(c.Accept, Accepted, true)
	add(c.Finish, Finished, true)
	add(c.Finish, FinishedOnline, c.FinishOnline)
	add(c.Finish, FinishedOnTime, c.OnTime)
	add(c.Finish, FinishedReviewed, c.Reviews > 0)
}
