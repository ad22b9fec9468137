package sample

import "sync"

// The size of Huizhou's hall in early 2014.
const (
	HuizhouDepartments  = 382
	HuizhouItems        = 6494
	HuizhouTownItems    = 49
	HuizhouVillageItems = 5
)

// huizhouCode is the division of Huizhou.
const huizhouCode = "441300"

// HallData is everything a city and its counties start with.
type HallData struct {
	// City first, then its counties.
	Divisions   []Division
	Departments []Department
	// Items of the city and its counties; the core services are among them.
	Items []Item
	// TownItems and VillageItems are the common items of every town and every
	// village, kept once for the city, by the first county's body for towns.
	TownItems    []Item
	VillageItems []Item
}

var huizhou = sync.OnceValue(func() *HallData {
	city, ok := FindDivision(huizhouCode)
	if !ok {
		panic("sample: divisions.csv has no Huizhou") // embedded: cannot differ from what the tests saw
	}
	h := &HallData{Divisions: append([]Division{city}, Children(huizhouCode)...)}
	// The counties get an equal share each; the city, which has more bodies, what
	// is left.
	n := HuizhouItems - countyItems*(len(h.Divisions)-1)
	for _, d := range h.Divisions {
		h.Departments = append(h.Departments, Departments(d)...)
		h.Items = append(h.Items, HallItems(d, n)...)
		n = countyItems
	}
	model := h.Divisions[1]
	h.TownItems = StationItems(model, "5")
	h.VillageItems = StationItems(model, "6")
	return h
})

// countyItems is the number of items of one county of Huizhou.
const countyItems = 1074

// Huizhou returns the halls of Huizhou city and its five counties: 382
// departments and 6,494 items, 49 common items of towns and 5 of villages. The
// data is made once and shared: callers must not change it.
func Huizhou() *HallData { return huizhou() }

// HallItems returns n items of a city or county hall: the core services first,
// then generated ones, each department getting a share by how much it deals
// with. Fewer come back only where the directory holds no more.
func HallItems(d Division, n int) []Item {
	out := CoreItems(d)
	if len(out) > n {
		return out[:n]
	}
	var bodies []*kind
	total := 0
	for i, k := range kinds() {
		if k.at(d) {
			bodies = append(bodies, k)
			total += len(entries()[i])
		}
	}
	want := min(n-len(out), total)
	// Largest shares by rounding the running sum: exact in total without a
	// second pass.
	seen, given := 0, 0
	for _, k := range bodies {
		of := entries()[k.index]
		seen += len(of)
		share := seen*want/total - given
		given += share
		dep := departmentOf(k, d)
		for _, e := range of[:share] {
			it := itemOf(dep, d, "", dep.Level, compose(e, dep.USCC))
			it.Legacy = e.legacy()
			out = append(out, it)
		}
	}
	return out
}
