package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/fault"
)

// corsHeaders are what a page of an allowed origin may send.
var corsHeaders = []string{"accept-language", "authorization", "content-type", "grpc-timeout", "last-event-id", "traceparent", "x-request-id"}

// originKnown says whether pages of the origin may call us: our own, or a listed one.
func (c Config) originKnown(origin string, r *http.Request) (own, known bool) {
	// A proxy may end TLS without telling us; a plain page is ours only where no TLS is.
	if origin == "https://"+r.Host || origin == "http://"+r.Host && !c.tls() && !c.HSTS {
		return true, true
	}
	return false, slices.Contains(c.AllowedOrigins, origin)
}

// cors answers preflights and judges origins. An unknown origin gets no allowing header,
// and is refused what could change anything: a browser would send that before asking.
func (c Config) cors(w http.ResponseWriter, r *http.Request) (answered bool, err error) {
	origins := r.Header["Origin"]
	preflight := r.Method == http.MethodOptions && len(r.Header["Access-Control-Request-Method"]) > 0
	if len(origins) == 0 {
		return false, nil
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	own, known := c.originKnown(origins[0], r)
	if len(origins) > 1 || !known {
		if preflight || r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions {
			return false, fault.OriginForbidden
		}
		return false, nil
	}
	if own {
		return false, nil
	}
	if preflight {
		if !headersAllowed(r.Header.Get("Access-Control-Request-Headers")) {
			return false, fault.OriginForbidden
		}
		h.Set("Access-Control-Allow-Methods", "GET, POST, PATCH")
		h.Set("Access-Control-Allow-Headers", strings.Join(corsHeaders, ", "))
		h.Set("Access-Control-Max-Age", "600")
	}
	h.Set("Access-Control-Allow-Origin", origins[0])
	h.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if preflight {
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight, nil
}

func headersAllowed(list string) bool {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "" && !slices.Contains(corsHeaders, name) {
			return false
		}
	}
	return true
}
