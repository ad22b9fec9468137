package codes

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
)

// withCheck completes 17 digits to a resident identity number.
func withCheck(body string) string {
	sum := 0
	for i, w := range residentWeights {
		sum += int(body[i]-'0') * w
	}
	return body + string(residentChecks[sum%11])
}

func TestResidentID(t *testing.T) {
	const standard = "11010519491231002X" // the example of GB 11643
	for _, s := range []string{
		standard, "11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ",
		"１１０１０５１９４９１２３１００２ｘ", "110105\u300019491231\t002X", "110105\u00a019491231002X",
	} {
		if got, err := ResidentID(s); got != standard || err != nil {
			t.Errorf("ResidentID(%q) = %q, %v", s, got, err)
		}
	}
	for name, s := range map[string]string{
		"wrong check digit":    "110105194912310021",
		"two digits swapped":   "11010519491213002X",
		"15-digit old form":    "110105491231002",
		"29 February 2023":     withCheck("44010620230229001"),
		"month 13":             withCheck("44010619901301001"),
		"day 0":                withCheck("44010619900100001"),
		"year 1700":            withCheck("44010617000101001"),
		"sequence 000":         withCheck("44010619900101000"),
		"division of zero":     withCheck("04010619900101001"),
		"empty":                "",
		"blanks":               "   ",
		"X inside":             "1101051949123X002X",
		"trailing line break":  standard + "\n",
		"zero-width inside":    "110105\u200b19491231002X",
		"Arabic digits":        "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",
		"Cyrillic look-alike":  "11010519491231002Х",
		"a megabyte of digits": strings.Repeat("1", 1<<20),
	} {
		if got, err := ResidentID(s); got != "" || !errors.Is(err, fault.BadResidentID) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if id := withCheck("44010620240229001"); mustBe(ResidentID(id)) != id {
		t.Error("29 February 2024 is refused")
	}
	if id := withCheck("99999919900101001"); mustBe(ResidentID(id)) != id {
		t.Error("an unknown division is refused")
	}
}

func mustBe(s string, _ error) string { return s }

func TestResidentIDAt(t *testing.T) {
	id := withCheck("44010620260215001")
	// Midnight in China is 16:00 the day before in UTC.
	midnight := time.Date(2026, 2, 14, 16, 0, 0, 0, time.UTC)
	if got, err := ResidentIDAt(id, midnight); got != id || err != nil {
		t.Errorf("born today: %q, %v", got, err)
	}
	if _, err := ResidentIDAt(id, midnight.Add(-time.Second)); !errors.Is(err, fault.BadResidentID) {
		t.Errorf("born tomorrow: %v", err)
	}
	if _, err := ResidentIDAt("1", midnight); !errors.Is(err, fault.BadResidentID) {
		t.Errorf("no number: %v", err)
	}
}

func TestResidentIDFindsEverySingleError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		born := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 45000).Draw(t, "day"))
		serial := rapid.IntRange(1, 999).Draw(t, "serial")
		id := withCheck("440106" + born.Format("20060102") + string([]byte{byte('0' + serial/100), byte('0' + serial/10%10), byte('0' + serial%10)}))
		if got, err := ResidentID(id); got != id || err != nil {
			t.Fatalf("ResidentID(%s) = %v", id, err)
		}
		at := rapid.IntRange(0, 16).Draw(t, "at")
		digit := byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		if id[at] == digit {
			return
		}
		if _, err := ResidentID(id[:at] + string(digit) + id[at+1:]); err == nil {
			t.Fatalf("%s with %c at %d passes", id, digit, at)
		}
	})
}

// Codes of government bodies as published by their cities.
var publishedUSCC = []string{
	"11511301008778386B", "11511301008778239R", "11511301008778255F", "11511300008778693M", "11511301008778423H",
	"11511301MB15537661", "11511301008778490F", "11511301008778175U", "115113010087786859", "1151130174468656XH",
	"1151130100877801XA", "1151130176726532XP", "115113010087783353", "11511301MB051073XA", "115113010087780365",
	"11440100007482575H", "11440000MB2D0164XH", "11440300MB2C94128A", "11440300MB2D072246",
}

func TestUSCC(t *testing.T) {
	for _, code := range publishedUSCC {
		for _, s := range []string{code, strings.ToLower(code), " " + code[:8] + " " + code[8:] + " "} {
			if got, err := USCC(s); got != code || err != nil {
				t.Errorf("USCC(%q) = %q, %v", s, got, err)
			}
		}
		if org, err := OrgCode(code[8:17]); org != code[8:17] || err != nil {
			t.Errorf("the organisation code in %s: %v", code, err)
		}
	}
	for name, s := range map[string]string{
		"published with a wrong check character": "11440300MB2D2694XL",
		"I in the code":                          "11511301I08778386B",
		"O for 0":                                "115113O1008778386B",
		"Z at the end":                           "11511301008778386Z",
		"short":                                  "11511301008778386",
		"long":                                   "11511301008778386BB",
		"letter in the division":                 "1151A301008778386B",
		"Cyrillic look-alike":                    "11511301008778386В",
		"line break":                             "11511301008778386B\n",
		"empty":                                  "",
	} {
		if got, err := USCC(s); got != "" || !errors.Is(err, fault.BadUSCC) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, _ := USCC("１１５１１３０１００８７７８３８６ｂ"); got != "11511301008778386B" {
		t.Errorf("full width: %q", got)
	}
}

func TestUSCCFindsEverySingleError(t *testing.T) {
	for _, code := range publishedUSCC[:5] {
		for at := range 18 {
			for _, c := range usccAlphabet {
				if code[at] != byte(c) && validUSCC(code[:at]+string(c)+code[at+1:]) {
					t.Errorf("%s with %c at %d passes", code, c, at)
				}
			}
		}
	}
}

func TestOrgCode(t *testing.T) {
	for in, want := range map[string]string{
		"006940386": "006940386", "00694038-6": "006940386", "mb2d0164-x": "MB2D0164X", " MB2D0164X": "MB2D0164X",
	} {
		if got, err := OrgCode(in); got != want || err != nil {
			t.Errorf("OrgCode(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "006940385", "00694-0386", "MB2D0164", "MB2D0164XX", "MB2Ｄ0164!", "MB2D2694X"} {
		if got, err := OrgCode(in); got != "" || !errors.Is(err, fault.BadOrgCode) {
			t.Errorf("OrgCode(%q) = %q, %v", in, got, err)
		}
	}
}
