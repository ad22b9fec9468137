package gateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/onehall/onehall/gateway"
)

// audit reads a page as a browser does and reports what would break the content policy or
// shut somebody out.
func audit(t *testing.T, path, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	ids, labels, headings := map[string]bool{}, map[string]bool{}, 0
	var inputs []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s> has %s", path, n.Data, a.Key)
			}
			if (a.Key == "src" || n.Data == "link" && a.Key == "href") && !strings.HasPrefix(a.Val, "/") {
				t.Errorf("%s: loads %s", path, a.Val)
			}
		}
		if id := attr["id"]; id != "" && ids[id] {
			t.Errorf("%s: id %s twice", path, id)
		}
		ids[attr["id"]] = true
		switch n.Data {
		case "html":
			if attr["lang"] != "zh-Hans" {
				t.Errorf("%s: language %q", path, attr["lang"])
			}
		case "h1":
			headings++
		case "script":
			if attr["src"] == "" {
				t.Errorf("%s: script inside the page", path)
			}
		case "style", "iframe", "object":
			t.Errorf("%s: has <%s>", path, n.Data)
		case "label":
			labels[attr["for"]] = true
		case "input", "select", "textarea":
			inputs = append(inputs, attr["id"])
		case "th":
			if attr["scope"] == "" {
				t.Errorf("%s: heading of a table without scope", path)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s: %d main headings", path, headings)
	}
	for _, id := range inputs {
		if !labels[id] {
			t.Errorf("%s: input %q has no label", path, id)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	for _, tc := range []struct {
		path   string
		status int
		want   []string
	}{
		{"/", 200, []string{"个人办事", "法人办事", "惠州市&lt;i&gt;", `href="/search?hall=441300"`, `href="/search?for=1&amp;theme=005"`}},
		{"/search?q=%E5%B1%85%E4%BD%8F%E8%AF%81%3Cscript%3E", 200, []string{"居住证&lt;script&gt;", `href="/` + "items/441300/" + itemName[len("halls/441300/items/"):], "下一页", "page=next"}},
		{"/search?for=1&theme=060&online=1&hall=441300", 200, []string{"个人办事 · 婚姻登记 · 全程网办"}},
		{"/search?hall=xx", 400, []string{"请求内容不符合要求"}},
		{"/items/441300/" + itemName[len("halls/441300/items/"):], 200, []string{"5 个工作日", "15 个工作日", "不用到现场", "必交", "在本市居住半年以上&lt;script&gt;", "tel:0752-12345", "2 条评价，平均 4.50 星", "谢谢"}},
		{"/items/441300/nothing", 400, []string{"请求内容不符合要求"}},
		{"/progress", 200, []string{`name="case_no"`, `name="query_code"`}},
		{"/rates", 200, []string{"66.67%", "无数据", "惠州市", "办结数÷受理数", "2026年1月5日"}},
		{"/wall", 404, []string{"没有找到"}}, // nobody can sign in here
		{"/nowhere", 404, []string{"没有找到"}},
		{"/docs", 200, []string{"CaseworkService", "CASE_WRONG_STATE"}},
		{"/docs/CaseworkService", 200, []string{"/v1/halls/{hall}/cases/{case}:accept", "窗口人员（本厅）", `id="onehall.casework.v1.Case"`}},
		{"/docs/SupervisionService", 200, []string{"/v1/halls/{hall}/cards:watch", "，流"}},
		{"/docs/Nothing", 404, []string{"没有这一页"}},
	} {
		res, body := tw.get(t, tc.path)
		if res.StatusCode != tc.status || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", tc.path, res.StatusCode, res.Header.Get("Content-Type"))
		}
		for _, want := range tc.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q:\n%.3000s", tc.path, want, body)
			}
		}
		audit(t, tc.path, body)
	}
	// The order of a guide is fixed.
	_, guide := tw.get(t, "/items/441300/"+itemName[len("halls/441300/items/"):])
	at := 0
	for _, part := range []string{"基本信息", "办理地点和时间", "受理条件", "申请材料", "办理流程", "收费", "设定依据", "常见问题", "咨询和投诉"} {
		next := strings.Index(guide, ">"+part+"<")
		if next < at {
			t.Errorf("%s is not in its place", part)
		}
		at = next
	}
}

func TestProgressPage(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	form := []string{"Content-Type: application/x-www-form-urlencoded"}
	res, body := tw.send(t, "POST /progress", form, "case_no=4413+0026010500%0A0000018&query_code=good")
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "已受理") || !strings.Contains(body, "441300260105000000018") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if strings.Contains(body, "<img") || !strings.Contains(body, "&lt;img src=x onerror=alert(1)&gt;{{.}}") {
		t.Error("text became markup")
	}
	audit(t, "/progress", body)
	for _, wrong := range []string{"case_no=441300260105000000018&query_code=bad", "case_no=&query_code="} {
		res, body = tw.send(t, "POST /progress", form, wrong)
		if res.StatusCode < 400 || !strings.Contains(body, "没有查到") {
			t.Errorf("%s: %d %s", wrong, res.StatusCode, body)
		}
	}
	if res, _ = tw.send(t, "POST /progress", append(form, "Origin: https://evil.example"), "case_no=1"); res.StatusCode != http.StatusForbidden {
		t.Errorf("foreign origin: %d", res.StatusCode)
	}
	if res, _ = tw.send(t, "POST /progress", form, strings.Repeat("a", 5000)); res.StatusCode != http.StatusBadRequest {
		t.Errorf("large form: %d", res.StatusCode)
	}
	if res, _ = tw.send(t, "POST /rates", form, "a=b"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST to a page: %d %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

// A service that is gone takes only its part of a page with it.
func TestPagesWithoutAService(t *testing.T) {
	t.Parallel()
	tw := start(t, func(c *gateway.Config) { c.Province = "no hall" })
	res, body := tw.get(t, "/")
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "个人办事") || !strings.Contains(body, `class="notice"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body = tw.get(t, "/rates")
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	res, body := tw.get(t, "/openapi.json")
	if res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	var doc struct {
		Info  struct{ Title, Version string }
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
			Security   []map[string][]string
			Permission string `json:"x-permission"`
			Responses  map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
		Definitions map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Title != "OneHall" || doc.Info.Version != "test" || len(doc.Paths) < 55 {
		t.Errorf("%+v, %d paths", doc.Info, len(doc.Paths))
	}
	accept := doc.Paths["/v1/halls/{hall}/cases/{case}:accept"]["post"]
	if len(accept.Parameters) != 3 || accept.Parameters[0].Name != "hall" || len(accept.Security) != 1 || accept.Responses["default"].Schema.Ref != "#/definitions/onehall.Error" {
		t.Errorf("accept: %+v", accept)
	}
	if hall := doc.Paths["/v1/halls/{hall}"]["get"]; hall.Permission != "公开" || hall.Security != nil {
		t.Errorf("hall: %+v", hall)
	}
	for _, ref := range strings.Split(body, `"#/definitions/`)[1:] {
		name, _, _ := strings.Cut(ref, `"`)
		if doc.Definitions[name] == nil {
			t.Errorf("%s is not defined", name)
		}
	}
	if strings.Contains(body, "google.rpc.Status") || strings.Contains(body, "FeedService") {
		t.Error("the document shows what the public never meets")
	}
	etag := res.Header.Get("ETag")
	if res, body = tw.get(t, "/openapi.json", "If-None-Match: "+etag); res.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("with the ETag: %d", res.StatusCode)
	}
	if res, _ = tw.send(t, "POST /openapi.json", []string{jsonBody}, "{}"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.StatusCode)
	}
}
