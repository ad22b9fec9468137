package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/onehall/onehall/gateway/internal/apidoc"
	"github.com/onehall/onehall/gateway/web"
	"github.com/onehall/onehall/services/platform/boot"
)

// Role is the gateway's name among the processes.
const Role = "gateway"

// Gateway is the public HTTP server.
type Gateway struct {
	cfg      Config
	rt       *boot.Runtime
	handlers *handlers
	limits   *limits
	metrics  *metrics
	encode   encoder
	lines    *lines
	pages    *web.Site
	docs     http.Handler
	files    *files

	conns       map[string]*grpc.ClientConn     // by role
	streamConns map[protoreflect.FullName]*pool // by service
	closers     []func() error

	// draining ends when streams must.
	draining context.Context
	drain    context.CancelFunc
}

// New opens channels to all services through rt's dialer. None of them need be up.
func New(ctx context.Context, cfg Config, rt *boot.Runtime) (g *Gateway, err error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	g = &Gateway{
		cfg: cfg, rt: rt, encode: protojsonEncoder, lines: newLines(protojsonEncoder),
		conns: map[string]*grpc.ClientConn{}, streamConns: map[protoreflect.FullName]*pool{},
	}
	rt.Ready.Set(Role, false)
	g.draining, g.drain = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
			g = nil
		}
	}()
	if g.limits, err = newLimits(cfg); err != nil {
		return g, err
	}
	if g.metrics, err = newMetrics(rt.Metrics); err != nil {
		return g, err
	}
	if g.handlers, err = newHandlers(g.encode); err != nil {
		return g, err
	}
	if err = g.connect(ctx, rt.Dialer.Dial); err != nil {
		return g, err
	}
	if g.files, err = newFiles(cfg, rt); err != nil {
		return g, err
	}
	g.closers = append(g.closers, g.files.addrs.Close)
	if g.docs, err = apidoc.New(g.handlers.table, apidoc.Config{Version: rt.Version, SignIn: cfg.SignIn}); err != nil {
		return g, err
	}
	g.pages, err = web.New(web.Config{
		Province: cfg.Province, Clock: rt.Clock, Clients: web.Dialed(g.conns), Problem: g.problem, Send: g.files.put,
		SignIn: web.SignIn{Issuer: rt.Config.Auth.Issuer, ClientID: cfg.ClientID, PublicURL: cfg.PublicURL, Secret: []byte(cfg.CookieSecret.Reveal())},
	})
	return g, err
}

// Close gives back the channels. It is called after Serve has returned.
func (g *Gateway) Close() error {
	g.drain()
	var errs []error
	for i := len(g.closers) - 1; i >= 0; i-- {
		errs = append(errs, g.closers[i]())
	}
	g.closers = nil
	return errors.Join(errs...)
}

// Run listens on the configured address and serves until ctx ends.
func (g *Gateway) Run(ctx context.Context) error {
	lis, err := net.Listen("tcp", g.cfg.Listen)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return g.Serve(ctx, lis)
}

// Serve serves on lis until ctx ends: readiness falls first, so that a balancer sends
// nobody any more; then streams end with a word, and the last requests are answered.
func (g *Gateway) Serve(ctx context.Context, lis net.Listener) error {
	if tcp, ok := lis.Addr().(*net.TCPAddr); ok && !g.cfg.tls() && !tcp.IP.IsLoopback() {
		g.rt.Log.Warn("the public listener is plain; end TLS in front of it", "addr", lis.Addr().String())
	}
	srv := &http.Server{
		Handler:           g.Handler(),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: 128},
		ErrorLog:       slog.NewLogLogger(g.rt.Log.Handler(), slog.LevelDebug),
		BaseContext:    func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	limited := capped(lis, g.cfg, g.metrics.conns.Inc)
	served := make(chan error, 1)
	go func() {
		if g.cfg.tls() {
			served <- srv.ServeTLS(limited, g.cfg.Cert, g.cfg.Key)
		} else {
			served <- srv.Serve(limited)
		}
	}()
	g.rt.Log.Info("service ready", "role", Role, "addr", lis.Addr().String())
	g.rt.Ready.Set(Role, true)
	select {
	case err := <-served:
		g.rt.Ready.Set(Role, false)
		return fmt.Errorf("gateway: %w", err)
	case <-ctx.Done():
	}
	g.rt.Ready.Set(Role, false)
	leave := time.NewTimer(g.rt.Config.Stop.Drain)
	defer leave.Stop()
	select {
	case <-leave.C:
	case err := <-served:
		return fmt.Errorf("gateway: %w", err)
	}
	g.drain()
	return g.shutdown(ctx, srv, served)
}

func (g *Gateway) shutdown(ctx context.Context, srv *http.Server, served <-chan error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.cfg.Stop)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		g.rt.Log.Warn("graceful stop took too long, requests are cut", "role", Role)
		err = srv.Close()
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	g.rt.Log.Info("service stopped", "role", Role)
	return err
}
