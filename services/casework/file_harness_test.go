package casework

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/blob/blobtest"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

// depot is a hall whose files are moved over HTTP.
type depot struct {
	*hall
	files caseworkv1.MaterialServiceClient
	web   *httptest.Server
}

// eachDepot runs a test on every store with every database.
func eachDepot(t *testing.T, test func(a *depot)) {
	t.Helper()
	for name, store := range map[string]func(*testing.T) blob.Config{"file": blobtest.Dir, "s3": blobtest.S3} {
		t.Run(name, func(t *testing.T) {
			dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) { test(newDepot(t, cfg, store(t))) })
		})
	}
}

func oneDepot(t *testing.T, settings ...func(*Config)) *depot {
	t.Helper()
	return newDepot(t, dbtest.SQLiteConfig(t), blobtest.Dir(t), settings...)
}

func newDepot(t *testing.T, cfg db.Config, store blob.Config, settings ...func(*Config)) *depot {
	t.Helper()
	h := newHall(t, cfg, append([]func(*Config){func(c *Config) { c.Files.Store = store }}, settings...)...)
	a := &depot{hall: h, files: caseworkv1.NewMaterialServiceClient(h.conn), web: httptest.NewServer(h.service.fileHandler())}
	t.Cleanup(a.web.Close)
	return a
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// announce begins an upload.
func (a *depot) announce(login string, u *caseworkv1.Upload) *caseworkv1.Upload {
	a.t.Helper()
	got, err := a.files.CreateUpload(as(a.t.Context(), login), &caseworkv1.CreateUploadRequest{Upload: u, RequestId: newID()})
	if err != nil {
		a.t.Fatalf("announce: %s", explain(err))
	}
	return got
}

// move asks the listener for something and reports its status, header and body.
func (a *depot) move(method, link string, header map[string]string, body io.Reader) (int, http.Header, []byte) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.web.URL+link, body)
	if err != nil {
		a.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		a.t.Fatal(err)
	}
	return res.StatusCode, res.Header, got
}

// append sends bytes at an offset.
func (a *depot) append(link string, offset int64, b []byte) (int, http.Header, []byte) {
	a.t.Helper()
	return a.move(http.MethodPatch, link, map[string]string{
		"Tus-Resumable": tusVersion, "Upload-Offset": strconv.FormatInt(offset, 10), "Content-Type": "application/offset+octet-stream",
	}, bytes.NewReader(b))
}

// deliver sends a whole file.
func (a *depot) deliver(login string, u *caseworkv1.Upload, b []byte) *caseworkv1.Upload {
	a.t.Helper()
	u.Size = int64(len(b))
	up := a.announce(login, u)
	if code, _, body := a.append(up.GetLink(), 0, b); code != http.StatusNoContent {
		a.t.Fatalf("append: %d %s", code, body)
	}
	return up
}

// upload sends a whole file and completes it.
func (a *depot) upload(login string, u *caseworkv1.Upload, b []byte) (*caseworkv1.Material, error) {
	a.t.Helper()
	up := a.deliver(login, u, b)
	return a.files.CompleteUpload(as(a.t.Context(), login), &caseworkv1.CompleteUploadRequest{Name: up.GetName(), RequestId: newID()})
}

// keep is upload that must succeed.
func (a *depot) keep(login string, u *caseworkv1.Upload, b []byte) *caseworkv1.Material {
	a.t.Helper()
	m, err := a.upload(login, u, b)
	if err != nil {
		a.t.Fatalf("complete: %s", explain(err))
	}
	return m
}

// read fetches a material's file by a fresh link.
func (a *depot) fetch(login string, m *caseworkv1.Material) []byte {
	a.t.Helper()
	d, err := a.files.CreateDownload(as(a.t.Context(), login), &caseworkv1.CreateDownloadRequest{Name: m.GetName(), RequestId: newID()})
	if err != nil {
		a.t.Fatalf("download: %s", explain(err))
	}
	code, _, b := a.move(http.MethodGet, d.GetLink(), nil, nil)
	if code != http.StatusOK {
		a.t.Fatalf("fetch: %d %s", code, b)
	}
	return b
}

// refusedBytes expects a refusal of the listener.
func (a *depot) refusedBytes(code int, body []byte, want *fault.Reason) {
	a.t.Helper()
	var answer struct {
		Error struct {
			Reason, Message string
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Reason != want.Name || code != want.HTTP || answer.Error.Message == "" {
		a.t.Errorf("answered %d %s, want %d %s", code, body, want.HTTP, want.Name)
	}
}

// stored counts the blobs there are.
func (a *depot) stored() int {
	a.t.Helper()
	n := 0
	if err := a.service.files.store.List(context.Background(), func(string) error { n++; return nil }); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// later lets time pass and waits for what the sweep makes of it.
func (a *depot) later(d time.Duration, what string, done func() bool) {
	a.t.Helper()
	a.clock.Advance(d)
	a.service.emptyTrashSoon()
	a.until(what, done)
}

// note is a small text, of so many bytes.
func note(text string, size int) []byte {
	return append([]byte(text), bytes.Repeat([]byte("."), size-len(text))...)
}
