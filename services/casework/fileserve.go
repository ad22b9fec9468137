package casework

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	rpccode "google.golang.org/genproto/googleapis/rpc/code"

	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// The bounds of moving a file. A transfer that stands still is cut, one that goes on is
// not: a phone may be slow.
const (
	standstill  = 30 * time.Second
	longestMove = 15 * time.Minute
	// piece is how much is kept at once while bytes come in: what a broken line costs.
	piece = 1 << 20
)

// tusVersion is the protocol that uploads speak.
const tusVersion = "1.0.0"

// fileHandler moves bytes: PATCH and HEAD of uploads, GET and HEAD of materials.
func (s *Service) fileHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// Whatever a file is, no browser is to take it for a page of ours.
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "private, no-store")
		if err := s.moveFile(w, r); err != nil {
			s.refuseFile(w, r, err)
		}
	})
}

func (s *Service) moveFile(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.LinkRefused.New()
	}
	x, err := s.files.links.read(r.URL.Path, query, s.clock.Now())
	if err != nil {
		return err
	}
	if err := s.sameHolder(r, x); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), longestMove)
	defer cancel()
	r = r.WithContext(ctx)
	upload := strings.HasPrefix(x.name, "uploads/")
	switch {
	case upload && r.Method == http.MethodHead:
		return s.tellOffset(w, r, x.name)
	case upload && r.Method == http.MethodPatch:
		return s.receive(w, r, x.name)
	case !upload && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return s.send(w, r, x.name)
	}
	return fault.MethodNotAllowed.New()
}

// sameHolder refuses a link in the hands of somebody who says that he is another. Without
// a token the link alone counts: it is good for minutes, and for one file.
func (s *Service) sameHolder(r *http.Request, x link) error {
	auth := r.Header.Values("Authorization")
	if len(auth) == 0 {
		return nil
	}
	scheme, raw, ok := strings.Cut(auth[0], " ")
	if len(auth) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") {
		return fault.Unauthenticated.New()
	}
	p, err := s.verify(r.Context(), raw)
	if err != nil {
		return err
	}
	if s.files.links.holder(p.Subject) != x.holder {
		return fault.LinkRefused.New()
	}
	return nil
}

// uploadBehind is the upload that a link leads to. A link outlives the upload for a few
// minutes; it is good for nothing then.
func (s *Service) uploadBehind(ctx context.Context, name string) (store.Upload, error) {
	row, found, err := store.GetUpload(ctx, s.db.Read(), name)
	if err == nil && (!found || !stillOpen(row, s.clock.Now())) {
		err = fault.LinkRefused.New()
	}
	return row, err
}

