package feed_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
)

// tables are the feed's and one that a follower's effects go to.
var tables = feed.WithMigrations(fstest.MapFS{"migrations/00100_effects.sql": {Data: []byte(`-- +goose Up
CREATE TABLE effects (n BIGINT NOT NULL PRIMARY KEY, subject TEXT NOT NULL, sequence BIGINT NOT NULL, UNIQUE (subject, sequence));
-- +goose Down
DROP TABLE effects;
`)}})

var _ fs.ReadDirFS = tables.(fs.ReadDirFS)

// draft is an event of a subject whose content is its place.
func draft(subject string, sequence int64) feed.Draft {
	return feed.Draft{
		Subject: subject, Sequence: sequence, Type: "thing.changed", Actor: "system/test",
		Resource: wrapperspb.String(fmt.Sprintf("%s@%d", subject, sequence)),
	}
}

// add writes one event.
func add(t testing.TB, d *db.DB, draft feed.Draft) *feedv1.Event {
	t.Helper()
	var out *feedv1.Event
	err := d.Write(t.Context(), draft.Subject, func(ctx context.Context, tx *db.Tx) error {
		e, err := feed.Append(ctx, tx, draft)
		out = e
		return err
	})
	if err != nil {
		t.Fatalf("append %s %d: %v", draft.Subject, draft.Sequence, err)
	}
	return out
}

// background runs fn until the test ends and then waits for it.
func background(t testing.TB, fn func(ctx context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("background: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// serve runs the feed of a database behind a real gRPC connection.
func serve(t testing.TB, d *db.DB, opts ...feed.ServerOption) (*feed.Server, feedv1.FeedServiceClient) {
	t.Helper()
	s := feed.NewServer(d, d.Clock(), append([]feed.ServerOption{feed.WithLog(quiet)}, opts...)...)
	background(t, s.Run)
	return s, dial(t, s)
}

func dial(t testing.TB, s feedv1.FeedServiceServer) feedv1.FeedServiceClient {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	srv := grpc.NewServer()
	feedv1.RegisterFeedServiceServer(srv, s)
	go func() { _ = srv.Serve(lis) }() // ends with Stop below
	conn, err := grpc.NewClient("passthrough:///feed", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		srv.Stop()
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return feedv1.NewFeedServiceClient(conn)
}

var quiet = slog.New(slog.DiscardHandler)

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// effect is an Apply that writes each event down. The table refuses a second time.
func effect(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	for _, e := range events {
		if _, err := tx.ExecContext(ctx, `INSERT INTO effects (n, subject, sequence) VALUES ($1, $2, $3)`,
			tx.NextID(), e.GetSubject(), e.GetSequence()); err != nil {
			return err
		}
	}
	return nil
}

// effects is what was written down, in order.
func effects(t testing.TB, d *db.DB) (order map[string][]int64, n int) {
	t.Helper()
	rows, err := d.Read().QueryContext(context.Background(), `SELECT subject, sequence FROM effects ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	order = map[string][]int64{}
	for rows.Next() {
		var s string
		var q int64
		if err := rows.Scan(&s, &q); err != nil {
			t.Fatal(err)
		}
		order[s] = append(order[s], q)
		n++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return order, n
}

// inOrder fails unless each subject's effects are 1..n.
func inOrder(t testing.TB, order map[string][]int64) {
	t.Helper()
	for subject, sequences := range order {
		for i, q := range sequences {
			if q != int64(i+1) {
				t.Fatalf("%s: effect %d is of sequence %d: %v", subject, i+1, q, sequences)
			}
		}
	}
}

func TestFollowFromEndToEnd(t *testing.T) {
	dbtest.Each(t, tables, func(t *testing.T, d *db.DB) {
		_, client := serve(t, d)
		for i := range 3 {
			add(t, d, draft("halls/441300/things/a", int64(i+1)))
		}
		target := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
		var mu sync.Mutex
		var idle time.Time
		f := &feed.Follower{
			Source: "things", Name: "test", Client: client, DB: target, Clock: clock.System(), Log: quiet, Apply: effect,
			Idle: func(_ context.Context, until time.Time) error {
				mu.Lock()
				defer mu.Unlock()
				idle = until
				return nil
			},
		}
		background(t, f.Run)
		last := add(t, d, draft("halls/441300/things/b", 1))
		until(t, "four effects", func() bool { _, n := effects(t, target); return n == 4 })
		until(t, "the source's word that this was all", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return !idle.Before(last.GetEnteredAt().AsTime())
		})
		order, _ := effects(t, target)
		inOrder(t, order)
		found, err := feed.Verify(t.Context(), d.Read())
		if err != nil || len(found) > 0 {
			t.Fatalf("verify: %v %v", found, err)
		}
	})
}
