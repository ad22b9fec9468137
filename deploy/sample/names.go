package sample

import "iter"

// NameText is what a search index needs of an item.
type NameText struct {
	ItemCode       string
	Division       string
	DivisionName   string
	Department     string
	DepartmentName string
	Name           string
	// Text is the summary a reader sees below the name.
	Text string
	// FullOnline and the service objects are there to filter by.
	FullOnline     bool
	ServiceObjects []string
}

// Names yields the items of the whole province, hall by hall, until n have been
// given: over 500,000 exist, all with their own code. The same n are yielded on
// every run.
func Names(n int) iter.Seq[NameText] {
	return func(yield func(NameText) bool) {
		given := 0
		for _, d := range Province() {
			for it := range hallNames(d) {
				if given == n || !yield(it) {
					return
				}
				given++
			}
		}
	}
}

// hallNames yields the core services and then the whole generated directory of
// a hall, one guide at a time.
func hallNames(d Division) iter.Seq[NameText] {
	return func(yield func(NameText) bool) {
		for _, it := range CoreItems(d) {
			if !yield(nameText(it, d)) {
				return
			}
		}
		for i, k := range kinds() {
			if (d.Level != LevelCity && d.Level != LevelCounty) || !k.at(d) {
				continue
			}
			dep := departmentOf(k, d)
			for _, e := range entries()[i] {
				it := itemOf(dep, d, "", dep.Level, compose(e, dep.USCC))
				if !yield(nameText(it, d)) {
					return
				}
			}
		}
	}
}

func nameText(it Item, d Division) NameText {
	return NameText{
		ItemCode: it.ItemCode, Division: d.Code, DivisionName: d.Name,
		Department: it.Department, DepartmentName: it.DepartmentName,
		Name: it.Name, Text: it.Summary,
		FullOnline: it.FullOnline(), ServiceObjects: it.ServiceObjects,
	}
}
