package feed_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
)

// eachDatabase opens a database of each kind for a benchmark.
func eachDatabase(b *testing.B, run func(b *testing.B, d *db.DB)) {
	b.Run(db.SQLite, func(b *testing.B) { run(b, dbtest.Open(b, dbtest.SQLiteConfig(b), tables, clock.System())) })
	if dbtest.Postgres(b) != "" {
		b.Run(db.Postgres, func(b *testing.B) { run(b, dbtest.Open(b, dbtest.PostgresConfig(b), tables, clock.System())) })
	}
}

// BenchmarkAppend is 64 callers that each write events of 1 kB, with the feed served.
func BenchmarkAppend(b *testing.B) {
	eachDatabase(b, func(b *testing.B, d *db.DB) {
		s, _ := serve(b, d)
		resource := wrapperspb.String(strings.Repeat("x", 1000))
		b.SetParallelism(32)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				draft := feed.Draft{Subject: fmt.Sprint(d.NextID()), Sequence: 1, Type: "t", Actor: "a", Resource: resource}
				err := d.Write(context.Background(), draft.Subject, func(ctx context.Context, tx *db.Tx) error {
					_, err := feed.Append(ctx, tx, draft)
					return err
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		until(b, "the head", func() bool { return s.Status().Position == int64(b.N) })
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "served/s")
	})
}

// BenchmarkCatchUp is a follower that comes back to a feed of b.N events.
func BenchmarkCatchUp(b *testing.B) {
	eachDatabase(b, func(b *testing.B, target *db.DB) {
		f := follower(target, &played{events: story(b.N, max(b.N/5, 1)), size: 500})
		b.ResetTimer()
		stop := background(b, f.Run)
		until(b, "the end of the feed", func() bool { return f.Status().Position == int64(b.N) })
		b.StopTimer()
		stop()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}
