package casework

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

func TestUploadInPieces(t *testing.T) {
	eachDepot(t, func(a *depot) {
		ctx, all := as(a.t.Context(), "ada"), note("租赁合同", 3<<20)
		create := &caseworkv1.CreateUploadRequest{
			Upload: &caseworkv1.Upload{FileName: "合同.txt", Size: int64(len(all)), Sha256: sumOf(all)}, RequestId: newID(),
		}
		// The same call from ten connections begins one upload.
		begun, errs := togetherUploads(10, func() (*caseworkv1.Upload, error) { return a.files.CreateUpload(ctx, create) })
		for i, err := range errs {
			if err != nil || !proto.Equal(begun[i], begun[0]) {
				a.t.Fatalf("create %d: %v, %v", i, begun[i], err)
			}
		}
		up := begun[0]
		if code, h, _ := a.append(up.GetLink(), 0, all[:1000]); code != http.StatusNoContent || h.Get("Upload-Offset") != "1000" {
			a.t.Fatalf("first piece: %d %v", code, h)
		}
		// A retry of what has arrived, and a piece from further on, change nothing.
		for _, at := range []int64{0, 2000} {
			code, h, body := a.append(up.GetLink(), at, all[:1000])
			a.refusedBytes(code, body, fault.UploadOffset)
			if h.Get("Upload-Offset") != "1000" {
				a.t.Errorf("told to go on at %s", h.Get("Upload-Offset"))
			}
		}
		complete := &caseworkv1.CompleteUploadRequest{Name: up.GetName(), RequestId: newID()}
		_, err := a.files.CompleteUpload(ctx, complete)
		a.refusedWith(err, fault.UploadIncomplete)

		// The line breaks in the middle of a piece; what came is kept.
		broken := io.MultiReader(bytes.NewReader(all[1000:2<<20]), failing{})
		req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPatch, a.web.URL+up.GetLink(), broken)
		if err != nil {
			a.t.Fatal(err)
		}
		req.Header.Set("Upload-Offset", "1000")
		req.Header.Set("Content-Type", "application/offset+octet-stream")
		if res, err := http.DefaultClient.Do(req); err == nil {
			a.t.Errorf("the broken line answered %d, %v", res.StatusCode, res.Body.Close())
		}
		a.until("the piece that broke off to be kept", func() bool {
			code, h, _ := a.move(http.MethodHead, up.GetLink(), nil, nil)
			at, err := strconv.Atoi(h.Get("Upload-Offset"))
			return code == http.StatusOK && err == nil && at == 2<<20
		})
		// Hours later the link is over; a fresh one goes on where it stopped.
		a.clock.Advance(3 * time.Hour)
		code, _, body := a.append(up.GetLink(), 1000, nil)
		a.refusedBytes(code, body, fault.LinkRefused)
		fresh, err := a.files.GetUpload(ctx, &caseworkv1.GetUploadRequest{Name: up.GetName()})
		if err != nil || fresh.GetOffset() <= 1<<20 || fresh.GetLink() == up.GetLink() {
			a.t.Fatalf("fresh: %v, %v", fresh, err)
		}
		if code, _, body := a.append(fresh.GetLink(), fresh.GetOffset(), all[fresh.GetOffset():]); code != http.StatusNoContent {
			a.t.Fatalf("rest: %d %s", code, body)
		}
		m, err := a.files.CompleteUpload(ctx, complete)
		if err != nil || m.GetSha256() != sumOf(all) || m.GetMediaType() != "text/plain" || m.GetFileName() != "合同.txt" {
			a.t.Fatalf("complete: %v, %s", m, explain(err))
		}
		if again, err := a.files.CompleteUpload(ctx, complete); err != nil || !proto.Equal(again, m) {
			a.t.Errorf("complete again: %v, %v", again, err)
		}
		// The link is used up.
		code, _, body = a.append(fresh.GetLink(), int64(len(all)), nil)
		a.refusedBytes(code, body, fault.LinkRefused)
		if !bytes.Equal(a.fetch("ada", m), all) {
			a.t.Error("another file came back")
		}
		a.until("the pieces to be removed", func() bool { return a.stored() == 1 })
	})
}

