package stand

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd runs one etcd member inside this process on free loopback ports. It
// holds only who is alive, never a record of the hall's.
func startEtcd(ctx context.Context, dataDir string) (endpoint string, stop func(), err error) {
	cfg := embed.NewConfig()
	cfg.Name = "onehall"
	cfg.Dir = filepath.Join(dataDir, "etcd")
	// Ports change from start to start, and a member remembers its own; nothing
	// in it outlives the processes it lists.
	if err := os.RemoveAll(cfg.Dir); err != nil {
		return "", nil, fmt.Errorf("embedded etcd: %w", err)
	}
	cfg.LogLevel = "fatal"
	client, err := freeURL()
	if err != nil {
		return "", nil, err
	}
	peer, err := freeURL()
	if err != nil {
		return "", nil, err
	}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return "", nil, fmt.Errorf("embedded etcd: %w", err)
	}
	select {
	case <-e.Server.ReadyNotify():
		return client.String(), e.Close, nil
	case err := <-e.Err():
		e.Close()
		return "", nil, fmt.Errorf("embedded etcd: %w", err)
	case <-ctx.Done():
		e.Close()
		return "", nil, ctx.Err()
	}
}

// freeURL asks the kernel for a loopback port.
func freeURL() (url.URL, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return url.URL{}, fmt.Errorf("a free port: %w", err)
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}, nil
}
