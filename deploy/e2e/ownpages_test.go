package e2e

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/db"
)

// signInAs fills in the issuer's page.
func (b *tab) signInAs(login string) {
	b.t.Helper()
	b.fill(map[string]string{"login": login, "password": "demo"})
	b.press("登录")
}

// TestOwnPages lets a citizen sign in, fill in a form on one page, and look after cases
// and mandates, in a real browser.
func TestOwnPages(t *testing.T) {
	chromium := browser(t)
	if chromium == "" {
		return
	}
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	item := s.data.Items[house.Birth]
	b := openTab(t, chromium)
	apply := s.Gateway + "/apply/" + house.City + "/" + itemCode(item)
	b.visit(apply)
	b.shows("登录")
	b.signInAs("citizen")
	b.shows("网上申办", item.GetTitle(), "出生医学证明编号", "已预填", "/apply/")
	if name := b.must(`document.querySelector('[name="applicant.display_name"]').value`); name == "" {
		t.Error("the name is not filled in")
	}
	b.noScriptReadsTheCookie()
	b.size(390)
	b.picture("apply-phone")

	// Nothing filled in: everything is told at once, beside its field.
	b.press("submit")
	b.shows("请更正以下内容", "新生儿，姓名：必须填写")
	if n := b.must("document.querySelectorAll('.error').length"); n == "0" {
		t.Error("no field says what is wrong")
	}
	b.size(390)
	b.picture("apply-wrong-phone")
	b.fillBirth(s)
	b.press("submit")
	b.shows("申请已提交", "已申办", "提交申请", "/my/cases/")
	b.picture("case")
	b.supplement(s)

	b.visit(s.Gateway + "/my")
	b.shows("我的办事", item.GetTitle(), "已申办", "前受理", "没有。")
	b.profileAndMandate(s)
	b.draft(s, apply)
	b.forAnother(s, apply)
	b.press("退出登录")
	b.visit(s.Gateway + "/my")
	b.shows("登录", "/authorize")
	s.noFaults()
}

// noScriptReadsTheCookie holds the session's cookie to what it promises.
func (b *tab) noScriptReadsTheCookie() {
	b.t.Helper()
	if seen := b.must("document.cookie"); strings.Contains(seen, "onehall") {
		b.t.Errorf("a script reads %s", seen)
	}
	var all struct {
		Cookies []struct {
			Name, SameSite string
			HTTPOnly       bool `json:"httpOnly"`
		}
	}
	if err := b.do("Network.getCookies", map[string]any{}, &all); err != nil {
		b.t.Fatal(err)
	}
	found := false
	for _, c := range all.Cookies {
		found = found || c.Name == "onehall"
		if c.Name == "onehall" && (!c.HTTPOnly || c.SameSite != "Lax") {
			b.t.Errorf("cookie %+v", c)
		}
	}
	if !found {
		b.t.Errorf("no session among %+v", all.Cookies)
	}
}

// fillBirth fills in a birth registration, with two parents.
func (b *tab) fillBirth(s *scene) {
	b.t.Helper()
	me := s.demoCitizen()
	b.fill(map[string]string{
		"applicant.id_number": me.IDNumber, "applicant.phone": "13800000000",
		"form.child.name": "陈小满", "form.child.sex": "female", "form.child.birthday": "2026-01-08", "form.child.certificate": "y1", "form.address": "惠州市示例路 1 号",
		"form.parents[0].relation": "mother", "form.parents[0].name": "陈一鸣", "form.parents[0].idNumber": "11010519491231002X", "form.declaration": "on",
	})
	b.press("增加一项父母")
	b.shows("陈小满", "陈一鸣") // what was typed is still there
	b.fill(map[string]string{"form.parents[1].relation": "father", "form.parents[1].name": "李建国", "form.parents[1].idNumber": "440524188001010014"})
	b.size(1000)
	b.picture("apply-filled")
	b.press("submit")
	b.shows("出生医学证明编号：格式不正确")
	b.fill(map[string]string{"form.child.certificate": "Y440000001"})
}

