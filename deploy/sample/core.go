package sample

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

//go:embed services/*.json
var serviceFiles embed.FS

var core = sync.OnceValue(func() []Service {
	names, err := fs.Glob(serviceFiles, "services/*.json")
	if err != nil {
		panic(fmt.Sprintf("sample: services: %v", err)) // embedded: cannot differ from what the tests saw
	}
	out := make([]Service, 0, len(names))
	for _, name := range names {
		raw, err := serviceFiles.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("sample: %s: %v", name, err))
		}
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.DisallowUnknownFields()
		var s Service
		if err := dec.Decode(&s); err != nil {
			panic(fmt.Sprintf("sample: %s: %v", name, err))
		}
		s.Form = formOf(s.ID)
		out = append(out, s)
	}
	return out
})

// Core returns the guides of the services people ask for most, in the order of
// their ids. The slices are shared: callers must not change them.
func Core() []Service { return append([]Service(nil), core()...) }

// CoreItems returns the core services as the departments of one city or county
// hall do them, in the order of [Core]. Every hall gets all of them, so that any
// single hall is a useful one.
func CoreItems(d Division) []Item {
	byID := make(map[string]Department)
	for _, dep := range Departments(d) {
		byID[dep.ID] = dep
	}
	var out []Item
	for _, s := range core() {
		dep, ok := byID[s.Body]
		if !ok {
			continue
		}
		out = append(out, itemOf(dep, d, s.ID, dep.Level, s.Guide))
	}
	return out
}

// itemOf puts a guide into the hands of a department.
func itemOf(dep Department, d Division, serviceID, level string, g Guide) Item {
	return Item{
		ItemCode:       dep.USCC + level + g.BaseCode,
		ServiceID:      serviceID,
		Division:       d.Code,
		Department:     dep.ID,
		DepartmentName: dep.Name,
		USCC:           dep.USCC,
		Level:          level,
		Guide:          g.fill(dep, d),
	}
}

// fill writes the names of a place into a guide. Slices without placeholders
// are shared with the template.
func (g Guide) fill(dep Department, d Division) Guide {
	r := strings.NewReplacer(
		"{city}", cityOf(d).Name,
		"{division}", d.Name,
		"{department}", dep.Name,
		"{area}", d.AreaCode,
	)
	g.Place = r.Replace(g.Place)
	g.Hours = r.Replace(g.Hours)
	g.ConsultPhone = r.Replace(g.ConsultPhone)
	g.ComplaintPhone = r.Replace(g.ComplaintPhone)
	g.Summary = r.Replace(g.Summary)
	g.Result.Sample = r.Replace(g.Result.Sample)
	return g
}
