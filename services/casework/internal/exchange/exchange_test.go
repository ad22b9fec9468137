package exchange

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

func TestTables(t *testing.T) {
	if len(Tables()) != 10 {
		t.Fatalf("%d tables", len(Tables()))
	}
	columns := 0
	for i, tab := range Tables() {
		columns += len(tab.Columns)
		if at, ok := tab.Column(tab.Time); !ok || at.Kind != kindTime || at.Need != Must || tab.Rank != i {
			t.Errorf("%s: time %s, rank %d", tab.Name, tab.Time, tab.Rank)
		}
		if tab.Serial != "" {
			if c, ok := tab.Column(tab.Serial); !ok || c.Need != Must {
				t.Errorf("%s: serial %s", tab.Name, tab.Serial)
			}
		}
		for _, must := range []string{"SBLSH", "SXBM", "XZQHDM"} {
			if c, ok := tab.Column(must); !ok || c.Need != Must {
				t.Errorf("%s: %s", tab.Name, must)
			}
		}
	}
	if columns != 146 {
		t.Errorf("%d columns", columns)
	}
	for other, own := range aliases {
		if found, ok := Find(other); !ok || found.Name != own {
			t.Errorf("%s: %v", other, found)
		}
	}
}

// row is a row for the order alone: hours after the start, columns as pairs.
func row(table string, serial, hours int, columns ...string) *Row {
	r := &Row{Key: Key{Case: "1", Table: table, Serial: serial}, Version: 1, At: time.Date(2026, 3, 2, hours, 0, 0, 0, time.UTC), Columns: map[string]string{}}
	for i := 0; i < len(columns); i += 2 {
		r.Columns[columns[i]] = columns[i+1]
	}
	return r
}

func TestTell(t *testing.T) {
	sb, sl := row(Application, 1, 0), row(Acceptance, 1, 2, "SLZTDM", "1")
	step := func(n, hours int) *Row { return row(Approval, n, hours) }
	bj := row(Finish, 1, 9, "BJJGDM", "0")
	for _, tc := range []struct {
		name       string
		rows       []*Row
		traits     Traits
		force      bool
		told, gaps string
	}{
		{"all", []*Row{bj, step(1, 3), sl, sb}, Traits{}, false, "SB SL SPCL/1 BJ", ""},
		{"no application", []*Row{bj, sl}, Traits{}, false, "", "SL<SB BJ<SB,SL,SPCL/1"},
		{"no application, forced", []*Row{sl}, Traits{}, true, "", "SL<SB"},
		{"no acceptance", []*Row{sb, bj, step(1, 3)}, Traits{}, false, "SB", "SPCL/1<SL BJ<SL,SPCL/1"},
		{"no acceptance, forced", []*Row{sb, bj, step(1, 3)}, Traits{}, true, "SB SPCL/1 BJ", ""},
		{"instant needs no step", []*Row{sb, sl, bj}, Traits{Instant: true}, false, "SB SL BJ", ""},
		{"full flow needs three", []*Row{sb, sl, step(1, 3), step(3, 5), bj}, Traits{FullFlow: true}, false, "SB SL SPCL/1", "SPCL/3<SPCL/2 BJ<SPCL/2,SPCL/3"},
		{"only a supplement was asked for", []*Row{sb, row(Acceptance, 1, 2, "SLZTDM", "3"), step(1, 3)}, Traits{}, false, "SB SL", "SPCL/1<SL"},
		{"a receipt is missing", []*Row{sb, row(Notice, 1, 1), sl}, Traits{}, false, "SB BJGZ/1", "SL<BJSL/1"},
		{"a notice after the acceptance", []*Row{sb, sl, row(Notice, 1, 5)}, Traits{}, false, "SB SL BJGZ/1", ""},
		{"notices in their order", []*Row{sb, row(Notice, 2, 1), row(Notice, 1, 3)}, Traits{}, false, "SB BJGZ/1 BJGZ/2", ""},
		{"a procedure without its end", []*Row{sb, sl, step(1, 3), row(SpecialStart, 1, 4, "TBCXZL", "B"), bj}, Traits{}, false, "SB SL SPCL/1 TBCXSQ/1", "BJ<TBCXJG/1"},
		{"an extension has none", []*Row{sb, sl, step(1, 3), row(SpecialStart, 1, 4, "TBCXZL", "A"), bj}, Traits{}, false, "SB SL SPCL/1 TBCXSQ/1 BJ", ""},
		{"returned at once", []*Row{sb, row(Finish, 1, 1, "BJJGDM", "1")}, Traits{}, false, "SB BJ", ""},
		{"lapsed needs a notice", []*Row{sb, row(Finish, 1, 1, "BJJGDM", "5")}, Traits{}, false, "SB", "BJ<BJGZ/1"},
		{"dated before its acceptance", []*Row{sb, sl, step(1, 1)}, Traits{}, false, "SB SL SPCL/1", ""},
		{"collected without a finish", []*Row{sb, sl, row(Collection, 1, 9)}, Traits{}, false, "SB SL", "LQDJ<BJ"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			told, gaps := Tell(tc.rows, tc.traits, tc.force)
			var names, waits []string
			for _, r := range told {
				names = append(names, short(r.Key))
			}
			for _, g := range gaps {
				var missing []string
				for _, k := range g.Missing {
					missing = append(missing, short(k))
				}
				waits = append(waits, short(g.Row)+"<"+strings.Join(missing, ","))
			}
			if got := strings.Join(names, " "); got != tc.told {
				t.Errorf("told %s, want %s", got, tc.told)
			}
			if got := strings.Join(waits, " "); got != tc.gaps {
				t.Errorf("gaps %s, want %s", got, tc.gaps)
			}
		})
	}
}

