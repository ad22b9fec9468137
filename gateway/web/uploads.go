package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// What the script of the page of materials asks, so that a file goes in pieces and goes on
// after a break. The bytes go over the link; the session's token stays here.

// uploadView is an upload as the script needs it.
type uploadView struct {
	Name   string `json:"name"`
	Link   string `json:"link"`
	Offset int64  `json:"offset"`
}

// beginUpload announces a file.
func (s *Site) beginUpload(w http.ResponseWriter, r *http.Request, _ *session) {
	size, err := strconv.ParseInt(r.PostForm.Get("size"), 10, 64)
	if err != nil || size < 0 {
		s.refuseScript(w, r, fault.InvalidArgument.New(fault.Field("size"), fault.Cause(err)))
		return
	}
	if size > maxFile {
		s.refuseScript(w, r, fault.FileTooLarge.New(fault.Meta("max", strconv.Itoa(maxFile))))
		return
	}
	up, err := s.cfg.Clients.Material.CreateUpload(r.Context(), &caseworkv1.CreateUploadRequest{
		Upload:    &caseworkv1.Upload{FileName: r.PostForm.Get("file_name"), Size: size, MediaType: r.PostForm.Get("media_type")},
		RequestId: r.PostForm.Get("request_id"),
	})
	s.tellUpload(w, r, up, err)
}

// goOnUpload gives a fresh link, and tells how far the file has come.
func (s *Site) goOnUpload(w http.ResponseWriter, r *http.Request, _ *session) {
	up, err := s.cfg.Clients.Material.GetUpload(r.Context(), &caseworkv1.GetUploadRequest{Name: "uploads/" + r.PathValue("id")})
	if err == nil && up.GetState() != caseworkv1.UploadState_UPLOAD_STATE_OPEN {
		err = fault.NotFound.New()
	}
	s.tellUpload(w, r, up, err)
}

// endUpload makes a material of what has arrived.
func (s *Site) endUpload(w http.ResponseWriter, r *http.Request, _ *session) {
	_, err := s.cfg.Clients.Material.CompleteUpload(r.Context(), &caseworkv1.CompleteUploadRequest{
		Name: "uploads/" + r.PathValue("id"), RequestId: r.PostForm.Get("request_id"),
	})
	s.tellUpload(w, r, nil, err)
}

func (s *Site) tellUpload(w http.ResponseWriter, r *http.Request, up *caseworkv1.Upload, err error) {
	if err != nil {
		s.refuseScript(w, r, err)
		return
	}
	s.tellScript(w, r, http.StatusOK, uploadView{up.GetName(), up.GetLink(), up.GetOffset()})
}

// refuseScript tells a script why not, in words to be shown.
func (s *Site) refuseScript(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	s.tellScript(w, r, f.Reason().HTTP, map[string]string{"message": s.sentence(r.Context(), err)})
}

func (s *Site) tellScript(w http.ResponseWriter, r *http.Request, code int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		s.problem(w, r, fault.Internal.New(fault.Cause(err)))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// Who hung up asks again.
	_, _ = w.Write(data)
}
