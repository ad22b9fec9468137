package feed_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// reader collects a feed from a stream and checks what a stream must keep to.
type reader struct {
	mu       sync.Mutex
	position int64
	last     map[string]int64
	until    time.Time
	problems []string
}

func (r *reader) read(ctx context.Context, client feedv1.FeedServiceClient) error {
	stream, err := client.FollowEvents(ctx, &feedv1.FollowEventsRequest{After: r.position})
	if err != nil {
		return err
	}
	for {
		res, err := stream.Recv()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		r.take(res)
	}
}

func (r *reader) take(res *feedv1.FollowEventsResponse) {
	r.mu.Lock()
	defer r.mu.Unlock()
	problem := func(format string, args ...any) { r.problems = append(r.problems, fmt.Sprintf(format, args...)) }
	for _, e := range res.GetEvents() {
		if e.GetPosition() != r.position+1 {
			problem("position %d after %d", e.GetPosition(), r.position)
		}
		r.position = e.GetPosition()
		if e.GetSequence() != r.last[e.GetSubject()]+1 {
			problem("%s: sequence %d after %d", e.GetSubject(), e.GetSequence(), r.last[e.GetSubject()])
		}
		r.last[e.GetSubject()] = e.GetSequence()
		if entered := e.GetEnteredAt().AsTime(); !entered.After(r.until) {
			problem("position %d was entered at %v, after the word that all until %v was given", e.GetPosition(), entered, r.until)
		}
	}
	if until := res.GetCompleteUntil(); until != nil {
		r.until = until.AsTime()
	}
}

func (r *reader) seen() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.position
}

func (r *reader) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, p := range r.problems {
		if i == 10 {
			t.Fatalf("and %d more", len(r.problems)-i)
		}
		t.Error(p)
	}
}

// churn writes from many goroutines, with rollbacks and pauses within transactions,
// and gives how many events were committed.
func churn(t *testing.T, dbs []*db.DB, writers, each int) int64 {
	t.Helper()
	var committed atomic.Int64
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 1))
			sequence := int64(1)
			for range each {
				subject := fmt.Sprintf("halls/441300/things/%d", w)
				undo, pause := rnd.IntN(10) == 0, time.Duration(rnd.IntN(3))*time.Millisecond
				d := dbs[rnd.IntN(len(dbs))]
				if rnd.IntN(3) > 0 {
					pause = 0
				}
				err := d.Write(context.Background(), subject, func(ctx context.Context, tx *db.Tx) error {
					if _, err := feed.Append(ctx, tx, draft(subject, sequence)); err != nil {
						return err
					}
					time.Sleep(pause)
					if undo {
						return errUndo
					}
					return nil
				})
				switch {
				case err == nil:
					sequence++
					committed.Add(1)
				case !errors.Is(err, errUndo):
					t.Errorf("%s: %v", subject, err)
				}
			}
		})
	}
	group.Wait()
	return committed.Load()
}

var errUndo = errors.New("changed my mind")

// Writers that commit in any order, undo and dawdle: a reader sees every event, in
// gapless positions, each subject in order, and nothing later than it was told.
func TestReaderSeesEverything(t *testing.T) {
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		_, client := serve(t, d)
		r := &reader{last: map[string]int64{}}
		background(t, func(ctx context.Context) error { return r.read(ctx, client) })
		n := churn(t, []*db.DB{d}, 24, 60)
		until(t, "all events", func() bool { return r.seen() >= n })
		if r.seen() != n {
			t.Errorf("%d events of %d", r.seen(), n)
		}
		r.check(t)
		found, err := feed.Verify(t.Context(), d.Read())
		if err != nil || len(found) > 0 {
			t.Errorf("verify: %v %v", found, err)
		}
	})
}

// Two replicas of a service on one PostgreSQL schema take turns in giving positions.
func TestTwoReplicasTakeTurns(t *testing.T) {
	if dbtest.Postgres(t) == "" {
		return // said so loudly
	}
	cfg := dbtest.PostgresConfig(t)
	one, two := dbtest.Open(t, cfg, tables, clock.System()), dbtest.Open(t, cfg, tables, clock.System())
	_, client1 := serve(t, one)
	_, client2 := serve(t, two)
	readers := []*reader{{last: map[string]int64{}}, {last: map[string]int64{}}}
	background(t, func(ctx context.Context) error { return readers[0].read(ctx, client1) })
	background(t, func(ctx context.Context) error { return readers[1].read(ctx, client2) })
	n := churn(t, []*db.DB{one, two}, 24, 60)
	for _, r := range readers {
		until(t, "all events", func() bool { return r.seen() >= n })
		r.check(t)
	}
	counts, err := feed.Count(t.Context(), one.Read())
	if err != nil || counts.Events != n || counts.LastPosition != n {
		t.Errorf("%+v, want %d (%v)", counts, n, err)
	}
}

