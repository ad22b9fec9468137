package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/rpc"
)

// Service is the case handling service. It implements boot.Component.
type Service struct {
	caseworkv1.UnimplementedCaseworkServiceServer
	caseworkv1.UnimplementedApplicantServiceServer
	caseworkv1.UnimplementedCounterServiceServer
	caseworkv1.UnimplementedFlowServiceServer
	caseworkv1.UnimplementedFeeServiceServer
	caseworkv1.UnimplementedMaterialServiceServer

	db       *db.DB
	clock    clock.Clock
	log      *slog.Logger
	feed     *feed.Server
	pages    page.Codec
	almanac  *almanac.Keeper
	codes    queryCodes
	queries  *queryLimits
	identity func(idType, number string) string
	items    *catalogue
	forms    *forms
	follower *feed.Follower
	outgoing func(context.Context) context.Context
	closers  []func() error

	// exchanged counts rows of other systems by what became of them.
	exchanged *prometheus.CounterVec
	// gapLimit is how long rows wait for one before them.
	gapLimit time.Duration
	files    *files
	verify   func(ctx context.Context, raw string) (*authn.Principal, error)
	// serveFiles moves bytes until ctx ends; nil where something else does.
	serveFiles func(context.Context) error

	// moved wakes whoever reckons open cases again when the almanac has changed.
	moved      chan struct{}
	recomputed *prometheus.CounterVec

	// serial draws the serial of a case number, as a rule from serials.
	serial  func() (int, error)
	serials serials

	ready     chan struct{}
	readyOnce sync.Once
}

// New opens the service's database and its channel to the catalogue.
func New(ctx context.Context, cfg Config, rt *boot.Runtime) (*Service, error) {
	conn, err := rt.Dialer.Dial("catalogue")
	if err != nil {
		return nil, fmt.Errorf("casework: %w", err)
	}
	s, err := open(ctx, cfg, parts{
		clock: rt.Clock, log: rt.Log, identity: rt.Verifier.IdentityKey, catalogue: feedv1.NewFeedServiceClient(conn),
		outgoing: func(ctx context.Context) context.Context { return rpc.WithToken(ctx, rt.Service) }, verify: rt.Verifier.Verify,
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.closers = append(s.closers, conn.Close)
	if err := s.listenForFiles(rt); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// parts are what the service takes from its process.
type parts struct {
	clock     clock.Clock
	log       *slog.Logger
	identity  func(idType, number string) string
	catalogue feedv1.FeedServiceClient
	// outgoing lets the service speak for itself in calls that nobody asked for.
	outgoing func(context.Context) context.Context
	// verify checks the token that may come with a link to a file.
	verify func(ctx context.Context, raw string) (*authn.Principal, error)
}

func open(ctx context.Context, cfg Config, p parts) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	limits, err := newQueryLimits(cfg.Query)
	if err != nil {
		return nil, err
	}
	if cfg.DB.Writers == 0 {
		cfg.DB.Writers = 1 // all writes are short and end in turn: more of them a commit beats more commits at once
	}
	kept, err := openFiles(cfg.Files, cfg.PageSecret)
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, cfg.DB, store.Migrations(), p.clock)
	if err != nil {
		return nil, fmt.Errorf("casework: %w", err)
	}
	s := &Service{
		db: d, clock: p.clock, log: p.log, feed: feed.NewServer(d, p.clock, feed.WithLog(p.log)),
		pages: page.Codec{Secret: []byte(cfg.PageSecret.Reveal())}, almanac: almanac.NewKeeper(), moved: make(chan struct{}, 1), recomputed: newRecomputed(),
		codes: queryCodes{[]byte(cfg.QueryCodeSecret.Reveal())}, queries: limits, identity: p.identity,
		items: newCatalogue(), forms: newForms(p.log), outgoing: p.outgoing, ready: make(chan struct{}), closers: []func() error{d.Close},
		exchanged: newExchanged(), gapLimit: cfg.Exchange.GapLimit,
		files: kept, verify: p.verify,
	}
	s.serial = s.serials.draw
	_, err = s.almanac.Refresh(ctx, d.Read())
	if err := errors.Join(err, s.items.refresh(ctx, d.Read())); err != nil {
		return nil, errors.Join(fmt.Errorf("casework: %w", err), d.Close())
	}
	if s.items.size() > 0 {
		s.setReady() // what is known of the catalogue will do while it is away
	}
	s.follower = &feed.Follower{
		Source: "catalogue", Name: "casework", Client: p.catalogue, DB: d, Clock: p.clock, Log: p.log,
		Apply: applyCatalogue, Idle: s.caughtUp,
	}
	s.feed.Follow(s.pages, s.follower)
	return s, nil
}

// Metrics are those of the database, the feed and the followers.
func (s *Service) Metrics() []prometheus.Collector {
	return []prometheus.Collector{s.db.Collector(), feed.NewCollector(s.db, s.feed, s.follower), s.exchanged, s.recomputed}
}

// Register adds the service and its feed to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	caseworkv1.RegisterCaseworkServiceServer(r, s)
	caseworkv1.RegisterApplicantServiceServer(r, s)
	caseworkv1.RegisterLicenseServiceServer(r, licenses{s: s})
	caseworkv1.RegisterCounterServiceServer(r, s)
	caseworkv1.RegisterExchangeServiceServer(r, exchangeServer{s: s})
	caseworkv1.RegisterFlowServiceServer(r, s)
	caseworkv1.RegisterFeeServiceServer(r, s)
	caseworkv1.RegisterMaterialServiceServer(r, s)
	feedv1.RegisterFeedServiceServer(r, s.feed)
}

// Run numbers the feed, follows the catalogue, lets silence count as acceptance and
// reckons open cases again when the calendar changes, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.feed.Run(ctx) })
	g.Go(func() error { return s.deemAll(ctx) })
	g.Go(func() error { return s.tellOverdue(ctx) })
	g.Go(func() error { return s.recomputeAll(ctx) })
	g.Go(func() error { return s.follower.Run(s.outgoing(ctx)) })
	g.Go(func() error { return s.sweepFiles(ctx) })
	if s.serveFiles != nil {
		g.Go(func() error { return s.serveFiles(ctx) })
	}
	return g.Wait()
}

// Ready is closed once the catalogue has been read for the first time.
func (s *Service) Ready() <-chan struct{} { return s.ready }

func (s *Service) setReady() { s.readyOnce.Do(func() { close(s.ready) }) }

// Close gives back the database and the channel.
func (s *Service) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}
