package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/services/platform/db"
)

// TestWallPage opens the wall in a browser as a supervisor signs in to it, and looks at what
// it made of the stream; who has no right is told so.
func TestWallPage(t *testing.T) {
	chromium := browser(t)
	if chromium == "" {
		return
	}
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	x := s.things()
	b := openTab(t, chromium)
	b.visit(s.Gateway + "/wall?hall=" + house.City)
	b.signInAs("hall-supervisor-1")
	no := x.kase[strings.LastIndexByte(x.kase, '/')+1:]
	b.comes("已连接。", no, "已受理", "剩余工作日", "有效监察牌")
	dom := b.must("document.documentElement.outerHTML")
	if !strings.Contains(dom, `data-key="`+x.card+`"`) {
		t.Errorf("the wall does not show the card:\n%.6000s", dom)
	}
	for _, never := range []string{`<b id="open">—</b>`, `<b id="valid">0</b>`, s.data.People[1].Name} {
		if never != "" && strings.Contains(dom, never) {
			t.Errorf("the wall shows %q", never)
		}
	}
	b.noScriptReadsTheCookie()
	b.size(1200)
	b.picture("wall")
	b.size(390)
	b.picture("wall-phone")
	// What happens comes by itself.
	c := s.file(2, house.Residence)
	b.comes(c.GetName()[strings.LastIndexByte(c.GetName(), '/')+1:])

	b.press("退出登录")
	b.visit(s.Gateway + "/wall")
	b.signInAs("police-officer-1")
	b.comes("您的账号无权查看")
	s.noFaults()
}

// TestWallStreamOfThePage asks the page's stream as others might.
func TestWallStreamOfThePage(t *testing.T) {
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	v := s.visitor()
	for path, want := range map[string]int{
		"/wall/halls/" + house.City: http.StatusUnauthorized, "/wall/halls/": http.StatusNotFound, "/wall/halls/x/cases/1": http.StatusNotFound, "/wall/halls/-?since=1": http.StatusUnauthorized,
	} {
		if code, _, body := v.send(path, nil); code != want {
			t.Errorf("signed out %s: %d %.300s", path, code, body)
		}
	}
	v.signIn("/my")
	for path, want := range map[string]int{
		"/wall/halls/" + house.City: http.StatusForbidden, "/wall/halls/-?since=1": http.StatusBadRequest, "/wall/halls/x": http.StatusNotFound,
	} {
		if code, _, body := v.send(path, nil); code != want {
			t.Errorf("a citizen at %s: %d %.300s", path, code, body)
		}
	}
	s.noFaults()
}
