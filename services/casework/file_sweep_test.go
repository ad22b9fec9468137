package casework

import (
	"context"
	"strings"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/fault"
)

// TestOneContentOneBlob holds equal files of one person to one blob, and those of two to
// two: nobody can learn from an upload what others have.
func TestOneContentOneBlob(t *testing.T) {
	eachDepot(t, func(a *depot) {
		first := a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, []byte("same"))
		second := a.keep("ada", &caseworkv1.Upload{FileName: "b.txt"}, []byte("same"))
		a.until("the double to be removed", func() bool { return a.stored() == 1 })
		third := a.keep("bob", &caseworkv1.Upload{FileName: "c.txt"}, []byte("same"))
		a.until("the pieces to be removed", func() bool { return a.stored() == 2 })
		for _, m := range []*caseworkv1.Material{first, second} {
			if string(a.fetch("ada", m)) != "same" {
				a.t.Error("another file came back")
			}
			a.remove("ada", m)
		}
		a.until("ada's blob to be removed", func() bool { return a.stored() == 1 })
		if string(a.fetch("bob", third)) != "same" {
			a.t.Error("bob's file has gone with ada's")
		}
		list, err := a.files.ListMaterials(as(a.t.Context(), "ada"), &caseworkv1.ListMaterialsRequest{})
		if err != nil || len(list.GetMaterials()) != 0 {
			a.t.Errorf("after deletion: %v, %v", list, err)
		}
	})
}

// remove deletes a material, twice by the same request.
func (a *depot) remove(login string, m *caseworkv1.Material) {
	a.t.Helper()
	ctx := as(a.t.Context(), login)
	now, err := a.files.GetMaterial(ctx, &caseworkv1.GetMaterialRequest{Name: m.GetName()})
	if err != nil {
		a.t.Fatal(explain(err))
	}
	req := &caseworkv1.DeleteMaterialRequest{Name: m.GetName(), RequestId: newID(), Etag: now.GetEtag()}
	for range 2 {
		if got, err := a.files.DeleteMaterial(ctx, req); err != nil || got.GetDeleteTime() == nil || got.GetUsable() {
			a.t.Fatalf("delete: %v, %s", got, explain(err))
		}
	}
	_, err = a.files.CreateDownload(ctx, &caseworkv1.CreateDownloadRequest{Name: m.GetName(), RequestId: newID()})
	a.refusedWith(err, fault.NotFound)
}

func TestWhatACaseUsesStays(t *testing.T) {
	eachDepot(t, func(a *depot) {
		ctx := as(a.t.Context(), "ada")
		m := a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, []byte("paper"))
		req := filing(promisedItem)
		req.Case.Materials[0] = &caseworkv1.CaseMaterial{MaterialId: "m1", Material: m.GetName()}
		c, err := a.client.FileCase(ctx, req)
		if err != nil {
			a.t.Fatal(explain(err))
		}
		_, err = a.files.DeleteMaterial(ctx, &caseworkv1.DeleteMaterialRequest{Name: m.GetName(), RequestId: newID(), Etag: m.GetEtag()})
		a.refusedWith(err, fault.MaterialInUse)
		if _, err := a.client.WithdrawCase(ctx, &caseworkv1.WithdrawCaseRequest{Name: c.GetName(), RequestId: newID(), Etag: c.GetEtag(), Reason: "不再办理此事项，撤回申请"}); err != nil {
			a.t.Fatal(explain(err))
		}
		// By default the papers of a case are kept for ever.
		a.clock.Advance(3 * 365 * 24 * time.Hour)
		if err := a.service.dropOld(a.t.Context(), a.clock.Now()); err != nil {
			a.t.Fatal(err)
		}
		if string(a.fetch("ada", m)) != "paper" {
			a.t.Error("another file came back")
		}
		// A hall may set a time, after which they go.
		a.service.files.cfg.RetentionDays = 30
		if err := a.service.dropOld(a.t.Context(), a.clock.Now().Add(laterLook)); err != nil {
			a.t.Fatal(err)
		}
		a.later(0, "the file to be removed", func() bool { return a.stored() == 0 })
		got, err := a.files.GetMaterial(ctx, &caseworkv1.GetMaterialRequest{Name: m.GetName()})
		if err != nil || got.GetDeleteTime() == nil {
			a.t.Errorf("its record: %v, %v", got, err)
		}
	})
}

func TestUnusedFilesGoAfterAYear(t *testing.T) {
	a := oneDepot(t)
	a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, []byte("paper"))
	a.until("the pieces to be removed", func() bool { return a.stored() == 1 })
	a.later(366*24*time.Hour, "the file to be removed", func() bool { return a.stored() == 0 })
}

// TestOrphans removes what a crash left between the store and the record, and nothing
// that is young.
func TestOrphans(t *testing.T) {
	eachDepot(t, func(a *depot) {
		ctx := context.Background()
		kept := a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, []byte("paper"))
		a.until("the pieces to be removed", func() bool { return a.stored() == 1 })
		put := func(at time.Time) {
			if err := a.service.files.store.Put(ctx, blob.NewKey(at), strings.NewReader("x"), 1); err != nil {
				a.t.Fatal(err)
			}
		}
		put(a.clock.Now().Add(-25 * time.Hour))
		put(a.clock.Now().Add(-time.Hour))
		if err := a.service.dropOrphans(ctx, a.clock.Now()); err != nil || a.stored() != 2 {
			a.t.Errorf("%d stored, %v", a.stored(), err)
		}
		if err := a.service.dropOrphans(ctx, a.clock.Now().Add(48*time.Hour)); err != nil || a.stored() != 1 || string(a.fetch("ada", kept)) != "paper" {
			a.t.Errorf("%d stored, %v", a.stored(), err)
		}
	})
}
