package authn

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
)

//go:embed login.html
var loginHTML string

var loginTemplate = template.Must(template.New("login").Parse(loginHTML))

// loginRequest is a checked authorization request; the page carries it through.
type loginRequest struct {
	Client, Redirect, State, Nonce, Challenge, Scope string
}

type loginView struct {
	Request loginRequest
	Users   []User
	Chosen  string
	Hint    string
	Error   string
	Action  string
}

// parse checks an authorization request. Until client and address are known to
// belong together, nothing is ever sent to the address.
func (i *Issuer) parse(q url.Values) (loginRequest, string) {
	req := loginRequest{
		Client: q.Get("client_id"), Redirect: q.Get("redirect_uri"), State: q.Get("state"),
		Nonce: q.Get("nonce"), Challenge: q.Get("code_challenge"), Scope: q.Get("scope"),
	}
	c, ok := i.clients[req.Client]
	switch {
	case !ok || !slices.Contains(c.RedirectURIs, req.Redirect):
		return req, "应用或返回地址未登记"
	case q.Get("response_type") != "code":
		return req, "不支持的登录方式"
	case len(req.Challenge) != 43 || q.Get("code_challenge_method") != "S256":
		return req, "缺少 PKCE 校验（S256）"
	}
	return req, ""
}

// loginPage is GET /authorize.
func (i *Issuer) loginPage(w http.ResponseWriter, r *http.Request) {
	req, problem := i.parse(r.URL.Query())
	if problem != "" {
		i.refuse(w, problem)
		return
	}
	i.page(w, http.StatusOK, loginView{Request: req})
}

// login is POST /authorize.
func (i *Issuer) login(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		i.refuse(w, "表单内容不正确")
		return
	}
	req, problem := i.parse(r.PostForm)
	if problem != "" {
		i.refuse(w, problem)
		return
	}
	login := r.PostForm.Get("login")
	u, err := i.checkPassword(login, r.PostForm.Get("password"))
	if err != nil {
		text := "用户名或密码不正确"
		if err == errTooMany {
			text = "尝试次数过多，请稍候再试"
		}
		i.page(w, http.StatusUnauthorized, loginView{Request: req, Chosen: login, Error: text})
		return
	}
	code := i.grants.put(grant{
		kind: kindCode, client: req.Client, login: u.Login, redirect: req.Redirect,
		challenge: req.Challenge, nonce: req.Nonce, openid: hasScope(req.Scope, "openid"),
	}, codeFor)
	to, err := url.Parse(req.Redirect)
	if err != nil {
		i.refuse(w, "返回地址不正确")
		return
	}
	q := to.Query()
	q.Set("code", code)
	if req.State != "" {
		q.Set("state", req.State)
	}
	to.RawQuery = q.Encode()
	i.log.Info("user signed in", "client", req.Client)
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

func (i *Issuer) refuse(w http.ResponseWriter, problem string) {
	i.page(w, http.StatusBadRequest, loginView{Error: problem})
}

func (i *Issuer) page(w http.ResponseWriter, code int, v loginView) {
	v.Hint, v.Action = i.cfg.Hint, i.cfg.URL+"/authorize"
	if v.Request.Client != "" {
		v.Users = i.cfg.Users
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// form-action is left out: browsers apply it to the redirect after the form.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(code)
	if err := loginTemplate.Execute(w, v); err != nil {
		i.log.Warn("login page not written", "error", err)
	}
}
