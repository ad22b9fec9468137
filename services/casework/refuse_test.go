package casework

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestFilingRefused(t *testing.T) {
	h := oneHall(t)
	person := func(change func(*caseworkv1.Applicant)) func(*caseworkv1.FileCaseRequest) {
		return func(r *caseworkv1.FileCaseRequest) { change(r.Case.Applicant) }
	}
	for _, tc := range []struct {
		name, as string
		change   func(*caseworkv1.FileCaseRequest)
		want     *fault.Reason
		meta     string
	}{
		{"unknown item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = promisedItem[:len(promisedItem)-1] + "9" }, fault.ItemNotFound, ""},
		{"another hall's item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Parent = "halls/441302" }, fault.ItemNotFound, ""},
		{"paused item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = pausedItem }, fault.ItemNotInForce, "current_revision=0"},
		{"announced item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = futureItem }, fault.ItemNotInForce, ""},
		{"draft item", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = draftItem }, fault.ItemNotInForce, ""},
		{"item past its last day", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = endedItem }, fault.ItemNotInForce, ""},
		{"another revision", "ada", func(r *caseworkv1.FileCaseRequest) { r.ItemRevision = 7 }, fault.ItemNotInForce, "current_revision=1"},
		{"wrong kind of applicant", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Item = bodiesItem }, fault.WrongApplicantType, "current_revision=1"},
		{"somebody else's number", "bob", func(*caseworkv1.FileCaseRequest) {}, fault.PermissionDenied, ""},
		{"window without consent", "window", func(*caseworkv1.FileCaseRequest) {}, fault.ConsentRequired, ""},
		{"window of another hall", "elsewhere", func(r *caseworkv1.FileCaseRequest) { r.Consent = true }, fault.NotFound, ""},
		{"officer", "officer", func(*caseworkv1.FileCaseRequest) {}, fault.PermissionDenied, ""},
		{"nobody", "nobody", func(*caseworkv1.FileCaseRequest) {}, fault.Unauthenticated, ""},
		{"applicant claims a time", "ada", func(r *caseworkv1.FileCaseRequest) { r.HappenedAt = timestamppb.New(monday.Add(-time.Hour)) }, fault.PermissionDenied, ""},
		{"window claims tomorrow", "window", func(r *caseworkv1.FileCaseRequest) {
			r.Consent, r.HappenedAt = true, timestamppb.New(monday.Add(time.Hour))
		}, fault.TimeInFuture, ""},
		{"applicant claims to be at the window", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Channel = caseworkv1.Channel_CHANNEL_WINDOW }, fault.InvalidArgument, ""},
		{"wrong check digit", "ada", person(func(a *caseworkv1.Applicant) { a.IdNumber = adaID[:17] + "1" }), fault.BadResidentID, ""},
		{"29 February 2023", "ada", person(func(a *caseworkv1.Applicant) { a.IdNumber = "110105202302290013" }), fault.BadResidentID, ""},
		{"15 digits", "ada", person(func(a *caseworkv1.Applicant) { a.IdNumber = "110105491231002" }), fault.BadResidentID, ""},
		{"person with a credit code", "ada", person(func(a *caseworkv1.Applicant) { a.IdType = caseworkv1.IdType_ID_TYPE_USCC }), fault.InvalidArgument, ""},
		{"name written backwards", "ada", person(func(a *caseworkv1.Applicant) { a.DisplayName = "艾\u202e达" }), fault.BadName, ""},
		{"name that cannot be seen", "ada", person(func(a *caseworkv1.Applicant) { a.DisplayName = "艾\u200d达" }), fault.BadName, ""},
		{"phone of emoji", "ada", person(func(a *caseworkv1.Applicant) { a.Phone = "1️⃣3️⃣8️⃣" }), fault.BadPhone, ""},
		{"blank address", "ada", person(func(a *caseworkv1.Applicant) { a.Address = "   " }), fault.BadText, ""},
		{"blank subject", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Subject = " \t " }, fault.BadText, ""},
		{"no material", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials = nil }, fault.MaterialMissing, "material=m1"},
		{"one material missing", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials = r.Case.Materials[:1] }, fault.MaterialMissing, "material=m2"},
		{"unknown material", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials[0].MaterialId = "m9" }, fault.MaterialUnknown, ""},
		{"a material twice", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials[1].MaterialId = "m1" }, fault.MaterialDuplicate, ""},
		{"a file twice", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials[1].Sha256 = sha('a') }, fault.MaterialDuplicate, ""},
		{"200 materials", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Materials = manyMaterials(200) }, fault.InvalidArgument, ""},
		{"form of 9 levels", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Form = deepForm(9) }, fault.FormTooLarge, ""},
		{"form of 201 values", "ada", func(r *caseworkv1.FileCaseRequest) { r.Case.Form = wideForm(201) }, fault.FormTooLarge, ""},
		{"no request id", "ada", func(r *caseworkv1.FileCaseRequest) { r.RequestId = "" }, fault.RequestIDMissing, ""},
		{"zero request id", "ada", func(r *caseworkv1.FileCaseRequest) { r.RequestId = "00000000-0000-0000-0000-000000000000" }, fault.RequestIDInvalid, ""},
		{"request id that is no UUID", "ada", func(r *caseworkv1.FileCaseRequest) { r.RequestId = "again" }, fault.RequestIDInvalid, ""},
		{"form of 8 levels and 200 values", "ada", func(r *caseworkv1.FileCaseRequest) {
			r.Case.Form = deepForm(8)
			for k, v := range wideForm(192).Fields {
				r.Case.Form.Fields[k] = v
			}
		}, nil, ""},
		{"a promised material", "ada", func(r *caseworkv1.FileCaseRequest) {
			r.Case.Materials[1] = &caseworkv1.CaseMaterial{MaterialId: "m2", Promised: true}
		}, nil, ""},
		{"odd but honest texts", "ada", func(r *caseworkv1.FileCaseRequest) {
			r.Case.Subject, r.Case.Applicant.DisplayName = `<b>'"; DROP TABLE cases; {{.}} %s =cmd|`, "买买提·𠮷"
		}, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := *h
			h.t = t
			req := filing(promisedItem)
			tc.change(req)
			_, err := h.client.FileCase(as(t.Context(), tc.as), req)
			if tc.want == nil {
				if err != nil {
					t.Errorf("refused: %s", explain(err))
				}
				return
			}
			f := h.refusedWith(err, tc.want)
			if k, v, _ := strings.Cut(tc.meta, "="); f.Metadata()[k] != v {
				t.Errorf("metadata %v, want %s", f.Metadata(), tc.meta)
			}
		})
	}
}

func manyMaterials(n int) []*caseworkv1.CaseMaterial {
	var out []*caseworkv1.CaseMaterial
	for i := range n {
		out = append(out, &caseworkv1.CaseMaterial{MaterialId: fmt.Sprintf("m%d", i), Paper: true})
	}
	return out
}

// deepForm has one value at the given level and one at each above it.
func deepForm(levels int) *structpb.Struct {
	v := structpb.NewStringValue("底")
	for range levels {
		v = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{"内": v}})
	}
	return v.GetStructValue()
}

func wideForm(values int) *structpb.Struct {
	f := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for i := range values {
		f.Fields[fmt.Sprint(i)] = structpb.NewNumberValue(float64(i))
	}
	return f
}

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
