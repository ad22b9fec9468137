package workday

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
)

//go:embed testdata/deadline_vectors.csv
var deadlineVectors string

func date(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// naive decides a day from the table alone, without any counting.
func naive(c *Calendar, d Date) bool {
	switch c.changes[d].Kind {
	case Off:
		return false
	case Makeup:
		return true
	}
	return d.utc().Weekday() != time.Saturday && d.utc().Weekday() != time.Sunday
}

// walk is Add, one day after the other.
func walk(workday func(Date) bool, start Date, n int) Date {
	for d, step := start, Date(1); ; {
		if n < 0 {
			step = -1
		}
		if n == 0 {
			return d
		}
		if d += step; workday(d) {
			n -= int(step)
		}
	}
}

func TestDeadlineVectors(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(deadlineVectors)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 48 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[2])
		if err != nil {
			t.Fatal(err)
		}
		due, provisional := China().Add("", date(row[1]), n)
		if due.String() != row[3] || provisional {
			t.Errorf("%s from %s: %s (provisional %v), want %s", row[0], row[1], due, provisional, row[3])
		}
		if got := China().Count("", date(row[1]), due); got != n {
			t.Errorf("%s from %s: Count = %d", row[0], row[1], got)
		}
	}
}

func TestOddDays(t *testing.T) {
	for day, want := range map[string]struct {
		kind Kind
		name string
	}{
		"2012-01-21": {Makeup, "春节"},
		"2012-01-29": {Makeup, "春节"}, // a make-up Sunday
		"2015-09-03": {Off, "抗日战争暨世界反法西斯战争胜利70周年纪念日"},
		"2015-09-06": {Makeup, "抗日战争暨世界反法西斯战争胜利70周年纪念日"}, // the Sunday worked for it
		"2018-12-29": {Makeup, "元旦"},                     // stands in the notice for 2019
		"2018-12-31": {Off, "元旦"},
		"2019-05-02": {Off, "劳动节"}, // added by a second notice of that year
		"2020-01-31": {Off, "春节"},  // the extension of 27 January
		"2020-02-01": {Off, "春节"},  // a make-up Saturday before the extension
		"2020-02-03": {Makeup, "春节"},
		"2022-12-31": {Off, "元旦"},
		"2026-02-14": {Makeup, "春节"},
		"2026-02-13": {Ordinary, ""},
		"2026-06-06": {Weekend, ""},
		"2027-01-01": {Ordinary, ""}, // nothing is known yet
	} {
		kind, name := China().Explain(date(day))
		if kind != want.kind || name != want.name {
			t.Errorf("%s: %s %s, want %s %s", day, kind, name, want.kind, want.name)
		}
		if got := China().IsWorkday("440106", date(day)); got != (kind == Ordinary || kind == Makeup) {
			t.Errorf("%s: IsWorkday = %v", day, got)
		}
	}
}

func TestEveryDayOfTheTable(t *testing.T) {
	c := China()
	off, makeup := 0, 0
	for d := date("2011-06-01"); d <= date("2028-06-01"); d++ {
		if got, want := c.IsWorkday("", d), naive(c, d); got != want {
			t.Errorf("%s: IsWorkday = %v", d, got)
		}
		switch kind, _ := c.Explain(d); kind {
		case Off:
			off++
		case Makeup:
			makeup++
		}
		if got, want := c.Known(d), d.Year() >= 2012 && d.Year() <= 2026; got != want {
			t.Errorf("%s: Known = %v", d, got)
		}
	}
	if off != 407 || makeup != 99 {
		t.Errorf("%d days off and %d made up, want 407 and 99", off, makeup)
	}
	// A year of 52 weeks has 250 working days, give or take how the holidays fall.
	for year := 2012; year <= 2026; year++ {
		n := c.Count("", NewDate(year-1, 12, 31), NewDate(year, 12, 31))
		if n < 247 || n > 252 {
			t.Errorf("%d has %d working days", year, n)
		}
	}
}

