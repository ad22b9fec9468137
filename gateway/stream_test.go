package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onehall/onehall/gateway"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

const watch = "/cards:watch"

func TestLines(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	bearer := "Authorization: Bearer " + tw.token(t, "watch")
	res, body := tw.get(t, "/v1/halls/441300"+watch+"?after=5", bearer)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%d %s %s", res.StatusCode, res.Header.Get("Content-Type"), body)
	}
	want := `{"result":{"card":{"name":"halls/441300/cards/c"},"position":"6"}}
{"result":{"card":{"name":"halls/441300/cards/c"},"position":"7"}}
{"result":{"card":{"name":"halls/441300/cards/c"},"position":"8"}}
{"end":{"position":"8"}}
`
	if got := strings.ReplaceAll(body, " ", ""); got != want {
		t.Errorf("got %s", got)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	bearer := "Authorization: Bearer " + tw.token(t, "watch")
	res, body := tw.get(t, "/v1/halls/441300"+watch, bearer, "Accept: text/event-stream", "Last-Event-ID: 10")
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %s", res.Header.Get("Content-Type"), body)
	}
	events := strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n")
	if len(events) != 4 || !strings.HasPrefix(events[0], "id: 11\ndata: {\"result\":") || events[3] != "event: end\ndata: {\"end\":{\"position\":\"13\"}}" {
		t.Errorf("events %q", events)
	}
}

// A refusal before the first message is a status; a break after it is the last line.
func TestStreamRefusals(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	bearer := "Authorization: Bearer " + tw.token(t, "watch")
	res, body := tw.get(t, "/v1/halls/000000"+watch, bearer)
	if res.StatusCode != http.StatusNotFound || errorOf(t, body).Reason != "NOT_FOUND" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body = tw.get(t, "/v1/halls/441300"+watch); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without token: %d %s", res.StatusCode, body)
	}
	if res, body = tw.get(t, "/v1/halls/441300"+watch, "Authorization: Bearer "+tw.token(t, "zhang")); res.StatusCode != http.StatusForbidden {
		t.Errorf("without the role: %d %s", res.StatusCode, body)
	}
	if res, body = tw.get(t, "/v1/halls/441300"+watch+"?since=1", bearer); res.StatusCode != http.StatusBadRequest {
		t.Errorf("unknown parameter: %d %s", res.StatusCode, body)
	}
	_, body = tw.get(t, "/v1/halls/441302"+watch, bearer)
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if len(lines) != 3 {
		t.Fatalf("lines %q", lines)
	}
	if e := errorOf(t, lines[2]); e.Reason != "UNAVAILABLE" || e.RetryAfterMS != 1000 {
		t.Errorf("last line %s", lines[2])
	}
}

// What the service sends is with the reader at once, an idle stream shows life, and the
// gateway's own end is said.
func TestLiveStream(t *testing.T) {
	t.Parallel()
	tw := start(t, func(c *gateway.Config) { c.Heartbeat = 50 * time.Millisecond })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+tw.addr+"/v1/halls/441301"+watch, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tw.token(t, "watch"))
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func(prefix string) string {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), prefix) {
				return lines.Text()
			}
		}
		t.Fatalf("no line begins with %q: %v", prefix, lines.Err())
		return ""
	}
	next(":")
	tw.more <- &supervisionv1.WatchCardsResponse{Position: 42}
	if next("id:") != "id: 42" {
		t.Error("position differs")
	}
	next(":")
	stopped := make(chan error, 1)
	go func() { stopped <- tw.stop() }()
	next("event: error")
	if e := errorOf(t, strings.TrimPrefix(next("data: "), "data: ")); e.Reason != "UNAVAILABLE" {
		t.Errorf("end %+v", e)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// H11: a client that does not read is cut off, and its call ends at the service.
func TestReaderThatDoesNotRead(t *testing.T) {
	t.Parallel()
	tw := start(t, func(c *gateway.Config) { c.StreamWrite = 200 * time.Millisecond; c.MaxStreams = 1 })
	token := tw.token(t, "watch")
	conn, err := net.Dial("tcp", tw.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /v1/halls/441303"+watch+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// Its place is the only one; when others get it, it was cut off.
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		started := tw.count()
		res, _ := tw.get(t, "/v1/halls/441300"+watch, "Authorization: Bearer "+token)
		if res.StatusCode == http.StatusOK && started > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still not cut off: %d", res.StatusCode)
		}
	}
}
