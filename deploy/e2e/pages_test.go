package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/db"
)

// browser is where Chromium is. Where there is none the test fails in CI; elsewhere it
// says so loudly and gives "".
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium found in PATH; deploy/testing/prepare installs it")
	}
	fmt.Fprintf(os.Stderr, "\n!!! %s: no Chromium found in PATH: the pages are NOT looked at\n\n", t.Name())
	return ""
}

// TestPages opens the pages in a browser, looks at what it made of them and takes
// pictures.
func TestPages(t *testing.T) {
	chromium := browser(t)
	if chromium == "" {
		return
	}
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	item := s.data.Items[house.Residence]
	c := s.file(1, house.Residence)
	dir := t.TempDir()
	for _, page := range []struct {
		name, path string
		want       []string
	}{
		{"home", "/", []string{"您要办什么事？", "惠州市", "查进度", `lang="zh-Hans"`}},
		{"search", "/search?q=" + url.QueryEscape("居住證"), []string{item.GetTitle(), "共 2 个事项"}},
		{"search by initials", "/search?q=jzz", []string{item.GetTitle()}},
		{"search for nothing", "/search?q=" + url.QueryEscape("量子纠缠"), []string{"没有找到"}},
		{"item", "/items/" + house.City + "/" + itemCode(item), []string{item.GetTitle(), item.GetMaterials()[0].GetDisplayName(), "10 个工作日", item.GetConsultPhone(), "申请材料", "办理流程"}},
		{"progress", "/progress", []string{"办件编号", "查询码", `name="query_code"`}},
		{"rates", "/rates", []string{"全省", "排名"}},
		{"docs", "/docs", []string{"FileCase"}},
		{"no page", "/nothing", []string{"回到首页"}},
	} {
		t.Run(page.name, func(t *testing.T) {
			dom := s.dom(t, chromium, page.path)
			for _, w := range page.want {
				if !strings.Contains(dom, w) {
					t.Errorf("%s does not show %q:\n%.2000s", page.path, w, dom)
				}
			}
			picture := filepath.Join(dir, strings.ReplaceAll(page.name, " ", "-")+".png")
			s.picture(t, chromium, page.path, picture)
		})
	}
	s.askProgress(c)
	s.noFaults()
}

// chrome runs the browser once, on a profile of its own, without anything it would do
// in the background.
func (s *scene) chrome(t *testing.T, chromium string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=zh-CN", "--user-data-dir=" + t.TempDir(),
	}, args...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%.2000s", err, errs.String())
	}
	return string(out)
}

// dom is the page as the browser has it after its scripts have run.
func (s *scene) dom(t *testing.T, chromium, path string) string {
	t.Helper()
	return s.chrome(t, chromium, "--virtual-time-budget=2000", "--dump-dom", s.Gateway+path)
}

// picture takes one, and wants more than an empty page.
func (s *scene) picture(t *testing.T, chromium, path, file string) {
	t.Helper()
	s.chrome(t, chromium, "--hide-scrollbars", "--window-size=1000,1400", "--screenshot="+file, s.Gateway+path)
	info, err := os.Stat(file)
	if err != nil || info.Size() < 5<<10 {
		t.Errorf("picture of %s: %v, %v", path, info, err)
	}
	s.keep(t, file)
}

// keep copies a picture to where somebody wants to look at it.
func (s *scene) keep(t *testing.T, file string) {
	t.Helper()
	keep := os.Getenv("ONEHALL_E2E_PICTURES")
	if keep == "" {
		return
	}
	raw, err := os.ReadFile(file)
	s.must("picture", err)
	s.must("picture", os.WriteFile(filepath.Join(keep, filepath.Base(file)), raw, 0o600))
}

// askProgress fills in the form as a browser would.
func (s *scene) askProgress(c *caseworkv1.Case) {
	s.t.Helper()
	for code, want := range map[string]string{c.GetQueryCode(): "已申办", "0000000000": `role="alert"`} {
		form := url.Values{"case_no": {caseNo(c)}, "query_code": {code}}
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.Gateway+"/progress", strings.NewReader(form.Encode()))
		s.must("progress", err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", s.Gateway)
		status, body, err := read(s.HTTP().Do(req))
		s.must("progress", err)
		if !strings.Contains(body, want) {
			s.t.Errorf("progress with %q: %d, without %q:\n%.1000s", code, status, want, body)
		}
	}
}
