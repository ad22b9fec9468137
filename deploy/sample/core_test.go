package sample

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/codes"
)

func TestCoreIsLargeEnoughAndCodesAreTheirOwn(t *testing.T) {
	if n := len(Core()); n < 64 {
		t.Fatalf("%d services, want at least 64", n)
	}
	ids, names, base := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for _, s := range Core() {
		if ids[s.ID] || names[s.Name] || base[s.BaseCode] {
			t.Errorf("%s: id, name or base code twice", s.ID)
		}
		ids[s.ID], names[s.Name], base[s.BaseCode] = true, true, true
		if _, err := codes.BaseCode(s.BaseCode); err != nil {
			t.Errorf("%s: base code %s: %v", s.ID, s.BaseCode, err)
		}
	}
}

// A guide is complete when a person who has never been to an office can follow
// it: enough words in every part, none too long to be read.
func TestCoreGuidesAreComplete(t *testing.T) {
	for _, s := range Core() {
		if n := len(s.Materials); n < 2 || n > 7 {
			t.Errorf("%s: %d materials", s.ID, n)
		}
		for what, n := range map[string]int{
			"aliases": len(s.Aliases), "legal basis": len(s.LegalBasis), "conditions": len(s.Conditions),
			"tips": len(s.Tips), "online depth": len(s.OnlineDepth), "handling forms": len(s.HandlingForms),
			"place": len(s.Place), "hours": len(s.Hours), "statutory basis": len(s.StatutoryBasis),
		} {
			if n == 0 {
				t.Errorf("%s: no %s", s.ID, what)
			}
		}
		if n := utf8.RuneCountInString(s.Summary); n < 10 || n > 120 {
			t.Errorf("%s: summary of %d characters", s.ID, n)
		}
		if n := utf8.RuneCountInString(s.Result.Sample); n > 200 {
			t.Errorf("%s: sample of %d characters", s.ID, n)
		}
		for _, a := range s.Aliases {
			if n := utf8.RuneCountInString(a); n < 2 || n > 20 {
				t.Errorf("%s: alias %q", s.ID, a)
			}
		}
		if s.ItemType == TypeLicense && s.Visits == 0 && !s.FullOnline() && !slices.Contains(s.HandlingForms, "2") {
			t.Errorf("%s: no visit, but how to apply?", s.ID)
		}
	}
}

func TestCoreTextsAreCleanSimplifiedChinese(t *testing.T) {
	const traditional = "辦證護區縣國發會業員電話網點學醫療險關"
	for _, s := range Core() {
		texts := append([]string{s.Name, s.Summary, s.Place, s.Hours, s.VisitReason, s.StatutoryBasis}, s.Conditions...)
		texts = append(append(texts, s.Tips...), s.Aliases...)
		for _, f := range s.FAQ {
			texts = append(texts, f.Question, f.Answer)
		}
		for _, m := range s.Materials {
			texts = append(texts, m.Name, m.Notes)
		}
		for _, text := range texts {
			if strings.ContainsAny(text, traditional) {
				t.Errorf("%s: traditional characters in %q", s.ID, text)
			}
			if text == "" {
				continue
			}
			if clean, err := codes.Text(text, 1000); err != nil || clean != text {
				t.Errorf("%s: %q is not clean text: %q, %v", s.ID, text, clean, err)
			}
		}
	}
}

// What people type must lead to the service they mean.
func TestCoreKnowsPlainNames(t *testing.T) {
	for alias, id := range map[string]string{
		"办结婚证": "marriage-registration", "给孩子上户口": "birth-registration", "二孩生育登记": "birth-service-registration",
		"补办身份证": "id-card", "异地就医": "medical-remote-filing", "失业金": "unemployment-benefit",
		"二手房过户": "real-estate-transfer", "办营业执照": "sole-trader-setup", "注册公司": "company-setup",
		"劳动仲裁": "labour-arbitration", "烟草证": "tobacco-retail-licence", "港澳通行证": "hk-macau-permit",
	} {
		found := false
		for _, s := range Core() {
			found = found || s.ID == id && slices.Contains(s.Aliases, alias)
		}
		if !found {
			t.Errorf("%s does not lead to %s", alias, id)
		}
	}
}

func TestLegalBasisText(t *testing.T) {
	g := Guide{LegalBasis: []Basis{{Law: "中华人民共和国护照法", Article: "第五条"}, {Law: "代理记账管理办法（财政部令第98号）"}}}
	want := "《中华人民共和国护照法》第五条\n《代理记账管理办法》（财政部令第98号）"
	if got := g.LegalBasisText(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFeeAmount(t *testing.T) {
	for standard, want := range map[string]int64{"20元/证": 2000, "550元/件": 55000, "一次有效15元，二次有效30元": 0, "按件收取": 0} {
		if got := (Fee{Standard: standard}).AmountFen(); got != want {
			t.Errorf("%s: %d fen, want %d", standard, got, want)
		}
	}
}
