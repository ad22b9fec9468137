package e2e

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/restclient"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
)

// find searches as people do.
func (w *way) find() {
	want := w.data.Items[house.Hotel].GetName()
	for _, q := range []string{"旅馆业", "旅館業", "特种行业许可", "lgytzhy", "旅馆"} {
		found := get(w.scene, w.Nobody(), "/v1/items:search"+house.Query("query", q, "hall", w.hall), &cataloguev1.SearchItemsResponse{})
		if len(found.GetHits()) == 0 || found.GetHits()[0].GetItem() != want {
			w.t.Errorf("search %q: %v, want %s first", q, found.GetHits(), want)
		}
	}
	// The other city has the residence permit too; each hall finds its own.
	for hall, item := range map[string]*cataloguev1.Item{w.hall: w.data.Items[house.Residence], "halls/" + house.Foreign: w.data.Abroad} {
		found := get(w.scene, w.Nobody(), "/v1/items:search"+house.Query("query", "居住证", "hall", hall), &cataloguev1.SearchItemsResponse{})
		if len(found.GetHits()) != 1 || found.GetHits()[0].GetItem() != item.GetName() {
			w.t.Errorf("search in %s: %v, want %s alone", hall, found.GetHits(), item.GetName())
		}
	}
	nothing := get(w.scene, w.Nobody(), "/v1/items:search"+house.Query("query", "量子纠缠执照"), &cataloguev1.SearchItemsResponse{})
	if len(nothing.GetHits()) != 0 {
		w.t.Errorf("search for what there is not: %v", nothing.GetHits())
	}
}

// guide reads what the hall says about the item, and its immutable revision.
func (w *way) guide() {
	want := w.data.Items[house.Hotel]
	got := get(w.scene, w.Nobody(), "/v1/"+want.GetName(), &cataloguev1.Item{})
	if len(got.GetMaterials()) != len(want.GetMaterials()) || len(got.GetSteps()) != len(want.GetSteps()) ||
		got.GetPromisedLimit() != want.GetPromisedLimit() || got.GetLegalBasis() == "" || got.GetConsultPhone() == "" || len(got.GetPlaces()) == 0 {
		w.t.Errorf("the guide is not whole: %v", got)
	}
	if got.GetState() != cataloguev1.ItemState_ITEM_STATE_IN_FORCE || got.GetRevision() != 1 || len(got.GetContentSha256()) != 64 {
		w.t.Errorf("state %v, revision %d, hash %q", got.GetState(), got.GetRevision(), got.GetContentSha256())
	}
	rev := get(w.scene, w.Nobody(), "/v1/"+want.GetName()+"/revisions/1", &cataloguev1.ItemRevision{})
	if rev.GetContentSha256() != got.GetContentSha256() {
		w.t.Errorf("revision 1 has hash %s, the item %s", rev.GetContentSha256(), got.GetContentSha256())
	}
}

// apply files online, twice with the same request id, and a draft that is submitted.
func (w *way) apply() {
	who, client := w.person(1)
	req := w.filing(who, house.Hotel)
	req.Parent = ""
	path := "/v1/" + w.hall + "/cases:file"
	first, again := &caseworkv1.Case{}, &caseworkv1.Case{}
	w.must("file", client.Post(w.t.Context(), path, req, first))
	w.must("file again", client.Post(w.t.Context(), path, req, again))
	if d := cmp.Diff(first, again, protocmp.Transform()); d != "" {
		w.t.Errorf("the same request is answered differently:\n%s", d)
	}
	if first.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED || len(caseNo(first)) != 21 || len(first.GetQueryCode()) < 20 {
		w.t.Fatalf("filed: %v", first)
	}
	if a := first.GetApplicant(); strings.Contains(a.GetIdNumber(), who.IDNumber) || a.GetDisplayName() == who.Name || strings.Contains(a.GetPhone(), who.Phone) {
		w.t.Errorf("the applicant is not masked: %v", a)
	}
	w.main, w.code = first, first.GetQueryCode()
	w.submitted++

	draft := &caseworkv1.Case{}
	who2, client2 := w.person(2)
	w.must("draft", client2.Post(w.t.Context(), "/v1/"+w.hall+"/cases"+house.Query("requestId", newID()), house.Application(w.data.Items[house.Residence], who2), draft))
	if r := w.refusal("a stranger's look at a draft", w.window.Get(w.t.Context(), "/v1/"+draft.GetName(), nil)); r.Status != http.StatusNotFound {
		w.t.Errorf("draft seen by the window: %v", r)
	}
	w.open = w.act(client2, draft, "submit", &caseworkv1.SubmitCaseRequest{})
	w.submitted++
}

