package casework

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
)

var wholeWayEvents = []string{"case.submitted", "case.accepted", "case.undertaken", "case.examined", "case.approved", "case.decided", "case.finished", "case.collected"}

// TestExchangeTellsACase tells a whole case in order, one row a time, and gets the same
// events as one handled here.
func TestExchangeTellsACase(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.source(false)
		h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
		for _, r := range wholeWay("A1") {
			if got := statuses(h.ingest(r)); got != "a" {
				t.Fatalf("%s: %s", r.GetTable(), got)
			}
		}
		c := h.caseTold("A1")
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_COLLECTED || c.GetDecision().GetResult() != caseworkv1.DecisionResult_DECISION_RESULT_GRANTED {
			t.Errorf("state %v, decision %v", c.GetState(), c.GetDecision())
		}
		if c.GetSource() != sourceName || c.GetSourceCaseNo() != "A1" || c.GetPromisedDueDate() != "2026-03-16" || c.GetDepartment() != deptName {
			t.Errorf("source %s %s, due %s, department %s", c.GetSource(), c.GetSourceCaseNo(), c.GetPromisedDueDate(), c.GetDepartment())
		}
		if diff := cmp.Diff(wholeWayEvents, h.eventTypes(c.GetName())); diff != "" {
			t.Error(diff)
		}
		// Its applicant finds it, and nobody here can change it.
		own, err := h.client.GetCase(as(t.Context(), "ada"), &caseworkv1.GetCaseRequest{Name: c.GetName()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.client.VoidCase(as(t.Context(), "head"), &caseworkv1.VoidCaseRequest{Name: c.GetName(), Etag: own.GetEtag(), RequestId: newID(), Reason: "这是一条错误的记录，作废"})
		if status.Code(err) != codes.FailedPrecondition {
			t.Errorf("void: %v", err)
		}
	})
}

// TestExchangeWaitsForGaps tells a finish before its acceptance.
func TestExchangeWaitsForGaps(t *testing.T) {
	h := oneHall(t)
	h.source(false)
	h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
	rows := wholeWay("A2")
	if got := statuses(h.ingest(rows[5])); got != "aw" {
		t.Fatalf("finish alone: %s", got)
	}
	gaps := func() []*caseworkv1.ExchangeGap {
		res, err := h.exchange.ListGaps(as(t.Context(), "front"), &caseworkv1.ListGapsRequest{Parent: sourceName})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetGaps()
	}
	if g := gaps(); len(g) != 1 || g[0].GetCase() != "" || !slices.Equal(g[0].GetWaiting(), []string{exchange.Finish}) {
		t.Fatalf("gaps: %v", g)
	}
	h.ingest(rows[0])
	g := gaps()
	if len(g) != 1 || g[0].GetCase() == "" || !slices.Equal(g[0].GetMissing(), []string{exchange.Acceptance, exchange.Approval + "/1"}) {
		t.Fatalf("gaps: %v", g)
	}
	h.ingest(rows[2:5]...)
	h.ingest(rows[1])
	if g := gaps(); len(g) != 0 {
		t.Fatalf("gaps: %v", g)
	}
	h.ingest(rows[6])
	c := h.caseTold("A2")
	if diff := cmp.Diff(wholeWayEvents, h.eventTypes(c.GetName())); diff != "" {
		t.Error(diff)
	}
	if q := h.quality(); q.GetOpenGaps() != 0 {
		t.Errorf("open gaps: %d", q.GetOpenGaps())
	}
}

func (h *hall) quality() *caseworkv1.SourceQuality {
	h.t.Helper()
	q, err := h.exchange.GetSourceQuality(as(h.t.Context(), "front"), &caseworkv1.GetSourceQualityRequest{Name: sourceName})
	if err != nil {
		h.t.Fatal(err)
	}
	return q
}

// TestExchangeCorrects sends a row again with a higher version.
func TestExchangeCorrects(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.source(false)
		h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
		rows := wholeWay("A3")
		h.ingest(rows...)
		wrong := again(rows[5], 2, "BJJGDM", "6", "BJJGMS", "不予", "ZJBH", "")
		if got := statuses(h.ingest(wrong, rows[5], again(rows[1], 1, "BLRXM", "别人"))); got != "adr" {
			t.Fatalf("correction, duplicate, changed: %s", got)
		}
		c := h.caseTold("A3")
		if c.GetFinish().GetResult() != caseworkv1.FinishResult_FINISH_RESULT_FINISHED || c.GetCorrections() != 1 {
			t.Errorf("finish %v, corrections %d", c.GetFinish(), c.GetCorrections())
		}
		if diff := cmp.Diff(append(slices.Clone(wholeWayEvents), "case.corrected"), h.eventTypes(c.GetName())); diff != "" {
			t.Error(diff)
		}
		// A version that comes late is kept and changes nothing.
		h.ingest(again(rows[1], 3))
		if got := statuses(h.ingest(again(rows[1], 2, "BLRXM", "中间"))); got != "s" {
			t.Errorf("old version: %s", got)
		}
		// An application corrected to another person's is that person's case.
		h.ingest(again(rows[0], 2, "SQRZJHM", bobID, "SQRMC", "鲍勃"))
		if _, err := h.client.GetCase(as(t.Context(), "bob"), &caseworkv1.GetCaseRequest{Name: c.GetName()}); err != nil {
			t.Errorf("bob: %v", err)
		}
		list, err := h.client.ListCases(as(t.Context(), "bob"), &caseworkv1.ListCasesRequest{Parent: hallName})
		if err != nil || len(list.GetCases()) != 1 {
			t.Errorf("bob's cases: %v, %v", list.GetCases(), err)
		}
	})
}

