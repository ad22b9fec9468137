// Package site is what the documentation and the citizens' pages have in common: pages
// from templates under a strict content policy, and their style and script as files.
package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// policy lets a page load its own style and script and talk to its own host, and run or
// show nothing else: text that got into a page as markup would still do nothing.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Files serves the files below a prefix, with names that change with their content.
type Files struct {
	prefix string
	files  map[string]file
	links  map[string]string
}

type file struct {
	data []byte
	kind string
	etag string
}

// NewFiles reads all files of the top level of fsys.
func NewFiles(fsys fs.FS, prefix string) (*Files, error) {
	f := &Files{prefix: prefix, files: map[string]file{}, links: map[string]string{}}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	for _, e := range entries {
		data, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, fmt.Errorf("site: %w", err)
		}
		kind := mime.TypeByExtension(path.Ext(e.Name()))
		switch path.Ext(e.Name()) {
		case ".css":
			kind = "text/css; charset=utf-8"
		case ".js":
			kind = "text/javascript; charset=utf-8"
		case ".svg":
			kind = "image/svg+xml"
		}
		etag := ETag(data)
		f.files[e.Name()] = file{data: data, kind: kind, etag: etag}
		f.links[e.Name()] = prefix + e.Name() + "?v=" + etag[1:9]
	}
	return f, nil
}

// ETag names content by its hash.
func ETag(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// Link is the address of a file, for templates.
func (f *Files) Link(name string) (string, error) {
	link, ok := f.links[name]
	if !ok {
		return "", fmt.Errorf("site: no file %s", name)
	}
	return link, nil
}

// Serve answers with a file, or says that there is none.
func (f *Files) Serve(w http.ResponseWriter, r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.Path, f.prefix)
	if !ok {
		return false
	}
	one, ok := f.files[name]
	if !ok {
		return false
	}
	Bytes(w, r, one.kind, one.etag, "public, max-age=86400", one.data)
	return true
}

// Bytes answers with unchanging content, or with "you have it".
func Bytes(w http.ResponseWriter, r *http.Request, kind, etag, cache string, data []byte) {
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", cache)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", kind)
	// Who hung up needs no answer.
	_, _ = w.Write(data)
}

// Render answers with a page. It is made whole before the first byte leaves, so that a
// template that fails is an error and not half a page.
func Render(w http.ResponseWriter, t *template.Template, name string, code int, data any) error {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	// Without a referrer at all a browser calls the origin of a page's own forms null.
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes())
	return nil
}
