package feed_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// played is a source that plays prepared events, as the test wants them.
type played struct {
	feedv1.FeedServiceClient
	mu     sync.Mutex
	events []*feedv1.Event
	// change may alter a batch on its way; it is called with how many streams there were.
	change func(streams int, batch []*feedv1.Event) []*feedv1.Event
	// size is how many events a batch has; 0 means 20.
	size int64
	// breaks ends a stream after so many batches; 0 never.
	breaks  int
	streams int
}

func (p *played) FollowEvents(ctx context.Context, req *feedv1.FollowEventsRequest, _ ...grpc.CallOption) (grpc.ServerStreamingClient[feedv1.FollowEventsResponse], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams++
	return &playedStream{ctx: ctx, p: p, after: req.GetAfter(), stream: p.streams}, nil
}

type playedStream struct {
	grpc.ServerStreamingClient[feedv1.FollowEventsResponse]
	ctx     context.Context
	p       *played
	after   int64
	stream  int
	batches int
}

func (s *playedStream) Recv() (*feedv1.FollowEventsResponse, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.batches++; s.p.breaks > 0 && s.batches > s.p.breaks {
		return nil, io.EOF
	}
	from, to := min(s.after, int64(len(s.p.events))), min(s.after+s.p.batch(), int64(len(s.p.events)))
	if from == to {
		if s.ctx.Err() != nil {
			return nil, status.FromContextError(s.ctx.Err()).Err()
		}
		time.Sleep(time.Millisecond)
		return &feedv1.FollowEventsResponse{CompleteUntil: timestamppb.Now()}, nil
	}
	batch := slices.Clone(s.p.events[from:to])
	s.after = to
	if s.p.change != nil {
		batch = s.p.change(s.stream, batch)
	}
	return &feedv1.FollowEventsResponse{Events: batch}, nil
}

func (p *played) batch() int64 {
	if p.size == 0 {
		return 20
	}
	return p.size
}

// story makes n events of so many subjects, in positions 1..n.
func story(n, subjects int) []*feedv1.Event {
	last := map[string]int64{}
	var all []*feedv1.Event
	for i := range n {
		subject := fmt.Sprintf("s%d", i%subjects)
		last[subject]++
		content := []byte(fmt.Sprintf("%s@%d", subject, last[subject]))
		sum := sha256.Sum256(content)
		all = append(all, &feedv1.Event{Position: int64(i + 1), Subject: subject, Sequence: last[subject],
			Type: "thing.changed", Resource: content, ResourceSha256: sum[:]})
	}
	return all
}

func follower(d *db.DB, client feedv1.FeedServiceClient) *feed.Follower {
	return &feed.Follower{Source: "things", Name: "test", Client: client, DB: d, Clock: clock.System(), Log: quiet, Apply: effect}
}

func followed(t *testing.T, d *db.DB, position int64) {
	t.Helper()
	until(t, fmt.Sprintf("position %d", position), func() bool {
		p, err := feed.Position(context.Background(), d.Read(), "things", "test")
		return err == nil && p >= position
	})
}

// Two replicas of a follower, whose effects fail now and then and whose streams break
// all the time, still apply each event once and in order.
func TestExactlyOnce(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		dbs := []*db.DB{dbtest.Open(t, cfg, tables, clock.System())}
		if cfg.Driver == db.Postgres {
			dbs = append(dbs, dbtest.Open(t, cfg, tables, clock.System()))
		} else {
			dbs = append(dbs, dbs[0]) // a file has one process, but two followers may race in it
		}
		source := &played{events: story(1000, 37), breaks: 7}
		var failures atomic.Int64
		for i, d := range dbs {
			f := follower(d, source)
			rnd := rand.New(rand.NewPCG(uint64(i), 7))
			f.Apply = func(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
				if err := effect(ctx, tx, events); err != nil {
					return err
				}
				if n := rnd.IntN(8); n < 2 {
					failures.Add(1)
					return []error{fault.Unavailable.New(), status.Error(codes.Aborted, "again")}[n]
				}
				return nil
			}
			background(t, f.Run)
		}
		followed(t, dbs[0], 1000)
		order, n := effects(t, dbs[0])
		if n != 1000 {
			t.Errorf("%d effects", n)
		}
		inOrder(t, order)
		if failures.Load() == 0 {
			t.Error("no failure was injected")
		}
		if parked, err := feed.CountParked(t.Context(), dbs[0].Read()); err != nil || parked != 0 {
			t.Errorf("%d parked (%v)", parked, err)
		}
	})
}