func TestAddAgainstWalking(t *testing.T) {
	c := China()
	rapid.Check(t, func(t *rapid.T) {
		start := Date(rapid.IntRange(int(date("2012-01-01")), int(date("2027-12-31"))).Draw(t, "start"))
		n := rapid.IntRange(-400, 400).Draw(t, "n")
		got, provisional := c.Add("", start, n)
		if want := walk(func(d Date) bool { return naive(c, d) }, start, n); got != want {
			t.Fatalf("Add(%s, %d) = %s, want %s", start, n, got, want)
		}
		if provisional != (!c.Known(start) || !c.Known(got)) {
			t.Fatalf("Add(%s, %d) = %s, provisional %v", start, n, got, provisional)
		}
		if n > 0 && c.Count("", start, got) != n {
			t.Fatalf("Count(%s, %s) = %d, want %d", start, got, c.Count("", start, got), n)
		}
		if c.Count("", start, got) != -c.Count("", got, start) {
			t.Fatalf("Count(%s, %s) is not symmetric", start, got)
		}
	})
}

func TestYearEnds(t *testing.T) {
	for _, tc := range []struct {
		start       string
		n           int
		want        string
		provisional bool
	}{
		{"2018-12-28", 1, "2018-12-29", false}, // a Saturday made up before the New Year days off
		{"2018-12-29", 1, "2019-01-02", false},
		{"2022-12-30", 1, "2023-01-03", false},
		{"2026-12-30", 1, "2026-12-31", false},
		{"2026-12-31", 1, "2027-01-01", true}, // no notice yet: a plain Friday
		{"2026-12-31", 0, "2026-12-31", false},
		{"2027-01-01", 0, "2027-01-01", true},
		{"2027-01-03", -1, "2027-01-01", true},
		{"2012-01-04", -1, "2011-12-30", true},
		{"2015-09-02", 1, "2015-09-06", false},
		{"2020-01-23", 1, "2020-02-03", false},
		{"2020-01-23", 20, "2020-02-28", false},
	} {
		got, provisional := China().Add("", date(tc.start), tc.n)
		if got.String() != tc.want || provisional != tc.provisional {
			t.Errorf("Add(%s, %d) = %s, %v; want %s, %v", tc.start, tc.n, got, provisional, tc.want, tc.provisional)
		}
	}
	if d, _ := China().Add("", date("2026-01-01"), 1<<40); d <= date("2026-01-01") {
		t.Errorf("a huge number of days ends on %s", d)
	}
	if d, _ := China().Add("", date("2026-01-01"), -1<<40); d >= date("2026-01-01") {
		t.Errorf("a huge negative number of days ends on %s", d)
	}
}

func TestOnOrAfter(t *testing.T) {
	for day, want := range map[string]string{
		"2026-02-14": "2026-02-14", "2026-02-15": "2026-02-24", "2026-06-06": "2026-06-08", "2020-01-25": "2020-02-03",
	} {
		if got, provisional := China().OnOrAfter("", date(day)); got.String() != want || provisional {
			t.Errorf("OnOrAfter(%s) = %s, %v; want %s", day, got, provisional, want)
		}
	}
}

func day(d string, kind Kind, name string) Change {
	return Change{Date: date(d), Kind: kind, Name: name}
}

// before2020 is the calendar as it stood on 26 January 2020.
func before2020(t *testing.T) *Calendar {
	t.Helper()
	changes := map[Date]Change{}
	for _, change := range China().Changes() {
		changes[change.Date] = change
	}
	for _, day := range []string{"2020-01-31", "2020-02-02", "2020-02-03"} {
		delete(changes, date(day))
	}
	changes[date("2020-02-01")] = day("2020-02-01", Makeup, "春节")
	return newCalendar("cn-2019.2", date("2012-01-01"), date("2020-12-31"), changes)
}