// failing is a line that breaks.
type failing struct{}

// Read implements io.Reader.
func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func togetherUploads(n int, call func() (*caseworkv1.Upload, error)) ([]*caseworkv1.Upload, []error) {
	type result struct {
		u   *caseworkv1.Upload
		err error
	}
	results := make(chan result)
	for range n {
		go func() {
			u, err := call()
			results <- result{u, err}
		}()
	}
	var all []*caseworkv1.Upload
	var errs []error
	for range n {
		r := <-results
		all, errs = append(all, r.u), append(errs, r.err)
	}
	return all, errs
}

// TestLinks is row H69 of the hostile inputs: used twice, expired, another's, edited.
func TestLinks(t *testing.T) {
	a := oneDepot(t)
	m := a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, []byte("first"))
	other := a.keep("ada", &caseworkv1.Upload{FileName: "b.txt"}, []byte("second"))
	d, err := a.files.CreateDownload(as(t.Context(), "ada"), &caseworkv1.CreateDownloadRequest{Name: m.GetName(), RequestId: newID()})
	if err != nil {
		t.Fatal(explain(err))
	}
	up := a.announce("ada", &caseworkv1.Upload{FileName: "c.txt", Size: 10})
	for name, tc := range map[string]struct {
		method, link string
		token        string
		want         *fault.Reason
	}{
		"another object":        {http.MethodGet, strings.Replace(d.GetLink(), m.GetName(), other.GetName(), 1), "", fault.LinkRefused},
		"a later end":           {http.MethodGet, strings.Replace(d.GetLink(), "e=", "e=9", 1), "", fault.LinkRefused},
		"another holder":        {http.MethodGet, strings.Replace(d.GetLink(), "h=", "h=A", 1), "", fault.LinkRefused},
		"no signature":          {http.MethodGet, d.GetLink()[:strings.Index(d.GetLink(), "&s=")], "", fault.LinkRefused},
		"two ends":              {http.MethodGet, d.GetLink() + "&e=99999999999", "", fault.LinkRefused},
		"a download to write":   {http.MethodPatch, d.GetLink(), "", fault.MethodNotAllowed},
		"an upload to read":     {http.MethodGet, up.GetLink(), "", fault.MethodNotAllowed},
		"an upload as material": {http.MethodGet, strings.Replace(up.GetLink(), "uploads", "materials", 1), "", fault.LinkRefused},
		"another person":        {http.MethodGet, d.GetLink(), "bob", fault.LinkRefused},
		"another person writes": {http.MethodPatch, up.GetLink(), "bob", fault.LinkRefused},
		"a bad token":           {http.MethodGet, d.GetLink(), "nobody", fault.Unauthenticated},
		"no link":               {http.MethodGet, "/files/", "", fault.LinkRefused},
		"elsewhere":             {http.MethodGet, "/", "", fault.LinkRefused},
	} {
		header := map[string]string{}
		if tc.token != "" {
			header["Authorization"] = "Bearer " + tc.token
		}
		code, h, body := a.move(tc.method, tc.link, header, nil)
		t.Run(name, func(t *testing.T) { a.refusedBytes(code, body, tc.want) })
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, h)
		}
	}
	// Its holder may read it again while it lasts: a download that broke off goes on.
	for range 2 {
		if code, _, body := a.move(http.MethodGet, d.GetLink(), map[string]string{"Authorization": "Bearer ada"}, nil); code != http.StatusOK || string(body) != "first" {
			t.Errorf("its holder: %d %s", code, body)
		}
	}
	code, h, body := a.move(http.MethodGet, d.GetLink(), map[string]string{"Range": "bytes=2-"}, nil)
	if code != http.StatusPartialContent || string(body) != "rst" || h.Get("Content-Range") != "bytes 2-4/5" {
		t.Errorf("range: %d %s %v", code, body, h)
	}
	if h.Get("Content-Disposition") != `attachment; filename="a.txt"; filename*=UTF-8''a.txt` || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("header %v", h)
	}
	a.clock.Advance(5 * time.Minute)
	code, _, body = a.move(http.MethodGet, d.GetLink(), nil, nil)
	a.refusedBytes(code, body, fault.LinkRefused)
}

