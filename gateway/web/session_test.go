package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func jar(t *testing.T, secret string, secure bool) cookies {
	t.Helper()
	c, err := newCookies([]byte(secret), secure)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sent is a request with the cookies that an answer set.
func sent(w *httptest.ResponseRecorder) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/my", nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

func TestCookies(t *testing.T) {
	for _, secure := range []bool{false, true} {
		c := jar(t, "a secret of the tests", secure)
		w := httptest.NewRecorder()
		if err := c.set(w, sessionCookie, session{ID: "one", Access: "token"}, time.Hour); err != nil {
			t.Fatal(err)
		}
		header := w.Header().Get("Set-Cookie")
		for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(header, want) {
				t.Errorf("%s lacks %s", header, want)
			}
		}
		if strings.Contains(header, "Secure") != secure || strings.HasPrefix(header, "__Host-") != secure || strings.Contains(header, "token") {
			t.Errorf("secure %v: %s", secure, header)
		}
		var got session
		if !c.get(sent(w), sessionCookie, &got) || got.ID != "one" {
			t.Errorf("reads %+v", got)
		}
		if !OwnCookie(c.name(sessionCookie)) || !OwnCookie(c.name(stateCookie)) || OwnCookie("other") {
			t.Error("the gateway would keep the cookie")
		}
		var st state
		if jar(t, "another secret", secure).get(sent(w), sessionCookie, &got) || c.get(sent(w), stateCookie, &st) {
			t.Error("opens with another secret, or as another cookie")
		}
		// As the other cookie by name, with what was sealed for this one.
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		value := w.Result().Cookies()[0].Value
		r.AddCookie(&http.Cookie{Name: c.name(stateCookie), Value: value})
		r.AddCookie(&http.Cookie{Name: c.name(sessionCookie), Value: value[:len(value)-4] + "AAAA"})
		if c.get(r, stateCookie, &st) || c.get(r, sessionCookie, &got) {
			t.Error("a moved or changed cookie opens")
		}
	}
	c := jar(t, "a secret of the tests", false)
	if err := c.set(httptest.NewRecorder(), sessionCookie, session{Access: strings.Repeat("x", maxCookie)}, time.Hour); !errors.Is(err, errTooLarge) {
		t.Errorf("too large: %v", err)
	}
	one, two := &session{ID: "one"}, &session{ID: "two"}
	if !c.formTokenGood(one, c.formToken(one)) || c.formTokenGood(two, c.formToken(one)) || c.formTokenGood(one, "") {
		t.Error("a form's token is not its session's")
	}
}

func TestLocal(t *testing.T) {
	for to, want := range map[string]string{
		"/my": "/my", "/apply/441300/X?draft=1": "/apply/441300/X?draft=1", "": "/my", "https://evil.example/": "/my", "//evil.example": "/my",
		"/\\evil.example": "/my", "javascript:alert(1)": "/my", "evil.example": "/my", "/ok\r\nSet-Cookie: a=b": "/my",
	} {
		if got := local(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}

// TestRenewOnce uses a refresh token once, however many pages ask at the same moment: a
// second use would end the sign-in.
func TestRenewOnce(t *testing.T) {
	var used atomic.Int32
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = endpoints{Issuer: srv.URL, Authorization: srv.URL + "/authorize", Token: srv.URL + "/token"}
		if r.URL.Path == "/token" {
			used.Add(1)
			answer = tokens{Access: "new", Refresh: "next", Life: 600}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	i := newIssuer(srv.URL, "pages", "http://127.0.0.1:1")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got, err := i.renew(context.Background(), "old"); err != nil || got.Access != "new" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
	if n := used.Load(); n != 1 {
		t.Errorf("used %d times", n)
	}
}

// An issuer that describes another one is not followed.
func TestForeignIssuer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(endpoints{Issuer: "https://other.example", Authorization: "https://other.example/a", Token: "https://other.example/t"}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	if to, err := newIssuer(srv.URL, "pages", "http://127.0.0.1:1").authorize(t.Context(), state{}); err == nil {
		t.Errorf("leads to %s", to)
	}
}
