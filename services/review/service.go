package review

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/rpc"
	"github.com/onehall/onehall/services/review/internal/store"
)

// Service is the review service. It implements boot.Component.
type Service struct {
	reviewv1.UnimplementedReviewServiceServer

	db       *db.DB
	feed     *feed.Server
	pages    page.Codec
	casework *grpc.ClientConn
	follower *feed.Follower
	rt       *boot.Runtime
}

// New opens the service's database and its channel to casework.
func New(ctx context.Context, cfg Config, rt *boot.Runtime) (*Service, error) {
	if err := cfg.PageSecret.Check("page_secret"); err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	d, err := db.Open(ctx, cfg.DB, store.Migrations, rt.Clock)
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	conn, err := rt.Dialer.Dial("casework")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("review: %w", err), d.Close())
	}
	s := &Service{
		db: d, feed: feed.NewServer(d, rt.Clock, feed.WithLog(rt.Log)), pages: page.Codec{Secret: []byte(cfg.PageSecret.Reveal())},
		casework: conn, rt: rt,
	}
	s.follower = &feed.Follower{
		Source: "casework", Name: "review", Client: feedv1.NewFeedServiceClient(conn),
		DB: d, Clock: rt.Clock, Log: rt.Log, Apply: applyCases,
	}
	s.feed.Follow(s.pages, s.follower)
	return s, nil
}

// Metrics are those of the database, the feed and the followers.
func (s *Service) Metrics() []prometheus.Collector {
	return []prometheus.Collector{s.db.Collector(), feed.NewCollector(s.db, s.feed, s.follower)}
}

// Register adds the service and its feed to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	reviewv1.RegisterReviewServiceServer(r, s)
	feedv1.RegisterFeedServiceServer(r, s.feed)
}

// Run numbers the feed and follows the cases until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.feed.Run(ctx) })
	g.Go(func() error { return s.follower.Run(rpc.WithToken(ctx, s.rt.Service)) })
	return g.Wait()
}

// Close gives back the database and the channel.
func (s *Service) Close() error { return errors.Join(s.casework.Close(), s.db.Close()) }
