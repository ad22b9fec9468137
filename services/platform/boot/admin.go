package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Readiness is what /readyz tells: which roles this process runs, and whether
// each is ready. It leaves discovery out on purpose: losing etcd does not make
// a process unable to serve.
type Readiness struct {
	mu      sync.Mutex
	roles   map[string]bool
	changed chan struct{}
}

// NewReadiness makes an empty one.
func NewReadiness() *Readiness {
	return &Readiness{roles: map[string]bool{}, changed: make(chan struct{})}
}

// Set says whether a role is ready.
func (r *Readiness) Set(role string, ready bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.roles[role] = ready
	close(r.changed)
	r.changed = make(chan struct{})
}

// Wait returns when all of the roles are ready, or with ctx's error.
func (r *Readiness) Wait(ctx context.Context, roles ...string) error {
	for {
		r.mu.Lock()
		all, changed := true, r.changed
		for _, role := range roles {
			all = all && r.roles[role]
		}
		r.mu.Unlock()
		if all {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Snapshot returns the roles, and whether there are any and all are ready.
func (r *Readiness) Snapshot() (roles map[string]bool, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	roles, all = make(map[string]bool, len(r.roles)), len(r.roles) > 0
	for role, ready := range r.roles {
		roles[role] = ready
		all = all && ready
	}
	return roles, all
}

// AdminHandler serves /metrics, /healthz, /readyz and /version.
func AdminHandler(reg *prometheus.Registry, ready *Readiness, version string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		roles, all := ready.Snapshot()
		code := http.StatusOK
		if !all {
			code = http.StatusServiceUnavailable
		}
		writeJSON(w, code, map[string]any{"ready": all, "roles": roles})
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"version": version})
	})
	return mux
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A probe that hung up needs no answer.
	_ = json.NewEncoder(w).Encode(v)
}

// serveAdmin listens at once and serves until stop is called.
func serveAdmin(addr string, h http.Handler, log *slog.Logger) (stop func(context.Context) error, bound net.Addr, err error) {
	if addr == "" {
		return func(context.Context) error { return nil }, nil, nil
	}
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, fmt.Errorf("admin server: %w", err)
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
			log.Error("admin server ended", "error", err)
		}
	}()
	return func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		<-done
		return err
	}, lis.Addr(), nil
}
