package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/discovery"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/rpc"
)

// feeds are what is followed of each source, in the order of the data's flow.
var feeds = []string{"catalogue", "casework", "review", "supervision"}

// source is one deployment with its four followers.
type source struct {
	name      string
	divisions []string
	maxAhead  time.Duration
	token     authn.TokenSource
	followers []*follower
	conns     []*grpc.ClientConn
	etcd      *clientv3.Client
}

// follower is one feed being followed.
type follower struct {
	*feed.Follower
	feed store.Feed
}

// newSource makes the channels and followers of a source. Nothing of it need be up.
func (s *Service) newSource(cfg SourceConfig, maxAhead time.Duration) (src *source, err error) {
	src = &source{name: cfg.Name, divisions: cfg.Divisions, maxAhead: maxAhead}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("hub: source %s: %w", cfg.Name, err), src.close())
		}
	}()
	dialer, err := src.dialer(cfg, s.rt)
	if err != nil {
		return nil, err
	}
	src.token = tokenOf(cfg.Auth, s.rt)
	for _, role := range feeds {
		// A stream that lasts for ever has a channel of its own.
		var conn *grpc.ClientConn
		if target := cfg.Targets[role]; target != "" {
			conn, err = dialer.DialTarget(role, target)
		} else {
			conn, err = dialer.Dial(role)
		}
		if err != nil {
			return nil, err
		}
		src.conns = append(src.conns, conn)
		f := store.Feed{Source: cfg.Name, Name: role}
		apply := appliers[role]
		src.followers = append(src.followers, &follower{feed: f, Follower: &feed.Follower{
			Source: f.String(), Name: store.Follower, Client: feedv1.NewFeedServiceClient(conn), DB: s.db, Clock: s.rt.Clock, Log: s.rt.Log,
			Apply: func(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error { return apply(ctx, tx, src, events) },
			Idle:  func(ctx context.Context, until time.Time) error { return s.fresh.note(ctx, f, until) },
		}})
	}
	return src, nil
}

// dialer is the runtime's for the hub's own deployment, else one with the source's own
// discovery and certificates.
func (src *source) dialer(cfg SourceConfig, rt *boot.Runtime) (*rpc.Dialer, error) {
	if len(cfg.Etcd.Endpoints) == 0 && len(cfg.Targets) == 0 {
		return rt.Dialer, nil
	}
	opts := rpc.DialerOptions{TLS: cfg.TLS, Metrics: rt.Metrics, Log: rt.Log}
	if len(cfg.Etcd.Endpoints) > 0 {
		tls, err := cfg.Etcd.TLS.Client()
		if err != nil {
			return nil, err
		}
		src.etcd, err = discovery.NewClient(discovery.ClientConfig{
			Endpoints: cfg.Etcd.Endpoints, Username: cfg.Etcd.Username, Password: cfg.Etcd.Password.Reveal(), TLS: tls,
		})
		if err != nil {
			return nil, err
		}
		opts.Resolver = discovery.NewBuilder(src.etcd, discovery.Options{
			Cluster: cfg.Cluster, CacheDir: rt.Config.Discovery.CacheDir, Log: rt.Log,
		})
	}
	return rpc.NewDialer(opts)
}

func tokenOf(cfg SourceAuth, rt *boot.Runtime) authn.TokenSource {
	switch {
	case cfg.TokenFile != "":
		return authn.FileTokenSource(cfg.TokenFile)
	case cfg.Issuer != "":
		return authn.NewTokenSource(authn.ClientCredentials{
			Issuer: cfg.Issuer, ID: cfg.ClientID, Secret: cfg.ClientSecret.Reveal(),
		}, rt.Clock)
	default:
		return rt.Service
	}
}

func (src *source) close() error {
	var errs []error
	for _, c := range src.conns {
		errs = append(errs, c.Close())
	}
	if src.etcd != nil {
		// Close reports the end of the client's own context as an error.
		if err := src.etcd.Close(); err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// speaksFor reports whether the source may tell of a hall.
func (src *source) speaksFor(hall string) bool {
	division := strings.TrimPrefix(hall, "halls/")
	return len(src.divisions) == 0 || slices.ContainsFunc(src.divisions, func(d string) bool { return strings.HasPrefix(division, d) })
}
