package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/discovery"
	"github.com/onehall/onehall/services/platform/rpc"
)

// Component is one service of OneHall.
type Component interface {
	// Register adds the service's handlers to a server.
	Register(grpc.ServiceRegistrar)
	// Run does the service's own work (following feeds, watching limits) until
	// ctx ends. It returns nil or ctx's error then; anything else stops the
	// process.
	Run(ctx context.Context) error
	// Close gives back what New took. It is called after Run has returned and
	// the last call has ended.
	Close() error
}

// Readier is a Component that is not ready as soon as it runs.
type Readier interface {
	// Ready is closed when calls may come.
	Ready() <-chan struct{}
}

// Measured is a Component with metrics of its own, beside those of its calls.
type Measured interface {
	// Metrics are collected while the component is served, with its role as a label.
	Metrics() []prometheus.Collector
}

// deregisterTimeout bounds leaving discovery; the lease ends soon after anyway.
const deregisterTimeout = 3 * time.Second

// Serve runs a component under a role until ctx ends, and then takes it down in
// the reverse order of its start: no new calls, leave discovery, let clients
// notice, finish the calls, end the background work, close. It owns c from the
// first line on and closes it also when it fails.
func Serve(ctx context.Context, rt *Runtime, role, listenAddr string, c Component) (err error) {
	defer func() { err = errors.Join(err, c.Close()) }()
	srv, err := rpc.NewServer(rpc.ServerOptions{
		Role: role, Verifier: rt.Verifier, Clock: rt.Clock, Log: rt.Log, Metrics: rt.Metrics,
		TLS: rt.Config.TLS, Limits: rt.Config.Limits,
	})
	if err != nil {
		return err
	}
	unmeasure, err := measure(rt.Metrics, role, c)
	if err != nil {
		srv.Stop()
		return fmt.Errorf("%s: metrics: %w", role, err)
	}
	defer unmeasure()
	c.Register(srv)
	lis, err := net.Listen("tcp", listenAddr)
	if err != nil {
		srv.Stop()
		return fmt.Errorf("%s: %w", role, err)
	}
	rt.Ready.Set(role, false)
	r := &running{rt: rt, role: role, srv: srv, addr: lis.Addr(), ended: make(chan error, 2)}

	go func() { r.ended <- srv.Serve(lis) }()
	// The background work goes on while the last calls are finished: they may
	// wait for it.
	runCtx, stopRun := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRun()
	runDone := make(chan error, 1)
	go func() {
		err := c.Run(runCtx)
		runDone <- err
		if err == nil && runCtx.Err() == nil {
			err = errors.New("ended by itself")
		}
		r.ended <- err
	}()

	err = r.until(ctx, readiness(c))
	r.leave()
	srv.Shutdown()
	stopRun()
	if runErr := <-runDone; err == nil && runErr != nil && !errors.Is(runErr, context.Canceled) {
		err = fmt.Errorf("%s: %w", role, runErr)
	}
	rt.Log.Info("service stopped", "role", role)
	return err
}

// always is the readiness of a component that has nothing to wait for.
var always = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func readiness(c Component) <-chan struct{} {
	if r, ok := c.(Readier); ok {
		return r.Ready()
	}
	return always
}

// measure registers the component's metrics; its result takes them away again.
func measure(registry *prometheus.Registry, role string, c Component) (func(), error) {
	m, ok := c.(Measured)
	if !ok {
		return func() {}, nil
	}
	r := prometheus.WrapRegistererWith(prometheus.Labels{"role": role}, registry)
	var registered []prometheus.Collector
	undo := func() {
		for _, one := range registered {
			r.Unregister(one)
		}
	}
	for _, one := range m.Metrics() {
		err := r.Register(one)
		if errors.As(err, new(prometheus.AlreadyRegisteredError)) {
			continue // another replica of the role in this process; the first is told of
		}
		if err != nil {
			undo()
			return nil, err
		}
		registered = append(registered, one)
	}
	return undo, nil
}

// running is one service between its start and its end.
type running struct {
	rt        *Runtime
	role      string
	srv       *rpc.Server
	addr      net.Addr
	ended     chan error
	registrar *discovery.Registrar
}

// until waits for the end: ctx, or a part that failed.
func (r *running) until(ctx context.Context, ready <-chan struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-r.ended:
			return fmt.Errorf("%s: %w", r.role, err)
		case <-ready:
			ready = nil
			if err := r.open(ctx); err != nil {
				return err
			}
		}
	}
}

// open lets calls come: first here, then from everywhere.
func (r *running) open(ctx context.Context) error {
	r.srv.SetServing(true)
	addr, err := Advertised(r.addr, r.rt.Config.Advertise)
	if err != nil {
		return fmt.Errorf("%s: %w", r.role, err)
	}
	id := r.rt.Config.Instance
	if id == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("%s: host name: %w", r.role, err)
		}
		id = host + "-" + addr
	}
	// Leaving is done by Deregister; ctx ends earlier than the key should.
	r.registrar, err = discovery.Register(context.WithoutCancel(ctx), r.rt.Etcd, discovery.Registration{
		Cluster: r.rt.Cluster, Role: r.role, ID: id,
		Instance: discovery.Instance{Addr: addr, Version: r.rt.Version, Started: clock.System().Now()},
	}, r.rt.Log)
	if err != nil {
		return err
	}
	r.rt.Locals.Add(r.role, r.srv)
	r.rt.Ready.Set(r.role, true)
	r.rt.Log.Info("service ready", "role", r.role, "addr", addr)
	return nil
}

// leave stops new calls from coming, and waits until the clients have noticed.
// The listener stays open meanwhile: who has not noticed is still served.
func (r *running) leave() {
	r.rt.Ready.Set(r.role, false)
	if r.registrar == nil {
		return
	}
	r.rt.Locals.Remove(r.role, r.srv)
	ctx, cancel := context.WithTimeout(context.Background(), deregisterTimeout)
	defer cancel()
	if err := r.registrar.Deregister(ctx); err != nil {
		r.rt.Log.Warn("discovery key not deleted, its lease will end it", "role", r.role, "error", err)
	}
	r.srv.SetServing(false)
	time.Sleep(r.rt.Config.Stop.Drain)
}

// Advertised is the address others reach the listener by.
func Advertised(bound net.Addr, host string) (string, error) {
	boundHost, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return "", fmt.Errorf("listener address: %w", err)
	}
	if host == "" {
		host = boundHost
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "", fmt.Errorf("listening on %s: set advertise to the host that others reach this process by", bound)
	}
	return net.JoinHostPort(host, port), nil
}
