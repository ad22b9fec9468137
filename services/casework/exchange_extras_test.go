package casework

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/exchange"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// twoHalls are two halls on different databases that tell each other everything.
func twoHalls(t *testing.T) (here, there *hall) {
	t.Helper()
	here = oneHall(t)
	here.source(true)
	cfg := dbtest.SQLiteConfig(t)
	if dbtest.Postgres(t) != "" {
		cfg = dbtest.PostgresConfig(t)
	}
	there = newHall(t, cfg)
	there.source(true)
	return here, there
}

// across takes a case to the other hall and back, and gives what it became there.
func across(here, there *hall, c *caseworkv1.Case) *caseworkv1.Case {
	here.t.Helper()
	there.clock.Set(here.clock.Now())
	roundTrip(here, there, here.read(c.GetName()))
	return there.caseTold(lastPart(c.GetName()))
}

// An item's own flow with a step sent back, and all that may become of charges.
func TestExchangeRoundTripFlowAndCharges(t *testing.T) {
	here, there := twoHalls(t)
	c := here.do(here.file(flowItem), "accept")
	pay := func(what, login string, serial int32, fen int64) {
		t.Helper()
		here.clock.Advance(time.Minute)
		next, err := here.money(c, what, login, serial, fen)
		if err != nil {
			t.Fatal(explain(err))
		}
		c = next
	}
	pay("charge", "window", 0, 1000)
	pay("pay", "window", 1, 0)
	pay("refund", "head", 1, 300)
	pay("charge", "window", 0, 500)
	pay("waive", "head", 2, 0)
	pay("charge", "window", 0, 200)
	here.clock.Advance(time.Hour)
	c = here.walk(c, "undertake:officer")
	here.clock.Advance(time.Hour)
	c, err := here.flow.SendBackStep(as(t.Context(), "adviser"), &caseworkv1.SendBackStepRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Reason: longReason})
	if err != nil {
		t.Fatal(explain(err))
	}
	open := across(here, there, c)
	if len(open.GetSteps()) != 2 || !open.GetSteps()[1].GetSentBack() || open.GetSteps()[0].GetStepId() != "undertake" || open.GetSteps()[1].GetOpinion() != longReason {
		t.Errorf("steps there: %v", open.GetSteps())
	}
	if len(open.GetCharges()) != 3 {
		t.Fatalf("charges there: %v", open.GetCharges())
	}
	for i, want := range c.GetCharges() {
		got := open.GetCharges()[i]
		if got.GetAmountFen() != want.GetAmountFen() || got.GetState() != want.GetState() || got.GetRefundFen() != want.GetRefundFen() || got.GetReason() != want.GetReason() ||
			got.GetReceiptNo() != want.GetReceiptNo() || got.GetWay() != want.GetWay() || got.GetBasis() != want.GetBasis() || got.GetOfficer() != "oa:"+want.GetOfficer() {
			t.Errorf("charge %d there: %v, here %v", i+1, got, want)
		}
	}
}

