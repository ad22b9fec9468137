package db_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// BenchmarkWrite compares group commit with a transaction a request, 64 callers, three
// inserts each, synchronous=FULL.
func BenchmarkWrite(b *testing.B) {
	for _, driver := range []string{db.SQLite, db.Postgres} {
		for _, mode := range []string{"group", "one-each"} {
			b.Run(driver+"/"+mode, func(b *testing.B) {
				cfg := dbtest.SQLiteConfig(b)
				if driver == db.Postgres {
					if dbtest.Postgres(b) == "" {
						return // said so loudly
					}
					cfg = dbtest.PostgresConfig(b)
				}
				cfg.NoGroup = mode != "group"
				d := dbtest.Open(b, cfg, notes, clock.System())
				text := strings.Repeat("x", 300)
				b.SetParallelism(32) // times 2 cores
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						id := d.NextID()
						err := d.Write(context.Background(), fmt.Sprint(id), func(ctx context.Context, tx *db.Tx) error {
							for range 3 {
								id := tx.NextID()
								if err := insert(id, fmt.Sprint(id)+text)(ctx, tx); err != nil {
									return err
								}
							}
							return nil
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
				b.StopTimer()
				s := d.Stats()
				b.ReportMetric(float64(s.Writes)/float64(max(s.Commits, 1)), "writes/commit")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			})
		}
	}
}
