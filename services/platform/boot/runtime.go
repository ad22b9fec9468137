package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/discovery"
	"github.com/onehall/onehall/services/platform/rpc"
)

// Runtime is what all services of one process share.
type Runtime struct {
	// Clock is legal time.
	Clock clock.Clock
	// Log is the process's log.
	Log *slog.Logger
	// Etcd is discovery's client.
	Etcd *clientv3.Client
	// Dialer makes channels to other services.
	Dialer *rpc.Dialer
	// Resolver finds the instances of a role.
	Resolver *discovery.Builder
	// Locals are the roles that this process serves, for its own dialer.
	Locals *rpc.Locals
	// Verifier checks callers' tokens.
	Verifier *authn.Verifier
	// Service is the process's own token.
	Service authn.TokenSource
	// Metrics is the process's registry.
	Metrics *prometheus.Registry
	// Cluster names the deployment.
	Cluster string
	// Version is the program's version.
	Version string
	// Ready is what /readyz tells.
	Ready *Readiness
	// Config is the configuration it was made from.
	Config Config
	// AdminAddr is where the admin server listens; nil when there is none.
	AdminAddr net.Addr

	closers []func(context.Context) error
}

// Params are the parts of a Runtime that a configuration cannot hold.
type Params struct {
	Clock   clock.Clock
	Log     *slog.Logger
	Version string
}

// NewRuntime builds the shared parts. It needs neither etcd nor the issuer to
// be up: processes of a deployment start in any order.
func NewRuntime(ctx context.Context, cfg Config, p Params) (rt *Runtime, err error) {
	rt = &Runtime{
		Clock: p.Clock, Log: p.Log, Version: p.Version, Cluster: cfg.Cluster, Config: cfg,
		Metrics: prometheus.NewRegistry(), Ready: NewReadiness(), Locals: rpc.NewLocals(),
	}
	if rt.Clock == clock.Clock(clock.System()) {
		// A clock that is moved on purpose has nothing to be guarded against.
		rt.Clock = clock.NewGuard(clock.System(), p.Log)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, rt.Close())
			rt = nil
		}
	}()
	rt.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	stopTelemetry, err := startTelemetry(ctx, p.Version, rt.Metrics)
	if err != nil {
		return rt, err
	}
	rt.closers = append(rt.closers, stopTelemetry)
	if err = rt.connect(cfg); err != nil {
		return rt, err
	}
	rt.watchClock()
	stopAdmin, addr, err := serveAdmin(cfg.Admin.Listen, AdminHandler(rt.Metrics, rt.Ready, p.Version), p.Log)
	if err != nil {
		return rt, err
	}
	rt.AdminAddr = addr
	rt.closers = append(rt.closers, stopAdmin)
	return rt, nil
}

// connect builds discovery, the dialer and the identities.
func (rt *Runtime) connect(cfg Config) error {
	etcdTLS, err := cfg.Etcd.TLS.Client()
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	rt.Etcd, err = discovery.NewClient(discovery.ClientConfig{
		Endpoints: cfg.Etcd.Endpoints, Username: cfg.Etcd.Username, Password: cfg.Etcd.Password.Reveal(), TLS: etcdTLS,
	})
	if err != nil {
		return err
	}
	rt.closers = append(rt.closers, func(context.Context) error {
		// Close reports the end of the client's own context as an error.
		if err := rt.Etcd.Close(); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	if cfg.Discovery.CacheDir != "" {
		if err := os.MkdirAll(cfg.Discovery.CacheDir, 0o700); err != nil {
			return fmt.Errorf("discovery cache: %w", err)
		}
	}
	locals := rt.Locals
	if tracing() {
		locals = nil // the spans of a call are made where it takes the wire
	}
	rt.Resolver = discovery.NewBuilder(rt.Etcd, discovery.Options{
		Cluster: cfg.Cluster, CacheDir: cfg.Discovery.CacheDir, Static: cfg.Discovery.Static, Log: rt.Log,
	})
	rt.Dialer, err = rpc.NewDialer(rpc.DialerOptions{
		Resolver: rt.Resolver,
		TLS:      cfg.TLS, Locals: locals, Metrics: rt.Metrics, Log: rt.Log,
	})
	if err != nil {
		return err
	}
	rt.Verifier, err = authn.NewVerifier(authn.VerifierConfig{
		Issuer: cfg.Auth.Issuer, JWKSURL: cfg.Auth.JWKSURL, Audience: cfg.Auth.Audience,
		IdentitySecret: []byte(cfg.Auth.IdentitySecret.Reveal()),
	}, rt.Clock)
	if err != nil {
		return err
	}
	if cfg.Auth.TokenFile != "" {
		rt.Service = authn.FileTokenSource(cfg.Auth.TokenFile)
		return nil
	}
	rt.Service = authn.NewTokenSource(authn.ClientCredentials{
		Issuer: cfg.Auth.Issuer, ID: cfg.Auth.ClientID, Secret: cfg.Auth.ClientSecret.Reveal(),
	}, rt.Clock)
	return nil
}

// closeTimeout bounds the end of the shared parts.
const closeTimeout = 5 * time.Second

// Close ends the shared parts, last made first.
func (rt *Runtime) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	for i := len(rt.closers) - 1; i >= 0; i-- {
		errs = append(errs, rt.closers[i](ctx))
	}
	rt.closers = nil
	return errors.Join(errs...)
}
