package casework

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/workday"
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

// quiet is a casework with one item and no neighbours, which does nothing by itself.
func quiet(b testing.TB, cfg db.Config) *Service {
	b.Helper()
	c := DefaultConfig()
	c.DB, c.QueryCodeSecret, c.PageSecret = cfg, "query code secret of tests", "page secret of the tests"
	c.Files.Store.Dir = b.TempDir()
	s, err := open(b.Context(), c, parts{
		clock: clock.System(), log: slog.New(slog.DiscardHandler),
		identity: func(idType, number string) string { return authn.IdentityKey(identitySecret, idType, number) },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() }) // a second time where a test has closed it
	r, err := itemOf(&cataloguev1.ItemRevision{Revision: 1, Item: item(promisedItem, nil), EffectiveTime: timestamppb.New(time.Unix(0, 0))})
	if err != nil {
		b.Fatal(err)
	}
	s.items.change(promisedItem, func(e *entry) { e.add(r) })
	s.items.change(promisedItem, func(e *entry) { e.state = 2 })
	return s
}

// fill files so many applications, by many callers at once.
func fill(b *testing.B, s *Service) {
	b.Helper()
	ctx := authn.WithAccess(b.Context(), authn.Access{Principal: everybody["ada"], Scope: optionsv1.Scope_SCOPE_OWN})
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.FileCase(ctx, filing(promisedItem)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchmarkFileCase(b *testing.B, cfg db.Config) {
	s := quiet(b, cfg)
	b.ResetTimer()
	fill(b, s)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "filings/s")
	b.ReportMetric(float64(s.db.Stats().Writes)/float64(max(1, s.db.Stats().Commits)), "filings/commit")
}

// BenchmarkFileCaseAskedBack is filings by twenty thousand applicants, each of which is
// held against what its applicant filed before.
func BenchmarkFileCaseAskedBack(b *testing.B) {
	var ids []string
	for n := 0; len(ids) < 20_000; n++ {
		for last := range 10 { // one in ten such numbers is valid, by its check digit
			if id, err := codes.ResidentID(fmt.Sprintf("4413221980%02d%02d%03d%d", 1+n/28000, 1+n/1000%28, n%1000, last)); err == nil {
				ids = append(ids, id)
			}
		}
	}
	for _, allowed := range []bool{true, false} {
		b.Run(fmt.Sprintf("allowed=%t", allowed), func(b *testing.B) {
			s := quiet(b, dbtest.SQLiteConfig(b))
			var next atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := next.Add(1)
					id := ids[int(n)%len(ids)]
					who := applicant("n", authn.IDTypeResident, id)
					req := filing(promisedItem)
					req.AllowDuplicate, req.Case.Applicant.IdNumber, req.Case.Subject = allowed, id, fmt.Sprintf("第 %d 件", n)
					ctx := authn.WithAccess(b.Context(), authn.Access{Principal: who, Scope: optionsv1.Scope_SCOPE_OWN})
					if _, err := s.FileCase(ctx, req); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "filings/s")
		})
	}
}

// BenchmarkRecompute moves the dates of b.N open cases by one closure, each with its
// event, and files on the side as fast as one caller can. Ask for the number of a city
// with -benchtime 250000x.
func BenchmarkRecompute(b *testing.B) {
	b.Run(db.SQLite, func(b *testing.B) { benchmarkRecompute(b, dbtest.SQLiteConfig(b)) })
	if dbtest.Postgres(b) != "" {
		b.Run(db.Postgres, func(b *testing.B) { benchmarkRecompute(b, dbtest.PostgresConfig(b)) })
	}
}

func benchmarkRecompute(b *testing.B, cfg db.Config) {
	s := quiet(b, cfg)
	fill(b, s)
	shut := &cataloguev1.Calendar{Version: 2, Division: "441300", Title: "台风停止办公"}
	for d := workday.DateOf(time.Now()) + 1; len(shut.Days) < 3; d++ {
		if workday.China().IsWorkday("", d) {
			shut.Days = append(shut.Days, &cataloguev1.CalendarDay{Date: d.String(), Kind: cataloguev1.DayKind_DAY_KIND_CLOSED})
		}
	}
	data, err := proto.Marshal(shut)
	if err != nil {
		b.Fatal(err)
	}
	err = s.db.Write(b.Context(), "", func(ctx context.Context, tx *db.Tx) error {
		return almanac.Apply(ctx, tx, &feedv1.Event{Position: 1, Type: almanac.CalendarPublished, Resource: data})
	})
	if err == nil {
		_, err = s.almanac.Refresh(b.Context(), s.db.Read())
	}
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(authn.WithAccess(b.Context(), authn.Access{Principal: everybody["bob"], Scope: optionsv1.Scope_SCOPE_OWN}))
	var took []time.Duration
	beside := make(chan struct{})
	go func() {
		defer close(beside)
		for ctx.Err() == nil {
			req, began := filing(promisedItem), time.Now()
			req.Case.Applicant.IdNumber = bobID
			if _, err := s.FileCase(ctx, req); err == nil {
				took = append(took, time.Since(began))
			}
		}
	}()
	b.ResetTimer()
	err = s.recomputeHalls(b.Context())
	b.StopTimer()
	stop()
	<-beside
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(b.Elapsed().Seconds(), "seconds")
	if slices.Sort(took); len(took) > 0 {
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "filing-p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "filing-p99-ms")
	}
}
