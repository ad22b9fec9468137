package web

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/google/uuid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// MaterialsPath is the page of one's own materials. What is posted to it is a file: it
// takes longer and is larger than other forms.
const MaterialsPath = "/my/materials"

// maxFile bounds a file sent from the page. Programs may send larger ones.
const maxFile = 20 << 20

// maxToken is longer than the token of a form.
const maxToken = 4 << 10

// materialsView is the page of one's own materials.
type materialsView struct {
	Token, RequestID, Note, Next string
	// Max is how many bytes a file may have.
	Max       int
	Materials []*caseworkv1.Material
}

// materials lists what somebody keeps.
func (s *Site) materials(w http.ResponseWriter, r *http.Request, c *session) {
	v := materialsView{Max: maxFile, Token: s.signIn.cookies.formToken(c), RequestID: uuid.NewString(), Note: notes[r.URL.Query().Get("done")]}
	list, err := s.cfg.Clients.Material.ListMaterials(r.Context(), &caseworkv1.ListMaterialsRequest{PageToken: r.URL.Query().Get("page")})
	if err != nil {
		s.problem(w, r, err)
		return
	}
	v.Materials = list.GetMaterials()
	if token := list.GetNextPageToken(); token != "" {
		v.Next = MaterialsPath + "?page=" + url.QueryEscape(token)
	}
	s.show(w, r, "materials", http.StatusOK, page{Title: "我的材料", Data: v})
}

// download gives the browser a link to a file.
func (s *Site) download(w http.ResponseWriter, r *http.Request, _ *session) {
	d, err := s.cfg.Clients.Material.CreateDownload(r.Context(), &caseworkv1.CreateDownloadRequest{
		Name: "materials/" + r.PathValue("id"), RequestId: r.PostForm.Get("request_id"),
	})
	if err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, d.GetLink(), http.StatusSeeOther)
}

// upload takes a file from a form. The form's own token comes before the file, so that
// nothing is taken in for a page that is not ours.
func (s *Site) upload(w http.ResponseWriter, r *http.Request) {
	c := s.current(w, r)
	if c == nil {
		s.problem(w, r, fault.Unauthenticated)
		return
	}
	parts, err := r.MultipartReader()
	if err != nil {
		s.problem(w, r, fault.UnsupportedMediaType.New(fault.Cause(err)))
		return
	}
	token, err := textPart(parts, "csrf")
	if err != nil || !s.signIn.cookies.formTokenGood(c, token) {
		s.problem(w, r, fault.OriginForbidden.New(fault.Cause(err)))
		return
	}
	request, err := textPart(parts, "request_id")
	if err == nil {
		err = s.takeFile(signed(r.Context(), c), parts, request)
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, MaterialsPath+"?done=material", http.StatusSeeOther)
}

// textPart reads the next part of a form, which must be a short field of this name.
func textPart(parts *multipart.Reader, name string) (string, error) {
	p, err := parts.NextPart()
	if err != nil || p.FormName() != name {
		return "", fault.InvalidArgument.New(fault.Field(name), fault.Cause(err))
	}
	b, err := io.ReadAll(io.LimitReader(p, maxToken))
	if err != nil {
		return "", fault.InvalidArgument.New(fault.Field(name), fault.Cause(err))
	}
	return string(b), nil
}

// takeFile keeps the file of a form for the moment, since how large it is must be said
// before it is sent, and hands it on.
func (s *Site) takeFile(ctx context.Context, parts *multipart.Reader, request string) (err error) {
	p, err := parts.NextPart()
	if err != nil || p.FormName() != "file" || p.FileName() == "" {
		return fault.FieldRequired.New(fault.Field("file"), fault.Cause(err))
	}
	t, err := os.CreateTemp("", "onehall-*")
	if err != nil {
		return fault.Unavailable.New(fault.Cause(err))
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := os.Remove(t.Name()); err != nil { // without a name nothing is left behind
		return fault.Unavailable.New(fault.Cause(err))
	}
	size, err := io.Copy(t, io.LimitReader(p, maxFile+1))
	switch {
	case err != nil:
		return fault.Canceled.New(fault.Cause(err))
	case size > maxFile:
		return fault.FileTooLarge.New(fault.Meta("max", strconv.Itoa(maxFile)))
	}
	if _, err := t.Seek(0, io.SeekStart); err != nil {
		return fault.Unavailable.New(fault.Cause(err))
	}
	client := s.cfg.Clients.Material
	up, err := client.CreateUpload(ctx, &caseworkv1.CreateUploadRequest{
		Upload: &caseworkv1.Upload{FileName: p.FileName(), Size: size, MediaType: p.Header.Get("Content-Type")}, RequestId: request,
	})
	if err != nil {
		return err
	}
	if err := s.cfg.Send(ctx, up.GetLink(), t, size); err != nil {
		return err
	}
	_, err = client.CompleteUpload(ctx, &caseworkv1.CompleteUploadRequest{Name: up.GetName(), RequestId: uuid.NewString()})
	return err
}

// kept are the materials that an application may name, the newest of them.
func (s *Site) kept(ctx context.Context) ([]*caseworkv1.Material, error) {
	list, err := s.cfg.Clients.Material.ListMaterials(ctx, &caseworkv1.ListMaterialsRequest{})
	return list.GetMaterials(), err
}

// trustWords are the levels in plain Chinese.
var trustWords = map[caseworkv1.TrustLevel]string{
	caseworkv1.TrustLevel_TRUST_LEVEL_ISSUED: "部门签发", caseworkv1.TrustLevel_TRUST_LEVEL_CHECKED: "窗口已核验原件",
	caseworkv1.TrustLevel_TRUST_LEVEL_UPLOADED: "自行上传，使用时窗口核验原件", caseworkv1.TrustLevel_TRUST_LEVEL_SELF_MADE: "自行制作",
}
