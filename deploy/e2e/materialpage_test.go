package e2e

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/services/platform/db"
)

var (
	formRequest  = regexp.MustCompile(`name="request_id" value="([^"]+)"`)
	downloadForm = regexp.MustCompile(`action="(/my/materials/[0-9a-z]+/download)"`)
)

// sendFile posts a file by a form without any script.
func (v *visitor) sendFile(token, request, name string, content []byte) (code int, location, body string) {
	v.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	v.must("csrf", w.WriteField("csrf", token))
	v.must("request_id", w.WriteField("request_id", request))
	f, err := w.CreateFormFile("file", name)
	v.must("file", err)
	_, err = f.Write(content)
	v.must("file", err)
	v.must("form", w.Close())
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.Gateway+"/my/materials", &form)
	v.must("request", err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	res, err := v.http.Do(req)
	v.must("send", err)
	location = res.Header.Get("Location")
	code, body, err = read(res, nil)
	v.must("read", err)
	return code, location, body
}

// TestMaterialPage hands a file in by a plain form, uses it in an application and reads it
// back, as a browser without scripts does.
func TestMaterialPage(t *testing.T) {
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	v := s.visitor()
	v.signIn("/my/materials")
	code, _, page := v.send("/my/materials", nil)
	token, request := formToken.FindStringSubmatch(page), formRequest.FindStringSubmatch(page)
	if code != http.StatusOK || token == nil || request == nil || !strings.Contains(page, "还没有保存材料") {
		t.Fatalf("page: %d %.1000s", code, page)
	}
	content := []byte(strings.Repeat("租赁合同正文。\n", 100_000))
	for name, tc := range map[string]struct {
		token, file string
		content     []byte
		want        int
	}{
		"without the form's token": {"", "合同.txt", content, http.StatusForbidden},
		"nothing":                  {token[1], "合同.txt", nil, http.StatusBadRequest},
		"a program":                {token[1], "合同.pdf", []byte("MZ\x90\x00"), http.StatusUnsupportedMediaType},
		"too large":                {token[1], "合同.txt", make([]byte, 20<<20+1), http.StatusRequestEntityTooLarge},
	} {
		if code, _, body := v.sendFile(tc.token, newID(), tc.file, tc.content); code != tc.want {
			t.Errorf("%s: %d %.300s", name, code, body)
		}
	}
	if code, _, _ := s.visitor().sendFile(token[1], newID(), "合同.txt", content); code != http.StatusUnauthorized {
		t.Errorf("signed out: %d", code)
	}
	v.uploadsOfTheScript(token[1])
	if code, to, body := v.sendFile(token[1], request[1], "合同.txt", content); code != http.StatusSeeOther || to != "/my/materials?done=material" {
		t.Fatalf("upload: %d to %q: %.500s", code, to, body)
	}
	_, _, page = v.send("/my/materials?done=material", nil)
	action := downloadForm.FindStringSubmatch(page)
	if action == nil || !strings.Contains(page, "合同.txt") || !strings.Contains(page, "自行上传") {
		t.Fatalf("list: %.2000s", page)
	}
	code, link, body := v.send(action[1], url.Values{"csrf": {token[1]}, "request_id": {newID()}})
	if code != http.StatusSeeOther || !strings.HasPrefix(link, "/files/materials/") {
		t.Fatalf("download: %d to %q: %.500s", code, link, body)
	}
	if code, _, got := s.bytesOf(t.Context(), http.MethodGet, link, nil, nil); code != http.StatusOK || !bytes.Equal(got, content) {
		t.Errorf("read: %d, %d bytes of %d", code, len(got), len(content))
	}
	_, _, page = v.send("/apply/"+house.City+"/"+itemCode(s.data.Items[house.Residence]), nil)
	if !strings.Contains(page, "我的材料：合同.txt") {
		t.Error("the page of an application does not offer what is kept")
	}
	s.noFaults()
}

// uploadsOfTheScript asks what the page's script asks, rightly and wrongly.
func (v *visitor) uploadsOfTheScript(token string) {
	v.t.Helper()
	form := func(token, size string) url.Values {
		return url.Values{"csrf": {token}, "request_id": {newID()}, "file_name": {"合同.txt"}, "media_type": {"text/plain"}, "size": {size}}
	}
	for name, tc := range map[string]struct {
		path string
		form url.Values
		want int
	}{
		"without the form's token": {"/my/uploads", form("", "5"), http.StatusForbidden},
		"no size":                  {"/my/uploads", form(token, ""), http.StatusBadRequest},
		"less than nothing":        {"/my/uploads", form(token, "-1"), http.StatusBadRequest},
		"too large":                {"/my/uploads", form(token, "20971521"), http.StatusRequestEntityTooLarge},
		"nothing to go on with":    {"/my/uploads/01jd0000000000000000000000/link", form(token, ""), http.StatusNotFound},
		"nothing to end":           {"/my/uploads/01jd0000000000000000000000/complete", form(token, ""), http.StatusNotFound},
	} {
		if code, _, body := v.send(tc.path, tc.form); code != tc.want {
			v.t.Errorf("%s: %d %.300s", name, code, body)
		}
	}
	if code, _, _ := v.scene.visitor().send("/my/uploads", form(token, "5")); code != http.StatusUnauthorized {
		v.t.Errorf("signed out: %d", code)
	}
	code, _, body := v.send("/my/uploads", form(token, "5"))
	var up struct{ Name, Link string }
	if err := json.Unmarshal([]byte(body), &up); code != http.StatusOK || err != nil || !strings.HasPrefix(up.Link, "/files/uploads/") {
		v.t.Fatalf("begun: %d %s", code, body)
	}
	if code, _, body = v.send("/my/"+up.Name+"/complete", form(token, "")); code < 400 || code >= 500 || !strings.Contains(body, `"message"`) {
		v.t.Errorf("nothing has arrived: %d %s", code, body)
	}
}
