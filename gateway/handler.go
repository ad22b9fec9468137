package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/onehall/onehall/gateway/web"
	"github.com/onehall/onehall/services/platform/fault"
)

// Handler is the whole public surface: guard, log, REST, documentation, pages.
func (g *Gateway) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		in := newInfo(r, g.cfg.TrustedHops)
		r = r.WithContext(context.WithValue(r.Context(), infoKey{}, in))
		out := &recorder{ResponseWriter: w}
		out.Header().Set("X-Request-Id", in.requestID)
		g.cfg.secure(out.Header())
		defer func() {
			if p := recover(); p != nil {
				g.panicked(out, r, p)
			}
			g.finish(r, in, out, time.Since(started))
		}()
		g.serve(out, r, in)
	})
}

func (g *Gateway) serve(w *recorder, r *http.Request, in *info) {
	if err := g.cfg.inspect(r); err != nil {
		refuse(w, r, err)
		return
	}
	if answered, err := g.cfg.cors(w, r); answered || err != nil {
		if err != nil {
			refuse(w, r, err)
		}
		return
	}
	if err := g.limits.allow(in.client); err != nil {
		refuse(w, r, err)
		return
	}
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/v1/"):
		g.serveREST(w, r, in)
	case strings.HasPrefix(path, filesPath):
		in.pattern = "files"
		g.serveFile(w, r)
	case path == "/openapi.json" || path == "/docs" || strings.HasPrefix(path, "/docs/"):
		in.pattern = "docs"
		g.docs.ServeHTTP(w, stripped(r, in))
	case strings.HasPrefix(path, web.WallStreamPath):
		g.servePageStream(w, r, in)
	case path == web.MaterialsPath && r.Method == http.MethodPost:
		in.pattern = "pages"
		g.serveFilePage(w, r, in)
	default:
		in.pattern = "pages"
		g.servePage(w, r, in)
	}
}

// serveREST lets a request through to the generated handlers once all is known to be good.
func (g *Gateway) serveREST(w *recorder, r *http.Request, in *info) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	rt, vars, offered := g.handlers.table.Match(method, r.URL.Path)
	if rt == nil {
		g.noRoute(w, r, offered)
		return
	}
	in.pattern = rt.Pattern
	timeout, err := g.cfg.timeout(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	free := func() {}
	if !rt.Streams() {
		if free, err = take(g.limits.requests); err != nil {
			refuse(w, r, err)
			return
		}
	}
	defer free()
	if err := g.cfg.prepare(w, r, rt); err != nil {
		refuse(w, r, err)
		return
	}
	passedOn := stripped(r, in)
	passedOn.Method = method
	if rt.Streams() {
		w.stream = true
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Type", ndjsonType)
			w.WriteHeader(http.StatusOK)
			return
		}
		g.serveStream(w, passedOn, rt, vars)
		return
	}
	g.call(w, passedOn, timeout, g.handlers.byPath[rt], vars)
}

// call gives the generated handler its deadline, and the answer time beyond it.
func (g *Gateway) call(w *recorder, r *http.Request, timeout time.Duration, handle runtime.HandlerFunc, vars map[string]string) {
	rc := http.NewResponseController(w)
	// The request is read; the connection's deadlines must not cut a long call short.
	err := errors.Join(rc.SetReadDeadline(time.Time{}), rc.SetWriteDeadline(time.Now().Add(timeout+writeTimeout)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		refuse(w, r, fault.Unavailable.New(fault.Cause(err)))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	handle(w, r.WithContext(ctx), vars)
}

// noRoute tells a wrong path from a wrong method.
func (g *Gateway) noRoute(w http.ResponseWriter, r *http.Request, offered []string) {
	if len(offered) == 0 {
		refuse(w, r, fault.NotFound)
		return
	}
	allow := strings.Join(append(offered, http.MethodOptions), ", ")
	w.Header().Set("Allow", allow)
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refuse(w, r, fault.MethodNotAllowed)
}

// servePage lets a request through to the citizens' pages.
func (g *Gateway) servePage(w *recorder, r *http.Request, in *info) {
	free, err := take(g.limits.requests)
	if err != nil {
		refuse(w, r, err)
		return
	}
	defer free()
	ctx, cancel := context.WithTimeout(r.Context(), g.cfg.Timeout)
	defer cancel()
	g.pages.ServeHTTP(w, forPages(r.WithContext(ctx), in))
}

// servePageStream is a stream of the API for a page, whose script has a cookie where
// others have a token.
func (g *Gateway) servePageStream(w *recorder, r *http.Request, in *info) {
	in.pattern = "pages"
	stream, err := g.pages.WallStream(w, forPages(r, in))
	if err != nil {
		refuse(w, r, err)
		return
	}
	g.serveREST(w, stream, in)
}

// forPages is a request as the pages see it: with their own cookies.
func forPages(r *http.Request, in *info) *http.Request {
	passedOn := stripped(r, in)
	for _, c := range r.Cookies() {
		if web.OwnCookie(c.Name) {
			passedOn.AddCookie(c)
		}
	}
	return passedOn
}

// problem lets the pages tell the log why they could not show what was asked.
func (g *Gateway) problem(ctx context.Context, err error) {
	in := infoOf(ctx)
	in.reason = fault.Of(err).Reason().Name
	if fault.Of(err).Reason().HTTP >= http.StatusInternalServerError {
		in.cause = err
	}
}

func (g *Gateway) panicked(w *recorder, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // it asks for the connection to be cut, and has said so already
	}
	in := infoOf(r.Context())
	g.rt.Log.ErrorContext(r.Context(), "handler panicked", "role", Role, "request_id", in.requestID,
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if w.code == 0 {
		refuse(w, r, fault.Internal)
		return
	}
	in.reason = fault.Internal.Name
}

// finish writes the request's one line. Neither path nor query is in it: they can name
// a case or hold what somebody typed.
func (g *Gateway) finish(r *http.Request, in *info, w *recorder, took time.Duration) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	g.metrics.observe(r.Method, in, w.code, w.stream, took)
	level := slog.LevelInfo
	if in.cause != nil {
		level = slog.LevelError
	}
	if !g.rt.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("role", Role), slog.String("method", methodLabel(r.Method)), slog.String("pattern", in.pattern),
		slog.Int("code", w.code), slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("request_id", in.requestID), slog.String("client", in.client),
	}
	if in.reason != "" {
		attrs = append(attrs, slog.String("reason", in.reason))
	}
	if in.cause != nil {
		attrs = append(attrs, slog.String("error", in.cause.Error()))
	}
	g.rt.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	code   int
	stream bool
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
