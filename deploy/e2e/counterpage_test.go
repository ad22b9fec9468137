package e2e

import (
	"testing"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/db"
)

// TestCounterPage works a queue off in a browser, as staff of a window do.
func TestCounterPage(t *testing.T) {
	chromium := browser(t)
	if chromium == "" {
		return
	}
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	centre := &caseworkv1.Centre{}
	s.must("open a centre", s.As(house.Admin()).Post(t.Context(), "/v1/"+s.hall+"/centres?centreId=main&requestId="+newID(), &caseworkv1.Centre{
		DisplayName: "惠州市政务服务中心", StreetAddress: "云山西路6号", Windows: []*caseworkv1.Window{{Id: "1", DisplayName: "综合窗口"}, {Id: "2"}},
	}, centre))
	var numbers []string
	for n := range 2 {
		_, client := s.person(n + 1)
		ticket := &caseworkv1.Ticket{}
		s.must("draw", client.Post(t.Context(), "/v1/"+centre.GetName()+"/tickets:take", &caseworkv1.TakeTicketRequest{RequestId: newID()}, ticket))
		numbers = append(numbers, ticket.GetNumber())
	}
	b := openTab(t, chromium)
	b.visit(s.Gateway + "/counter?hall=" + house.City)
	b.signInAs("police-window-1")
	b.shows("窗口叫号", "惠州市政务服务中心", "2 个窗口")
	b.picture("centres")
	b.visit(s.Gateway + "/counter/" + house.City + "/main")
	b.fill(map[string]string{"window": "2"})
	b.press("call")
	b.shows(numbers[0]+" 号，请到 2 号窗口", "正在办理")
	b.size(390)
	b.picture("counter-phone")
	b.press("served")
	b.shows("已办结")
	b.press("call") // the window is remembered
	b.shows(numbers[1]+" 号，请到 2 号窗口", "正在办理")
	b.press("missed")
	b.shows("已过号", "最近叫号")
	b.press("call")
	if n := b.must("String(document.querySelectorAll('[role=alert]').length)"); n != "1" {
		t.Error("nobody waits, and nothing is said")
	}
	b.size(1000)
	b.picture("counter-empty")
	b.press("退出登录")
	// Who is no staff may not call.
	b.visit(s.Gateway + "/counter/" + house.City + "/main")
	b.signInAs("citizen")
	b.press("call")
	b.shows("没有权限")
	s.noFaults()
}
