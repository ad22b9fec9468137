package casework

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/workday"
)

// What the tables have no column for, in both directions: a flow of the item's own, missing
// materials, money, revocations and joint cases (docs/exchange.md).

// parentOf is the joint case that a case is part of, as rows tell of it; nil for none.
func (s *Service) parentOf(ctx context.Context, c *caseworkv1.Case) (*caseworkv1.SourceParent, error) {
	if c.GetParentCase() == "" {
		return c.GetSourceParent(), nil
	}
	_, p, err := s.stored(ctx, lastPart(c.GetParentCase()))
	if err != nil || p == nil {
		return nil, err
	}
	return &caseworkv1.SourceParent{CaseNo: lastPart(p.GetName()), ItemCode: lastPart(p.GetItem()), Title: p.GetItemTitle()}, nil
}

// kin are the marks of a joint case and of its parts.
func (w *rowWriter) kin() []string {
	if w.c.GetCaseType() == caseworkv1.CaseType_CASE_TYPE_JOINT {
		parts := slices.Clone(w.c.GetSourceChildCaseNos())
		for _, name := range w.c.GetChildCases() {
			parts = append(parts, lastPart(name))
		}
		return []string{exchange.Mark(exchange.JointMark, parts...)}
	}
	if no := w.parent.GetCaseNo(); no != "" {
		return []string{exchange.Mark(exchange.PartMark, no)}
	}
	return nil
}

// kin reads what kin writes: a joint case has the 45 days of Art. 42 and no steps of its own.
func (t *teller) kin(r *exchange.Row) {
	if no := r.Mark(exchange.PartMark, 0); no != "" {
		t.c.SourceParent = &caseworkv1.SourceParent{CaseNo: no, ItemCode: r.Get("FSXBM"), Title: r.Get("FSXMC")}
	}
	for _, parts := range r.Marks(exchange.JointMark) {
		c := t.c
		c.SourceChildCaseNos = slices.DeleteFunc(parts, func(no string) bool { return no == "" })
		c.CaseType, c.FullFlow, c.FourEyes = caseworkv1.CaseType_CASE_TYPE_JOINT, false, false
		c.PromisedLimit, c.StatutoryLimit, c.LimitUnit = rules.JointLimit, rules.JointLimit, caseworkv1.TimeUnit_TIME_UNIT_WORKING_DAY
		if title := r.Get("SXMC"); title != "" {
			c.ItemTitle = title
		}
	}
}

// sentBackMark tells a step that sent the case back from one that took it on.
const sentBackMark = "退回"

// flowStep writes the n-th step of an own flow.
func (w *rowWriter) flowStep(n int, s *caseworkv1.Step) {
	code, status, back, body := s.GetKind(), "1", "", w.body()
	if code > caseworkv1.StepKind_STEP_KIND_APPROVE {
		code = caseworkv1.StepKind_STEP_KIND_EXAMINE // the tables know three kinds
	}
	if s.GetSentBack() {
		status, back = "2", sentBackMark
	}
	if s.GetDepartment() != "" {
		body = "" // another's, whose code the item's does not hold
	}
	officer := s.GetOfficerName()
	if officer == "" {
		officer = w.named(s.GetOfficer())
	}
	w.add(exchange.Approval, exchange.FlowSerial(n), timeOf(s.GetStepTime()), map[string]string{
		"SPHJDM": strconv.Itoa(int(code)), "SPHJMC": s.GetDisplayName(), "SPBMZZJDMD": body, "SPRXM": officer, "SPYJ": s.GetOpinion(), "SPHJZTDM": status,
		exchange.FreeColumn: exchange.Mark(exchange.FlowMark, strconv.Itoa(n), s.GetStepId(), back, lastPart(s.GetDepartment())),
	})
}

