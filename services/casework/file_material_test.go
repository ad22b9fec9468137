package casework

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/fault"
)

const trustItem = hallName + "/items/11441300006940386X2440106009000"

// withSources publishes an item whose materials come from everywhere.
func (a *depot) withSources() {
	a.t.Helper()
	a.publish(item(trustItem, func(i *cataloguev1.Item) {
		i.Materials = []*cataloguev1.Material{
			{Id: "licence", DisplayName: "营业执照", Necessary: true, Source: cataloguev1.MaterialSource_MATERIAL_SOURCE_GOVERNMENT, MaxFileBytes: 2000},
			{Id: "form", DisplayName: "申请表", Necessary: true, Source: cataloguev1.MaterialSource_MATERIAL_SOURCE_APPLICANT, FileKinds: []string{"txt"}},
			{Id: "report", DisplayName: "检测报告", Source: cataloguev1.MaterialSource_MATERIAL_SOURCE_OTHER},
		}
	}), 1, a.clock.Now().Add(-24*time.Hour))
	a.settle()
}

// draftOf is a draft of ada's without materials.
func (a *depot) draftOf(item string) *caseworkv1.Case {
	a.t.Helper()
	req := &caseworkv1.CreateCaseRequest{Parent: hallName, Case: application(item), RequestId: newID()}
	req.Case.Materials = nil
	c, err := a.client.CreateCase(as(a.t.Context(), "ada"), req)
	if err != nil {
		a.t.Fatal(explain(err))
	}
	return c
}

func (a *depot) shown(login string, c *caseworkv1.Case) *caseworkv1.Case {
	a.t.Helper()
	got, err := a.client.GetCase(as(a.t.Context(), login), &caseworkv1.GetCaseRequest{Name: c.GetName()})
	if err != nil {
		a.t.Fatal(explain(err))
	}
	return got
}

// TestTrust walks a case from its draft over the window to acceptance, and a second one
// that uses the same papers again.
func TestTrust(t *testing.T) {
	eachDepot(t, func(a *depot) {
		ctx := a.t.Context()
		a.withSources()
		c := a.draftOf(trustItem)
		levels := map[string]caseworkv1.TrustLevel{
			"licence": caseworkv1.TrustLevel_TRUST_LEVEL_UPLOADED, "form": caseworkv1.TrustLevel_TRUST_LEVEL_SELF_MADE, "report": caseworkv1.TrustLevel_TRUST_LEVEL_SELF_MADE,
		}
		kept := map[string]*caseworkv1.Material{}
		for _, id := range []string{"licence", "form", "report"} {
			kept[id] = a.keep("ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: id, FileName: id + ".txt"}, note(id, 300))
			if kept[id].GetTrustLevel() != levels[id] || kept[id].GetUsable() != (id != "licence") {
				a.t.Errorf("%s: %v", id, kept[id])
			}
		}
		c = a.shown("ada", c)
		for _, m := range c.GetMaterials() {
			k := kept[m.GetMaterialId()]
			if m.GetSha256() != k.GetSha256() || m.GetTrustLevel() != k.GetTrustLevel() || m.GetSize() != 300 || m.GetMaterial() != k.GetName() || m.GetDisplayName() == "" {
				a.t.Errorf("in the draft: %v", m)
			}
		}
		if len(c.GetMaterials()) != 3 || c.GetEtag() == "" {
			a.t.Fatalf("draft: %v", c)
		}
		// A draft and its papers are nobody else's.
		_, err := a.files.GetMaterial(as(ctx, "window"), &caseworkv1.GetMaterialRequest{Name: kept["licence"].GetName()})
		a.refusedWith(err, fault.NotFound)
		c, err = a.client.SubmitCase(as(ctx, "ada"), &caseworkv1.SubmitCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()})
		if err != nil {
			a.t.Fatal(explain(err))
		}
		accept := &caseworkv1.AcceptCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()}
		_, err = a.client.AcceptCase(as(ctx, "window"), accept)
		a.refusedWith(err, fault.MaterialUnverified)
		a.check(kept["licence"])
		if c, err = a.client.AcceptCase(as(ctx, "window"), accept); err != nil {
			a.t.Fatal(explain(err))
		}
		if got := c.GetMaterials()[0]; got.GetTrustLevel() != caseworkv1.TrustLevel_TRUST_LEVEL_CHECKED {
			a.t.Errorf("accepted on %v", got)
		}
		// Next time nobody needs to look.
		again := filing(trustItem)
		again.Case.Materials = []*caseworkv1.CaseMaterial{
			{MaterialId: "licence", Material: kept["licence"].GetName(), FileName: "made up", Sha256: sha('9'), Size: 7},
			{MaterialId: "form", Material: kept["form"].GetName(), TrustLevel: caseworkv1.TrustLevel_TRUST_LEVEL_ISSUED},
		}
		c, err = a.client.FileCase(as(ctx, "ada"), again)
		if err != nil {
			a.t.Fatal(explain(err))
		}
		for i, id := range []string{"licence", "form"} {
			if m := c.GetMaterials()[i]; m.GetSha256() != kept[id].GetSha256() || m.GetFileName() != id+".txt" || m.GetSize() != 300 || m.GetTrustLevel() == caseworkv1.TrustLevel_TRUST_LEVEL_ISSUED {
				a.t.Errorf("used again: %v", m)
			}
		}
		if _, err = a.client.AcceptCase(as(ctx, "window"), &caseworkv1.AcceptCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()}); err != nil {
			a.t.Error(explain(err))
		}
	})
}

