package casework

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/httpbody"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

const (
	upperHall = "halls/441302"
	upperItem = upperHall + "/items/11441302006940386X2440106001000"
)

func TestRevoke(t *testing.T) {
	eachHall(t, func(h *hall) {
		finished := h.do(h.file(promisedItem), "accept", "undertake", "decide", "finish")
		denied := h.do(h.file(promisedItem), "accept", "undertake", "deny")
		revoke := func(c *caseworkv1.Case, login, reason, remedies string) (*caseworkv1.Case, error) {
			return h.client.RevokeCase(as(h.t.Context(), login), &caseworkv1.RevokeCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Reason: reason, Remedies: remedies})
		}
		_, err := revoke(denied, "head", longReason, remedies)
		h.refusedWith(err, fault.CaseWrongState)
		_, err = revoke(finished, "head", longReason, "")
		h.refusedWith(err, fault.ReasonRequired)
		_, err = revoke(finished, "officer", longReason, remedies)
		h.refusedWith(err, fault.PermissionDenied)
		c, err := revoke(finished, "head", longReason, remedies)
		if err != nil || c.GetState() != caseworkv1.CaseState_CASE_STATE_REVOKED {
			h.t.Fatalf("revoked: %v, %v", c, err)
		}
		if c.GetDecision().GetResult() != caseworkv1.DecisionResult_DECISION_RESULT_GRANTED || c.GetFinish() == nil || c.GetRevocation().GetReason() != longReason || c.GetEndTime() != nil {
			h.t.Errorf("the history is not kept: %v", c)
		}
		h.refusedWith(h.try(c, "collect", "window"), fault.CaseWrongState)
		h.do(c, "void")
	})
}

// forwardUp forwards a case of ada's to the upper hall.
func (h *hall) forwardUp() *caseworkv1.Case {
	h.t.Helper()
	c := h.do(h.file(promisedItem), "accept", "undertake")
	c, err := h.client.FinishCase(as(h.t.Context(), "officer"), &caseworkv1.FinishCaseRequest{
		Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Result: caseworkv1.FinishResult_FINISH_RESULT_FORWARDED, ForwardedTo: upperHall,
	})
	if err != nil || c.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED {
		h.t.Fatalf("forwarded: %v, %v", c, err)
	}
	return c
}

func (h *hall) openForwarded(login, id, parent string, origin *caseworkv1.Case) (*caseworkv1.Case, error) {
	return h.client.OpenForwardedCase(as(h.t.Context(), login), &caseworkv1.OpenForwardedCaseRequest{
		Parent: parent, OriginCase: origin.GetName(), RequestId: id, Item: upperItem,
		Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", Paper: true}, {MaterialId: "m2", Paper: true}},
	})
}

func TestForwardedCasesNameEachOther(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.publish(item(upperItem, func(i *cataloguev1.Item) { i.Department = upperHall + "/departments/U1" }), 1, monday.Add(-time.Hour))
		h.settle()
		origin, id := h.forwardUp(), newID()
		_, err := h.openForwarded("window", newID(), hallName, origin)
		h.refusedWith(err, fault.InvalidArgument) // it was not forwarded to this hall
		_, err = h.openForwarded("elsewhere", newID(), upperHall, h.do(h.file(promisedItem), "accept"))
		h.refusedWith(err, fault.InvalidArgument)
		c, err := h.openForwarded("elsewhere", id, upperHall, origin)
		if err != nil {
			h.t.Fatal(explain(err))
		}
		lower := h.read(origin.GetName())
		if c.GetOriginCase() != origin.GetName() || lower.GetForwardedCase() != c.GetName() || lower.GetState() != caseworkv1.CaseState_CASE_STATE_FINISHED {
			h.t.Errorf("they name %q and %q", c.GetOriginCase(), lower.GetForwardedCase())
		}
		if c.GetApplicantKey() != origin.GetApplicantKey() || c.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED || c.GetVisits() != 0 || c.GetAcceptanceDueDate() == "" || c.GetQueryCode() == "" {
			h.t.Errorf("opened: %v", c)
		}
		again, err := h.openForwarded("elsewhere", id, upperHall, origin)
		if err != nil || bytesOf(h.t, again) != bytesOf(h.t, c) {
			h.t.Errorf("a retry: %v, %v", again, err)
		}
		_, err = h.openForwarded("elsewhere", newID(), upperHall, origin)
		h.refusedWith(err, fault.CaseWrongState)
		events := h.events(origin.GetName())
		if last := events[len(events)-1]; last.GetType() != "case.forward_opened" || last.GetTitle() == "" {
			h.t.Errorf("the last event of the lower body's case is %v", last)
		}
		mine, err := h.client.GetCase(as(h.t.Context(), "ada"), &caseworkv1.GetCaseRequest{Name: c.GetName()})
		if err != nil || mine.GetOriginCase() != origin.GetName() {
			h.t.Errorf("the applicant sees %v, %v", mine, err)
		}
	})
}

