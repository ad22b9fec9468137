package web

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/onehall/onehall/services/platform/fault"
)

// signIn is what the pages that are somebody's own need.
type signIn struct {
	issuer  *issuer
	cookies cookies
	public  *url.URL
}

// SignIn says how people sign in to the pages. Without an issuer and a public address
// nobody can, and the pages are those that need no sign-in.
type SignIn struct {
	// Issuer is the identity provider, ClientID the pages' public client there.
	Issuer, ClientID string
	// PublicURL is where people reach the pages; the issuer sends them back there.
	PublicURL string
	// Secret seals cookies; every replica needs the same one.
	Secret []byte
}

func newSignIn(cfg SignIn) (*signIn, error) {
	if cfg.Issuer == "" || cfg.PublicURL == "" || cfg.ClientID == "" || len(cfg.Secret) == 0 {
		return nil, nil
	}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	c, err := newCookies(cfg.Secret, public.Scheme == "https")
	if err != nil {
		return nil, err
	}
	return &signIn{issuer: newIssuer(cfg.Issuer, cfg.ClientID, strings.TrimSuffix(cfg.PublicURL, "/")), cookies: c, public: public}, nil
}

// local is an address of ours to go to after signing in: a link from elsewhere must not
// lead elsewhere through us.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") || u.Host != "" || u.Scheme != "" {
		return "/my"
	}
	return to
}

// login sends the browser to the issuer.
func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	if s.signIn == nil {
		s.problem(w, r, fault.NotFound)
		return
	}
	to := local(r.URL.Query().Get("to"))
	if r.Host != s.signIn.public.Host {
		// The cookie of this name would not be there when the issuer sends people back.
		http.Redirect(w, r, strings.TrimSuffix(s.signIn.public.String(), "/")+"/login?to="+url.QueryEscape(to), http.StatusSeeOther)
		return
	}
	st := state{State: word(), Verifier: word(), To: to, Until: s.cfg.Clock.Now().Add(stateFor).Unix()}
	address, err := s.signIn.issuer.authorize(r.Context(), st)
	if err == nil {
		err = s.signIn.cookies.set(w, stateCookie, st, stateFor)
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// loginDone takes the code that the browser brings back, if it set out from here.
func (s *Site) loginDone(w http.ResponseWriter, r *http.Request) {
	if s.signIn == nil {
		s.problem(w, r, fault.NotFound)
		return
	}
	var st state
	known := s.signIn.cookies.get(r, stateCookie, &st)
	s.signIn.cookies.clear(w, stateCookie)
	q := r.URL.Query()
	now := s.cfg.Clock.Now()
	if !known || now.Unix() > st.Until || subtle.ConstantTimeCompare([]byte(st.State), []byte(q.Get("state"))) != 1 || q.Get("code") == "" {
		s.problem(w, r, fault.SignInFailed)
		return
	}
	t, err := s.signIn.issuer.exchange(r.Context(), q.Get("code"), st.Verifier)
	if err != nil {
		s.problem(w, r, fault.SignInFailed.New(fault.Cause(err)))
		return
	}
	// A session begun before somebody signed in is not the one they go on with.
	err = s.signIn.cookies.set(w, sessionCookie, session{
		ID: word(), Access: t.Access, Refresh: t.Refresh, Expires: now.Unix() + t.Life, Until: now.Add(sessionFor).Unix(),
	}, sessionFor)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, st.To, http.StatusSeeOther)
}

// logout ends the session.
func (s *Site) logout(w http.ResponseWriter, r *http.Request, _ *session) {
	s.signIn.cookies.clear(w, sessionCookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// current is who is signed in, with a token that is good for a while; nil for nobody.
func (s *Site) current(w http.ResponseWriter, r *http.Request) *session {
	if s.signIn == nil {
		return nil
	}
	var now = s.cfg.Clock.Now().Unix()
	var c session
	if !s.signIn.cookies.get(r, sessionCookie, &c) || now >= c.Until {
		return nil
	}
	if now+30 < c.Expires {
		return &c
	}
	t, err := s.signIn.issuer.renew(r.Context(), c.Refresh)
	if err == nil {
		c.Access, c.Refresh, c.Expires = t.Access, t.Refresh, now+t.Life
		err = s.signIn.cookies.set(w, sessionCookie, c, time.Duration(c.Until-now)*time.Second)
	}
	if err != nil {
		s.report(r.Context(), err)
		return nil
	}
	return &c
}

// maxOwnForm bounds the body of a form of somebody signed in.
const maxOwnForm = 256 << 10

// own serves a page to who is signed in; others are sent to sign in first. What a form
// sends must carry the session's own token.
func (s *Site) own(page func(http.ResponseWriter, *http.Request, *session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.current(w, r)
		if r.Method != http.MethodPost {
			if c == nil {
				if s.signIn == nil {
					s.problem(w, r, fault.NotFound)
					return
				}
				http.Redirect(w, r, "/login?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
				return
			}
			page(w, r.WithContext(signed(r.Context(), c)), c)
			return
		}
		if c == nil {
			s.problem(w, r, fault.Unauthenticated)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxOwnForm)
		if err := r.ParseForm(); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				s.problem(w, r, fault.BodyTooLarge)
				return
			}
			s.problem(w, r, fault.InvalidArgument.New(fault.Cause(err)))
			return
		}
		if !s.signIn.cookies.formTokenGood(c, r.PostForm.Get("csrf")) {
			s.problem(w, r, fault.OriginForbidden)
			return
		}
		page(w, r.WithContext(signed(r.Context(), c)), c)
	}
}

// signed lets calls carry the token of who is signed in.
func signed(ctx context.Context, c *session) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.Access)
}
