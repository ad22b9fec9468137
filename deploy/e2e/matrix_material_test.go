package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/restclient"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// bytesOf moves bytes over a link, through the front door.
func (s *scene) bytesOf(ctx context.Context, method, link string, header map[string]string, body []byte) (int, http.Header, []byte) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.Gateway+link, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := res.Body.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header, got
}

// send sends bytes of an upload.
func (s *scene) send(ctx context.Context, link string, offset int, b []byte) int {
	s.t.Helper()
	code, _, _ := s.bytesOf(ctx, http.MethodPatch, link, map[string]string{
		"Upload-Offset": strconv.Itoa(offset), "Content-Type": "application/offset+octet-stream", "Tus-Resumable": "1.0.0",
	}, b)
	return code
}

// announce begins an upload, kept carries one to its end.
func (s *scene) announce(client *restclient.Client, u *caseworkv1.Upload) *caseworkv1.Upload {
	s.t.Helper()
	up := &caseworkv1.Upload{}
	s.must("announce", client.Post(s.t.Context(), "/v1/uploads"+house.Query("requestId", newID()), u, up))
	return up
}

func (s *scene) kept(client *restclient.Client, u *caseworkv1.Upload, b []byte) *caseworkv1.Material {
	s.t.Helper()
	u.Size = int64(len(b))
	up := s.announce(client, u)
	if code := s.send(s.t.Context(), up.GetLink(), 0, b); code != http.StatusNoContent {
		s.t.Fatalf("send: %d", code)
	}
	m := &caseworkv1.Material{}
	s.must("complete", client.Post(s.t.Context(), "/v1/"+up.GetName()+":complete", &caseworkv1.CompleteUploadRequest{RequestId: newID()}, m))
	return m
}

// materialRows are those of uploads and materials: one that a case of the police uses, and
// an upload for its supplement.
func (s *scene) materialRows(x things) map[string]row {
	s.t.Helper()
	who, client := s.person(1)
	m := s.kept(client, &caseworkv1.Upload{FileName: "材料.txt"}, []byte("material of the matrix"))
	req := s.filing(who, house.Residence)
	req.Parent, req.Consent = "", true
	id := req.Case.Materials[0].GetMaterialId()
	req.Case.Materials[0] = &caseworkv1.CaseMaterial{MaterialId: id, Material: m.GetName()}
	c := &caseworkv1.Case{}
	s.must("file", s.window.Post(s.t.Context(), "/v1/"+s.hall+"/cases:file", req, c))
	c = s.act(s.window, c, "requestSupplement", &caseworkv1.RequestSupplementRequest{Reason: "材料不够清晰", MaterialIds: []string{id}})
	up := s.announce(client, &caseworkv1.Upload{Case: c.GetName(), MaterialId: id, FileName: "清晰.txt", Size: 10})
	return map[string]row{
		// For a case that takes no files any more.
		"CreateUpload": the(func() proto.Message {
			return &caseworkv1.CreateUploadRequest{Upload: &caseworkv1.Upload{Case: x.kase, MaterialId: id, FileName: "a.txt", Size: 1}, RequestId: newID()}
		}),
		"GetUpload": the(func() proto.Message { return &caseworkv1.GetUploadRequest{Name: up.GetName()} }),
		"CompleteUpload": the(func() proto.Message {
			return &caseworkv1.CompleteUploadRequest{Name: up.GetName(), RequestId: newID()}
		}),
		"CancelUpload": the(func() proto.Message {
			return &caseworkv1.CancelUploadRequest{Name: up.GetName(), RequestId: newID()}
		}),
		"GetMaterial":   the(func() proto.Message { return &caseworkv1.GetMaterialRequest{Name: m.GetName()} }),
		"ListMaterials": list(func() proto.Message { return &caseworkv1.ListMaterialsRequest{} }),
		"CreateDownload": the(func() proto.Message {
			return &caseworkv1.CreateDownloadRequest{Name: m.GetName(), RequestId: newID()}
		}),
		"VerifyMaterial": the(func() proto.Message {
			return &caseworkv1.VerifyMaterialRequest{Name: m.GetName(), RequestId: newID()}
		}),
		"DeleteMaterial": the(func() proto.Message {
			return &caseworkv1.DeleteMaterialRequest{Name: m.GetName(), RequestId: newID()}
		}),
	}
}
