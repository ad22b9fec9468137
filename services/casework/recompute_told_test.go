package casework

import (
	"slices"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
)

// A case that its source handles has its dates moved like one that is handled here: once by
// a version, as an event, and what is told of it afterwards goes on from there.
func TestRecomputeTold(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.source(false)
		h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
		rows := wholeWay("T1")
		h.ingest(rows[0], rows[1])
		asked := wholeWay("T2")
		h.ingest(asked[0], told("T2", promisedItem, exchange.Notice, "XH", "1", "BJGZYY", "申请表缺签名", "BJGZSJ", china(5, 9, 0), "BZSX", "5"))
		over := wholeWay("T3")
		h.ingest(over...)
		if due := h.caseTold("T1").GetPromisedDueDate(); due != "2026-03-16" {
			t.Fatalf("due %s", due)
		}
		h.notice(2, "441300", "台风停止办公", map[string]cataloguev1.DayKind{"2026-03-10": shut, "2026-03-11": shut})
		h.recomputed(2)
		for range 2 {
			if err := h.service.recomputeHalls(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		moved := h.caseTold("T1")
		d := moved.GetDueChange()
		if moved.GetPromisedDueDate() != "2026-03-18" || d.GetFormerPromisedDueDate() != "2026-03-16" || d.GetGround() != "工作日历第2版：台风停止办公" || moved.GetSource() != sourceName {
			t.Errorf("moved: %s, %v", moved.GetPromisedDueDate(), d)
		}
		if c := h.caseTold("T2"); c.GetSupplements()[0].GetDueDate() != "2026-03-16" || c.GetDueChange().GetFormerSupplementDueDate() != "2026-03-12" {
			t.Errorf("the notice: %v, %v", c.GetSupplements(), c.GetDueChange())
		}
		if c := h.caseTold("T3"); c.GetDueChange() != nil {
			t.Errorf("one that has ended: %v", c.GetDueChange())
		}
		if list, err := h.client.ListInbox(as(t.Context(), "window"), &caseworkv1.ListInboxRequest{Parent: hallName, Stage: caseworkv1.InboxStage_INBOX_STAGE_UNDERTAKE}); err != nil || len(list.GetCases()) != 0 {
			t.Errorf("it lies in an inbox: %v, %v", list, err)
		}
		// What the source goes on to tell follows, and a correction keeps what the calendar did.
		h.ingest(rows[2])
		h.ingest(again(rows[1], 2, "BLRXM", "周受理"))
		after := h.caseTold("T1")
		if after.GetPromisedDueDate() != "2026-03-18" || after.GetDueChange().GetSequence() != d.GetSequence() || after.GetCorrections() != 1 {
			t.Errorf("afterwards: %s, %v", after.GetPromisedDueDate(), after.GetDueChange())
		}
		want := []string{"case.submitted", "case.accepted", "case.due_changed", "case.undertaken", "case.corrected"}
		if got := h.eventTypes(moved.GetName()); !slices.Equal(got, want) {
			t.Errorf("events %v", got)
		}
		// A calendar that gives the days back brings nearer what is reckoned, not what was told.
		h.notice(3, "441300", "照常办公", map[string]cataloguev1.DayKind{"2026-03-10": workDay, "2026-03-11": workDay})
		h.recomputed(3)
		if c := h.caseTold("T1"); c.GetPromisedDueDate() != "2026-03-16" {
			t.Errorf("given back: %s", c.GetPromisedDueDate())
		}
		h.ingest(again(asked[0], 2, "LXRXM", "艾小姐"))
		if c := h.caseTold("T2"); c.GetSupplements()[0].GetDueDate() != "2026-03-16" {
			t.Errorf("the day that was told is now %s", c.GetSupplements()[0].GetDueDate())
		}
	})
}

// The days given for materials that are still missing move with the calendar, also when
// the case is decided and done otherwise.
func TestRecomputeGaps(t *testing.T) {
	eachHall(t, func(h *hall) {
		usual, named, done := h.lacking(), h.lacking(), h.lacking()
		take := func(c *caseworkv1.Case, gap *caseworkv1.MaterialGap) *caseworkv1.Case {
			t.Helper()
			c, err := h.client.AcceptCase(as(t.Context(), "window"), accept(c, gap))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		usual = take(usual, &caseworkv1.MaterialGap{MaterialId: "m2"})
		named = take(named, &caseworkv1.MaterialGap{MaterialId: "m2", DueDate: "2026-03-20"})
		done = h.do(take(done, &caseworkv1.MaterialGap{MaterialId: "m2"}), "undertake", "decide", "finish", "collect")
		was := usual.GetGaps()[0].GetDueDate()
		if usual.GetGaps()[0].GetLimitDays() == 0 || named.GetGaps()[0].GetLimitDays() != 0 {
			t.Fatalf("days: %v, %v", usual.GetGaps(), named.GetGaps())
		}
		h.notice(2, "441300", "台风停止办公", map[string]cataloguev1.DayKind{"2026-03-19": shut, "2026-03-20": shut})
		h.recomputed(2)
		day, err := workday.ParseDate(was)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := h.service.almanac.Book().Calendar.Add("441300", day, 2)
		for _, tc := range []struct {
			name, due string
			c         *caseworkv1.Case
		}{{"usual days", want.String(), usual}, {"a named day", "2026-03-23", named}, {"collected", want.String(), done}} {
			c := h.read(tc.c.GetName())
			d := c.GetDueChange()
			if got := c.GetGaps()[0].GetDueDate(); got != tc.due || d.GetGapDueDate() != tc.due || d.GetFormerGapDueDate() != tc.c.GetGaps()[0].GetDueDate() {
				t.Errorf("%s: due %s, want %s; %v", tc.name, got, tc.due, d)
			}
			events, err := feed.History(t.Context(), h.service.db.Read(), c.GetName(), 0, 20)
			n := 0
			for _, e := range events {
				if e.GetType() == "case.due_changed" {
					n++
				}
			}
			if err != nil || n != 1 {
				t.Errorf("%s: %d events, %v", tc.name, n, err)
			}
		}
	})
}