// A poisoned event parks its subject. The others go on; after the repair the parked
// ones follow in order, and what cannot be repaired is skipped with a reason.
func TestPoisonedEventParksItsSubject(t *testing.T) {
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		source := &played{events: story(200, 10)}
		f := follower(d, source)
		var repaired atomic.Bool
		poison := func(e *feedv1.Event) error {
			switch {
			case e.GetSubject() == "s3" && e.GetSequence() == 5 && !repaired.Load():
				return fault.WrongTransition.New()
			case e.GetSubject() == "s4" && e.GetSequence() == 2:
				panic("a fault of the program")
			case e.GetSubject() == "s5" && e.GetSequence() == 20:
				return errors.New("bad \x00 text \xff " + strings.Repeat("字", 5000))
			}
			return nil
		}
		f.Apply = func(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
			for _, e := range events {
				if err := poison(e); err != nil {
					return err
				}
			}
			return effect(ctx, tx, events)
		}
		background(t, f.Run)
		followed(t, d, 200)
		order, n := effects(t, d)
		inOrder(t, order)
		// Lost to others: s3 from 5 on, s4 from 2 on, the last of s5.
		if want := 200 - 16 - 19 - 1; n != want || len(order["s3"]) != 4 || len(order["s4"]) != 1 || len(order["s5"]) != 19 {
			t.Errorf("%d effects, want %d; s3 %v s4 %v", n, want, order["s3"], order["s4"])
		}
		waiting := parkedOf(t, f)
		if len(waiting) != 36 || waiting[0].GetSubject() != "s4" || !strings.Contains(waiting[0].GetReason(), "program") {
			t.Fatalf("%d parked", len(waiting))
		}

		releaseParked(t, d, f, &repaired)

		// A released subject is followed again as any other.
		source.mu.Lock()
		source.events = story(210, 10)
		source.mu.Unlock()
		followed(t, d, 210)
		if order, _ = effects(t, d); len(order["s3"]) != 21 || len(order["s5"]) != 19 {
			t.Errorf("s3 %v, s5 %v", order["s3"], order["s5"])
		}
	})
}

// What must not be skipped is refused until the source gives it.
func TestGapIsRefusedAndReadAgain(t *testing.T) {
	drop := func(at int64) func([]*feedv1.Event) []*feedv1.Event {
		return func(batch []*feedv1.Event) []*feedv1.Event {
			return slices.DeleteFunc(batch, func(e *feedv1.Event) bool { return e.GetPosition() == at })
		}
	}
	edit := func(at int64, change func(*feedv1.Event)) func([]*feedv1.Event) []*feedv1.Event {
		return func(batch []*feedv1.Event) []*feedv1.Event {
			for i, e := range batch {
				if e.GetPosition() == at {
					batch[i] = proto.CloneOf(e)
					change(batch[i])
				}
			}
			return batch
		}
	}
	tests := []struct {
		name   string
		change func([]*feedv1.Event) []*feedv1.Event
		before int64 // the last position that may be applied
	}{
		{"a position is missing", drop(30), 20},
		{"the first of a batch is missing", drop(41), 40},
		{"a sequence jumps within a batch", edit(35, func(e *feedv1.Event) { e.Sequence++ }), 20},
		{"a sequence jumps between batches", edit(41, func(e *feedv1.Event) { e.Sequence++ }), 40},
		{"a sequence goes back", edit(42, func(e *feedv1.Event) { e.Sequence-- }), 40},
		{"content was altered on the way", edit(50, func(e *feedv1.Event) { e.Resource = []byte("altered") }), 49},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
			var seen atomic.Int64
			source := &played{events: story(60, 5)}
			source.change = func(streams int, batch []*feedv1.Event) []*feedv1.Event {
				if streams > 2 {
					return batch
				}
				return tt.change(batch)
			}
			f := follower(d, source)
			f.Apply = func(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
				source.mu.Lock()
				faulty := source.streams <= 2
				source.mu.Unlock()
				if faulty {
					seen.Store(max(seen.Load(), events[len(events)-1].GetPosition()))
				}
				return effect(ctx, tx, events)
			}
			background(t, f.Run)
			followed(t, d, 60)
			if seen.Load() > tt.before {
				t.Errorf("applied up to %d, past the fault at %d", seen.Load(), tt.before)
			}
			order, n := effects(t, d)
			inOrder(t, order)
			if parked, err := feed.CountParked(t.Context(), d.Read()); n != 60 || parked != 0 || err != nil {
				t.Errorf("%d effects, %d parked (%v)", n, parked, err)
			}
			until(t, "the status", func() bool { s := f.Status(); return s.Position == 60 && s.Applied == 60 })
			if s := f.Status(); s.Reconnects < 2 || s.LastError == nil {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// Content damaged at its source is the same however often it is read.
func TestDamagedEventIsParked(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	source := &played{events: story(60, 5)}
	source.events[33].Resource = []byte("damaged")
	f := follower(d, source)
	background(t, f.Run)
	followed(t, d, 60)
	waiting := parkedOf(t, f)
	if len(waiting) != 6 || waiting[0].GetPosition() != 34 || !strings.Contains(waiting[0].GetReason(), "hash") {
		t.Errorf("%d parked", len(waiting))
	}
	if _, n := effects(t, d); n != 54 {
		t.Errorf("%d effects", n)
	}
}

// A follower that died with its work half done, or was restored from a backup, goes
// on from its own cursor.
func TestFollowerGoesOnAfterReopening(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		source := &played{events: story(100, 7)}
		for _, upTo := range []int64{100, 250} {
			source.events = story(int(upTo), 7)
			d, err := db.Open(t.Context(), cfg, tables, clock.System())
			if err != nil {
				t.Fatal(err)
			}
			stop := background(t, follower(d, source).Run)
			followed(t, d, upTo)
			stop()
			order, n := effects(t, d)
			inOrder(t, order)
			if int64(n) != upTo {
				t.Errorf("%d effects, want %d", n, upTo)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// An Idle that fails is tried again at the next word from the source.
func TestIdleIsRepeatedAfterFailure(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	f := follower(d, &played{events: story(5, 1)})
	var calls atomic.Int64
	f.Idle = func(context.Context, time.Time) error {
		if calls.Add(1) == 1 {
			return errors.New("not now")
		}
		return nil
	}
	background(t, f.Run)
	until(t, "a second call", func() bool { return calls.Load() > 1 })
	if f.Status().Reconnects < 1 {
		t.Errorf("status %+v", f.Status())
	}
}
