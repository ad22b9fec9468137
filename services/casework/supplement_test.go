package casework

import (
	"strings"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestSupplements(t *testing.T) {
	h := oneHall(t)
	c := h.do(h.file(promisedItem), "request_supplement")
	if s := c.GetSupplements()[0]; s.GetSerial() != 1 || s.GetDueDate() != "2026-03-09" || s.GetAfterAcceptance() || s.GetOfficer() != "user/window" {
		t.Errorf("notice %v", s)
	}
	receive := func(login string, change func(*caseworkv1.ReceiveSupplementRequest)) (*caseworkv1.Case, error) {
		req := &caseworkv1.ReceiveSupplementRequest{
			Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m2", Sha256: sha('c')}},
		}
		change(req)
		return h.client.ReceiveSupplement(as(t.Context(), login), req)
	}
	add := func(m *caseworkv1.CaseMaterial) func(*caseworkv1.ReceiveSupplementRequest) {
		return func(r *caseworkv1.ReceiveSupplementRequest) { r.Materials = append(r.Materials, m) }
	}
	_, err := receive("ada", add(&caseworkv1.CaseMaterial{MaterialId: "m2", Paper: true}))
	h.refusedWith(err, fault.MaterialDuplicate)
	_, err = receive("ada", add(&caseworkv1.CaseMaterial{MaterialId: "m3", Sha256: sha('a')}))
	h.refusedWith(err, fault.MaterialDuplicate) // the file that m1 is
	_, err = receive("ada", add(&caseworkv1.CaseMaterial{MaterialId: "m9", Paper: true}))
	h.refusedWith(err, fault.MaterialUnknown)
	_, err = receive("ada", func(r *caseworkv1.ReceiveSupplementRequest) { r.Channel = caseworkv1.Channel_CHANNEL_WINDOW })
	h.refusedWith(err, fault.InvalidArgument)
	_, err = receive("ada", func(r *caseworkv1.ReceiveSupplementRequest) { r.Form = deepForm(9) })
	h.refusedWith(err, fault.FormTooLarge)
	h.clock.Advance(48 * time.Hour)
	next, err := receive("ada", func(r *caseworkv1.ReceiveSupplementRequest) { r.Form = wideForm(2) })
	if err != nil {
		t.Fatal(explain(err))
	}
	if next.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED || next.GetVisits() != 0 || next.GetMaterials()[1].GetSha256() != sha('c') ||
		next.GetAcceptanceDueDate() != "2026-03-11" {
		t.Errorf("received: %v", next)
	}
	if got := h.current(next); len(got.GetForm().GetFields()) != 2 {
		t.Errorf("form %v", got.GetForm())
	}
	c = h.do(next, "request_supplement", "receive_supplement", "accept", "request_supplement")
	if s := c.GetSupplements(); len(s) != 3 || s[2].GetSerial() != 3 || !s[2].GetAfterAcceptance() || s[1].GetReceiptTime() == nil {
		t.Errorf("notices %v", s)
	}
	h.refusedWith(h.try(c, "request_supplement", "window"), fault.CaseWrongState)
}

func TestWhoAsksForAProcedureIsAHandler(t *testing.T) {
	h := oneHall(t)
	c := h.do(h.file(promisedItem), "accept")
	c, err := h.client.StartSpecialProcedure(as(t.Context(), "head"), &caseworkv1.StartSpecialProcedureRequest{
		Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED,
		DisplayName: "听证", Ground: "利害关系人申请举行听证会", Requester: "user/officer2",
	})
	if err != nil {
		t.Fatal(explain(err))
	}
	if got := strings.Join(c.GetHandlers(), " "); got != "user/window user/officer2 user/head" {
		t.Errorf("handlers %s", got)
	}
	if c.GetPromisedDueDate() != "" || c.GetSpecialProcedures()[0].GetEndTime() != nil {
		t.Errorf("a hearing of open end: %v", c)
	}
	c = h.do(c, "end_special")
	if p := c.GetSpecialProcedures()[0]; p.GetEndTime() == nil || p.GetResult() != "评审通过" || c.GetState() != caseworkv1.CaseState_CASE_STATE_ACCEPTED {
		t.Errorf("ended: %v", c)
	}
}

// TestEnumsAgree holds the rules' numbers against the contract's, since they are
// converted into one another.
func TestEnumsAgree(t *testing.T) {
	for n, name := range caseworkv1.CaseState_name {
		want := strings.ToLower(strings.TrimPrefix(name, "CASE_STATE_"))
		if got := rules.State(n).String(); n != 0 && got != want {
			t.Errorf("state %d is %s in the rules and %s in the contract", n, got, want)
		}
		if n != 0 && stateTitles[caseworkv1.CaseState(n)] == "" {
			t.Errorf("state %s has no title", name)
		}
	}
	for name, pair := range map[string][2]int32{
		"undertake": {int32(rules.StepUndertake), int32(caseworkv1.StepKind_STEP_KIND_UNDERTAKE)},
		"approve":   {int32(rules.StepApprove), int32(caseworkv1.StepKind_STEP_KIND_APPROVE)},
		"issued":    {int32(rules.ResultIssued), int32(caseworkv1.FinishResult_FINISH_RESULT_ISSUED)},
		"returned":  {int32(rules.ResultReturned), int32(caseworkv1.FinishResult_FINISH_RESULT_RETURNED)},
		"finished":  {int32(rules.ResultFinished), int32(caseworkv1.FinishResult_FINISH_RESULT_FINISHED)},
		"inbox":     {int32(rules.StageFinish), int32(caseworkv1.InboxStage_INBOX_STAGE_FINISH)},
		"in force":  {int32(rules.ItemInForce), int32(cataloguev1.ItemState_ITEM_STATE_IN_FORCE)},
		"paused":    {int32(rules.ItemPaused), int32(cataloguev1.ItemState_ITEM_STATE_PAUSED)},
		"cancelled": {int32(rules.ItemCancelled), int32(cataloguev1.ItemState_ITEM_STATE_CANCELLED)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %d in the rules and %d in the contract", name, pair[0], pair[1])
		}
	}
}
