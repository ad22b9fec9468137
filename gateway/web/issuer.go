package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/onehall/onehall/services/platform/fault"
)

// issuer is the identity provider as the pages see it: the code flow with PKCE, as a
// public client.
type issuer struct {
	url, clientID, redirect string
	http                    *http.Client

	mu    sync.Mutex
	found *endpoints
	// renewed are answers to refresh tokens used a moment ago. A token may be used once
	// only, but a browser that opens two pages at once sends the same one twice.
	renewed *lru.Cache[string, *renewal]
}

type endpoints struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Life    int64  `json:"expires_in"`
}

type renewal struct {
	once sync.Once
	got  tokens
	err  error
}

func newIssuer(address, clientID, public string) *issuer {
	renewed, _ := lru.New[string, *renewal](1000) // its only error is a size below one
	return &issuer{
		url: strings.TrimSuffix(address, "/"), clientID: clientID, redirect: public + "/login/done",
		http: &http.Client{Timeout: 5 * time.Second}, renewed: renewed,
	}
}

// endpoints asks the issuer once; while it is away, the next page asks again.
func (i *issuer) endpoints(ctx context.Context) (*endpoints, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.found != nil {
		return i.found, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, err
	}
	var e endpoints
	if _, err := i.ask(req, &e); err != nil {
		return nil, err
	}
	if strings.TrimSuffix(e.Issuer, "/") != i.url || e.Authorization == "" || e.Token == "" {
		return nil, errors.New("web: the issuer describes another one")
	}
	i.found = &e
	return i.found, nil
}

// ask makes a call and reads its answer, of a bounded size.
func (i *issuer) ask(req *http.Request, into any) (code int, err error) {
	res, err := i.http.Do(req)
	if err != nil {
		return 0, fault.Unavailable.New(fault.Cause(err))
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return res.StatusCode, fault.Unavailable.New(fault.Cause(err))
	}
	if res.StatusCode != http.StatusOK {
		return res.StatusCode, fault.Unauthenticated.New(fault.Cause(fmt.Errorf("web: the issuer answers %d", res.StatusCode)))
	}
	return res.StatusCode, json.Unmarshal(raw, into)
}

// authorize is where the browser is sent to sign in.
func (i *issuer) authorize(ctx context.Context, st state) (string, error) {
	e, err := i.endpoints(ctx)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(e.Authorization)
	if err != nil {
		return "", fmt.Errorf("web: issuer: %w", err)
	}
	sum := sha256.Sum256([]byte(st.Verifier))
	q := to.Query()
	for key, value := range map[string]string{
		"response_type": "code", "client_id": i.clientID, "redirect_uri": i.redirect, "scope": "openid", "state": st.State,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
	} {
		q.Set(key, value)
	}
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// exchange turns the code that the browser brings back into tokens.
func (i *issuer) exchange(ctx context.Context, code, verifier string) (tokens, error) {
	return i.token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {i.redirect}, "code_verifier": {verifier}})
}

// renew gets new tokens, once for each refresh token however often it is asked.
func (i *issuer) renew(ctx context.Context, refresh string) (tokens, error) {
	i.mu.Lock()
	r, known := i.renewed.Get(refresh)
	if !known {
		r = &renewal{}
		i.renewed.Add(refresh, r)
	}
	i.mu.Unlock()
	r.once.Do(func() {
		// The one who asks may leave; the others wait for the answer all the same.
		r.got, r.err = i.token(context.WithoutCancel(ctx), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	})
	return r.got, r.err
}

func (i *issuer) token(ctx context.Context, form url.Values) (tokens, error) {
	e, err := i.endpoints(ctx)
	if err != nil {
		return tokens{}, err
	}
	form.Set("client_id", i.clientID)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var t tokens
	if _, err := i.ask(req, &t); err != nil {
		return tokens{}, err
	}
	if t.Access == "" {
		return tokens{}, errors.New("web: the issuer gave no token")
	}
	return t, nil
}

// word is 256 bits that nobody guesses.
func word() string {
	var b [32]byte
	// crypto/rand.Read never returns an error; it stops the program instead.
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