// check lets the window look at the file and then at the original.
func (a *depot) check(m *caseworkv1.Material) {
	a.t.Helper()
	ctx := a.t.Context()
	for _, login := range []string{"elsewhere", "stranger", "bob"} {
		_, err := a.files.GetMaterial(as(ctx, login), &caseworkv1.GetMaterialRequest{Name: m.GetName()})
		a.refusedWith(err, fault.NotFound)
		_, err = a.files.CreateDownload(as(ctx, login), &caseworkv1.CreateDownloadRequest{Name: m.GetName(), RequestId: newID()})
		a.refusedWith(err, fault.NotFound)
	}
	get := &caseworkv1.CreateDownloadRequest{Name: m.GetName(), RequestId: newID()}
	d, err := a.files.CreateDownload(as(ctx, "window"), get)
	if err != nil {
		a.t.Fatal(explain(err))
	}
	if again, err := a.files.CreateDownload(as(ctx, "window"), get); err != nil || !proto.Equal(again, d) {
		a.t.Errorf("download again: %v, %v", again, err)
	}
	verify := &caseworkv1.VerifyMaterialRequest{Name: m.GetName(), RequestId: newID(), Etag: m.GetEtag(), ValidUntil: "2026-12-31", Note: "原件已看"}
	_, err = a.files.VerifyMaterial(as(ctx, "window"), verify)
	a.refusedWith(err, fault.ETagStale) // the look has moved it on
	verify.Etag = d.GetEtag()
	_, err = a.files.VerifyMaterial(as(ctx, "ada"), verify)
	a.refusedWith(err, fault.PermissionDenied)
	got, err := a.files.VerifyMaterial(as(ctx, "window"), verify)
	if err != nil || got.GetTrustLevel() != caseworkv1.TrustLevel_TRUST_LEVEL_CHECKED || got.GetVerifier() != "user/window" || !got.GetUsable() ||
		!got.GetVerifyTime().AsTime().Equal(a.clock.Now()) || !strings.Contains(got.GetWatermark(), "2026-12-31") {
		a.t.Fatalf("checked: %v, %s", got, explain(err))
	}
	if again, err := a.files.VerifyMaterial(as(ctx, "window"), verify); err != nil || !proto.Equal(again, got) {
		a.t.Errorf("verify again: %v, %v", again, err)
	}
	_, err = a.files.VerifyMaterial(as(ctx, "window"), &caseworkv1.VerifyMaterialRequest{Name: m.GetName(), RequestId: newID(), Etag: got.GetEtag()})
	a.refusedWith(err, fault.MaterialTrusted)
}

