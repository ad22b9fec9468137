package codes

import (
	"fmt"
	"strconv"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// Division returns a division code of 6 digits (down to the county) or 12 (down to the
// village), or BAD_DIVISION. It does not ask whether the division is known.
func Division(s string) (string, error) {
	code := compact(s)
	if (len(code) != 6 && len(code) != 12) || !allDigits(code) || code[0] == '0' || code[0] == '9' {
		return "", fault.BadDivision.New()
	}
	return code, nil
}

// Division6 is Division for six digits only: the code that names a hall.
func Division6(s string) (string, error) {
	code, err := Division(s)
	if err != nil || len(code) != 6 {
		return "", fault.BadDivision.New()
	}
	return code, nil
}

// BaseParts are the parts of a basic code (基本编码).
type BaseParts struct {
	Scope string // 00 for the state, else the first two digits of the province
	Type  string // item type, 01 license ... 20 public service
	Main  string // main item; its first two digits mean nothing in local items
	Sub   string // sub-item, 000 for none; a last Y marks a main item split into sub-items
}

// Split reports whether the item is split into sub-items and so not applied for itself.
func (p BaseParts) Split() bool { return p.Sub[2] == 'Y' }

// BaseCode returns a 12-character basic code as it is, or BAD_ITEM_CODE.
func BaseCode(s string) (string, error) {
	_, err := ParseBaseCode(s)
	if err != nil {
		return "", err
	}
	return s, nil
}

// ParseBaseCode cuts a basic code into its parts.
func ParseBaseCode(s string) (BaseParts, error) {
	if len(s) != 12 || !allDigits(s[:11]) || (s[11] != 'Y' && !allDigits(s[11:])) || s[2:4] == "00" {
		return BaseParts{}, fault.BadItemCode.New()
	}
	if scope := s[:2]; scope != "00" && (scope < "11" || scope > "82") {
		return BaseParts{}, fault.BadItemCode.New()
	}
	return BaseParts{Scope: s[:2], Type: s[2:4], Main: s[4:9], Sub: s[9:]}, nil
}

// ItemParts are the parts of an implementation code (实施编码) or, with Handle, of a
// handling item code (业务办理项编码).
type ItemParts struct {
	USCC   string // of the implementing body
	Level  int    // exercise level, 1 state ... 7 graded
	Base   BaseParts
	Handle string // 01 ... 99, empty in an implementation code
}

// BaseCode is the basic code inside.
func (p ItemParts) BaseCode() string { return p.Base.Scope + p.Base.Type + p.Base.Main + p.Base.Sub }

// Implementation is the 31-character code, without the handling item.
func (p ItemParts) Implementation() string {
	return p.USCC + strconv.Itoa(p.Level) + p.BaseCode()
}

// ItemCode returns a 31-character implementation code or a 33-character handling item
// code as it is, or BAD_ITEM_CODE. It names a resource, so nothing is normalised.
func ItemCode(s string) (string, error) {
	if _, err := ParseItemCode(s); err != nil {
		return "", err
	}
	return s, nil
}

// ParseItemCode cuts an item code into its parts. That the level does not fit the
// body's division is no error: such codes are in use.
func ParseItemCode(s string) (ItemParts, error) {
	if len(s) != 31 && len(s) != 33 {
		return ItemParts{}, fault.BadItemCode.New()
	}
	level, handle := int(s[18])-'0', s[31:]
	if !validUSCC(s[:18]) || level < 1 || level > 7 {
		return ItemParts{}, fault.BadItemCode.New()
	}
	if handle != "" && (!allDigits(handle) || handle == "00") {
		return ItemParts{}, fault.BadItemCode.New()
	}
	base, err := ParseBaseCode(s[19:31])
	if err != nil {
		return ItemParts{}, err
	}
	return ItemParts{USCC: s[:18], Level: level, Base: base, Handle: handle}, nil
}

// MaxSerial is the largest serial of a case number: cases a hall can take in a day.
const MaxSerial = 99_999_999

// CaseParts are the parts of a case number.
type CaseParts struct {
	Division string    // of the hall, 6 digits
	Day      time.Time // midnight in China
	Serial   int       // within the hall and day
}

// CaseNo makes the case number of a hall's serial-th case of the day: division, yyMMdd
// in China, eight digits, and a check digit that finds every single wrong digit and
// nearly all swaps of neighbours (ISO 7064 MOD 11,10); 21 digits in all.
//
// It panics on a division that is not six digits or a serial out of range, for these
// come from the program and a wrong number could never be taken back.
func CaseNo(division string, day time.Time, serial int) string {
	if len(division) != 6 || !allDigits(division) || serial < 0 || serial > MaxSerial {
		panic(fmt.Sprintf("codes: no case number for division %q, serial %d", division, serial))
	}
	body := fmt.Sprintf("%s%08d", CaseDay(division, day), serial)
	return body + string(rune('0'+mod1110(body)))
}

// CaseDay is what all case numbers of a division's day begin with.
func CaseDay(division string, day time.Time) string {
	return division + day.In(chinaTime).Format("060102")
}

// ParseCaseNo cuts a case number into its parts, or returns BAD_CASE_NO.
func ParseCaseNo(s string) (CaseParts, error) {
	if len(s) != 21 || !allDigits(s) || int(s[20]-'0') != mod1110(s[:20]) {
		return CaseParts{}, fault.BadCaseNo.New()
	}
	if _, err := Division6(s[:6]); err != nil {
		return CaseParts{}, fault.BadCaseNo.New()
	}
	// The century is written in: the layout's yy would turn 69..99 into 1969..1999.
	day, err := time.ParseInLocation("20060102", "20"+s[6:12], chinaTime)
	if err != nil {
		return CaseParts{}, fault.BadCaseNo.New()
	}
	serial, err := strconv.Atoi(s[12:20])
	if err != nil {
		return CaseParts{}, fault.BadCaseNo.New(fault.Cause(err))
	}
	return CaseParts{Division: s[:6], Day: day, Serial: serial}, nil
}

// mod1110 is the check digit of ISO 7064 MOD 11,10 for a string of digits.
func mod1110(digits string) int {
	p := 10
	for i := range len(digits) {
		p = (p + int(digits[i]-'0')) % 10
		if p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (11 - p) % 10
}
