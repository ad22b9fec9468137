package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/services/platform/db"
)

// visitor is a browser without eyes: it keeps cookies and follows nothing by itself.
type visitor struct {
	*scene
	http *http.Client
}

func (s *scene) visitor() *visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	s.must("cookies", err)
	return &visitor{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// send makes a request; form is the body of a POST, nil for a GET.
func (v *visitor) send(address string, form url.Values, header ...string) (code int, location, body string) {
	v.t.Helper()
	method, text := http.MethodGet, ""
	if form != nil {
		method, text = http.MethodPost, form.Encode()
	}
	if strings.HasPrefix(address, "/") {
		address = v.Gateway + address
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, address, strings.NewReader(text))
	v.must("request", err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := v.http.Do(req)
	v.must("send", err)
	location = res.Header.Get("Location")
	code, body, err = read(res, nil)
	v.must("read", err)
	return code, location, body
}

// signIn goes from a page of ours by the issuer back to it, and gives the address by
// which the issuer sent the browser back.
func (v *visitor) signIn(page string) (back, landed string) {
	v.t.Helper()
	login := page
	if !strings.HasPrefix(page, "/login") {
		_, login, _ = v.send(page, nil)
	}
	code, authorize, body := v.send(login, nil)
	if code != http.StatusSeeOther || !strings.HasPrefix(authorize, v.Issuer) {
		v.t.Fatalf("login: %d to %q: %.500s", code, authorize, body)
	}
	to, err := url.Parse(authorize)
	v.must("authorize", err)
	form := to.Query()
	form.Set("login", "citizen")
	form.Set("password", "demo")
	code, back, body = v.send(v.Issuer+to.Path, form)
	if code != http.StatusSeeOther {
		v.t.Fatalf("issuer: %d %.500s", code, body)
	}
	code, landed, body = v.send(back, nil)
	if code != http.StatusSeeOther {
		v.t.Fatalf("back: %d %.500s", code, body)
	}
	return back, landed
}

var formToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// TestSignInSafety tries what somebody else could do with a sign-in or a session.
func TestSignInSafety(t *testing.T) {
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	v := s.visitor()
	if code, to, _ := v.send("/my", nil); code != http.StatusSeeOther || to != "/login?to=%2Fmy" {
		t.Errorf("signed out: %d to %q", code, to)
	}
	if code, _, _ := v.send("/my/profile", url.Values{"phone": {"13800000000"}}); code != http.StatusUnauthorized {
		t.Errorf("a form signed out: %d", code)
	}
	back, landed := v.signIn("/my/profile")
	if landed != "/my/profile" {
		t.Errorf("landed at %q", landed)
	}
	if code, _, body := v.send(back, nil); code != http.StatusUnauthorized || !strings.Contains(body, "登录没有完成") {
		t.Errorf("the code again: %d", code)
	}
	if code, _, _ := s.visitor().send(back, nil); code != http.StatusUnauthorized {
		t.Errorf("the code in another browser: %d", code)
	}
	code, _, page := v.send("/my/profile", nil)
	token := formToken.FindStringSubmatch(page)
	if code != http.StatusOK || token == nil {
		t.Fatalf("profile: %d %.1000s", code, page)
	}
	profile := url.Values{"phone": {"13800000000"}, "request_id": {newID()}}
	if code, _, _ := v.send("/my/profile", profile); code != http.StatusForbidden {
		t.Errorf("without the form's token: %d", code)
	}
	profile.Set("csrf", token[1])
	for _, origin := range []string{"https://evil.example", "null"} {
		if code, _, _ := v.send("/my/profile", profile, "Origin", origin); code != http.StatusForbidden {
			t.Errorf("from %s: %d", origin, code)
		}
	}
	other := s.visitor()
	other.signIn("/my")
	if code, _, _ := other.send("/my/profile", profile); code != http.StatusForbidden {
		t.Errorf("with the token of another session: %d", code)
	}
	if code, _, _ := v.send("/my/profile", url.Values{"csrf": {token[1]}, "phone": {strings.Repeat("1", 300<<10)}}); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large form: %d", code)
	}
	if code, to, body := v.send("/my/profile", profile, "Origin", s.Gateway); code != http.StatusSeeOther || to != "/my?done=profile" {
		t.Errorf("its own form: %d to %q: %.1000s", code, to, body)
	}
	v.strangers()
	if _, landed := s.visitor().signIn("/login?to=//evil.example/my"); landed != "/my" {
		t.Errorf("a foreign address to go to: landed at %q", landed)
	}
	s.noFaults()
}

// strangers looks for what belongs to somebody else.
func (v *visitor) strangers() {
	v.t.Helper()
	c := v.file(1, house.Residence)
	for _, path := range []string{"/my/cases/" + house.City + "/" + caseNo(c), "/my/cases/" + house.City + "/441300260105000000018",
		"/apply/" + house.City + "/" + itemCode(v.data.Items[house.Birth]) + "?draft=" + caseNo(c)} {
		if code, _, body := v.send(path, nil); code != http.StatusNotFound || strings.Contains(body, c.GetItemTitle()) {
			v.t.Errorf("%s: %d", path, code)
		}
	}
}
