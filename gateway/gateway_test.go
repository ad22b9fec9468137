package gateway_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onehall/onehall/gateway"
	"github.com/onehall/onehall/services/platform/fault"
)

// H22: whatever a client claims about itself in headers changes nothing.
func TestSpoofedHeadersChangeNothing(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	token := tw.token(t, "zhang")
	res, body := tw.send(t, "POST /v1/halls/441300/cases:file", []string{
		jsonBody, "Authorization: Bearer " + token,
		"Grpc-Metadata-X-User-Id: root", "Grpc-Metadata-Authorization: Bearer other", "Grpcgateway-Authorization: Bearer other",
		"X-User-Id: root", "X_User_Id: root", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil.example", "Forwarded: for=10.0.0.1",
		"X-Real-Ip: 10.0.0.1", "Cookie: session=1", "X-Roles-Bin: cm9vdA==", "Traceparent: not a trace",
	}, `{"case":{"item":"`+itemName+`","applicant":{"type":1,"displayName":"张三","idType":1,"idNumber":"x","phone":"1"}},"requestId":"9b2f0b5e-1f0a-4c0f-8a57-b7e1a5c6a001"}`)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	c := tw.last(t)
	if c.caller == nil || c.caller.Subject != "user/zhang" || len(c.caller.Roles) != 1 {
		t.Errorf("caller %+v", c.caller)
	}
	for name, values := range c.md {
		switch name {
		case ":authority", "content-type", "user-agent", "grpc-accept-encoding":
		case "authorization":
			if diff := cmp.Diff([]string{"Bearer " + token}, values); diff != "" {
				t.Error("authorization differs from the caller's")
			}
		case "x-request-id":
			if len(values) != 1 || values[0] != res.Header.Get("X-Request-Id") {
				t.Errorf("x-request-id %q", values)
			}
		case "x-forwarded-for":
			if diff := cmp.Diff([]string{"127.0.0.1"}, values); diff != "" {
				t.Errorf("client address: %s", diff)
			}
		case "x-forwarded-host":
			if strings.Contains(strings.Join(values, ","), "evil") {
				t.Errorf("host %q", values)
			}
		default:
			t.Errorf("metadata %s came through: %q", name, values)
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	res, _ := tw.get(t, "/v1/halls/441300", "X-Request-Id: my-own.1")
	if got := res.Header.Get("X-Request-Id"); got != "my-own.1" {
		t.Errorf("own id became %q", got)
	}
	if got := tw.last(t).md.Get("x-request-id"); len(got) != 1 || got[0] != "my-own.1" {
		t.Errorf("service saw %q", got)
	}
	for _, bad := range []string{"X-Request-Id: {\"level\":\"info\"}", "X-Request-Id: a\r\nX-Request-Id: b", ""} {
		var headers []string
		if bad != "" {
			headers = []string{bad}
		}
		if res, _ := tw.get(t, "/v1/halls/441300", headers...); len(res.Header.Get("X-Request-Id")) != 36 {
			t.Errorf("%q became %q", bad, res.Header.Get("X-Request-Id"))
		}
	}
}

func TestRefusalIsTheServices(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	bearer := "Authorization: Bearer " + tw.token(t, "zhang")
	path := "/v1/halls/441300/cases/441300260105000000018"
	res, body := tw.get(t, path, bearer)
	e := errorOf(t, body)
	want := gateway.ErrorInfo{
		Code: 409, Status: "FAILED_PRECONDITION", Reason: "CASE_WRONG_STATE", Message: fault.CaseWrongState.ZH,
		Metadata: map[string]string{"state": "draft"}, RequestID: res.Header.Get("X-Request-Id"),
	}
	if diff := cmp.Diff(want, e); diff != "" || res.StatusCode != 409 {
		t.Errorf("%d %s", res.StatusCode, diff)
	}
	if strings.Contains(body, "EOF") {
		t.Errorf("the cause left: %s", body)
	}
	_, body = tw.get(t, path, bearer, "Accept-Language: en-GB,zh;q=0.5")
	if got := errorOf(t, body).Message; got != fault.CaseWrongState.EN {
		t.Errorf("English: %q", got)
	}
	res, body = tw.get(t, "/v1/halls/000002")
	if e := errorOf(t, body); e.Code != 429 || e.RetryAfterMS != 1500 || res.Header.Get("Retry-After") != "2" {
		t.Errorf("retry: %+v %q", e, res.Header.Get("Retry-After"))
	}
	_, body = tw.get(t, "/v1/halls/000001")
	if e := errorOf(t, body); e.Reason != "INTERNAL" || strings.Contains(body, "secrets") {
		t.Errorf("panic: %s", body)
	}
}

// H21, H24 and 5.3 where they are no refusals.
func TestTimeoutIsClamped(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	for header, want := range map[string][2]time.Duration{
		"":          {8 * time.Second, 10 * time.Second},
		"99999999H": {25 * time.Second, 30 * time.Second},
		"4S":        {3 * time.Second, 4 * time.Second},
	} {
		var headers []string
		if header != "" {
			headers = []string{"Grpc-Timeout: " + header}
		}
		if res, body := tw.get(t, "/v1/halls/441300", headers...); res.StatusCode != http.StatusOK {
			t.Fatalf("%q: %d %s", header, res.StatusCode, body)
		}
		if left := tw.last(t).left; left < want[0] || left > want[1] {
			t.Errorf("%q left the service %v", header, left)
		}
	}
	for _, header := range []string{"0S", "1n"} {
		started := time.Now()
		res, body := tw.get(t, "/v1/halls/999998", "Grpc-Timeout: "+header)
		if res.StatusCode != http.StatusGatewayTimeout || time.Since(started) > 5*time.Second {
			t.Errorf("%q: %d after %v: %s", header, res.StatusCode, time.Since(started), body)
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const friend = "https://portal.example"
	tw := start(t, func(c *gateway.Config) { c.AllowedOrigins = []string{friend} })
	for _, tc := range []struct {
		name, line string
		headers    []string
		status     int
		allowed    string
	}{
		{"preflight", "OPTIONS /v1/halls/441300", []string{"Origin: " + friend, "Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: authorization, content-type"}, 204, friend},
		{"preflight of an unsafe header", "OPTIONS /v1/halls/441300", []string{"Origin: " + friend, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: x-user-id"}, 403, ""},
		{"allowed", "GET /v1/halls/441300", []string{"Origin: " + friend}, 200, friend},
		{"unknown but safe", "GET /v1/halls/441300", []string{"Origin: https://evil.example"}, 200, ""},
		{"prefix of an allowed one", "GET /v1/halls/441300", []string{"Origin: " + friend + ".evil.example"}, 200, ""},
		{"our own page", "GET /v1/halls/441300", []string{"Origin: http://" + tw.addr}, 200, ""},
		{"plain OPTIONS", "OPTIONS /v1/halls/441300", nil, 204, ""},
	} {
		res, body := tw.send(t, tc.line, tc.headers, "")
		if res.StatusCode != tc.status || res.Header.Get("Access-Control-Allow-Origin") != tc.allowed {
			t.Errorf("%s: %d, allowed %q: %s", tc.name, res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"), body)
		}
		if res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: credentials allowed", tc.name)
		}
		if tc.headers != nil && !strings.Contains(res.Header.Get("Vary"), "Origin") {
			t.Errorf("%s: Vary %q", tc.name, res.Header.Get("Vary"))
		}
	}
	res, _ := tw.send(t, progress, []string{jsonBody, "Origin: http://" + tw.addr}, goodQuery)
	if res.StatusCode != http.StatusOK {
		t.Errorf("our own page may not post: %d", res.StatusCode)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	tw := start(t, func(c *gateway.Config) { c.HSTS = true; c.Hosts = []string{"127.0.0.1"} })
	for _, path := range []string{"/v1/halls/441300", "/v1/nothing", "/", "/docs", "/openapi.json", "/static/portal.css"} {
		res, _ := tw.get(t, path)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Strict-Transport-Security": "max-age=31536000; includeSubDomains",
		} {
			if name == "Referrer-Policy" && strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				want = "same-origin" // or the page's own forms would come from nowhere
			}
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		policy := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	// H25: a foreign Host is turned away, an absolute address too.
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
		"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
	} {
		if res, body := tw.raw(t, request); res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%q: %d %s", request, res.StatusCode, body)
		}
	}
	// H06: headers without end get 431 or no answer, and never a service.
	calls := tw.count()
	for name, headers := range map[string]string{
		"one of 64 KiB": "X-Long: " + strings.Repeat("x", 64<<10) + "\r\n",
		"10,000":        strings.Repeat("X-Many: y\r\n", 10_000),
	} {
		res, _, err := tw.exchange("GET /v1/halls/441300 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n")
		if err == nil && res.StatusCode != http.StatusRequestHeaderFieldsTooLarge || tw.count() != calls {
			t.Errorf("%s: %v %v", name, res, err)
		}
	}
}

// H02: a body that does not end is cut off at the limit.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	conn, err := net.Dial("tcp", tw.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := io.WriteString(conn, progress+" HTTP/1.1\r\nHost: x\r\n"+jsonBody+"\r\nTransfer-Encoding: chunked\r\n\r\n")
		for chunk := "1000\r\n" + strings.Repeat(" ", 0x1000) + "\r\n"; err == nil; {
			_, err = io.WriteString(conn, chunk)
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusRequestEntityTooLarge || !res.Close {
		t.Errorf("%d, closing %v", res.StatusCode, res.Close)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	res, body := tw.get(t, "/v1/halls/441300")
	if res.Header.Get("Content-Type") != "application/json" || strings.ReplaceAll(body, " ", "") != `{"name":"halls/441300","displayName":"惠州市"}` {
		t.Errorf("%s %s", res.Header.Get("Content-Type"), body)
	}
	res, body = tw.send(t, "HEAD /v1/halls/441300", nil, "")
	if res.StatusCode != http.StatusOK || body != "" || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: %d %q", res.StatusCode, body)
	}
	bearer := "Authorization: Bearer " + tw.token(t, "admin")
	// The body fills one field, the query the rest.
	res, body = tw.send(t, "POST /v1/halls?requestId=9b2f0b5e-1f0a-4c0f-8a57-b7e1a5c6a001", []string{jsonBody, bearer},
		`{"name":"halls/441300","displayName":"惠州市","level":"LEVEL_CITY"}`)
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "LEVEL_CITY") {
		t.Errorf("body of one field: %d %s", res.StatusCode, body)
	}
	_, body = tw.send(t, "POST /v1/halls?requestId=9b2f0b5e-1f0a-4c0f-8a57-b7e1a5c6a001", []string{jsonBody, bearer}, `{"nope":1}`)
	if e := errorOf(t, body); len(e.FieldViolations) != 1 || e.FieldViolations[0].Field != "hall.nope" {
		t.Errorf("field of the body: %s", body)
	}
	calls := tw.count()
	if res, _ = tw.send(t, "POST /v1/halls", []string{jsonBody}, `{"name":"halls/441300","displayName":"惠州市","level":"LEVEL_CITY"}`); res.StatusCode != 401 || tw.count() != calls {
		t.Errorf("without token: %d, calls %d", res.StatusCode, tw.count()-calls)
	}
}

func TestRateAndConnections(t *testing.T) {
	t.Parallel()
	tw := start(t, func(c *gateway.Config) { c.MaxConnsPerAddress = 3 })
	var open []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", tw.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		open = append(open, conn)
	}
	over, err := net.Dial("tcp", tw.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer over.Close()
	if err := over.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := over.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a fourth connection was served: %d %v", n, err)
	}
	for _, c := range open {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}

	limited := start(t, func(c *gateway.Config) { c.RatePerSecond, c.RateBurst = 0.001, 40 })
	var refused bool
	for range 60 {
		res, body := limited.get(t, "/v1/nothing")
		if res.StatusCode == http.StatusTooManyRequests {
			refused = errorOf(t, body).Reason == "TOO_MANY_REQUESTS" && res.Header.Get("Retry-After") == "1"
		}
	}
	if !refused {
		t.Error("60 requests passed a burst of 40")
	}
}

// A request that is being answered is finished, new connections are not taken, and the
// end comes by itself.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	answer := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + tw.addr + "/v1/halls/999999")
		if err != nil {
			answer <- 0
			return
		}
		defer res.Body.Close()
		answer <- res.StatusCode
	}()
	<-tw.arrived
	stopped := make(chan error, 1)
	go func() { stopped <- tw.stop() }()
	for {
		conn, err := net.Dial("tcp", tw.addr)
		if err != nil {
			break // the listener is closed
		}
		conn.Close()
		time.Sleep(time.Millisecond)
	}
	if roles, _ := tw.house.Runtime.Ready.Snapshot(); roles[gateway.Role] {
		t.Error("still ready")
	}
	close(tw.hold)
	if code := <-answer; code != http.StatusOK {
		t.Errorf("the request in flight got %d", code)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*gateway.Config){
		"star origin":     func(c *gateway.Config) { c.AllowedOrigins = []string{"*"} },
		"origin and path": func(c *gateway.Config) { c.AllowedOrigins = []string{"https://a.example/"} },
		"half of TLS":     func(c *gateway.Config) { c.Cert = "x" },
		"no body":         func(c *gateway.Config) { c.MaxBody = 0 },
		"endless call":    func(c *gateway.Config) { c.Timeout = time.Hour },
		"script sign-in":  func(c *gateway.Config) { c.SignIn = "javascript:alert(1)" },
	} {
		c := gateway.DefaultConfig()
		change(&c)
		if g, err := gateway.New(t.Context(), c, nil); err == nil || g != nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// H10: who sends nothing, or a body that stops, does not hold a connection.
func TestSilentClients(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	for _, tc := range []struct {
		name, sent string
		within     time.Duration
	}{
		{"nothing", "", 7 * time.Second},
		{"half a header", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 7 * time.Second},
		{"half a body", progress + " HTTP/1.1\r\nHost: x\r\n" + jsonBody + "\r\nContent-Length: 100\r\n\r\n{", 12 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", tw.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tc.sent); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(tc.within)); err != nil {
				t.Fatal(err)
			}
			if answer, err := io.ReadAll(conn); err != nil {
				t.Errorf("still open after %v: %v %s", tc.within, err, answer)
			}
		})
	}
}

// What the log says of a request names neither a case nor what somebody typed, and stays
// one line of JSON.
func TestLogKeepsQuiet(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	tw := start(t, nil)
	rt := *tw.house.Runtime
	rt.Log = slog.New(slog.NewJSONHandler(&out, nil))
	gw, err := gateway.New(t.Context(), gateway.DefaultConfig(), &rt)
	if err != nil {
		t.Fatal(err)
	}
	defer gw.Close()
	srv := httptest.NewServer(gw.Handler())
	defer srv.Close()
	for _, path := range []string{
		"/v1/halls/441300/cases/441300260105000000018", "/v1/items:search?query=canary%0Acanary", "/search?q=canary", "/v1/canary", "/v1/halls?canary=canary", "/canary",
	} {
		res, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	res, err := http.PostForm(srv.URL+"/progress", url.Values{"case_no": {"441300260105000000018"}, "query_code": {"canary"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 7 {
		t.Errorf("%d lines for 7 requests", len(lines))
	}
	for _, line := range lines {
		if strings.Contains(line, "canary") || strings.Contains(line, "441300260105000000018") {
			t.Errorf("the log tells: %s", line)
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["pattern"] == nil || fields["request_id"] == nil {
			t.Errorf("no line: %v %s", err, line)
		}
	}
}

// syncBuffer is a log's destination.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// With all places taken a request is told so at once, and let in when one is free.
func TestOverload(t *testing.T) {
	t.Parallel()
	tw := start(t, func(c *gateway.Config) { c.MaxInFlight = 1 })
	done := make(chan error, 1)
	go func() {
		_, _, err := tw.exchange("GET /v1/halls/999999 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		done <- err
	}()
	<-tw.arrived
	res, body := tw.get(t, "/v1/halls/441300")
	if res.StatusCode != http.StatusServiceUnavailable || errorOf(t, body).RetryAfterMS != 1000 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	close(tw.hold)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if res, body = tw.get(t, "/v1/halls/441300"); res.StatusCode != http.StatusOK {
		t.Errorf("after it: %d %s", res.StatusCode, body)
	}
}
