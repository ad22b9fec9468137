package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
)

// progressPath takes a body from anybody and changes nothing: most of what is wrong with
// a body is shown to it.
const progressPath = "/v1/cases:queryProgress"

// goodProgress is a body that gets as far as a 404.
const goodProgress = `{"caseNo":"441300000000000000000","queryCode":"7777777777"}`

// framingRows are inputs that are wrong before anybody reads them: H01, H05, H14-H20.
func (r *badRun) framingRows() []bad {
	return append(r.sizeRows(), r.pathRows()...)
}

func (r *badRun) sizeRows() []bad {
	const mib = 1 << 20
	long := func(n int) string { return strings.Repeat("x", n) }
	wire := func(path, header string, body io.Reader) *wireForm {
		return &wireForm{head: "POST " + path + " HTTP/1.1\r\nHost: hall\r\nContent-Type: application/json\r\n" + header + "\r\n\r\n", body: body}
	}
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d", n) }
	quoted := func(n int) io.Reader {
		return io.MultiReader(strings.NewReader(`{"caseNo":"`), bytes.NewReader(bytes.Repeat([]byte("x"), n)))
	}
	chunk := func() io.Reader {
		const size = 64 << 10
		var all []io.Reader
		for range 40 {
			all = append(all, strings.NewReader(fmt.Sprintf("%x\r\n%s\r\n", size, long(size))))
		}
		return io.MultiReader(all...)
	}
	tooLarge := bad{code: codes.ResourceExhausted, status: http.StatusRequestEntityTooLarge, reason: "BODY_TOO_LARGE"}
	var rows []bad
	for _, w := range []struct {
		class, what string
		form        *wireForm
	}{
		{"H01", "a byte over the limit, nothing of it sent", wire(progressPath, length(mib+1), nil)},
		{"H01", "a byte over the limit", wire(progressPath, length(mib+1), quoted(mib))},
		{"H01", "ten times the limit", wire(progressPath, length(10*mib), quoted(mib))},
		{"H01", "an absurd length", wire(progressPath, length(1<<50), nil)},
		{"H01", "over the limit to a method that needs a token", wire("/v1/"+r.hall+"/cases:file", length(mib+1), nil)},
		{"H02", "chunks without end", wire(progressPath, "Transfer-Encoding: chunked", chunk())},
		{"H03", "one text of 32 MiB", wire(progressPath, length(32*mib), quoted(32*mib))},
	} {
		b := tooLarge
		b.class, b.what, b.wire = w.class, w.what, w.form
		rows = append(rows, b)
	}
	big := r.filing(r.fix.citizen, house.Residence)
	big.Case.Subject = long(4*mib + 1)
	imported := &cataloguev1.ImportItemsRequest{Content: make([]byte, 5*mib)}
	return append(rows,
		bad{class: "H05", what: "a message of 4 MiB and a byte", rpc: "FileCase", msg: big, grpcOnly: true, who: r.citizenUser(), code: codes.ResourceExhausted},
		bad{class: "H05", what: "a file of 5 MiB", rpc: "ImportItems", msg: imported, grpcOnly: true, code: codes.ResourceExhausted},
	)
}

