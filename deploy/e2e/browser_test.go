package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// tab is a page of a Chromium that a test drives as a person would: by addresses, by what
// is written on the page, and by its forms.
type tab struct {
	t    *testing.T
	conn *websocket.Conn
	id   int
}

// openTab starts a Chromium on a profile of its own, with what flags more.
func openTab(t *testing.T, chromium string, flags ...string) *tab {
	t.Helper()
	profile := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, chromium, append(flags, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=zh-CN", "--hide-scrollbars", "--user-data-dir="+profile,
		"--remote-debugging-port=0", "--remote-allow-origins=*", "about:blank")...)
	if err := cmd.Start(); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		// It was told to end by being killed, which is all that it can say of it.
		_ = cmd.Wait()
	})
	b := &tab{t: t}
	var targets []struct {
		Type, WebSocketDebuggerURL string
	}
	b.until("chromium to listen", func() bool {
		raw, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort"))
		if err != nil {
			return false
		}
		port, _, _ := strings.Cut(string(raw), "\n")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/json/list", nil)
		if err != nil {
			return false
		}
		_, body, err := read(http.DefaultClient.Do(req))
		return err == nil && json.Unmarshal([]byte(body), &targets) == nil && len(targets) > 0 && targets[0].WebSocketDebuggerURL != ""
	})
	var err error
	if b.conn, err = websocket.Dial(targets[0].WebSocketDebuggerURL, "", "http://127.0.0.1"); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	t.Cleanup(func() { _ = b.conn.Close() }) // the browser may have gone first
	return b
}

// until waits for something outside of this process.
func (b *tab) until(what string, done func() bool) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(60 * time.Second); !done(); <-tick.C {
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// do sends a command and reads its answer; what the browser tells unasked is passed over.
func (b *tab) do(method string, params, into any) error {
	b.id++
	if err := websocket.JSON.Send(b.conn, map[string]any{"id": b.id, "method": method, "params": params}); err != nil {
		return err
	}
	for {
		var answer struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := b.conn.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
			return err
		}
		if err := websocket.JSON.Receive(b.conn, &answer); err != nil {
			return err
		}
		switch {
		case answer.ID != b.id:
			continue
		case answer.Error != nil:
			return fmt.Errorf("%s: %s", method, answer.Error.Message)
		case into == nil:
			return nil
		}
		return json.Unmarshal(answer.Result, into)
	}
}

// eval runs a script in the page; while the page changes there is none to run it in.
func (b *tab) eval(script string) (string, error) {
	var answer struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	err := b.do("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &answer)
	if err == nil && answer.ExceptionDetails != nil {
		err = fmt.Errorf("script: %s", answer.ExceptionDetails.Exception.Description)
	}
	return fmt.Sprint(answer.Result.Value), err
}

// must is what a script gives.
func (b *tab) must(script string) string {
	b.t.Helper()
	value, err := b.eval(script)
	if err != nil {
		b.t.Fatalf("%.200s: %v", script, err)
	}
	return value
}

// leave does something that loads another page, and waits for that.
func (b *tab) leave(what string, do func()) {
	b.t.Helper()
	b.must("window.before = true")
	do()
	b.until(what, func() bool {
		state, err := b.eval("window.before ? 'old' : document.readyState")
		return err == nil && state == "complete"
	})
}

// visit goes to an address.
func (b *tab) visit(address string) {
	b.t.Helper()
	b.leave(address, func() {
		if err := b.do("Page.navigate", map[string]any{"url": address}, nil); err != nil {
			b.t.Fatal(err)
		}
	})
}

// press presses the button with a value, or the first of those that say the words.
func (b *tab) press(words string) {
	b.t.Helper()
	b.leave(words, func() {
		script := fmt.Sprintf(`(() => { const all = [...document.querySelectorAll("main button, form button")];
			const found = all.find((one) => one.value === %[1]q) ?? all.find((one) => one.textContent.includes(%[1]q));
			if (!found) throw new Error("no button " + %[1]q); found.click(); })()`, words)
		b.must(script)
	})
}

// fill types into the fields of the page, by their names.
func (b *tab) fill(values map[string]string) {
	b.t.Helper()
	for name, value := range values {
		b.must(fmt.Sprintf(`(() => { const one = document.querySelector('[name="' + %[1]q + '"]'); if (!one) throw new Error("no field " + %[1]q);
			if (one.type === "checkbox") one.checked = true; else one.value = %[2]q; if (one.type !== "checkbox" && one.value !== %[2]q) throw new Error(%[1]q + " does not take " + %[2]q); })()`, name, value))
	}
}

// shows wants words on the page.
func (b *tab) shows(words ...string) {
	b.t.Helper()
	text := b.must("document.body.innerText + ' ' + location.pathname + ' ' + [...document.querySelectorAll('input,textarea')].map((one) => one.value).join(' ')")
	for _, w := range words {
		if !strings.Contains(text, w) {
			b.t.Errorf("the page does not show %q:\n%.3000s", w, text)
		}
	}
}

// comes waits for words that a script brings.
func (b *tab) comes(words ...string) {
	b.t.Helper()
	for _, w := range words {
		b.until(w, func() bool {
			found, err := b.eval(fmt.Sprintf("String(document.body.innerText.includes(%q))", w))
			return err == nil && found == "true"
		})
	}
}

// size makes the window that of a phone or of a desk.
func (b *tab) size(width int) {
	b.t.Helper()
	if err := b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}, nil); err != nil {
		b.t.Fatal(err)
	}
	if wide := b.must("String(document.documentElement.scrollWidth > window.innerWidth)"); wide != "false" {
		b.t.Errorf("%s is wider than %d", b.must("location.pathname"), width)
	}
}

// accessible holds the page to what those need who hear it or use no mouse: every input
// has a label, every id is there once, errors are tied to their fields, one heading leads.
const accessible = `(() => { const wrong = [], ids = new Set();
	for (const one of document.querySelectorAll("[id]")) { if (ids.has(one.id)) wrong.push("id twice: " + one.id); ids.add(one.id); }
	for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea")) if (!one.labels.length) wrong.push("no label: " + one.name);
	for (const one of document.querySelectorAll("[aria-describedby]")) for (const id of one.getAttribute("aria-describedby").split(" ")) if (!ids.has(id)) wrong.push("described by nothing: " + id);
	for (const one of document.querySelectorAll("[role=alert] a")) if (!ids.has(one.hash.slice(1))) wrong.push("leads nowhere: " + one.hash);
	for (const one of document.querySelectorAll("fieldset")) if (!one.querySelector(":scope > legend")) wrong.push("fieldset without legend: " + one.id);
	for (const one of document.querySelectorAll("[style], [onclick]")) wrong.push("inline: " + one.outerHTML.slice(0, 80));
	if (document.querySelectorAll("h1").length !== 1) wrong.push("headings: " + document.querySelectorAll("h1").length);
	return wrong.join("; "); })()`

// picture takes one of the whole page, and keeps it where somebody wants to look.
func (b *tab) picture(name string) {
	b.t.Helper()
	if wrong := b.must(accessible); wrong != "" {
		b.t.Errorf("%s: %s", name, wrong)
	}
	var answer struct{ Data string }
	if err := b.do("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &answer); err != nil {
		b.t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(answer.Data)
	if err != nil || len(raw) < 5<<10 {
		b.t.Errorf("picture %s: %d bytes, %v", name, len(raw), err)
	}
	if keep := os.Getenv("ONEHALL_E2E_PICTURES"); keep != "" {
		if err := os.WriteFile(filepath.Join(keep, name+".png"), raw, 0o600); err != nil {
			b.t.Error(err)
		}
	}
}
