package authn_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

const callback = "http://127.0.0.1:1/callback"

// builtIn is the built-in issuer at a real address.
type builtIn struct {
	url     string
	clock   *clock.Virtual
	handler http.Handler
	client  *http.Client
	asked   atomic.Int64
	down    atomic.Bool
}

func newBuiltIn(t *testing.T, keyFile string) *builtIn {
	t.Helper()
	b := &builtIn{clock: clock.NewVirtual(start)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		if r.URL.Path == "/auth/token" {
			b.asked.Add(1)
		}
		b.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	b.url = srv.URL + "/auth"
	i, err := authn.NewIssuer(authn.IssuerConfig{
		URL: b.url, KeyFile: keyFile, Hint: "演示密码：onehall",
		Users: []authn.User{
			{Login: "li", Password: "onehall", Name: "李<雷>", Roles: []string{"applicant"}, IDType: "resident_id", IDNumber: "44010119900307001X"},
			{Login: "han", Password: "onehall", Name: "韩梅", Roles: []string{"window", "officer"}, Hall: "441300", Department: "d1", Posts: []string{"综窗"}},
		},
		Clients: []authn.Client{
			{ID: "web", RedirectURIs: []string{callback}},
			{ID: "svc", Secret: "s+cret/1", Roles: []string{"service"}},
		},
	}, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = i
	b.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

func (b *builtIn) verifier(t *testing.T) *authn.Verifier {
	t.Helper()
	v, err := authn.NewVerifier(authn.VerifierConfig{Issuer: b.url, IdentitySecret: secret}, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (b *builtIn) post(t *testing.T, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	resp, err := b.client.PostForm(b.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

type answer struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
	Life    int    `json:"expires_in"`
	Error   string `json:"error"`
}

func (b *builtIn) token(t *testing.T, form url.Values) (int, answer) {
	t.Helper()
	resp, body := b.post(t, "/token", form)
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return resp.StatusCode, a
}

func password(login, pass string) url.Values {
	return url.Values{"grant_type": {"password"}, "client_id": {"web"}, "username": {login}, "password": {pass}}
}

func TestPasswordGrant(t *testing.T) {
	b := newBuiltIn(t, "")
	v := b.verifier(t)
	_, a := b.token(t, password("han", "onehall"))
	p, err := v.Verify(t.Context(), a.Access)
	if err != nil {
		t.Fatal(err)
	}
	want := &authn.Principal{
		Subject: "user/han", Name: "韩梅", Roles: []optionsv1.Role{optionsv1.Role_ROLE_WINDOW, optionsv1.Role_ROLE_OFFICER},
		Hall: "441300", Department: "d1", Posts: []string{"综窗"}, Expires: start.Add(10 * time.Minute),
	}
	if diff := cmp.Diff(want, p, cmp.Transformer("utc", func(x time.Time) time.Time { return x.UTC() })); diff != "" {
		t.Error(diff)
	}
	_, a = b.token(t, password("li", "onehall"))
	if p, err = v.Verify(t.Context(), a.Access); err != nil || p.IdentityKey != v.IdentityKey("resident_id", "44010119900307001X") {
		t.Errorf("applicant: %+v, %v", p, err)
	}
}

func TestGrantsRefused(t *testing.T) {
	b := newBuiltIn(t, "")
	for _, tc := range []struct {
		name string
		form url.Values
		code int
		word string
	}{
		{"wrong password", password("han", "x"), 400, "invalid_grant"},
		{"unknown user", password("nobody", "onehall"), 400, "invalid_grant"},
		{"empty", password("", ""), 400, "invalid_grant"},
		{"unknown client", url.Values{"grant_type": {"password"}, "client_id": {"x"}}, 401, "invalid_client"},
		{"service without secret", url.Values{"grant_type": {"client_credentials"}, "client_id": {"svc"}}, 401, "invalid_client"},
		{"service with wrong secret", url.Values{"grant_type": {"client_credentials"}, "client_id": {"svc"}, "client_secret": {"x"}}, 401, "invalid_client"},
		{"public client as service", url.Values{"grant_type": {"client_credentials"}, "client_id": {"web"}}, 400, "unauthorized_client"},
		{"unknown grant", url.Values{"grant_type": {"magic"}, "client_id": {"web"}}, 400, "unsupported_grant_type"},
		{"unknown code", url.Values{"grant_type": {"authorization_code"}, "client_id": {"web"}, "code": {"x"}}, 400, "invalid_grant"},
		{"unknown refresh token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"web"}, "refresh_token": {"x"}}, 400, "invalid_grant"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if code, a := b.token(t, tc.form); code != tc.code || a.Error != tc.word || a.Access != "" {
				t.Errorf("got %d %+v", code, a)
			}
		})
	}
}

func TestGuessingIsSlowed(t *testing.T) {
	b := newBuiltIn(t, "")
	var refused bool
	for range 8 {
		code, _ := b.token(t, password("han", "guess"))
		refused = refused || code == http.StatusTooManyRequests
	}
	if !refused {
		t.Error("eight guesses in a row were all tried")
	}
	if code, _ := b.token(t, password("li", "onehall")); code != http.StatusOK {
		t.Errorf("another user suffers: %d", code)
	}
}

func authorize(verifier string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {callback}, "state": {"st"}, "nonce": {"no"},
		"scope": {"openid profile"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

func (b *builtIn) signIn(t *testing.T, verifier string) string {
	t.Helper()
	form := authorize(verifier)
	form.Set("login", "li")
	form.Set("password", "onehall")
	resp, body := b.post(t, "/authorize", form)
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.String(), callback) {
		t.Fatalf("sign in: %s %s", resp.Status, body)
	}
	if to.Query().Get("state") != "st" {
		t.Error("state is lost")
	}
	return to.Query().Get("code")
}

func exchange(code, verifier string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"web"}, "redirect_uri": {callback},
		"code": {code}, "code_verifier": {verifier},
	}
}

func TestCodeFlow(t *testing.T) {
	b := newBuiltIn(t, "")
	v := b.verifier(t)
	const verifier = "a-verifier-that-is-long-enough-for-the-standard"
	code := b.signIn(t, verifier)
	_, a := b.token(t, exchange(code, verifier))
	if p, err := v.Verify(t.Context(), a.Access); err != nil || p.Subject != "user/li" {
		t.Fatalf("access token: %+v, %v", p, err)
	}
	if _, err := v.Verify(t.Context(), a.ID); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("an identity token opened the door: %v", err)
	}
	if code, _ := b.token(t, exchange(code, verifier)); code != http.StatusBadRequest {
		t.Error("a code worked twice")
	}
	if status, _ := b.token(t, exchange(b.signIn(t, verifier), "another verifier")); status != http.StatusBadRequest {
		t.Error("a code worked without its verifier")
	}
	late := b.signIn(t, verifier)
	b.clock.Advance(2 * time.Minute)
	if status, _ := b.token(t, exchange(late, verifier)); status != http.StatusBadRequest {
		t.Error("an old code worked")
	}
}

// A refresh token works once. Used again, it ends the whole sign-in.
func TestRefreshRotation(t *testing.T) {
	b := newBuiltIn(t, "")
	_, first := b.token(t, password("han", "onehall"))
	refresh := func(tok string) (int, answer) {
		return b.token(t, url.Values{"grant_type": {"refresh_token"}, "client_id": {"web"}, "refresh_token": {tok}})
	}
	code, second := refresh(first.Refresh)
	if code != http.StatusOK || second.Access == "" || second.Refresh == first.Refresh {
		t.Fatalf("renewal: %d %+v", code, second)
	}
	if code, _ := refresh(first.Refresh); code != http.StatusBadRequest {
		t.Error("a refresh token worked twice")
	}
	if code, _ := refresh(second.Refresh); code != http.StatusBadRequest {
		t.Error("the family lives on after a token was used twice")
	}
	_, third := b.token(t, password("han", "onehall"))
	b.clock.Advance(9 * time.Hour)
	if code, _ := refresh(third.Refresh); code != http.StatusBadRequest {
		t.Error("a sign-in never ends")
	}
}

func TestLoginPage(t *testing.T) {
	b := newBuiltIn(t, "")
	get := func(q url.Values) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/authorize?"+q.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-Host", "evil.example")
		resp, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Header.Get("Location") != "" {
			t.Error("a page redirected")
		}
		return resp.StatusCode, string(body)
	}
	code, page := get(authorize("v"))
	for _, want := range []string{"李&lt;雷&gt;", "韩梅", `lang="zh-Hans"`, `for="login"`, `for="password"`, "演示密码：onehall", b.url + "/authorize"} {
		if code != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("page %d lacks %q", code, want)
		}
	}
	if strings.Contains(page, "evil.example") {
		t.Error("a forwarded host steers the page")
	}
	for name, change := range map[string][2]string{
		"foreign address": {"redirect_uri", "https://evil.example/"},
		"longer address":  {"redirect_uri", callback + "/x"},
		"unknown client":  {"client_id", "x"},
		"no PKCE":         {"code_challenge", ""},
		"plain PKCE":      {"code_challenge_method", "plain"},
		"implicit":        {"response_type", "token"},
	} {
		q := authorize("v")
		q.Set(change[0], change[1])
		if code, page := get(q); code != http.StatusBadRequest || strings.Contains(page, "<form") {
			t.Errorf("%s: %d", name, code)
		}
	}
}

