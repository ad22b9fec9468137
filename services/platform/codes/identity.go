// Package codes knows the numbers, names and texts people type: which are well
// formed, what their one spelling is, and how they look when masked.
//
// Numbers of persons and bodies are normalised before they are checked (full-width
// digits, blanks, small letters), because two spellings of one number must be one
// person. Codes that are parts of resource names (items, cases) are taken as they
// are: a second spelling of a name would be a second resource.
package codes

import (
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// chinaTime is where days begin and end; China has one zone and no summer time.
var chinaTime = time.FixedZone("UTC+8", 8*60*60)

// residentWeights and residentChecks are those of GB 11643.
var residentWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

const residentChecks = "10X98765432"

// ResidentID returns the one spelling of an 18-digit resident identity number
// (GB 11643), or BAD_RESIDENT_ID. It checks the check digit and that the birth date
// exists. It does not ask whether the division is known: numbers outlive divisions.
// The 15-digit form, withdrawn in 2013, is refused, since it has no check digit.
//
// Whether the birth date has come is a question of the clock: see ResidentIDAt.
func ResidentID(s string) (string, error) {
	id, _, err := residentID(s)
	return id, err
}

// ResidentIDAt is ResidentID which also refuses a birth date after now (in China).
func ResidentIDAt(s string, now time.Time) (string, error) {
	id, born, err := residentID(s)
	if err != nil {
		return "", err
	}
	if born.After(now) {
		return "", fault.BadResidentID.New()
	}
	return id, nil
}

func residentID(s string) (string, time.Time, error) {
	id := strings.ToUpper(compact(s))
	if len(id) != 18 || !allDigits(id[:17]) {
		return "", time.Time{}, fault.BadResidentID.New()
	}
	sum := 0
	for i, w := range residentWeights {
		sum += int(id[i]-'0') * w
	}
	if residentChecks[sum%11] != id[17] || id[0] == '0' || allZero(id[14:17]) {
		return "", time.Time{}, fault.BadResidentID.New()
	}
	born, err := time.ParseInLocation("20060102", id[6:14], chinaTime)
	if err != nil || born.Year() < 1850 {
		return "", time.Time{}, fault.BadResidentID.New()
	}
	return id, born, nil
}

// usccAlphabet has no I, O, S, V, Z, which look like other characters (GB 32100).
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// USCC returns the one spelling of a unified social credit code (GB 32100), or
// BAD_USCC. Published codes are seen in small letters; the standard has capitals.
func USCC(s string) (string, error) {
	code := strings.ToUpper(compact(s))
	if !validUSCC(code) {
		return "", fault.BadUSCC.New()
	}
	return code, nil
}

func validUSCC(code string) bool {
	if len(code) != 18 {
		return false
	}
	sum, weight := 0, 1 // the weights are the powers of 3 modulo 31
	for i := range 17 {
		value := strings.IndexByte(usccAlphabet, code[i])
		if value < 0 {
			return false
		}
		sum += value * weight
		weight = weight * 3 % 31
	}
	return code[17] == usccAlphabet[(31-sum%31)%31] && allDigits(code[2:8])
}

var orgWeights = [8]int{3, 7, 9, 10, 5, 8, 4, 2}

// OrgCode returns the one spelling, without hyphen, of a nine-character organisation
// code (GB 11714), or BAD_ORG_CODE.
func OrgCode(s string) (string, error) {
	code := strings.ToUpper(compact(s))
	if len(code) == 10 && code[8] == '-' {
		code = code[:8] + code[9:]
	}
	if len(code) != 9 {
		return "", fault.BadOrgCode.New()
	}
	sum := 0
	for i, w := range orgWeights {
		switch c := code[i]; {
		case '0' <= c && c <= '9':
			sum += int(c-'0') * w
		case 'A' <= c && c <= 'Z':
			sum += int(c-'A'+10) * w
		default:
			return "", fault.BadOrgCode.New()
		}
	}
	if code[8] != "0X987654321"[sum%11] {
		return "", fault.BadOrgCode.New()
	}
	return code, nil
}

// compact turns full-width characters into plain ones and drops blanks. Line breaks
// stay and make the code invalid: they come from pasting more than the code.
func compact(s string) string {
	if len(s) > 256 { // no code is near this long; do not copy what is
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ', r == '\t', r == '\u3000', r == '\u00a0':
			return -1
		case '！' <= r && r <= '～':
			return r - '！' + '!'
		}
		return r
	}, s)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func allZero(s string) bool { return strings.Trim(s, "0") == "" }
