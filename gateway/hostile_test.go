package gateway_test

import (
	"net/http"
	"strings"
	"testing"
)

// reader is the body of a public method, asked for with a good number and code.
const (
	jsonBody  = "Content-Type: application/json"
	progress  = "POST /v1/cases:queryProgress"
	goodQuery = `{"caseNo":"441300260105000000018","queryCode":"good"}`
)

// attack is one thing that anybody can send, and what must come of it.
type attack struct {
	id      string // of the plan's hostile inputs
	name    string
	line    string
	headers []string
	body    string
	status  int
	reason  string
	field   string
}

func TestHostileShape(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	bearer := "Authorization: Bearer " + tw.token(t, "zhang")
	long := strings.Repeat("x", 100<<10)
	for _, a := range []attack{
		{"H01", "one byte over the limit", progress, []string{jsonBody}, strings.Repeat(" ", 1<<20+1), 413, "BODY_TOO_LARGE", ""},
		{"H01", "at the limit", progress, []string{jsonBody}, strings.Repeat(" ", 1<<20), 400, "BAD_JSON", ""},
		{"H04", "compressed body", progress, []string{jsonBody, "Content-Encoding: gzip"}, goodQuery, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"H14", "plain text", progress, []string{"Content-Type: text/plain"}, goodQuery, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"H14", "no type", progress, nil, goodQuery, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"H14", "multipart", progress, []string{"Content-Type: multipart/form-data; boundary=x"}, goodQuery, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"H14", "two types", progress, []string{jsonBody, "Content-Type: text/plain"}, goodQuery, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"H14", "other charset", progress, []string{"Content-Type: application/json; charset=gbk"}, goodQuery, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"H14", "utf-8 named", progress, []string{"Content-Type: application/json; charset=UTF-8"}, goodQuery, 200, "", ""},
		{"H15", "image wanted", "GET /v1/halls/441300", []string{"Accept: image/png"}, "", 406, "NOT_ACCEPTABLE", ""},
		{"H15", "JSON unwanted", "GET /v1/halls/441300", []string{"Accept: application/json;q=0"}, "", 406, "NOT_ACCEPTABLE", ""},
		{"H15", "browser", "GET /v1/halls/441300", []string{"Accept: text/html,application/xhtml+xml,*/*;q=0.8"}, "", 200, "", ""},
		{"H16", "PUT", "PUT /v1/halls/441300", []string{jsonBody}, "{}", 405, "METHOD_NOT_ALLOWED", ""},
		{"H16", "TRACE", "TRACE /v1/halls/441300", nil, "", 405, "METHOD_NOT_ALLOWED", ""},
		{"H16", "GET on POST only", "GET /v1/halls/441300:launch", nil, "", 405, "METHOD_NOT_ALLOWED", ""},
		{"H16", "invented method", "FROBNICATE /v1/halls/441300", nil, "", 405, "METHOD_NOT_ALLOWED", ""},
		{"H17", "method override", "POST /v1/halls/441300", []string{"Content-Type: application/x-www-form-urlencoded", "X-HTTP-Method-Override: DELETE"}, "a=b", 400, "METHOD_OVERRIDE_FORBIDDEN", ""},
		{"H18", "form to a GET path", "POST /v1/halls/441300", []string{"Content-Type: application/x-www-form-urlencoded"}, "a=b", 405, "METHOD_NOT_ALLOWED", ""},
		{"H19", "escaped slash", "GET /v1/halls%2F441300", nil, "", 400, "BAD_PATH", ""},
		{"H19", "escaped slash in a name", "GET /v1/halls/441300%2fitems", nil, "", 400, "BAD_PATH", ""},
		{"H19", "escaped dots", "GET /v1/halls/%2e%2e/441300", nil, "", 400, "BAD_PATH", ""},
		{"H19", "dots", "GET /v1/halls/../halls/441300", nil, "", 400, "BAD_PATH", ""},
		{"H19", "NUL", "GET /v1/halls/441300%00", nil, "", 400, "BAD_PATH", ""},
		{"H19", "semicolon", "GET /v1/halls/441300;a=b", nil, "", 400, "BAD_PATH", ""},
		{"H19", "two slashes", "GET /v1//halls/441300", nil, "", 400, "BAD_PATH", ""},
		{"H19", "slash at the end", "GET /v1/halls/441300/", nil, "", 404, "NOT_FOUND", ""},
		{"H19", "overlong UTF-8", "GET /v1/halls/%c0%af441300", nil, "", 400, "BAD_PATH", ""},
		{"H19", "escaped digit", "GET /v1/halls/44130%30", nil, "", 400, "BAD_PATH", ""},
		{"H19", "trailing dot", "GET /v1/halls/441300.", nil, "", 400, "BAD_PATH", ""},
		{"H19", "trailing space", "GET /v1/halls/441300%20", nil, "", 400, "BAD_PATH", ""},
		{"H19", "backslash", `GET /v1/halls\441300`, nil, "", 400, "BAD_PATH", ""},
		{"H20", "escaped colon", "POST /v1/halls/441300%3Alaunch", []string{jsonBody}, "{}", 404, "NOT_FOUND", ""},
		{"H20", "two verbs", "POST /v1/halls/441300:launch:launch", []string{jsonBody}, "{}", 400, "BAD_PATH", ""},
		{"H21", "timeout abc", "GET /v1/halls/441300", []string{"Grpc-Timeout: abc"}, "", 400, "BAD_TIMEOUT", ""},
		{"H21", "timeout negative", "GET /v1/halls/441300", []string{"Grpc-Timeout: -5S"}, "", 400, "BAD_TIMEOUT", ""},
		{"H21", "two timeouts", "GET /v1/halls/441300", []string{"Grpc-Timeout: 1S", "Grpc-Timeout: 2S"}, "", 400, "BAD_TIMEOUT", ""},
		{"H23", "two tokens", "GET /v1/halls/441300", []string{bearer, bearer}, "", 401, "UNAUTHENTICATED", ""},
		{"H23", "empty bearer", "GET /v1/halls/441300", []string{"Authorization: Bearer "}, "", 401, "UNAUTHENTICATED", ""},
		{"H23", "basic", "GET /v1/halls/441300", []string{"Authorization: Basic eDp5"}, "", 401, "UNAUTHENTICATED", ""},
		{"H23", "long token", "GET /v1/halls/441300", []string{"Authorization: Bearer " + long[:9<<10]}, "", 401, "UNAUTHENTICATED", ""},
		{"H23", "token with a comma", "GET /v1/halls/441300", []string{bearer + ", Bearer x"}, "", 401, "UNAUTHENTICATED", ""},
		{"H23", "made-up token on a public method", "GET /v1/halls/441300", []string{"Authorization: Bearer abc.def.ghi"}, "", 401, "UNAUTHENTICATED", ""},
		{"H23", "token in the query", "GET /v1/halls/441300?access_token=x", nil, "", 401, "UNAUTHENTICATED", ""},
		{"H24", "unknown origin, unsafe", progress, []string{jsonBody, "Origin: https://evil.example"}, goodQuery, 403, "ORIGIN_FORBIDDEN", ""},
		{"H24", "null origin, unsafe", progress, []string{jsonBody, "Origin: null"}, goodQuery, 403, "ORIGIN_FORBIDDEN", ""},
		{"H24", "preflight of an unknown origin", "OPTIONS /v1/halls/441300", []string{"Origin: https://evil.example", "Access-Control-Request-Method: GET"}, "", 403, "ORIGIN_FORBIDDEN", ""},
		{"H30", "unknown parameter", "GET /v1/halls?pagesize=1", nil, "", 400, "UNKNOWN_PARAMETER", "pagesize"},
		{"H30", "parameter that the path fills", "GET /v1/halls/441300?name=halls/440000", nil, "", 400, "UNKNOWN_PARAMETER", "name"},
		{"H30", "parameter beside a whole body", progress + "?caseNo=1", []string{jsonBody}, goodQuery, 400, "UNKNOWN_PARAMETER", "caseNo"},
		{"H30", "parameter twice", "GET /v1/halls?pageSize=1&page_size=2", nil, "", 400, "DUPLICATE_KEY", "pageSize"},
		{"H30", "parameter of another kind", "GET /v1/halls?pageSize=many", nil, "", 400, "INVALID_ARGUMENT", "pageSize"},
		{"H32", "parameter out of range", "GET /v1/halls?pageSize=2147483648", nil, "", 400, "INVALID_ARGUMENT", "pageSize"},
		{"H34", "parameter of no such enum", "GET /v1/halls?level=LEVEL_MOON", nil, "", 400, "INVALID_ARGUMENT", "level"},
		{"H35", "parameter of no UTF-8", "GET /v1/items:search?query=%ff", nil, "", 400, "BAD_TEXT", "query"},
		{"H36", "parameter with NUL", "GET /v1/items:search?query=a%00b", nil, "", 400, "BAD_TEXT", "query"},
		{"H49", "negative page size", "GET /v1/halls?pageSize=-1", nil, "", 400, "BAD_PAGE_SIZE", "pageSize"},
		{"", "body on GET", "GET /v1/halls/441300", []string{jsonBody}, "{}", 400, "INVALID_ARGUMENT", ""},
		{"", "unknown path", "GET /v1/nothing", nil, "", 404, "NOT_FOUND", ""},
		{"", "unknown thing", "GET /v1/halls/000000", nil, "", 404, "NOT_FOUND", ""},
		{"N6", "no token", "GET /v1/halls/441300/cases/441300260105000000018", nil, "", 401, "UNAUTHENTICATED", ""},
		{"H47", "name that is none", "GET /v1/halls/44130x", nil, "", 400, "INVALID_ARGUMENT", "name"},
	} {
		tw.try(t, a)
	}
}

