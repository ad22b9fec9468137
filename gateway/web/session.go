package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The cookies of the pages. __Host- ties a cookie to this very host and to TLS; where
// there is no TLS, on one's own machine, the name has to do without it.
const (
	sessionCookie = "onehall"
	stateCookie   = "onehall-login"
	hostPrefix    = "__Host-"
)

// OwnCookie reports a cookie that the pages set; the gateway lets no other through.
func OwnCookie(name string) bool {
	switch name {
	case sessionCookie, stateCookie, hostPrefix + sessionCookie, hostPrefix + stateCookie:
		return true
	}
	return false
}

const (
	// sessionFor is how long one stays signed in at the most.
	sessionFor = 8 * time.Hour
	// stateFor is how long signing in may take.
	stateFor = 10 * time.Minute
	// maxCookie is what browsers keep of one cookie, name and attributes included.
	maxCookie = 3900
)

// session is who is signed in. It lies in the cookie, sealed: the gateway keeps nothing,
// so any replica serves anybody.
type session struct {
	// ID is what forms are tied to.
	ID string
	// Access and Refresh are the issuer's tokens; Expires is when Access ends, Until when
	// the session does, both in seconds.
	Access, Refresh string
	Expires, Until  int64
}

// state is a sign-in on its way.
type state struct {
	State, Verifier, To string
	Until               int64
}

// cookies seals what the pages keep at the browser.
type cookies struct {
	box    cipher.AEAD
	key    []byte
	secure bool
}

func newCookies(secret []byte, secure bool) (cookies, error) {
	derive := func(use string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte("onehall-pages|" + use))
		return mac.Sum(nil)
	}
	block, err := aes.NewCipher(derive("cookie"))
	if err != nil {
		return cookies{}, fmt.Errorf("web: cookies: %w", err)
	}
	box, err := cipher.NewGCM(block)
	return cookies{box: box, key: derive("csrf"), secure: secure}, err
}

func (c cookies) name(name string) string {
	if c.secure {
		return hostPrefix + name
	}
	return name
}

var errTooLarge = errors.New("web: the issuer's tokens are too large for a cookie")

// set seals a value into a cookie. Scripts cannot read it; other sites' forms do not
// send it.
func (c cookies) set(w http.ResponseWriter, name string, value any, life time.Duration) error {
	plain, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("web: cookie: %w", err)
	}
	nonce := make([]byte, c.box.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return fmt.Errorf("web: cookie: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(c.box.Seal(nonce, nonce, plain, []byte(name)))
	if len(text) > maxCookie {
		return errTooLarge
	}
	http.SetCookie(w, c.cookie(name, text, int(life.Seconds())))
	return nil
}

func (c cookies) cookie(name, text string, age int) *http.Cookie {
	return &http.Cookie{Name: c.name(name), Value: text, Path: "/", MaxAge: age, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode}
}

func (c cookies) clear(w http.ResponseWriter, name string) { http.SetCookie(w, c.cookie(name, "", -1)) }

// get opens a cookie; false when there is none or it is not ours.
func (c cookies) get(r *http.Request, name string, into any) bool {
	cookie, err := r.Cookie(c.name(name))
	if err != nil || len(cookie.Value) > maxCookie {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(raw) < c.box.NonceSize() {
		return false
	}
	plain, err := c.box.Open(nil, raw[:c.box.NonceSize()], raw[c.box.NonceSize():], []byte(name))
	return err == nil && json.Unmarshal(plain, into) == nil
}

// formToken is what a form of the session carries, so that no other site can make one.
func (c cookies) formToken(s *session) string {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(s.ID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (c cookies) formTokenGood(s *session, token string) bool {
	return subtle.ConstantTimeCompare([]byte(c.formToken(s)), []byte(token)) == 1
}
