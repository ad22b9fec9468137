package discovery

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
)

// ClientConfig says how to reach etcd.
type ClientConfig struct {
	// Endpoints are the client URLs of the etcd members.
	Endpoints []string
	// Username and Password are the etcd user of this service; may be empty.
	Username, Password string
	// TLS is the client side of mutual TLS; nil means plain text.
	TLS *tls.Config
}

// NewClient makes an etcd client that returns at once, also when etcd is down,
// and that finds its way back within seconds: gRPC's default reconnect pause
// of up to two minutes would outlast every promise this package makes.
func NewClient(cfg ClientConfig) (*clientv3.Client, error) {
	if len(cfg.Endpoints) == 0 {
		return nil, fmt.Errorf("discovery: no etcd endpoints")
	}
	cli, err := clientv3.New(clientv3.Config{
		Endpoints: cfg.Endpoints,
		Username:  cfg.Username,
		Password:  cfg.Password,
		TLS:       cfg.TLS,
		// etcd refuses pings more frequent than every 5 s.
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 3 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           grpcbackoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 2 * time.Second,
		})},
		Logger: zap.NewNop(),
	})
	if err != nil {
		return nil, fmt.Errorf("discovery: etcd client: %w", err)
	}
	return cli, nil
}

// bounded is the one way in which this package derives the context of a single
// etcd request.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, callTimeout)
}
