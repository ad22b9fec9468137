package sample

import (
	"reflect"
	"strings"
	"testing"

	"github.com/onehall/onehall/services/platform/codes"
)

func TestProvinceCounts(t *testing.T) {
	count := make(map[string]int)
	seen := make(map[string]bool)
	for _, d := range Province() {
		count[d.Level]++
		if seen[d.Code] {
			t.Errorf("%s twice", d.Code)
		}
		seen[d.Code] = true
		if d.Level != LevelProvince && (!seen[d.Parent] || d.AreaCode == "") {
			t.Errorf("%s: parent %q not before it, or no area code", d.Name, d.Parent)
		}
		if _, err := codes.Division6(d.Code); err != nil {
			t.Errorf("%s: %v", d.Code, err)
		}
	}
	if want := map[string]int{LevelProvince: 1, LevelCity: 21, LevelCounty: 122}; !reflect.DeepEqual(count, want) {
		t.Errorf("got %v, want %v", count, want)
	}
	for _, city := range []string{"441900", "442000"} { // Dongguan and Zhongshan
		if n := len(Children(city)); n != 0 {
			t.Errorf("%s has %d counties, want none", city, n)
		}
	}
}

func TestHuizhouCounts(t *testing.T) {
	h := Huizhou()
	for what, c := range map[string][2]int{
		"divisions": {len(h.Divisions), 6}, "departments": {len(h.Departments), HuizhouDepartments},
		"items": {len(h.Items), HuizhouItems}, "town items": {len(h.TownItems), HuizhouTownItems},
		"village items": {len(h.VillageItems), HuizhouVillageItems},
	} {
		if c[0] != c[1] {
			t.Errorf("%d %s, want %d", c[0], what, c[1])
		}
	}
	uscc, busy := make(map[string]bool), make(map[string]int)
	for _, it := range h.Items {
		busy[it.USCC]++
	}
	for _, dep := range h.Departments {
		if normal, err := codes.USCC(dep.USCC); err != nil || normal != dep.USCC || !strings.HasPrefix(dep.USCC, "114413") {
			t.Errorf("%s: USCC %s: %v", dep.Name, dep.USCC, err)
		}
		if _, err := codes.OrgCode(dep.USCC[8:17]); err != nil {
			t.Errorf("%s: organisation code %s: %v", dep.Name, dep.USCC[8:17], err)
		}
		if uscc[dep.USCC] {
			t.Errorf("%s: USCC twice", dep.Name)
		}
		uscc[dep.USCC] = true
		if busy[dep.USCC] == 0 {
			t.Errorf("%s has no item", dep.Name)
		}
	}
}

// The four types of 2014: licenses, non-license approvals (as a legacy mark on
// other powers), public services, others.
func TestHuizhouHasAllTypesOf2014(t *testing.T) {
	count := make(map[string]int)
	for _, it := range Huizhou().Items {
		switch {
		case it.Legacy == LegacyNonLicense:
			count["non-license"]++
			if it.ItemType != TypeOtherPower {
				t.Errorf("%s: legacy mark on type %s", it.Name, it.ItemType)
			}
		case it.ItemType == TypeLicense, it.ItemType == TypePublicService:
			count[it.ItemType]++
		default:
			count["other"]++
		}
	}
	for _, typ := range []string{TypeLicense, "non-license", TypePublicService, "other"} {
		if count[typ] < 300 {
			t.Errorf("type %s: %d items, want at least 300: %v", typ, count[typ], count)
		}
	}
}

func TestGenerationIsDeterministic(t *testing.T) {
	d, ok := FindDivision("441302")
	if !ok {
		t.Fatal("no 441302")
	}
	if !reflect.DeepEqual(HallItems(d, 500), HallItems(d, 500)) {
		t.Error("two runs differ")
	}
	if !reflect.DeepEqual(Applicants(7, 100), Applicants(7, 100)) {
		t.Error("two runs of applicants differ")
	}
	// A value written down: the same on every machine and with every release.
	if got := newRNG(1).next(); got != 0x910a2dec89025cc1 {
		t.Errorf("generator gives %#x", got)
	}
}

func TestDirectoryHoldsEveryItem(t *testing.T) {
	dir := make(map[string]BaseItem)
	for _, b := range Directory() {
		if other, twice := dir[b.BaseCode]; twice {
			t.Errorf("base code %s is %s and %s", b.BaseCode, other.Name, b.Name)
		}
		dir[b.BaseCode] = b
		if parts, err := codes.ParseBaseCode(b.BaseCode); err != nil || parts.Type != b.ItemType {
			t.Errorf("%s: base code %s: %v", b.Name, b.BaseCode, err)
		}
	}
	h := Huizhou()
	for _, items := range [][]Item{h.Items, h.TownItems, h.VillageItems} {
		for _, it := range items {
			if b, ok := dir[it.BaseCode]; !ok || b.Name != it.Name || b.Legacy != it.Legacy {
				t.Errorf("%s %s: directory says %q", it.BaseCode, it.Name, b.Name)
			}
		}
	}
}

func TestNamesFillAProvince(t *testing.T) {
	const n = 130_000
	seen := make(map[string]bool, n)
	for it := range Names(n) {
		if seen[it.ItemCode] || it.Name == "" || it.Text == "" {
			t.Fatalf("%+v: twice or empty", it)
		}
		seen[it.ItemCode] = true
	}
	if len(seen) != n {
		t.Errorf("%d names, want %d", len(seen), n)
	}
	for range Names(0) {
		t.Fatal("Names(0) yields")
	}
}

func TestApplicantsAreValidAndInvented(t *testing.T) {
	companies := 0
	seen := make(map[string]bool)
	for _, a := range Applicants(1, 5000) {
		check := codes.ResidentID
		if a.Company {
			companies++
			check = codes.USCC
		}
		if normal, err := check(a.IDNumber); err != nil || normal != a.IDNumber {
			t.Errorf("%s: %s: %v", a.Name, a.IDNumber, err)
		}
		if !a.Company && a.IDNumber[:6] != "441300" {
			t.Errorf("%s: division %s could be somebody's", a.Name, a.IDNumber[:6])
		}
		if phone, err := codes.Phone(a.Phone); err != nil || phone != a.Phone || a.Phone[:3] != "154" {
			t.Errorf("%s: phone %s: %v", a.Name, a.Phone, err)
		}
		if _, err := codes.CleanName(a.Name); err != nil {
			t.Errorf("%s: %v", a.Name, err)
		}
		if seen[a.IDNumber] {
			t.Errorf("%s twice", a.IDNumber)
		}
		seen[a.IDNumber] = true
	}
	if companies < 1000 || companies > 1500 {
		t.Errorf("%d companies of 5000, want about a quarter", companies)
	}
}

func TestOfficialsAreUnique(t *testing.T) {
	h := Huizhou()
	subjects, numbers := make(map[string]bool), make(map[string]bool)
	var all []Official
	for _, d := range h.Divisions {
		all = append(all, HallOfficials(d)...)
	}
	for _, dep := range h.Departments {
		all = append(all, Officials(dep)...)
	}
	for _, o := range all {
		if subjects[o.Subject] || numbers[o.StaffNo] || o.Name == "" {
			t.Errorf("%+v: twice or nameless", o)
		}
		subjects[o.Subject], numbers[o.StaffNo] = true, true
	}
	if want := 6*4 + HuizhouDepartments*6; len(all) != want {
		t.Errorf("%d officials, want %d", len(all), want)
	}
}
