package casework

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// party is one side of a mandate.
func party(login string) *caseworkv1.Party {
	switch login {
	case "company":
		return &caseworkv1.Party{DisplayName: "测试有限公司", IdType: caseworkv1.IdType_ID_TYPE_USCC, IdNumber: companyUSCC}
	case "bob":
		return &caseworkv1.Party{DisplayName: "鲍勃", IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID, IdNumber: bobID}
	}
	return &caseworkv1.Party{DisplayName: "艾达", IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID, IdNumber: adaID}
}

// mandate is a year's, from one to another.
func (h *hall) mandateOf(from, to string, change func(*caseworkv1.Mandate)) *caseworkv1.Mandate {
	m := &caseworkv1.Mandate{Principal: party(from), Agent: party(to), EndTime: timestamppb.New(h.clock.Now().AddDate(1, 0, 0))}
	if change != nil {
		change(m)
	}
	return m
}

func (h *hall) give(from, to string, change func(*caseworkv1.Mandate)) *caseworkv1.Mandate {
	h.t.Helper()
	m, err := h.own.CreateMandate(as(h.t.Context(), from), &caseworkv1.CreateMandateRequest{Mandate: h.mandateOf(from, to, change), RequestId: newID()})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return m
}

// byMandate is a filing for ada.
func byMandate(item string, m *caseworkv1.Mandate) *caseworkv1.FileCaseRequest {
	req := filing(item)
	req.Case.Mandate = m.GetName()
	return req
}

func TestFilingByMandate(t *testing.T) {
	eachHall(t, func(h *hall) {
		m := h.give("ada", "bob", func(m *caseworkv1.Mandate) { m.Items = []string{promisedItem} })
		if m.GetState() != caseworkv1.MandateState_MANDATE_STATE_STANDING || m.GetAgent().GetIdNumber() == bobID || m.GetPrincipal().GetDisplayName() != "艾*" {
			t.Errorf("given: %v", m)
		}
		bob := as(h.t.Context(), "bob")
		c, err := h.client.FileCase(bob, byMandate(promisedItem, m))
		if err != nil {
			t.Fatal(explain(err))
		}
		if c.GetApplicantKey() != everybody["ada"].IdentityKey || c.GetAgentKey() != everybody["bob"].IdentityKey || c.GetMandate() != m.GetName() ||
			c.GetAgent().GetDisplayName() != "鲍*" || c.GetAgent().GetIdNumber() == bobID || c.GetOnBehalf() {
			t.Errorf("filed: %v", c)
		}
		// The agent goes on with it; the principal sees it as its own, with every use.
		c = h.do(c, "request_supplement")
		got, err := h.client.ReceiveSupplement(bob, &caseworkv1.ReceiveSupplementRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Materials: application("").GetMaterials()[:1]})
		if err != nil {
			t.Fatal(explain(err))
		}
		if _, err = h.client.WithdrawCase(as(h.t.Context(), "ada"), &caseworkv1.WithdrawCaseRequest{Name: c.GetName(), Etag: got.GetEtag(), RequestId: newID()}); err != nil {
			t.Fatal(explain(err))
		}
		var uses []string
		for _, e := range h.events(c.GetName()) {
			uses = append(uses, e.GetType()+" "+e.GetMandate())
		}
		want := []string{"case.submitted " + m.GetName(), "case.supplement_requested ", "case.supplement_received " + m.GetName(), "case.withdrawn "}
		if diff := cmp.Diff(want, uses); diff != "" {
			t.Error(diff)
		}
		for login, side := range map[string]caseworkv1.MandateSide{"ada": caseworkv1.MandateSide_MANDATE_SIDE_GIVEN, "bob": caseworkv1.MandateSide_MANDATE_SIDE_RECEIVED} {
			list, err := h.own.ListMandates(as(h.t.Context(), login), &caseworkv1.ListMandatesRequest{Side: side})
			if err != nil || len(list.GetMandates()) != 1 || list.GetMandates()[0].GetName() != m.GetName() {
				t.Errorf("%s lists %v, %v", login, list, err)
			}
		}
	})
}