func TestWhatIsDeclaredMustCome(t *testing.T) {
	a := oneDepot(t)
	ctx := as(t.Context(), "ada")
	up := a.deliver("ada", &caseworkv1.Upload{FileName: "a.txt", Sha256: sumOf([]byte("other"))}, []byte("hello"))
	_, err := a.files.CompleteUpload(ctx, &caseworkv1.CompleteUploadRequest{Name: up.GetName(), RequestId: newID()})
	a.refusedWith(err, fault.FileHashMismatch)
	up = a.deliver("ada", &caseworkv1.Upload{FileName: "a.txt"}, []byte("hello"))
	_, err = a.files.CompleteUpload(ctx, &caseworkv1.CompleteUploadRequest{Name: up.GetName(), Sha256: sumOf([]byte("other")), RequestId: newID()})
	a.refusedWith(err, fault.FileHashMismatch)
	_, err = a.files.CompleteUpload(as(t.Context(), "bob"), &caseworkv1.CompleteUploadRequest{Name: up.GetName(), RequestId: newID()})
	a.refusedWith(err, fault.NotFound)

	// More than was announced is not taken, and less is not a file yet.
	up = a.announce("ada", &caseworkv1.Upload{FileName: "a.txt", Size: 4})
	code, _, body := a.append(up.GetLink(), 0, []byte("hello"))
	a.refusedBytes(code, body, fault.FileTooLarge)
	code, _, body = a.move(http.MethodPatch, up.GetLink(), map[string]string{"Upload-Offset": "0", "Content-Type": "text/plain"}, strings.NewReader("x"))
	a.refusedBytes(code, body, fault.UnsupportedMediaType)

	for size, want := range map[int64]*fault.Reason{0: fault.FileEmpty, 20<<20 + 1: fault.FileTooLarge} {
		_, err := a.files.CreateUpload(ctx, &caseworkv1.CreateUploadRequest{Upload: &caseworkv1.Upload{FileName: "a.txt", Size: size}, RequestId: newID()})
		a.refusedWith(err, want)
	}
	create := &caseworkv1.CreateUploadRequest{Upload: &caseworkv1.Upload{FileName: "a.txt", Size: 9}, RequestId: newID()}
	if _, err := a.files.CreateUpload(ctx, create); err != nil {
		t.Fatal(explain(err))
	}
	create.Upload.Size = 10
	_, err = a.files.CreateUpload(ctx, create)
	a.refusedWith(err, fault.RequestIDReused)
}

func TestQuota(t *testing.T) {
	a := oneDepot(t, func(c *Config) { c.Files.MaxBytes, c.Files.OwnerBytes, c.Files.OwnerUploads = 1000, 2500, 3 })
	ctx := as(t.Context(), "ada")
	a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, note("a", 1000))
	first := a.announce("ada", &caseworkv1.Upload{FileName: "b.txt", Size: 1000})
	_, err := a.files.CreateUpload(ctx, &caseworkv1.CreateUploadRequest{Upload: &caseworkv1.Upload{FileName: "c.txt", Size: 1000}, RequestId: newID()})
	a.refusedWith(err, fault.UploadQuota)
	a.announce("bob", &caseworkv1.Upload{FileName: "c.txt", Size: 1000}) // each has his own
	cancel := &caseworkv1.CancelUploadRequest{Name: first.GetName(), RequestId: newID()}
	for range 2 {
		if got, err := a.files.CancelUpload(ctx, cancel); err != nil || got.GetState() != caseworkv1.UploadState_UPLOAD_STATE_CANCELLED {
			t.Errorf("cancel: %v, %v", got, err)
		}
	}
	for range 3 {
		a.announce("ada", &caseworkv1.Upload{FileName: "d.txt", Size: 10})
	}
	_, err = a.files.CreateUpload(ctx, &caseworkv1.CreateUploadRequest{Upload: &caseworkv1.Upload{FileName: "e.txt", Size: 10}, RequestId: newID()})
	a.refusedWith(err, fault.UploadQuota)
}