func TestHostileBody(t *testing.T) {
	t.Parallel()
	tw := start(t, nil)
	bearer := "Authorization: Bearer " + tw.token(t, "zhang")
	file := "POST /v1/halls/441300/cases:file"
	good := `{"case":{"item":"` + itemName + `","applicant":{"type":1,"displayName":"张三","idType":1,"idNumber":"x","phone":"1"}@CASE},"requestId":"9b2f0b5e-1f0a-4c0f-8a57-b7e1a5c6a001"@OUTSIDE}`
	with := func(inCase, outside string) string {
		return strings.NewReplacer("@CASE", inCase, "@OUTSIDE", outside).Replace(good)
	}
	for _, a := range []attack{
		{"", "good", file, nil, with("", ""), 200, "", ""},
		{"H26", "empty", file, nil, "", 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"H26", "blank", file, nil, " ", 400, "BAD_JSON", ""},
		{"H26", "list", file, nil, "[]", 400, "BAD_JSON", ""},
		{"H26", "null", file, nil, "null", 400, "BAD_JSON", ""},
		{"H26", "string", file, nil, `"x"`, 400, "BAD_JSON", ""},
		{"H26", "truncated", file, nil, `{"case":{`, 400, "BAD_JSON", "case"},
		{"H26", "BOM", file, nil, "\xef\xbb\xbf" + with("", ""), 400, "BAD_JSON", ""},
		{"H27", "second value", file, nil, with("", "") + "{}", 400, "TRAILING_DATA", ""},
		{"H28", "duplicate key", file, nil, with("", `,"consent":true,"consent":false`), 400, "DUPLICATE_KEY", "consent"},
		{"H28", "two spellings", file, nil, with("", `,"request_id":"x"`), 400, "DUPLICATE_KEY", "requestId"},
		{"H29", "typo", file, nil, with(`,"subjekt":"x"`, ""), 400, "UNKNOWN_FIELD", "case.subjekt"},
		{"H31", "deep form", file, nil, with(`,"form":`+strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40), ""), 400, "BAD_JSON", "-"},
		{"H32", "1e1", file, nil, with("", `,"itemRevision":1e1`), 200, "", ""},
		{"H32", "1.0", file, nil, with("", `,"itemRevision":1.0`), 200, "", ""},
		{"H32", "12 as text", file, nil, with("", `,"itemRevision":"12"`), 200, "", ""},
		{"H32", "1.5", file, nil, with("", `,"itemRevision":1.5`), 400, "INVALID_ARGUMENT", ""},
		{"H32", "2^31", file, nil, with("", `,"itemRevision":2147483648`), 400, "INVALID_ARGUMENT", ""},
		{"H32", "2^63", file, nil, with("", `,"itemRevision":9223372036854775808`), 400, "INVALID_ARGUMENT", ""},
		{"H33", "NaN", file, nil, with("", `,"itemRevision":"NaN"`), 400, "INVALID_ARGUMENT", ""},
		{"H33", "1e999 in the form", file, nil, with(`,"form":{"a":1e999}`, ""), 400, "INVALID_ARGUMENT", ""},
		{"H34", "unknown enum word", file, nil, with(`,"channel":"CHANNEL_PIGEON"`, ""), 400, "INVALID_ARGUMENT", ""},
		{"H34", "unknown enum number", file, nil, with(`,"channel":99`, ""), 400, "INVALID_ARGUMENT", "case.channel"},
		{"H35", "invalid UTF-8", file, nil, with(`,"subject":"`+"\xff"+`"`, ""), 400, "BAD_JSON", "case.subject"},
		{"H35", "lone surrogate", file, nil, with(`,"subject":"\ud800"`, ""), 400, "BAD_JSON", "case.subject"},
		{"H36", "NUL", file, nil, with(`,"subject":"a\u0000"`, ""), 400, "BAD_TEXT", "case.subject"},
		{"H40", "no zone", file, nil, with("", `,"happenedAt":"2026-01-05T09:00:00"`), 400, "INVALID_ARGUMENT", ""},
		{"H53", "request id of zeros", file, nil, strings.Replace(with("", ""), "9b2f0b5e-1f0a-4c0f-8a57-b7e1a5c6a001", "00000000-0000-0000-0000-000000000000", 1), 400, "REQUEST_ID_INVALID", ""},
	} {
		if a.body != "" {
			a.headers = []string{jsonBody}
		}
		a.headers = append(a.headers, bearer)
		tw.try(t, a)
	}
	// H46: text is data. It comes back as it went in.
	hostile := `<script>alert(1)</script> javascript:x =cmd| {{.}} ' OR 1=1 -- $(id) %s%n`
	_, body := tw.send(t, file, []string{jsonBody, bearer}, with(`,"subject":"`+hostile+`"`, ""))
	if !strings.Contains(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(body), hostile) {
		t.Errorf("H46: text changed: %s", body)
	}
}