// TestMandateRefusals tells each refusal by its reason, and what an agent may do no more
// once its mandate has ended.
func TestMandateRefusals(t *testing.T) {
	eachHall(t, func(h *hall) {
		bob := as(h.t.Context(), "bob")
		narrow := h.give("ada", "bob", func(m *caseworkv1.Mandate) { m.Items = []string{promisedItem} })
		later := h.give("ada", "bob", func(m *caseworkv1.Mandate) { m.StartTime = timestamppb.New(h.clock.Now().Add(time.Hour)) })
		others := h.give("company", "bob", nil)
		foreign := h.give("ada", "company", nil)
		file := func(item string, m *caseworkv1.Mandate) error {
			_, err := h.client.FileCase(bob, byMandate(item, m))
			return err
		}
		h.refusedWith(file(promisedItem, nil), fault.PermissionDenied)
		h.refusedWith(file(promisedItem, &caseworkv1.Mandate{Name: "mandates/" + newID()}), fault.MandateUnknown)
		h.refusedWith(file(promisedItem, foreign), fault.MandateUnknown)
		h.refusedWith(file(promisedItem, others), fault.MandateMismatch)
		h.refusedWith(file(instantItem, narrow), fault.MandateItem)
		f := h.refusedWith(file(promisedItem, later), fault.MandateNotYet)
		if vs := f.Violations(); len(vs) != 1 || vs[0].Field != "case.mandate" {
			t.Errorf("blamed %+v", vs)
		}

		c, err := h.client.FileCase(bob, byMandate(promisedItem, narrow))
		if err != nil {
			t.Fatal(explain(err))
		}
		withdraw := func() error {
			_, err := h.client.WithdrawCase(bob, &caseworkv1.WithdrawCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()})
			return err
		}
		h.clock.Set(narrow.GetEndTime().AsTime()) // a moment later it holds no more
		h.refusedWith(withdraw(), fault.MandateExpired)
		h.refusedWith(file(promisedItem, narrow), fault.MandateExpired)
		h.revoking(c)
	})
}

// revoking takes a mandate back: the agent is told so at once, and may not go on.
func (h *hall) revoking(old *caseworkv1.Case) {
	h.t.Helper()
	bob := as(h.t.Context(), "bob")
	m := h.give("ada", "bob", nil)
	c, err := h.client.FileCase(bob, byMandate(promisedItem, m))
	if err != nil {
		h.t.Fatal(explain(err))
	}
	_, err = h.own.RevokeMandate(as(h.t.Context(), "company"), &caseworkv1.RevokeMandateRequest{Name: m.GetName(), Etag: m.GetEtag(), RequestId: newID()})
	h.refusedWith(err, fault.NotFound)
	req := &caseworkv1.RevokeMandateRequest{Name: m.GetName(), Etag: m.GetEtag(), RequestId: newID()}
	gone, err := h.own.RevokeMandate(as(h.t.Context(), "ada"), req)
	if err != nil || gone.GetState() != caseworkv1.MandateState_MANDATE_STATE_REVOKED || gone.GetRevokeTime() == nil {
		h.t.Fatalf("revoked: %v, %v", gone, err)
	}
	if again, err := h.own.RevokeMandate(as(h.t.Context(), "ada"), req); err != nil || bytesOf(h.t, again) != bytesOf(h.t, gone) {
		h.t.Errorf("again: %v, %v", again, err)
	}
	req.RequestId, req.Etag = newID(), gone.GetEtag()
	_, err = h.own.RevokeMandate(as(h.t.Context(), "ada"), req)
	h.refusedWith(err, fault.MandateRevoked)
	_, err = h.client.GetCase(bob, &caseworkv1.GetCaseRequest{Name: c.GetName()})
	h.refusedWith(err, fault.MandateRevoked)
	_, err = h.client.GetCase(as(h.t.Context(), "company"), &caseworkv1.GetCaseRequest{Name: c.GetName()})
	h.refusedWith(err, fault.NotFound)

	// One that reaches all cases reaches those of before, but never a principal's draft.
	all := h.give("ada", "bob", func(m *caseworkv1.Mandate) { m.AllCases = true })
	if _, err = h.client.GetCase(bob, &caseworkv1.GetCaseRequest{Name: old.GetName()}); err != nil {
		h.t.Error(explain(err))
	}
	draft := h.draft("ada", promisedItem)
	_, err = h.client.GetCase(bob, &caseworkv1.GetCaseRequest{Name: draft.GetName()})
	h.refusedWith(err, fault.NotFound)
	list, err := h.own.ListMyCases(bob, &caseworkv1.ListMyCasesRequest{Mandate: all.GetName()})
	if err != nil || len(list.GetCases()) != 2 {
		h.t.Errorf("bob lists %v, %v", list, err)
	}
	_, err = h.own.ListMyCases(bob, &caseworkv1.ListMyCasesRequest{Mandate: m.GetName()})
	h.refusedWith(err, fault.MandateRevoked)
	_, err = h.client.AcceptCase(bob, &caseworkv1.AcceptCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()})
	h.refusedWith(err, fault.PermissionDenied)
}

