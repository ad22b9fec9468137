package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/rpc"
)

// Service is the hub. It implements boot.Component.
type Service struct {
	hubv1.UnimplementedHubServiceServer

	db      *db.DB
	pages   page.Codec
	sources []*source
	fresh   *freshness
	parked  *feed.Parked
	rt      *boot.Runtime
}

// New opens the service's database and the channels to its sources.
func New(ctx context.Context, cfg Config, rt *boot.Runtime) (s *Service, err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, cfg.DB, store.Migrations, rt.Clock)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	s = &Service{db: d, pages: page.Codec{Secret: []byte(cfg.PageSecret.Reveal())}, rt: rt}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	known, err := store.Completes(ctx, d.Read())
	if err != nil {
		return s, fmt.Errorf("hub: %w", err)
	}
	s.fresh = newFreshness(d, rt.Clock, cfg.StaleAfter, known)
	for _, c := range cfg.Sources {
		if err := store.AddSource(ctx, d, c.Name); err != nil {
			return s, fmt.Errorf("hub: %w", err)
		}
		src, err := s.newSource(c, cfg.MaxAhead)
		if err != nil {
			return s, err
		}
		s.sources = append(s.sources, src)
		for _, f := range src.followers {
			s.fresh.expect(f.feed)
		}
	}
	s.parked = feed.NewParked(s.pages, s.all()...)
	return s, nil
}

// all are the followers of every source.
func (s *Service) all() []*feed.Follower {
	var out []*feed.Follower
	for _, src := range s.sources {
		for _, f := range src.followers {
			out = append(out, f.Follower)
		}
	}
	return out
}

// Metrics are those of the database and the followers.
func (s *Service) Metrics() []prometheus.Collector {
	return []prometheus.Collector{s.db.Collector(), feed.NewCollector(s.db, nil, s.all()...)}
}

// Register adds the service to a server, and with it what operators do about events that
// could not be counted. It has no feed of its own.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	hubv1.RegisterHubServiceServer(r, s)
	feedv1.RegisterFeedServiceServer(r, s.parked)
}

// Run follows every feed until ctx ends. A source that is away only stands still; it
// ends neither the others nor the hub.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, src := range s.sources {
		for _, f := range src.followers {
			g.Go(func() error { return f.Run(rpc.WithToken(ctx, src.token)) })
		}
	}
	return g.Wait()
}

// Close gives back the channels and the database.
func (s *Service) Close() error {
	var errs []error
	for _, src := range s.sources {
		errs = append(errs, src.close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}
