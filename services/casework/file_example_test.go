package casework

import (
	"errors"
	"os"
	"strings"
	"testing"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// TestMaterialsExample runs the table of docs/materials.md.
func TestMaterialsExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/materials.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "## A worked example")
	table, _, ok2 := strings.Cut(table, "\n## ")
	if !ok || !ok2 {
		t.Fatal("docs/materials.md has lost its example")
	}
	e := &example{depot: oneDepot(t)}
	e.withSources()
	e.c = e.draftOf(trustItem)
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.Contains(line, "| Who") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows++
		err := e.do(cells[0], cells[1])
		if got := answerOf(err); got != cells[2] {
			t.Errorf("row %d, %s: %s, want %s", rows, cells[1], got, cells[2])
		}
		level := strings.TrimPrefix(e.now().GetTrustLevel().String(), "TRUST_LEVEL_")
		if cells[1] == "upload form" {
			level = strings.TrimPrefix(e.form.GetTrustLevel().String(), "TRUST_LEVEL_")
		}
		if level != cells[3] {
			t.Errorf("row %d, %s: level %s, want %s", rows, cells[1], level, cells[3])
		}
	}
	if rows != 10 {
		t.Errorf("the example has %d rows", rows)
	}
}

// example is the walk through the table.
type example struct {
	*depot
	c             *caseworkv1.Case
	licence, form *caseworkv1.Material
}

func (e *example) now() *caseworkv1.Material {
	e.t.Helper()
	m, err := e.files.GetMaterial(as(e.t.Context(), "ada"), &caseworkv1.GetMaterialRequest{Name: e.licence.GetName()})
	if err != nil {
		e.t.Fatal(explain(err))
	}
	return m
}

func (e *example) do(who, what string) error {
	ctx := as(e.t.Context(), who)
	var err error
	switch what {
	case "upload licence":
		e.licence = e.keep(who, &caseworkv1.Upload{Case: e.c.GetName(), MaterialId: "licence", FileName: "营业执照.txt"}, []byte("licence"))
	case "upload form":
		e.form = e.keep(who, &caseworkv1.Upload{Case: e.c.GetName(), MaterialId: "form", FileName: "申请表.txt"}, []byte("form"))
	case "submit":
		e.c, err = e.client.SubmitCase(ctx, &caseworkv1.SubmitCaseRequest{Name: e.c.GetName(), RequestId: newID(), Etag: e.shown("ada", e.c).GetEtag()})
	case "accept":
		_, err = e.client.AcceptCase(ctx, &caseworkv1.AcceptCaseRequest{Name: e.c.GetName(), RequestId: newID(), Etag: e.c.GetEtag()})
	case "look":
		_, err = e.files.CreateDownload(ctx, &caseworkv1.CreateDownloadRequest{Name: e.licence.GetName(), RequestId: newID()})
	case "verify":
		_, err = e.files.VerifyMaterial(ctx, &caseworkv1.VerifyMaterialRequest{Name: e.licence.GetName(), RequestId: newID(), Etag: e.now().GetEtag()})
	case "delete":
		_, err = e.files.DeleteMaterial(ctx, &caseworkv1.DeleteMaterialRequest{Name: e.licence.GetName(), RequestId: newID(), Etag: e.now().GetEtag()})
	case "use again":
		req := filing(trustItem)
		req.Case.Materials = []*caseworkv1.CaseMaterial{{MaterialId: "licence", Material: e.licence.GetName()}, {MaterialId: "form", Material: e.form.GetName()}}
		_, err = e.client.FileCase(ctx, req)
	default:
		err = errors.New("no such deed: " + what)
	}
	return err
}

// answerOf is the word of a refusal, or ok.
func answerOf(err error) string {
	if err == nil {
		return "ok"
	}
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return fault.Of(err).Reason().Name
}
