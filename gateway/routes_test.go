package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/services/platform/fault"
)

// notebook is a channel that writes down what is called and reaches nothing.
type notebook struct {
	called  string
	request proto.Message
}

func (n *notebook) Invoke(_ context.Context, method string, req, _ any, _ ...grpc.CallOption) error {
	n.called = method
	n.request, _ = req.(proto.Message)
	return fault.Unimplemented.New()
}

func (n *notebook) NewStream(_ context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	n.called = method
	return nil, fault.Unimplemented.New()
}

// Each route leads to its own method, and gives it the names of the path.
func TestEveryRouteCallsItsMethod(t *testing.T) {
	var note notebook
	h, err := newHandlers(protojsonEncoder)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services() {
		if err := h.add(t.Context(), s, &note); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(h.table.All()); n < 65 {
		t.Fatalf("only %d routes", n)
	}
	for _, rt := range h.table.All() {
		path := samplePath(rt.Pattern)
		found, vars, offered := h.table.Match(rt.Method, path)
		if found != rt || !slices.Contains(offered, rt.Method) {
			t.Errorf("%s %s is not found as %s", rt.Method, path, rt.FullMethod())
			continue
		}
		for field, value := range vars {
			if !strings.Contains(path, value) || value == "" {
				t.Errorf("%s: %s is %q", path, field, value)
			}
		}
		body := strings.NewReader("")
		if rt.Body != nil {
			body = strings.NewReader("{}")
		}
		note = notebook{}
		h.byPath[rt](httptest.NewRecorder(), httptest.NewRequest(rt.Method, path, body), vars)
		if note.called != rt.FullMethod() {
			t.Errorf("%s %s goes to %s, want %s", rt.Method, path, note.called, rt.FullMethod())
		}
		for field, value := range vars {
			if note.request != nil && !strings.Contains(prototext.Format(note.request), value) {
				t.Errorf("%s: %s did not get %s", rt.FullMethod(), field, value)
			}
		}
	}
}

// samplePath fills the stars of a pattern.
func samplePath(pattern string) string {
	var b strings.Builder
	for rest := pattern; rest != ""; rest = rest[1:] {
		switch rest[0] {
		case '{':
			rest = rest[strings.IndexByte(rest, '='):]
		case '}':
		case '*':
			b.WriteString("x1")
		default:
			b.WriteByte(rest[0])
		}
	}
	return b.String()
}

func TestClientAddress(t *testing.T) {
	for _, tc := range []struct {
		name, peer string
		forwarded  []string
		hops       int
		want       string
	}{
		{"connection", "192.0.2.1:1", nil, 0, "192.0.2.1"},
		{"claim without proxies", "192.0.2.1:1", []string{"10.0.0.1"}, 0, "192.0.2.1"},
		{"one proxy", "10.1.1.1:1", []string{"203.0.113.9"}, 1, "203.0.113.9"},
		{"claim through one proxy", "10.1.1.1:1", []string{"1.2.3.4, 203.0.113.9"}, 1, "203.0.113.9"},
		{"claim in a header of its own", "10.1.1.1:1", []string{"1.2.3.4", "203.0.113.9"}, 1, "203.0.113.9"},
		{"two proxies", "10.1.1.1:1", []string{"1.2.3.4, 203.0.113.9, 10.1.1.2"}, 2, "203.0.113.9"},
		{"fewer entries than proxies", "10.1.1.1:1", []string{"203.0.113.9"}, 2, "10.1.1.1"},
		{"no address", "10.1.1.1:1", []string{"unknown"}, 1, "10.1.1.1"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:1", nil, 0, "192.0.2.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.peer
		for _, f := range tc.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := clientAddr(r, tc.hops); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	if neighbourhood("2001:db8::1") != neighbourhood("2001:db8::ffff") || neighbourhood("192.0.2.1") == neighbourhood("192.0.2.2") {
		t.Error("a subscriber's addresses are not one")
	}
}

func TestJSONPath(t *testing.T) {
	for path, want := range map[string]string{
		"case.applicant.id_number": "case.applicant.idNumber", "materials[2].display_name": "materials[2].displayName", "name": "name", "_": "",
	} {
		if got := jsonPath(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
