package exchange

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// Key tells one row of a source from all others, apart from its version.
type Key struct {
	// Case is the application number SBLSH.
	Case string
	// Table is the table's own name, Serial the row's number among those of the case.
	Table  string
	Serial int
}

// Row is a good row.
type Row struct {
	Key
	Version int
	// At is when it happened.
	At time.Time
	// Columns are what is filled in, without the version.
	Columns map[string]string
}

// Get is what stands in a column.
func (r *Row) Get(column string) string { return r.Columns[column] }

// Same reports rows of the same content.
func (r *Row) Same(o *Row) bool { return maps.Equal(r.Columns, o.Columns) }

// Filled counts the columns that should be filled in, and those that are.
func (r *Row) Filled() (filled, expected int) {
	t := definitions.byName[r.Table]
	for _, c := range t.Columns {
		if c.Need == May {
			continue
		}
		expected++
		if r.Columns[c.Name] != "" {
			filled++
		}
	}
	return filled, expected
}

// Tolerance is how far the clock of a source may be ahead of ours.
const Tolerance = 5 * time.Minute

// timeLayout is how the tables write a time, in China; a day alone is its beginning.
const timeLayout = time.DateTime

// FormatTime writes a time as the tables do.
func FormatTime(t time.Time) string { return t.In(workday.Zone).Format(timeLayout) }

func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{timeLayout, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, workday.Zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Read checks a row by its table's definition. The key is as much of it as could be read,
// also of a row that is refused; the error is a fault that names the column.
func Read(table string, sent map[string]string, now time.Time) (Row, error) {
	r := Row{Key: Key{Case: strings.TrimSpace(sent["SBLSH"]), Table: table}}
	t, ok := Find(table)
	if !ok {
		return r, fault.RowTableUnknown.New(fault.Field("table"))
	}
	r.Table, r.Serial, r.Version = t.Name, 1, 1
	if t.Serial != "" {
		r.Serial = number(sent[t.Serial])
	}
	if v, ok := sent[VersionColumn]; ok {
		if r.Version = number(v); r.Version < 1 || r.Version > maxVersion {
			return r, fault.RowBadFormat.New(fault.Field(VersionColumn))
		}
	}
	r.Columns = make(map[string]string, len(sent))
	for name, value := range sent {
		if _, ok := t.byName[name]; !ok && name != VersionColumn && name != flagColumn {
			return r, fault.RowColumnUnknown.New(fault.Field("columns"))
		}
		if value = strings.TrimSpace(value); value != "" && name != VersionColumn && name != flagColumn {
			r.Columns[name] = value
		}
	}
	for _, c := range t.Columns {
		if err := c.check(r.Columns[c.Name]); err != nil {
			return r, err
		}
	}
	if t.Name == Approval && r.Marked(FlowMark) {
		if r.Serial = FlowSerial(number(r.Mark(FlowMark, 0))); !r.IsFlow() || r.Serial > maxSerial {
			return r, fault.RowBadFormat.New(fault.Field(FreeColumn))
		}
	}
	if err := r.applicant(now); err != nil {
		return r, err
	}
	at, ok := parseTime(r.Columns[t.Time])
	switch {
	case t.Serial != "" && (r.Serial < 1 || r.Serial > maxSerial):
		return r, fault.RowBadFormat.New(fault.Field(t.Serial))
	case !ok:
		return r, fault.RowBadFormat.New(fault.Field(t.Time))
	case at.After(now.Add(Tolerance)):
		return r, fault.TimeInFuture.New(fault.Field(t.Time))
	}
	if r.At = at; at.After(now) {
		r.At = now.Truncate(time.Second) // their clock is ahead of ours
	}
	return r, nil
}

const (
	maxVersion = 9999
	maxSerial  = 999
)

func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return -1
	}
	return n
}

var (
	keyForm   = regexp.MustCompile(`^[0-9A-Za-z-]{1,50}$`)
	itemForm  = regexp.MustCompile(`^[0-9A-Z]{9,33}$`)
	bodyForm  = regexp.MustCompile(`^[0-9A-Z]{8}-?[0-9A-Z]$|^[0-9A-Z]{18}$`)
	moneyForm = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,2})?$`)
)

// check holds what stands in a column to its definition.
func (c *Column) check(value string) error {
	at := fault.Field(c.Name)
	switch {
	case value == "" && c.Need == Must:
		return fault.FieldRequired.New(at)
	case value == "":
		return nil
	case utf8.RuneCountInString(value) > c.Width:
		return fault.RowTooLong.New(at)
	case c.Kind == kindCode:
		if definitions.codes[c.List][value] == "" {
			return fault.RowBadCode.New(at)
		}
	case !c.formed(value):
		return fault.RowBadFormat.New(at)
	}
	return nil
}

// formed reports a value of its kind's form.
func (c *Column) formed(value string) bool {
	var err error
	switch c.Kind {
	case kindKey:
		return keyForm.MatchString(value)
	case kindItem:
		return itemForm.MatchString(value) // whether there is such an item says the catalogue
	case kindNumber:
		return number(value) >= 0
	case kindTime:
		_, ok := parseTime(value)
		return ok
	case kindDivision:
		_, err = codes.Division(value)
	case kindBody:
		return bodyForm.MatchString(value)
	case kindMoney:
		return moneyForm.MatchString(value)
	case kindText:
		_, err = codes.Text(value, c.Width)
	default:
		_, err = codes.Line(value, c.Width)
	}
	return err == nil
}

// applicant checks the number of who applies by its own check digit: it is what the
// person finds the case by.
func (r *Row) applicant(now time.Time) error {
	if r.Table != Application {
		return nil
	}
	var err error
	switch kind := r.Columns["SQRZJLX"]; {
	case kind == IDResident && r.Columns["SQRLX"] == "1":
		_, err = codes.ResidentIDAt(r.Columns["SQRZJHM"], now)
	case kind == IDUSCC && r.Columns["SQRLX"] != "1":
		_, err = codes.USCC(r.Columns["SQRZJHM"])
	default:
		return fault.RowBadCode.New(fault.Field("SQRZJLX"))
	}
	if err != nil {
		return fault.At("SQRZJHM", err)
	}
	if _, err := codes.CleanName(r.Columns["SQRMC"]); err != nil {
		return fault.At("SQRMC", err)
	}
	return nil
}

// The codes of what identifies an applicant.
const (
	IDResident = "10"
	IDUSCC     = "20"
)

// List splits a list of names, and Join makes one.
func List(s string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '；' || r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Join writes names as a list. What separates them does not stand inside them.
func Join(names []string) string {
	clean := slices.Clone(names)
	for i, n := range clean {
		clean[i] = strings.Join(List(n), "，")
	}
	return strings.Join(clean, "；")
}
