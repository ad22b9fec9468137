package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
)

// Limits bound what one process does for its callers. Zero values mean the
// defaults of DefaultLimits.
type Limits struct {
	// DefaultDeadline is given to a unary call that names none, MaxDeadline is
	// the most that any may ask for.
	DefaultDeadline time.Duration `koanf:"default_deadline"`
	MaxDeadline     time.Duration `koanf:"max_deadline"`
	// MaxStreams bounds the concurrent calls of one connection.
	MaxStreams uint32 `koanf:"max_streams"`
	// MaxConnectionAge is when a connection is asked to come again, so that
	// new replicas get their share.
	MaxConnectionAge time.Duration `koanf:"max_connection_age"`
	// RatePerSecond and RateBurst bound the calls of one principal; a negative
	// rate means no bound.
	RatePerSecond float64 `koanf:"rate_per_second"`
	RateBurst     int     `koanf:"rate_burst"`
	// HardStop is how long a graceful stop may take.
	HardStop time.Duration `koanf:"hard_stop"`
}

// DefaultLimits are the limits of a production process.
func DefaultLimits() Limits {
	return Limits{
		DefaultDeadline: 10 * time.Second, MaxDeadline: 30 * time.Second, MaxStreams: 128,
		MaxConnectionAge: 5 * time.Minute, RatePerSecond: 500, RateBurst: 1000, HardStop: 20 * time.Second,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	if l.DefaultDeadline <= 0 {
		l.DefaultDeadline = d.DefaultDeadline
	}
	if l.MaxDeadline <= 0 {
		l.MaxDeadline = d.MaxDeadline
	}
	if l.MaxStreams == 0 {
		l.MaxStreams = d.MaxStreams
	}
	if l.MaxConnectionAge <= 0 {
		l.MaxConnectionAge = d.MaxConnectionAge
	}
	if l.RatePerSecond == 0 {
		l.RatePerSecond, l.RateBurst = d.RatePerSecond, d.RateBurst
	}
	if l.HardStop <= 0 {
		l.HardStop = d.HardStop
	}
	return l
}

// Verifier turns a raw bearer token into its caller; *authn.Verifier does.
type Verifier interface {
	Verify(ctx context.Context, raw string) (*authn.Principal, error)
}

// ServerOptions is what a server is made of.
type ServerOptions struct {
	// Role is the service's name in health checks, metrics and logs.
	Role string
	// Verifier checks tokens.
	Verifier Verifier
	// Clock is the legal clock; rules that compare with "now" use it.
	Clock clock.Clock
	// Log receives one line a call; nil means none.
	Log *slog.Logger
	// Metrics receives the server's metrics; may be nil.
	Metrics *prometheus.Registry
	// TLS is the transport's protection.
	TLS TLSConfig
	// Limits bound the callers.
	Limits Limits
}

// Server is a gRPC server with the house's interceptors.
type Server struct {
	*grpc.Server
	opt      ServerOptions
	log      *slog.Logger
	health   *health.Server
	metrics  *grpcprom.ServerMetrics
	inspect  *inspector
	rates    *rates
	draining context.Context
	drain    context.CancelFunc

	// unaries are the methods that Locals may call, through intercept; local counts
	// the calls that they are serving.
	unaries   map[string]unary
	intercept grpc.UnaryServerInterceptor
	local     sync.WaitGroup
}

// NewServer makes a server; services are registered on it before Serve.
func NewServer(o ServerOptions) (*Server, error) {
	if o.Role == "" || o.Verifier == nil || o.Clock == nil {
		return nil, errors.New("rpc: a server needs a role, a verifier and a clock")
	}
	creds, err := o.TLS.ServerCredentials()
	if err != nil {
		return nil, err
	}
	s := &Server{opt: o, log: o.Log, health: health.NewServer(), unaries: map[string]unary{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.opt.Limits = o.Limits.withDefaults()
	if s.inspect, err = newInspector(o.Clock); err != nil {
		return nil, err
	}
	if s.rates, err = newRates(s.opt.Limits); err != nil {
		return nil, err
	}
	if s.metrics, err = serverMetrics(o.Role, o.Metrics); err != nil {
		return nil, err
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	observed := s.metrics.UnaryServerInterceptor()
	s.intercept = func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return observed(ctx, req, info, func(ctx context.Context, req any) (any, error) { return s.unary(ctx, req, info, handler) })
	}
	s.Server = grpc.NewServer(
		grpc.Creds(creds),
		grpc.StatsHandler(otelgrpc.NewServerHandler()),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.MaxSendMsgSize(maxResponse),
		grpc.MaxConcurrentStreams(s.opt.Limits.MaxStreams),
		grpc.MaxHeaderListSize(16<<10),
		grpc.ConnectionTimeout(5*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveMinimum, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: s.opt.Limits.MaxConnectionAge, MaxConnectionAgeGrace: 30 * time.Second,
			Time: keepaliveTime, Timeout: keepaliveTimeout,
		}),
		grpc.UnaryInterceptor(s.intercept),
		grpc.ChainStreamInterceptor(s.metrics.StreamServerInterceptor(), s.stream),
	)
	healthpb.RegisterHealthServer(s.Server, s.health)
	s.SetServing(false)
	return s, nil
}

// serverMetrics registers the gRPC metrics of a role; two servers of one role
// in one process share them.
func serverMetrics(role string, reg *prometheus.Registry) (*grpcprom.ServerMetrics, error) {
	labels := prometheus.Labels{"role": role}
	m := grpcprom.NewServerMetrics(
		grpcprom.WithServerCounterOptions(grpcprom.WithConstLabels(labels)),
		grpcprom.WithServerHandlingTimeHistogram(
			grpcprom.WithHistogramConstLabels(labels),
			grpcprom.WithHistogramBuckets([]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}),
		),
	)
	if reg == nil {
		return m, nil
	}
	err := reg.Register(m)
	var twice prometheus.AlreadyRegisteredError
	if errors.As(err, &twice) {
		if old, ok := twice.ExistingCollector.(*grpcprom.ServerMetrics); ok {
			return old, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("rpc: server metrics: %w", err)
	}
	return m, nil
}

// exempt are the services that every process may call without a token: they
// say nothing but whether the server is up.
func exempt(fullMethod string) bool {
	return strings.HasPrefix(fullMethod, "/"+healthpb.Health_ServiceDesc.ServiceName+"/")
}

// Serve checks that every registered method has a permission and workable
// rules, and then serves until Stop. Plain traffic beyond loopback is refused.
func (s *Server) Serve(lis net.Listener) error {
	if err := s.Check(); err != nil {
		return errors.Join(err, lis.Close())
	}
	if err := s.opt.TLS.checkListener(lis.Addr()); err != nil {
		return errors.Join(err, lis.Close())
	}
	s.metrics.InitializeMetrics(s.Server)
	return s.Server.Serve(lis)
}

// Check reports the first registered method that may not be served.
func (s *Server) Check() error {
	for service, info := range s.GetServiceInfo() {
		for _, im := range info.Methods {
			full := "/" + service + "/" + im.Name
			if exempt(full) {
				continue
			}
			m, err := lookup(full)
			if err != nil {
				return err
			}
			mt, err := protoregistry.GlobalTypes.FindMessageByName(m.desc.Input().FullName())
			if err != nil {
				return fmt.Errorf("rpc: request of %s: %w", full, err)
			}
			if err := s.inspect.prepare(mt.New().Interface()); err != nil {
				return err
			}
		}
	}
	return nil
}

// SetServing tells the clients' health checks whether to send calls here. The
// role is the name they ask for, so that a port taken over by another service
// is not mistaken for this one.
func (s *Server) SetServing(serving bool) {
	st := healthpb.HealthCheckResponse_NOT_SERVING
	if serving {
		st = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", st)
	s.health.SetServingStatus(s.opt.Role, st)
}

// Shutdown ends streams, lets unary calls finish and stops the hard way when
// that takes longer than the limit. A stream would never finish by itself; its
// client is told to come again and finds another instance.
func (s *Server) Shutdown() {
	s.health.Shutdown()
	s.drain()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.GracefulStop()
	}()
	hard := time.NewTimer(s.opt.Limits.HardStop)
	defer hard.Stop()
	select {
	case <-done:
	case <-hard.C:
		s.log.Warn("graceful stop took too long, calls are cut", "role", s.opt.Role)
		s.Stop()
		<-done
	}
}
