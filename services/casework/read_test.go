package casework

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

func TestWhoSeesACase(t *testing.T) {
	h := oneHall(t)
	req := filing(promisedItem)
	req.Case.Form = wideForm(2)
	c, err := h.client.FileCase(as(t.Context(), "ada"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	for login, form := range map[string]bool{"ada": true, "window": true, "officer": true, "head": true, "supervisor": false} {
		got, err := h.client.GetCase(as(t.Context(), login), &caseworkv1.GetCaseRequest{Name: c.GetName()})
		if err != nil {
			t.Errorf("%s: %s", login, explain(err))
			continue
		}
		if (got.GetForm() != nil) != form || got.GetApplicant().GetIdNumber() != "110*************2X" && !strings.Contains(got.GetApplicant().GetIdNumber(), "*") ||
			got.GetQueryCode() != "" || got.GetApplicant().GetPhone() == "13812341234" || strings.Contains(got.GetApplicant().GetAddress(), "惠") {
			t.Errorf("%s is shown %v", login, got)
		}
	}
	for _, login := range []string{"bob", "stranger", "elsewhere"} {
		_, err := h.client.GetCase(as(t.Context(), login), &caseworkv1.GetCaseRequest{Name: c.GetName()})
		h.refusedWith(err, fault.NotFound)
		_, err = h.client.ListCaseEvents(as(t.Context(), login), &caseworkv1.ListCaseEventsRequest{Parent: c.GetName()})
		h.refusedWith(err, fault.NotFound)
	}
}

// pages walks through a listing and gives what the pages held.
func (h *hall) pages(login string, req *caseworkv1.ListCasesRequest) []string {
	h.t.Helper()
	var all []string
	for {
		res, err := h.client.ListCases(as(h.t.Context(), login), req)
		if err != nil {
			h.t.Fatal(explain(err))
		}
		for _, c := range res.GetCases() {
			all = append(all, c.GetName())
			if c.GetApplicant().GetDisplayName() != "艾*" {
				h.t.Errorf("a list shows %v", c.GetApplicant())
			}
		}
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			return all
		}
	}
}

func TestListCases(t *testing.T) {
	eachHall(t, func(h *hall) {
		accepted := 0
		for i := range 7 {
			c := h.file(promisedItem)
			if i%3 == 0 {
				h.do(c, "accept")
				accepted++
			}
		}
		whole := h.pages("window", &caseworkv1.ListCasesRequest{Parent: hallName})
		if len(whole) != 7 {
			h.t.Fatalf("%d cases", len(whole))
		}
		for _, login := range []string{"ada", "window", "officer", "head", "supervisor"} {
			if diff := cmp.Diff(whole, h.pages(login, &caseworkv1.ListCasesRequest{Parent: hallName, PageSize: 3})); diff != "" {
				h.t.Errorf("%s, in pages of three: %s", login, diff)
			}
			got := h.pages(login, &caseworkv1.ListCasesRequest{Parent: hallName, State: caseworkv1.CaseState_CASE_STATE_ACCEPTED})
			if len(got) != accepted {
				h.t.Errorf("%s sees %d accepted, want %d", login, len(got), accepted)
			}
		}
		for _, login := range []string{"bob", "stranger"} {
			if got := h.pages(login, &caseworkv1.ListCasesRequest{Parent: hallName}); len(got) != 0 {
				h.t.Errorf("%s sees %v", login, got)
			}
		}
		if got := h.pages("supervisor", &caseworkv1.ListCasesRequest{Parent: hallName, Department: hallName + "/departments/D2"}); len(got) != 0 {
			h.t.Errorf("another department has %v", got)
		}
	})
}

func TestPagesRefused(t *testing.T) {
	h := oneHall(t)
	h.file(promisedItem)
	h.file(promisedItem)
	first, err := h.client.ListCases(as(t.Context(), "window"), &caseworkv1.ListCasesRequest{Parent: hallName, PageSize: 1})
	if err != nil || first.GetNextPageToken() == "" {
		t.Fatalf("first page: %v, %v", first, err)
	}
	token := first.GetNextPageToken()
	for _, tc := range []struct {
		as   string
		req  *caseworkv1.ListCasesRequest
		want *fault.Reason
	}{
		{"window", &caseworkv1.ListCasesRequest{Parent: hallName, PageSize: -1}, fault.BadPageSize},
		{"window", &caseworkv1.ListCasesRequest{Parent: hallName, PageToken: token + "A"}, fault.BadPageToken},
		{"officer", &caseworkv1.ListCasesRequest{Parent: hallName, PageToken: token}, fault.BadPageToken},
		{"window", &caseworkv1.ListCasesRequest{Parent: hallName, PageToken: token, State: caseworkv1.CaseState_CASE_STATE_ACCEPTED}, fault.BadPageToken},
		{"officer", &caseworkv1.ListCasesRequest{Parent: hallName, Department: hallName + "/departments/D2"}, fault.PermissionDenied},
		{"window", &caseworkv1.ListCasesRequest{Parent: hallName, Department: "halls/441302/departments/D2"}, fault.InvalidArgument},
		{"elsewhere", &caseworkv1.ListCasesRequest{Parent: hallName}, fault.NotFound},
	} {
		_, err := h.client.ListCases(as(t.Context(), tc.as), tc.req)
		h.refusedWith(err, tc.want)
	}
	if _, err := h.client.ListCases(as(t.Context(), "window"), &caseworkv1.ListCasesRequest{Parent: hallName, PageSize: 1_000_000_000}); err != nil {
		t.Errorf("a huge page: %s", explain(err))
	}
}

func TestInbox(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.clock.Advance(24 * time.Hour)
		late := h.do(h.file(promisedItem), "accept", "undertake")
		new1 := h.file(promisedItem)
		h.clock.Advance(24 * time.Hour)
		new2, instant := h.file(promisedItem), h.do(h.file(instantItem), "accept")
		h.do(h.file(promisedItem), "withdraw")
		inbox := func(login string, stage caseworkv1.InboxStage) []string {
			h.t.Helper()
			all, token := []string{}, ""
			for {
				res, err := h.client.ListInbox(as(h.t.Context(), login), &caseworkv1.ListInboxRequest{Parent: hallName, Stage: stage, PageSize: 1, PageToken: token})
				if err != nil {
					h.t.Fatal(explain(err))
				}
				for _, c := range res.GetCases() {
					all = append(all, c.GetName())
				}
				if token = res.GetNextPageToken(); token == "" {
					return all
				}
			}
		}
		for _, tc := range []struct {
			as    string
			stage caseworkv1.InboxStage
			want  []*caseworkv1.Case
		}{
			{"window", caseworkv1.InboxStage_INBOX_STAGE_ACCEPTANCE, []*caseworkv1.Case{new1, new2}},
			{"officer", caseworkv1.InboxStage_INBOX_STAGE_EXAMINE, []*caseworkv1.Case{late}},
			{"head", caseworkv1.InboxStage_INBOX_STAGE_APPROVE, []*caseworkv1.Case{instant}},
			{"officer", caseworkv1.InboxStage_INBOX_STAGE_UNSPECIFIED, []*caseworkv1.Case{new1, new2, late, instant}},
			{"stranger", caseworkv1.InboxStage_INBOX_STAGE_UNSPECIFIED, nil},
		} {
			want := []string{}
			for _, c := range tc.want {
				want = append(want, c.GetName())
			}
			if diff := cmp.Diff(want, inbox(tc.as, tc.stage)); diff != "" {
				h.t.Errorf("%s, %s: %s", tc.as, tc.stage, diff)
			}
		}
	})
}

