package supervision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const testHall = "halls/441300"

// source is a feed of cases, and nothing else of casework.
type source struct {
	t      testing.TB
	clock  *clock.Virtual
	db     *db.DB
	client feedv1.FeedServiceClient
	seq    map[string]int64
	last   int64
	// reviews and catalogue are further feeds; nil where a test needs none.
	reviews, catalogue *source
}

func newSource(t testing.TB, start time.Time) *source {
	t.Helper()
	return newFeed(t, clock.NewVirtual(start))
}

// newFeed is one more feed by the same clock.
func newFeed(t testing.TB, clk *clock.Virtual) *source {
	t.Helper()
	var none fs.FS
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), feed.WithMigrations(none), clk)
	server := feed.NewServer(d, clk)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	feedv1.RegisterFeedServiceServer(g, server)
	go func() { _ = g.Serve(listener) }() // it ends with Stop below
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.Stop()
		cancel()
		if err := errors.Join(conn.Close(), <-ended); err != nil {
			t.Error(err)
		}
	})
	return &source{t: t, clock: clk, db: d, client: feedv1.NewFeedServiceClient(conn), seq: map[string]int64{}}
}

// tell writes what became of a case.
func (s *source) tell(kind string, c *caseworkv1.Case, happened time.Time) {
	s.t.Helper()
	s.append(kind, c.GetName(), c, "officer", happened)
}

func (s *source) append(kind, name string, resource proto.Message, actor string, happened time.Time) {
	s.t.Helper()
	s.seq[name]++
	err := s.db.Write(s.t.Context(), name, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: name, Sequence: s.seq[name], Type: kind, Resource: resource,
			Actor: actor, HappenedAt: happened})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.last++
}

// unruly repeats what it was given and breaks off, as networks do.
type unruly struct {
	feedv1.FeedServiceClient

	mu   sync.Mutex
	rand *rand.Rand
}

func (u *unruly) intN(n int) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rand.IntN(n)
}

func (u *unruly) FollowEvents(ctx context.Context, req *feedv1.FollowEventsRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[feedv1.FollowEventsResponse], error) {
	// It begins up to 40 events too early: all of those come twice.
	early := proto.CloneOf(req)
	early.After = max(0, early.After-int64(u.intN(40)))
	stream, err := u.FeedServiceClient.FollowEvents(ctx, early, opts...)
	return &unrulyStream{ServerStreamingClient: stream, left: 1 + u.intN(120)}, err
}

type unrulyStream struct {
	grpc.ServerStreamingClient[feedv1.FollowEventsResponse]
	former *feedv1.FollowEventsResponse
	left   int
}

func (u *unrulyStream) Recv() (*feedv1.FollowEventsResponse, error) {
	if u.left--; u.left < 0 {
		return nil, errors.New("the network broke off")
	}
	if u.former != nil && u.left%3 == 0 {
		again := &feedv1.FollowEventsResponse{Events: u.former.GetEvents()}
		u.former = nil
		return again, nil
	}
	res, err := u.ServerStreamingClient.Recv()
	u.former = res
	return res, err
}

// watch is one supervision under test.
type watch struct {
	t      testing.TB
	db     *db.DB
	source *source
	client feedv1.FeedServiceClient
	clock  *clock.Virtual
	// idle are the last moments up to which everything was judged, by source.
	idle  map[string]*atomic.Int64
	stops []func()
}

func newWatch(t testing.TB, cfg db.Config, s *source, client feedv1.FeedServiceClient) *watch {
	return &watch{t: t, db: dbtest.Open(t, cfg, store.Migrations, s.clock), source: s, client: client, clock: s.clock,
		idle: map[string]*atomic.Int64{sourceCasework: {}, sourceReview: {}, sourceCatalogue: {}}}
}

