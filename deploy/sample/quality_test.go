package sample

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/onehall/onehall/services/platform/codes"
)

// quality holds an item against the publishing rules Q1 to Q12, warnings
// included, and says what is wrong.
func quality(it *Item) []string {
	var wrong []string
	bad := func(ok bool, rule, text string) {
		if !ok {
			wrong = append(wrong, rule+" "+text)
		}
	}
	online := slices.Contains(it.HandlingForms, "2") || slices.Contains(it.HandlingForms, "3")
	bad((it.Promised.Value == 0) == (it.CaseType == CaseInstant), "Q1", "instant if and only if promised 0")
	bad(it.Promised.Unit == it.Statutory.Unit && it.Promised.Value <= it.Statutory.Value, "Q2", "promised beyond statutory")
	bad((it.Visits > 0) == (it.VisitReason != ""), "Q3", "visits and reason")
	bad(it.Visits > 0 || online || slices.Contains(it.HandlingForms, "4"), "Q4", "no way to apply without a visit")
	bad(it.DepthLevel() != 4 || it.Visits == 0, "Q5", "depth IV with visits")
	bad((len(it.Fees) > 0) == it.OnlinePayment, "Q6", "online payment if and only if charged")
	for _, f := range it.Fees {
		bad(f.Name != "" && f.Standard != "" && f.Basis != "", "Q6", "incomplete fee")
	}
	persons := slices.Contains(it.ServiceObjects, ObjectPerson)
	legals := len(it.ServiceObjects) > 1 || !persons
	bad(persons == (len(it.PersonThemes) > 0), "Q7", "person themes")
	bad(legals == (len(it.LegalThemes) > 0), "Q7", "legal themes")
	for _, phone := range []string{it.ConsultPhone, it.ComplaintPhone} {
		normal, err := codes.Phone(phone)
		bad(err == nil && normal == phone && phone[0] == '0', "Q8", "phone "+phone)
	}
	bad(it.ConsultPhone != it.ComplaintPhone, "Q8", "one phone for both")
	wrong = append(wrong, guideQuality(&it.Guide)...)
	parts, err := codes.ParseItemCode(it.ItemCode)
	bad(err == nil, "Q11", "item code "+it.ItemCode)
	bad(parts.USCC == it.USCC && fmt.Sprint(parts.Level) == it.Level &&
		parts.Base.Type == it.ItemType && parts.BaseCode() == it.BaseCode, "Q11", "code parts "+it.ItemCode)
	return wrong
}

// guideQuality is Q9, Q10 and the part of Q12 that concerns the words.
func guideQuality(g *Guide) []string {
	var wrong []string
	bad := func(ok bool, rule, text string) {
		if !ok {
			wrong = append(wrong, rule+" "+text)
		}
	}
	bad(len(g.FAQ) >= 2, "Q9", "questions")
	kinds, days := "", 0
	for _, s := range g.Steps {
		kinds += s.Kind + " "
		days += s.Days
		bad(s.Name != "" && s.Text != "", "Q9", "step without words")
	}
	bad(kinds == "accept examine approve finish deliver ", "Q9", kinds)
	bad(days == g.Promised.Value, "Q9", "steps do not add up to the promise")
	bad(g.Result.Name != "" && g.Result.Sample != "", "Q10", "sample")
	bad(g.Result.Type == resultType(g.Result.Name), "Q10", "type of "+g.Result.Name)
	for _, m := range g.Materials {
		bad(m.Name != "" && !strings.Contains(m.Name, "其他材料") && !strings.Contains(m.Name, "其它材料"), "Q12", "material "+m.Name)
		bad(m.Copies > 0, "Q12", "copies of "+m.Name)
	}
	return wrong
}

// resultType is the type that the name of a result makes a reader expect.
func resultType(name string) string {
	for _, suffix := range []string{"证", "证书", "照", "证明", "簿", "卡"} {
		if strings.HasSuffix(name, suffix) {
			return ResultCertificate
		}
	}
	for _, suffix := range []string{"批复", "决定书", "意见书"} {
		if strings.HasSuffix(name, suffix) {
			return ResultApproval
		}
	}
	return ResultDocument
}

// checkAll runs the rules over items and the uniqueness of names and codes.
func checkAll(t *testing.T, items []Item) {
	t.Helper()
	names, itemCodes := make(map[string]bool), make(map[string]bool)
	for i := range items {
		it := &items[i]
		for _, w := range quality(it) {
			t.Errorf("%s %s: %s", it.DepartmentName, it.Name, w)
		}
		key := it.Division + "/" + it.Department + "/" + it.Level + "/" + it.Name
		if names[key] {
			t.Errorf("Q12 %s: name twice", key)
		}
		if itemCodes[it.ItemCode] {
			t.Errorf("%s: code %s twice", it.Name, it.ItemCode)
		}
		names[key], itemCodes[it.ItemCode] = true, true
	}
}

func TestCoreItemsPassTheQualityRulesInEveryHall(t *testing.T) {
	halls := 0
	for _, d := range Province() {
		items := CoreItems(d)
		if d.Level == LevelProvince {
			if len(items) != 0 {
				t.Errorf("%s: %d items, a province implements none", d.Name, len(items))
			}
			continue
		}
		halls++
		if len(items) != len(Core()) {
			t.Errorf("%s: %d items of %d services", d.Name, len(items), len(Core()))
		}
		checkAll(t, items)
	}
	if halls != 143 {
		t.Errorf("%d halls, want 143", halls)
	}
}

func TestHuizhouPassesTheQualityRules(t *testing.T) {
	h := Huizhou()
	checkAll(t, h.Items)
	checkAll(t, h.TownItems)
	checkAll(t, h.VillageItems)
}
