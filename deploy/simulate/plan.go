// Package simulate lives through days of a city in a hall's own time: people apply,
// officials handle, some late, and applicants review. All of it goes through the
// services' API; nothing is written past them.
package simulate

import (
	"math/rand/v2"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"

	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/services/platform/workday"
)

// Shares are how a city's cases go, in percent of the cases filed unless said
// otherwise. The defaults are near what cities published: over 70 % online, one in
// twelve with a supplement, few late.
type Shares struct {
	Online, Mobile         int // of all; mobile is of the online ones
	Supplement, NotAccept  int
	Refuse, Withdraw, Deny int
	Late                   int
	Review                 int // of the finished
	BadReview              int // of the reviews
}

// DefaultShares is the honest mix.
func DefaultShares() Shares {
	return Shares{Online: 72, Mobile: 40, Supplement: 8, NotAccept: 1, Refuse: 1, Withdraw: 2, Deny: 2, Late: 3, Review: 15, BadReview: 4}
}

// fate is what will become of a case; it is drawn before the case is filed, so that
// a seed gives the same city whatever the machine does.
type fate struct {
	channel                                             caseworkv1.Channel
	supplement, notAccept, refuse, withdraw, deny, late bool
	review                                              bool
	stars                                               int32
}

func (s Shares) draw(r *rand.Rand) fate {
	hit := func(percent int) bool { return r.IntN(100) < percent }
	f := fate{channel: caseworkv1.Channel_CHANNEL_WINDOW}
	if hit(s.Online) {
		f.channel = caseworkv1.Channel_CHANNEL_WEB
		if hit(s.Mobile) {
			f.channel = caseworkv1.Channel_CHANNEL_MOBILE
		}
	}
	f.supplement, f.notAccept, f.refuse, f.withdraw = hit(s.Supplement), hit(s.NotAccept), hit(s.Refuse), hit(s.Withdraw)
	f.deny, f.late, f.review = hit(s.Deny), hit(s.Late), hit(s.Review)
	f.stars = int32(3 + r.IntN(3))
	if hit(60) {
		f.stars = 5
	}
	if hit(s.BadReview) {
		f.stars = int32(1 + r.IntN(2))
	}
	return f
}

// drawItem picks an item, a few far more often than most: in every city a handful of
// items makes up most of the cases.
func drawItem(r *rand.Rand, items []sample.Item) sample.Item {
	x := r.Float64()
	return items[int(x*x*x*float64(len(items)))]
}

// inHours is a moment of a day within hall hours.
func inHours(r *rand.Rand, d workday.Date) time.Time {
	at := workday.StartOfDay(d)
	minute := r.IntN(360)
	if minute < 180 {
		return at.Add(9*time.Hour + time.Duration(minute)*time.Minute)
	}
	return at.Add(14*time.Hour + time.Duration(minute-180)*time.Minute)
}

// anyHour is a moment at which people are awake.
func anyHour(r *rand.Rand, d workday.Date) time.Time {
	return workday.StartOfDay(d).Add(7*time.Hour + time.Duration(r.IntN(16*60))*time.Minute)
}