func TestAbandonedUploadsGo(t *testing.T) {
	eachDepot(t, func(a *depot) {
		up := a.announce("ada", &caseworkv1.Upload{FileName: "a.txt", Size: 100})
		if code, _, _ := a.append(up.GetLink(), 0, note("half", 50)); code != http.StatusNoContent || a.stored() != 1 {
			a.t.Fatalf("half: %d, %d stored", code, a.stored())
		}
		a.later(25*time.Hour, "the half to be removed", func() bool { return a.stored() == 0 })
		got, err := a.files.GetUpload(as(a.t.Context(), "ada"), &caseworkv1.GetUploadRequest{Name: up.GetName()})
		if err != nil || got.GetState() != caseworkv1.UploadState_UPLOAD_STATE_EXPIRED || got.GetLink() != "" {
			a.t.Errorf("expired: %v, %v", got, err)
		}
		_, err = a.files.CompleteUpload(as(a.t.Context(), "ada"), &caseworkv1.CompleteUploadRequest{Name: up.GetName(), RequestId: newID()})
		a.refusedWith(err, fault.UploadEnded)
	})
}

func TestNamesAreOnlyShown(t *testing.T) {
	a := oneDepot(t)
	for sent, want := range map[string]string{
		"../../etc/passwd.txt": "passwd.txt", `C:\u\x.txt`: "x.txt", "-rf.txt": "rf.txt", "con.txt": "_con.txt", "a\u202etxt.txt": "atxt.txt",
		strings.Repeat("长", 1400) + ".txt": strings.Repeat("长", 116) + ".txt", "": "", "/": "file",
	} {
		if sent == "" {
			continue // the contract asks for a name
		}
		up := a.announce("ada", &caseworkv1.Upload{FileName: sent, Size: 10})
		if up.GetFileName() != want || strings.Contains(up.GetName(), "passwd") {
			t.Errorf("%.20q became %q", sent, up.GetFileName())
		}
		if _, err := a.files.CancelUpload(as(t.Context(), "ada"), &caseworkv1.CancelUploadRequest{Name: up.GetName(), RequestId: newID()}); err != nil {
			t.Fatal(explain(err))
		}
	}
}

func TestNoFileNameLeavesInEvents(t *testing.T) {
	a := oneDepot(t)
	m := a.keep("ada", &caseworkv1.Upload{FileName: "艾达的身份证.txt"}, []byte("x"))
	events, err := feed.History(t.Context(), a.service.db.Read(), m.GetName(), 0, 10)
	if err != nil || len(events) != 1 || events[0].GetType() != "material.uploaded" {
		t.Fatalf("events %v, %v", events, err)
	}
	if bytes.Contains(events[0].GetResource(), []byte("艾达")) || !bytes.Contains(events[0].GetResource(), []byte(m.GetSha256())) {
		t.Errorf("event %q", events[0].GetResource())
	}
}

// TestDamageIsNotHandedOut is test X18: what was changed on the disk is not given out.
func TestDamageIsNotHandedOut(t *testing.T) {
	eachDepot(t, func(a *depot) {
		ctx := a.t.Context()
		m := a.keep("ada", &caseworkv1.Upload{FileName: "a.txt"}, []byte("hello"))
		owner := everybody["ada"].IdentityKey
		key, err := store.BlobOf(ctx, a.service.db.Read(), owner, m.GetSha256())
		if err != nil {
			a.t.Fatal(err)
		}
		if err := a.service.files.store.Delete(ctx, key); err != nil {
			a.t.Fatal(err)
		}
		d, err := a.files.CreateDownload(as(ctx, "ada"), &caseworkv1.CreateDownloadRequest{Name: m.GetName(), RequestId: newID()})
		if err != nil {
			a.t.Fatal(explain(err))
		}
		for _, damaged := range []string{"", "hellO", "hello and more"} {
			if damaged != "" {
				if err := a.service.files.store.Put(ctx, key, strings.NewReader(damaged), int64(len(damaged))); err != nil {
					a.t.Fatal(err)
				}
			}
			code, _, body := a.move(http.MethodGet, d.GetLink(), nil, nil)
			a.refusedBytes(code, body, fault.FileDamaged)
			if err := a.service.files.store.Delete(ctx, key); err != nil {
				a.t.Fatal(err)
			}
		}
	})
}
