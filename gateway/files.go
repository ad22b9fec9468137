package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/discovery"
	"github.com/onehall/onehall/services/platform/fault"
)

// filesPath is where links to files begin.
const filesPath = "/files/"

// The bounds of a file on the move. One that stands still is cut; one that goes on is
// not, however slowly.
const (
	standstill  = 30 * time.Second
	longestMove = 15 * time.Minute
)

// files passes the bytes of files on, from and to the processes of casework that move
// them. It keeps nothing and looks into nothing: who may do what stands in the link,
// which they alone can read.
type files struct {
	addrs  *discovery.Addresses
	proxy  *httputil.ReverseProxy
	scheme string
	moving chan struct{}
}

func newFiles(cfg Config, rt *boot.Runtime) (*files, error) {
	addrs, err := rt.Resolver.Addresses("files")
	if err != nil {
		return nil, err
	}
	f := &files{addrs: addrs, scheme: "http", moving: make(chan struct{}, cfg.MaxTransfers)}
	tls, err := rt.Config.TLS.Client()
	if err != nil {
		return nil, errors.Join(err, addrs.Close())
	}
	if tls != nil {
		f.scheme = "https"
		tls.ServerName = "casework" // its certificate names its role
	}
	f.proxy = &httputil.ReverseProxy{
		Rewrite: f.rewrite, FlushInterval: -1, ErrorHandler: f.failed,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return f.dial(ctx, rt.Config.TLS.DialContext)
			},
			TLSClientConfig: tls, MaxIdleConnsPerHost: 32, IdleConnTimeout: idleTimeout,
			TLSHandshakeTimeout: headerTimeout, ResponseHeaderTimeout: 2 * standstill, DisableCompression: true,
		},
	}
	return f, nil
}

// filePassed are the headers that mean something to whoever moves the bytes.
var filePassed = []string{
	"Authorization", "Accept-Language", "Content-Type", "Range", "If-Range", "Tus-Resumable", "Upload-Offset",
}

// dialTimeout is how long one instance may take to be reached before the next is tried.
const dialTimeout = 2 * time.Second

// dial reaches one of the instances: after a crash the dead one is known for some seconds
// more, and nobody shall wait for that.
func (f *files) dial(ctx context.Context, to func(ctx context.Context, network, addr string) (net.Conn, error)) (net.Conn, error) {
	all := errors.New("gateway: nobody moves files")
	for range f.addrs.Len() {
		addr, ok := f.addrs.Pick()
		if !ok {
			break
		}
		conn, err := func() (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialTimeout)
			defer cancel()
			return to(ctx, "tcp", addr)
		}()
		if err == nil {
			return conn, nil
		}
		all = errors.Join(all, err)
	}
	f.addrs.Failed()
	return nil, all
}

func (f *files) rewrite(pr *httputil.ProxyRequest) {
	pr.Out.URL.Scheme = f.scheme
	pr.Out.URL.Host, pr.Out.Host = "casework", "" // whichever instance dial reaches
	for name := range pr.Out.Header {
		if !slices.Contains(filePassed, name) {
			pr.Out.Header.Del(name)
		}
	}
}

// errSender is why a file did not arrive: whoever sent it is gone.
var errSender = errors.New("gateway: the sender of a file broke off")

// failed answers when nobody was reached, or the line broke before an answer. A phone that
// loses its connection is no failure of ours.
func (f *files) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errSender) || errors.Is(r.Context().Err(), context.Canceled) {
		refuse(w, r, fault.Canceled.New(fault.Cause(err)))
		return
	}
	refuse(w, r, fault.Unavailable.New(fault.Cause(err), fault.RetryAfter(time.Second)))
}

// put sends a whole file over an upload's link, for a page that took it from a form.
func (f *files) put(ctx context.Context, link string, file io.Reader, size int64) error {
	u, err := url.Parse(link)
	if err != nil {
		return fault.Internal.New(fault.Cause(err))
	}
	// Whatever the public reaches it by, from here it is the role itself.
	u.Scheme, u.Host = f.scheme, "casework"
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, u.String(), io.NopCloser(file))
	if err != nil {
		return fault.Internal.New(fault.Cause(err))
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", "0")
	res, err := f.proxy.Transport.RoundTrip(req)
	if err != nil {
		return fault.Unavailable.New(fault.Cause(err))
	}
	if err := res.Body.Close(); err != nil {
		return fault.Unavailable.New(fault.Cause(err))
	}
	if res.StatusCode != http.StatusNoContent {
		return fault.Unavailable.New(fault.Cause(errors.New("file not taken: " + res.Status)))
	}
	return nil
}

// serveFilePage lets a form bring a file: as long as something comes, within the places
// that files have.
func (g *Gateway) serveFilePage(w *recorder, r *http.Request, in *info) {
	free, err := take(g.files.moving)
	if err != nil {
		refuse(w, r, err)
		return
	}
	defer free()
	rc := http.NewResponseController(w)
	if err := rc.SetWriteDeadline(time.Now().Add(longestMove)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		refuse(w, r, fault.Unavailable.New(fault.Cause(err)))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), longestMove)
	defer cancel()
	r.Body = &steady{r.Body, rc}
	w.stream = true
	g.pages.ServeHTTP(w, forPages(r.WithContext(ctx), in))
}

// serveFile passes one file on.
func (g *Gateway) serveFile(w *recorder, r *http.Request) {
	if m := r.Method; m != http.MethodGet && m != http.MethodHead && m != http.MethodPatch {
		g.noRoute(w, r, []string{http.MethodGet, http.MethodHead, http.MethodPatch})
		return
	}
	free, err := take(g.files.moving)
	if err != nil {
		refuse(w, r, err)
		return
	}
	defer free()
	// A file takes as long as it takes; each step forward has a deadline of its own.
	rc := http.NewResponseController(w)
	if err := rc.SetWriteDeadline(time.Now().Add(longestMove)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		refuse(w, r, fault.Unavailable.New(fault.Cause(err)))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), longestMove)
	defer cancel()
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &steady{r.Body, rc}
	}
	// The answer brings its own, which say more than ours.
	for _, name := range []string{
		"Content-Security-Policy", "Cache-Control", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy",
	} {
		w.Header().Del(name)
	}
	w.stream = true // how long it takes says nothing about us
	g.files.proxy.ServeHTTP(&steadyWriter{w, rc}, r)
}

// steady reads a body as long as something comes.
type steady struct {
	io.ReadCloser
	rc *http.ResponseController
}

// Read implements io.Reader.
func (s *steady) Read(b []byte) (int, error) {
	if err := s.rc.SetReadDeadline(time.Now().Add(standstill)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := s.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", errSender, err)
	}
	return n, err
}

// steadyWriter writes as long as the reader takes something.
type steadyWriter struct {
	http.ResponseWriter
	rc *http.ResponseController
}

// Write implements http.ResponseWriter.
func (s *steadyWriter) Write(b []byte) (int, error) {
	if err := s.rc.SetWriteDeadline(time.Now().Add(standstill)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *steadyWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
