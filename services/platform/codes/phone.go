package codes

import (
	"regexp"
	"strings"

	"github.com/onehall/onehall/services/platform/fault"
)

var (
	mobile    = regexp.MustCompile(`^1[3-9]\d{9}$`)
	landline  = regexp.MustCompile(`^(010|02\d|0[3-9]\d{2})([2-8]\d{6,7})$`)
	tollFree  = regexp.MustCompile(`^([48]00)(\d{7})$`)
	hotline   = regexp.MustCompile(`^(010|02\d|0[3-9]\d{2})?(12\d{3}|9[56]\d{3,4})$`)
	foreign   = regexp.MustCompile(`^\+[1-9]\d{7,14}$`)
	extension = regexp.MustCompile(`^(.*\d)(?:转|ext\.?|EXT\.?|Ext\.?|x|X|#|-)(\d{1,6})$`)
	country   = regexp.MustCompile(`^(?:\+86|0086)`)
	separator = strings.NewReplacer("-", "", "(", "", ")", "", ".", "")
)

// Phone returns the one spelling of a phone number, or BAD_PHONE: 13812341234 for
// mobiles, 020-83123456 or 020-83123456-801 for landlines with their area code,
// 400-8812345, 12345 or 020-12345 for hotlines, +85291234567 for numbers abroad.
// Blanks, hyphens, brackets, full-width digits, +86 and "转" are understood. A landline
// without area code is refused: nobody else could call it.
func Phone(s string) (string, error) {
	typed := strings.ReplaceAll(compact(s), "—", "-")
	if mobile.MatchString(typed) {
		return typed, nil // as nearly everybody writes it
	}
	// The extension comes first: 0755-8312345-1 is no number of eight digits. A mobile
	// has none, so the last hyphen of 138-1234-1234 divides nothing.
	if parts := extension.FindStringSubmatch(typed); parts != nil {
		number, ok := plainPhone(separator.Replace(parts[1]))
		if ok && strings.Contains(number, "-") {
			return number + "-" + parts[2], nil
		}
	}
	if number, ok := plainPhone(separator.Replace(typed)); ok {
		return number, nil
	}
	return "", fault.BadPhone.New()
}

// plainPhone reads digits (and a leading +) without extension.
func plainPhone(digits string) (string, bool) {
	domestic := country.ReplaceAllString(digits, "")
	abroad := domestic != digits // written as seen from abroad: the area code loses its 0
	if len(digits) == 13 && strings.HasPrefix(digits, "861") {
		domestic = digits[2:]
	}
	if mobile.MatchString(domestic) {
		return domestic, true
	}
	if abroad && !strings.HasPrefix(domestic, "0") && !tollFree.MatchString(domestic) {
		domestic = "0" + domestic
	}
	for _, form := range []*regexp.Regexp{landline, tollFree} {
		if parts := form.FindStringSubmatch(domestic); parts != nil {
			return parts[1] + "-" + parts[2], true
		}
	}
	if parts := hotline.FindStringSubmatch(domestic); parts != nil && parts[1] != "" {
		return parts[1] + "-" + parts[2], true
	} else if parts != nil {
		return parts[2], true
	}
	if !abroad && foreign.MatchString(digits) {
		return digits, true
	}
	return "", false
}
