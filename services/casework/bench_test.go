package casework

import (
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// BenchmarkFileCase is durable filings by 64 callers at once, without the network.
func BenchmarkFileCase(b *testing.B) {
	configs := map[string]db.Config{db.SQLite: dbtest.SQLiteConfig(b)}
	if dbtest.Postgres(b) != "" {
		configs[db.Postgres] = dbtest.PostgresConfig(b)
	}
	for name, cfg := range configs {
		b.Run(name, func(b *testing.B) { benchmarkFileCase(b, cfg) })
	}
}

func benchmarkFileCase(b *testing.B, cfg db.Config) {
	c := DefaultConfig()
	c.DB, c.QueryCodeSecret, c.PageSecret = cfg, "query code secret of tests", "page secret of the tests"
	s, err := open(b.Context(), c, parts{
		clock: clock.System(), log: slog.New(slog.DiscardHandler),
		identity: func(idType, number string) string { return authn.IdentityKey(identitySecret, idType, number) },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	r, err := itemOf(&cataloguev1.ItemRevision{Revision: 1, Item: item(promisedItem, nil), EffectiveTime: timestamppb.New(time.Unix(0, 0))})
	if err != nil {
		b.Fatal(err)
	}
	s.items.change(promisedItem, func(e *entry) { e.add(r) })
	s.items.change(promisedItem, func(e *entry) { e.state = 2 })
	ctx := authn.WithAccess(b.Context(), authn.Access{Principal: everybody["ada"], Scope: optionsv1.Scope_SCOPE_OWN})
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req := proto.CloneOf(filing(promisedItem))
			if _, err := s.FileCase(ctx, req); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "filings/s")
	b.ReportMetric(float64(s.db.Stats().Writes)/float64(max(1, s.db.Stats().Commits)), "filings/commit")
}
