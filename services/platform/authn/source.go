package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/onehall/onehall/services/platform/clock"
)

// TokenSource gives a service its own token. It is safe for concurrent use.
type TokenSource interface {
	// Token returns a token that is good for at least some seconds more.
	Token(ctx context.Context) (string, error)
}

// ClientCredentials says how a service gets its own token from the issuer.
type ClientCredentials struct {
	// Issuer is the issuer's URL; its token endpoint is found by discovery
	// unless TokenURL names it.
	Issuer, TokenURL string
	// ID and Secret are the service's account at the issuer.
	ID, Secret string
	// HTTP talks to the issuer; nil means a client with a time limit.
	HTTP *http.Client
}

// NewTokenSource returns a source that keeps a token until a fifth of its life
// is left. While the issuer is down, the old token is used to its end.
func NewTokenSource(cfg ClientCredentials, clk clock.Clock) TokenSource {
	if cfg.HTTP == nil {
		cfg.HTTP = newHTTPClient()
	}
	return &credentials{cfg: cfg, clock: clk, sem: make(chan struct{}, 1)}
}

type credentials struct {
	cfg   ClientCredentials
	clock clock.Clock
	// sem lets one caller at a time ask the issuer, and the others give up
	// waiting by their own deadlines, which a mutex would not.
	sem chan struct{}

	mu      sync.Mutex
	token   string
	renew   time.Time
	expires time.Time
}

// slack is how much life a token given out must have left, so that it does not
// end on its way.
const slack = 5 * time.Second

func (c *credentials) Token(ctx context.Context) (string, error) {
	if tok, fresh := c.current(); fresh {
		return tok, nil
	}
	select {
	case c.sem <- struct{}{}:
		defer func() { <-c.sem }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	tok, fresh := c.current()
	if fresh {
		return tok, nil
	}
	err := c.fetch(ctx)
	if err == nil {
		tok, _ = c.current()
		return tok, nil
	}
	if tok != "" {
		return tok, nil
	}
	return "", fmt.Errorf("authn: service token: %w", err)
}

// current returns the token if it can still be used, and whether it need not be
// renewed yet.
func (c *credentials) current() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if c.token == "" || !now.Before(c.expires.Add(-slack)) {
		return "", false
	}
	return c.token, now.Before(c.renew)
}

func (c *credentials) fetch(ctx context.Context) error {
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(c.cfg.ID), url.QueryEscape(c.cfg.Secret))
	var answer tokenAnswer
	// Its life began no earlier than it was asked for. Counted from the answer it would seem
	// good for as long as the answer took, or the clock was put forward meanwhile.
	asked := c.clock.Now()
	if err := c.do(req, &answer); err != nil {
		return err
	}
	if answer.AccessToken == "" || answer.ExpiresIn <= 0 {
		return errors.New("the issuer answered without a token or its life")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	life := time.Duration(answer.ExpiresIn) * time.Second
	c.token, c.renew, c.expires = answer.AccessToken, asked.Add(life*4/5), asked.Add(life)
	return nil
}

// endpoint asks the discovery document each time: it happens every few minutes
// and saves having to notice a change.
func (c *credentials) endpoint(ctx context.Context) (string, error) {
	if c.cfg.TokenURL != "" {
		return c.cfg.TokenURL, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.cfg.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return "", err
	}
	var doc struct {
		Issuer string `json:"issuer"`
		Token  string `json:"token_endpoint"`
	}
	if err := c.do(req, &doc); err != nil {
		return "", err
	}
	if doc.Issuer != c.cfg.Issuer || doc.Token == "" {
		return "", fmt.Errorf("discovery document is of %q and not of the configured issuer", doc.Issuer)
	}
	return doc.Token, nil
}

func (c *credentials) do(req *http.Request, into any) error {
	resp, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument))
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var refused oauthError
		// A body that is no OAuth error only leaves the word out.
		_ = json.Unmarshal(body, &refused)
		return fmt.Errorf("issuer answered %s %s", resp.Status, refused.Error)
	}
	return json.Unmarshal(body, into)
}

// FileTokenSource reads the token from a file that something else keeps fresh,
// as Kubernetes does with projected tokens. It looks at the file every time: a
// page-cached read costs less than being wrong about its age.
type FileTokenSource string

// Token implements TokenSource.
func (path FileTokenSource) Token(context.Context) (string, error) {
	raw, err := os.ReadFile(string(path))
	if err != nil {
		return "", fmt.Errorf("authn: service token: %w", err)
	}
	tok := strings.TrimSpace(string(raw))
	if tok == "" {
		return "", fmt.Errorf("authn: service token file %s is empty", path)
	}
	return tok, nil
}