func TestAHallMayTakeCopies(t *testing.T) {
	a := oneDepot(t, func(c *Config) { c.Files.CopiesAccepted = []string{"441300"} })
	a.withSources()
	c := a.draftOf(trustItem)
	for _, id := range []string{"licence", "form"} {
		a.keep("ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: id, FileName: id + ".txt"}, note(id, 300))
	}
	c = a.shown("ada", c)
	c, err := a.client.SubmitCase(as(t.Context(), "ada"), &caseworkv1.SubmitCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()})
	if err != nil {
		t.Fatal(explain(err))
	}
	if _, err := a.client.AcceptCase(as(t.Context(), "window"), &caseworkv1.AcceptCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag()}); err != nil {
		t.Error(explain(err))
	}
}

func TestTheGuideLimitsFiles(t *testing.T) {
	a := oneDepot(t)
	a.withSources()
	c, ctx := a.draftOf(trustItem), as(t.Context(), "ada")
	for name, tc := range map[string]struct {
		login string
		u     *caseworkv1.Upload
		want  *fault.Reason
	}{
		"too large for it":     {"ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "licence", Size: 2001}, fault.FileTooLarge},
		"unknown material":     {"ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "m9", Size: 1}, fault.MaterialUnknown},
		"another's case":       {"bob", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "licence", Size: 1}, fault.NotFound},
		"the window's own":     {"window", &caseworkv1.Upload{Size: 1}, fault.FieldRequired},
		"issued by oneself":    {"ada", &caseworkv1.Upload{Case: c.GetName(), Issued: true, Size: 1}, fault.InvalidArgument},
		"valid by own account": {"ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "licence", ValidUntil: "2030-01-01", Size: 1}, fault.InvalidArgument},
	} {
		tc.u.FileName = "a.txt"
		_, err := a.files.CreateUpload(as(t.Context(), tc.login), &caseworkv1.CreateUploadRequest{Upload: tc.u, RequestId: newID()})
		t.Run(name, func(*testing.T) { a.refusedWith(err, tc.want) })
	}
	_, err := a.upload("ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "form", FileName: "a.pdf"}, []byte("%PDF-1.4\n%%EOF\n"))
	a.refusedWith(err, fault.FileTypeRefused)
	// The same file for two materials is a mistake, seen when the second comes.
	a.keep("ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "licence", FileName: "a.txt"}, []byte("same"))
	_, err = a.upload("ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "form", FileName: "a.txt"}, []byte("same"))
	a.refusedWith(err, fault.MaterialDuplicate)
	// A better scan replaces the first.
	m := a.keep("ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "licence", FileName: "b.txt"}, []byte("better"))
	if c = a.shown("ada", c); len(c.GetMaterials()) != 1 || c.GetMaterials()[0].GetMaterial() != m.GetName() {
		t.Errorf("draft: %v", c.GetMaterials())
	}
	filed := a.file(promisedItem)
	_, err = a.files.CreateUpload(ctx, &caseworkv1.CreateUploadRequest{Upload: &caseworkv1.Upload{Case: filed.GetName(), MaterialId: "m1", FileName: "a.txt", Size: 1}, RequestId: newID()})
	a.refusedWith(err, fault.CaseWrongState)
}

func TestASupplementBringsFiles(t *testing.T) {
	a := oneDepot(t)
	ctx, c := t.Context(), a.file(promisedItem)
	c, err := a.client.RequestSupplement(as(ctx, "window"), &caseworkv1.RequestSupplementRequest{
		Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Reason: "身份证明不清晰", MaterialIds: []string{"m1"},
	})
	if err != nil {
		t.Fatal(explain(err))
	}
	m := a.keep("ada", &caseworkv1.Upload{Case: c.GetName(), MaterialId: "m1", FileName: "清晰.txt"}, []byte("clear"))
	if now := a.shown("ada", c); now.GetEtag() != c.GetEtag() {
		t.Error("a file alone has changed a case that waits for a supplement")
	}
	c, err = a.client.ReceiveSupplement(as(ctx, "ada"), &caseworkv1.ReceiveSupplementRequest{
		Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", Material: m.GetName()}},
	})
	if err != nil || c.GetMaterials()[0].GetSha256() != m.GetSha256() || c.GetMaterials()[0].GetTrustLevel() != caseworkv1.TrustLevel_TRUST_LEVEL_UPLOADED {
		t.Fatalf("supplemented: %v, %s", c.GetMaterials(), explain(err))
	}
	if !bytes.Equal(a.fetch("officer", m), []byte("clear")) {
		t.Error("the officer reads another file")
	}
}

func TestAnAgencyIssues(t *testing.T) {
	a := oneDepot(t)
	ctx, c := t.Context(), a.file(instantItem)
	issue := &caseworkv1.Upload{Case: c.GetName(), FileName: "许可证.txt", Issued: true, ValidUntil: "2026-03-10", Size: 7}
	_, err := a.files.CreateUpload(as(ctx, "officer"), &caseworkv1.CreateUploadRequest{Upload: issue, RequestId: newID()})
	a.refusedWith(err, fault.CaseWrongState)
	for _, step := range []struct{ as, what string }{{"window", "accept"}, {"head", "decide"}} {
		if c, err = commands[step.what](as(ctx, step.as), a.client, c.GetName(), newID(), c.GetEtag(), nil); err != nil {
			t.Fatalf("%s: %s", step.what, explain(err))
		}
	}
	m := a.keep("officer", proto.CloneOf(issue), []byte("licence"))
	if m.GetTrustLevel() != caseworkv1.TrustLevel_TRUST_LEVEL_ISSUED || m.GetProvider() != deptName || !m.GetUsable() || m.GetWatermark() == "" {
		t.Errorf("issued: %v", m)
	}
	again := filing(promisedItem)
	again.Case.Materials[0] = &caseworkv1.CaseMaterial{MaterialId: "m1", Material: m.GetName()}
	got, err := a.client.FileCase(as(ctx, "ada"), again)
	if err != nil || got.GetMaterials()[0].GetTrustLevel() != caseworkv1.TrustLevel_TRUST_LEVEL_ISSUED {
		t.Errorf("used: %v, %s", got, explain(err))
	}
	list, err := a.files.ListMaterials(as(ctx, "ada"), &caseworkv1.ListMaterialsRequest{})
	if err != nil || len(list.GetMaterials()) != 1 || !list.GetMaterials()[0].GetUsable() {
		t.Errorf("own page: %v, %v", list, err)
	}
	a.clock.Set(monday.AddDate(0, 0, 9)) // the day after its last
	again.RequestId = newID()
	_, err = a.client.FileCase(as(ctx, "ada"), again)
	a.refusedWith(err, fault.MaterialExpired)
	if list, err = a.files.ListMaterials(as(ctx, "ada"), &caseworkv1.ListMaterialsRequest{}); err != nil || list.GetMaterials()[0].GetUsable() {
		t.Errorf("own page, later: %v, %v", list, err)
	}
}

func TestOwnPage(t *testing.T) {
	a := oneDepot(t)
	ctx := t.Context()
	var all []*caseworkv1.Material
	for i := range 5 {
		a.clock.Advance(time.Second)
		all = append(all, a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, note("paper", 10+i)))
	}
	var got []string
	req := &caseworkv1.ListMaterialsRequest{PageSize: 2}
	for {
		page, err := a.files.ListMaterials(as(ctx, "ada"), req)
		if err != nil {
			t.Fatal(explain(err))
		}
		for _, m := range page.GetMaterials() {
			got = append(got, m.GetName())
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if len(got) != 5 || got[0] != all[4].GetName() || got[4] != all[0].GetName() {
		t.Errorf("listed %v", got)
	}
	if list, err := a.files.ListMaterials(as(ctx, "bob"), &caseworkv1.ListMaterialsRequest{}); err != nil || len(list.GetMaterials()) != 0 {
		t.Errorf("bob sees %v, %v", list, err)
	}
	// Another's material is told from no unknown one, in a case too.
	for _, name := range []string{all[0].GetName(), "materials/" + blob.NewKey(a.clock.Now())} {
		_, err := a.files.GetMaterial(as(ctx, "bob"), &caseworkv1.GetMaterialRequest{Name: name})
		a.refusedWith(err, fault.NotFound)
		req := filing(promisedItem)
		req.Case.Applicant.IdNumber, req.Case.Applicant.DisplayName = bobID, "鲍勃"
		req.Case.Materials[0] = &caseworkv1.CaseMaterial{MaterialId: "m1", Material: name}
		_, err = a.client.FileCase(as(ctx, "bob"), req)
		a.refusedWith(err, fault.MaterialNotFound)
	}
}