// profileAndMandate saves a profile, gives a mandate and takes it back.
func (b *tab) profileAndMandate(s *scene) {
	b.t.Helper()
	me := s.demoCitizen()
	b.visit(s.Gateway + "/my/profile")
	b.fill(map[string]string{"display_name": me.Name, "id_number": me.IDNumber, "phone": "12", "email": "me@example.com", "address": "惠州市示例路 1 号"})
	b.press("保存")
	b.shows("电话")
	if n := b.must("document.querySelectorAll('.error').length"); n != "1" {
		b.t.Errorf("%s errors for one wrong phone", n)
	}
	b.fill(map[string]string{"phone": "13800000000"})
	b.press("保存")
	b.shows("个人信息已保存", "138****0000", "******")
	b.visit(s.Gateway + "/my/mandates")
	b.fill(map[string]string{"agent.display_name": "李建国", "agent.id_number": "440524188001010014"})
	b.size(390)
	b.picture("mandate-phone")
	b.press("委托")
	b.shows("委托已生效", "委托 李*", "有效")
	b.size(390)
	b.picture("my-phone")
	b.press("撤销这份委托")
	b.shows("委托已撤销", "已撤销")
}

// draft saves an application half filled in, and goes on with it.
func (b *tab) draft(s *scene, apply string) {
	b.t.Helper()
	b.visit(apply)
	// The profile is filled in by now.
	b.shows("惠州市示例路 1 号", "13800000000", "已预填")
	b.fill(map[string]string{"form.child.name": "陈小雪"})
	b.press("save")
	b.shows("已暂存", "暂存", "继续填写")
	b.visit(s.Gateway + b.must("document.querySelector('a.action').getAttribute('href')"))
	b.shows("陈小雪")
	b.press("submit")
	b.shows("请更正以下内容", "出生日期：必须填写")
	b.visit(s.Gateway + "/my")
	b.shows("暂存", "已申办")
}

// supplement puts right what a clerk asks for.
func (b *tab) supplement(s *scene) {
	b.t.Helper()
	path := b.must("location.pathname")
	name := "halls/" + house.City + "/cases/" + path[strings.LastIndexByte(path, '/')+1:]
	c := get(s, s.window, "/v1/"+name, &caseworkv1.Case{})
	s.act(s.window, c, "requestSupplement", &caseworkv1.RequestSupplementRequest{Reason: "新生儿姓名与出生医学证明不一致，请更正", MaterialIds: []string{"m1"}})
	b.visit(s.Gateway + path)
	b.shows("需要补正", "新生儿姓名与出生医学证明不一致")
	b.visit(s.Gateway + path + "/supplement")
	b.shows("陈小满", "出生医学证明")
	b.fill(map[string]string{"form.child.name": ""})
	b.press("submit")
	b.shows("新生儿，姓名：必须填写")
	b.fill(map[string]string{"form.child.name": "陈小漫"})
	b.size(390)
	b.picture("supplement-phone")
	b.press("submit")
	b.shows("补正内容已提交", "已申办", "收到补正材料")
}

// forAnother files by a mandate that somebody gave, and follows what was filed.
func (b *tab) forAnother(s *scene, apply string) {
	b.t.Helper()
	me := s.demoCitizen()
	who, client := s.person(6)
	s.must("mandate", client.Post(b.t.Context(), "/v1/mandates?requestId="+newID(), &caseworkv1.Mandate{
		Principal: party(who), Agent: party(me), EndTime: timestamppb.New(time.Now().AddDate(1, 0, 0)),
	}, nil))
	b.visit(apply)
	b.fillBirth(s)
	b.fill(map[string]string{"applicant.display_name": who.Name, "applicant.id_number": who.IDNumber})
	b.press("submit")
	b.shows("申请人") // it is not one's own, and no mandate is named
	if n := b.must("document.querySelectorAll('.error').length"); n != "1" {
		b.t.Errorf("%s errors without a mandate", n)
	}
	b.must(`(() => { const one = document.getElementById("mandate"); one.selectedIndex = 1; })()`)
	b.press("submit")
	b.shows("申请已提交", "代办", "受托人凭委托办理")
	b.visit(s.Gateway + "/my")
	b.visit(b.must(`[...document.querySelectorAll("a")].find((one) => one.textContent.includes("查看代办的办件")).href`))
	b.shows("代办的办件", "已申办", "代办")
	list := &caseworkv1.ListMyCasesResponse{}
	s.must("cases", client.Get(b.t.Context(), "/v1/myCases", list))
	if len(list.GetCases()) != 1 || list.GetCases()[0].GetMandate() == "" {
		b.t.Errorf("the principal has %v", list)
	}
}
