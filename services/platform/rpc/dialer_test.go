package rpc_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/dynamicpb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/rpc"

	"github.com/google/uuid"
)

// plainConn is a channel without any of the house's habits.
func plainConn(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
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

// Only what may be done twice is done twice.
func TestRetryOnlySafeMethods(t *testing.T) {
	var tries atomic.Int64
	f := newFixture(t, rpc.Limits{}, func(context.Context, string, *dynamicpb.Message) error {
		if tries.Add(1) < 3 {
			return fault.Unavailable.New()
		}
		return nil
	})
	create := message(testFile.Messages().ByName("CreateRequest"), map[string]string{"request_id": uuid.NewString()})
	for _, tc := range []struct {
		method string
		req    *dynamicpb.Message
		want   int64
	}{
		{"Get", dynamicpb.NewMessage(thing), 3},    // no side effects
		{"Create", create, 3},                      // carries a request id
		{"Change", dynamicpb.NewMessage(thing), 1}, // neither
	} {
		tries.Store(0)
		err := f.call(as(t.Context(), "officer"), tc.method, tc.req)
		if got := tries.Load(); got != tc.want || (err == nil) != (tc.want == 3) {
			t.Errorf("%s was tried %d times, want %d; %v", tc.method, got, tc.want, err)
		}
	}
}

// Not every error is retried, whatever the method.
func TestNoRetryOfRefusals(t *testing.T) {
	var tries atomic.Int64
	f := newFixture(t, rpc.Limits{}, func(context.Context, string, *dynamicpb.Message) error {
		tries.Add(1)
		return fault.ETagStale.New()
	})
	if err := f.call(as(t.Context(), "officer"), "Get", nil); !is(err, fault.ETagStale) || tries.Load() != 1 {
		t.Errorf("%d tries, %v", tries.Load(), err)
	}
}

// A service that calls on gives its neighbour the caller's token, language and
// request id, and a deadline before its own.
func TestCarriesCallerOn(t *testing.T) {
	var md metadata.MD
	var subject string
	var left time.Duration
	behind := newFixture(t, rpc.Limits{}, func(ctx context.Context, _ string, _ *dynamicpb.Message) error {
		md, _ = metadata.FromIncomingContext(ctx)
		p, _ := authn.From(ctx)
		subject = p.Subject
		end, _ := ctx.Deadline()
		left = time.Until(end)
		return nil
	})
	var own bool
	front := newFixture(t, rpc.Limits{}, func(ctx context.Context, _ string, _ *dynamicpb.Message) error {
		if own {
			ctx = rpc.WithToken(ctx, token("both"))
		}
		return behind.conn.Invoke(ctx, "/"+testService+"/Get", dynamicpb.NewMessage(thing), dynamicpb.NewMessage(thing))
	})
	ctx, cancel := context.WithTimeout(as(t.Context(), "officer", "accept-language", "en", "x-request-id", "r-7", "x-user-id", "root"), 2*time.Second)
	defer cancel()
	if err := front.call(ctx, "Get", nil); err != nil {
		t.Fatal(err)
	}
	if subject != "user/officer" || md.Get("accept-language")[0] != "en" || md.Get("x-request-id")[0] != "r-7" {
		t.Errorf("subject %s, metadata %v", subject, md)
	}
	if len(md.Get("x-user-id")) != 0 {
		t.Error("a foreign header was carried on")
	}
	if left <= 0 || left > 2*time.Second-50*time.Millisecond {
		t.Errorf("the neighbour had %v", left)
	}
	own = true
	if err := front.call(ctx, "Get", nil); err != nil {
		t.Fatal(err)
	}
	if subject != "user/both" {
		t.Errorf("with a token of its own it was %s", subject)
	}
	short, cancel := context.WithTimeout(as(t.Context(), "officer"), 60*time.Millisecond)
	defer cancel()
	started := time.Now()
	if err := front.call(short, "Get", nil); status.Code(err) != codes.DeadlineExceeded || time.Since(started) > 160*time.Millisecond {
		t.Errorf("too short a budget: %v after %v", err, time.Since(started))
	}
}

// Calls outside of any served call get the dialer's default deadline.
func TestDefaultDeadline(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0") // accepts by backlog, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	d, err := rpc.NewDialer(rpc.DialerOptions{Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.DialTarget("test", "passthrough:///"+lis.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	started := time.Now()
	_, err = feedv1.NewFeedServiceClient(conn).ReadEvents(context.Background(), &feedv1.ReadEventsRequest{}, grpc.WaitForReady(true))
	if status.Code(err) != codes.DeadlineExceeded || time.Since(started) > 400*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(started))
	}
}