// flowStep tells a step of an own flow.
func (t *teller) flowStep(r *exchange.Row) {
	by, id, department := t.officer(r.Get("SPRXM")), r.Mark(exchange.FlowMark, 1), r.Mark(exchange.FlowMark, 3)
	event, in := "case.step_performed", input(rules.PerformStep, r, by)
	code, _ := strconv.Atoi(r.Get("SPHJDM"))
	in.Step, in.StepKind = id, rules.StepKind(code)
	for _, s := range t.item.Flow {
		if s.ID == id {
			in.StepKind = s.Kind
		}
	}
	if r.Mark(exchange.FlowMark, 2) == sentBackMark {
		event, in.Command = "case.step_sent_back", rules.SendBack
	}
	if department != "" {
		department = "halls/" + hallOf(t.c.GetItem()) + "/departments/" + department
	}
	t.fact(event, in, func(at time.Time) {
		t.c.Steps = append(t.c.Steps, &caseworkv1.Step{
			Kind: caseworkv1.StepKind(in.StepKind), Officer: by, OfficerName: r.Get("SPRXM"), Opinion: r.Get("SPYJ"), StepTime: stamp(at),
			StepId: id, DisplayName: r.Get("SPHJMC"), Department: department, SentBack: in.Command == rules.SendBack,
		})
	})
}

// gaps are the marks of what was missing at acceptance.
func (w *rowWriter) gaps() string {
	var lines []string
	for _, g := range w.c.GetGaps() {
		name := g.GetDisplayName()
		if name == "" {
			name = w.titles(g.GetMaterialId())
		}
		lines = append(lines, exchange.Mark(exchange.GapMark, name, g.GetDueDate(), strconv.Itoa(int(g.GetLimitDays())), timeText(timeOf(g.GetFillTime()))))
	}
	return exchange.JoinMarks(lines)
}

// gaps reads them into the case, and gives what the rules need of them.
func (t *teller) gaps(r *exchange.Row) []rules.Gap {
	var out []rules.Gap
	for _, parts := range r.Marks(exchange.GapMark) {
		parts = append(parts, "", "", "")
		due, err := workday.ParseDate(parts[1])
		if err != nil || len(out) == rules.MaxMaterials {
			continue // without a day it binds nobody
		}
		days, _ := strconv.Atoi(parts[2])
		filled := textTime(parts[3])
		m := &caseworkv1.CaseMaterial{MaterialId: "x" + strconv.Itoa(len(out)+1), DisplayName: parts[0]}
		if known := t.materials(parts[0]); len(known) == 1 && !strings.HasPrefix(known[0].GetMaterialId(), "x") {
			m = known[0]
		}
		out = append(out, rules.Gap{Material: m.GetMaterialId(), Due: due, Days: max(0, days), Filled: filled})
		t.c.Gaps = append(t.c.Gaps, &caseworkv1.MaterialGap{
			MaterialId: m.GetMaterialId(), DisplayName: m.GetDisplayName(), DueDate: due.String(), LimitDays: int32(max(0, days)), FillTime: stamp(filled),
		})
	}
	return out
}

// charges are the marks of what the applicant was asked to pay.
func (w *rowWriter) charges() []string {
	var lines []string
	for _, c := range w.c.GetCharges() {
		lines = append(lines, exchange.Mark(exchange.ChargeMark, strconv.Itoa(int(c.GetSerial())), c.GetDisplayName(), strconv.FormatInt(c.GetAmountFen(), 10),
			strconv.Itoa(int(c.GetState())), timeText(timeOf(c.GetChargeTime())), timeText(timeOf(c.GetPaymentTime())), strconv.Itoa(int(c.GetWay())), c.GetReceiptNo(),
			strconv.FormatInt(c.GetRefundFen(), 10), timeText(timeOf(c.GetWaiveTime())), w.named(c.GetOfficer()), w.named(c.GetWaivedBy()), c.GetBasis(), c.GetReason()))
	}
	return lines
}

