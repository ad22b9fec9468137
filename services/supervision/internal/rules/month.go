package rules

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// monthVersion is the version of the rules that look at a whole month.
const monthVersion = "month-1"

// minCases is how many outcomes make a share worth judging.
const minCases = 30

// Tally counts the outcomes of one item or officer in one month.
type Tally struct {
	// Subject is what is counted, Name how a ground calls it.
	Subject, Name string
	// Total are the outcomes, Refused those against the applicant.
	Total, Refused int64
}

// MonthOf is the month of a moment in China, as 201811.
func MonthOf(t time.Time) int64 {
	c := t.In(workday.Zone)
	return int64(c.Year())*100 + int64(c.Month())
}

// MonthEnd is the first moment after a month.
func MonthEnd(month int64) time.Time {
	return time.Date(int(month/100), time.Month(month%100)+1, 1, 0, 0, 0, 0, workday.Zone)
}

// Refusals finds the subjects whose share of outcomes against the applicant is beyond
// what chance makes of the mean of all: by more than three standard deviations of a
// share of so many cases. Small numbers have wide bounds, and fewer than minCases none.
func Refusals(month int64, all Tally, subjects []Tally) map[string]Finding {
	found := map[string]Finding{}
	if all.Total == 0 {
		return found
	}
	mean := float64(all.Refused) / float64(all.Total)
	for _, t := range subjects {
		if t.Total < minCases {
			continue
		}
		share := float64(t.Refused) / float64(t.Total)
		bound := mean + 3*math.Sqrt(mean*(1-mean)/float64(t.Total))
		if share <= bound {
			continue
		}
		found[t.Subject] = Finding{Rule: P11, Level: Warning, Occurrence: int(month), AsOf: MonthEnd(month), Version: monthVersion,
			Used: int(t.Refused), Limit: int(math.Floor(bound * float64(t.Total))),
			Ground: fmt.Sprintf("%d年%d月%s共有%d件作出结论，其中不受理、不予受理、不予许可%d件，占%.1f%%；辖区平均%.1f%%，加3倍标准差为%.1f%%",
				month/100, month%100, t.Name, t.Total, t.Refused, 100*share, 100*mean, 100*bound)}
	}
	return found
}

// Outcome tells whether the case has come to its outcome, whether that is against the
// applicant, and who said it.
func (f *Facts) Outcome(actor string) (refused bool, officer string, ok bool) {
	switch {
	case f.Decision != nil:
		return !f.Decision.Granted, f.Decision.Officer, true
	case slices.Contains([]string{EndRefused, EndNotAccepted}, f.End):
		return true, actor, true
	default:
		return false, "", false
	}
}
