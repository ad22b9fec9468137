package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/restclient"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/db"
)

// badLine is the way between a browser and the hall, which breaks in the middle of a file
// and lets nothing through until it is mended.
type badLine struct {
	mu     sync.Mutex
	left   int // how many bytes of files still pass
	broken bool
	parts  []string // the offsets that were sent from
}

// count counts the bytes of files and breaks when there were enough.
func (l *badLine) count(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left -= n; l.left <= 0 {
		l.broken = true
	}
	if l.broken {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (l *badLine) isBroken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// mend lets so many bytes of files pass before it breaks again.
func (l *badLine) mend(left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken, l.left = false, left
}

// counted is a body on its way.
type counted struct {
	io.ReadCloser
	line *badLine
}

// Read implements io.Reader.
func (c counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b[:min(len(b), 32<<10)])
	if broke := c.line.count(n); broke != nil {
		return 0, broke
	}
	return n, err
}

// ServeHTTP implements http.Handler: it is the browser's proxy.
func (l *badLine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.isBroken() {
		panic(http.ErrAbortHandler)
	}
	if r.Method == http.MethodPatch {
		l.mu.Lock()
		l.parts = append(l.parts, r.Header.Get("Upload-Offset"))
		l.mu.Unlock()
		r.Body = counted{r.Body, l}
	}
	pass := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }}
	pass.ServeHTTP(w, r)
}

// choose gives the page's field a file of the disk.
func (b *tab) choose(file string) {
	b.t.Helper()
	var answer struct {
		Result struct{ ObjectID string }
	}
	if err := b.do("Runtime.evaluate", map[string]any{"expression": `document.getElementById("file")`}, &answer); err != nil {
		b.t.Fatal(err)
	}
	if err := b.do("DOM.setFileInputFiles", map[string]any{"files": []string{file}, "objectId": answer.Result.ObjectID}, nil); err != nil {
		b.t.Fatal(err)
	}
}

// TestUploadGoesOnAfterABreak sends a file from a phone's page over a line that breaks in the
// middle, twice: it says so, goes on where it was, and what is kept is the file.
func TestUploadGoesOnAfterABreak(t *testing.T) {
	chromium := browser(t)
	if chromium == "" {
		return
	}
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	line := &badLine{left: 2<<20 + 300<<10}
	proxy := httptest.NewServer(line)
	defer proxy.Close()
	b := openTab(t, chromium, "--proxy-server="+proxy.URL, "--proxy-bypass-list=<-loopback>")
	b.visit(s.Gateway + "/my/materials")
	b.signInAs("citizen")
	b.shows("还没有保存材料")

	// What is wrong is told before anything is sent.
	file := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		s.must("file", os.WriteFile(path, content, 0o600))
		return path
	}
	const press = `document.querySelector("#upload button").click()`
	b.choose(file("程序.exe", []byte("MZ")))
	b.comes("不能上传这种文件（程序.exe）")
	b.choose(file("太大.pdf", make([]byte, 20<<20+1)))
	b.comes("有 20.1 MB，不能超过 20 MB")
	b.must(press)
	b.size(390)
	b.picture("upload-wrong-phone")
	// What only the content shows is told afterwards, and another file may be chosen.
	b.choose(file("假.pdf", []byte("MZ\x90\x00 this is no document")))
	b.must(press)
	b.until("the refusal of a wrong type", func() bool {
		text := b.must(`document.querySelector("#upload-state.error")?.textContent ?? ""`)
		return strings.Contains(text, "文件") && b.must(`String(document.getElementById("file").disabled)`) == "false"
	})
	b.picture("upload-refused-phone")

	content := bytes.Repeat([]byte("租赁合同正文，第一条。\n"), 110_000) // more than three parts
	path := file("合同.txt", content)
	b.choose(path)
	b.must(press)
	b.comes("连接中断，恢复后自动从断点继续")
	if !line.isBroken() {
		t.Error("the line did not break")
	}
	b.picture("upload-broken-phone")
	line.mend(1 << 20)
	b.until("the upload to go on by itself, to the next break", line.isBroken)
	// Even a page that is loaded again goes on, when the same file is chosen.
	b.leave("the page again", func() {
		line.mend(1 << 30)
		b.must("location.reload()")
	})
	b.choose(path)
	b.leave("the end of the upload", func() { b.must(press) })
	b.shows("合同.txt", "自行上传")
	b.picture("upload-done-phone")
	line.mu.Lock()
	parts := fmt.Sprint(line.parts)
	line.mu.Unlock()
	if from := strings.Count(parts, "[0 ") + strings.Count(parts, " 0 "); from != 2 { // the wrong file's and this one's
		t.Errorf("parts were sent from %s", parts)
	}
	c := s.As(house.Applicant(s.demoCitizen()))
	c.Token = restclient.Login(s.Issuer, "citizen", "demo", time.Now)
	kept := &caseworkv1.ListMaterialsResponse{}
	s.must("materials", c.Get(t.Context(), "/v1/materials", kept))
	sum := sha256.Sum256(content)
	if all := kept.GetMaterials(); len(all) != 1 || all[0].GetSha256() != hex.EncodeToString(sum[:]) {
		t.Errorf("kept is %v", all)
	}
	s.noFaults()
}
