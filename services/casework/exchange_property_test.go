package casework

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/workday"
)

// story draws the rows of one case with some ending, and corrections of some of them.
func story(t *rapid.T, no string) []*caseworkv1.ExchangeRow {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, workday.Zone)
	next := func() string {
		at = at.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute)
		return at.Format(time.DateTime)
	}
	item := rapid.SampledFrom([]string{promisedItem, instantItem, fullItem, flowItem}).Draw(t, "item")
	rows := []*caseworkv1.ExchangeRow{appliedAt(no, item, next())}
	mark := func(r *caseworkv1.ExchangeRow, line string) {
		if rapid.Bool().Draw(t, "marked") {
			r.Columns[exchange.FreeColumn] = line
		}
	}
	mark(rows[0], "并联父件=PARENT1\n收费=1|工本费|1000|2|"+at.Format(time.DateTime)+"|"+at.Format(time.DateTime)+"|1|GD0017|0||user/w||粤价〔2014〕1号|")
	add := func(table string, columns ...string) { rows = append(rows, told(no, item, table, columns...)) }
	supplements, specials := 0, 0
	pauses := func() {
		if rapid.IntRange(0, 3).Draw(t, "supplement") == 0 {
			supplements++
			n := strconv.Itoa(supplements)
			add(exchange.Notice, "XH", n, "BJGZYY", "申请表缺签名", "BJGZSJ", next(), "BJGZFCRXM", "李受理", "BJCLQD", "申请表", "BZSX", "5")
			add(exchange.Receipt, "XH", n, "BJSJ", next())
		}
	}
	special := func() {
		if rapid.IntRange(0, 3).Draw(t, "special") == 0 {
			specials++
			n, kind := strconv.Itoa(specials), rapid.SampledFrom([]string{"A", "B"}).Draw(t, "kind")
			add(exchange.SpecialStart, "XH", n, "TBCXZL", kind, "TBCXZLMC", "专家评审", "TBCXKSRQ", next(), "TBCXQDLY", "依据规定", "TBCXSX", "5", "TBCXSXDW", "G")
			if kind == "B" {
				add(exchange.SpecialEnd, "XH", n, "TBCXJSRQ", next(), "TBCXJG", "通过")
			}
		}
	}
	pauses()
	switch end := rapid.SampledFrom([]string{"whole", "whole", "whole", "refused", "withdrawn", "lapsed", "deleted"}).Draw(t, "end"); end {
	case "refused":
		add(exchange.Acceptance, "SLZTDM", "4", "SLSJ", next(), "BSLYY", "不属于本机关职权范围")
	case "withdrawn", "deleted":
		add(exchange.Finish, "BJJGDM", map[string]string{"withdrawn": "1", "deleted": "3"}[end], "BJJGMS", "撤回", "BJSJ", next())
	case "lapsed":
		add(exchange.Notice, "XH", strconv.Itoa(supplements+1), "BJGZYY", "缺件", "BJGZSJ", next())
		add(exchange.Finish, "BJJGDM", "5", "BJSJ", next())
	default:
		add(exchange.Acceptance, "SLZTDM", "1", "SLSJ", next(), "BLRXM", "李受理")
		mark(rows[len(rows)-1], "容缺=申请表|2026-03-20|0|\n容缺=身份证明|2026-03-25|5|2026-03-24 09:00:00")
		for n, id := range []string{"undertake", "advice", "survey"} {
			if item == flowItem {
				add(exchange.Approval, "SPHJDM", "1", "SPRXM", "职员", "SPSJ", next(), "SPHJZTDM", "1", "BYZD", fmt.Sprintf("流程=%d|%s||", n+1, id))
			}
		}
		for k := 1; k <= 3; k++ {
			if item == flowItem && k < 3 {
				continue // its own steps stand for these
			}
			pauses()
			special()
			add(exchange.Approval, "SPHJDM", strconv.Itoa(k), "SPRXM", "职员"+strconv.Itoa(k), "SPSJ", next(), "SPHJZTDM", rapid.SampledFrom([]string{"1", "2"}).Draw(t, "status"))
		}
		add(exchange.Finish, "BJJGDM", rapid.SampledFrom([]string{"0", "1", "4", "6"}).Draw(t, "result"), "BJSJ", next())
		mark(rows[len(rows)-1], "撤销="+at.Add(time.Hour).Format(time.DateTime)+"|user/h")
		add(exchange.Collection, "LQRXM", "艾达", "LQFS", "0", "LQSJ", next())
	}
	for _, r := range slices.Clone(rows) {
		if rapid.IntRange(0, 5).Draw(t, "corrected") == 0 {
			rows = append(rows, again(r, 2, "BZ", "更正"))
		}
	}
	return rows
}

