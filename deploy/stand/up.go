package stand

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot"
)

// Hall is a whole deployment running inside this process: etcd, the issuer and all
// roles, which find and call each other as they would on many machines.
type Hall struct {
	// Gateway and IssuerURL are where the public and the sign-in are.
	Gateway, IssuerURL string
	// Runtime is what the roles share.
	Runtime *boot.Runtime
	// Issuer signs the tokens; its Mint speaks for anybody.
	Issuer *authn.Issuer
	// Config is the configuration with all that was filled in.
	Config Config

	door  net.Listener
	parts []part
	ended chan error
}

// part is something running; stopping goes through them from the last.
type part struct {
	name string
	stop func() error
}

// DemoClient is the public client of the built-in issuer.
const DemoClient = "onehall-demo"

// Up starts a hall and returns when all of it is ready.
func Up(ctx context.Context, c Config, p boot.Params, users []authn.User) (h *Hall, err error) {
	tuneMemory()
	h = &Hall{Config: c, ended: make(chan error, len(services)+1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Stop())
			h = nil
		}
	}()
	if err = os.MkdirAll(c.DataDir, 0o700); err != nil {
		return h, err
	}
	s, err := loadSecrets(c.DataDir)
	if err != nil {
		return h, err
	}
	s.fill(&h.Config)
	// Clients outside of this process know no other instance to turn to, and those
	// inside notice at once: there is nothing to wait for at the end.
	h.Config.Stop.Drain = time.Millisecond
	if err = h.Config.check(); err != nil {
		return h, err
	}
	endpoint, stopEtcd, err := startEtcd(ctx, c.DataDir)
	if err != nil {
		return h, err
	}
	h.add("etcd", func() error { stopEtcd(); return nil })
	h.Config.Etcd.Endpoints = []string{endpoint}
	h.Config.Discovery.CacheDir = filepath.Join(c.DataDir, "discovery")
	if err = h.openDoor(); err != nil {
		return h, err
	}
	if err = h.startIssuer(p, users); err != nil {
		return h, err
	}
	if err = (running{Etcd: endpoint, Issuer: h.IssuerURL}).save(c.DataDir); err != nil {
		return h, err
	}
	if h.Runtime, err = boot.NewRuntime(ctx, h.Config.Config, p); err != nil {
		return h, err
	}
	h.add("runtime", h.Runtime.Close)
	return h, h.startRoles(ctx)
}

func (h *Hall) add(name string, stop func() error) { h.parts = append(h.parts, part{name, stop}) }

// startIssuer serves the built-in issuer with the users and the services' account.
func (h *Hall) startIssuer(p boot.Params, users []authn.User) error {
	lis, err := net.Listen("tcp", h.Config.Issuer.Listen)
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	h.IssuerURL = "http://" + lis.Addr().String()
	h.Config.Auth.Issuer = h.IssuerURL
	h.Config.Gateway.SignIn = h.IssuerURL
	h.Issuer, err = authn.NewIssuer(IssuerOf(h.Config, h.IssuerURL, users, p.Log), p.Clock)
	if err != nil {
		return errors.Join(err, lis.Close())
	}
	srv := &http.Server{
		Handler: h.Issuer, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(p.Log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(lis) }()
	h.add("issuer", func() error {
		err := srv.Close()
		if end := <-done; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	})
	return nil
}

// IssuerOf is the built-in issuer of a configuration: the users, the services' own
// account, the public client and the pages.
func IssuerOf(c Config, url string, users []authn.User, log *slog.Logger) authn.IssuerConfig {
	return authn.IssuerConfig{
		URL: url, KeyFile: filepath.Join(c.DataDir, "issuer.key"), Users: users, Log: log,
		Clients: []authn.Client{
			{ID: c.Auth.ClientID, Secret: c.Auth.ClientSecret.Reveal(), Roles: []string{"service"}},
			{ID: DemoClient},
			{ID: c.Gateway.ClientID, RedirectURIs: []string{strings.TrimSuffix(c.Gateway.PublicURL, "/") + "/login/done"}},
		},
	}
}

// openDoor listens where the gateway will serve: the issuer must know the port to send
// people back, and nobody else may take it before the gateway is there.
func (h *Hall) openDoor() error {
	lis, err := net.Listen("tcp", h.Config.Gateway.Listen)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	h.door = lis
	h.add("door", func() error {
		if err := lis.Close(); !errors.Is(err, net.ErrClosed) { // as the gateway leaves it
			return err
		}
		return nil
	})
	h.Config.Gateway.Listen = lis.Addr().String()
	h.Gateway = "http://" + h.Config.Gateway.Listen
	if h.Config.Gateway.PublicURL == "" {
		h.Config.Gateway.PublicURL = h.Gateway
	}
	return nil
}

// startRoles runs every role, the gateway last, so that stopping from the last goes
// against the flow of data.
func (h *Hall) startRoles(ctx context.Context) error {
	for _, role := range h.Config.here() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan error, 1)
		go func() {
			err := serve(ctx, role, h.Config, h.Runtime, h.door)
			done <- err
			if ctx.Err() == nil {
				h.ended <- fmt.Errorf("%s ended: %w", role, err)
			}
		}()
		h.add(role, func() error { cancel(); return <-done })
	}
	ready := make(chan error, 1)
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	go func() { ready <- h.Runtime.Ready.Wait(waiting, h.Config.here()...) }()
	select {
	case err := <-ready:
		if err != nil {
			return fmt.Errorf("the hall is not ready: %w", err)
		}
		return nil
	case err := <-h.ended:
		return err
	}
}

// Wait returns when ctx ends, or with the error of a role that ended by itself.
func (h *Hall) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-h.ended:
		return err
	}
}

// Stop ends everything, what was started last first.
func (h *Hall) Stop() error {
	var errs []error
	for i := len(h.parts) - 1; i >= 0; i-- {
		if err := h.parts[i].stop(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", h.parts[i].name, err))
		}
	}
	h.parts = nil
	return errors.Join(errs...)
}