func TestMandatesThatMakeNoSense(t *testing.T) {
	h := oneHall(t)
	for name, tc := range map[string]struct {
		change func(*caseworkv1.Mandate)
		want   *fault.Reason
	}{
		"to oneself":    {func(m *caseworkv1.Mandate) { m.Agent = party("ada") }, fault.MandateToOneself},
		"of another":    {func(m *caseworkv1.Mandate) { m.Principal = party("bob") }, fault.PermissionDenied},
		"over":          {func(m *caseworkv1.Mandate) { m.EndTime = timestamppb.New(h.clock.Now()) }, fault.MandatePeriod},
		"backwards":     {func(m *caseworkv1.Mandate) { m.StartTime = timestamppb.New(h.clock.Now().AddDate(2, 0, 0)) }, fault.MandatePeriod},
		"too long":      {func(m *caseworkv1.Mandate) { m.EndTime = timestamppb.New(h.clock.Now().AddDate(5, 0, 1)) }, fault.MandatePeriod},
		"unknown item":  {func(m *caseworkv1.Mandate) { m.Items = []string{hallName + "/items/11441300006940386X2440106099000"} }, fault.ItemNotFound},
		"no such agent": {func(m *caseworkv1.Mandate) { m.Agent.IdNumber = "110105194912310021" }, fault.InvalidArgument},
	} {
		_, err := h.own.CreateMandate(as(t.Context(), "ada"), &caseworkv1.CreateMandateRequest{Mandate: h.mandateOf("ada", "bob", tc.change), RequestId: newID()})
		if f := fault.Of(err); err == nil || f.Reason().Name != tc.want.Name && name != "no such agent" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A draft that an agent began is its principal's to finish, and the other way round.
func TestDraftByMandate(t *testing.T) {
	h := oneHall(t)
	m := h.give("company", "bob", nil)
	req := &caseworkv1.CreateCaseRequest{Parent: hallName, Case: application(promisedItem), RequestId: newID()}
	req.Case.Applicant = &caseworkv1.Applicant{
		Type: caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, DisplayName: "测试有限公司", IdType: caseworkv1.IdType_ID_TYPE_USCC, IdNumber: companyUSCC, Phone: "13812341234",
	}
	req.Case.Mandate = m.GetName()
	c, err := h.client.CreateCase(as(t.Context(), "bob"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	c.Subject = "改过的"
	if c, err = h.client.UpdateCase(as(t.Context(), "bob"), &caseworkv1.UpdateCaseRequest{Case: c, RequestId: newID()}); err != nil || c.GetMandate() != m.GetName() {
		t.Fatalf("%v, %v", c, err)
	}
	c, err = h.client.SubmitCase(as(t.Context(), "company"), &caseworkv1.SubmitCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()})
	if err != nil || c.GetMandate() != m.GetName() || c.GetAgentKey() == "" || c.GetActingMandate() != "" {
		t.Fatalf("%v, %v", c, err)
	}
	if _, err = h.client.GetCase(as(t.Context(), "bob"), &caseworkv1.GetCaseRequest{Name: c.GetName()}); err != nil {
		t.Error(explain(err))
	}
}