func (s *Service) tellOffset(w http.ResponseWriter, r *http.Request, name string) error {
	row, err := s.uploadBehind(r.Context(), name)
	if err != nil {
		return err
	}
	tus(w, row.Received)
	w.Header().Set("Upload-Length", strconv.FormatInt(row.Size, 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

func tus(w http.ResponseWriter, offset int64) {
	w.Header().Set("Tus-Resumable", tusVersion)
	w.Header().Set("Upload-Offset", strconv.FormatInt(offset, 10))
}

// receive takes bytes in. Each piece is kept for good before the next is read, so that a
// line that breaks costs no more than one piece.
func (s *Service) receive(w http.ResponseWriter, r *http.Request, name string) error {
	row, err := s.uploadBehind(r.Context(), name)
	if err != nil {
		return err
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/offset+octet-stream" {
		return fault.UnsupportedMediaType.New()
	}
	start, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || start != row.Received {
		tus(w, row.Received)
		return fault.UploadOffset.New(fault.Meta("offset", strconv.FormatInt(row.Received, 10)))
	}
	if r.ContentLength > row.Size-start {
		return fault.FileTooLarge.New(fault.Meta("max", strconv.FormatInt(row.Size-start, 10)))
	}
	free, err := s.files.move(r.Context())
	if err != nil {
		return err
	}
	defer free()
	body := &patient{rc: http.NewResponseController(w), r: r.Body}
	at, err := s.pieces(r.Context(), body, row, start)
	if err != nil {
		tus(w, at)
		return err
	}
	tus(w, at)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// pieces keeps what body gives, and says how far the upload is then. A body that breaks
// off ends it without complaint: what has come is kept, the sender asks and goes on.
func (s *Service) pieces(ctx context.Context, body io.Reader, row store.Upload, at int64) (int64, error) {
	buf := make([]byte, min(piece, row.Size-at))
	for at < row.Size {
		n, err := io.ReadFull(body, buf[:min(piece, row.Size-at)])
		if n > 0 {
			if keepErr := s.keepPiece(ctx, row.Name, at, buf[:n]); keepErr != nil {
				return at, keepErr
			}
			at += int64(n)
		}
		if err != nil {
			return at, nil
		}
	}
	// The end of the body must be the end of the file.
	if n, _ := io.ReadFull(body, make([]byte, 1)); n > 0 {
		return at, fault.FileTooLarge.New(fault.Meta("max", strconv.FormatInt(row.Size, 10)))
	}
	return at, nil
}

// keepPiece stores bytes and then notes them. Bytes that are stored and not noted, after
// a crash or because another connection was faster, are found by the sweep.
func (s *Service) keepPiece(ctx context.Context, name string, at int64, b []byte) error {
	// What has arrived is worth keeping even when the sender has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), standstill)
	defer cancel()
	now := s.clock.Now()
	key := blob.NewKey(now)
	if err := s.files.store.Put(ctx, key, strings.NewReader(string(b)), int64(len(b))); err != nil {
		return fmt.Errorf("casework: %w", err)
	}
	taken := false
	err := s.db.Write(ctx, name, func(ctx context.Context, tx *db.Tx) error {
		ok, err := store.AddPart(ctx, tx, name, store.Part{Start: at, Size: int64(len(b)), Blob: key}, now.Add(s.files.cfg.UploadLife))
		taken = ok
		return err
	})
	if err != nil {
		return err
	}
	if !taken {
		row, err := s.uploadBehind(ctx, name)
		if err != nil {
			return err
		}
		return fault.UploadOffset.New(fault.Meta("offset", strconv.FormatInt(row.Received, 10)))
	}
	return nil
}

// patient reads a body as long as something comes.
type patient struct {
	rc *http.ResponseController
	r  io.Reader
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.rc.SetReadDeadline(time.Now().Add(standstill)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.r.Read(b)
}

// send gives a material's file out, after it has been compared with its hash: what was
// changed on the disk is not handed to anybody.
func (s *Service) send(w http.ResponseWriter, r *http.Request, name string) (err error) {
	row, found, err := store.GetMaterial(r.Context(), s.db.Read(), name)
	if err != nil {
		return err
	}
	if !found || !row.Live {
		return fault.LinkRefused.New()
	}
	m, err := materialOf(row)
	if err != nil {
		return err
	}
	free, err := s.files.move(r.Context())
	if err != nil {
		return err
	}
	defer free()
	key, err := store.BlobOf(r.Context(), s.db.Read(), row.Owner, row.SHA256)
	if err != nil {
		return err
	}
	t, err := s.files.temp()
	if err != nil {
		return err
	}
	defer func() {
		if e := t.Close(); e != nil {
			s.log.WarnContext(r.Context(), "temporary file not closed", "error", e)
		}
	}()
	h := sha256.New()
	n, err := s.copyBlob(r.Context(), key, io.MultiWriter(t, h))
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	if err != nil || n != m.GetSize() || hex.EncodeToString(h.Sum(nil)) != row.SHA256 {
		return fault.FileDamaged.New(fault.Cause(fmt.Errorf("%s: %d bytes of %d: %w", name, n, m.GetSize(), err)))
	}
	w.Header().Set("Content-Type", m.GetMediaType())
	w.Header().Set("Content-Disposition", disposition(m.GetFileName()))
	w.Header().Set("ETag", `"`+row.SHA256+`"`)
	http.ServeContent(&patientWriter{ResponseWriter: w, rc: http.NewResponseController(w)}, r, "", time.Time{}, t)
	return nil
}

// patientWriter writes as long as the reader takes something.
type patientWriter struct {
	http.ResponseWriter
	rc *http.ResponseController
}

// Write implements http.ResponseWriter.
func (p *patientWriter) Write(b []byte) (int, error) {
	if err := p.rc.SetWriteDeadline(time.Now().Add(standstill)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

// disposition names a file that is to be saved, never shown (RFC 6266, RFC 5987).
func disposition(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%;`, r) {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.PathEscape(name), "'", "%27")
}

// refuseFile answers in the shape of the public API.
func (s *Service) refuseFile(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	if f.Reason().HTTP >= http.StatusInternalServerError {
		s.log.ErrorContext(r.Context(), "file not moved", slog.String("method", r.Method), slog.Any("error", err))
	}
	lang := fault.Chinese
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en") {
		lang = fault.English
	}
	if f.RetryAfter() > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter().Seconds())))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Reason().HTTP)
	type body struct {
		Code     int               `json:"code"`
		Status   string            `json:"status"`
		Reason   string            `json:"reason"`
		Message  string            `json:"message"`
		Metadata map[string]string `json:"metadata,omitempty"`
	}
	answer := struct {
		Error body `json:"error"`
	}{body{f.Reason().HTTP, rpccode.Code(f.Reason().Code).String(), f.Reason().Name, f.Message(lang), f.Metadata()}}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.log.DebugContext(r.Context(), "refusal not sent", slog.Any("error", err))
	}
}
