package casework

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestTheWholeWay(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := h.file(fullItem)
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED || c.GetAcceptanceDueDate() != "2026-03-09" || c.GetPromisedDueDate() != "" {
			t.Errorf("filed: %v", c)
		}
		if _, err := codes.ParseCaseNo(lastPart(c.GetName())); err != nil || !strings.HasPrefix(c.GetName(), hallName+"/cases/441300260302") {
			t.Errorf("case number of %s: %v", c.GetName(), err)
		}
		if len(c.GetQueryCode()) != 26 || c.GetVisits() != 0 || c.GetChannel() != caseworkv1.Channel_CHANNEL_WEB {
			t.Errorf("code %q, visits %d, channel %s", c.GetQueryCode(), c.GetVisits(), c.GetChannel())
		}
		c = h.do(c, "pre_accept", "accept")
		if c.GetQueryCode() != "" {
			t.Error("the query code is shown again")
		}
		if c.GetPromisedDueDate() != "2026-03-16" || c.GetStatutoryDueDate() != "2026-03-30" {
			t.Errorf("due %s and %s", c.GetPromisedDueDate(), c.GetStatutoryDueDate())
		}
		h.clock.Advance(24 * time.Hour)
		c = h.do(c, "undertake", "extend", "examine", "start_special")
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_SUSPENDED || c.GetPromisedDueDate() != "2026-04-07" {
			t.Errorf("in a procedure: %s, due %s", c.GetState(), c.GetPromisedDueDate())
		}
		h.clock.Advance(24 * time.Hour)
		c = h.do(c, "end_special", "request_supplement")
		if c.GetPromisedDueDate() != "" || c.GetState() != caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING {
			t.Errorf("waiting for papers: %s, due %q", c.GetState(), c.GetPromisedDueDate())
		}
		c = h.do(c, "receive_supplement", "approve", "decide", "finish", "collect")
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_COLLECTED || c.GetVisits() != 2 {
			t.Errorf("at the end: %s, %d visits", c.GetState(), c.GetVisits())
		}
		if diff := cmp.Diff([]string{"user/window", "user/officer", "user/head", "user/officer2"}, c.GetHandlers()); diff != "" {
			t.Errorf("handlers: %s", diff)
		}
		if c.GetCollection().GetCollector() != "艾*" || c.GetApplicant().GetIdNumber() == adaID || len(c.GetMaterials()) != 3 {
			t.Errorf("the end shows %v", c)
		}
		h.checkHistory(c)
	})
}

// checkHistory compares the events of a case, as lists and followers get them.
func (h *hall) checkHistory(c *caseworkv1.Case) {
	h.t.Helper()
	res, err := h.client.ListCaseEvents(as(h.t.Context(), "ada"), &caseworkv1.ListCaseEventsRequest{Parent: c.GetName()})
	if err != nil {
		h.t.Fatal(err)
	}
	var types []string
	for i, e := range res.GetEvents() {
		types = append(types, strings.TrimPrefix(e.GetType(), "case."))
		if e.GetSequence() != int64(i+1) || e.GetTitle() == "" || e.GetActor() == "" {
			h.t.Errorf("event %d: %v", i, e)
		}
	}
	want := []string{"submitted", "pre_accepted", "accepted", "undertaken", "special_started", "examined", "special_started", "special_ended",
		"supplement_requested", "supplement_received", "approved", "decided", "finished", "collected"}
	if diff := cmp.Diff(want, types); diff != "" {
		h.t.Error(diff)
	}
	var last *feedv1.Event
	h.until("the feed to number all events", func() bool {
		page, err := h.feed.ReadEvents(as(h.t.Context(), "service"), &feedv1.ReadEventsRequest{})
		if err != nil {
			h.t.Fatal(err)
		}
		if n := len(page.GetEvents()); n > 0 {
			last = page.GetEvents()[n-1]
		}
		return len(page.GetEvents()) == len(want)
	})
	var got caseworkv1.Case
	if err := proto.Unmarshal(last.GetResource(), &got); err != nil {
		h.t.Fatal(err)
	}
	if diff := cmp.Diff(c, &got, protocmp.Transform()); diff != "" {
		h.t.Errorf("the last event differs from the last answer: %s", diff)
	}
}

