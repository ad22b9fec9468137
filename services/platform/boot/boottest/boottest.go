// Package boottest stands services up for tests the way a deployment does: with a
// real etcd, a real issuer and real gRPC over loopback. Nothing outside tests
// imports it.
package boottest

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/discovery/etcdtest"
	"github.com/onehall/onehall/services/platform/rpc"
)

// Password is every test user's.
const Password = "test"

// IdentitySecret is the deployment's key for identity numbers.
const IdentitySecret = "identity secret of the tests"

// House is one deployment inside a test.
type House struct {
	// Runtime is what its services share.
	Runtime *boot.Runtime
	// Issuer is the built-in issuer's address.
	Issuer string

	t      testing.TB
	issuer *authn.Issuer
}

// New makes a deployment without services. Users have Password unless they name
// their own.
func New(t testing.TB, clk clock.Clock, users ...authn.User) *House {
	t.Helper()
	h := &House{t: t}
	srv := httptest.NewUnstartedServer(nil)
	h.Issuer = "http://" + srv.Listener.Addr().String()
	for i := range users {
		if users[i].Password == "" {
			users[i].Password = Password
		}
	}
	var err error
	h.issuer, err = authn.NewIssuer(authn.IssuerConfig{
		URL: h.Issuer, Users: users,
		Clients: []authn.Client{{ID: "onehall", Secret: "service", Roles: []string{"service"}}, {ID: "test"}},
	}, clk)
	if err != nil {
		t.Fatalf("issuer: %v", err)
	}
	srv.Config.Handler = h.issuer
	srv.Start()
	t.Cleanup(srv.Close)

	cfg := boot.DefaultConfig()
	cfg.Etcd.Endpoints = []string{etcdtest.Start(t).Endpoint}
	cfg.Auth.Issuer, cfg.Auth.ClientSecret, cfg.Auth.IdentitySecret = h.Issuer, "service", IdentitySecret
	cfg.Limits.RatePerSecond = -1
	cfg.Stop.Drain = time.Millisecond
	level := slog.LevelError
	if os.Getenv("ONEHALL_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	h.Runtime, err = boot.NewRuntime(context.Background(), cfg, boot.Params{
		Clock: clk, Version: "test", Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		t.Fatalf("runtime: %v", err)
	}
	t.Cleanup(func() {
		if err := h.Runtime.Close(); err != nil {
			t.Errorf("runtime: %v", err)
		}
	})
	return h
}

// Serve runs a service under a role until the test ends or stop is called.
func (h *House) Serve(role string, c boot.Component) (stop func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- boot.Serve(ctx, h.Runtime, role, "127.0.0.1:0", c) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("%s: %v", role, err)
		}
	}
	h.t.Cleanup(stop)
	return stop
}

// Dial makes a channel to a role. Who speaks is in each call's context: As, AsService
// or nobody.
func (h *House) Dial(role string) *grpc.ClientConn {
	h.t.Helper()
	conn, err := h.Runtime.Dialer.Dial(role)
	if err != nil {
		h.t.Fatalf("dial %s: %v", role, err)
	}
	h.t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			h.t.Errorf("close channel: %v", err)
		}
	})
	return conn
}

// As is a context whose calls carry the token of a user.
func (h *House) As(user string) context.Context {
	return rpc.WithToken(h.t.Context(), userToken{h, user})
}

// AsService is a context whose calls carry the services' own token.
func (h *House) AsService() context.Context { return rpc.WithToken(h.t.Context(), h.Runtime.Service) }

type userToken struct {
	h    *House
	user string
}

// Token implements authn.TokenSource.
func (u userToken) Token(context.Context) (string, error) {
	return u.h.issuer.MintFor(u.user)
}