func TestNoticeMovesRunningDeadlines(t *testing.T) {
	old := before2020(t)
	if due, _ := old.Add("", date("2020-01-22"), 5); due.String() != "2020-02-04" {
		t.Fatalf("before the notice: %s", due)
	}
	now, err := old.With(Notice{Title: "国办发明电〔2020〕1号", Days: []Change{
		day("2020-01-31", Off, "春节"), day("2020-02-01", Off, "春节"), day("2020-02-02", Off, "春节"), day("2020-02-03", Makeup, "春节"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if due, _ := now.Add("", date("2020-01-22"), 5); due.String() != "2020-02-06" {
		t.Errorf("after the notice: %s", due)
	}
	if due, _ := old.Add("", date("2020-01-22"), 5); due.String() != "2020-02-04" {
		t.Errorf("the old calendar has changed: %s", due)
	}
	if now.Version() != "cn-2019.2+2" || old.Version() != "cn-2019.2" || China().Version() != "cn-2026.1" {
		t.Errorf("versions %s, %s, %s", now.Version(), old.Version(), China().Version())
	}
	if diff := cmp.Diff(China().Changes(), now.Changes(), cmpopts.IgnoreUnexported(Change{})); diff != "" {
		t.Error(diff)
	}
	if title, version := now.NoticeOf("441300", date("2020-01-31")); title != "国办发明电〔2020〕1号" || version != 2 {
		t.Errorf("31 January is off by %q of version %d", title, version)
	}
}

func TestWithYear(t *testing.T) {
	start := date("2026-12-30")
	if due, provisional := China().Add("", start, 2); due.String() != "2027-01-01" || !provisional {
		t.Fatalf("%s, %v", due, provisional)
	}
	c, err := China().With(Notice{Year: 2027, Days: []Change{
		day("2026-12-31", Off, "元旦"), day("2027-01-01", Off, "元旦"), day("2027-01-02", Makeup, "元旦"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if due, provisional := c.Add("", start, 2); due.String() != "2027-01-04" || provisional {
		t.Errorf("%s, %v", due, provisional)
	}
	if _, err := China().With(Notice{Year: 2028}); !errors.Is(err, fault.BadCalendar) {
		t.Errorf("a year is left out: %v", err)
	}
}

func TestBadNotices(t *testing.T) {
	many := make([]Change, 0, 400)
	for i := range 400 {
		many = append(many, Change{Date: date("2025-01-01") + Date(i), Kind: Off, Name: "假"})
	}
	const d = "2026-05-05"
	for name, n := range map[string]Notice{
		"closed everywhere":        {Days: []Change{day(d, Closed, "")}},
		"no kind":                  {Days: []Change{{Date: date(d)}}},
		"a day twice":              {Days: []Change{day(d, Off, ""), day(d, Makeup, "")}},
		"an unknown year":          {Days: []Change{day("2027-01-01", Off, "")}},
		"an unknown year, locally": {Division: "441300", Days: []Change{day("2028-01-03", Closed, "")}},
		"before all years":         {Days: []Change{day("2011-12-31", Off, "")}},
		"400 holidays":             {Days: many},
		"a year of a division":     {Year: 2027, Division: "441300"},
	} {
		if _, err := China().With(n); !errors.Is(err, fault.BadCalendar) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseChanges(t *testing.T) {
	for name, table := range map[string]string{
		"two columns": "date,kind\n2026-01-01,off\n", "bad date": "date,kind,name\n2026-02-30,off,x\n",
		"bad kind": "date,kind,name\n2026-01-01,free,x\n", "twice": "date,kind,name\n2026-01-01,off,x\n2026-01-01,off,x\n",
	} {
		if _, err := parseChanges(table); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLookupsAreFast(t *testing.T) {
	r := testing.Benchmark(BenchmarkAdd)
	if perCall := time.Duration(r.NsPerOp()); perCall > time.Microsecond {
		t.Errorf("Add takes %v", perCall)
	}
}

func BenchmarkAdd(b *testing.B) {
	c, start := China(), date("2020-01-22")
	for i := 0; b.Loop(); i++ {
		c.Add("440106", start+Date(i%2000), 20)
	}
}

func BenchmarkAddWithClosures(b *testing.B) {
	c := China()
	for i := range 40 {
		next, err := c.With(Notice{Division: []string{"440000", "440100", "440106"}[i%3],
			Days: []Change{{Date: date("2020-01-22") + Date(i*37), Kind: Closed, Name: "台风"}}})
		if err != nil {
			b.Fatal(err)
		}
		c = next
	}
	for i := 0; b.Loop(); i++ {
		c.Add("440106", date("2020-01-22")+Date(i%2000), 20)
	}
}

func ExampleCalendar_Add() {
	accepted, _ := ParseDate("2026-02-14")
	due, _ := China().Add("440106", accepted, 20)
	fmt.Println(due)
	// Output: 2026-03-20
}
