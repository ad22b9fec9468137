package codes

import (
	"strings"
	"unicode/utf8"
)

// MaskName leaves the first character of a name: 张*. The number of stars does not
// tell the length.
func MaskName(name string) string {
	if name == "" {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(name)
	return string(r) + "*"
}

// MaskID leaves the first three and last two characters of an identity number.
func MaskID(id string) string { return mask(id, 3, 2) }

// MaskUSCC leaves the first four and last two characters of a credit code.
func MaskUSCC(code string) string { return mask(code, 4, 2) }

// MaskPhone leaves the first three and last four digits of a mobile (138****1234),
// and the area code and last two digits of a landline, without its extension.
func MaskPhone(phone string) string {
	area, number, landline := strings.Cut(phone, "-")
	if !landline {
		return mask(phone, 3, 4)
	}
	number, _, _ = strings.Cut(number, "-")
	return area + "-" + mask(number, 0, 2)
}

// mask stars out all but the first and last characters. What is too short to hide at
// least three characters is starred out whole.
func mask(s string, first, last int) string {
	runes := []rune(s)
	if len(runes) < first+last+3 {
		return strings.Repeat("*", len(runes))
	}
	for i := first; i < len(runes)-last; i++ {
		runes[i] = '*'
	}
	return string(runes)
}
