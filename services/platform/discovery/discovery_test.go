package discovery_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/onehall/onehall/services/platform/discovery"
	"github.com/onehall/onehall/services/platform/discovery/etcdtest"
)

const (
	cluster = "test"
	role    = "casework"
	key     = "/test/services/casework/"
)

// peer is an instance that answers health checks and counts them.
type peer struct {
	healthpb.UnimplementedHealthServer
	addr  string
	calls atomic.Int64
	srv   *grpc.Server
}

// Check implements the health service.
func (p *peer) Check(context.Context, *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	p.calls.Add(1)
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{addr: lis.Addr().String(), srv: grpc.NewServer()}
	healthpb.RegisterHealthServer(p.srv, p)
	go func() {
		if err := p.srv.Serve(lis); err != nil {
			t.Errorf("peer: %v", err)
		}
	}()
	t.Cleanup(p.srv.Stop)
	return p
}

func register(t *testing.T, cli *clientv3.Client, id, addr string) *discovery.Registrar {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := discovery.Register(ctx, cli, discovery.Registration{
		Cluster: cluster, Role: role, ID: id, Instance: discovery.Instance{Addr: addr, Version: "test"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func registered(t *testing.T, r *discovery.Registrar) {
	t.Helper()
	select {
	case <-r.Registered():
	case <-time.After(10 * time.Second):
		t.Fatal("not registered after 10 s")
	}
}

func dial(t *testing.T, cli *clientv3.Client, opt discovery.Options) healthpb.HealthClient {
	t.Helper()
	opt.Cluster = cluster
	conn, err := grpc.NewClient(discovery.Target(role),
		grpc.WithResolvers(discovery.NewBuilder(cli, opt)),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return healthpb.NewHealthClient(conn)
}

func call(c healthpb.HealthClient, wait time.Duration, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_, err := c.Check(ctx, &healthpb.HealthCheckRequest{}, opts...)
	return err
}

// callable waits until the service can be called at all.
func callable(t *testing.T, c healthpb.HealthClient) {
	t.Helper()
	eventually(t, 10*time.Second, "a call succeeds", func() bool { return call(c, time.Second) == nil })
}

func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(within)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func keys(t *testing.T, cli *clientv3.Client) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resp, err := cli.Get(ctx, key, clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, kv := range resp.Kvs {
		out = append(out, string(kv.Key))
	}
	return out
}

// The official resolver goes deaf for ever when etcd compacts its history while
// the client is cut off (N1). Ours must see, after healing, the true set.
func TestCompactionWhileCut(t *testing.T) {
	etcd := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, etcd.Addr)
	direct := etcd.Client(t)
	a, b := newPeer(t), newPeer(t)
	ra := register(t, direct, "a", a.addr)
	registered(t, ra)

	c := dial(t, etcdtest.Client(t, "http://"+proxy.Addr), discovery.Options{})
	callable(t, c)
	proxy.Cut()
	if err := ra.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	registered(t, register(t, direct, "b", b.addr))
	resp, err := direct.Put(t.Context(), "/unrelated", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := direct.Compact(t.Context(), resp.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := call(c, time.Second); err != nil {
			t.Fatalf("call while etcd is cut off: %v", err)
		}
	}
	proxy.Heal()
	eventually(t, 20*time.Second, "the new instance is called", func() bool {
		return call(c, time.Second) == nil && b.calls.Load() > 0
	})
	before := a.calls.Load()
	for range 30 {
		if err := call(c, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.calls.Load() - before; got != 0 {
		t.Errorf("%d of 30 calls went to the instance that left", got)
	}
}

// A healthy instance whose lease lapses goes on being called, and its key comes
// back under a fresh lease (N2).
func TestLeaseLoss(t *testing.T) {
	etcd := etcdtest.Start(t)
	cli := etcd.Client(t)
	a := newPeer(t)
	registered(t, register(t, cli, "a", a.addr))
	c := dial(t, cli, discovery.Options{})
	callable(t, c)

	leases, err := cli.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(leases.Leases) != 1 {
		t.Fatalf("%d leases, want 1", len(leases.Leases))
	}
	lost := leases.Leases[0].ID
	if _, err := cli.Revoke(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the key is back", func() bool {
		if err := call(c, time.Second); err != nil {
			t.Fatalf("call after the lease was lost: %v", err)
		}
		return slices.Equal(keys(t, cli), []string{key + "a"})
	})
	got, err := cli.Get(t.Context(), key+"a")
	if err != nil {
		t.Fatal(err)
	}
	if got.Kvs[0].Lease == int64(lost) {
		t.Error("the key is under the lease that was lost")
	}
}

// When etcd is out of reach for longer than a lease lasts, and compacts
// meanwhile so that no watch can tell what it missed, the key is written again.
func TestOutageLongerThanLease(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, etcd.Addr)
	direct := etcd.Client(t)
	registered(t, register(t, etcdtest.Client(t, "http://"+proxy.Addr), "a", "127.0.0.1:1"))
	proxy.Cut()
	eventually(t, 15*time.Second, "the lease lapses", func() bool { return len(keys(t, direct)) == 0 })
	resp, err := direct.Put(t.Context(), "/unrelated", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := direct.Compact(t.Context(), resp.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	proxy.Heal()
	eventually(t, 10*time.Second, "the key is back", func() bool { return len(keys(t, direct)) == 1 })
}

// A key deleted by somebody else comes back too.
func TestKeyDeletedComesBack(t *testing.T) {
	cli := etcdtest.Start(t).Client(t)
	registered(t, register(t, cli, "a", "127.0.0.1:1"))
	if _, err := cli.Delete(t.Context(), key+"a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the key is back", func() bool { return len(keys(t, cli)) == 1 })
}

// A first call while etcd is down ends by its own deadline (N3), also when the
// network swallows everything.
func TestEtcdDownAtFirstDial(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0") // accepts by backlog, never answers
	if err != nil {
		t.Fatal(err)
	}
	// Not deferred: the parallel subtests outlive this function's body.
	t.Cleanup(func() {
		if err := lis.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, tc := range []struct{ name, addr string }{
		{"refused", "127.0.0.1:1"},
		{"silent", lis.Addr().String()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, etcdtest.Client(t, "http://"+tc.addr), discovery.Options{})
			const wait = 700 * time.Millisecond
			started := time.Now()
			err := call(c, wait, grpc.WaitForReady(true))
			if took := time.Since(started); took > wait+100*time.Millisecond {
				t.Errorf("call took %v, its deadline was %v", took, wait)
			}
			if status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("got %v, want DeadlineExceeded", err)
			}
		})
	}
}

// A process that starts while etcd is down finds its peers in the cache of an
// earlier one, or in the configured list.
func TestStartWithoutEtcd(t *testing.T) {
	a := newPeer(t)
	t.Run("static", func(t *testing.T) {
		c := dial(t, etcdtest.Client(t, "http://127.0.0.1:1"), discovery.Options{Static: map[string][]string{role: {a.addr}}})
		if err := call(c, 2*time.Second, grpc.WaitForReady(true)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("cache", func(t *testing.T) {
		dir := t.TempDir()
		etcd := etcdtest.Start(t)
		registered(t, register(t, etcd.Client(t), "a", a.addr))
		callable(t, dial(t, etcd.Client(t), discovery.Options{CacheDir: dir}))
		// A peer can be called before its address is on disk, where it is first a file of
		// another name.
		want := []string{filepath.Join(dir, fmt.Sprintf("discovery-%s-%s.json", cluster, role))}
		eventually(t, 10*time.Second, "the cache is the one file", func() bool {
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil {
				t.Fatal(err)
			}
			return slices.Equal(files, want)
		})
		c := dial(t, etcdtest.Client(t, "http://127.0.0.1:1"), discovery.Options{CacheDir: dir})
		if err := call(c, 2*time.Second, grpc.WaitForReady(true)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("broken cache", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("discovery-%s-%s.json", cluster, role)), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := dial(t, etcdtest.Client(t, "http://127.0.0.1:1"), discovery.Options{CacheDir: dir, Static: map[string][]string{role: {a.addr}}})
		if err := call(c, 2*time.Second, grpc.WaitForReady(true)); err != nil {
			t.Fatal(err)
		}
	})
}

// Once known, peers are called for as long as etcd is gone.
func TestEtcdGone(t *testing.T) {
	etcd := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, etcd.Addr)
	a := newPeer(t)
	registered(t, register(t, etcd.Client(t), "a", a.addr))
	c := dial(t, etcdtest.Client(t, "http://"+proxy.Addr), discovery.Options{RelistEvery: 200 * time.Millisecond})
	callable(t, c)
	proxy.Cut()
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := call(c, time.Second); err != nil {
			t.Fatalf("call without etcd: %v", err)
		}
	}
}

// An instance that leaves deletes its key first, so nobody calls it again and
// no call fails.
func TestGracefulLeave(t *testing.T) {
	etcd := etcdtest.Start(t)
	cli := etcd.Client(t)
	a, b := newPeer(t), newPeer(t)
	ra := register(t, cli, "a", a.addr)
	registered(t, ra)
	registered(t, register(t, cli, "b", b.addr))
	c := dial(t, cli, discovery.Options{})
	callable(t, c)
	eventually(t, 5*time.Second, "both are called", func() bool {
		if err := call(c, time.Second); err != nil {
			t.Fatal(err)
		}
		return a.calls.Load() > 0 && b.calls.Load() > 0
	})
	if err := ra.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := keys(t, cli); !slices.Equal(diff, []string{key + "b"}) {
		t.Fatalf("keys after leaving: %v", diff)
	}
	stop := make(chan struct{})
	go func() { defer close(stop); a.srv.GracefulStop() }()
	for done := false; !done; {
		select {
		case <-stop:
			done = true
		default:
		}
		if err := call(c, time.Second); err != nil {
			t.Fatalf("call during the leave: %v", err)
		}
	}
}

// A successor that took over the id keeps its key when the predecessor leaves.
func TestDeregisterSparesSuccessor(t *testing.T) {
	cli := etcdtest.Start(t).Client(t)
	old := register(t, cli, "a", "127.0.0.1:1")
	registered(t, old)
	registered(t, register(t, cli, "a", "127.0.0.1:2"))
	if err := old.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, cli); len(got) != 1 {
		t.Fatalf("keys %v, want the successor's", got)
	}
}

// Keys that hold no address are left out; other roles are not seen.
func TestForeignKeys(t *testing.T) {
	etcd := etcdtest.Start(t)
	cli := etcd.Client(t)
	a := newPeer(t)
	for k, v := range map[string]string{
		key + "junk": "junk", key + "noport": `{"addr":"10.0.0.1"}`, "/test/services/caseworker/x": `{"addr":"127.0.0.1:1"}`,
	} {
		if _, err := cli.Put(t.Context(), k, v); err != nil {
			t.Fatal(err)
		}
	}
	c := dial(t, cli, discovery.Options{})
	// Nothing usable yet: the call fails at once and says so.
	err := call(c, 5*time.Second)
	if status.Code(err) != codes.Unavailable {
		t.Fatalf("got %v, want Unavailable", err)
	}
	registered(t, register(t, cli, "a", a.addr))
	callable(t, c)
	for range 20 {
		if err := call(c, time.Second); err != nil {
			t.Fatal(err)
		}
	}
}
