// Package etcdtest starts a real etcd inside a test, and a wire to it that can
// be cut. Nothing outside tests imports it.
package etcdtest

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/onehall/onehall/services/platform/discovery"
)

// Server is one etcd member that lives as long as its test.
type Server struct {
	// Endpoint is the client URL.
	Endpoint string
	// Addr is the host:port behind Endpoint, to put a Proxy in front.
	Addr string

	stop func()
}

// Start runs an etcd on free loopback ports with its data in a temporary
// directory.
func Start(t testing.TB) *Server {
	t.Helper()
	cfg := embed.NewConfig()
	cfg.Dir = t.TempDir()
	cfg.LogLevel = "fatal"
	// Nothing here has to survive a power cut, and fsync is what makes a test
	// on a busy machine slow.
	cfg.UnsafeNoFsync = true
	client, peer := freeURL(t), freeURL(t)
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatalf("start etcd: %v", err)
	}
	s := &Server{Endpoint: client.String(), Addr: client.Host, stop: sync.OnceFunc(e.Close)}
	t.Cleanup(s.stop)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(20 * time.Second):
		t.Fatal("etcd not ready after 20 s")
	}
	return s
}

// Stop ends the member before its test does. It takes seconds while clients
// hold streams; a test that only needs etcd out of reach cuts a Proxy.
func (s *Server) Stop() { s.stop() }

// Client connects to the member as the product does.
func (s *Server) Client(t testing.TB) *clientv3.Client {
	t.Helper()
	return Client(t, s.Endpoint)
}

// Client connects to an endpoint as the product does and closes with the test.
func Client(t testing.TB, endpoint string) *clientv3.Client {
	t.Helper()
	cli, err := discovery.NewClient(discovery.ClientConfig{Endpoints: []string{endpoint}})
	if err != nil {
		t.Fatalf("etcd client: %v", err)
	}
	t.Cleanup(func() {
		// Closing only reports that the test's own context has ended.
		_ = cli.Close()
	})
	return cli
}

// freeURL asks the kernel for a port; another process could take it before
// etcd does, which on loopback in a test has not been worth a retry loop.
func freeURL(t testing.TB) url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("free port: %v", err)
	}
	host := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatalf("free port: %v", err)
	}
	return url.URL{Scheme: "http", Host: host}
}
