package authn_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/metadata"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

var (
	start  = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
)

// issuer is a key server whose keys and moods the tests control.
type issuer struct {
	*httptest.Server
	rsa     *rsa.PrivateKey
	ec      *ecdsa.PrivateKey
	ed      ed25519.PrivateKey
	broken  atomic.Bool
	fetches atomic.Int64
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	var err1, err2, err3 error
	i.rsa, err1 = rsa.GenerateKey(rand.Reader, 2048)
	i.ec, err2 = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, i.ed, err3 = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.fetches.Add(1)
		i.answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: i.rsa.Public(), KeyID: "rsa", Algorithm: "RS256"},
			{Key: i.ec.Public(), KeyID: "ec", Algorithm: "ES256"},
			{Key: i.ed.Public(), KeyID: "ed", Algorithm: "EdDSA"},
		}})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) answer(w http.ResponseWriter, v any) {
	if i.broken.Load() {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

type claims map[string]any

// good are claims that must be let in at the time start.
func (i *issuer) good() claims {
	return claims{
		"iss": i.URL, "aud": "onehall", "sub": "u1", "name": "王芳", "roles": []string{"window", "somewhere-else", "window"},
		"hall": "441300", "department": "d1", "posts": []string{"首席"}, "id_type": "resident_id", "id_number": "44010119900307 001x",
		"iat": start.Unix(), "nbf": start.Unix(), "exp": start.Add(10 * time.Minute).Unix(),
	}
}

func (c claims) with(key string, v any) claims {
	out := claims{}
	for k, old := range c {
		out[k] = old
	}
	if v == nil {
		delete(out, key)
	} else {
		out[key] = v
	}
	return out
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, c claims) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (i *issuer) verifier(t *testing.T, clk clock.Clock) *authn.Verifier {
	t.Helper()
	v, err := authn.NewVerifier(authn.VerifierConfig{Issuer: i.URL, IdentitySecret: secret}, clk)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func none(t *testing.T, c claims) string {
	t.Helper()
	body, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + enc(body) + "."
}

func publicDER(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestTokenMatrix(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t, clock.NewVirtual(start))
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	es := func(c claims) string { return sign(t, jose.ES256, i.ec, "ec", c) }
	good := es(i.good())
	for _, tc := range []struct {
		name string
		raw  string
		want *fault.Reason
	}{
		{"ES256", good, nil},
		{"RS256", sign(t, jose.RS256, i.rsa, "rsa", i.good()), nil},
		{"EdDSA", sign(t, jose.EdDSA, i.ed, "ed", i.good()), nil},
		{"one of several audiences", es(i.good().with("aud", []string{"x", "onehall"})), nil},
		{"not before within leeway", es(i.good().with("nbf", start.Add(20*time.Second).Unix())), nil},
		{"empty", "", fault.Unauthenticated},
		{"expired", es(i.good().with("exp", start.Add(-time.Second).Unix())), fault.TokenExpired},
		{"expires now", es(i.good().with("exp", start.Unix())), fault.TokenExpired},
		{"without expiry", es(i.good().with("exp", nil)), fault.TokenExpired},
		{"not yet valid", es(i.good().with("nbf", start.Add(2*time.Minute).Unix())), fault.Unauthenticated},
		{"wrong audience", es(i.good().with("aud", "other")), fault.Unauthenticated},
		{"wrong issuer", es(i.good().with("iss", "https://elsewhere.example")), fault.Unauthenticated},
		{"without subject", es(i.good().with("sub", nil)), fault.Unauthenticated},
		{"malformed hall", es(i.good().with("hall", "441300/../x")), fault.Unauthenticated},
		{"roles of another type", es(i.good().with("roles", "window")), fault.Unauthenticated},
		{"alg none", none(t, i.good()), fault.Unauthenticated},
		{"HS256 with the public key", sign(t, jose.HS256, publicDER(t, i.rsa.Public()), "rsa", i.good()), fault.Unauthenticated},
		{"PS256 not allowed", sign(t, jose.PS256, i.rsa, "rsa", i.good()), fault.Unauthenticated},
		{"unknown kid", sign(t, jose.ES256, stranger, "who", i.good()), fault.Unauthenticated},
		{"known kid, other key", sign(t, jose.ES256, stranger, "ec", i.good()), fault.Unauthenticated},
		{"no signature", good[:strings.LastIndexByte(good, '.')+1], fault.Unauthenticated},
		{"truncated", good[:len(good)-4], fault.Unauthenticated},
		{"one part", "abc", fault.Unauthenticated},
		{"100 KiB", es(i.good().with("name", strings.Repeat("x", 100<<10))), fault.Unauthenticated},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := v.Verify(t.Context(), tc.raw)
			if tc.want == nil && err != nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
	// However many forged key ids came, the issuer was asked once.
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d key fetches, want 1", n)
	}
}

func TestPrincipal(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t, clock.NewVirtual(start))
	got, err := v.Verify(t.Context(), sign(t, jose.ES256, i.ec, "ec", i.good()))
	if err != nil {
		t.Fatal(err)
	}
	want := &authn.Principal{
		Subject: "u1", Name: "王芳", Roles: []optionsv1.Role{optionsv1.Role_ROLE_WINDOW},
		Hall: "441300", Department: "d1", Posts: []string{"首席"},
		IdentityKey: v.IdentityKey("resident_id", "44010119900307001X"), Expires: start.Add(10 * time.Minute),
	}
	if diff := cmp.Diff(want, got, cmp.Transformer("utc", func(x time.Time) time.Time { return x.UTC() })); diff != "" {
		t.Error(diff)
	}
}

// A token that was good is believed from memory for at most a minute, and never
// past its end.
func TestCache(t *testing.T) {
	i := newIssuer(t)
	clk := clock.NewVirtual(start)
	v := i.verifier(t, clk)
	long := sign(t, jose.ES256, i.ec, "ec", i.good())
	short := sign(t, jose.ES256, i.ec, "ec", i.good().with("exp", start.Add(30*time.Second).Unix()))
	for _, raw := range []string{long, short} {
		if _, err := v.Verify(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	clk.Advance(31 * time.Second)
	if _, err := v.Verify(t.Context(), short); !errors.Is(err, fault.TokenExpired) {
		t.Errorf("ended token: %v", err)
	}
	if _, err := v.Verify(t.Context(), long); err != nil {
		t.Errorf("cached token: %v", err)
	}
	clk.Advance(10 * time.Minute)
	if _, err := v.Verify(t.Context(), long); !errors.Is(err, fault.TokenExpired) {
		t.Errorf("ended token: %v", err)
	}
}

// Keys that cannot be fetched say nothing about the token.
func TestIssuerDown(t *testing.T) {
	i := newIssuer(t)
	i.broken.Store(true)
	v := i.verifier(t, clock.NewVirtual(start))
	raw := sign(t, jose.ES256, i.ec, "ec", i.good())
	if _, err := v.Verify(t.Context(), raw); !errors.Is(err, fault.Unavailable) {
		t.Fatalf("got %v, want Unavailable", err)
	}
	i.broken.Store(false)
	// A failed fetch is not repeated within a second.
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, err := v.Verify(t.Context(), raw)
		if err == nil {
			break
		}
		if !errors.Is(err, fault.Unavailable) || time.Now().After(end) {
			t.Fatalf("after the issuer came back: %v", err)
		}
	}
	// Once fetched, keys outlive the issuer.
	i.broken.Store(true)
	if _, err := v.Verify(t.Context(), sign(t, jose.RS256, i.rsa, "rsa", i.good())); err != nil {
		t.Fatal(err)
	}
}

func TestBearer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []string
		want   string
		bad    bool
	}{
		{"none", nil, "", false},
		{"one", []string{"Bearer abc"}, "abc", false},
		{"any case", []string{"bearer abc"}, "abc", false},
		{"two headers", []string{"Bearer abc", "Bearer abc"}, "", true},
		{"two in one", []string{"Bearer abc, Bearer def"}, "", true},
		{"basic", []string{"Basic abc"}, "", true},
		{"empty token", []string{"Bearer "}, "", true},
		{"no scheme", []string{"abc"}, "", true},
		{"inner blank", []string{"Bearer a b"}, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := authn.Bearer(metadata.MD{"authorization": tc.values})
			if tc.bad != errors.Is(err, fault.Unauthenticated) || got != tc.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestVerifierRefusesWeakConfig(t *testing.T) {
	for _, cfg := range []authn.VerifierConfig{
		{IdentitySecret: secret},
		{Issuer: "https://x", IdentitySecret: []byte("short")},
	} {
		if _, err := authn.NewVerifier(cfg, clock.System()); err == nil {
			t.Errorf("accepted %+v", cfg.Issuer)
		}
	}
}
