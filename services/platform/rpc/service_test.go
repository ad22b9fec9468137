package rpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/rpc"
)

// The tests bring a service of their own, so that they need no product service
// and can have methods that no product service may have.
const testService = "onehall.rpctest.v1.TestService"

var (
	testFile = registerTestFile()
	thing    = testFile.Messages().ByName("Thing")
)

func grants(pairs ...any) *optionsv1.Permission {
	p := &optionsv1.Permission{}
	for i := 0; i < len(pairs); i += 2 {
		p.Grants = append(p.Grants, &optionsv1.Grant{Role: pairs[i].(optionsv1.Role), Scope: pairs[i+1].(optionsv1.Scope)})
	}
	return p
}

func methodProto(name string, p *optionsv1.Permission, safe bool) *descriptorpb.MethodDescriptorProto {
	opts := &descriptorpb.MethodOptions{}
	if p != nil {
		proto.SetExtension(opts, optionsv1.E_Permission, p)
	}
	if safe {
		opts.IdempotencyLevel = descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()
	}
	in := ".onehall.rpctest.v1.Thing"
	if name == "Create" {
		in = ".onehall.rpctest.v1.CreateRequest"
	}
	return &descriptorpb.MethodDescriptorProto{
		Name: proto.String(name), InputType: proto.String(in), OutputType: proto.String(".onehall.rpctest.v1.Thing"), Options: opts,
	}
}

func field(name string, n int32, typ descriptorpb.FieldDescriptorProto_Type, message string) *descriptorpb.FieldDescriptorProto {
	f := &descriptorpb.FieldDescriptorProto{
		Name: proto.String(name), Number: proto.Int32(n), Type: typ.Enum(),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	}
	if message != "" {
		f.TypeName = proto.String(message)
	}
	return f
}

func registerTestFile() protoreflect.FileDescriptor {
	const str, msg = descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	title := field("title", 3, str, "")
	title.Options = &descriptorpb.FieldOptions{}
	proto.SetExtension(title.Options, validate.E_Field, &validate.FieldRules{
		Type: &validate.FieldRules_String_{String_: &validate.StringRules{MaxLen: proto.Uint64(10)}},
	})
	labels := field("labels", 4, str, "")
	labels.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	names := field("names", 5, str, "")
	names.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	officer, applicant := optionsv1.Role_ROLE_OFFICER, optionsv1.Role_ROLE_APPLICANT
	hall, own, all := optionsv1.Scope_SCOPE_HALL, optionsv1.Scope_SCOPE_OWN, optionsv1.Scope_SCOPE_ALL
	staff := grants(officer, hall, applicant, own, optionsv1.Role_ROLE_SUPERVISOR, all)
	fd := &descriptorpb.FileDescriptorProto{
		Name: proto.String("onehall/rpctest/v1/test.proto"), Package: proto.String("onehall.rpctest.v1"), Syntax: proto.String("proto3"),
		Dependency: []string{"onehall/options/v1/options.proto", "buf/validate/validate.proto"},
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("Thing"), Field: []*descriptorpb.FieldDescriptorProto{
				field("name", 1, str, ""), field("inner", 2, msg, ".onehall.rpctest.v1.Thing"), title, labels, names,
			}},
			{Name: proto.String("CreateRequest"), Field: []*descriptorpb.FieldDescriptorProto{
				field("parent", 1, str, ""), field("thing", 2, msg, ".onehall.rpctest.v1.Thing"), field("request_id", 3, str, ""),
			}},
		},
		Service: []*descriptorpb.ServiceDescriptorProto{
			{Name: proto.String("TestService"), Method: []*descriptorpb.MethodDescriptorProto{
				methodProto("Get", staff, true), methodProto("Create", staff, false), methodProto("Change", staff, false),
				methodProto("Open", &optionsv1.Permission{Public: true}, true),
			}},
			{Name: proto.String("NakedService"), Method: []*descriptorpb.MethodDescriptorProto{methodProto("Get", nil, true)}},
			{Name: proto.String("EmptyService"), Method: []*descriptorpb.MethodDescriptorProto{methodProto("Get", &optionsv1.Permission{}, true)}},
		},
	}
	file, err := protodesc.NewFile(fd, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(file); err != nil {
		panic(err)
	}
	for i := range file.Messages().Len() {
		if err := protoregistry.GlobalTypes.RegisterMessage(dynamicpb.NewMessageType(file.Messages().Get(i))); err != nil {
			panic(err)
		}
	}
	return file
}

// handle is what a test wants the service to do.
type handle func(ctx context.Context, method string, req *dynamicpb.Message) error

type testServer struct{ handle handle }

