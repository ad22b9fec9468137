package authn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	// refetchAfter is how soon an unknown key id may cause another fetch: a
	// flood of forged tokens must not become a flood of requests to the issuer.
	refetchAfter = 10 * time.Second
	// retryAfter is the same after a fetch that failed.
	retryAfter  = time.Second
	maxDocument = 1 << 20
)

// newHTTPClient is what talks to the issuer: bounded in time, and blind to
// redirects, since an issuer that has moved is a change of configuration.
func newHTTPClient() *http.Client {
	return &http.Client{
		Timeout:       3 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type fetchKey struct{}

// fetchOutcome carries a failed key fetch past the library's flat errors.
type fetchOutcome struct{ err error }

// errFetch marks that keys could not be had.
var errFetch = errors.New("signing keys cannot be fetched")

// keySet is the issuer's key set, found on first use.
type keySet struct {
	cfg  VerifierConfig
	http *http.Client

	mu    sync.Mutex
	inner oidc.KeySet
}

func newKeySet(cfg VerifierConfig) *keySet {
	inner := cfg.HTTP.Transport
	if inner == nil {
		inner = http.DefaultTransport
	}
	client := *cfg.HTTP
	client.Transport = &calmTransport{next: inner, answers: map[string]*answer{}}
	return &keySet{cfg: cfg, http: &client}
}

// VerifySignature implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	set, err := k.set(ctx)
	if err == nil {
		var payload []byte
		if payload, err = set.VerifySignature(ctx, jwt); err == nil {
			return payload, nil
		}
	}
	if errors.Is(err, errFetch) || ctx.Err() != nil {
		if out, ok := ctx.Value(fetchKey{}).(*fetchOutcome); ok {
			out.err = err
		}
	}
	return nil, err
}

func (k *keySet) set(ctx context.Context) (oidc.KeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.inner != nil {
		return k.inner, nil
	}
	// The key set outlives the call that made it.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), k.http)
	url := k.cfg.JWKSURL
	if url == "" {
		provider, err := oidc.NewProvider(ctx, k.cfg.Issuer)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errFetch, err)
		}
		var doc struct {
			URL string `json:"jwks_uri"`
		}
		if err := provider.Claims(&doc); err != nil || doc.URL == "" {
			return nil, fmt.Errorf("%w: discovery document names no keys", errFetch)
		}
		url = doc.URL
	}
	k.inner = oidc.NewRemoteKeySet(ctx, url)
	return k.inner, nil
}

// calmTransport asks the issuer for the same document only so often, and gives
// every kind of failure the same mark.
type calmTransport struct {
	next http.RoundTripper

	mu      sync.Mutex
	answers map[string]*answer
}

type answer struct {
	body []byte
	err  error
	at   time.Time
}

// RoundTrip implements http.RoundTripper for GET requests without a body.
func (t *calmTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	url := req.URL.String()
	a := t.answers[url]
	if a == nil || time.Since(a.at) >= a.keep() {
		a = &answer{at: time.Now()}
		a.body, a.err = t.fetch(req)
		t.answers[url] = a
	}
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

func (a *answer) keep() time.Duration {
	if a.err != nil {
		return retryAfter
	}
	return refetchAfter
}

func (t *calmTransport) fetch(req *http.Request) ([]byte, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFetch, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument))
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errFetch, err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: %s answered %s", errFetch, req.URL.Host, resp.Status)
	case !json.Valid(body):
		return nil, fmt.Errorf("%w: %s answered no JSON", errFetch, req.URL.Host)
	}
	return body, nil
}