// TestExchangeRefuses holds rows to the definitions, and the list of rejects to them.
func TestExchangeRefuses(t *testing.T) {
	h := oneHall(t)
	h.source(false)
	h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
	good := appliedAt("B1", promisedItem, china(2, 9, 0))
	for _, tc := range []struct {
		name, want string
		row        *caseworkv1.ExchangeRow
	}{
		{"no such table", "ROW_TABLE_UNKNOWN table", told("B1", promisedItem, "EX_GDBS_XX")},
		{"no such column", "ROW_COLUMN_UNKNOWN columns", again(good, 1, "SBSJX", "1")},
		{"missing", "FIELD_REQUIRED SQRMC", again(good, 1, "SQRMC", " ")},
		{"too long", "ROW_TOO_LONG LXRSJ", again(good, 1, "LXRSJ", "12345678901234567890123456789012345678901")},
		{"no time", "ROW_BAD_FORMAT SBSJ", again(good, 1, "SBSJ", "2026-13-01 00:00:00")},
		{"future", "TIME_IN_FUTURE SBSJ", again(good, 1, "SBSJ", china(7, 9, 0))},
		{"no such code", "ROW_BAD_CODE TJFS", again(good, 1, "TJFS", "7")},
		{"check digit", "BAD_RESIDENT_ID SQRZJHM", again(good, 1, "SQRZJHM", "110105194912310021")},
		{"version", "ROW_BAD_FORMAT VERSION", again(good, 0)},
		{"item", "ITEM_NOT_FOUND SXBM", again(good, 1, "SXBM", "11441300006940386X2440106009000")},
		{"division", "ROW_DIVISION_WRONG XZQHDM", again(good, 1, "XZQHDM", "440100")},
		{"department", "DEPARTMENT_UNKNOWN SBBMZZJGDM", again(good, 1, "SBBMZZJGDM", "007482575")},
		{"number", "ROW_BAD_FORMAT SBLSH", again(good, 1, "SBLSH", "有空格 的")},
		{"version far off", "ROW_BAD_FORMAT VERSION", again(good, 1<<40)},
		{"version below zero", "ROW_BAD_FORMAT VERSION", again(good, -1)},
		{"serial far off", "ROW_TOO_LONG XH", told("B1", promisedItem, exchange.Notice, "XH", "1099511627776", "BJGZYY", "缺件", "BJGZSJ", china(3, 9, 0))},
		{"serial below zero", "ROW_BAD_FORMAT XH", told("B1", promisedItem, exchange.Notice, "XH", "-1", "BJGZYY", "缺件", "BJGZSJ", china(3, 9, 0))},
		{"serial", "ROW_BAD_FORMAT XH", told("B1", promisedItem, exchange.Notice, "XH", "0", "BJGZYY", "缺件", "BJGZSJ", china(3, 9, 0))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := h.ingest(tc.row)
			if got := reasonOf(res.GetResults()[0]); got != tc.want || res.GetRejected() != 1 || res.GetResults()[0].GetMessage() == "" {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
	rejects := func() []*caseworkv1.RejectedRow {
		res, err := h.exchange.ListRejects(as(t.Context(), "front"), &caseworkv1.ListRejectsRequest{Parent: sourceName, PageSize: 2})
		if err != nil {
			t.Fatal(err)
		}
		all := res.GetRejects()
		for res.GetNextPageToken() != "" {
			if res, err = h.exchange.ListRejects(as(t.Context(), "front"), &caseworkv1.ListRejectsRequest{Parent: sourceName, PageSize: 2, PageToken: res.GetNextPageToken()}); err != nil {
				t.Fatal(err)
			}
			all = append(all, res.GetRejects()...)
		}
		return all
	}
	before := rejects()
	if len(before) != 6 { // the unknown table, the bad number, three bad serials, and one row refused often
		t.Errorf("%d rejects: %v", len(before), before)
	}
	h.ingest(good)
	if after := rejects(); len(after) != len(before)-1 {
		t.Errorf("%d rejects after the row came well", len(after))
	}
	if q := h.quality(); q.GetOpenRejects() != 5 {
		t.Errorf("open rejects: %d", q.GetOpenRejects())
	}
}

// TestExchangeSourceIsItsClients keeps a source to the machine it is registered for.
func TestExchangeSourceIsItsClients(t *testing.T) {
	h := oneHall(t)
	h.source(false)
	for login, want := range map[string]codes.Code{"front2": codes.NotFound, "admin": codes.PermissionDenied, "service": codes.PermissionDenied} {
		_, err := h.exchange.IngestRows(as(t.Context(), login), &caseworkv1.IngestRowsRequest{
			Parent: sourceName, RequestId: newID(), Rows: []*caseworkv1.ExchangeRow{appliedAt("C1", promisedItem, china(1, 9, 0))},
		})
		if status.Code(err) != want {
			t.Errorf("%s: %v, want %v", login, err, want)
		}
	}
	req := &caseworkv1.RegisterSourceRequest{Parent: hallName, SourceId: "narrow", RequestId: newID(), Source: &caseworkv1.ExchangeSource{
		DisplayName: "别的部门", Client: "user/front2", Departments: []string{hallName + "/departments/D9"},
	}}
	if _, err := h.exchange.RegisterSource(as(t.Context(), "admin"), req); status.Code(err) != codes.InvalidArgument {
		t.Errorf("unknown department: %v", err)
	}
	req.SourceId, req.RequestId, req.Source.Departments = "oa", newID(), nil
	if _, err := h.exchange.RegisterSource(as(t.Context(), "admin"), req); status.Code(err) != codes.AlreadyExists {
		t.Errorf("twice: %v", err)
	}
}