// TestForwardedCaseIsOpenedOnce lets the upper body open one case many times at once.
func TestForwardedCaseIsOpenedOnce(t *testing.T) {
	eachHall(t, func(h *hall) {
		h.publish(item(upperItem, func(i *cataloguev1.Item) { i.Department = upperHall + "/departments/U1" }), 1, monday.Add(-time.Hour))
		h.settle()
		origin := h.forwardUp()
		cases, errs := together(6, func(int) (*caseworkv1.Case, error) { return h.openForwarded("elsewhere", newID(), upperHall, origin) })
		winners := 0
		for i, err := range errs {
			if err == nil {
				winners++
				if got := h.read(origin.GetName()).GetForwardedCase(); got != cases[i].GetName() {
					h.t.Errorf("the lower body's case names %q", got)
				}
			} else if r := fault.Of(err).Reason().Name; r != fault.CaseWrongState.Name && r != fault.Conflict.Name {
				h.t.Errorf("a loser is told %v", err)
			}
		}
		list, err := h.client.ListCases(as(h.t.Context(), "elsewhere"), &caseworkv1.ListCasesRequest{Parent: upperHall})
		if err != nil || winners != 1 || len(list.GetCases()) != 1 {
			h.t.Errorf("%d winners, %d cases, %v", winners, len(list.GetCases()), err)
		}
	})
}

func TestChangeRevision(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := h.do(h.file(promisedItem), "accept")
		h.publish(item(promisedItem, func(i *cataloguev1.Item) { i.PromisedLimit, i.Title = 5, "新版事项" }), 2, monday.Add(-time.Hour))
		h.publish(item(promisedItem, func(i *cataloguev1.Item) { i.PromisedLimit = 15 }), 3, monday.Add(-time.Hour))
		h.publish(item(promisedItem, nil), 4, monday.Add(time.Hour))
		h.settle()
		change := func(revision int32, dry bool) (*caseworkv1.Case, error) {
			return h.client.ChangeRevision(as(h.t.Context(), "head"), &caseworkv1.ChangeRevisionRequest{
				Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), ItemRevision: revision, Reason: longReason, ValidateOnly: dry,
			})
		}
		for revision, want := range map[int32]*fault.Reason{1: fault.InvalidArgument, 3: fault.RevisionTakes, 4: fault.InvalidArgument, 9: fault.InvalidArgument} {
			_, err := change(revision, true)
			h.refusedWith(err, want)
		}
		preview, err := change(2, true)
		if err != nil || preview.GetPromisedDueDate() != "2026-03-09" || preview.GetEtag() != c.GetEtag() {
			h.t.Fatalf("preview: %v, %v", preview, err)
		}
		if diff := cmp.Diff(c.GetEtag(), h.read(c.GetName()).GetEtag()); diff != "" {
			h.t.Errorf("the preview changed the case: %s", diff)
		}
		changed, err := change(2, false)
		if err != nil || changed.GetItemRevision() != 2 || changed.GetItemTitle() != "新版事项" || changed.GetPromisedDueDate() != "2026-03-09" || changed.GetPromisedLimit() != 5 {
			h.t.Errorf("changed: %v, %v", changed, err)
		}
	})
}

// TestChangeRevisionRefits holds a case against the form and the materials of the newer
// revision: what does not fit is told whole, by the preview as by the change itself.
func TestChangeRevisionRefits(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := h.file(promisedItem)
		h.publish(item(promisedItem, func(i *cataloguev1.Item) { i.FormSchema = shopForm }), 2, monday.Add(-time.Hour))
		h.publish(item(promisedItem, func(i *cataloguev1.Item) { i.Materials = i.Materials[:1] }), 3, monday.Add(-time.Hour))
		h.settle()
		change := func(revision int32, dry bool) (*caseworkv1.Case, error) {
			return h.client.ChangeRevision(as(h.t.Context(), "head"), &caseworkv1.ChangeRevisionRequest{
				Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), ItemRevision: revision, Reason: longReason, ValidateOnly: dry,
			})
		}
		for _, dry := range []bool{true, false} {
			_, err := change(2, dry)
			h.refusedWith(err, fault.RevisionTakes)
			if got := wrongPlaces(err); got["form.boss"] != "FIELD_REQUIRED" || fault.Of(err).Metadata()["what"] != "content" {
				h.t.Errorf("what does not fit: %v", got)
			}
		}
		c, err := change(3, false)
		if err != nil {
			h.t.Fatal(explain(err))
		}
		// What the newer revision asks for no more stands in the way of nothing.
		c, err = h.client.RequestSupplement(as(h.t.Context(), "window"), &caseworkv1.RequestSupplementRequest{
			Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Reason: longReason, MaterialIds: []string{"m1"},
		})
		if err != nil {
			h.t.Fatal(explain(err))
		}
		_, err = h.client.ReceiveSupplement(as(h.t.Context(), "ada"), &caseworkv1.ReceiveSupplementRequest{
			Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", Sha256: sha('e')}},
		})
		if err != nil {
			h.t.Error(explain(err))
		}
	})
}

