package sample

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
)

// Levels of a division.
const (
	LevelProvince = "province"
	LevelCity     = "city"
	LevelCounty   = "county"
	LevelTown     = "town"
)

// Division is one place of government.
type Division struct {
	// Code has six digits, for a town nine.
	Code   string
	Name   string
	Level  string
	Parent string
	// AreaCode is the telephone area code; the province has none.
	AreaCode string
}

// ExerciseLevel is the digit of GB/T 39046-2020 table A.2.
func (d Division) ExerciseLevel() string {
	switch d.Level {
	case LevelProvince:
		return "2"
	case LevelCity:
		return "3"
	case LevelCounty:
		return "4"
	default:
		return "5"
	}
}

//go:embed divisions.csv
var divisionsCSV string

var divisions = sync.OnceValue(func() []Division {
	rows, err := csv.NewReader(strings.NewReader(divisionsCSV)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("sample: divisions.csv: %v", err)) // embedded: cannot differ from what the tests saw
	}
	out := make([]Division, 0, len(rows)-1)
	for _, r := range rows[1:] {
		out = append(out, Division{Code: r[0], Name: r[1], Level: r[2], Parent: r[3], AreaCode: r[4]})
	}
	return out
})

// Province returns Guangdong, its 21 cities and its 122 counties, parents
// before children, in code order within a level.
func Province() []Division {
	var out []Division
	for _, d := range divisions() {
		if d.Level != LevelTown {
			out = append(out, d)
		}
	}
	return out
}

// Towns returns the towns and streets below a county. The sample holds those of
// Huizhou only.
func Towns(county string) []Division {
	var out []Division
	for _, d := range divisions() {
		if d.Level == LevelTown && d.Parent == county {
			out = append(out, d)
		}
	}
	return out
}

// Children returns the divisions directly below code.
func Children(code string) []Division {
	var out []Division
	for _, d := range divisions() {
		if d.Parent == code {
			out = append(out, d)
		}
	}
	return out
}

// FindDivision looks a division up by its code.
func FindDivision(code string) (Division, bool) {
	for _, d := range divisions() {
		if d.Code == code {
			return d, true
		}
	}
	return Division{}, false
}

// cityOf is the city a division lies in: itself for a city or the province.
func cityOf(d Division) Division {
	for d.Level == LevelCounty || d.Level == LevelTown {
		up, ok := FindDivision(d.Parent)
		if !ok {
			return d
		}
		d = up
	}
	return d
}
