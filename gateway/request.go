package gateway

import (
	"context"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/onehall/onehall/services/platform/fault"
)

// info is what the gateway knows of the request it serves. One goroutine serves a
// request, so it needs no lock.
type info struct {
	requestID string
	lang      string
	client    string
	// pattern names the path for logs and metrics; a path itself may name a case.
	pattern string
	// reason and cause are why it was refused.
	reason string
	cause  error
}

type infoKey struct{}

// infoOf never returns nil, so that a handler under test needs no guard.
func infoOf(ctx context.Context) *info {
	if in, ok := ctx.Value(infoKey{}).(*info); ok {
		return in
	}
	return &info{lang: fault.Chinese}
}

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// newInfo reads what the guard and the log need.
func newInfo(r *http.Request, trustedHops int) *info {
	in := &info{lang: fault.ParseLang(r.Header.Get("Accept-Language")), client: clientAddr(r, trustedHops), pattern: "none"}
	if ids := r.Header.Values("X-Request-Id"); len(ids) == 1 && goodRequestID.MatchString(ids[0]) {
		in.requestID = ids[0]
	} else {
		in.requestID = uuid.NewString()
	}
	return in
}

// clientAddr is the address of whoever is asking. Each proxy of ours appends the address
// it was reached from, so with n of them the n-th entry from the right was written by
// one of ours and all before it by anybody.
func clientAddr(r *http.Request, trustedHops int) string {
	peer := "unknown"
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		peer = ap.Addr().Unmap().String()
	}
	if trustedHops == 0 {
		return peer
	}
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if len(entries) < trustedHops {
		return peer
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(entries[len(entries)-trustedHops]))
	if err != nil {
		return peer
	}
	return addr.Unmap().String()
}

// neighbourhood is the part of an address that one subscriber holds: all of an IPv4
// address, the /64 of an IPv6 one.
func neighbourhood(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Is4() {
		return addr
	}
	p, err := a.Prefix(64)
	if err != nil {
		return addr
	}
	return p.String()
}

// passed are the only headers that go on to the handlers; of these only some become
// metadata. All others end here, among them every name that somebody behind us might
// be tempted to believe: X-User-Id, Grpc-Metadata-*, Forwarded, Cookie.
var passed = []string{"Accept", "Accept-Language", "Authorization", "Content-Type", "If-None-Match", "Last-Event-Id", "Traceparent"}

// stripped returns the request with the passed headers only and our own request id.
func stripped(r *http.Request, in *info) *http.Request {
	kept := make(http.Header, len(passed)+1)
	for _, name := range passed {
		if vs := r.Header[name]; len(vs) > 0 {
			kept[name] = vs[:1]
		}
	}
	if !goodTrace.MatchString(kept.Get("Traceparent")) {
		kept.Del("Traceparent")
	}
	kept.Set("X-Request-Id", in.requestID)
	out := r.WithContext(context.WithValue(r.Context(), infoKey{}, in))
	out.Header = kept
	out.Trailer = nil
	return out
}

var goodTrace = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// incomingHeader says which headers become metadata. The bearer token is carried by
// grpc-gateway itself.
func incomingHeader(name string) (string, bool) {
	switch http.CanonicalHeaderKey(name) {
	case "Accept-Language":
		return "accept-language", true
	case "Traceparent":
		return "traceparent", true
	case "X-Request-Id":
		return "x-request-id", true
	}
	return "", false
}

// noHeader lets no metadata of a service become a header: what the public may know is
// in the body.
func noHeader(string) (string, bool) { return "", false }