func (r *badRun) pathRows() []bad {
	rows := []bad{}
	for what, h := range map[string]http.Header{
		"plain text": {"Content-Type": {"text/plain"}}, "none": {"Content-Type": {}}, "empty": {"Content-Type": {""}},
		"multipart": {"Content-Type": {"multipart/form-data; boundary=x"}}, "XML": {"Content-Type": {"application/xml"}},
		"a form": {"Content-Type": {"application/x-www-form-urlencoded"}}, "another charset": {"Content-Type": {"application/json; charset=gbk"}},
		"two": {"Content-Type": {"application/json", "application/json"}}, "gRPC": {"Content-Type": {"application/grpc"}},
		"a zipped body": {"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}},
	} {
		rows = append(rows, bad{class: "H14", what: what, http: &restForm{method: "POST", path: progressPath, body: goodProgress, header: h},
			code: codes.InvalidArgument, status: http.StatusUnsupportedMediaType, reason: "UNSUPPORTED_MEDIA_TYPE"})
	}
	for _, accept := range []string{"image/png", "text/html", "application/xml", "application/json;q=0", "application/grpc"} {
		rows = append(rows, bad{class: "H15", what: accept, http: &restForm{method: "GET", path: "/v1/rules", noBody: true, header: http.Header{"Accept": {accept}}},
			code: codes.InvalidArgument, status: http.StatusNotAcceptable, reason: "NOT_ACCEPTABLE"})
	}
	for _, m := range []string{
		"PUT /v1/halls", "DELETE /v1/halls/441300", "PATCH /v1/halls", "GET " + progressPath, "POST /v1/rules", "TRACE /v1/halls", "PUT /v1/" + r.fix.accepted.GetName(),
		"DELETE /v1/" + r.fix.accepted.GetName(), "GET /v1/" + r.fix.accepted.GetName() + ":accept", "BREW /v1/halls",
	} {
		method, path, _ := strings.Cut(m, " ")
		rows = append(rows, bad{class: "H16", what: m, http: &restForm{method: method, path: path, noBody: true},
			code: codes.Unimplemented, status: http.StatusMethodNotAllowed, reason: "METHOD_NOT_ALLOWED"})
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		h.Set(name, "DELETE")
		rows = append(rows, bad{class: "H17", what: name, http: &restForm{method: "POST", path: "/v1/halls/441300", body: "a=b", header: h},
			code: codes.InvalidArgument, status: http.StatusBadRequest, reason: "METHOD_OVERRIDE_FORBIDDEN"})
	}
	for _, path := range []string{"/v1/halls/441300", "/v1/rules", "/v1/items:search"} {
		rows = append(rows, bad{class: "H18", what: path, http: &restForm{method: "POST", path: path, body: "query=x", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
			code: codes.Unimplemented, status: http.StatusMethodNotAllowed, reason: "METHOD_NOT_ALLOWED"})
	}
	return append(rows, r.spellingRows()...)
}

// spellingRows are paths that two programs could read in two ways.
func (r *badRun) spellingRows() []bad {
	var rows []bad
	add := func(class, path string, who bool, code codes.Code, status int, reason string) {
		b := bad{class: class, what: path, http: &restForm{method: "GET", raw: path, noBody: true}, code: code, status: status, reason: reason}
		if who {
			b.who = r.citizenUser()
		}
		rows = append(rows, b)
	}
	c := r.fix.accepted.GetName()
	for _, path := range []string{
		"/v1/halls%2F441300", "/v1/halls/441300%2fcases%2f" + caseNo(r.fix.accepted), "/v1/halls/%2e%2e/rules", "/v1/halls/441300%00", "/v1/halls/441300;x=1",
		"/v1//halls", "//v1/halls", "/v1/halls/%c0%ae%c0%ae/rules", "/v1/halls/441300.", "/v1/halls/441300%20", "/v1/halls/%20441300", "/v1/halls/../rules",
		"/v1/halls/./441300", "/v1/halls/441300%0a", "/v1/halls/44130%30", "/v1/halls/%EF%BC%94%EF%BC%94%EF%BC%91%EF%BC%93%EF%BC%90%EF%BC%90",
		"/v1/halls/441300%5c", "/v1/halls/441300%3Fx", "/v1/" + c + "::accept", "/v1/halls:x/441300", "/v1/" + c + "%25",
	} {
		add("H19", path, true, codes.InvalidArgument, http.StatusBadRequest, "BAD_PATH")
	}
	for _, path := range []string{"/v1/halls/", "/v1/halls/441300/", "/v1/", "/v1/nothing", "/v1/halls/441300/cases/x/y", "/v2/halls", "/v1/" + c + ":nothing"} {
		if path == "/v2/halls" {
			continue // no API at all: a page says so
		}
		add("H19", path, true, codes.NotFound, http.StatusNotFound, "NOT_FOUND")
	}
	for _, path := range []string{"/v1/" + c + "%3Aaccept", "/v1/" + c + "%3aaccept", "/v1/cases%3AqueryProgress", "/v1/items%3Asearch", "/v1/" + r.fix.used.GetCase().GetItem() + "%3Acheck"} {
		add("H20", path, true, codes.NotFound, http.StatusNotFound, "NOT_FOUND")
	}
	return rows
}

// headerRows are H21-H23: headers that try to be more than they are.
func (r *badRun) headerRows() []bad {
	var rows []bad
	for _, v := range []string{"0S", "1n", "99999999H", "30S", "1M"} {
		rows = append(rows, bad{class: "H21", what: v + " is clamped", http: &restForm{method: "GET", path: "/v1/rules", noBody: true, header: http.Header{"Grpc-Timeout": {v}}}})
	}
	for _, v := range []string{"abc", "-5S", "5", "S", "5X", "1.5S", "999999999S", " 5S 5S", "5s", "0x5S"} {
		rows = append(rows, bad{class: "H21", what: v, http: &restForm{method: "GET", path: "/v1/rules", noBody: true, header: http.Header{"Grpc-Timeout": {v}}},
			code: codes.InvalidArgument, status: http.StatusBadRequest, reason: "BAD_TIMEOUT"})
	}
	chief := "Bearer " + r.Token(supervisorUser)
	for name, value := range map[string]string{
		"Grpc-Metadata-Authorization": chief, "Grpc-Metadata-X-User-Id": "user/" + supervisorUser.Login, "Grpcgateway-Authorization": chief,
		"Grpcgateway-X-User-Id": "1", "X-User-Id": "1", "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "X_User_Id": "1", "X-Roles": "supervisor",
		"Cookie": "token=" + r.Token(supervisorUser), "X-Forwarded-Authorization": chief, "Proxy-Authorization": chief,
	} {
		h := http.Header{name: {value}}
		rows = append(rows, bad{class: "H22", what: name + " of nobody", http: &restForm{method: "GET", path: "/v1/" + r.hall + "/cases", noBody: true, header: h},
			code: codes.Unauthenticated, status: http.StatusUnauthorized, reason: "UNAUTHENTICATED"})
		rows = append(rows, bad{class: "H22", what: name + " of an applicant", http: &restForm{method: "GET", path: "/v1/" + r.fix.others.GetName(), noBody: true, header: h},
			who: r.citizenUser(), code: codes.NotFound, status: http.StatusNotFound, reason: "NOT_FOUND"})
	}
	return append(rows, r.tokenRows()...)
}

func (r *badRun) tokenRows() []bad {
	good := r.Token(*r.citizenUser())
	parts := strings.Split(good, ".")
	var rows []bad
	for what, auth := range map[string][]string{
		"two headers": {"Bearer " + good, "Bearer " + good}, "an empty token": {"Bearer "}, "no token": {"Bearer"}, "basic": {"Basic dXNlcjpwYXNz"},
		"10 KiB": {"Bearer " + strings.Repeat("x", 10<<10)}, "cut short": {"Bearer " + good[:len(good)-6]}, "no signature": {"Bearer " + parts[0] + "." + parts[1] + "."},
		"another key": {"Bearer " + r.forged(*r.citizenUser())}, "no algorithm": {"Bearer eyJhbGciOiJub25lIn0." + parts[1] + "."}, "nonsense": {"Bearer x"},
		"two in one": {"Bearer " + good + ", Bearer " + good},
	} {
		rows = append(rows, bad{class: "H23", what: what, rpc: "GetCase", msg: &caseworkv1.GetCaseRequest{Name: r.fix.accepted.GetName()}, auth: auth,
			code: codes.Unauthenticated, status: http.StatusUnauthorized, reason: "UNAUTHENTICATED", secret: good})
	}
	rows = append(rows, bad{class: "H23", what: "expired", rpc: "GetCase", msg: &caseworkv1.GetCaseRequest{Name: r.fix.accepted.GetName()}, auth: []string{"Bearer " + r.stale(*r.citizenUser())},
		code: codes.Unauthenticated, status: http.StatusUnauthorized, reason: "TOKEN_EXPIRED"})
	for _, name := range []string{"access_token", "token", "authorization"} {
		rows = append(rows, bad{class: "H23", what: name + " in the query", http: &restForm{method: "GET", path: "/v1/" + r.fix.accepted.GetName() + "?" + name + "=" + good, noBody: true},
			who: r.citizenUser(), code: codes.Unauthenticated, status: http.StatusUnauthorized, reason: "UNAUTHENTICATED", secret: good})
	}
	return rows
}
