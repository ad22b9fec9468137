package casework

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestStepsRefused(t *testing.T) {
	h := oneHall(t)
	filed := h.file(promisedItem)
	accepted := h.do(h.file(promisedItem), "accept")
	full := h.do(h.file(fullItem), "accept", "undertake")
	decided := h.do(h.file(promisedItem), "accept", "undertake", "decide")
	withdrawn := h.do(h.file(promisedItem), "withdraw")
	for _, tc := range []struct {
		name     string
		c        *caseworkv1.Case
		step, as string
		want     *fault.Reason
		state    string
	}{
		{"decide before acceptance", filed, "decide", "head", fault.CaseWrongState, "submitted"},
		{"finish before the decision", accepted, "finish", "window", fault.CaseWrongState, "accepted"},
		{"accept twice", accepted, "accept", "window", fault.CaseWrongState, "accepted"},
		{"supplement after the decision", decided, "request_supplement", "window", fault.CaseWrongState, "decided"},
		{"withdraw after the decision", decided, "withdraw", "ada", fault.CaseWrongState, "decided"},
		{"decide without examination", full, "decide", "head", fault.CaseWrongState, "examining"},
		{"approve without examination", full, "approve", "head", fault.CaseWrongState, "examining"},
		{"anything after the end", withdrawn, "accept", "window", fault.CaseWrongState, "withdrawn"},
		{"lapse without a notice", filed, "lapse", "window", fault.CaseWrongState, "submitted"},
		{"end what does not run", accepted, "end_special", "officer", fault.CaseWrongState, "accepted"},
		{"officer decides", full, "decide", "officer", fault.PermissionDenied, ""},
		{"applicant accepts", filed, "accept", "ada", fault.PermissionDenied, ""},
		{"supervisor accepts", filed, "accept", "supervisor", fault.PermissionDenied, ""},
		{"another applicant withdraws", filed, "withdraw", "bob", fault.NotFound, ""},
		{"another department undertakes", accepted, "undertake", "stranger", fault.NotFound, ""},
		{"another hall's window accepts", filed, "accept", "elsewhere", fault.NotFound, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := *h
			h.t = t
			f := h.refusedWith(h.try(tc.c, tc.step, tc.as), tc.want)
			if f.Metadata()["state"] != tc.state {
				t.Errorf("metadata %v, want state %q", f.Metadata(), tc.state)
			}
		})
	}
	unknown := &caseworkv1.Case{Name: filed.GetName()[:len(filed.GetName())-1] + "x", Etag: filed.GetEtag()}
	h.refusedWith(h.try(unknown, "accept", "window"), fault.InvalidArgument)
	unknown.Name = hallName + "/cases/441300260302000000000"
	h.refusedWith(h.try(unknown, "accept", "window"), fault.NotFound)
	unknown.Name = "halls/441302/cases/" + lastPart(filed.GetName())
	h.refusedWith(h.try(unknown, "withdraw", "ada"), fault.NotFound)
}