// supplement asks for a better paper and gets it.
func (w *way) supplement() {
	_, client := w.person(1)
	m := w.main.GetMaterials()[0]
	told := w.act(w.window, w.main, "requestSupplement", &caseworkv1.RequestSupplementRequest{Reason: "第一份材料不清晰，请重新上传", MaterialIds: []string{m.GetMaterialId()}})
	if told.GetState() != caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING {
		w.t.Fatalf("state %v", told.GetState())
	}
	seen := get(w.scene, client, "/v1/"+told.GetName(), &caseworkv1.Case{})
	if n := len(seen.GetSupplements()); n != 1 || seen.GetSupplements()[0].GetDueDate() == "" {
		w.t.Fatalf("the applicant sees %v", seen.GetSupplements())
	}
	w.main = w.act(client, told, "receiveSupplement", &caseworkv1.ReceiveSupplementRequest{
		Materials: []*caseworkv1.CaseMaterial{{MaterialId: m.GetMaterialId(), FileName: "清晰.pdf", Sha256: strings.Repeat("ab", 32)}},
	})
	if w.main.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
		w.t.Errorf("state %v after the supplement", w.main.GetState())
	}
}

// handle goes from acceptance to collection.
func (w *way) handle() {
	c := w.act(w.window, w.main, "preAccept", &caseworkv1.PreAcceptCaseRequest{})
	c = w.act(w.window, c, "accept", &caseworkv1.AcceptCaseRequest{})
	w.accepted++
	if c.GetPromisedDueDate() == "" || c.GetStatutoryDueDate() < c.GetPromisedDueDate() {
		w.t.Errorf("due %q by the promise, %q by law", c.GetPromisedDueDate(), c.GetStatutoryDueDate())
	}
	// The head undertakes nothing it approves, and nobody skips a step.
	r := w.refusal("decide before undertaking", act(w.t.Context(), w.head, c, "decide", &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED}, nil))
	if r.Status != http.StatusConflict || r.Reason != "CASE_WRONG_STATE" {
		w.t.Errorf("decided too early: %v", r)
	}
	if status, pdf, err := w.window.Raw(w.t.Context(), http.MethodGet, "/v1/"+c.GetName()+"/document:print?kind=DOCUMENT_KIND_ACCEPTANCE", nil); err != nil || status != http.StatusOK || !bytes.HasPrefix(pdf, []byte("%PDF-1.")) {
		w.t.Errorf("the acceptance notice as PDF: %d %.80q, %v", status, pdf, err)
	}
	c = w.finished(w.decided(c))
	w.done++
	c = w.act(w.window, c, "collect", &caseworkv1.CollectCaseRequest{Collector: "张三", Way: caseworkv1.Channel_CHANNEL_COURIER})
	if c.GetState() != caseworkv1.CaseState_CASE_STATE_COLLECTED || c.GetFinish().GetCertificateNo() == "" || len(c.GetSteps()) != 3 {
		w.t.Errorf("at the end: %v", c)
	}
	w.main = c
	w.open = w.act(w.window, w.open, "accept", &caseworkv1.AcceptCaseRequest{})
	w.accepted++
}

// history reads what happened, 1..n.
func (w *way) history() {
	list := get(w.scene, w.head, "/v1/"+w.main.GetName()+"/events", &caseworkv1.ListCaseEventsResponse{})
	var types []string
	for i, e := range list.GetEvents() {
		if e.GetSequence() != int64(i+1) || e.GetTitle() == "" || e.GetEnteredAt() == nil || e.GetActor() == "" {
			w.t.Errorf("event %d: %v", i+1, e)
		}
		types = append(types, e.GetType())
	}
	want := []string{
		"case.submitted", "case.supplement_requested", "case.supplement_received", "case.pre_accepted", "case.accepted",
		"case.undertaken", "case.examined", "case.approved", "case.decided", "case.finished", "case.collected",
	}
	if d := cmp.Diff(want, types); d != "" {
		w.t.Errorf("history:\n%s", d)
	}
	_, client := w.person(1)
	own := get(w.scene, client, "/v1/"+w.main.GetName()+"/events", &caseworkv1.ListCaseEventsResponse{})
	if len(own.GetEvents()) != len(want) {
		w.t.Errorf("the applicant sees %d events", len(own.GetEvents()))
	}
}

