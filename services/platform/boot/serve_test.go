package boot_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/discovery/etcdtest"
	"github.com/onehall/onehall/services/platform/rpc"
)

// component is a service that notes what happens to it.
type component struct {
	feedv1.UnimplementedFeedServiceServer
	ready  chan struct{}
	failed chan error
	served atomic.Int64

	mu     sync.Mutex
	events []string
}

func newComponent() *component {
	return &component{ready: make(chan struct{}), failed: make(chan error, 1)}
}

func (c *component) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, what)
}

func (c *component) history() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.events, " ")
}

// Register implements boot.Component.
func (c *component) Register(r grpc.ServiceRegistrar) { feedv1.RegisterFeedServiceServer(r, c) }

// Run implements boot.Component.
func (c *component) Run(ctx context.Context) error {
	c.note("run")
	defer c.note("run-ended")
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-c.failed:
		return err
	}
}

// Close implements boot.Component.
func (c *component) Close() error { c.note("closed"); return nil }

// Ready implements boot.Readier.
func (c *component) Ready() <-chan struct{} { return c.ready }

// ReadEvents implements the feed service, slowly.
func (c *component) ReadEvents(ctx context.Context, _ *feedv1.ReadEventsRequest) (*feedv1.ReadEventsResponse, error) {
	c.served.Add(1)
	select {
	case <-time.After(5 * time.Millisecond):
		return &feedv1.ReadEventsResponse{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// deployment is an etcd and an issuer for the processes of a test.
type deployment struct {
	etcd   *etcdtest.Server
	config boot.Config
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	var issuer http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { issuer.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	i, err := authn.NewIssuer(authn.IssuerConfig{
		URL: srv.URL, Clients: []authn.Client{{ID: "onehall", Secret: "s", Roles: []string{"service"}}},
	}, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	issuer = i
	d := &deployment{etcd: etcdtest.Start(t), config: boot.DefaultConfig()}
	d.config.Etcd.Endpoints = []string{d.etcd.Endpoint}
	d.config.Auth.Issuer, d.config.Auth.ClientSecret = srv.URL, "s"
	d.config.Auth.IdentitySecret = "0123456789abcdef"
	d.config.Admin.Listen = "127.0.0.1:0"
	d.config.Stop.Drain = 200 * time.Millisecond
	d.config.Discovery.CacheDir = t.TempDir()
	return d
}

func (d *deployment) runtime(t *testing.T) *boot.Runtime {
	t.Helper()
	rt, err := boot.NewRuntime(t.Context(), d.config, boot.Params{
		Clock: clock.System(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "v-test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Errorf("close runtime: %v", err)
		}
	})
	return rt
}

type process struct {
	*component
	rt   *boot.Runtime
	stop context.CancelFunc
	done chan error
}

func (d *deployment) start(t *testing.T) *process {
	t.Helper()
	p := &process{component: newComponent(), rt: d.runtime(t), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	t.Cleanup(cancel)
	go func() { p.done <- boot.Serve(ctx, p.rt, "casework", "127.0.0.1:0", p.component) }()
	return p
}

func (p *process) ended(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("not ended after 20 s")
		return nil
	}
}

func (p *process) admin(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + p.rt.AdminAddr.String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func (d *deployment) registered(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	got, err := d.etcd.Client(t).Get(ctx, "/onehall/services/casework/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return int(got.Count)
}

func read(ctx context.Context, rt *boot.Runtime, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(rpc.WithToken(ctx, rt.Service), 5*time.Second)
	defer cancel()
	_, err := feedv1.NewFeedServiceClient(conn).ReadEvents(ctx, &feedv1.ReadEventsRequest{})
	return err
}

// load calls without pause from six sides until the returned function is called,
// and every call must succeed.
func load(t *testing.T, caller *boot.Runtime, conn *grpc.ClientConn) (finish func()) {
	t.Helper()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := read(context.Background(), caller, conn); err != nil {
					t.Errorf("call under load: %v", err)
				}
			}
		})
	}
	return func() { close(stop); wg.Wait() }
}

// A whole life: not ready, ready, found through etcd and called with a service
// token, stopped under load without a failed call, taken down in order.
func TestLife(t *testing.T) {
	d := newDeployment(t)
	a := d.start(t)
	eventually(t, "it runs", func() bool { return a.history() == "run" })
	if code, body := a.admin(t, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, `"casework":false`) {
		t.Errorf("readyz before: %d %s", code, body)
	}
	if n := d.registered(t); n != 0 {
		t.Errorf("%d registered before it is ready", n)
	}
	close(a.ready)
	eventually(t, "it is registered", func() bool { return d.registered(t) == 1 })
	if code, body := a.admin(t, "/readyz"); code != http.StatusOK {
		t.Errorf("readyz: %d %s", code, body)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/version": "v-test", "/metrics": "grpc_server_started_total"} {
		if code, body := a.admin(t, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d", path, code)
		}
	}

	caller := d.runtime(t)
	conn, err := caller.Dialer.Dial("casework")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	eventually(t, "it can be called", func() bool { return read(t.Context(), caller, conn) == nil })
	if err := read(context.Background(), &boot.Runtime{Service: authn.FileTokenSource("/nowhere")}, conn); status.Code(err) != codes.Unavailable {
		t.Errorf("without a token of its own: %v", err)
	}

	b := d.start(t)
	close(b.ready)
	finish := load(t, caller, conn)
	eventually(t, "both are called", func() bool { return a.served.Load() > 20 && b.served.Load() > 20 })
	a.stop()
	if err := a.ended(t); err != nil {
		t.Errorf("end: %v", err)
	}
	before := b.served.Load()
	eventually(t, "the other goes on", func() bool { return b.served.Load() > before+20 })
	finish()
	if got := a.history(); got != "run run-ended closed" {
		t.Errorf("order: %s", got)
	}
	if n := d.registered(t); n != 1 {
		t.Errorf("%d registered after one of two left", n)
	}
	b.stop()
	if err := b.ended(t); err != nil {
		t.Errorf("end: %v", err)
	}
}

// A service whose background work fails takes its process down, and says why.
func TestRunFails(t *testing.T) {
	d := newDeployment(t)
	for _, cause := range []error{errors.New("disk is gone"), nil} {
		p := d.start(t)
		close(p.ready)
		p.failed <- cause
		err := p.ended(t)
		if err == nil || cause != nil && !errors.Is(err, cause) {
			t.Errorf("%v: ended with %v", cause, err)
		}
		if got := p.history(); got != "run run-ended closed" {
			t.Errorf("order: %s", got)
		}
	}
}

func TestServeRefusesBadAddress(t *testing.T) {
	d := newDeployment(t)
	c := newComponent()
	if err := boot.Serve(t.Context(), d.runtime(t), "casework", "256.0.0.1:1", c); err == nil {
		t.Error("served on an impossible address")
	}
	if c.history() != "closed" {
		t.Errorf("not closed: %s", c.history())
	}
	// An address that means every interface cannot be given to others.
	d.config.TLS.Insecure = true
	c = newComponent()
	close(c.ready)
	if err := boot.Serve(t.Context(), d.runtime(t), "casework", "0.0.0.0:0", c); err == nil || !strings.Contains(err.Error(), "advertise") {
		t.Errorf("got %v", err)
	}
}

func TestRuntimeNeedsSense(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	for name, change := range map[string]func(*boot.Config){
		"no issuer":       func(c *boot.Config) { c.Auth.Issuer = "" },
		"weak secret":     func(c *boot.Config) { c.Auth.IdentitySecret = "x" },
		"no etcd":         func(c *boot.Config) { c.Etcd.Endpoints = nil },
		"half of TLS":     func(c *boot.Config) { c.TLS.Cert = "x" },
		"admin port junk": func(c *boot.Config) { c.Admin.Listen = "junk" },
	} {
		cfg := boot.DefaultConfig()
		cfg.Auth.Issuer, cfg.Auth.IdentitySecret = "http://127.0.0.1:1", "0123456789abcdef"
		change(&cfg)
		if rt, err := boot.NewRuntime(t.Context(), cfg, boot.Params{Clock: clock.System(), Log: log}); err == nil || rt != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Start and end leave nothing running behind, also when etcd and the issuer
// never were there.
func TestNoLeak(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cfg := boot.DefaultConfig()
	cfg.Etcd.Endpoints = []string{"http://127.0.0.1:1"}
	cfg.Auth.Issuer, cfg.Auth.IdentitySecret = "http://127.0.0.1:1", "0123456789abcdef"
	cfg.Stop.Drain = time.Millisecond
	rt, err := boot.NewRuntime(t.Context(), cfg, boot.Params{Clock: clock.System(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := newComponent()
	close(c.ready)
	go func() { done <- boot.Serve(ctx, rt, "casework", "127.0.0.1:0", c) }()
	eventually(t, "it is ready", func() bool { _, all := rt.Ready.Snapshot(); return all })
	conn, err := rt.Dialer.Dial("casework")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := rt.Close(); err != nil {
		t.Error(err)
	}
}