// The key file keeps tokens good across a restart.
func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "issuer.pem")
	b := newBuiltIn(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v %v", info, err)
	}
	_, a := b.token(t, password("han", "onehall"))
	again, err := authn.NewIssuer(authn.IssuerConfig{URL: b.url, KeyFile: path}, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = again
	if _, err := b.verifier(t).Verify(t.Context(), a.Access); err != nil {
		t.Errorf("token from before the restart: %v", err)
	}
	if err := os.WriteFile(path, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := authn.NewIssuer(authn.IssuerConfig{URL: b.url, KeyFile: path}, b.clock); err == nil {
		t.Error("a broken key file was replaced")
	}
}

func TestIssuerConfig(t *testing.T) {
	user := authn.User{Login: "a", Password: "b"}
	for name, cfg := range map[string]authn.IssuerConfig{
		"relative URL": {URL: "/auth"},
		"slash":        {URL: "http://x/"},
		"twice":        {URL: "http://x", Users: []authn.User{user, user}},
		"no password":  {URL: "http://x", Users: []authn.User{{Login: "a"}}},
		"unknown role": {URL: "http://x", Users: []authn.User{{Login: "a", Password: "b", Roles: []string{"king"}}}},
		"client twice": {URL: "http://x", Clients: []authn.Client{{ID: "a"}, {ID: "a"}}},
	} {
		if _, err := authn.NewIssuer(cfg, clock.System()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTokenSource(t *testing.T) {
	b := newBuiltIn(t, "")
	v := b.verifier(t)
	src := authn.NewTokenSource(authn.ClientCredentials{Issuer: b.url, ID: "svc", Secret: "s+cret/1"}, b.clock)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := src.Token(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := b.asked.Load(); n != 1 {
		t.Errorf("20 callers asked the issuer %d times", n)
	}
	first, err := src.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Verify(t.Context(), first)
	if err != nil || p.Subject != "service/svc" || !p.Has(optionsv1.Role_ROLE_SERVICE) {
		t.Fatalf("%+v, %v", p, err)
	}
	b.clock.Advance(9 * time.Minute)
	b.down.Store(true)
	if tok, err := src.Token(t.Context()); err != nil || tok != first {
		t.Errorf("the old token is not used while the issuer is down: %v", err)
	}
	b.down.Store(false)
	if tok, err := src.Token(t.Context()); err != nil || tok == first {
		t.Errorf("not renewed: %v", err)
	}
	b.clock.Advance(time.Hour)
	b.down.Store(true)
	if _, err := src.Token(t.Context()); err == nil {
		t.Error("an ended token was given out")
	}
	bad := authn.NewTokenSource(authn.ClientCredentials{Issuer: b.url, ID: "svc", Secret: "wrong"}, b.clock)
	b.down.Store(false)
	if _, err := bad.Token(t.Context()); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("got %v", err)
	}
}

func TestFileTokenSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	src := authn.FileTokenSource(path)
	if _, err := src.Token(t.Context()); err == nil {
		t.Error("no file, yet a token")
	}
	for content, want := range map[string]string{"abc\n": "abc", " \n": ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := src.Token(t.Context()); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", content, got, err)
		}
	}
}