func TestFourEyes(t *testing.T) {
	h := oneHall(t)
	c := h.do(h.file(fullItem), "accept")
	for _, step := range []string{"undertake", "examine"} {
		next, err := commands[step](as(t.Context(), "both"), h.client, c.GetName(), newID(), c.GetEtag(), nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		c = next
	}
	h.refusedWith(h.try(c, "approve", "both"), fault.SamePersonForbidden)
	c = h.do(c, "approve")
	h.refusedWith(h.try(c, "decide", "both"), fault.SamePersonForbidden)
	h.do(c, "decide")
}

func TestReasonsAndLimits(t *testing.T) {
	h := oneHall(t)
	ctx := t.Context()
	filed := h.file(promisedItem)
	undertaken := h.do(h.file(promisedItem), "accept", "undertake")
	decided := h.do(h.file(promisedItem), "accept", "undertake", "decide")

	_, err := h.client.NotAcceptCase(as(ctx, "window"), &caseworkv1.NotAcceptCaseRequest{Name: filed.GetName(), RequestId: newID(), Etag: filed.GetEtag(), Reason: "  不需要许可   "})
	h.refusedWith(err, fault.ReasonRequired)
	_, err = h.client.RefuseCase(as(ctx, "window"), &caseworkv1.RefuseCaseRequest{Name: filed.GetName(), RequestId: newID(), Etag: filed.GetEtag(), Reason: longReason})
	h.refusedWith(err, fault.ReasonRequired)
	_, err = h.client.VoidCase(as(ctx, "head"), &caseworkv1.VoidCaseRequest{Name: filed.GetName(), RequestId: newID(), Etag: filed.GetEtag(), Reason: "错"})
	h.refusedWith(err, fault.ReasonRequired)
	_, err = h.client.RequestSupplement(as(ctx, "window"), &caseworkv1.RequestSupplementRequest{Name: filed.GetName(), RequestId: newID(), Etag: filed.GetEtag(), Reason: "     "})
	h.refusedWith(err, fault.ReasonRequired)
	_, err = h.client.RequestSupplement(as(ctx, "window"), &caseworkv1.RequestSupplementRequest{
		Name: filed.GetName(), RequestId: newID(), Etag: filed.GetEtag(), Reason: "缺少材料", MaterialIds: []string{"m9"},
	})
	h.refusedWith(err, fault.MaterialUnknown)
	decide := &caseworkv1.DecideCaseRequest{Name: undertaken.GetName(), Etag: undertaken.GetEtag(), Result: caseworkv1.DecisionResult_DECISION_RESULT_DENIED}
	for _, reason := range []string{"", "不符合", "          "} {
		decide.RequestId, decide.Reason, decide.Remedies = newID(), reason, remedies
		_, err = h.client.DecideCase(as(ctx, "head"), decide)
		h.refusedWith(err, fault.ReasonRequired)
	}
	decide.RequestId, decide.Reason, decide.Remedies = newID(), longReason, ""
	_, err = h.client.DecideCase(as(ctx, "head"), decide)
	h.refusedWith(err, fault.ReasonRequired)
	_, err = h.client.FinishCase(as(ctx, "window"), &caseworkv1.FinishCaseRequest{
		Name: decided.GetName(), RequestId: newID(), Etag: decided.GetEtag(), Result: caseworkv1.FinishResult_FINISH_RESULT_RETURNED, Description: "退",
	})
	h.refusedWith(err, fault.ReasonRequired)
	h.specialsRefused(undertaken)
}

func (h *hall) specialsRefused(c *caseworkv1.Case) {
	extension := caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION
	start := func(change func(*caseworkv1.StartSpecialProcedureRequest)) (*caseworkv1.Case, error) {
		req := &caseworkv1.StartSpecialProcedureRequest{
			Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Kind: extension, DisplayName: "延长审批", Ground: "案情复杂，二十日内不能作出决定",
			Requester: "user/officer", Limit: 10,
		}
		change(req)
		return h.client.StartSpecialProcedure(as(h.t.Context(), "head"), req)
	}
	_, err := start(func(r *caseworkv1.StartSpecialProcedureRequest) { r.Requester = "user/head" })
	h.refusedWith(err, fault.SamePersonForbidden)
	_, err = start(func(r *caseworkv1.StartSpecialProcedureRequest) { r.Requester = "" })
	h.refusedWith(err, fault.FieldRequired)
	_, err = start(func(r *caseworkv1.StartSpecialProcedureRequest) { r.Limit = 11 })
	h.refusedWith(err, fault.ExtensionLimit)
	_, err = start(func(r *caseworkv1.StartSpecialProcedureRequest) { r.Ground = "复杂" })
	h.refusedWith(err, fault.ReasonRequired)
	_, err = start(func(r *caseworkv1.StartSpecialProcedureRequest) {
		r.Kind, r.Ground = caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED, ""
	})
	h.refusedWith(err, fault.ReasonRequired)
	c = h.do(c, "extend")
	_, err = start(func(*caseworkv1.StartSpecialProcedureRequest) {})
	h.refusedWith(err, fault.ExtensionLimit)
}

func TestTimesAndEtags(t *testing.T) {
	h := oneHall(t)
	first, other := h.file(promisedItem), h.file(promisedItem)
	h.clock.Advance(time.Hour)
	step := func(c *caseworkv1.Case, etag string, at *timestamppb.Timestamp) error {
		_, err := commands["pre_accept"](as(t.Context(), "window"), h.client, c.GetName(), newID(), etag, at)
		return err
	}
	now := h.clock.Now()
	h.refusedWith(step(first, first.GetEtag(), timestamppb.New(now.Add(time.Second))), fault.TimeInFuture)
	h.refusedWith(step(first, first.GetEtag(), timestamppb.New(monday.Add(-time.Second))), fault.OrderBroken)
	h.refusedWith(step(first, "", nil), fault.ETagMissing)
	h.refusedWith(step(first, other.GetEtag(), nil), fault.ETagInvalid)
	h.refusedWith(step(first, "9"+first.GetEtag()[1:], nil), fault.ETagInvalid)
	h.refusedWith(step(first, "rubbish", nil), fault.ETagInvalid)
	if err := step(first, first.GetEtag(), timestamppb.New(monday.Add(time.Minute))); err != nil {
		t.Errorf("half an hour ago: %s", explain(err))
	}
	h.refusedWith(step(first, first.GetEtag(), nil), fault.ETagStale)
	_, err := commands["withdraw"](as(t.Context(), "ada"), h.client, other.GetName(), newID(), other.GetEtag(), timestamppb.New(monday))
	h.refusedWith(err, fault.PermissionDenied)
}

func TestPromisedMaterialsMustBeAdmitted(t *testing.T) {
	h := oneHall(t)
	req := filing(promisedItem)
	req.Case.Materials[1] = &caseworkv1.CaseMaterial{MaterialId: "m2", Promised: true}
	c, err := h.client.FileCase(as(t.Context(), "ada"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	h.refusedWith(h.try(c, "accept", "window"), fault.MaterialMissing)
	c, err = h.client.AcceptCase(as(t.Context(), "window"), &caseworkv1.AcceptCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), WithGaps: true})
	if err != nil || c.GetState() != caseworkv1.CaseState_CASE_STATE_ACCEPTED {
		t.Errorf("accepted with gaps: %v, %v", c.GetState(), err)
	}
}