// With the virtual clock, followers hear of each move at once, without real waiting.
func TestHeartbeatFollowsTheVirtualClock(t *testing.T) {
	clk := clock.NewVirtual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	dbtest.EachClock(t, tables, clk, func(t *testing.T, d *db.DB) {
		_, client := serve(t, d)
		e := add(t, d, draft("a", 1))
		stream, err := client.FollowEvents(t.Context(), &feedv1.FollowEventsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for step := range 5 {
			start := time.Now()
			clk.Advance(24 * time.Hour)
			want := clk.Now().Add(-time.Microsecond)
			for {
				res, err := stream.Recv()
				if err != nil {
					t.Fatal(err)
				}
				got += len(res.GetEvents())
				if until := res.GetCompleteUntil(); until != nil && !until.AsTime().Before(want) {
					break
				}
			}
			if took := time.Since(start); took > 900*time.Millisecond {
				t.Errorf("step %d took %v", step, took)
			}
		}
		if got != 1 || e.GetPosition() != 1 {
			t.Errorf("%d events", got)
		}
	})
}

func TestReadEventsPages(t *testing.T) {
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		s, client := serve(t, d)
		for i := range 7 {
			add(t, d, draft("a", int64(i+1)))
		}
		until(t, "seven events", func() bool { return s.Status().Position == 7 })
		tests := []struct {
			after, size int64
			first, n    int64
			complete    bool
			code        codes.Code
		}{
			{0, 3, 1, 3, false, codes.OK},
			{3, 3, 4, 3, false, codes.OK},
			{6, 3, 7, 1, true, codes.OK},
			{7, 3, 0, 0, true, codes.OK},
			{0, 0, 1, 7, true, codes.OK},
			{99, 0, 0, 0, false, codes.FailedPrecondition},
			{-1, 0, 0, 0, false, codes.InvalidArgument},
			{0, -1, 0, 0, false, codes.InvalidArgument},
		}
		for _, tt := range tests {
			if tt.code != codes.OK {
				_, err := s.ReadEvents(t.Context(), &feedv1.ReadEventsRequest{After: tt.after, PageSize: int32(tt.size)})
				if fault.Of(err).Reason().Code != tt.code {
					t.Errorf("after %d size %d: %v", tt.after, tt.size, err)
				}
				continue
			}
			res, err := client.ReadEvents(t.Context(), &feedv1.ReadEventsRequest{After: tt.after, PageSize: int32(tt.size)})
			if err != nil || int64(len(res.GetEvents())) != tt.n || tt.n > 0 && res.GetEvents()[0].GetPosition() != tt.first ||
				(res.GetCompleteUntil() != nil) != tt.complete {
				t.Errorf("after %d size %d: %v %v", tt.after, tt.size, res, err)
			}
		}
	})
}

// Large resources must not make a message that the reader refuses.
func TestLargeEventsAreSplit(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	_, client := serve(t, d)
	big := make([]byte, 700_000)
	for i := range 9 {
		e := draft("a", int64(i+1))
		e.Resource = wrapperspb.Bytes(big)
		add(t, d, e)
	}
	r := &reader{last: map[string]int64{}}
	background(t, func(ctx context.Context) error { return r.read(ctx, client) })
	until(t, "nine large events", func() bool { return r.seen() == 9 })
	r.check(t)
}

// A reader that does not read is cut off; its stream ends with an error.
func TestReaderThatDoesNotReadIsCutOff(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	_, client := serve(t, d, feed.WithSendDeadline(100*time.Millisecond))
	big := make([]byte, 200_000)
	stream, err := client.FollowEvents(t.Context(), &feedv1.FollowEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		e := draft("a", int64(i+1))
		e.Resource = wrapperspb.Bytes(big)
		add(t, d, e)
	}
	time.Sleep(300 * time.Millisecond) // the whole point: nothing is read meanwhile
	for {
		if _, err = stream.Recv(); err != nil {
			break
		}
	}
	if status.Code(err) == codes.OK || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A feed put back to an older state must not go on as if nothing had been.
func TestReaderAheadOfTheFeedIsRefused(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	_, client := serve(t, d)
	add(t, d, draft("a", 1))
	stream, err := client.FollowEvents(t.Context(), &feedv1.FollowEventsRequest{After: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err == nil {
		t.Error("a reader from the future was served")
	}
}

// Streams end with the server, which would otherwise wait for them.
func TestStreamsEndWithTheServer(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	s := feed.NewServer(d, d.Clock())
	stop := background(t, s.Run)
	stream, err := dial(t, s).FollowEvents(t.Context(), &feedv1.FollowEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the stream", func() bool { return s.Status().Streams == 1 })
	stop()
	for err == nil {
		_, err = stream.Recv()
	}
	until(t, "its end", func() bool { return s.Status().Streams == 0 })
}
