package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
)

// inspect refuses a request for what it is, whoever it is for.
func (c Config) inspect(r *http.Request) error {
	if !c.knownHost(r.Host) {
		return fault.Misdirected
	}
	for _, name := range []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"} {
		if len(r.Header[name]) > 0 {
			return fault.MethodOverrideForbidden
		}
	}
	if err := checkPath(r); err != nil {
		return err
	}
	return checkToken(r)
}

// knownHost compares the Host header with the configured names. It decides nothing
// else: no link of ours is built from it.
func (c Config) knownHost(host string) bool {
	if len(c.Hosts) == 0 {
		return true
	}
	name := host
	if h, port, ok := strings.Cut(host, ":"); ok && !strings.Contains(port, ":") {
		name = h
	}
	return slices.ContainsFunc(c.Hosts, func(h string) bool { return strings.EqualFold(h, name) || strings.EqualFold(h, host) })
}

// checkPath refuses every spelling of a path but the plain one. No path of ours needs an
// escape, so none is allowed: what two programs could read in two ways is never read.
func checkPath(r *http.Request) error {
	if strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%3a") {
		return fault.NotFound
	}
	path := r.URL.Path
	if len(path) > 1000 || r.URL.EscapedPath() != path || !strings.HasPrefix(path, "/") {
		return fault.BadPath
	}
	for i := range len(path) {
		switch c := path[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '/', c == '-', c == '_', c == '.', c == '~', c == ':':
		default:
			return fault.BadPath
		}
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		last := i == len(segments)-1
		if s == "" && !last || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") {
			return fault.BadPath
		}
		if n := strings.Count(s, ":"); n > 1 || n == 1 && !last {
			return fault.BadPath
		}
	}
	return nil
}

// maxToken is longer than any token of a sane issuer.
const maxToken = 8 << 10

// checkToken refuses a credential that is not exactly one bearer token in its one place.
// A token in the query would end in logs and histories, so it is not overlooked but
// refused.
func checkToken(r *http.Request) error {
	if r.URL.RawQuery != "" {
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return fault.BadPath.New(fault.Cause(err))
		}
		for name := range values {
			switch strings.ToLower(name) {
			case "access_token", "accesstoken", "token", "id_token", "authorization", "bearer", "jwt":
				return fault.Unauthenticated
			}
		}
	}
	headers := r.Header["Authorization"]
	if len(headers) == 0 {
		return nil
	}
	scheme, token, ok := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return fault.Unauthenticated
	}
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c > '~' || c == ',' {
			return fault.Unauthenticated
		}
	}
	return nil
}

// timeout is the deadline of a call: the caller's Grpc-Timeout within our bounds, or ours.
func (c Config) timeout(r *http.Request) (time.Duration, error) {
	headers := r.Header["Grpc-Timeout"]
	if len(headers) == 0 {
		return c.Timeout, nil
	}
	v := headers[0]
	if len(headers) > 1 || len(v) < 2 || len(v) > 9 {
		return 0, fault.BadTimeout
	}
	unit := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second,
		'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}[v[len(v)-1]]
	n, err := strconv.ParseUint(v[:len(v)-1], 10, 32)
	if unit == 0 || err != nil {
		return 0, fault.BadTimeout
	}
	// Eight digits of hours overflow a Duration; so many units are enough in any unit.
	if n > uint64(maxTimeout/unit) {
		return maxTimeout, nil
	}
	return max(minTimeout, time.Duration(n)*unit), nil
}

// secure sets the headers that every answer carries.
func (c Config) secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
	if c.tls() || c.HSTS {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}
