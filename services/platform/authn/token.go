package authn

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// oauthError is the body of a refusal (RFC 6749, 5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	IDToken      string `json:"id_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// token is POST /token.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		i.json(w, http.StatusBadRequest, oauthError{Error: "invalid_request"})
		return
	}
	client, ok := i.client(r)
	if !ok {
		i.json(w, http.StatusUnauthorized, oauthError{Error: "invalid_client"})
		return
	}
	var answer *tokenAnswer
	var err error
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		answer, err = i.forService(client)
	case "password":
		answer, err = i.forPassword(r, client)
	case "authorization_code":
		answer, err = i.forCode(r, client)
	case "refresh_token":
		answer, err = i.forRefresh(r, client)
	default:
		i.json(w, http.StatusBadRequest, oauthError{Error: "unsupported_grant_type"})
		return
	}
	switch {
	case err == nil:
		i.json(w, http.StatusOK, answer)
	case errors.Is(err, errTooMany):
		w.Header().Set("Retry-After", "3")
		i.json(w, http.StatusTooManyRequests, oauthError{Error: "slow_down"})
	case errors.Is(err, errGrant), errors.Is(err, errBadLogin):
		i.json(w, http.StatusBadRequest, oauthError{Error: "invalid_grant", Description: err.Error()})
	case errors.Is(err, errClient):
		i.json(w, http.StatusBadRequest, oauthError{Error: "unauthorized_client"})
	default:
		i.log.Error("issuer cannot sign", "error", err)
		i.json(w, http.StatusInternalServerError, oauthError{Error: "server_error"})
	}
}

var (
	errGrant  = errors.New("the grant is not valid")
	errClient = errors.New("the client may not do this")
)

// client authenticates the calling program, by basic authentication or by the
// form. A client without a secret is public and proves nothing by being named.
func (i *Issuer) client(r *http.Request) (Client, bool) {
	id, secret, basic := r.BasicAuth()
	if basic {
		var err1, err2 error
		id, err1 = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if err1 != nil || err2 != nil {
			return Client{}, false
		}
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	c, ok := i.clients[id]
	if !ok || !secretEqual(c.Secret, secret) {
		return Client{}, false
	}
	return c, true
}

func (i *Issuer) forService(c Client) (*tokenAnswer, error) {
	if c.Secret == "" || len(c.Roles) == 0 {
		return nil, errClient
	}
	tok, err := i.sign(Audience, "service/"+c.ID, serviceTokenFor, map[string]any{"name": c.ID, "roles": c.Roles})
	if err != nil {
		return nil, err
	}
	return &tokenAnswer{AccessToken: tok, TokenType: "Bearer", ExpiresIn: int(serviceTokenFor.Seconds())}, nil
}

func (i *Issuer) forPassword(r *http.Request, c Client) (*tokenAnswer, error) {
	u, err := i.checkPassword(r.PostForm.Get("username"), r.PostForm.Get("password"))
	if err != nil {
		return nil, err
	}
	return i.forUser(u, grant{client: c.ID, openid: hasScope(r.PostForm.Get("scope"), "openid")})
}

// forCode ends a sign-in by the login page. PKCE ties the code to whoever asked
// for it: a code seen in a browser's history is worth nothing.
func (i *Issuer) forCode(r *http.Request, c Client) (*tokenAnswer, error) {
	gr, ok := i.grants.take(kindCode, r.PostForm.Get("code"))
	if !ok || gr.client != c.ID || gr.redirect != r.PostForm.Get("redirect_uri") {
		return nil, errGrant
	}
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !secretEqual(gr.challenge, base64.RawURLEncoding.EncodeToString(sum[:])) {
		return nil, errGrant
	}
	return i.forUser(i.users[gr.login], gr)
}

func (i *Issuer) forRefresh(r *http.Request, c Client) (*tokenAnswer, error) {
	gr, ok := i.grants.take(kindRefresh, r.PostForm.Get("refresh_token"))
	if !ok || gr.client != c.ID {
		return nil, errGrant
	}
	gr.nonce = ""
	return i.forUser(i.users[gr.login], gr)
}

// forUser gives a person's tokens. The refresh token keeps the end of the first
// sign-in: renewing does not prolong it for ever.
func (i *Issuer) forUser(u User, gr grant) (*tokenAnswer, error) {
	subject := "user/" + u.Login
	access, err := i.sign(Audience, subject, userTokenFor, userClaims(u))
	if err != nil {
		return nil, err
	}
	answer := &tokenAnswer{AccessToken: access, TokenType: "Bearer", ExpiresIn: int(userTokenFor.Seconds())}
	if gr.openid {
		more := map[string]any{"name": u.Name}
		if gr.nonce != "" {
			more["nonce"] = gr.nonce
		}
		// Its audience is the client, so it is of no use as an access token.
		if answer.IDToken, err = i.sign(gr.client, subject, userTokenFor, more); err != nil {
			return nil, err
		}
	}
	next := grant{kind: kindRefresh, client: gr.client, login: u.Login, openid: gr.openid, family: gr.family}
	if gr.kind == kindRefresh {
		next.expires = gr.expires
	}
	answer.RefreshToken = i.grants.put(next, sessionFor)
	return answer, nil
}

func hasScope(scopes, want string) bool {
	for s := range strings.FieldsSeq(scopes) {
		if s == want {
			return true
		}
	}
	return false
}
