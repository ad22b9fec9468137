// Package rules decides about reviews: who may write one when, what it may say,
// and how reviews add up. It knows no database, no transport and no clock.
package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// Moment is the part of a case that a review is about (proStatus of the national
// review interface).
type Moment int32

// The moments.
const (
	Submitted Moment = 1
	Accepted  Moment = 2
	Finished  Moment = 3
)

// Case is what a review needs to know of the case reviewed.
type Case struct {
	Hall, Department, ApplicantKey string
	// Handlers are the token subjects of everybody of the staff who acted on it.
	Handlers []string
	// Submitted, Accepted and Finished tell which moments have come; a case that
	// ended without a finish counts as finished, since its handling can be judged.
	Submitted, Accepted, Finished bool
	// Voided cases are corrections of records; there is nothing to review.
	Voided bool
}

// Author is who wants to review.
type Author struct {
	Subject, IdentityKey, Hall, Department string
}

// MaySee reports whether the author is the case's applicant; to everybody else
// the case must look as if it did not exist.
func MaySee(c Case, a Author) bool {
	return a.IdentityKey != "" && a.IdentityKey == c.ApplicantKey
}

// Check decides whether the author may review the case at the moment. The rule
// that staff do not review their own work stands in GB/T 39735 and the provincial
// rules made after it.
func Check(c Case, a Author, m Moment) error {
	inBody := a.Department != "" && a.Hall == c.Hall && a.Department == c.Department
	if inBody || slices.Contains(c.Handlers, a.Subject) {
		return fault.ReviewNotApplicant.New(fault.Field("review.case"))
	}
	come := map[Moment]bool{Submitted: c.Submitted, Accepted: c.Accepted, Finished: c.Finished}
	if c.Voided || !come[m] {
		return fault.ReviewNotDue.New(fault.Field("review.moment"))
	}
	return nil
}

// MaxText is the longest text of a review, in characters.
const MaxText = 500

// CheckContent holds tags and text against the stars, and returns the text as it
// is kept: trimmed, with long numbers masked, since people write their phone and
// identity numbers into reviews and reviews are public.
func CheckContent(stars int32, tagCodes []string, text string) (string, error) {
	for i, code := range tagCodes {
		if t, ok := TagOf(code); !ok || t.Stars != int(stars) {
			return "", fault.ReviewTagInvalid.New(fault.Field(fmt.Sprintf("review.tags[%d]", i)))
		}
	}
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	clean, err := codes.Text(text, MaxText)
	if err != nil {
		return "", fault.At("review.text", err)
	}
	return MaskText(clean), nil
}

// longNumber is seven digits or more, as they stand in phone and identity numbers,
// with the blanks and dashes people put between.
var longNumber = regexp.MustCompile(`[0-9０-９](?:[ \-]?[0-9０-９]){5,}[0-9０-９Xx]`)

// MaskText hides long numbers in a text.
func MaskText(s string) string {
	return longNumber.ReplaceAllStringFunc(s, func(n string) string {
		return strings.Repeat("*", len([]rune(n)))
	})
}