// A case of an own flow to its decision and finish; rows of it come in the wrong order.
func TestExchangeRoundTripFlowToItsEnd(t *testing.T) {
	here, there := twoHalls(t)
	c := here.do(here.file(flowItem), "accept")
	for _, step := range []string{"undertake:officer", "advice:adviser", "survey:surveyor", "survey:surveyor", "approve:head"} {
		here.clock.Advance(time.Hour)
		c = here.walk(c, step)
	}
	here.clock.Advance(time.Hour)
	c = here.do(c, "decide", "finish")
	there.clock.Set(here.clock.Now())
	out, err := here.exchange.ExportCase(as(t.Context(), "front"), &caseworkv1.ExportCaseRequest{Name: c.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range slices.Backward(out.GetRows()) {
		there.ingest(r)
	}
	back, err := there.exchange.ExportCase(as(t.Context(), "front"), &caseworkv1.ExportCaseRequest{Name: there.caseTold(lastPart(c.GetName())).GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.GetRows(), back.GetRows(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	made := there.caseTold(lastPart(c.GetName()))
	// The decision is the sixth row of steps, told as the last of the usual ones.
	if len(made.GetSteps()) != 6 || made.GetSteps()[1].GetDepartment() != "halls/441300/departments/D3" || made.GetSteps()[1].GetKind() != caseworkv1.StepKind_STEP_KIND_OTHER ||
		made.GetSteps()[4].GetStepId() != "approve" || made.GetDecision().GetResult() != caseworkv1.DecisionResult_DECISION_RESULT_GRANTED || made.GetFinish() == nil {
		t.Errorf("there: %v", made.GetSteps())
	}
	if q := there.quality(); q.GetOpenGaps() != 0 || q.GetOpenRejects() != 0 {
		t.Errorf("quality: %v", q)
	}
	sameRows(t, out.GetRows(), made, there)
}

// sameRows writes a case anew and compares.
func sameRows(t *testing.T, want []*caseworkv1.ExchangeRow, made *caseworkv1.Case, there *hall) {
	t.Helper()
	for i, r := range rowsOf(made, there.service.titles(made), made.GetSourceParent()) {
		columns := maps.Clone(want[i].GetColumns())
		delete(columns, exchange.VersionColumn)
		if diff := cmp.Diff(columns, r.Columns); diff != "" || r.Table != want[i].GetTable() {
			t.Errorf("%s written anew (-sent +got):\n%s", r.Table, diff)
		}
	}
}

// What was missing at acceptance, by days given and by a day named, while it is missing and
// when it has come; and a grant that was revoked.
func TestExchangeRoundTripGapsAndRevocation(t *testing.T) {
	here, there := twoHalls(t)
	for _, day := range []string{"", "2026-03-20"} {
		c, err := here.client.AcceptCase(as(t.Context(), "window"), accept(here.lacking(), &caseworkv1.MaterialGap{MaterialId: "m2", DueDate: day}))
		if err != nil {
			t.Fatal(explain(err))
		}
		here.clock.Advance(time.Hour)
		c = here.do(c, "undertake", "decide", "finish", "collect")
		made := across(here, there, c)
		want := c.GetGaps()[0]
		if got := made.GetGaps(); len(got) != 1 || got[0].GetMaterialId() != "m2" || got[0].GetDueDate() != want.GetDueDate() || got[0].GetLimitDays() != want.GetLimitDays() ||
			got[0].GetFillTime() != nil || !made.GetGrantedWithGaps() {
			t.Errorf("the gap there: %v, here %v", got, want)
		}
		here.clock.Advance(time.Hour)
		if c, err = here.flow.FillGap(as(t.Context(), "ada"), &caseworkv1.FillGapRequest{
			Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m2", Sha256: sha('e'), FileName: "form.pdf"}},
		}); err != nil {
			t.Fatal(explain(err))
		}
		// The changed rows alone are new there.
		if made = there.again(here, c); made.GetGaps()[0].GetFillTime() == nil || !made.GetGrantedWithGaps() {
			t.Errorf("filled there: %v", made.GetGaps())
		}
		here.clock.Advance(time.Hour)
		c = here.do(c, "revoke")
		made = there.again(here, c)
		r := made.GetRevocation()
		if made.GetState() != caseworkv1.CaseState_CASE_STATE_REVOKED || r.GetReason() != c.GetRevocation().GetReason() || r.GetRemedies() != c.GetRevocation().GetRemedies() ||
			!r.GetRevokeTime().AsTime().Equal(c.GetRevocation().GetRevokeTime().AsTime().Truncate(time.Second)) {
			t.Errorf("revoked there: %v, %v", made.GetState(), r)
		}
	}
}

// again sends all rows of a case once more: what did not change is a duplicate.
func (h *hall) again(from *hall, c *caseworkv1.Case) *caseworkv1.Case {
	h.t.Helper()
	h.clock.Set(from.clock.Now())
	out, err := from.exchange.ExportCase(as(h.t.Context(), "front"), &caseworkv1.ExportCaseRequest{Name: c.GetName()})
	if err != nil {
		h.t.Fatal(err)
	}
	res := h.ingest(out.GetRows()...)
	if res.GetAccepted() == 0 || res.GetDuplicates() == 0 || res.GetRejected() > 0 {
		h.t.Errorf("sent again: %s of %v", statuses(res), out.GetRows())
	}
	return h.caseTold(lastPart(c.GetName()))
}

// A joint case and its parts, to their end.
func TestExchangeRoundTripJoint(t *testing.T) {
	here, there := twoHalls(t)
	parent, children := here.fileJoint()
	here.clock.Advance(time.Hour)
	parent = here.do(parent, "accept")
	first := here.do(children[0], "accept", "undertake", "decide", "finish")
	here.do(children[1], "accept", "decide", "finish")
	here.until("the joint case to end", func() bool { return here.read(parent.GetName()).GetFinish() != nil })
	made := across(here, there, parent)
	if made.GetCaseType() != caseworkv1.CaseType_CASE_TYPE_JOINT || made.GetDecision() != nil || made.GetItemTitle() != parent.GetItemTitle() ||
		made.GetPromisedDueDate() != parent.GetPromisedDueDate() || made.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED || len(made.GetSourceChildCaseNos()) != 2 ||
		made.GetSourceChildCaseNos()[0] != lastPart(first.GetName()) {
		t.Errorf("the joint case there: %v", made)
	}
	for _, c := range children {
		part := across(here, there, c)
		if p := part.GetSourceParent(); p.GetCaseNo() != lastPart(parent.GetName()) || p.GetTitle() != parent.GetItemTitle() || part.GetVisits() != 0 {
			t.Errorf("the part there: %v, %d visits", p, part.GetVisits())
		}
	}
	if q := there.quality(); q.GetOpenGaps() != 0 {
		t.Errorf("%d gaps", q.GetOpenGaps())
	}
}

// What a source writes wrongly into the free column never stops a row that is otherwise
// good, but for the number of a step, which is the row's key.
func TestExchangeOddMarks(t *testing.T) {
	h := oneHall(t)
	h.source(false)
	h.clock.Set(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
	rows := wholeWay("O1")
	rows[0].Columns["BYZD"] = "收费=1|工本费\n收费=1|费|-5|77|||99||x|||||\n并联父件=\n随便写的备注"
	rows[1].Columns["BYZD"] = "容缺=申请表|没有日期\n容缺=\n容缺=别的材料|2026-03-20|-3|昨天"
	rows[5].Columns["BYZD"], rows[5].Columns["SFJE"] = "撤销=从前", "10.5"
	h.ingest(rows...)
	c := h.caseTold("O1")
	if len(c.GetCharges()) != 1 || c.GetCharges()[0].GetAmountFen() != 0 || len(c.GetGaps()) != 1 || c.GetGaps()[0].GetLimitDays() != 0 || c.GetRevocation() != nil || c.GetSourceParent() != nil {
		t.Errorf("told: %v, %v, %v", c.GetCharges(), c.GetGaps(), c.GetRevocation())
	}
	plainly := wholeWay("O2")
	plainly[5].Columns["SFJE"] = "10.5"
	h.ingest(plainly...)
	if c := h.caseTold("O2"); len(c.GetCharges()) != 1 || c.GetCharges()[0].GetAmountFen() != 1050 || c.GetCharges()[0].GetState() != caseworkv1.ChargeState_CHARGE_STATE_PAID {
		t.Errorf("the sum of the finish: %v", c.GetCharges())
	}
	for _, mark := range []string{"流程=", "流程=0|a", "流程=900|a", "流程=x|a"} {
		row := again(rows[2], 1, "SBLSH", "O3", "BYZD", mark)
		if got := reasonOf(h.ingest(row).GetResults()[0]); got != "ROW_BAD_FORMAT "+exchange.FreeColumn {
			t.Errorf("%s: %s", mark, got)
		}
	}
}
