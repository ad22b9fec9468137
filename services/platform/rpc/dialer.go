package rpc

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // the client side of health checking registers itself
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"

	"github.com/onehall/onehall/services/platform/discovery"
)

// DialerOptions is what channels are made of.
type DialerOptions struct {
	// Resolver finds the instances of a role; *discovery.Builder does.
	Resolver resolver.Builder
	// TLS is the transport's protection.
	TLS TLSConfig
	// Timeout is the deadline of a unary call that has none; 10 s when zero.
	Timeout time.Duration
	// Locals are the servers of this process, called without a wire; may be nil.
	Locals *Locals
	// Metrics receives the client's metrics; may be nil.
	Metrics *prometheus.Registry
	// Log may be nil.
	Log *slog.Logger
}

// Dialer makes channels to the services of OneHall.
type Dialer struct {
	opt     DialerOptions
	creds   credentials.TransportCredentials
	metrics *grpcprom.ClientMetrics
}

// NewDialer checks the options.
func NewDialer(o DialerOptions) (*Dialer, error) {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	d := &Dialer{opt: o, creds: insecure.NewCredentials()}
	tlsConfig, err := o.TLS.Client()
	if err != nil {
		return nil, err
	}
	if tlsConfig != nil {
		d.creds = credentials.NewTLS(tlsConfig)
	}
	d.metrics = grpcprom.NewClientMetrics()
	if o.Metrics == nil {
		return d, nil
	}
	err = o.Metrics.Register(d.metrics)
	var twice prometheus.AlreadyRegisteredError
	if errors.As(err, &twice) {
		if old, ok := twice.ExistingCollector.(*grpcprom.ClientMetrics); ok {
			d.metrics = old
			return d, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("rpc: client metrics: %w", err)
	}
	return d, nil
}

// Dial makes a channel to a role through discovery. It returns at once; long
// streams deserve a channel of their own, since a server caps the calls of one
// connection and a capped client waits in silence.
func (d *Dialer) Dial(role string) (*grpc.ClientConn, error) {
	if d.opt.Resolver == nil {
		return nil, errors.New("rpc: the dialer has no resolver")
	}
	return d.dial(role, discovery.Target(role), d.opt.Locals)
}

// DialTarget makes a channel to a role at a target of any scheme gRPC knows,
// as "dns:///hall.example:7443": another deployment is not in our discovery.
func (d *Dialer) DialTarget(role, target string) (*grpc.ClientConn, error) {
	return d.dial(role, target, nil)
}

func (d *Dialer) dial(role, target string, locals *Locals) (*grpc.ClientConn, error) {
	config, err := serviceConfig(role)
	if err != nil {
		return nil, err
	}
	unaries := []grpc.UnaryClientInterceptor{d.unary, d.metrics.UnaryClientInterceptor()}
	if locals != nil {
		unaries = append(unaries, locals.unary(role))
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(d.creds),
		grpc.WithContextDialer(d.opt.TLS.dialContext),
		grpc.WithDefaultServiceConfig(config),
		grpc.WithDisableServiceConfig(),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler()),
		grpc.WithUserAgent("onehall"),
		grpc.WithMaxHeaderListSize(64 << 10),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxResponse), grpc.MaxCallSendMsgSize(maxRequest)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		}),
		grpc.WithChainUnaryInterceptor(unaries...),
		grpc.WithChainStreamInterceptor(d.stream, d.metrics.StreamClientInterceptor()),
	}
	if d.opt.Resolver != nil {
		opts = append(opts, grpc.WithResolvers(d.opt.Resolver))
	}
	conn, err := grpc.NewClient(target, opts...)
	if err != nil {
		return nil, fmt.Errorf("rpc: dial %s: %w", role, err)
	}
	return conn, nil
}
