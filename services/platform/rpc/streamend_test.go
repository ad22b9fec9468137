package rpc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/rpc"
)

// watched registers a stream that says one word, waits for its end and then gives what last
// says.
func watched(srv *rpc.Server, last func(context.Context) error) *grpc.StreamDesc {
	watch := grpc.StreamDesc{StreamName: "Get", ServerStreams: true, Handler: func(_ any, st grpc.ServerStream) error {
		if err := errors.Join(st.RecvMsg(dynamicpb.NewMessage(thing)), st.SendMsg(dynamicpb.NewMessage(thing))); err != nil {
			return err
		}
		<-st.Context().Done()
		return last(st.Context())
	}}
	srv.RegisterService(&grpc.ServiceDesc{ServiceName: testService, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{watch}}, srv)
	return &watch
}

// A stream lasts no longer than the token it was begun with, and says why it ended.
func TestStreamEndsWithItsToken(t *testing.T) {
	brief := *everybody["supervisor"]
	srv := newServer(t, rpc.ServerOptions{Role: "test", Clock: clock.System(), Verifier: verifier(func() *authn.Principal {
		one := brief
		one.Expires = time.Now().Add(300 * time.Millisecond)
		return &one
	})})
	watch := watched(srv, func(ctx context.Context) error { return ctx.Err() })
	conn := dialTo(t, "test", "passthrough:///"+listen(t, srv))
	srv.SetServing(true)
	ctx, cancel := context.WithTimeout(as(t.Context(), "supervisor"), 20*time.Second)
	defer cancel()
	st, err := conn.NewStream(ctx, watch, "/"+testService+"/Get")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.SendMsg(dynamicpb.NewMessage(thing)), st.CloseSend(), st.RecvMsg(dynamicpb.NewMessage(thing))); err != nil {
		t.Fatalf("while the token is good: %v", err)
	}
	if err := st.RecvMsg(dynamicpb.NewMessage(thing)); !is(err, fault.TokenExpired) {
		t.Errorf("after the token's end: %v", err)
	}
}

// verifier takes every token for the same caller.
type verifier func() *authn.Principal

// Verify implements rpc.Verifier.
func (v verifier) Verify(context.Context, string) (*authn.Principal, error) { return v(), nil }
