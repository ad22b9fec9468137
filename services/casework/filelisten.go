package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/discovery"
)

// filesRole is the name under which the addresses that move bytes are found.
const filesRole = "files"

// The time-outs of the listener. A transfer's own are set as it goes on.
const (
	fileHeader = 5 * time.Second
	fileIdle   = 60 * time.Second
	fileStop   = 20 * time.Second
)

// listenForFiles opens the address that moves bytes. Like the calls between processes it
// is plain on loopback alone, and mutual TLS elsewhere.
func (s *Service) listenForFiles(rt *boot.Runtime) error {
	lis, err := rt.Config.TLS.Listen(s.files.cfg.Listen)
	if err != nil {
		return fmt.Errorf("casework: files: %w", err)
	}
	s.closers = append(s.closers, func() error {
		if err := lis.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	s.serveFiles = func(ctx context.Context) error {
		leave, err := publishFiles(ctx, rt, lis.Addr())
		if err != nil {
			return err
		}
		return s.serveOn(ctx, lis, leave)
	}
	return nil
}

// publishFiles lets the gateway find the address, and gives the word to take it back.
func publishFiles(ctx context.Context, rt *boot.Runtime, addr net.Addr) (func(), error) {
	at, err := boot.Advertised(addr, rt.Config.Advertise)
	if err != nil {
		return nil, fmt.Errorf("casework: files: %w", err)
	}
	id := rt.Config.Instance
	if id == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("casework: files: %w", err)
		}
		id = host + "-" + at
	}
	// Leaving is done by Deregister; ctx ends earlier than the key should.
	reg, err := discovery.Register(context.WithoutCancel(ctx), rt.Etcd, discovery.Registration{
		Cluster: rt.Cluster, Role: filesRole, ID: id,
		Instance: discovery.Instance{Addr: at, Version: rt.Version, Started: clock.System().Now()},
	}, rt.Log)
	if err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), fileHeader)
		defer cancel()
		if err := reg.Deregister(ctx); err != nil {
			rt.Log.Warn("discovery key not deleted, its lease will end it", "role", filesRole, "error", err)
		}
	}, nil
}

// serveOn serves until ctx ends, and then lets those finish that are on the move.
func (s *Service) serveOn(ctx context.Context, lis net.Listener, leave func()) error {
	srv := &http.Server{
		Handler: s.fileHandler(), ReadHeaderTimeout: fileHeader, IdleTimeout: fileIdle, MaxHeaderBytes: 16 << 10,
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	s.log.Info("files are served", "role", filesRole, "addr", lis.Addr().String())
	select {
	case err := <-served:
		leave()
		return fmt.Errorf("casework: files: %w", err)
	case <-ctx.Done():
	}
	leave()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), fileStop)
	defer cancel()
	err := srv.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}
