package stand

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onehall/onehall/gateway"
	"github.com/onehall/onehall/services/casework"
	"github.com/onehall/onehall/services/catalogue"
	"github.com/onehall/onehall/services/hub"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/review"
	"github.com/onehall/onehall/services/supervision"
)

// Gateway is the one role that speaks HTTP.
const Gateway = gateway.Role

// service makes one gRPC role.
type service struct {
	role string
	make func(ctx context.Context, c Config, rt *boot.Runtime) (boot.Component, error)
}

// services are the gRPC roles in the order data flows through them: each follows
// only those before it.
var services = []service{
	{"catalogue", func(ctx context.Context, c Config, rt *boot.Runtime) (boot.Component, error) {
		cfg := c.Catalogue
		cfg.DB, cfg.PageSecret = c.storage("catalogue"), c.PageSecret
		return component(catalogue.New(ctx, cfg, rt))
	}},
	{"casework", func(ctx context.Context, c Config, rt *boot.Runtime) (boot.Component, error) {
		cfg := c.Casework
		cfg.DB, cfg.PageSecret, cfg.QueryCodeSecret = c.storage("casework"), c.PageSecret, c.QuerySecret
		if cfg.Files.Store.Dir == "" {
			cfg.Files.Store.Dir = filepath.Join(c.DataDir, "files")
		}
		return component(casework.New(ctx, cfg, rt))
	}},
	{"review", func(ctx context.Context, c Config, rt *boot.Runtime) (boot.Component, error) {
		cfg := c.Review
		cfg.DB, cfg.PageSecret = c.storage("review"), c.PageSecret
		return component(review.New(ctx, cfg, rt))
	}},
	{"supervision", func(ctx context.Context, c Config, rt *boot.Runtime) (boot.Component, error) {
		cfg := c.Supervision
		cfg.DB, cfg.PageSecret = c.storage("supervision"), c.PageSecret
		return component(supervision.New(ctx, cfg, rt))
	}},
	{"hub", func(ctx context.Context, c Config, rt *boot.Runtime) (boot.Component, error) {
		cfg := c.Hub
		cfg.DB, cfg.PageSecret = c.storage("hub"), c.PageSecret
		return component(hub.New(ctx, cfg, rt))
	}},
}

// component keeps a typed nil out of the interface.
func component[T boot.Component](c T, err error) (boot.Component, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Roles lists every role of a deployment.
func Roles() []string {
	var names []string
	for _, s := range services {
		names = append(names, s.role)
	}
	return append(names, Gateway)
}

// Serve runs one role until ctx ends.
func Serve(ctx context.Context, role string, c Config, p boot.Params) (err error) {
	if !slices.Contains(Roles(), role) {
		return fmt.Errorf("there is no role %q; the roles are %s", role, strings.Join(Roles(), ", "))
	}
	if err := c.check(); err != nil {
		return err
	}
	tuneMemory()
	rt, err := boot.NewRuntime(ctx, c.Config, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	if err := rt.CompareClock(Roles()[:len(services)]...); err != nil { // all but the gateway speak gRPC
		return err
	}
	return serve(ctx, role, c, rt, nil)
}

// serve runs a role; door is where the gateway listens, if somebody listens there already.
func serve(ctx context.Context, role string, c Config, rt *boot.Runtime, door net.Listener) error {
	if role == Gateway {
		cfg := c.Gateway
		cfg.CookieSecret = c.PageSecret
		g, err := gateway.New(ctx, cfg, rt)
		if err != nil {
			return err
		}
		if door != nil {
			return errors.Join(g.Serve(ctx, door), g.Close())
		}
		return errors.Join(g.Run(ctx), g.Close())
	}
	for _, s := range services {
		if s.role == role {
			part, err := s.make(ctx, c, rt)
			if err != nil {
				return err
			}
			return boot.Serve(ctx, rt, role, c.listen(role), part)
		}
	}
	return fmt.Errorf("there is no role %q", role)
}