// TestForwardedForm holds the form of a forwarded case against the upper item.
func TestForwardedForm(t *testing.T) {
	h := oneHall(t)
	h.publish(item(upperItem, func(i *cataloguev1.Item) { i.Department, i.FormSchema = upperHall+"/departments/U1", shopForm }), 1, monday.Add(-time.Hour))
	h.settle()
	origin := h.forwardUp()
	req := &caseworkv1.OpenForwardedCaseRequest{
		Parent: upperHall, OriginCase: origin.GetName(), RequestId: newID(), Item: upperItem,
		Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", Paper: true}, {MaterialId: "m2", Paper: true}},
	}
	_, err := h.client.OpenForwardedCase(as(t.Context(), "elsewhere"), req)
	h.refusedWith(err, fault.FormInvalid)
	if got := wrongPlaces(err); got["form.boss"] != "FIELD_REQUIRED" {
		t.Errorf("told %v", got)
	}
	req.RequestId, req.Form = newID(), structOf(t, map[string]any{"boss": "艾达"})
	c, err := h.client.OpenForwardedCase(as(t.Context(), "elsewhere"), req)
	if err != nil {
		t.Fatal(explain(err))
	}
	if _, kept, err := h.service.stored(t.Context(), lastPart(c.GetName())); err != nil || kept.GetForm().AsMap()["boss"] != "艾达" {
		t.Errorf("%v, %v", kept, err)
	}
}

func TestDocuments(t *testing.T) {
	h := oneHall(t)
	c := h.do(h.file(promisedItem), "request_supplement", "receive_supplement", "accept", "undertake", "start_special", "end_special", "deny")
	ask := func(login string, kind caseworkv1.DocumentKind) (*caseworkv1.CaseDocument, error) {
		return h.client.GetCaseDocument(as(t.Context(), login), &caseworkv1.GetCaseDocumentRequest{Name: c.GetName(), Kind: kind})
	}
	for kind := caseworkv1.DocumentKind_DOCUMENT_KIND_RECEIPT; kind <= caseworkv1.DocumentKind_DOCUMENT_KIND_FEE; kind++ {
		doc, err := ask("ada", kind)
		switch kind {
		case caseworkv1.DocumentKind_DOCUMENT_KIND_REFUSAL, caseworkv1.DocumentKind_DOCUMENT_KIND_DECISION, caseworkv1.DocumentKind_DOCUMENT_KIND_DELIVERY,
			caseworkv1.DocumentKind_DOCUMENT_KIND_FEE, caseworkv1.DocumentKind_DOCUMENT_KIND_REVOCATION:
			h.refusedWith(err, fault.DocumentNotDue)
		default:
			if err != nil || doc.GetText() == "" || doc.GetAddressee() != "艾达" || doc.GetDepartment() != deptName {
				t.Errorf("%s: %v, %v", kind, doc, err)
			}
		}
	}
	doc, err := ask("officer", caseworkv1.DocumentKind_DOCUMENT_KIND_DENIAL)
	if err != nil || doc.GetAddressee() != "艾*" || doc.GetRemedies() != remedies {
		t.Errorf("to an official: %v, %v", doc, err)
	}
	if want := caseworkv1.ArchiveTerm_ARCHIVE_TERM_UNSPECIFIED; doc.GetArchiveTerm() != want || doc.GetArchiveUntil() != "" {
		t.Errorf("a running case is kept %v until %s", doc.GetArchiveTerm(), doc.GetArchiveUntil())
	}
	print := func(login string) (*httpbody.HttpBody, error) {
		return h.client.PrintCaseDocument(as(t.Context(), login), &caseworkv1.PrintCaseDocumentRequest{Name: c.GetName(), Kind: caseworkv1.DocumentKind_DOCUMENT_KIND_DENIAL})
	}
	if pdf, err := print("ada"); err != nil || pdf.GetContentType() != "application/pdf" || !bytes.HasPrefix(pdf.GetData(), []byte("%PDF-1.")) {
		t.Errorf("printed: %s %.20q, %v", pdf.GetContentType(), pdf.GetData(), err)
	}
	_, err = print("stranger")
	h.refusedWith(err, fault.NotFound)
	_, err = ask("bob", caseworkv1.DocumentKind_DOCUMENT_KIND_RECEIPT)
	h.refusedWith(err, fault.NotFound)
	_, err = ask("stranger", caseworkv1.DocumentKind_DOCUMENT_KIND_RECEIPT)
	h.refusedWith(err, fault.NotFound)
}
