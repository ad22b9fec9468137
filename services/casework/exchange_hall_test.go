package casework

import (
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/platform/workday"
)

const sourceName = hallName + "/exchangeSources/oa"

// source registers the front machine's system; it reads personal data if asked.
func (h *hall) source(unmasked bool) {
	h.t.Helper()
	_, err := h.exchange.RegisterSource(as(h.t.Context(), "admin"), &caseworkv1.RegisterSourceRequest{
		Parent: hallName, SourceId: "oa", RequestId: newID(),
		Source: &caseworkv1.ExchangeSource{DisplayName: "部门办公系统", Client: "user/front", Unmasked: unmasked},
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// ingest sends rows and fails when the call does.
func (h *hall) ingest(rows ...*caseworkv1.ExchangeRow) *caseworkv1.IngestRowsResponse {
	h.t.Helper()
	res, err := h.exchange.IngestRows(as(h.t.Context(), "front"), &caseworkv1.IngestRowsRequest{Parent: sourceName, RequestId: newID(), Rows: rows})
	if err != nil {
		h.t.Fatal(err)
	}
	if len(res.GetResults()) != len(rows) {
		h.t.Fatalf("%d results for %d rows", len(res.GetResults()), len(rows))
	}
	return res
}

// china writes a time of March 2026 as the tables do.
func china(day, hour, minute int) string {
	return time.Date(2026, 3, day, hour, minute, 0, 0, workday.Zone).Format(time.DateTime)
}

// told makes a row of an application; columns are pairs.
func told(no, item, table string, columns ...string) *caseworkv1.ExchangeRow {
	r := &caseworkv1.ExchangeRow{Table: table, Columns: map[string]string{"SBLSH": no, "SXBM": lastPart(item), "XZQHDM": "441300"}}
	for i := 0; i < len(columns); i += 2 {
		r.Columns[columns[i]] = columns[i+1]
	}
	return r
}

// again is a row in a higher version, with columns changed.
func again(r *caseworkv1.ExchangeRow, version int, columns ...string) *caseworkv1.ExchangeRow {
	c := &caseworkv1.ExchangeRow{Table: r.GetTable(), Columns: maps.Clone(r.GetColumns())}
	for i := 0; i < len(columns); i += 2 {
		c.Columns[columns[i]] = columns[i+1]
	}
	c.Columns["VERSION"] = strconv.Itoa(version)
	return c
}

func appliedAt(no, item, at string) *caseworkv1.ExchangeRow {
	return told(no, item, exchange.Application, "SQRLX", "1", "SQRMC", "艾达", "SQRZJHM", adaID, "SQRZJLX", "10", "LXRXM", "艾达", "LXRSJ", "13812341234",
		"SBXMMC", "办理测试", "SBCLQD", "身份证明；申请表", "TJFS", "1", "SBSJ", at, "SXMC", "测试事项")
}

// wholeWay are the rows of a case that was granted, without its finish.
func wholeWay(no string) []*caseworkv1.ExchangeRow {
	step := func(code, who, at string) *caseworkv1.ExchangeRow {
		return told(no, promisedItem, exchange.Approval, "SPHJDM", code, "SPRXM", who, "SPSJ", at, "SPHJZTDM", "1", "SPYJ", "同意办理")
	}
	return []*caseworkv1.ExchangeRow{
		appliedAt(no, promisedItem, china(2, 9, 0)),
		told(no, promisedItem, exchange.Acceptance, "SLZTDM", "1", "SLSJ", china(2, 10, 0), "BLRXM", "李受理"),
		step("1", "王承办", china(3, 9, 0)), step("2", "赵审核", china(4, 9, 0)), step("3", "钱批准", china(5, 9, 0)),
		told(no, promisedItem, exchange.Finish, "BJJGDM", "0", "BJSJ", china(6, 9, 0), "ZJGZMC", "许可证", "ZJBH", "粤-1"),
		told(no, promisedItem, exchange.Collection, "LQRXM", "艾达", "LQFS", "0", "LQSJ", china(6, 11, 0)),
	}
}

// caseTold is the case as it is stored, without what says when it was entered.
func (h *hall) caseTold(no string) *caseworkv1.Case {
	h.t.Helper()
	var data []byte
	err := h.service.db.Read().QueryRowContext(h.t.Context(), `SELECT c.data FROM exchange_cases x JOIN cases c ON c.case_no = x.case_no WHERE x.source_case_no = $1`, no).Scan(&data)
	if err != nil {
		h.t.Fatalf("case of %s: %v", no, err)
	}
	c, err := caseOf(&feedv1.Event{Resource: data})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// plain takes out what depends on when and in how many events a case was told.
func plain(c *caseworkv1.Case) *caseworkv1.Case {
	c.Name, c.Etag, c.UpdateTime, c.Corrections = "", "", nil, 0
	return c
}

func sameCase(t *testing.T, want, got *caseworkv1.Case) {
	t.Helper()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("another case (-want +got):\n%s", diff)
	}
}

// eventTypes are what the feed says of a case, in order.
func (h *hall) eventTypes(name string) []string {
	h.t.Helper()
	res, err := h.client.ListCaseEvents(as(h.t.Context(), "supervisor"), &caseworkv1.ListCaseEventsRequest{Parent: name, PageSize: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, e := range res.GetEvents() {
		out = append(out, e.GetType())
	}
	return out
}

func statuses(res *caseworkv1.IngestRowsResponse) string {
	out := ""
	for _, r := range res.GetResults() {
		out += map[caseworkv1.RowStatus]string{
			caseworkv1.RowStatus_ROW_STATUS_ACCEPTED: "a", caseworkv1.RowStatus_ROW_STATUS_DUPLICATE: "d",
			caseworkv1.RowStatus_ROW_STATUS_SUPERSEDED: "s", caseworkv1.RowStatus_ROW_STATUS_REJECTED: "r",
		}[r.GetStatus()]
		if r.GetWaiting() {
			out += "w"
		}
	}
	return out
}

func reasonOf(r *caseworkv1.RowResult) string {
	return fmt.Sprintf("%s %s", r.GetReason(), r.GetField())
}
