package sample

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
)

//go:embed stations.csv
var stationsCSV string

// townBody is the kind of body that keeps the common items of towns and
// villages for a county.
const townBody = "township-affairs"

// stationEntries are the common items that every town (5) or village (6) does.
var stationEntries = sync.OnceValue(func() map[string][]*entry {
	rows, err := csv.NewReader(strings.NewReader(stationsCSV)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("sample: stations.csv: %v", err)) // embedded: cannot differ from what the tests saw
	}
	var town *kind
	for _, k := range kinds() {
		if k.Slug == townBody {
			town = k
		}
	}
	out := make(map[string][]*entry)
	for i, r := range rows[1:] {
		k := *town
		k.PersonTheme = r[2]
		out[r[0]] = append(out[r[0]], &entry{
			kind: &k, typ: r[1], subject: r[3], persons: true,
			act: act{verb: "办", kind: actNew},
			// Department number 99 keeps them apart from those of departments.
			code: fmt.Sprintf("44%s99%03d000", r[1], i+1),
		})
	}
	return out
})

// stationGuides are the common items of a level before a body takes them over.
func stationGuides(level string) []Guide {
	var out []Guide
	for _, e := range stationEntries()[level] {
		out = append(out, compose(e, level))
	}
	return out
}

// StationItems returns the common items that every town (level 5, 49 of them) or
// village (level 6, 5) of a county does, as the county's body for towns keeps
// them; nothing for other divisions, which have no such body.
func StationItems(county Division, level string) []Item {
	var out []Item
	for _, dep := range Departments(county) {
		if dep.ID != townBody {
			continue
		}
		for _, g := range stationGuides(level) {
			g.Place = map[string]string{"5": "各镇（街道）便民服务中心", "6": "各村（社区）便民服务点"}[level]
			out = append(out, itemOf(dep, county, "", level, g))
		}
	}
	return out
}
