// Package restclient speaks to a hall as any public client does: JSON over HTTP
// with a bearer token of the issuer. The demonstration, the simulation, the
// benchmarks and the end-to-end tests see the hall through it alone.
package restclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Client is one caller of the hall; safe for concurrent use.
type Client struct {
	// Base is the gateway's address, as http://127.0.0.1:8080.
	Base string
	// HTTP carries the calls; http.DefaultClient when nil.
	HTTP *http.Client
	// Token gives the bearer token; nil calls as nobody.
	Token func(ctx context.Context) (string, error)
	// Language is sent as Accept-Language when set.
	Language string
}

// Error is the hall's refusal of a call.
type Error struct {
	Status          int               `json:"code"`
	Code            string            `json:"status"`
	Reason          string            `json:"reason"`
	Message         string            `json:"message"`
	FieldViolations []Violation       `json:"fieldViolations"`
	Metadata        map[string]string `json:"metadata"`
	RequestID       string            `json:"requestId"`
}

// Violation names a field that was refused and why.
type Violation struct {
	Field   string `json:"field"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("%d %s: %s", e.Status, e.Reason, e.Message)
	for _, v := range e.FieldViolations {
		s += fmt.Sprintf(" [%s: %s]", v.Field, v.Message)
	}
	return s
}

// Get reads path into out.
func (c *Client) Get(ctx context.Context, path string, out proto.Message) error {
	return c.Do(ctx, http.MethodGet, path, nil, out)
}

// Post sends in to path and reads the answer into out, which may be nil.
func (c *Client) Post(ctx context.Context, path string, in, out proto.Message) error {
	return c.Do(ctx, http.MethodPost, path, in, out)
}

// Do makes one call. A refusal comes back as *Error; anything else is a
// transport fault, after which the outcome of a write is not known.
func (c *Client) Do(ctx context.Context, method, path string, in, out proto.Message) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = protojson.Marshal(in); err != nil {
			return fmt.Errorf("encode %s: %w", path, err)
		}
	}
	status, answer, err := c.Raw(ctx, method, path, body)
	if err != nil {
		return err
	}
	if status/100 != 2 {
		return refusal(status, answer)
	}
	if out == nil {
		return nil
	}
	if err := (protojson.UnmarshalOptions{}).Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	return nil
}

func refusal(status int, answer []byte) error {
	var body struct {
		Error *Error `json:"error"`
	}
	if err := json.Unmarshal(answer, &body); err != nil || body.Error == nil {
		return &Error{Status: status, Message: strings.TrimSpace(string(answer))}
	}
	body.Error.Status = status
	return body.Error
}

// Raw sends bytes as they are and returns what came back.
func (c *Client) Raw(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, r)
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Language != "" {
		req.Header.Set("Accept-Language", c.Language)
	}
	if c.Token != nil {
		tok, err := c.Token(ctx)
		if err != nil {
			return 0, nil, err
		}
		req.Header.Set("Authorization", "Bearer "+tok)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// Pool returns an HTTP client for up to n concurrent callers.
func Pool(n int) *http.Client {
	return &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConns: n, MaxIdleConnsPerHost: n, MaxConnsPerHost: n, IdleConnTimeout: time.Minute},
	}
}

// Login returns a token source for a user of the built-in issuer. It asks again
// when now says that the token is about to end.
func Login(issuer, user, password string, now func() time.Time) func(context.Context) (string, error) {
	var (
		mu    sync.Mutex
		token string
		until time.Time
	)
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if token != "" && now().Before(until) {
			return token, nil
		}
		t, life, err := grant(ctx, issuer, user, password)
		if err != nil {
			return "", fmt.Errorf("sign in %s: %w", user, err)
		}
		token, until = t, now().Add(life*4/5)
		return token, nil
	}
}

func grant(ctx context.Context, issuer, user, password string) (string, time.Duration, error) {
	form := url.Values{
		"grant_type": {"password"}, "client_id": {"onehall-demo"}, "username": {user}, "password": {password}, "scope": {"openid"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
		Error       string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", 0, fmt.Errorf("issuer answered %s: %w", resp.Status, err)
	}
	if answer.AccessToken == "" {
		return "", 0, fmt.Errorf("issuer answered %s: %s", resp.Status, answer.Error)
	}
	return answer.AccessToken, time.Duration(answer.ExpiresIn) * time.Second, nil
}
