package codes

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
)

func TestCleanName(t *testing.T) {
	for _, name := range []string{
		"张三", "一", "𠮷田", "𬭊", "阿依古丽·买买提", "尼格买提•热合曼", "葛\U000e0100城", "སྐྱིད་པ་", "محمد", "O'Neil-Smith", "José Núñez",
		"广州市人力资源和社会保障局（本级）", "甲&乙（广东）有限公司", "3M中国有限公司", "\ue863", strings.Repeat("名", 60), strings.Repeat("名", MaxName),
		"中　南公司", "C+科技",
	} {
		if got, err := CleanName(name); got != name || err != nil {
			t.Errorf("CleanName(%q) = %q, %v", name, got, err)
		}
		if got, _ := CleanName("\u3000 " + name + "\t\n"); got != name {
			t.Errorf("the blanks around %q stay: %q", name, got)
		}
	}
	for what, name := range map[string]string{
		"empty":                  "",
		"blanks":                 " \u3000\t\n",
		"override":               "张\u202e三",
		"isolate":                "张\u2067三",
		"left-to-right mark":     "张\u200e三",
		"zero-width joiner":      "张\u200d三",
		"zero-width space":       "张\u200b三",
		"byte-order mark":        "张\ufeff三",
		"word joiner":            "张\u2060三",
		"soft hyphen":            "张\u00ad三",
		"tag character":          "张\U000e0041三",
		"Hangul filler":          "张\u3164三",
		"combining joiner":       "张\u034f三",
		"blank braille":          "张\u2800三",
		"NUL":                    "张\x00三",
		"escape":                 "张\x1b三",
		"line break":             "张\n三",
		"line separator":         "张\u2028三",
		"surrogate in UTF-8":     "张\xed\xa0\x80三",
		"broken UTF-8":           "张\xff",
		"replacement character":  "张\ufffd",
		"non-character":          "张\ufffe",
		"mark flood":             "张" + strings.Repeat("\u0301", 1000),
		"nine marks":             "a" + strings.Repeat("\u0301", 9),
		"emoji":                  "张😀",
		"only punctuation":       "···",
		"only digits":            "12345",
		"too long":               strings.Repeat("名", MaxName+1),
		"ten megabytes":          strings.Repeat("名", 10<<20/3),
		"ten megabytes of marks": "a" + strings.Repeat("\u0301", 5<<20),
	} {
		if got, err := CleanName(name); got != "" || !errors.Is(err, fault.BadName) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
}

func TestText(t *testing.T) {
	for _, text := range []string{
		"材料已收到。", "第一行\n第二行\r\n第三行\u2028第四行\t完", "很好👍", `<script>alert(1)</script>`, `=cmd|' /C calc'!A0`, `{{7*7}}`,
		`'; DROP TABLE cases; --`, `$(rm -rf /)`, `%s%n`, `*)(uid=*`, "![x](javascript:alert(1))", "x\n{\"level\":\"info\"", "12345",
	} {
		if got, err := Text(text, 100); got != text || err != nil {
			t.Errorf("Text(%q) = %q, %v", text, got, err)
		}
	}
	if got, _ := Text(" \n 好 \u3000", 1); got != "好" {
		t.Errorf("the blanks around stay: %q", got)
	}
	for what, text := range map[string]string{
		"blanks": " \n\t\u3000", "too long": "一二三四五六七八九十一", "huge": strings.Repeat("a", 10<<20), "NUL": "a\x00b",
		"override": "a\u202eb", "zero width": "a\u200bb", "broken": "a\xc3", "bell": "a\ab", "flood": "a" + strings.Repeat("\u0300", 9),
	} {
		if got, err := Text(text, 10); got != "" || !errors.Is(err, fault.BadText) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
}

func TestLine(t *testing.T) {
	if got, err := Line(" 营业执照 副本 ", 10); got != "营业执照 副本" || err != nil {
		t.Errorf("Line = %q, %v", got, err)
	}
	for _, s := range []string{"a\nb", "a\rb", "a\tb", "a\u2028b", "a\u2029b", ""} {
		if _, err := Line(s, 10); !errors.Is(err, fault.BadText) {
			t.Errorf("Line(%q) = %v", s, err)
		}
	}
}

// Whatever passes is valid UTF-8, within its length, trimmed, and passes again unchanged.
func TestTextIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		got, err := Text(s, 50)
		if err != nil {
			return
		}
		again, err := Text(got, 50)
		if again != got || err != nil || !utf8.ValidString(got) || utf8.RuneCountInString(got) > 50 || strings.ContainsRune(got, 0) {
			t.Fatalf("Text(%q) = %q, then %q, %v", s, got, again, err)
		}
	})
}