func TestEventsInPages(t *testing.T) {
	h := oneHall(t)
	c := h.do(h.file(promisedItem), "pre_accept", "accept", "undertake")
	var all []string
	token := ""
	for {
		res, err := h.client.ListCaseEvents(as(t.Context(), "ada"), &caseworkv1.ListCaseEventsRequest{Parent: c.GetName(), PageSize: 3, PageToken: token})
		if err != nil {
			t.Fatal(explain(err))
		}
		for _, e := range res.GetEvents() {
			all = append(all, e.GetTitle())
		}
		if token = res.GetNextPageToken(); token == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"提交申请", "网上预受理通过", "受理", "承办"}, all); diff != "" {
		t.Error(diff)
	}
}

func TestReveal(t *testing.T) {
	h := oneHall(t)
	c := h.file(promisedItem)
	req := &caseworkv1.RevealApplicantRequest{Name: c.GetName(), Purpose: "电话通知补正", RequestId: newID()}
	for range 2 {
		a, err := h.client.RevealApplicant(as(t.Context(), "officer"), req)
		if err != nil || a.GetIdNumber() != adaID || a.GetPhone() != "13812341234" || a.GetDisplayName() != "艾达" {
			t.Fatalf("revealed %v, %v", a, err)
		}
	}
	_, err := h.client.RevealApplicant(as(t.Context(), "officer"), &caseworkv1.RevealApplicantRequest{Name: c.GetName(), Purpose: "  看  ", RequestId: newID()})
	h.refusedWith(err, fault.ReasonRequired)
	_, err = h.client.RevealApplicant(as(t.Context(), "supervisor"), &caseworkv1.RevealApplicantRequest{Name: c.GetName(), Purpose: "监督检查", RequestId: newID()})
	h.refusedWith(err, fault.PermissionDenied)
	_, err = h.client.RevealApplicant(as(t.Context(), "stranger"), &caseworkv1.RevealApplicantRequest{Name: c.GetName(), Purpose: "随便看看", RequestId: newID()})
	h.refusedWith(err, fault.NotFound)

	events, err := feed.History(t.Context(), h.service.db.Read(), c.GetName(), 1, 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d looks in the history, %v", len(events), err)
	}
	var detail caseworkv1.RevealApplicantRequest
	if err := proto.Unmarshal(events[0].GetDetail(), &detail); err != nil || detail.GetPurpose() != req.GetPurpose() || detail.GetRequestId() != "" {
		t.Errorf("detail %v, %v", &detail, err)
	}
	if e := events[0]; e.GetType() != "case.applicant_revealed" || e.GetActor() != "user/officer" || e.GetActorDepartment() != "D1" {
		t.Errorf("event %v", e)
	}
	h.do(h.current(c), "accept") // a look changes the etag, and nothing else
}

