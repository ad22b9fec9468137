package e2e

import (
	"strings"
	"testing"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/services/platform/db"
)

// TestWallPage opens the wall in a browser as a supervisor, and looks at what it made of
// the stream; without a right token it says so.
func TestWallPage(t *testing.T) {
	chromium := browser(t)
	if chromium == "" {
		return
	}
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	x := s.things()
	look := func(token string) string {
		// A stream has no end, so real time is given instead of waiting for silence.
		return s.chrome(t, chromium, "--virtual-time-budget=4000", "--dump-dom", s.Gateway+"/wall?hall="+house.City+"#token="+token)
	}
	dom := look(s.Token(supervisorUser))
	no := x.kase[strings.LastIndexByte(x.kase, '/')+1:]
	for _, want := range []string{"已连接。", no, `<b id="open">`, "已受理", `data-key="` + x.card + `"`, "剩余工作日"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the wall does not show %q:\n%.6000s", want, dom)
		}
	}
	for _, never := range []string{`<b id="open">—</b>`, `<b id="valid">0</b>`, s.data.People[1].Name} {
		if never != "" && strings.Contains(dom, never) {
			t.Errorf("the wall shows %q", never)
		}
	}
	if dom = look(s.Token(officerUser)); !strings.Contains(dom, "无权查看") {
		t.Errorf("an officer's token: %.3000s", dom)
	}
	s.picture(t, chromium, "/wall", t.TempDir()+"/wall-empty.png")
	s.wallPicture(t, chromium)
	s.noFaults()
}

// wallPicture keeps a picture of the wall at work, for who wants to look.
func (s *scene) wallPicture(t *testing.T, chromium string) {
	file := t.TempDir() + "/wall.png"
	s.chrome(t, chromium, "--timeout=4000", "--hide-scrollbars", "--window-size=1200,1500", "--screenshot="+file, s.Gateway+"/wall#token="+s.Token(supervisorUser))
	s.keep(t, file)
}
