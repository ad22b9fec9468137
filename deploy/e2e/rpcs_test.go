package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/services/platform/authn"
)

// rpcs are all methods of the contract, by service and name, with the role that serves
// them. The feed is served by every role; casework stands for all.
func rpcs() map[string]rpcMethod {
	all := map[string]rpcMethod{}
	protoregistry.GlobalFiles.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(fd.Package()), "onehall.") {
			return true
		}
		// The package names the role: onehall.casework.v1.
		role := strings.Split(string(fd.Package()), ".")[1]
		if role == "feed" {
			role = ""
		}
		for i := range fd.Services().Len() {
			sd := fd.Services().Get(i)
			for j := range sd.Methods().Len() {
				m := rpcMethod{role: role, desc: sd.Methods().Get(j), public: role != ""}
				if role == "" {
					m.role = "casework"
				}
				all[string(m.desc.Name())] = m
			}
		}
		return true
	})
	return all
}

// rpcMethod is one method and where it is served.
type rpcMethod struct {
	role string
	desc protoreflect.MethodDescriptor
	// public tells that the gateway opens the method too.
	public bool
}

func (m rpcMethod) full() string {
	return "/" + string(m.desc.Parent().FullName()) + "/" + string(m.desc.Name())
}

// answer is what a call led to, in the words of gRPC.
type answer struct {
	code      codes.Code
	reason    string
	fields    []string
	message   string
	requestID string
	// body is all of a REST answer.
	body string
	http int
}

// rpc calls a method straight at its service.
func (s *scene) rpc(ctx context.Context, m rpcMethod, who *authn.User, req proto.Message) answer {
	s.t.Helper()
	if who != nil {
		ctx = s.Context(ctx, *who)
	}
	var trailer metadata.MD
	err := invoke(ctx, s.Conn(m.role), m, req, &trailer)
	a := answer{code: status.Code(err), message: status.Convert(err).Message()}
	if ids := trailer.Get("x-request-id"); len(ids) == 1 {
		a.requestID = ids[0]
	}
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			a.reason = d.GetReason()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				a.fields = append(a.fields, v.GetField())
			}
		}
	}
	a.body = fmt.Sprint(status.Convert(err).Proto())
	return a
}

// invoke makes one call; of a stream it reads one message and leaves.
func invoke(ctx context.Context, conn *grpc.ClientConn, m rpcMethod, req proto.Message, trailer *metadata.MD) error {
	out, err := protoregistry.GlobalTypes.FindMessageByName(m.desc.Output().FullName())
	if err != nil {
		return err
	}
	if !m.desc.IsStreamingServer() {
		return conn.Invoke(ctx, m.full(), req, out.New().Interface(), grpc.Trailer(trailer))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, m.full(), grpc.Trailer(trailer))
	if err != nil {
		return err
	}
	if err := stream.SendMsg(req); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(out.New().Interface())
}

// rest calls a method through the gateway.
func (s *scene) rest(ctx context.Context, m rpcMethod, who *authn.User, req proto.Message) answer {
	s.t.Helper()
	call, err := house.REST(m.desc, req)
	if err != nil {
		s.t.Fatalf("%s: %v", m.desc.Name(), err)
	}
	header := http.Header{}
	if call.Body != nil {
		header.Set("Content-Type", "application/json")
	}
	return s.http(ctx, restForm{method: call.Method, path: call.Path, body: string(call.Body), noBody: call.Body == nil, header: header}, who)
}

// restForm is an HTTP request as it is written.
type restForm struct {
	method, path string
	// raw is a path that the URL parser would not take.
	raw    string
	body   string
	noBody bool
	header http.Header
}

// http sends a request as it is; of a stream it reads one line and leaves.
func (s *scene) http(ctx context.Context, f restForm, who *authn.User) answer {
	s.t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var body io.Reader
	if !f.noBody {
		body = strings.NewReader(f.body)
	}
	req, err := http.NewRequestWithContext(ctx, f.method, s.Gateway+f.path, body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", f.method, f.path, err)
	}
	if f.raw != "" {
		req.URL.Opaque = strings.TrimPrefix(s.Gateway, "http:") + f.raw
	}
	req.Header = f.header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if who != nil {
		req.Header["Authorization"] = append([]string{"Bearer " + s.Token(*who)}, req.Header["Authorization"]...)
	}
	resp, err := s.HTTP().Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", f.method, f.path, err)
	}
	defer func() { _ = resp.Body.Close() }() // of a stream we leave in the middle
	return restAnswer(s.t, resp)
}

func restAnswer(t testing.TB, resp *http.Response) answer {
	t.Helper()
	a := answer{http: resp.StatusCode}
	if resp.StatusCode/100 == 2 {
		return a
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	a.body = string(raw)
	var body struct{ Error restclient.Error }
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Errorf("%s: not an error body: %s", resp.Status, raw)
		return a
	}
	r := body.Error
	a.reason, a.message, a.requestID = r.Reason, r.Message, r.RequestID
	if err := a.code.UnmarshalJSON([]byte(`"` + r.Code + `"`)); err != nil {
		t.Errorf("the answer's status %q is no code of gRPC: %s", r.Code, raw)
	}
	for _, v := range r.FieldViolations {
		a.fields = append(a.fields, v.Field)
	}
	return a
}
