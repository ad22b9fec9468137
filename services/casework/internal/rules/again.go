package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/codes"
)

// AgainWithin is how long the same application of the same applicant is taken for a second
// click, and asked back about.
const AgainWithin = 60 * time.Second

// Content is a number for what an application says: equal for equal ones, of any other
// with a chance of one in 2^62. It is never 0.
func Content(item, subject string, form []byte, materials []Material) int64 {
	h := sha256.New()
	part := func(s string) {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s)) // with its length, so that no two run together
	}
	part(item)
	part(subject)
	part(string(form))
	for _, m := range materials {
		part(m.ID)
		part(m.SHA256)
		part(strconv.FormatBool(m.Paper) + strconv.FormatBool(m.Promised) + strconv.FormatBool(m.Promise))
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil))>>1) | 1
}

// AgainWindow is the moment since which an application counts as the same one again, and
// the case numbers of a hall between which those of the time lie.
func AgainWindow(hall string, at time.Time) (since time.Time, lowest, highest string) {
	since = at.Add(-AgainWithin)
	// Longer than any number of the day, so it sorts behind all of them.
	return since, codes.CaseDay(hall, since), codes.CaseDay(hall, at) + strings.Repeat("9", 10)
}
