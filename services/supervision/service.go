package supervision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/rpc"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// Service is e-supervision. It implements boot.Component.
type Service struct {
	supervisionv1.UnimplementedSupervisionServiceServer
	supervisionv1.UnimplementedScoreServiceServer
	supervisionv1.UnimplementedInsightServiceServer

	db       *db.DB
	feed     *feed.Server
	pages    page.Codec
	engine   *engine
	watch    *hub
	wall     *wall
	conns    []*grpc.ClientConn
	follower *feed.Follower // of casework
	others   []*feed.Follower
	rt       *boot.Runtime
}

// New opens the service's database and its channel to casework.
func New(ctx context.Context, cfg Config, rt *boot.Runtime) (*Service, error) {
	if err := cfg.PageSecret.Check("page_secret"); err != nil {
		return nil, fmt.Errorf("supervision: %w", err)
	}
	policies, err := newPolicies(cfg)
	if err != nil {
		return nil, fmt.Errorf("supervision: %w", err)
	}
	d, err := db.Open(ctx, cfg.DB, store.Migrations, rt.Clock)
	if err != nil {
		return nil, fmt.Errorf("supervision: %w", err)
	}
	s := &Service{
		db: d, feed: feed.NewServer(d, rt.Clock, feed.WithLog(rt.Log)), pages: page.Codec{Secret: []byte(cfg.PageSecret.Reveal())},
		engine: &engine{policies: policies, almanac: almanac.NewKeeper(), heard: newHearing(), db: d, clock: rt.Clock, log: rt.Log}, watch: newHub(d, rt.Log), rt: rt,
	}
	catalogue, err1 := s.follow(sourceCatalogue, applyCatalogue, s.engine.idleCatalogue)
	review, err2 := s.follow(sourceReview, s.engine.applyReviews, s.engine.idleReviews)
	casework, err3 := s.follow(sourceCasework, s.engine.apply, s.engine.idle)
	_, err4 := s.engine.almanac.Refresh(ctx, d.Read())
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, errors.Join(fmt.Errorf("supervision: %w", err), s.Close())
	}
	s.wall = newWall(s.engine, d, s.watch, casework.Client, s)
	s.follower, s.others = casework, []*feed.Follower{catalogue, review}
	for _, source := range cfg.Feeds {
		if slices.Contains([]string{sourceCatalogue, sourceCasework, sourceReview}, source) {
			return nil, errors.Join(fmt.Errorf("supervision: %s is followed anyhow and is none of the feeds", source), s.Close())
		}
		apply, idle := s.engine.clockedFrom(source)
		f, err := s.follow(source, apply, idle)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("supervision: %w", err), s.Close())
		}
		s.others = append(s.others, f)
	}
	s.feed.Follow(s.pages, append([]*feed.Follower{casework}, s.others...)...)
	s.engine.reviewed = func() time.Time { return review.Status().CompleteUntil }
	s.engine.terms = &termBook{until: func() time.Time { return catalogue.Status().CompleteUntil }}
	return s, nil
}

// follow prepares to follow the feed of another service.
func (s *Service) follow(source string, apply func(context.Context, *db.Tx, []*feedv1.Event) error,
	idle func(context.Context, time.Time) error) (*feed.Follower, error) {
	conn, err := s.rt.Dialer.Dial(source)
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, conn)
	return &feed.Follower{
		Source: source, Name: "supervision", Client: feedv1.NewFeedServiceClient(conn),
		DB: s.db, Clock: s.rt.Clock, Log: s.rt.Log, Apply: apply, Idle: idle,
	}, nil
}

// Metrics are those of the database, the feed and the followers.
func (s *Service) Metrics() []prometheus.Collector {
	return []prometheus.Collector{s.db.Collector(), s.wall, feed.NewCollector(s.db, s.feed, append([]*feed.Follower{s.follower}, s.others...)...)}
}

// Register adds the service and its feed to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	supervisionv1.RegisterSupervisionServiceServer(r, s)
	supervisionv1.RegisterConfirmationServiceServer(r, confirmations{s: s})
	supervisionv1.RegisterWallServiceServer(r, walls{s: s})
	supervisionv1.RegisterScoreServiceServer(r, s)
	supervisionv1.RegisterInsightServiceServer(r, s)
	feedv1.RegisterFeedServiceServer(r, s.feed)
}

// Run numbers the feed, follows the cases and informs the watchers until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.feed.Run(ctx) })
	g.Go(func() error { return s.watch.run(ctx) })
	g.Go(func() error { return s.wall.run(ctx) })
	g.Go(func() error {
		catalogue := &prompt{engine: s.engine, source: sourceCatalogue, client: s.others[0].Client, idle: s.engine.idleCatalogue}
		p := &prompt{engine: s.engine, source: sourceCasework, client: s.follower.Client, first: catalogue,
			idle: func(ctx context.Context, until time.Time) error {
				return s.engine.fallDueOf(ctx, sourceCasework, until)
			}}
		return p.run(ctx, s.outgoing)
	})
	g.Go(func() error { return s.engine.watchOrders(ctx) })
	g.Go(func() error {
		// Before anything is judged, all clocks must be by one policy.
		if err := s.engine.reckonAgain(ctx); err != nil {
			return fmt.Errorf("supervision: reckon again: %w", err)
		}
		if err := s.engine.placeCards(ctx); err != nil {
			return fmt.Errorf("supervision: place cards: %w", err)
		}
		return s.follower.Run(rpc.WithToken(ctx, s.rt.Service))
	})
	for _, f := range s.others {
		g.Go(func() error { return f.Run(rpc.WithToken(ctx, s.rt.Service)) })
	}
	return g.Wait()
}

// Close gives back the database and the channels.
func (s *Service) Close() error {
	var errs []error
	for _, c := range s.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}
