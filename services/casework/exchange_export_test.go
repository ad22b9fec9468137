package casework

import (
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
)

// TestExportRows fetches changes by position, a page at a time, as a front machine does.
func TestExportRows(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.source(true)
		c := h.file(promisedItem)
		position := int64(0)
		fetch := func(login string) (rows []*caseworkv1.ExchangeRow) {
			for {
				res, err := h.exchange.ExportRows(as(t.Context(), login), &caseworkv1.ExportRowsRequest{Parent: hallName, Position: position, PageSize: 2})
				if err != nil {
					t.Fatal(err)
				}
				rows, position = append(rows, res.GetRows()...), res.GetPosition()
				if !res.GetMore() {
					return rows
				}
			}
		}
		has := func(table, version string, among []*caseworkv1.ExchangeRow) bool {
			return slices.ContainsFunc(among, func(r *caseworkv1.ExchangeRow) bool {
				return r.GetTable() == table && r.GetColumns()["VERSION"] == version
			})
		}
		var got []*caseworkv1.ExchangeRow
		h.until("the application", func() bool { got = append(got, fetch("front")...); return has(exchange.Application, "1", got) })
		if len(got) != 1 || got[0].GetColumns()["SQRZJHM"] != adaID || got[0].GetColumns()["SQRMC"] != "艾达" {
			t.Errorf("unmasked: %v", got)
		}
		c = h.do(c, "request_supplement", "receive_supplement", "accept", "undertake", "examine", "approve", "decide", "finish")
		got = nil
		h.until("the finish", func() bool { got = append(got, fetch("front")...); return has(exchange.Finish, "1", got) })
		// The materials that came are a change of the application.
		if !has(exchange.Application, "2", got) || has(exchange.Application, "1", got) || !has(exchange.Receipt, "1", got) || !has(exchange.Approval, "1", got) {
			t.Errorf("changes: %v", got)
		}
		h.do(c, "void")
		got = nil
		h.until("the correction", func() bool { got = append(got, fetch("front")...); return has(exchange.Finish, "2", got) })
		if len(got) != 1 {
			t.Errorf("only one row changed: %v", got)
		}
		// Everybody else gets personal data masked.
		position = 0
		for _, r := range fetch("admin") {
			if r.GetTable() == exchange.Application && (r.GetColumns()["SQRZJHM"] == adaID || r.GetColumns()["SQRMC"] == "艾达" || r.GetColumns()["LXRSJ"] == "13812341234") {
				t.Errorf("an administrator sees %v", r)
			}
		}
		if _, err := h.exchange.ExportRows(as(t.Context(), "front2"), &caseworkv1.ExportRowsRequest{Parent: hallName}); status.Code(err) != codes.NotFound {
			t.Errorf("an unregistered machine: %v", err)
		}
	})
}