// A port that another service has taken over is not called, although it answers.
func TestPortOfAnotherRole(t *testing.T) {
	f := newFixture(t, rpc.Limits{}, nil)
	conn := dialTo(t, "catalogue", "passthrough:///"+f.addr)
	ctx, cancel := context.WithTimeout(as(t.Context(), "officer"), time.Second)
	defer cancel()
	err := conn.Invoke(ctx, "/"+testService+"/Change", dynamicpb.NewMessage(thing), dynamicpb.NewMessage(thing))
	if code := status.Code(err); code != codes.Unavailable && code != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestDialRefusesPlainBeyondLoopback(t *testing.T) {
	lis, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(lis.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		conn := dialTo(t, "test", "passthrough:///"+net.JoinHostPort(ip.IP.String(), port))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := conn.Invoke(ctx, "/"+testService+"/Change", dynamicpb.NewMessage(thing), dynamicpb.NewMessage(thing))
		if err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", ip, err)
		}
		return
	}
	t.Log("this machine has no address but loopback")
}

// busyServer serves calls of two milliseconds and streams that never end.
func busyServer(t *testing.T) (srv *rpc.Server, addr string, served *atomic.Int64) {
	t.Helper()
	served = new(atomic.Int64)
	srv = newServer(t, rpc.ServerOptions{Role: "test", Verifier: everybody, Clock: clock.System(), Limits: rpc.Limits{RatePerSecond: -1}})
	srv.RegisterService(serviceDesc(testService), &testServer{func(ctx context.Context, _ string, _ *dynamicpb.Message) error {
		served.Add(1)
		select {
		case <-time.After(2 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	feedv1.RegisterFeedServiceServer(srv, feedStub{follow: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	addr = listen(t, srv)
	srv.SetServing(true)
	return srv, addr, served
}

// Two instances, one of which stops under load: no call fails, and streams are
// told to come again.
func TestGracefulStopUnderLoad(t *testing.T) {
	a, addrA, servedA := busyServer(t)
	_, addrB, servedB := busyServer(t)
	r := manual.NewBuilderWithScheme("onehall")
	r.InitialState(resolver.State{Endpoints: []resolver.Endpoint{
		{Addresses: []resolver.Address{{Addr: addrA}}}, {Addresses: []resolver.Address{{Addr: addrB}}},
	}})
	d, err := rpc.NewDialer(rpc.DialerOptions{Resolver: r})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Dial("test")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := feedv1.NewFeedServiceClient(plainConn(t, addrA)).FollowEvents(as(t.Context(), "service"), &feedv1.FollowEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}

	stop := make(chan struct{})
	var failed, done atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(as(context.Background(), "officer"), 5*time.Second)
				// Change is never retried, so every failure shows.
				err := conn.Invoke(ctx, "/"+testService+"/Change", dynamicpb.NewMessage(thing), dynamicpb.NewMessage(thing))
				cancel()
				done.Add(1)
				if err != nil {
					failed.Add(1)
					t.Log(err)
				}
			}
		})
	}
	wait(t, "both are called", func() bool { return servedA.Load() > 50 && servedB.Load() > 50 })
	started := time.Now()
	a.SetServing(false)
	a.Shutdown()
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	after := servedB.Load()
	wait(t, "the other is called", func() bool { return servedB.Load() > after+50 })
	close(stop)
	wg.Wait()
	if failed.Load() != 0 {
		t.Errorf("%d of %d calls failed", failed.Load(), done.Load())
	}
	if _, err := stream.Recv(); !is(err, fault.Unavailable) {
		t.Errorf("the stream ended with %v", err)
	}
}

// A call that never ends does not hold the process up.
func TestHardStop(t *testing.T) {
	entered := make(chan struct{})
	release := make(chan struct{})
	f := newFixture(t, rpc.Limits{HardStop: 200 * time.Millisecond}, func(ctx context.Context, _ string, _ *dynamicpb.Message) error {
		close(entered)
		<-ctx.Done()
		close(release)
		return ctx.Err()
	})
	result := make(chan error, 1)
	go func() { result <- f.call(as(context.Background(), "officer"), "Change", nil) }()
	<-entered
	started := time.Now()
	f.srv.Shutdown()
	if took := time.Since(started); took < 200*time.Millisecond || took > 2*time.Second {
		t.Errorf("the stop took %v", took)
	}
	<-release
	if err := <-result; err == nil {
		t.Error("a call that was cut succeeded")
	}
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
