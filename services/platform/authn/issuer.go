package authn

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/onehall/onehall/services/platform/clock"
)

// User is a person the built-in issuer knows. It is for demonstrations: a real
// deployment has an identity provider and no user list.
type User struct {
	Login      string   `koanf:"login"`
	Password   string   `koanf:"password"`
	Name       string   `koanf:"name"`
	Roles      []string `koanf:"roles"`
	Hall       string   `koanf:"hall"`
	Department string   `koanf:"department"`
	Posts      []string `koanf:"posts"`
	IDType     string   `koanf:"id_type"`
	IDNumber   string   `koanf:"id_number"`
}

// Client is a program the built-in issuer knows. One with a secret gets tokens
// of its own; one with redirect addresses may sign people in.
type Client struct {
	ID           string   `koanf:"id"`
	Secret       string   `koanf:"secret"`
	Roles        []string `koanf:"roles"`
	RedirectURIs []string `koanf:"redirect_uris"`
}

// IssuerConfig is all the built-in issuer needs.
type IssuerConfig struct {
	// URL is the issuer's own URL. Every address it gives out is built from
	// this and never from a request's headers.
	URL string
	// KeyFile keeps the signing key across restarts; empty makes a new one.
	KeyFile string
	// Users and Clients are whom it knows.
	Users   []User
	Clients []Client
	// Hint is shown on the login page, for instance the demo password.
	Hint string
	// Log receives sign-ins; may be nil.
	Log *slog.Logger
}

const (
	userTokenFor    = 10 * time.Minute
	serviceTokenFor = 10 * time.Minute
	sessionFor      = 8 * time.Hour
	codeFor         = time.Minute
)

// Issuer is a small OpenID Connect provider for development and demonstrations.
type Issuer struct {
	cfg     IssuerConfig
	clock   clock.Clock
	log     *slog.Logger
	signer  jose.Signer
	public  jose.JSONWebKey
	users   map[string]User
	clients map[string]Client
	grants  *grants
	tries   *tries
	mux     *http.ServeMux
}

// NewIssuer checks the configuration and makes or loads the signing key.
func NewIssuer(cfg IssuerConfig, clk clock.Clock) (*Issuer, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || strings.HasSuffix(cfg.URL, "/") {
		return nil, fmt.Errorf("authn: issuer URL %q must be absolute and without a final slash", cfg.URL)
	}
	key, err := loadKey(cfg.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("authn: signing key: %w", err)
	}
	i := &Issuer{
		cfg: cfg, clock: clk, log: cfg.Log, users: map[string]User{}, clients: map[string]Client{},
		grants: newGrants(clk), tries: newTries(), mux: http.NewServeMux(),
	}
	if i.log == nil {
		i.log = slog.New(slog.DiscardHandler)
	}
	if err := i.setKey(key); err != nil {
		return nil, err
	}
	if err := i.setPeople(cfg); err != nil {
		return nil, err
	}
	i.route(base.Path)
	return i, nil
}

func (i *Issuer) setKey(key *ecdsa.PrivateKey) error {
	public := jose.JSONWebKey{Key: key.Public(), Algorithm: string(jose.ES256), Use: "sig"}
	thumb, err := public.Thumbprint(thumbHash)
	if err != nil {
		return fmt.Errorf("authn: signing key: %w", err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumb)
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: public.KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return fmt.Errorf("authn: signer: %w", err)
	}
	i.public, i.signer = public, signer
	return nil
}

func (i *Issuer) setPeople(cfg IssuerConfig) error {
	for _, u := range cfg.Users {
		if u.Login == "" || u.Password == "" || i.users[u.Login].Login != "" {
			return fmt.Errorf("authn: user %q needs a unique login and a password", u.Login)
		}
		for _, r := range u.Roles {
			if _, ok := ParseRole(r); !ok {
				return fmt.Errorf("authn: user %q has the unknown role %q", u.Login, r)
			}
		}
		i.users[u.Login] = u
	}
	for _, c := range cfg.Clients {
		if c.ID == "" || i.clients[c.ID].ID != "" {
			return fmt.Errorf("authn: client %q needs a unique id", c.ID)
		}
		i.clients[c.ID] = c
	}
	return nil
}

// route serves below the path of the issuer's URL, so that the handler can be
// mounted at the root or beside other pages without rewriting paths.
func (i *Issuer) route(base string) {
	i.mux.HandleFunc("GET "+base+"/.well-known/openid-configuration", i.discovery)
	i.mux.HandleFunc("GET "+base+"/keys", i.keys)
	i.mux.HandleFunc("POST "+base+"/token", i.token)
	i.mux.HandleFunc("GET "+base+"/authorize", i.loginPage)
	i.mux.HandleFunc("POST "+base+"/authorize", i.login)
}

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	i.mux.ServeHTTP(w, r)
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	i.json(w, http.StatusOK, map[string]any{
		"issuer":                                i.cfg.URL,
		"authorization_endpoint":                i.cfg.URL + "/authorize",
		"token_endpoint":                        i.cfg.URL + "/token",
		"jwks_uri":                              i.cfg.URL + "/keys",
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials", "password"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	i.json(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.public}})
}

func (i *Issuer) json(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		// The client has gone; there is nobody left to tell but the log.
		i.log.Warn("issuer answer not written", "error", err)
	}
}

// sign makes one JWT that runs from now for the given time.
func (i *Issuer) sign(audience, subject string, life time.Duration, more map[string]any) (string, error) {
	now := i.clock.Now()
	all := map[string]any{
		"iss": i.cfg.URL, "aud": audience, "sub": subject, "jti": uuid.NewString(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(),
	}
	for k, v := range more {
		all[k] = v
	}
	body, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("authn: encode claims: %w", err)
	}
	jws, err := i.signer.Sign(body)
	if err != nil {
		return "", fmt.Errorf("authn: sign: %w", err)
	}
	return jws.CompactSerialize()
}

func userClaims(u User) map[string]any {
	m := map[string]any{"name": u.Name, "roles": u.Roles}
	for k, v := range map[string]string{"hall": u.Hall, "department": u.Department, "id_type": u.IDType, "id_number": u.IDNumber} {
		if v != "" {
			m[k] = v
		}
	}
	if len(u.Posts) > 0 {
		m["posts"] = u.Posts
	}
	return m
}

// secretEqual compares in a time that tells nothing about either text.
func secretEqual(a, b string) bool {
	ha, hb := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(ha[:], hb[:]) == 1
}

var errBadLogin = errors.New("login or password is wrong")

// checkPassword finds the user; every user has only a few tries a minute.
func (i *Issuer) checkPassword(login, password string) (User, error) {
	if !i.tries.allow(login) {
		return User{}, errTooMany
	}
	u := i.users[login]
	// An unknown login takes the same path, with a password nobody can type.
	want := u.Password
	if u.Login == "" {
		want = uuid.NewString()
	}
	if !secretEqual(want, password) {
		return User{}, errBadLogin
	}
	return u, nil
}
