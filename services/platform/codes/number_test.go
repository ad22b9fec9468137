package codes

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
)

func TestDivision(t *testing.T) {
	for in, want := range map[string]string{
		"440000": "440000", "440106": "440106", "440106001000": "440106001000", " 440106 ": "440106", "４４０１０６": "440106",
	} {
		if got, err := Division(in); got != want || err != nil {
			t.Errorf("Division(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "44", "4401", "044010", "940106", "44010A", "4401060", "440106001", "440106\n", "4401060010001"} {
		if got, err := Division(in); got != "" || !errors.Is(err, fault.BadDivision) {
			t.Errorf("Division(%q) = %q, %v", in, got, err)
		}
	}
	if _, err := Division6("440106001000"); !errors.Is(err, fault.BadDivision) {
		t.Errorf("Division6 takes twelve digits: %v", err)
	}
	if got, err := Division6("440106"); got != "440106" || err != nil {
		t.Errorf("Division6 = %q, %v", got, err)
	}
}

func TestParseItemCode(t *testing.T) {
	for code, want := range map[string]ItemParts{
		"11440100007482575H3440118009000": {"11440100007482575H", 3, BaseParts{"44", "01", "18009", "000"}, ""},
		"11440000MB2D0164XH2440289876000": {"11440000MB2D0164XH", 2, BaseParts{"44", "02", "89876", "000"}, ""},
		"11440300MB2C94128A3440217281000": {"11440300MB2C94128A", 3, BaseParts{"44", "02", "17281", "000"}, ""},
		"11440300MB2D0722464440127028001": {"11440300MB2D072246", 4, BaseParts{"44", "01", "27028", "001"}, ""},
		// A public service with its second handling item.
		"114403006939513773344201505200802": {"114403006939513773", 3, BaseParts{"44", "20", "15052", "008"}, "02"},
		// A main item split into sub-items.
		"11440100007482575H344011800900Y": {"11440100007482575H", 3, BaseParts{"44", "01", "18009", "00Y"}, ""},
	} {
		got, err := ParseItemCode(code)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", code, diff)
		}
		if got.Implementation()+got.Handle != code {
			t.Errorf("%s is put together as %s", code, got.Implementation())
		}
		if same, err := ItemCode(code); same != code || err != nil {
			t.Errorf("ItemCode(%s) = %s, %v", code, same, err)
		}
		if got.Base.Split() != strings.HasSuffix(code, "Y") {
			t.Errorf("%s: Split = %v", code, got.Base.Split())
		}
	}
}

func TestItemCodeRefusals(t *testing.T) {
	const good = "11440100007482575H3440118009000"
	for name, code := range map[string]string{
		"published with a wrong check character": "11440300MB2D2694XL4442111826000",
		"empty":                                  "",
		"small letter":                           strings.ToLower(good),
		"trailing line break":                    good + "\n",
		"leading blank":                          " " + good,
		"full width":                             "１" + good[1:],
		"Cyrillic look-alike":                    good[:17] + "Н" + good[18:],
		"level 0":                                good[:18] + "0" + good[19:],
		"level 8":                                good[:18] + "8" + good[19:],
		"type 00":                                good[:21] + "00" + good[23:],
		"scope 99":                               good[:19] + "99" + good[21:],
		"Y in the middle":                        good[:29] + "Y0",
		"letter in main item":                    good[:24] + "A" + good[25:],
		"handling item 00":                       good + "00",
		"handling item 0A":                       good + "0A",
		"32 characters":                          good + "1",
	} {
		if got, err := ItemCode(code); got != "" || !errors.Is(err, fault.BadItemCode) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestBaseCode(t *testing.T) {
	for _, code := range []string{"440118009000", "000118009000", "44201505200Y", "440118009001"} {
		if got, err := BaseCode(code); got != code || err != nil {
			t.Errorf("BaseCode(%s) = %s, %v", code, got, err)
		}
	}
	for _, code := range []string{"", "44011800900", "4401180090000", "100118009000", "44011800900y", "4401180090Y0"} {
		if got, err := BaseCode(code); got != "" || !errors.Is(err, fault.BadItemCode) {
			t.Errorf("BaseCode(%s) = %s, %v", code, got, err)
		}
	}
}

func TestCaseNo(t *testing.T) {
	// 16:30 UTC is half past midnight of the next day in China.
	no := CaseNo("440106", time.Date(2026, 2, 14, 16, 30, 0, 0, time.UTC), 17)
	if no[:20] != "44010626021500000017" || len(no) != 21 {
		t.Fatalf("CaseNo = %s", no)
	}
	got, err := ParseCaseNo(no)
	if err != nil {
		t.Fatal(err)
	}
	want := CaseParts{Division: "440106", Day: time.Date(2026, 2, 15, 0, 0, 0, 0, chinaTime), Serial: 17}
	if !got.Day.Equal(want.Day) || got.Division != want.Division || got.Serial != want.Serial {
		t.Errorf("ParseCaseNo = %+v, want %+v", got, want)
	}
	for name, s := range map[string]string{
		"empty": "", "short": no[:20], "line break": no + "\n", "blank": " " + no, "letters": "A" + no[1:],
		"full width": "４" + no[1:], "division of zero": sealed("04010626021500000017"), "month 13": sealed("44010626131500000017"),
		"30 February": sealed("44010626023000000017"),
	} {
		if _, err := ParseCaseNo(s); !errors.Is(err, fault.BadCaseNo) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sealed(body string) string { return body + string(rune('0'+mod1110(body))) }

func TestMod1110(t *testing.T) {
	// The standard's worked example: 0794 has the check digit 5.
	if got := mod1110("0794"); got != 5 {
		t.Errorf("mod1110(0794) = %d, want 5", got)
	}
}

func TestCaseNoFindsTypingErrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(2012, 1, 1, 0, 0, 0, 0, chinaTime).AddDate(0, 0, rapid.IntRange(0, 30000).Draw(t, "day"))
		serial := rapid.IntRange(0, MaxSerial).Draw(t, "serial")
		no := CaseNo("440106", day, serial)
		parts, err := ParseCaseNo(no)
		if err != nil || !parts.Day.Equal(day) || parts.Serial != serial {
			t.Fatalf("%s came back as %+v, %v", no, parts, err)
		}
		at := rapid.IntRange(0, 20).Draw(t, "at")
		digit := byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		if no[at] != digit {
			if _, err := ParseCaseNo(no[:at] + string(digit) + no[at+1:]); err == nil {
				t.Fatalf("%s with %c at %d passes", no, digit, at)
			}
		}
	})
}

func TestCaseNoPanicsOnNonsense(t *testing.T) {
	noon := time.Date(2026, 2, 14, 4, 0, 0, 0, time.UTC)
	for name, call := range map[string]func(){
		"division":        func() { CaseNo("4401", noon, 1) },
		"letters":         func() { CaseNo("44010A", noon, 1) },
		"negative serial": func() { CaseNo("440106", noon, -1) },
		"serial too big":  func() { CaseNo("440106", noon, MaxSerial+1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}