func TestInstantItemInOneVisit(t *testing.T) {
	h := oneHall(t)
	req := filing(instantItem)
	req.Consent = true
	c, err := h.client.FileCase(as(t.Context(), "window"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	if !c.GetOnBehalf() || c.GetVisits() != 1 || c.GetChannel() != caseworkv1.Channel_CHANNEL_WINDOW || c.GetQueryCode() == "" {
		t.Errorf("filed at the window: %v", c)
	}
	if c = h.do(c, "accept", "decide", "finish"); c.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED {
		t.Errorf("state %s", c.GetState())
	}
}

func TestOtherEnds(t *testing.T) {
	h := oneHall(t)
	for _, tc := range []struct {
		steps []string
		want  caseworkv1.CaseState
	}{
		{[]string{"not_accept"}, caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED},
		{[]string{"refuse"}, caseworkv1.CaseState_CASE_STATE_REFUSED},
		{[]string{"withdraw"}, caseworkv1.CaseState_CASE_STATE_WITHDRAWN},
		{[]string{"accept", "undertake", "start_special", "withdraw"}, caseworkv1.CaseState_CASE_STATE_WITHDRAWN},
		{[]string{"accept", "undertake", "deny", "void"}, caseworkv1.CaseState_CASE_STATE_VOIDED},
	} {
		c := h.do(h.file(promisedItem), tc.steps...)
		if c.GetState() != tc.want || c.GetEndTime() == nil || c.GetEndReason() == "" {
			t.Errorf("%v: %s, ended %v because of %q", tc.steps, c.GetState(), c.GetEndTime(), c.GetEndReason())
		}
	}
	for _, steps := range [][]string{{"accept", "undertake", "return"}, {"accept", "undertake", "deny", "return"}} {
		c := h.do(h.file(promisedItem), steps...)
		if c.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED || c.GetFinish().GetResult() != caseworkv1.FinishResult_FINISH_RESULT_RETURNED {
			t.Errorf("%v: %s, %v", steps, c.GetState(), c.GetFinish())
		}
	}
	c := h.do(h.file(promisedItem), "request_supplement")
	h.refusedWith(h.try(c, "lapse", "window"), fault.SupplementRunning)
	h.clock.Advance(8 * 24 * time.Hour)
	if c = h.do(c, "lapse"); c.GetState() != caseworkv1.CaseState_CASE_STATE_LAPSED {
		t.Errorf("after the limit: %s", c.GetState())
	}
}

func TestEnterprise(t *testing.T) {
	h := oneHall(t)
	req := filing(bodiesItem)
	req.Case.Applicant = &caseworkv1.Applicant{
		Type: caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, DisplayName: "惠州测试有限公司", IdType: caseworkv1.IdType_ID_TYPE_USCC,
		IdNumber: strings.ToLower(companyUSCC), ContactName: "艾达", Phone: "0752-2123456",
	}
	c, err := h.client.FileCase(as(t.Context(), "company"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	want := &caseworkv1.Applicant{
		Type: caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, DisplayName: "惠州测试有限公司", IdType: caseworkv1.IdType_ID_TYPE_USCC,
		IdNumber: "9135************43", ContactName: "艾*", Phone: codes.MaskPhone("0752-2123456"),
	}
	if diff := cmp.Diff(want, c.GetApplicant(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	p, err := h.client.QueryProgress(t.Context(), &caseworkv1.QueryProgressRequest{CaseNo: lastPart(c.GetName()), QueryCode: c.GetQueryCode()})
	if err != nil || p.GetApplicantName() != "惠州测试有限公司" {
		t.Errorf("progress names %q, %v", p.GetApplicantName(), err)
	}
}

func TestTwoSpellingsAreOnePerson(t *testing.T) {
	h := oneHall(t)
	first := h.file(promisedItem)
	req := filing(promisedItem)
	req.Case.Applicant.IdNumber = "１１０１０５ 19491231 002x"
	second, err := h.client.FileCase(as(t.Context(), "ada"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	if first.GetApplicantKey() == "" || first.GetApplicantKey() != second.GetApplicantKey() {
		t.Errorf("keys %q and %q", first.GetApplicantKey(), second.GetApplicantKey())
	}
}
