package casework

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// lacking files an application that promises the second material for later.
func (h *hall) lacking() *caseworkv1.Case {
	h.t.Helper()
	req := filing(promisedItem)
	req.Case.Materials[1] = &caseworkv1.CaseMaterial{MaterialId: "m2", Promised: true}
	c, err := h.client.FileCase(as(h.t.Context(), "ada"), req)
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return c
}

func accept(c *caseworkv1.Case, gaps ...*caseworkv1.MaterialGap) *caseworkv1.AcceptCaseRequest {
	return &caseworkv1.AcceptCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Gaps: gaps}
}

func TestAcceptedWithGaps(t *testing.T) {
	eachHall(t, func(h *hall) {
		ctx := h.t.Context()
		c := h.lacking()
		for name, tc := range map[string]struct {
			gap  *caseworkv1.MaterialGap
			want *fault.Reason
		}{
			"one that may not":   {&caseworkv1.MaterialGap{MaterialId: "m1"}, fault.GapNotAllowed},
			"an unknown one":     {&caseworkv1.MaterialGap{MaterialId: "m9"}, fault.MaterialUnknown},
			"due yesterday":      {&caseworkv1.MaterialGap{MaterialId: "m2", DueDate: "2026-03-01"}, fault.InvalidArgument},
			"due on 30 February": {&caseworkv1.MaterialGap{MaterialId: "m2", DueDate: "2026-02-30"}, fault.InvalidArgument},
		} {
			if _, err := h.client.AcceptCase(as(ctx, "window"), accept(c, tc.gap)); fault.Of(err).Reason().Name != tc.want.Name {
				h.t.Errorf("%s: %v", name, err)
			}
		}
		c, err := h.client.AcceptCase(as(ctx, "window"), accept(c, &caseworkv1.MaterialGap{MaterialId: "m2", DueDate: "2026-03-20"}))
		if err != nil || len(c.GetGaps()) != 1 || c.GetGaps()[0].GetDisplayName() != "申请表" || c.GetGaps()[0].GetDueDate() != "2026-03-20" {
			h.t.Fatalf("%v, %v", c.GetGaps(), err)
		}
		doc, err := h.client.GetCaseDocument(as(ctx, "ada"), &caseworkv1.GetCaseDocumentRequest{Name: c.GetName(), Kind: caseworkv1.DocumentKind_DOCUMENT_KIND_ACCEPTANCE})
		if last := doc.GetFields()[len(doc.GetFields())-1]; err != nil || last.GetLabel() != "容缺材料" {
			h.t.Errorf("the notice says %v, %v", last, err)
		}
		granted := h.do(c, "undertake", "decide")
		if !granted.GetGrantedWithGaps() {
			h.t.Error("it is not told that the grant left a gap")
		}
		h.fill(granted)
	})
}

// fill brings what is missing, after some mistakes.
func (h *hall) fill(c *caseworkv1.Case) {
	h.t.Helper()
	bring := func(login string, m *caseworkv1.CaseMaterial) (*caseworkv1.Case, error) {
		return h.flow.FillGap(as(h.t.Context(), login), &caseworkv1.FillGapRequest{
			Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID(), Materials: []*caseworkv1.CaseMaterial{m},
		})
	}
	_, err := bring("ada", &caseworkv1.CaseMaterial{MaterialId: "m2", Promised: true})
	h.refusedWith(err, fault.MaterialMissing)
	_, err = bring("ada", &caseworkv1.CaseMaterial{MaterialId: "m3", Sha256: sha('e')})
	h.refusedWith(err, fault.MaterialUnknown)
	_, err = bring("bob", &caseworkv1.CaseMaterial{MaterialId: "m2", Sha256: sha('e')})
	h.refusedWith(err, fault.NotFound)
	_, err = bring("officer", &caseworkv1.CaseMaterial{MaterialId: "m2", Sha256: sha('e')})
	h.refusedWith(err, fault.PermissionDenied)
	next, err := bring("ada", &caseworkv1.CaseMaterial{MaterialId: "m2", Sha256: sha('e'), FileName: "form.pdf"})
	if err != nil || next.GetGaps()[0].GetFillTime() == nil || next.GetMaterials()[1].GetSha256() != sha('e') || next.GetMaterials()[1].GetPromised() {
		h.t.Fatalf("filled: %v, %v, %v", next.GetGaps(), next.GetMaterials(), err)
	}
	c = next
	_, err = bring("window", &caseworkv1.CaseMaterial{MaterialId: "m2", Paper: true})
	h.refusedWith(err, fault.CaseWrongState)
	h.do(c, "finish", "collect")
}