// counter files at the window for a person who is there and consents, and settles an
// instant item on the spot.
func (w *way) counter() {
	who, client := w.person(3)
	req := w.filing(who, house.TempID)
	req.Parent = ""
	path := "/v1/" + w.hall + "/cases:file"
	if r := w.refusal("file without consent", w.window.Post(w.t.Context(), path, req, nil)); r.Reason != "CONSENT_REQUIRED" || r.Status != http.StatusBadRequest {
		w.t.Errorf("filed without consent: %v", r)
	}
	req.Consent, req.RequestId = true, newID()
	c := &caseworkv1.Case{}
	w.must("file at the counter", w.window.Post(w.t.Context(), path, req, c))
	if !c.GetOnBehalf() || c.GetChannel() != caseworkv1.Channel_CHANNEL_WINDOW || c.GetVisits() != 1 || c.GetQueryCode() == "" {
		w.t.Errorf("filed: %v", c)
	}
	w.submitted++
	c = w.act(w.window, c, "accept", &caseworkv1.AcceptCaseRequest{})
	w.accepted++
	c = w.act(w.head, c, "decide", &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED})
	w.finished(c)
	w.done++
	// The person finds the case that the window filed for it.
	mine := get(w.scene, client, "/v1/"+w.hall+"/cases", &caseworkv1.ListCasesResponse{})
	if len(mine.GetCases()) != 1 || mine.GetCases()[0].GetName() != c.GetName() {
		w.t.Errorf("the person's cases: %v", mine.GetCases())
	}
}

// progress asks as somebody who holds a receipt.
func (w *way) progress() {
	ask := func(no, code string) (*caseworkv1.Progress, error) {
		p := &caseworkv1.Progress{}
		return p, w.Nobody().Post(w.t.Context(), "/v1/cases:queryProgress", &caseworkv1.QueryProgressRequest{CaseNo: no, QueryCode: code}, p)
	}
	p, err := ask(caseNo(w.main), strings.ToLower(w.code))
	w.must("progress", err)
	who, _ := w.person(1)
	if p.GetState() != caseworkv1.CaseState_CASE_STATE_COLLECTED || p.GetStateTitle() == "" || p.GetApplicantName() == who.Name || p.GetItemTitle() == "" {
		w.t.Errorf("progress: %v", p)
	}
	_, wrongCode := ask(caseNo(w.main), strings.Repeat("7", 26))
	_, unknown := ask(otherNumber(caseNo(w.main)), w.code)
	a, b := w.refusal("wrong code", wrongCode), w.refusal("unknown number", unknown)
	a.RequestID, b.RequestID = "", ""
	if d := cmp.Diff(a, b); d != "" || a.Status != http.StatusNotFound {
		w.t.Errorf("a wrong code and an unknown number are told apart:\n%s", d)
	}
}

// inbox shows each his own work, nearest due date first.
func (w *way) inbox() {
	fresh := w.file(4, house.Residence)
	w.submitted++
	for _, box := range []struct {
		who   *restclient.Client
		stage string
		want  string
	}{
		{w.window, "INBOX_STAGE_ACCEPTANCE", fresh.GetName()}, {w.officer, "INBOX_STAGE_UNDERTAKE", w.open.GetName()},
	} {
		got := get(w.scene, box.who, "/v1/"+w.hall+"/inbox"+house.Query("stage", box.stage), &caseworkv1.ListInboxResponse{})
		if len(got.GetCases()) != 1 || got.GetCases()[0].GetName() != box.want {
			w.t.Errorf("inbox %s: %v, want %s", box.stage, got.GetCases(), box.want)
		}
	}
}
