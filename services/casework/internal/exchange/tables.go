// Package exchange knows the ten tables by which halls, departments and supervision in
// Guangdong tell each other of cases (办事过程信息): what their columns are, whether a row
// is good, and in which order rows tell the story of a case. It knows no database and no
// contract.
package exchange

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// The tables, in the order in which they come about.
const (
	Application  = "EX_GDBS_SB"
	PreAccept    = "EX_GDBS_WSYSL"
	Acceptance   = "EX_GDBS_SL"
	Approval     = "EX_GDBS_SPCL"
	Notice       = "EX_GDBS_BJGZ"
	Receipt      = "EX_GDBS_BJSL"
	SpecialStart = "EX_GDBS_TBCXSQ"
	SpecialEnd   = "EX_GDBS_TBCXJG"
	Finish       = "EX_GDBS_BJ"
	Collection   = "EX_GDBS_LQDJ"
)

// aliases are the names that some systems give two of the tables.
var aliases = map[string]string{"EX_GDBS_BZGZ": Notice, "EX_GDBS_BZSL": Receipt}

// VersionColumn is in every table beside its own columns: 1 at first, one more each time
// the row is corrected and sent again.
const VersionColumn = "VERSION"

// flagColumn is the sender's own mark of what was taken over. It says nothing to us.
const flagColumn = "REC_FLAG"

// Need says whether a column has to be filled in.
type Need int

// The needs. What should be filled in counts for completeness.
const (
	May Need = iota
	Should
	Must
)

// Column is one column of a table.
type Column struct {
	Name, Title string
	// Kind is what stands in it; of a code, List is the list of those allowed.
	Kind, List string
	// Width is the most characters.
	Width int
	Need  Need
}

// Personal reports whether the column holds personal data.
func (c *Column) Personal() bool {
	switch c.Kind {
	case kindPerson, kindIdentity, kindPhone, kindEmail:
		return true
	}
	return false
}

// The kinds of column.
const (
	kindKey      = "key"
	kindItem     = "item"
	kindNumber   = "number"
	kindTime     = "time"
	kindPerson   = "person"
	kindIdentity = "identity"
	kindPhone    = "phone"
	kindEmail    = "email"
	kindDivision = "division"
	kindBody     = "body"
	kindMoney    = "money"
	kindText     = "text"
	kindLine     = "line"
	kindCode     = "code"
)

// Table is one of the ten tables.
type Table struct {
	Name, Title string
	Columns     []*Column
	// Time is the column that says when it happened, Serial the one that tells several
	// rows of one case apart; Serial is empty where there is one row.
	Time, Serial string
	// Rank is its place among the ten.
	Rank   int
	byName map[string]*Column
}

// Column finds a column.
func (t *Table) Column(name string) (*Column, bool) {
	c, ok := t.byName[name]
	return c, ok
}

// keys are what the tables are told apart and ordered by.
var keys = map[string]struct{ time, serial string }{
	Application: {"SBSJ", ""}, PreAccept: {"YSLSJ", ""}, Acceptance: {"SLSJ", ""}, Approval: {"SPSJ", "SPHJDM"}, Notice: {"BJGZSJ", "XH"},
	Receipt: {"BJSJ", "XH"}, SpecialStart: {"TBCXKSRQ", "XH"}, SpecialEnd: {"TBCXJSRQ", "XH"}, Finish: {"BJSJ", ""}, Collection: {"LQSJ", ""},
}

//go:embed tables.csv
var tablesFile string

//go:embed codes.csv
var codesFile string

// definitions are the embedded tables and code lists; a mistake in them is the program's.
var definitions = func() (d struct {
	tables []*Table
	byName map[string]*Table
	codes  map[string]map[string]string
}) {
	d.byName, d.codes = map[string]*Table{}, map[string]map[string]string{}
	for _, r := range records(codesFile) {
		if d.codes[r[0]] == nil {
			d.codes[r[0]] = map[string]string{}
		}
		d.codes[r[0]][r[1]] = r[2]
	}
	for _, r := range records(tablesFile) {
		t := d.byName[r[0]]
		if t == nil {
			t = &Table{Name: r[0], Title: r[1], Time: keys[r[0]].time, Serial: keys[r[0]].serial, Rank: len(d.tables), byName: map[string]*Column{}}
			d.byName[r[0]], d.tables = t, append(d.tables, t)
		}
		width, err := strconv.Atoi(r[5])
		if err != nil {
			panic(fmt.Sprintf("exchange: width of %s.%s: %v", r[0], r[2], err))
		}
		kind, list, _ := strings.Cut(r[4], ":")
		c := &Column{Name: r[2], Title: r[3], Kind: kind, List: list, Width: width, Need: map[string]Need{"should": Should, "must": Must}[r[6]]}
		if kind == kindCode && d.codes[list] == nil {
			panic("exchange: there is no code list " + list)
		}
		t.Columns, t.byName[c.Name] = append(t.Columns, c), c
	}
	return d
}()

func records(file string) [][]string {
	all, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil {
		panic("exchange: " + err.Error())
	}
	return all[1:]
}

// Tables are the ten tables in their order.
func Tables() []*Table { return definitions.tables }

// Find finds a table by its name or by the other name that two of them have.
func Find(name string) (*Table, bool) {
	if own, ok := aliases[name]; ok {
		name = own
	}
	t, ok := definitions.byName[name]
	return t, ok
}

// CodeTitle is what a code of a list means.
func CodeTitle(list, code string) string { return definitions.codes[list][code] }