// renamed are the rows with another application number.
func renamed(rows []*caseworkv1.ExchangeRow, no string) []*caseworkv1.ExchangeRow {
	out := make([]*caseworkv1.ExchangeRow, len(rows))
	for i, r := range rows {
		out[i] = again(r, 1, "SBLSH", no)
		if v, ok := r.GetColumns()["VERSION"]; ok {
			out[i].Columns["VERSION"] = v
		}
	}
	return out
}

// TestExchangeAnyOrder sends the rows of a case in any order, some twice, in batches of any
// size: the case and the counts are those of the right order.
func TestExchangeAnyOrder(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.source(false)
		h.clock.Set(time.Date(2026, 3, 30, 4, 0, 0, 0, time.UTC))
		n := 0
		rapid.Check(h.t, func(rt *rapid.T) {
			n++
			rows := story(rt, fmt.Sprintf("R%d", n))
			base := h.counts()
			h.ingest(rows...)
			inOrder := minus(h.counts(), base)
			want := plain(h.caseTold(fmt.Sprintf("R%d", n)))

			no := fmt.Sprintf("P%d", n)
			mixed := rapid.Permutation(renamed(rows, no)).Draw(rt, "order")
			twice := rapid.IntRange(0, len(mixed)).Draw(rt, "twice")
			base = h.counts()
			for rest := append(mixed, mixed[:twice]...); len(rest) > 0; {
				size := min(rapid.IntRange(1, 8).Draw(rt, "batch"), len(rest))
				h.ingest(rest[:size]...)
				rest = rest[size:]
			}
			anyOrder := minus(h.counts(), base)
			got := plain(h.caseTold(no))
			got.SourceCaseNo = want.SourceCaseNo
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				rt.Fatalf("another case (-want +got):\n%s", diff)
			}
			if anyOrder.Duplicates != int64(twice) {
				rt.Fatalf("%d duplicates of %d", anyOrder.Duplicates, twice)
			}
			// Which of two came later is what disorder counts, and how often something was sent.
			inOrder.Disordered, anyOrder.Disordered, inOrder.Duplicates, anyOrder.Duplicates = 0, 0, 0, 0
			if inOrder != anyOrder {
				rt.Fatalf("counts in order %+v, in any %+v", inOrder, anyOrder)
			}
			if q := h.quality(); q.GetOpenGaps() != 0 || q.GetOpenRejects() != 0 {
				rt.Fatalf("gaps %d, rejects %d", q.GetOpenGaps(), q.GetOpenRejects())
			}
		})
	})
}

// counts are the counts of the source, all tables together.
func (h *hall) counts() exchange.Counts {
	var c exchange.Counts
	for _, q := range h.quality().GetCounts() {
		c.Right, c.Wrong, c.Duplicates = c.Right+q.GetRight(), c.Wrong+q.GetWrong(), c.Duplicates+q.GetDuplicates()
		c.Disordered, c.Late = c.Disordered+q.GetDisordered(), c.Late+q.GetLate()
		c.Expected, c.Filled = c.Expected+q.GetExpectedFields(), c.Filled+q.GetFilledFields()
	}
	return c
}

func minus(a, b exchange.Counts) exchange.Counts {
	return exchange.Counts{
		Right: a.Right - b.Right, Wrong: a.Wrong - b.Wrong, Duplicates: a.Duplicates - b.Duplicates, Disordered: a.Disordered - b.Disordered,
		Late: a.Late - b.Late, Expected: a.Expected - b.Expected, Filled: a.Filled - b.Filled,
	}
}

// ways are courses of cases of this hall, to each of their ends.
var courses = [][]string{
	{"not_accept"}, {"refuse"}, {"withdraw"}, {"pre_accept", "withdraw"}, {"request_supplement", "withdraw"},
	{"pre_accept", "accept", "undertake", "examine", "approve", "decide", "finish", "collect"},
	{"accept", "undertake", "examine", "approve", "deny", "collect"},
	{"accept", "undertake", "extend", "start_special", "end_special", "examine", "request_supplement", "receive_supplement", "approve", "decide", "finish"},
	{"request_supplement", "receive_supplement", "accept", "undertake", "return"},
	{"accept", "undertake", "examine", "approve", "decide", "finish", "void"},
	{"accept", "void"}, {"request_supplement", "later", "lapse"}, {"later", "undertake", "examine", "approve", "decide", "finish", "collect", "revoke"},
	{"accept"}, {"accept", "undertake", "start_special"}, {"accept", "undertake", "examine", "approve"},
}

