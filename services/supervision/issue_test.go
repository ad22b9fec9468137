package supervision

import (
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/workday"
)

// A card that comes late leaves the department its full days to answer.
func TestDaysToAnswerCountFromTheCard(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.ParseInLocation(time.DateTime, s, workday.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ what, asOf, issued, want string }{
		{"at once", "2018-10-30 00:00:00", "2018-10-30 00:00:01", "2018-10-30"},
		{"after an outage", "2018-10-30 00:00:00", "2018-11-20 09:00:00", "2018-11-20"},
		{"by a clock that went back", "2018-10-30 00:00:00", "2018-10-29 23:00:00", "2018-10-30"},
	} {
		if got := answerFrom(at(c.asOf), at(c.issued)).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
