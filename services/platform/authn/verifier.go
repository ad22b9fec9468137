package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	lru "github.com/hashicorp/golang-lru/v2"
	"google.golang.org/grpc/metadata"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

// Audience is the audience every access token of OneHall must name.
const Audience = "onehall"

const (
	// maxToken is the longest token looked at; parsing costs more than it is
	// worth beyond that.
	maxToken = 16 << 10
	// cacheFor bounds how long a withdrawn token may go on working.
	cacheFor = 60 * time.Second
	// leeway is how far a token's "not before" may lie ahead of our clock.
	leeway    = 30 * time.Second
	cacheSize = 8192
)

// algorithms are the signatures believed. No shared-secret algorithm is among
// them, or else a public key could be used as the secret.
var algorithms = []string{oidc.RS256, oidc.ES256, oidc.EdDSA}

// VerifierConfig says whose tokens are believed.
type VerifierConfig struct {
	// Issuer is the issuer's URL, exactly as in the tokens.
	Issuer string
	// JWKSURL is where its keys are; empty means: as its discovery document says.
	JWKSURL string
	// Audience replaces the default audience.
	Audience string
	// IdentitySecret is the key of IdentityKey.
	IdentitySecret []byte
	// HTTP fetches keys; nil means a client with a time limit.
	HTTP *http.Client
}

// Verifier checks bearer tokens.
type Verifier struct {
	cfg    VerifierConfig
	clock  clock.Clock
	tokens *oidc.IDTokenVerifier
	cache  *lru.Cache[[sha256.Size]byte, cached]
}

type cached struct {
	principal *Principal
	until     time.Time
}

// NewVerifier makes a Verifier. It asks the issuer nothing yet, so that
// services and issuer may start in any order.
func NewVerifier(cfg VerifierConfig, clk clock.Clock) (*Verifier, error) {
	if cfg.Issuer == "" {
		return nil, errors.New("authn: no issuer")
	}
	if len(cfg.IdentitySecret) < 16 {
		return nil, errors.New("authn: the identity secret must have at least 16 bytes")
	}
	if cfg.Audience == "" {
		cfg.Audience = Audience
	}
	if cfg.HTTP == nil {
		cfg.HTTP = newHTTPClient()
	}
	cache, err := lru.New[[sha256.Size]byte, cached](cacheSize)
	if err != nil {
		return nil, fmt.Errorf("authn: token cache: %w", err)
	}
	keys := newKeySet(cfg)
	return &Verifier{
		cfg: cfg, clock: clk, cache: cache,
		tokens: oidc.NewVerifier(cfg.Issuer, keys, &oidc.Config{
			ClientID: cfg.Audience, SupportedSigningAlgs: algorithms, Now: clk.Now,
		}),
	}, nil
}

// claims are the parts of a token that OneHall reads.
type claims struct {
	NotBefore  *float64 `json:"nbf"`
	Name       string   `json:"name"`
	Roles      []string `json:"roles"`
	Hall       string   `json:"hall"`
	Department string   `json:"department"`
	Posts      []string `json:"posts"`
	IDType     string   `json:"id_type"`
	IDNumber   string   `json:"id_number"`
}

// Verify checks one raw token. It returns fault.Unauthenticated for a token
// that is not good, fault.TokenExpired for one that was, and fault.Unavailable
// when the issuer's keys cannot be had, which is no statement on the token.
func (v *Verifier) Verify(ctx context.Context, raw string) (*Principal, error) {
	if raw == "" || len(raw) > maxToken {
		return nil, fault.Unauthenticated.New()
	}
	key := sha256.Sum256([]byte(raw))
	now := v.clock.Now()
	if hit, ok := v.cache.Get(key); ok && now.Before(hit.until) {
		return hit.principal, nil
	}
	p, err := v.verify(ctx, raw, now)
	if err != nil {
		return nil, err
	}
	until := now.Add(cacheFor)
	if p.Expires.Before(until) {
		until = p.Expires
	}
	v.cache.Add(key, cached{principal: p, until: until})
	return p, nil
}

func (v *Verifier) verify(ctx context.Context, raw string, now time.Time) (*Principal, error) {
	// The library flattens errors to text; what happened to the key fetch is
	// therefore told through the context.
	fetch := new(fetchOutcome)
	tok, err := v.tokens.Verify(context.WithValue(ctx, fetchKey{}, fetch), raw)
	var expired *oidc.TokenExpiredError
	switch {
	case err == nil:
	case fetch.err != nil:
		return nil, fault.Unavailable.New(fault.Cause(fetch.err), fault.RetryAfter(time.Second))
	case errors.As(err, &expired):
		return nil, fault.TokenExpired.New(fault.Cause(err))
	default:
		return nil, fault.Unauthenticated.New(fault.Cause(err))
	}
	var c claims
	if err := tok.Claims(&c); err != nil {
		return nil, fault.Unauthenticated.New(fault.Cause(err))
	}
	if c.NotBefore != nil && now.Add(leeway).Before(time.Unix(int64(*c.NotBefore), 0)) {
		return nil, fault.Unauthenticated.New(fault.Cause(errors.New("token not valid yet")))
	}
	if !now.Before(tok.Expiry) {
		return nil, fault.TokenExpired.New()
	}
	return v.principal(tok, c)
}

var division = regexp.MustCompile(`^[0-9]{6}$`)

func (v *Verifier) principal(tok *oidc.IDToken, c claims) (*Principal, error) {
	if tok.Subject == "" {
		return nil, fault.Unauthenticated.New(fault.Cause(errors.New("token without subject")))
	}
	if c.Hall != "" && !division.MatchString(c.Hall) {
		return nil, fault.Unauthenticated.New(fault.Cause(errors.New("token with a malformed hall")))
	}
	p := &Principal{
		Subject: tok.Subject, Name: c.Name, Hall: c.Hall, Department: c.Department, Posts: c.Posts,
		Expires: tok.Expiry,
	}
	// Roles of other systems may share the claim; they mean nothing here.
	for _, word := range c.Roles {
		if role, ok := ParseRole(word); ok && !p.Has(role) {
			p.Roles = append(p.Roles, role)
		}
	}
	if c.IDType == IDTypeResident || c.IDType == IDTypeUSCC {
		p.IdentityKey = IdentityKey(v.cfg.IdentitySecret, c.IDType, c.IDNumber)
	}
	return p, nil
}

// IdentityKey makes the key of an identity number with the verifier's secret,
// so that services compare owners without knowing the secret.
func (v *Verifier) IdentityKey(idType, number string) string {
	return IdentityKey(v.cfg.IdentitySecret, idType, number)
}

// Bearer takes the one bearer token out of a call's metadata; "" when there is
// none. Two authorization headers are refused: which one a proxy believed is
// anybody's guess.
func Bearer(md metadata.MD) (string, error) {
	values := md.Get("authorization")
	switch len(values) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", fault.Unauthenticated.New(fault.Cause(errors.New("more than one authorization header")))
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " ,\t") {
		return "", fault.Unauthenticated.New(fault.Cause(errors.New("authorization is not one bearer token")))
	}
	return token, nil
}