// try sends one attack. A refusal has one form, says nothing of the inside and names
// the request.
func (tw *town) try(t *testing.T, a attack) {
	t.Helper()
	t.Run(strings.TrimSpace(a.id+" "+a.name), func(t *testing.T) {
		res, body := tw.send(t, a.line, a.headers, a.body)
		if res.StatusCode != a.status {
			t.Fatalf("status %d, want %d: %.300s", res.StatusCode, a.status, body)
		}
		if a.reason == "" {
			return
		}
		e := errorOf(t, body)
		if e.Reason != a.reason || e.Code != a.status {
			t.Errorf("reason %s (%d), want %s", e.Reason, e.Code, a.reason)
		}
		field := ""
		if len(e.FieldViolations) > 0 {
			field = e.FieldViolations[0].Field
		}
		if a.field != "-" && a.field != "" && field != a.field {
			t.Errorf("field %q, want %q", field, a.field)
		}
		if e.RequestID == "" || e.RequestID != res.Header.Get("X-Request-Id") || e.Message == "" {
			t.Errorf("refusal lacks something: %s", body)
		}
		if res.StatusCode == http.StatusMethodNotAllowed && res.Header.Get("Allow") == "" {
			t.Error("405 without Allow")
		}
		if res.StatusCode == http.StatusUnauthorized && res.Header.Get("WWW-Authenticate") != `Bearer realm="onehall"` {
			t.Errorf("WWW-Authenticate %q", res.Header.Get("WWW-Authenticate"))
		}
		if res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("an origin was allowed")
		}
	})
}