func (h *hall) current(c *caseworkv1.Case) *caseworkv1.Case {
	h.t.Helper()
	got, err := h.client.GetCase(as(h.t.Context(), "window"), &caseworkv1.GetCaseRequest{Name: c.GetName()})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return got
}

func TestQueryProgress(t *testing.T) {
	h := oneHall(t)
	c := h.file(promisedItem)
	no, code := lastPart(c.GetName()), c.GetQueryCode()
	h.do(c, "accept")
	for _, typed := range []string{code, strings.ToLower(code), code[:5] + "-" + code[5:], " " + strings.ReplaceAll(code, "0", "o")} {
		p, err := h.client.QueryProgress(t.Context(), &caseworkv1.QueryProgressRequest{CaseNo: no, QueryCode: typed})
		if err != nil || p.GetState() != caseworkv1.CaseState_CASE_STATE_ACCEPTED || p.GetStateTitle() != "已受理" || p.GetNextStep() == "" ||
			p.GetApplicantName() != "艾*" || p.GetPromisedDueDate() != "2026-03-16" {
			t.Errorf("%q: %v, %v", typed, p, err)
		}
	}
	draft := h.draft("ada", promisedItem)
	for _, q := range []*caseworkv1.QueryProgressRequest{
		{CaseNo: no, QueryCode: h.service.codes.of("other")},
		{CaseNo: no, QueryCode: "1"},
		{CaseNo: "441300260302000000000", QueryCode: code},
		{CaseNo: "441300260302000000000", QueryCode: h.service.codes.of("441300260302000000000")},
		{CaseNo: "４４13", QueryCode: code},
		{CaseNo: lastPart(draft.GetName()), QueryCode: h.service.codes.of(lastPart(draft.GetName()))},
	} {
		_, err := h.client.QueryProgress(t.Context(), q)
		if f := h.refusedWith(err, fault.NotFound); len(f.Metadata()) != 0 || len(f.Violations()) != 0 {
			t.Errorf("%v tells %v", q, f)
		}
	}
	var last error
	for range 40 {
		if _, last = h.client.QueryProgress(t.Context(), &caseworkv1.QueryProgressRequest{CaseNo: no, QueryCode: "guess"}); fault.Of(last).Reason().Name == fault.TooManyRequests.Name {
			break
		}
	}
	if f := h.refusedWith(last, fault.TooManyRequests); f.RetryAfter() <= 0 {
		t.Errorf("retry after %s", f.RetryAfter())
	}
}