func short(k Key) string { return strings.TrimPrefix(k.Name(), "EX_GDBS_") }

func TestQuality(t *testing.T) {
	for _, tc := range []struct {
		c    Counts
		want string
	}{
		{Counts{}, ""},
		{Counts{Right: 10, Expected: 20, Filled: 20}, "100.00"},
		{Counts{Wrong: 4}, "14.29"}, // nothing but refused rows: 0 of 30 and 5 of 5
		{Counts{Right: 8, Wrong: 2, Duplicates: 10, Disordered: 4, Late: 8, Expected: 10, Filled: 5}, "49.00"},
	} {
		if got := Score(tc.c); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.c, got, tc.want)
		}
	}
	sum := int64(0)
	for _, p := range Parts {
		sum += p.Weight
	}
	if sum != 100 {
		t.Errorf("%d points", sum)
	}
	if got := Percent(2, 3) + " " + Percent(1, 8) + " " + Percent(0, 5) + " " + Percent(1, 0); got != "66.67 12.50 0.00 " {
		t.Error(got)
	}
}

func TestListAndJoin(t *testing.T) {
	for sent, want := range map[string][]string{"": nil, "a;b": {"a", "b"}, " a ；\nb ;; c": {"a", "b", "c"}} {
		if diff := cmp.Diff(want, List(sent)); diff != "" {
			t.Error(diff)
		}
	}
	if got := Join([]string{"身份证；护照", "申请表"}); got != "身份证，护照；申请表" {
		t.Error(got)
	}
}

// TestWidths holds every column to its width, to the character.
func TestWidths(t *testing.T) {
	for _, tab := range Tables() {
		for _, c := range tab.Columns {
			if !slices.Contains([]string{kindText, kindLine}, c.Kind) {
				continue
			}
			if err := c.check(strings.Repeat("字", c.Width)); err != nil {
				t.Errorf("%s.%s refuses its width: %v", tab.Name, c.Name, err)
			}
			if err := c.check(strings.Repeat("字", c.Width+1)); !errors.Is(err, fault.RowTooLong) {
				t.Errorf("%s.%s takes more than its width: %v", tab.Name, c.Name, err)
			}
		}
	}
}

// TestClockAhead takes what a clock a little ahead tells as of now.
func TestClockAhead(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, workday.Zone)
	for minutes, want := range map[int]error{0: nil, 5: nil, 6: fault.TimeInFuture} {
		r, err := Read(Receipt, map[string]string{
			"SBLSH": "1", "SXBM": "11441300006940386X2440106001000", "XZQHDM": "441300", "XH": strconv.Itoa(1), "BJSJ": FormatTime(now.Add(time.Duration(minutes) * time.Minute)),
		}, now)
		if want == nil && (err != nil || r.At.After(now)) || want != nil && !errors.Is(err, want) {
			t.Errorf("%d minutes ahead: %v at %s", minutes, err, r.At)
		}
	}
}