// charges reads them into the case.
func (t *teller) charges(r *exchange.Row) {
	for _, p := range r.Marks(exchange.ChargeMark) {
		if len(p) < 14 || len(t.c.Charges) == rules.MaxCharges {
			continue
		}
		number := func(i int) int64 { n, _ := strconv.ParseInt(p[i], 10, 64); return min(max(0, n), rules.MaxFee) }
		t.c.Charges = append(t.c.Charges, &caseworkv1.Charge{
			Serial: int32(len(t.c.Charges) + 1), DisplayName: p[1], AmountFen: number(2), State: chargeState(number(3)),
			ChargeTime: stamp(textTime(p[4])), PaymentTime: stamp(textTime(p[5])), Way: paymentWay(number(6)), ReceiptNo: p[7], RefundFen: number(8),
			WaiveTime: stamp(textTime(p[9])), Officer: t.officer(p[10]), WaivedBy: t.officer(p[11]), Basis: p[12], Reason: p[13],
		})
	}
}

func chargeState(n int64) caseworkv1.ChargeState {
	if _, ok := caseworkv1.ChargeState_name[int32(n)]; !ok {
		return caseworkv1.ChargeState_CHARGE_STATE_UNSPECIFIED
	}
	return caseworkv1.ChargeState(n)
}

func paymentWay(n int64) caseworkv1.PaymentWay {
	if _, ok := caseworkv1.PaymentWay_name[int32(n)]; !ok {
		return caseworkv1.PaymentWay_PAYMENT_WAY_UNSPECIFIED
	}
	return caseworkv1.PaymentWay(n)
}

// yuan is the unit of amounts in the tables (JEDWDM).
const yuan = "元"

// paid writes what the finish says of money: what was paid and not given back.
func (w *rowWriter) paid(columns map[string]string) {
	sum := int64(0)
	for _, c := range w.c.GetCharges() {
		if c.GetPaymentTime() != nil {
			sum += c.GetAmountFen() - c.GetRefundFen()
		}
	}
	if len(w.c.GetCharges()) > 0 {
		columns["SFJE"], columns["JEDWDM"] = fmt.Sprintf("%d.%02d", sum/100, sum%100), yuan
	}
}

// paid takes the sum of a finish for a charge where nothing else tells of one.
func (t *teller) paid(r *exchange.Row) {
	fen, ok := fenOf(r.Get("SFJE"))
	if unit := r.Get("JEDWDM"); !ok || fen == 0 || len(t.c.Charges) > 0 || unit != "" && unit != yuan {
		return
	}
	t.c.Charges = []*caseworkv1.Charge{{
		Serial: 1, DisplayName: "收费", AmountFen: fen, State: caseworkv1.ChargeState_CHARGE_STATE_PAID, ChargeTime: stamp(r.At), PaymentTime: stamp(r.At),
	}}
	t.f.Charges = []rules.Charge{{Amount: fen, Paid: true}}
}

// fenOf reads an amount in yuan.
func fenOf(s string) (int64, bool) {
	whole, cents, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole+(cents + "00")[:2], 10, 64)
	return n, err == nil && len(cents) <= 2 && n >= 0 && n <= rules.MaxFee
}

// revocation tells that what was granted was revoked afterwards.
func (t *teller) revocation(r *exchange.Row) {
	at := textTime(r.Mark(exchange.RevokedMark, 0))
	if at.IsZero() {
		return
	}
	by := t.officer(r.Mark(exchange.RevokedMark, 1))
	in := input(rules.Revoke, r, by)
	in.Happened = at
	t.fact("case.revoked", in, func(at time.Time) {
		t.c.Revocation = &caseworkv1.Revocation{Reason: r.Get("ZFHTHYY"), Remedies: r.Get("BZ"), Officer: by, RevokeTime: stamp(at)}
	})
}

// timeText and textTime write and read a time inside a mark; empty is none.
func timeText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return exchange.FormatTime(at)
}

func textTime(s string) time.Time {
	at, err := time.ParseInLocation(time.DateTime, s, workday.Zone)
	if err != nil {
		return time.Time{}
	}
	return at
}
