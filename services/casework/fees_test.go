package casework

import (
	"os"
	"strconv"
	"strings"
	"testing"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// money does something about a charge of a case: charge, pay, waive or refund.
func (h *hall) money(c *caseworkv1.Case, what, login string, serial int32, fen int64) (*caseworkv1.Case, error) {
	ctx := as(h.t.Context(), login)
	switch what {
	case "charge":
		return h.fees.ChargeFee(ctx, &caseworkv1.ChargeFeeRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), DisplayName: "证照工本费", AmountFen: fen})
	case "pay":
		return h.fees.RecordPayment(ctx, &caseworkv1.RecordPaymentRequest{
			Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Serial: serial, Way: caseworkv1.PaymentWay_PAYMENT_WAY_CASH, ReceiptNo: "GD0017",
		})
	case "waive":
		return h.fees.WaiveFee(ctx, &caseworkv1.WaiveFeeRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Serial: serial, Reason: "低保家庭，依照规定免收工本费"})
	default:
		return h.fees.RefundFee(ctx, &caseworkv1.RefundFeeRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Serial: serial, AmountFen: fen, Reason: "多收的部分，依照规定退还申请人"})
	}
}

// TestFeeExample runs the table of docs/fees.md.
func TestFeeExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/fees.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "## A worked example")
	if !ok {
		t.Fatal("docs/fees.md has lost its example")
	}
	h := oneHall(t)
	c := h.do(h.file(flowItem), "accept")
	rows := 0
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 6 || !strings.Contains("chargepaywaiverefund", strings.TrimSpace(cells[1])) {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows++
		fen, _ := strconv.ParseInt("0"+cells[2], 10, 64) // empty where there is none
		serial, err := strconv.Atoi(cells[3])
		if err != nil {
			t.Fatal(err)
		}
		if c, err = h.money(c, cells[1], cells[0], int32(serial), fen); err != nil {
			t.Fatalf("row %d: %s", rows, explain(err))
		}
		charge := c.GetCharges()[serial-1]
		state := strings.ToLower(strings.TrimPrefix(charge.GetState().String(), "CHARGE_STATE_"))
		if state != cells[4] || strconv.FormatInt(charge.GetRefundFen(), 10) != cells[5] || charge.GetBasis() == "" {
			t.Errorf("row %d: %v", rows, charge)
		}
	}
	if rows != 6 {
		t.Errorf("the example has %d rows", rows)
	}
}

func TestFees(t *testing.T) {
	eachHall(t, func(h *hall) {
		refused := func(c *caseworkv1.Case, what, login string, serial int32, fen int64, want *fault.Reason) {
			h.t.Helper()
			_, err := h.money(c, what, login, serial, fen)
			h.refusedWith(err, want)
		}
		free := h.file(promisedItem)
		refused(free, "charge", "window", 0, 1000, fault.FeeOnFree)
		c := h.file(flowItem)
		for _, fen := range []int64{0, -1, 100_000_000_001, 1_000_000_000_000_000} {
			refused(c, "charge", "window", 0, fen, fault.InvalidArgument)
		}
		refused(c, "charge", "ada", 0, 1000, fault.PermissionDenied)
		refused(c, "charge", "stranger", 0, 1000, fault.NotFound)
		refused(c, "pay", "window", 1, 0, fault.InvalidArgument)
		// A wrong amount is a fact that supervision will see.
		c, err := h.money(c, "charge", "window", 0, 1234)
		if err != nil || c.GetCharges()[0].GetBasis() != "粤价〔2014〕1号" {
			h.t.Fatalf("%v, %v", c.GetCharges(), err)
		}
		refused(c, "refund", "head", 1, 1, fault.CaseWrongState)
		refused(c, "waive", "officer", 1, 0, fault.PermissionDenied)
		doc, err := h.client.GetCaseDocument(as(h.t.Context(), "ada"), &caseworkv1.GetCaseDocumentRequest{Name: c.GetName(), Kind: caseworkv1.DocumentKind_DOCUMENT_KIND_FEE})
		if err != nil || !strings.Contains(doc.GetText(), "12.34元") {
			h.t.Errorf("the notice: %v, %v", doc, err)
		}
		if c, err = h.money(c, "pay", "window", 1, 0); err != nil || c.GetCharges()[0].GetPaymentTime() == nil {
			h.t.Fatalf("%v, %v", c.GetCharges(), err)
		}
		refused(c, "pay", "window", 1, 0, fault.CaseWrongState)
		refused(c, "waive", "head", 1, 0, fault.CaseWrongState)
		refused(c, "refund", "head", 1, 1235, fault.BadFee)
		// Money is given back after the end as well.
		c = h.do(c, "withdraw")
		refused(c, "charge", "window", 0, 1000, fault.CaseWrongState)
		if c, err = h.money(c, "refund", "head", 1, 1234); err != nil || c.GetState() != caseworkv1.CaseState_CASE_STATE_WITHDRAWN {
			h.t.Errorf("%v, %v", c, err)
		}
		refused(c, "refund", "head", 1, 1, fault.BadFee)
	})
}