func TestEventsHoldNoPersonalData(t *testing.T) {
	h := oneHall(t)
	req := filing(promisedItem)
	req.Case.Applicant.ContactName, req.Case.Form = "联系人甲", wideForm(1)
	req.Case.Form.Fields["住址"] = deepForm(1).Fields["内"]
	c, err := h.client.FileCase(as(t.Context(), "ada"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	h.do(c, "accept", "undertake", "decide", "finish", "collect")
	secrets := []string{adaID, "艾达", "13812341234", "惠城区测试路", "联系人甲", "底", c.GetQueryCode()}
	h.until("the feed", func() bool {
		page, err := h.feed.ReadEvents(as(t.Context(), "service"), &feedv1.ReadEventsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			all := string(e.GetResource()) + string(e.GetDetail())
			for _, secret := range secrets {
				if strings.Contains(all, secret) {
					t.Errorf("%s holds %q", e.GetType(), secret)
				}
			}
		}
		return len(page.GetEvents()) == 6
	})
}

func TestFollowingTheCatalogue(t *testing.T) {
	h := oneHall(t)
	old := h.file(promisedItem)
	h.publish(item(promisedItem, func(i *cataloguev1.Item) { i.PromisedLimit, i.Materials = 3, i.Materials[:1] }), 2, h.clock.Now().Add(time.Hour))
	h.settle()
	if c := h.file(promisedItem); c.GetItemRevision() != 1 {
		t.Errorf("an announced revision is in force: %d", c.GetItemRevision())
	}
	h.clock.Advance(time.Hour)
	next := filing(promisedItem)
	next.ItemRevision = 1
	_, err := h.client.FileCase(as(t.Context(), "ada"), next)
	if f := h.refusedWith(err, fault.ItemNotInForce); f.Metadata()["current_revision"] != "2" {
		t.Errorf("metadata %v", f.Metadata())
	}
	next.ItemRevision, next.RequestId, next.Case.Materials = 2, newID(), next.Case.Materials[:1]
	c, err := h.client.FileCase(as(t.Context(), "ada"), next)
	if err != nil || c.GetItemRevision() != 2 || c.GetPromisedLimit() != 3 {
		t.Errorf("filed by the new revision: %v, %v", c, err)
	}
	// The old case keeps what it was filed under.
	old = h.do(old, "accept", "request_supplement", "receive_supplement")
	if old.GetPromisedLimit() != 10 || old.GetItemRevision() != 1 {
		t.Errorf("old case: %v", old)
	}
	h.emit("item.paused", promisedItem, item(promisedItem, nil))
	h.settle()
	_, err = h.client.FileCase(as(t.Context(), "ada"), filing(promisedItem))
	h.refusedWith(err, fault.ItemNotInForce)
	h.emit("item.resumed", promisedItem, item(promisedItem, nil))
	h.settle()
	next.RequestId = newID()
	if _, err = h.client.FileCase(as(t.Context(), "ada"), next); err != nil {
		t.Errorf("after it was resumed: %s", explain(err))
	}
	h.emit("item.cancelled", promisedItem, item(promisedItem, nil))
	h.settle()
	_, err = h.client.FileCase(as(t.Context(), "ada"), filing(promisedItem))
	h.refusedWith(err, fault.ItemNotInForce)
	again := newCatalogue()
	if err := again.refresh(t.Context(), h.service.db.Read()); err != nil || again.size() != h.service.items.size() {
		t.Errorf("a restart knows %d items of %d, %v", again.size(), h.service.items.size(), err)
	}
	select {
	case <-h.service.Ready():
	case <-time.After(5 * time.Second):
		t.Error("not ready after the catalogue was followed")
	}
}