// TestSilenceLeavesGapsWithADay: the law accepts what was promised for later too.
func TestSilenceLeavesGapsWithADay(t *testing.T) {
	h := oneHall(t)
	c := h.lacking()
	h.clock.Advance(9 * 24 * time.Hour)
	h.until("the law to accept the case", func() bool { return h.read(c.GetName()).GetDeemedAcceptTime() != nil })
	if c = h.read(c.GetName()); len(c.GetGaps()) != 1 || c.GetGaps()[0].GetDueDate() == "" {
		t.Errorf("gaps %v", c.GetGaps())
	}
	// The answer to a supplement notice fills it as well.
	c = h.do(c, "undertake", "request_supplement", "receive_supplement")
	if c.GetGaps()[0].GetFillTime() == nil {
		t.Errorf("gaps %v", c.GetGaps())
	}
	if c = h.do(c, "decide"); c.GetGrantedWithGaps() {
		t.Error("granted with a gap that was filled")
	}
}

func TestPromiseInsteadOfProof(t *testing.T) {
	h := oneHall(t)
	file := func(login string, id string, p *caseworkv1.MaterialPromise) (*caseworkv1.Case, error) {
		req := filing(promisedItem)
		req.Case.Materials = append(req.Case.Materials, &caseworkv1.CaseMaterial{MaterialId: id, Promise: p})
		if id == "m2" {
			req.Case.Materials = append(req.Case.Materials[:1], req.Case.Materials[2:]...)
		}
		req.Consent = login == "window"
		return h.client.FileCase(as(t.Context(), login), req)
	}
	words := "本人承诺符合规定的条件，如有不实愿承担责任"
	for name, tc := range map[string]struct {
		login, id string
		promise   *caseworkv1.MaterialPromise
		want      *fault.Reason
	}{
		"where none may be":              {"ada", "m2", &caseworkv1.MaterialPromise{Statement: words, SignatureSha256: sha('d')}, fault.PromiseNotAllowed},
		"without words":                  {"ada", "m3", &caseworkv1.MaterialPromise{SignatureSha256: sha('d')}, fault.ReasonRequired},
		"not signed":                     {"ada", "m3", &caseworkv1.MaterialPromise{Statement: words}, fault.FieldRequired},
		"on paper from afar":             {"ada", "m3", &caseworkv1.MaterialPromise{Statement: words, Paper: true}, fault.FieldRequired},
		"with a hash that is none":       {"ada", "m3", &caseworkv1.MaterialPromise{Statement: words, SignatureSha256: "abc"}, fault.InvalidArgument},
		"with words that cannot be seen": {"ada", "m3", &caseworkv1.MaterialPromise{Statement: words + "\u202e", SignatureSha256: sha('d')}, fault.BadText},
	} {
		if _, err := file(tc.login, tc.id, tc.promise); fault.Of(err).Reason().Name != tc.want.Name {
			t.Errorf("%s: %v, want %s", name, err, tc.want.Name)
		}
	}
	for _, login := range []string{"ada", "window"} {
		p := &caseworkv1.MaterialPromise{Statement: words, Paper: login == "window", PromiseTime: timestamppb.New(monday.AddDate(-1, 0, 0))}
		if login == "ada" {
			p.SignatureSha256 = sha('d')
		}
		c, err := file(login, "m3", p)
		if err != nil {
			t.Fatal(explain(err))
		}
		kept := c.GetMaterials()[2].GetPromise()
		if kept.GetStatement() != words || !kept.GetPromiseTime().AsTime().Equal(monday) {
			t.Errorf("kept: %v", kept)
		}
		if c = h.do(c, "accept"); len(c.GetGaps()) > 0 {
			t.Errorf("a promise is a gap: %v", c.GetGaps())
		}
	}
}
