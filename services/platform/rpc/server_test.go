package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/rpc"
)

// is reports whether an error that came over the wire has the reason.
func is(err error, want *fault.Reason) bool {
	if want == nil {
		return err == nil
	}
	return err != nil && errors.Is(fault.Of(err), want)
}

// feedStub answers the feed service, which only services may call.
type feedStub struct {
	feedv1.UnimplementedFeedServiceServer
	follow func(context.Context) error
}

// ReadEvents implements the feed service.
func (feedStub) ReadEvents(context.Context, *feedv1.ReadEventsRequest) (*feedv1.ReadEventsResponse, error) {
	return &feedv1.ReadEventsResponse{}, nil
}

// FollowEvents implements the feed service.
func (s feedStub) FollowEvents(_ *feedv1.FollowEventsRequest, st grpc.ServerStreamingServer[feedv1.FollowEventsResponse]) error {
	if err := st.Send(&feedv1.FollowEventsResponse{}); err != nil {
		return err
	}
	if s.follow != nil {
		return s.follow(st.Context())
	}
	return nil
}

func TestFeedPermission(t *testing.T) {
	f := newFixture(t, rpc.Limits{}, nil, func(s *rpc.Server) { feedv1.RegisterFeedServiceServer(s, feedStub{}) })
	c := feedv1.NewFeedServiceClient(f.conn)
	for _, tc := range []struct {
		user string
		want *fault.Reason
	}{
		{"service", nil}, {"officer", fault.PermissionDenied}, {"supervisor", fault.PermissionDenied},
		{"", fault.Unauthenticated}, {"stranger", fault.Unauthenticated}, {"keys-gone", fault.Unavailable},
	} {
		t.Run("as "+tc.user, func(t *testing.T) {
			if _, err := c.ReadEvents(as(t.Context(), tc.user), &feedv1.ReadEventsRequest{}); !is(err, tc.want) {
				t.Errorf("unary: got %v, want %v", err, tc.want)
			}
			st, err := c.FollowEvents(as(t.Context(), tc.user), &feedv1.FollowEventsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = st.Recv(); !is(err, tc.want) {
				t.Errorf("stream: got %v, want %v", err, tc.want)
			}
		})
	}
	_, err := c.ReadEvents(as(t.Context(), "service"), &feedv1.ReadEventsRequest{After: -1})
	if !is(err, fault.InvalidArgument) {
		t.Errorf("unary with a bad message: %v", err)
	}
	st, err := c.FollowEvents(as(t.Context(), "service"), &feedv1.FollowEventsRequest{After: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = st.Recv(); !is(err, fault.InvalidArgument) {
		t.Errorf("stream with a bad message: %v", err)
	}
}

func TestScope(t *testing.T) {
	var got authn.Access
	f := newFixture(t, rpc.Limits{}, func(ctx context.Context, _ string, _ *dynamicpb.Message) error {
		got, _ = authn.AccessFrom(ctx)
		return nil
	})
	for _, tc := range []struct {
		user, method string
		scope        optionsv1.Scope
		want         *fault.Reason
	}{
		{"officer", "Get", optionsv1.Scope_SCOPE_HALL, nil},
		{"applicant", "Get", optionsv1.Scope_SCOPE_OWN, nil},
		{"both", "Get", optionsv1.Scope_SCOPE_HALL, nil},
		{"supervisor", "Get", optionsv1.Scope_SCOPE_ALL, nil},
		{"editor", "Get", 0, fault.PermissionDenied},
		{"", "Get", 0, fault.Unauthenticated},
		{"", "Open", 0, nil},
		{"officer", "Open", 0, nil},
		{"stranger", "Open", 0, fault.Unauthenticated},
	} {
		t.Run(tc.user+" "+tc.method, func(t *testing.T) {
			got = authn.Access{}
			if err := f.call(as(t.Context(), tc.user), tc.method, nil); !is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if got.Scope != tc.scope || tc.want == nil && (got.Principal == nil) != (tc.user == "") {
				t.Errorf("access %+v", got)
			}
		})
	}
	err := f.call(as(t.Context(), "officer", "authorization", "Bearer supervisor"), "Get", nil)
	if !is(err, fault.Unauthenticated) {
		t.Errorf("two authorization headers: %v", err)
	}
}

func TestHallCheck(t *testing.T) {
	var got authn.Access
	f := newFixture(t, rpc.Limits{}, func(ctx context.Context, _ string, _ *dynamicpb.Message) error {
		got, _ = authn.AccessFrom(ctx)
		return nil
	})
	create := testFile.Messages().ByName("CreateRequest")
	inner := func(name string) *dynamicpb.Message {
		m := dynamicpb.NewMessage(thing)
		m.Set(thing.Fields().ByName("inner"), protoreflect.ValueOfMessage(message(thing, map[string]string{"name": name})))
		return m
	}
	names := func(list ...string) *dynamicpb.Message {
		m := dynamicpb.NewMessage(thing)
		l := m.Mutable(thing.Fields().ByName("names")).List()
		for _, n := range list {
			l.Append(protoreflect.ValueOfString(n))
		}
		return m
	}
	named := func(name string) *dynamicpb.Message { return message(thing, map[string]string{"name": name}) }
	parent := func(p string) *dynamicpb.Message {
		return message(create, map[string]string{"parent": p, "request_id": uuid.NewString()})
	}
	for _, tc := range []struct {
		what, user, method string
		req                *dynamicpb.Message
		want               *fault.Reason
	}{
		{"own hall", "officer", "Get", named("halls/441300/cases/1"), nil},
		{"other hall", "officer", "Get", named("halls/440100/cases/1"), fault.NotFound},
		{"prefix of the hall", "officer", "Get", named("halls/4413/cases/1"), fault.NotFound},
		{"any hall", "officer", "Get", named("halls/-/cases/1"), fault.NotFound},
		{"hall itself", "officer", "Get", named("halls/441300"), nil},
		{"no hall in the name", "officer", "Get", named("reports/1"), nil},
		{"official without a hall", "homeless", "Get", named("halls/441300"), fault.NotFound},
		{"supervisor anywhere", "supervisor", "Get", named("halls/440100/cases/1"), nil},
		{"applicant anywhere", "applicant", "Get", named("halls/440100/cases/1"), nil},
		{"official who also applies, in its hall", "both", "Get", named("halls/441300/cases/1"), nil},
		{"official who also applies, elsewhere", "both", "Get", named("halls/440100/cases/1"), nil},
		{"parent in own hall", "officer", "Create", parent("halls/441300"), nil},
		{"parent in other hall", "officer", "Create", parent("halls/440100"), fault.NotFound},
		{"resource of own hall", "officer", "Change", inner("halls/441300/cases/1"), nil},
		{"resource of other hall", "officer", "Change", inner("halls/440100/cases/1"), fault.NotFound},
		{"names, one elsewhere", "officer", "Get", names("halls/441300/cases/1", "halls/440100/cases/1"), fault.NotFound},
	} {
		t.Run(tc.what, func(t *testing.T) {
			if err := f.call(as(t.Context(), tc.user), tc.method, tc.req); !is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			// Elsewhere an official who also applies is an applicant like any other.
			if tc.user == "both" && (got.Scope == optionsv1.Scope_SCOPE_OWN) != strings.HasSuffix(tc.what, "elsewhere") {
				t.Errorf("%v has the scope %v", tc.what, got.Scope)
			}
		})
	}
}

func TestRequestIDField(t *testing.T) {
	f := newFixture(t, rpc.Limits{}, nil)
	create := testFile.Messages().ByName("CreateRequest")
	for id, want := range map[string]*fault.Reason{
		"": fault.RequestIDMissing, "x": fault.RequestIDInvalid,
		"00000000-0000-0000-0000-000000000000":   fault.RequestIDInvalid,
		"{3c1f9c3e-6f0e-4b5e-9f43-0d1b8a9c7e21}": fault.RequestIDInvalid,
		"3c1f9c3e6f0e4b5e9f430d1b8a9c7e21":       fault.RequestIDInvalid,
		"3c1f9c3e-6f0e-4b5e-9f43-0d1b8a9c7e21":   nil,
	} {
		err := f.call(as(t.Context(), "officer"), "Create", message(create, map[string]string{"request_id": id}))
		if !is(err, want) {
			t.Errorf("%q: got %v, want %v", id, err, want)
		}
	}
}

func TestMessageFaults(t *testing.T) {
	f := newFixture(t, rpc.Limits{}, nil)
	list := dynamicpb.NewMessage(thing)
	labels := list.Mutable(thing.Fields().ByName("labels")).List()
	labels.Append(protoreflect.ValueOfString("ok"))
	labels.Append(protoreflect.ValueOfString("a\x00b"))
	nested := dynamicpb.NewMessage(thing)
	nested.Set(thing.Fields().ByName("inner"), protoreflect.ValueOfMessage(message(thing, map[string]string{"title": "\x00"})))
	for what, tc := range map[string]struct {
		req           *dynamicpb.Message
		field, reason string
	}{
		"NUL":             {message(thing, map[string]string{"title": "a\x00"}), "title", "BAD_TEXT"},
		"NUL in a list":   {list, "labels[1]", "BAD_TEXT"},
		"NUL inside":      {nested, "inner.title", "BAD_TEXT"},
		"rule of a proto": {message(thing, map[string]string{"title": "秘密的标题比十个字还要长"}), "title", "INVALID_ARGUMENT"},
	} {
		t.Run(what, func(t *testing.T) {
			err := f.call(as(t.Context(), "officer", "accept-language", "en"), "Get", tc.req)
			if !is(err, fault.InvalidArgument) {
				t.Fatalf("got %v", err)
			}
			var bad *errdetails.BadRequest
			for _, d := range status.Convert(err).Details() {
				if b, ok := d.(*errdetails.BadRequest); ok {
					bad = b
				}
			}
			if len(bad.GetFieldViolations()) != 1 {
				t.Fatalf("details %v", status.Convert(err).Details())
			}
			v := bad.GetFieldViolations()[0]
			if v.GetField() != tc.field || v.GetReason() != tc.reason || v.GetLocalizedMessage().GetLocale() != "en" {
				t.Errorf("violation %v", v)
			}
			if strings.Contains(fmt.Sprint(status.Convert(err).Proto()), "秘密") {
				t.Error("the value is repeated")
			}
		})
	}
}

// What goes wrong inside stays inside, in the log.
func TestErrorsKeepTheirText(t *testing.T) {
	f := newFixture(t, rpc.Limits{}, func(_ context.Context, method string, _ *dynamicpb.Message) error {
		switch method {
		case "Get":
			panic("secret panic")
		case "Change":
			return errors.New("secret error")
		default:
			return fault.ETagStale.New(fault.Cause(errors.New("secret cause")))
		}
	})
	for method, want := range map[string]*fault.Reason{"Get": fault.Internal, "Change": fault.Internal, "Open": fault.ETagStale} {
		err := f.call(as(t.Context(), "officer"), method, nil)
		if !is(err, want) || status.Code(err) != want.Code {
			t.Errorf("%s: got %v, want %v", method, err, want)
		}
		if text := fmt.Sprint(status.Convert(err).Proto()); strings.Contains(text, "secret") || strings.Contains(text, "goroutine") {
			t.Errorf("%s: inner text left: %s", method, text)
		}
	}
	for _, want := range []string{"secret panic", "secret error", "server_test.go"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

func TestLogLine(t *testing.T) {
	f := newFixture(t, rpc.Limits{}, nil)
	var trailer metadata.MD
	req := message(thing, map[string]string{"title": "张三丰"})
	if err := f.call(as(t.Context(), "officer", "x-request-id", "abc-1"), "Get", req, grpc.Trailer(&trailer)); err != nil {
		t.Fatal(err)
	}
	if got := trailer.Get("x-request-id"); len(got) != 1 || got[0] != "abc-1" {
		t.Errorf("request id answered: %v", got)
	}
	if err := f.call(as(t.Context(), "", "x-request-id", "bad id\""), "Get", nil, grpc.Trailer(&trailer)); !is(err, fault.Unauthenticated) {
		t.Fatal(err)
	}
	if got := trailer.Get("x-request-id"); len(got) != 1 || uuid.Validate(got[0]) != nil {
		t.Errorf("request id of a refused call: %v", got)
	}
	lines := strings.Split(strings.TrimSpace(f.log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d log lines, want 2: %v", len(lines), lines)
	}
	var line struct {
		Msg, Method, Code, Caller, Hall string
		RequestID                       string  `json:"request_id"`
		Duration                        float64 `json:"duration_ms"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Msg != "call" || line.Method != "/"+testService+"/Get" || line.Code != "OK" || line.RequestID != "abc-1" || line.Hall != "441300" || line.Caller == "" {
		t.Errorf("line %+v", line)
	}
	if all := f.log.String(); strings.Contains(all, "user/officer") || strings.Contains(all, "张三丰") {
		t.Errorf("personal text in the log: %s", all)
	}
}

// lineWriter passes on what is logged, line by line.
type lineWriter chan string

// Write implements io.Writer.
func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

// A stream finds its connection gone when that is old enough to come anew.
func TestAStreamThatEndsWithItsConnectionIsNoError(t *testing.T) {
	lines := make(lineWriter, 10)
	srv := newServer(t, rpc.ServerOptions{Role: "test", Clock: clock.System(), Verifier: everybody, Log: slog.New(slog.NewJSONHandler(lines, nil))})
	watch := watched(srv, func(context.Context) error { return status.Error(codes.Unavailable, "transport is closing") })
	conn := dialTo(t, "test", "passthrough:///"+listen(t, srv))
	srv.SetServing(true)
	ctx, leave := context.WithCancel(as(t.Context(), "supervisor"))
	defer leave()
	st, err := conn.NewStream(ctx, watch, "/"+testService+"/Get")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.SendMsg(dynamicpb.NewMessage(thing)), st.CloseSend(), st.RecvMsg(dynamicpb.NewMessage(thing))); err != nil {
		t.Fatal(err)
	}
	leave()
	if line := <-lines; !strings.Contains(line, `"level":"INFO"`) || !strings.Contains(line, `"code":"Unavailable"`) {
		t.Errorf("logged: %s", line)
	}
}

func TestDeadlineClamp(t *testing.T) {
	var left time.Duration
	f := newFixture(t, rpc.Limits{DefaultDeadline: 2 * time.Second, MaxDeadline: 3 * time.Second}, func(ctx context.Context, _ string, _ *dynamicpb.Message) error {
		end, ok := ctx.Deadline()
		if !ok {
			return errors.New("no deadline")
		}
		left = time.Until(end)
		return nil
	})
	// The house's dialer always names a deadline, so a plain channel is needed.
	plain := plainConn(t, f.addr)
	for _, tc := range []struct {
		name      string
		ask       time.Duration
		least, at time.Duration
		want      codes.Code
	}{
		{"none named", 0, time.Second, 2 * time.Second, codes.OK},
		{"short one kept", time.Second, 500 * time.Millisecond, time.Second, codes.OK},
		{"ceiling", time.Hour, 2500 * time.Millisecond, 3 * time.Second, codes.OK},
		{"too little to start", 8 * time.Millisecond, 0, 0, codes.DeadlineExceeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx := as(t.Context(), "officer")
			if tc.ask > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tc.ask)
				defer cancel()
			}
			left = 0
			err := plain.Invoke(ctx, "/"+testService+"/Get", dynamicpb.NewMessage(thing), dynamicpb.NewMessage(thing))
			if status.Code(err) != tc.want || left < tc.least || left > tc.at {
				t.Errorf("left %v, error %v", left, err)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	f := newFixture(t, rpc.Limits{RatePerSecond: 0.001, RateBurst: 3}, nil)
	for i := range 4 {
		err := f.call(as(t.Context(), "officer"), "Get", nil)
		if (i < 3) != (err == nil) || i == 3 && (!is(err, fault.TooManyRequests) || fault.Of(err).RetryAfter() == 0) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if err := f.call(as(t.Context(), "supervisor"), "Get", nil); err != nil {
		t.Errorf("another principal suffers: %v", err)
	}
}

// A method that does not say who may call it stops the start.
func TestServeRefusesMethodWithoutPermission(t *testing.T) {
	for _, service := range []string{"onehall.rpctest.v1.NakedService", "onehall.rpctest.v1.EmptyService"} {
		srv := newServer(t, rpc.ServerOptions{Role: "test", Verifier: everybody, Clock: clock.System()})
		srv.RegisterService(serviceDesc(service), &testServer{})
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Serve(lis); err == nil || !strings.Contains(err.Error(), service) {
			t.Errorf("%s: served, %v", service, err)
		}
	}
	srv := newServer(t, rpc.ServerOptions{Role: "test", Verifier: everybody, Clock: clock.System()})
	unknown := *serviceDesc(testService)
	unknown.ServiceName = "onehall.rpctest.v1.Unknown"
	srv.RegisterService(&unknown, &testServer{})
	if err := srv.Check(); err == nil {
		t.Error("a service without descriptor was accepted")
	}
}

func TestPlainOnlyOnLoopback(t *testing.T) {
	for _, insecure := range []bool{false, true} {
		srv := newServer(t, rpc.ServerOptions{Role: "test", Verifier: everybody, Clock: clock.System(), TLS: rpc.TLSConfig{Insecure: insecure}})
		lis, err := net.Listen("tcp", "0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(lis) }()
		if insecure {
			// It serves until it is stopped.
			srv.Stop()
		}
		err = <-done
		if refused := err != nil && strings.Contains(err.Error(), "loopback"); refused == insecure {
			t.Errorf("insecure %v: %v", insecure, err)
		}
	}
}

func TestMetrics(t *testing.T) {
	f := newFixture(t, rpc.Limits{}, nil)
	if err := f.call(as(t.Context(), "editor"), "Get", nil); !is(err, fault.PermissionDenied) {
		t.Fatal(err)
	}
	families, err := f.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "grpc_server_handled_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if text := m.String(); strings.Contains(text, "PermissionDenied") && strings.Contains(text, `"Get"`) && strings.Contains(text, testService) && m.GetCounter().GetValue() == 1 {
				return
			}
		}
	}
	t.Error("the refused call is not counted")
}
