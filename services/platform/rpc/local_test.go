package rpc_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/rpc"
)

// localFixture is a fixture whose conn finds the server in its own process.
func localFixture(t *testing.T, h handle) (*fixture, *rpc.Locals) {
	t.Helper()
	f := newFixture(t, rpc.Limits{RatePerSecond: -1}, h)
	locals := rpc.NewLocals()
	found := manual.NewBuilderWithScheme("onehall")
	found.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: f.addr}}})
	d, err := rpc.NewDialer(rpc.DialerOptions{Resolver: found, Locals: locals})
	if err != nil {
		t.Fatal(err)
	}
	if f.conn, err = d.Dial("test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.conn.Close(); err != nil {
			t.Error(err)
		}
	})
	locals.Add("test", f.srv)
	return f, locals
}

// Every outcome is the same with and without a wire, to the last detail.
func TestLocalCallsEndAsOnTheWire(t *testing.T) {
	h := func(ctx context.Context, method string, m *dynamicpb.Message) error {
		switch m.Get(thing.Fields().ByName("title")).String() {
		case "panic":
			panic("thrown")
		case "conflict":
			return fault.Conflict.New(fault.Meta("sequence", "7"))
		}
		return nil
	}
	wire := newFixture(t, rpc.Limits{RatePerSecond: -1}, h)
	local, _ := localFixture(t, h)
	for _, tc := range []struct {
		user, method string
		req          proto.Message
	}{
		{"officer", "Get", message(thing, map[string]string{"title": "好"})},
		{"officer", "Get", message(thing, map[string]string{"title": "panic"})},
		{"officer", "Get", message(thing, map[string]string{"title": "conflict"})},
		{"officer", "Get", message(thing, map[string]string{"title": "a title longer than ten"})},
		{"officer", "Get", message(thing, map[string]string{"title": "nul\x00"})},
		{"officer", "Get", message(thing, map[string]string{"name": "halls/440300/cases/1"})},
		{"editor", "Get", nil}, {"", "Get", nil}, {"stranger", "Open", nil}, {"keys-gone", "Get", nil}, {"", "Open", nil},
	} {
		ctx := as(t.Context(), tc.user, "accept-language", "en")
		a, b := status.Convert(wire.call(ctx, tc.method, tc.req)), status.Convert(local.call(ctx, tc.method, tc.req))
		if !proto.Equal(a.Proto(), b.Proto()) {
			t.Errorf("%s %s: on the wire %v, local %v", tc.user, tc.method, a.Proto(), b.Proto())
		}
	}
}

// A handler sees of the caller what a wire would show, and no more; the messages are
// its own.
func TestLocalCallsAreApart(t *testing.T) {
	type key struct{}
	var kept *dynamicpb.Message
	f, _ := localFixture(t, func(ctx context.Context, _ string, m *dynamicpb.Message) error {
		kept = m
		if ctx.Value(key{}) != nil {
			t.Error("a value of the caller's context got through")
		}
		if a, _ := authn.AccessFrom(ctx); a.Principal == nil || a.Subject != "user/officer" {
			t.Errorf("served for %+v", a.Principal)
		}
		if end, ok := ctx.Deadline(); !ok || time.Until(end) > 5*time.Second {
			t.Errorf("deadline %v %v", end, ok)
		}
		md, _ := metadata.FromIncomingContext(ctx)
		if got := md.Get("x-request-id"); len(got) != 1 || got[0] != "r1" {
			t.Errorf("request id %v", got)
		}
		return nil
	})
	// A caller that is itself being served must not pass for somebody by its context.
	ctx := authn.WithAccess(context.WithValue(t.Context(), key{}, 1), authn.Access{Principal: everybody["supervisor"]})
	req := message(thing, map[string]string{"title": "好"})
	var trailer metadata.MD
	if err := f.call(as(ctx, "officer", "x-request-id", "r1"), "Get", req, grpc.Trailer(&trailer)); err != nil {
		t.Fatal(err)
	}
	if got := trailer.Get("x-request-id"); len(got) != 1 || got[0] != "r1" {
		t.Errorf("trailer %v", trailer)
	}
	if kept == req || !proto.Equal(kept, req) {
		t.Errorf("the handler got %v", kept)
	}
}

// A server that leaves finishes the calls it has; the next take the wire.
func TestLocalServerLeaves(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	f, locals := localFixture(t, func(context.Context, string, *dynamicpb.Message) error {
		select {
		case entered <- struct{}{}:
			<-leave
		case <-leave:
		}
		return nil
	})
	called, removed := make(chan error, 1), make(chan struct{})
	go func() { called <- f.call(as(t.Context(), "officer"), "Get", nil) }()
	<-entered
	go func() {
		locals.Remove("test", f.srv)
		close(removed)
	}()
	select {
	case <-removed:
		t.Error("left while a call was being served")
	case <-time.After(20 * time.Millisecond): // nothing tells that nothing happens
	}
	close(leave)
	if err := <-called; err != nil {
		t.Error(err)
	}
	<-removed
	if err := f.call(as(t.Context(), "officer"), "Get", nil); err != nil {
		t.Errorf("over the wire: %v", err)
	}
}