// serviceDesc makes the hand-written twin of what protoc-gen-go-grpc writes.
func serviceDesc(service string) *grpc.ServiceDesc {
	sd := testFile.Services().ByName(protoreflect.FullName(service).Name())
	out := &grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
	for i := range sd.Methods().Len() {
		md := sd.Methods().Get(i)
		full := "/" + service + "/" + string(md.Name())
		out.Methods = append(out.Methods, grpc.MethodDesc{
			MethodName: string(md.Name()),
			Handler: func(srv any, ctx context.Context, dec func(any) error, icept grpc.UnaryServerInterceptor) (any, error) {
				req := dynamicpb.NewMessage(md.Input())
				if err := dec(req); err != nil {
					return nil, err
				}
				do := func(ctx context.Context, req any) (any, error) {
					if err := srv.(*testServer).handle(ctx, string(md.Name()), req.(*dynamicpb.Message)); err != nil {
						return nil, err
					}
					return dynamicpb.NewMessage(md.Output()), nil
				}
				return icept(ctx, req, &grpc.UnaryServerInfo{Server: srv, FullMethod: full}, do)
			},
		})
	}
	return out
}

// people verifies the tests' tokens: the token is the login.
type people map[string]*authn.Principal

// Verify implements rpc.Verifier.
func (p people) Verify(_ context.Context, raw string) (*authn.Principal, error) {
	if raw == "keys-gone" {
		return nil, fault.Unavailable.New(fault.Cause(errors.New("issuer down")))
	}
	if found, ok := p[raw]; ok {
		return found, nil
	}
	return nil, fault.Unauthenticated.New()
}

var everybody = people{
	"officer":   {Subject: "user/officer", Roles: []optionsv1.Role{optionsv1.Role_ROLE_OFFICER}, Hall: "441300", Department: "d1"},
	"applicant": {Subject: "user/applicant", Roles: []optionsv1.Role{optionsv1.Role_ROLE_APPLICANT}, IdentityKey: "k1"},
	"both": {Subject: "user/both", Roles: []optionsv1.Role{optionsv1.Role_ROLE_APPLICANT, optionsv1.Role_ROLE_OFFICER},
		Hall: "441300", IdentityKey: "k2"},
	"supervisor": {Subject: "user/supervisor", Roles: []optionsv1.Role{optionsv1.Role_ROLE_SUPERVISOR}},
	"editor":     {Subject: "user/editor", Roles: []optionsv1.Role{optionsv1.Role_ROLE_EDITOR}, Hall: "441300"},
	"homeless":   {Subject: "user/homeless", Roles: []optionsv1.Role{optionsv1.Role_ROLE_OFFICER}},
	"service":    {Subject: "service/hub", Roles: []optionsv1.Role{optionsv1.Role_ROLE_SERVICE}},
}

// token makes a TokenSource of a test's token.
type token string

// Token implements authn.TokenSource.
func (t token) Token(context.Context) (string, error) { return string(t), nil }

// lockedBuffer collects log lines from all goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf []byte
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf = append(b.buf, p...)
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.buf)
}

type fixture struct {
	srv     *rpc.Server
	conn    *grpc.ClientConn
	addr    string
	log     *lockedBuffer
	metrics *prometheus.Registry
}

// newFixture serves the test service with the handler on loopback and dials it
// as the product dials.
func newFixture(t testing.TB, limits rpc.Limits, h handle, more ...func(*rpc.Server)) *fixture {
	t.Helper()
	f := &fixture{log: &lockedBuffer{}, metrics: prometheus.NewRegistry()}
	f.srv = newServer(t, rpc.ServerOptions{
		Role: "test", Verifier: everybody, Clock: clock.System(), Limits: limits, Metrics: f.metrics,
		Log: slog.New(slog.NewJSONHandler(io.MultiWriter(f.log), nil)),
	})
	if h == nil {
		h = func(context.Context, string, *dynamicpb.Message) error { return nil }
	}
	f.srv.RegisterService(serviceDesc(testService), &testServer{h})
	for _, m := range more {
		m(f.srv)
	}
	f.addr = listen(t, f.srv)
	f.srv.SetServing(true)
	f.conn = dialTo(t, "test", "passthrough:///"+f.addr)
	return f
}

func newServer(t testing.TB, o rpc.ServerOptions) *rpc.Server {
	t.Helper()
	srv, err := rpc.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Stop)
	return srv
}

func listen(t testing.TB, srv *rpc.Server) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		// A short test is over before the server has begun.
		if err := srv.Serve(lis); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("serve: %v", err)
		}
	}()
	return lis.Addr().String()
}

func dialTo(t testing.TB, role, target string) *grpc.ClientConn {
	t.Helper()
	d, err := rpc.NewDialer(rpc.DialerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.DialTarget(role, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// as makes a context in which the user calls; "" does not sign in.
func as(ctx context.Context, user string, pairs ...string) context.Context {
	if user != "" {
		pairs = append(pairs, "authorization", "Bearer "+user)
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// message fills a message of the test file from text fields.
func message(d protoreflect.MessageDescriptor, texts map[string]string) *dynamicpb.Message {
	m := dynamicpb.NewMessage(d)
	for k, v := range texts {
		m.Set(d.Fields().ByName(protoreflect.Name(k)), protoreflect.ValueOfString(v))
	}
	return m
}

func (f *fixture) call(ctx context.Context, method string, req proto.Message, opts ...grpc.CallOption) error {
	if req == nil {
		req = dynamicpb.NewMessage(thing)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return f.conn.Invoke(ctx, "/"+testService+"/"+method, req, dynamicpb.NewMessage(thing), opts...)
}
