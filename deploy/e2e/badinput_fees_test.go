package e2e

import (
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// ownStepRows are H56-H62 of flows of one's own, of what may be missing, and of fees.
func (r *badRun) ownStepRows() []bad {
	f := r.fix
	var rows []bad
	add := func(class, what, rpc, who string, c *caseworkv1.Case, m proto.Message, code codes.Code, status int, reason, field string) {
		m = named(m, c.GetName())
		set(m, "etag", c.GetEtag())
		rows = append(rows, bad{class: class, what: what, rpc: rpc, msg: m, code: code, status: status, reason: reason, field: field}.as(r, who))
	}
	wrong := func(class, what, rpc, who string, c *caseworkv1.Case, m proto.Message) {
		add(class, what, rpc, who, c, m, codes.FailedPrecondition, http.StatusConflict, "CASE_WRONG_STATE", "")
	}
	invalidly := func(class, what, rpc, who string, c *caseworkv1.Case, m proto.Message, reason, field string) {
		add(class, what, rpc, who, c, m, codes.InvalidArgument, http.StatusBadRequest, reason, field)
	}
	back := &caseworkv1.SendBackStepRequest{Reason: "勘验记录缺少照片，请补充"}
	wrong("H57", "a step of its own by the usual path", "PerformStep", "officer", f.accepted, &caseworkv1.PerformStepRequest{StepId: "survey"})
	wrong("H57", "send back what was not begun", "SendBackStep", "officer", f.examining, back)
	invalidly("H57", "a step that is no name", "PerformStep", "officer", f.accepted, &caseworkv1.PerformStepRequest{StepId: "../x"}, "INVALID_ARGUMENT", "step_id")
	wrong("H57", "fill what has no gap", "FillGap", "citizen", f.accepted, &caseworkv1.FillGapRequest{Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", Sha256: sha256Hex}}})
	invalidly("H56", "fill a gap with nothing", "FillGap", "citizen", f.accepted, &caseworkv1.FillGapRequest{}, "INVALID_ARGUMENT", "materials")
	invalidly("H56", "a gap that the item does not allow", "AcceptCase", "window", f.submitted, &caseworkv1.AcceptCaseRequest{Gaps: []*caseworkv1.MaterialGap{{MaterialId: "m1"}}}, "GAP_NOT_ALLOWED", "gaps")
	invalidly("H56", "a gap of no material", "AcceptCase", "window", f.submitted, &caseworkv1.AcceptCaseRequest{Gaps: []*caseworkv1.MaterialGap{{MaterialId: "m99"}}}, "MATERIAL_UNKNOWN", "gaps")
	invalidly("H61", "a fee on a free item", "ChargeFee", "window", f.accepted, &caseworkv1.ChargeFeeRequest{DisplayName: "工本费", AmountFen: 1000}, "FEE_ON_FREE", "amount_fen")
	for what, fen := range map[string]int64{"nothing": 0, "less than nothing": -1, "10^15": 1_000_000_000_000_000} {
		invalidly("H61", what, "ChargeFee", "window", f.accepted, &caseworkv1.ChargeFeeRequest{DisplayName: "工本费", AmountFen: fen}, "INVALID_ARGUMENT", "amount_fen")
	}
	invalidly("H61", "a fee of no name", "ChargeFee", "window", f.accepted, &caseworkv1.ChargeFeeRequest{AmountFen: 1}, "INVALID_ARGUMENT", "display_name")
	pay := &caseworkv1.RecordPaymentRequest{Serial: 1, Way: caseworkv1.PaymentWay_PAYMENT_WAY_CASH, ReceiptNo: "1"}
	invalidly("H61", "pay what was not charged", "RecordPayment", "window", f.accepted, pay, "INVALID_ARGUMENT", "serial")
	invalidly("H61", "pay in no way", "RecordPayment", "window", f.accepted, &caseworkv1.RecordPaymentRequest{Serial: 1, ReceiptNo: "1"}, "INVALID_ARGUMENT", "way")
	invalidly("H61", "waive what was not charged", "WaiveFee", "head", f.accepted, &caseworkv1.WaiveFeeRequest{Serial: 1, Reason: "低保家庭，依规定免收"}, "INVALID_ARGUMENT", "serial")
	invalidly("H61", "give back what was not paid", "RefundFee", "head", f.accepted, &caseworkv1.RefundFeeRequest{Serial: 1, AmountFen: 1, Reason: "多收的费用，退还申请人"}, "INVALID_ARGUMENT", "serial")
	add("H61", "an applicant charges", "ChargeFee", "citizen", f.accepted, &caseworkv1.ChargeFeeRequest{DisplayName: "工本费", AmountFen: 1000}, codes.PermissionDenied, http.StatusForbidden, "PERMISSION_DENIED", "")
	return rows
}

// sha256Hex is a hash as files have them.
const sha256Hex = "abababababababababababababababababababababababababababababababab"
