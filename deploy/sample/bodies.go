package sample

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// Department is one body that handles items.
type Department struct {
	// ID is unique within a hall and the same for the same kind of body in
	// every hall, as public-security.
	ID       string
	Name     string
	USCC     string
	Division string
	// Level is the exercise level: 3 city, 4 county.
	Level string
	// Nature is the code of GB/T 39046-2020 table A.3.
	Nature  int
	Address string
	Phone   string
}

// kind is a kind of body that every city or county has, and what it deals with.
type kind struct {
	index       int
	Slug        string `json:"slug"`
	City        string `json:"city"`
	County      string `json:"county"`
	Number      string `json:"number"`
	Hotline     string `json:"hotline"`
	PersonTheme string `json:"person_theme"`
	LegalTheme  string `json:"legal_theme"`
	Where       string `json:"where"`
	// Subjects by item type. A last * marks those of persons only, + those of
	// persons and legal persons, - those of legal persons only.
	Subjects map[string][]string `json:"subjects"`
}

func (k *kind) at(d Division) bool {
	return k.Where == "both" || k.Where == d.Level
}

//go:embed bodies.json
var bodiesJSON string

var kinds = sync.OnceValue(func() []*kind {
	var out []*kind
	if err := json.Unmarshal([]byte(bodiesJSON), &out); err != nil {
		panic(fmt.Sprintf("sample: bodies.json: %v", err)) // embedded: cannot differ from what the tests saw
	}
	for i, k := range out {
		k.index = i
	}
	return out
})

// Departments returns the bodies of a city or county, in a fixed order; nothing
// for a province or town.
func Departments(d Division) []Department {
	if d.Level != LevelCity && d.Level != LevelCounty {
		return nil
	}
	var out []Department
	for _, k := range kinds() {
		if k.at(d) {
			out = append(out, departmentOf(k, d))
		}
	}
	return out
}

// institutions are the endings of names that no organ of state has.
var institutions = []string{"中心", "公证处", "仲裁院", "保健院", "管理所", "公司", "供电局", "法律援助处", "管理部"}

func departmentOf(k *kind, d Division) Department {
	pattern := k.City
	if d.Level == LevelCounty {
		pattern = k.County
	}
	name := strings.ReplaceAll(pattern, "{d}", d.Name)
	nature := 1
	for _, suffix := range institutions {
		if strings.HasSuffix(name, suffix) {
			nature = 2
		}
	}
	return Department{
		ID:       k.Slug,
		Name:     name,
		USCC:     departmentUSCC(k, d),
		Division: d.Code,
		Level:    d.ExerciseLevel(),
		Nature:   nature,
		Address:  fmt.Sprintf("%s政务服务中心%d号窗口", d.Name, k.index+1),
		Phone:    d.AreaCode + "-" + k.Hotline,
	}
}

// departmentUSCC starts with 11 (organ of the state), then the division, then an
// invented organisation code: YL (样例), four digits of the division, two of
// the kind. Kinds are only ever added at the end of bodies.json, so codes stay.
func departmentUSCC(k *kind, d Division) string {
	org := makeOrgCode(fmt.Sprintf("YL%s%02d", d.Code[2:6], k.index))
	return makeUSCC("11", d.Code[:6], org)
}
