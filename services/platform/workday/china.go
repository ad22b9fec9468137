package workday

import (
	_ "embed" // for the table below
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
	"time"
)

// china.csv holds the facts and names their sources.
//
//go:embed china.csv
var chinaCSV string

const (
	chinaVersion = "cn-2026.1"
	chinaFirst   = 2012
	chinaLast    = 2026
)

// China is the calendar this program was built with: all notices for 2012 to 2026.
func China() *Calendar { return china() }

// The table is part of the program, so a mistake in it is a mistake of the program.
var china = sync.OnceValue(func() *Calendar {
	changes, err := parseChanges(chinaCSV)
	if err != nil {
		panic(err)
	}
	return newCalendar(chinaVersion, NewDate(chinaFirst, time.January, 1), NewDate(chinaLast, time.December, 31), changes)
})

// parseChanges reads a table of date, kind and name.
func parseChanges(table string) (map[Date]Change, error) {
	r := csv.NewReader(strings.NewReader(table))
	r.Comment = '#'
	r.FieldsPerRecord = 3
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("workday: %w", err)
	}
	changes := make(map[Date]Change, len(rows))
	for i, row := range rows {
		if i == 0 {
			continue // names of the columns
		}
		d, err := ParseDate(row[0])
		if err != nil {
			return nil, err
		}
		kind := Kind(row[1])
		if _, twice := changes[d]; twice || (kind != Off && kind != Makeup) {
			return nil, fmt.Errorf("workday: row %d of the calendar: %q twice or of unknown kind %q", i, d, kind)
		}
		changes[d] = Change{Date: d, Kind: kind, Name: row[2]}
	}
	return changes, nil
}