// TestExchangeRoundTrip writes cases of one hall as rows, takes these in in another on the
// other database, and gets the same rows there: from what was told, and from the case made of it.
func TestExchangeRoundTrip(t *testing.T) {
	here := oneHall(t)
	here.source(true)
	cfg := dbtest.SQLiteConfig(t)
	if dbtest.Postgres(t) != "" {
		cfg = dbtest.PostgresConfig(t)
	}
	t.Logf("from %s to %s", db.SQLite, cfg.Driver)
	there := newHall(t, cfg)
	there.source(true)
	n := 0
	for _, item := range []string{promisedItem, fullItem} {
		for _, course := range courses {
			c := here.file(item)
			for _, step := range course {
				here.clock.Advance(7 * time.Minute)
				if step == "later" {
					here.clock.Advance(20 * 24 * time.Hour)
					if c.GetState() == caseworkv1.CaseState_CASE_STATE_SUBMITTED {
						here.until("the deemed acceptance", func() bool { c = here.read(c.GetName()); return c.GetAcceptTime() != nil })
					}
					continue
				}
				next, err := commands[step](as(t.Context(), by[step]), here.client, c.GetName(), newID(), c.GetEtag(), nil)
				if err != nil {
					continue // an end that this item does not have
				}
				c = next
			}
			n++
			there.clock.Set(here.clock.Now())
			roundTrip(here, there, c)
		}
	}
	if n != 2*len(courses) {
		t.Errorf("%d cases", n)
	}
	steps := slices.Sorted(maps.Keys(commands))
	ends := map[caseworkv1.CaseState]int{}
	rapid.Check(t, func(rt *rapid.T) {
		c := here.file(rapid.SampledFrom([]string{promisedItem, instantItem, fullItem}).Draw(rt, "item"))
		for _, step := range rapid.SliceOfN(rapid.SampledFrom(steps), 10, 60).Draw(rt, "steps") {
			here.clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(rt, "minutes")) * time.Minute)
			if next, err := commands[step](as(t.Context(), by[step]), here.client, c.GetName(), newID(), c.GetEtag(), nil); err == nil {
				c = next
			}
		}
		there.clock.Set(here.clock.Now())
		roundTrip(here, there, c)
		ends[c.GetState()]++
	})
	t.Logf("states reached at random: %v", ends)
	if q := there.quality(); q.GetOpenRejects() != 0 || q.GetOpenGaps() != 0 {
		t.Errorf("quality there: %v", q)
	}
}

func roundTrip(here, there *hall, c *caseworkv1.Case) {
	t := here.t
	t.Helper()
	out, err := here.exchange.ExportCase(as(t.Context(), "front"), &caseworkv1.ExportCaseRequest{Name: c.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	res := there.ingest(out.GetRows()...)
	if res.GetAccepted() != int32(len(out.GetRows())) {
		t.Fatalf("%v: %s of %v", c.GetState(), statuses(res), out.GetRows())
	}
	made := there.caseTold(lastPart(c.GetName()))
	back, err := there.exchange.ExportCase(as(t.Context(), "front"), &caseworkv1.ExportCaseRequest{Name: made.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.GetRows(), back.GetRows(), protocmp.Transform()); diff != "" {
		t.Errorf("%v told back (-sent +got):\n%s", c.GetState(), diff)
	}
	want := out.GetRows()
	if c.GetState() == caseworkv1.CaseState_CASE_STATE_VOIDED {
		// A case voided after it was refused holds only that it was voided; the history has both.
		want = slices.DeleteFunc(slices.Clone(want), func(r *caseworkv1.ExchangeRow) bool {
			return r.GetTable() == exchange.Acceptance && r.GetColumns()["SLZTDM"] != exchange.Accepted
		})
	}
	var written []*caseworkv1.ExchangeRow
	for i, r := range rowsOf(made, there.service.titles(made), made.GetSourceParent()) {
		r.Columns["VERSION"] = want[min(i, len(want)-1)].GetColumns()["VERSION"]
		written = append(written, &caseworkv1.ExchangeRow{Table: r.Table, Columns: r.Columns})
	}
	if diff := cmp.Diff(want, written, protocmp.Transform()); diff != "" {
		t.Errorf("%v written anew (-sent +got):\n%s", c.GetState(), diff)
	}
}
