package catalogue

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// Service is the catalogue service. It implements boot.Component.
type Service struct {
	cataloguev1.UnimplementedCatalogueServiceServer

	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
	feed  *feed.Server
	pages page.Codec
	finds *finder
}

// New opens the service's database.
func New(ctx context.Context, cfg Config, rt *boot.Runtime) (*Service, error) {
	if err := cfg.PageSecret.Check("page_secret"); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	d, err := db.Open(ctx, cfg.DB, store.Migrations, rt.Clock)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	s := &Service{
		db: d, clock: rt.Clock, log: rt.Log, feed: feed.NewServer(d, rt.Clock, feed.WithLog(rt.Log)),
		pages: page.Codec{Secret: []byte(cfg.PageSecret.Reveal())},
	}
	s.finds = newFinder(d, rt.Clock, rt.Log)
	return s, nil
}

// Metrics are those of the database, the feed and the followers.
func (s *Service) Metrics() []prometheus.Collector {
	return []prometheus.Collector{s.db.Collector(), feed.NewCollector(s.db, s.feed)}
}

// Register adds the service and its feed to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	cataloguev1.RegisterCatalogueServiceServer(r, s)
	cataloguev1.RegisterCalendarServiceServer(r, days{Service: s})
	feedv1.RegisterFeedServiceServer(r, s.feed)
}

// Run numbers the feed and keeps the search index until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.feed.Run(ctx) })
	g.Go(func() error { return s.finds.run(ctx, s.feed) })
	return g.Wait()
}

// Ready is closed once the search index has been built.
func (s *Service) Ready() <-chan struct{} { return s.finds.ready }

// Close gives back the database.
func (s *Service) Close() error { return s.db.Close() }