func (w *watch) engine() *engine {
	p, err := newPolicies(Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	e := &engine{policies: p, almanac: almanac.NewKeeper(), db: w.db, clock: w.clock}
	if _, err := e.almanac.Refresh(w.t.Context(), w.db.Read()); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// start runs one more replica.
func (w *watch) start() {
	e := w.engine()
	if err := e.reckonAgain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if c := w.source.catalogue; c != nil {
		e.heard = newHearing()
		known := w.follow(e, sourceCatalogue, c.client, applyCatalogue, e.idleCatalogue)
		e.terms = &termBook{until: func() time.Time { return known.Status().CompleteUntil }}
	}
	if r := w.source.reviews; r != nil {
		w.follow(e, sourceReview, r.client, e.applyReviews, e.idleReviews)
	}
	w.follow(e, sourceCasework, w.client, e.apply, e.idle)
}

func (w *watch) follow(e *engine, name string, client feedv1.FeedServiceClient, apply func(context.Context, *db.Tx, []*feedv1.Event) error,
	idle func(context.Context, time.Time) error) *feed.Follower {
	f := &feed.Follower{Source: name, Name: "supervision", Client: client, DB: w.db, Clock: w.clock, Log: slog.New(slog.DiscardHandler),
		Apply: apply, Idle: func(ctx context.Context, until time.Time) error {
			err := idle(ctx, until)
			if err == nil && name == sourceCatalogue {
				w.idle[name].Store(until.UnixMicro())
			}
			for source := range w.idle {
				if done, ok := e.judged.Load(source); ok {
					w.idle[source].Store(done.(time.Time).UnixMicro())
				}
			}
			return err
		}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
	w.stops = append(w.stops, stop)
	w.t.Cleanup(stop)
	return f
}

func (w *watch) stop() {
	for _, stop := range w.stops {
		stop()
	}
	w.stops = nil
}

// caughtUp waits until everything before the present is judged.
func (w *watch) caughtUp(position int64) {
	w.t.Helper()
	if c := w.source.catalogue; c != nil {
		// What the others judged before the catalogue was known may have been held back.
		w.caughtUpWith(sourceCatalogue, c.last)
	}
	w.caughtUpWith(sourceCasework, position)
	if r := w.source.reviews; r != nil {
		w.caughtUpWith(sourceReview, r.last)
	}
}

func (w *watch) caughtUpWith(source string, position int64) {
	w.t.Helper()
	// A feed vouches for what lies before the present, not for the present itself.
	now := w.clock.Now().UnixMicro() - 1
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		if w.idle[source].Load() < now {
			continue
		}
		p, err := feed.Position(w.t.Context(), w.db.Read(), source, "supervision")
		if err != nil {
			w.t.Fatal(err)
		}
		if p >= position {
			return
		}
	}
	w.t.Fatalf("not caught up with %d of %s", position, source)
}

// plainCards are the cards by name.
func (w *watch) plainCards() (all []*supervisionv1.Card) {
	w.t.Helper()
	rows, err := store.ListCards(w.t.Context(), w.db.Read(), store.CardFilter{Hidden: true}, 0, 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, row := range rows {
		c, err := cardOf(row.Data)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].GetName() < all[j].GetName() })
	return all
}

// cards are the cards without what depends on when they were written.
func (w *watch) cards() []string {
	w.t.Helper()
	var all []string
	for _, c := range w.plainCards() {
		all = append(all, fmt.Sprintf("%s %s %s %d/%d %s", lastPart(c.GetName()), c.GetLevel(), c.GetAsOf().AsTime().Format(time.RFC3339Nano),
			c.GetDaysUsed(), c.GetLimit(), c.GetGround()))
	}
	sort.Strings(all)
	// Each card is one event, no more and no less.
	var events int
	if err := w.db.Read().QueryRowContext(w.t.Context(), `SELECT COUNT(*) FROM events WHERE type = 'card.issued'`).Scan(&events); err != nil || events != len(all) {
		w.t.Errorf("%d cards and %d events, %v", len(all), events, err)
	}
	return all
}
