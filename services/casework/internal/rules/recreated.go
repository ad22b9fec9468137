package rules

import (
	"slices"
	"time"
)

// RecreatedWithin is how long after an office ended an application the same one, filed
// again, is taken for its re-creation.
const RecreatedWithin = 30 * 24 * time.Hour

// EndedByOffice reports a step by which an office ends an application without deciding on
// it: not accepted, refused, returned or voided. What its applicant withdraws, or lets
// lapse by not bringing what was asked for, is no doing of the office; nor is what is
// voided after it had ended or been decided.
func EndedByOffice(before, after Case) bool {
	if before.State == Draft || before.Ended() || !before.DecidedAt.IsZero() {
		return false
	}
	switch after.State {
	case NotAccepted, Refused, Voided:
		return true
	case Finished:
		return after.Result == ResultReturned
	}
	return false
}

// Applied is what is compared of two applications of one applicant for one item.
type Applied struct {
	Subject   string
	Materials []string
	Submitted time.Time
}

// Recreates reports whether an application is the re-creation of an earlier one that an
// office ended: about the same, with all that the earlier one brought (the applicant may
// bring more), and soon after the end. One that was there already before is another.
func Recreates(earlier Applied, ended time.Time, now Applied) bool {
	if now.Subject != earlier.Subject || now.Submitted.Before(ended) || now.Submitted.Sub(ended) > RecreatedWithin {
		return false
	}
	for _, id := range earlier.Materials {
		if !slices.Contains(now.Materials, id) {
			return false
		}
	}
	return true
}
