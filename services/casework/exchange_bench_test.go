package casework

import (
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/rpc"
)

// BenchmarkExchangeIngest takes 100,000 rows in by the call that a front machine makes, over
// gRPC with all interceptors.
func BenchmarkExchangeIngest(b *testing.B) {
	configs := map[string]db.Config{db.SQLite: dbtest.SQLiteConfig(b)}
	if dbtest.Postgres(b) != "" {
		configs[db.Postgres] = dbtest.PostgresConfig(b)
	}
	for name, cfg := range configs {
		b.Run(name, func(b *testing.B) { benchmarkIngest(b, cfg) })
	}
}

func benchmarkIngest(b *testing.B, cfg db.Config) {
	const cases, perCase = 14_286, 7
	x := exchangeForBench(b, cfg)
	n := 0
	for b.Loop() {
		b.StopTimer()
		var batches [][]*caseworkv1.ExchangeRow
		for i := range cases {
			if i%70 == 0 {
				batches = append(batches, nil)
			}
			last := len(batches) - 1
			n++
			batches[last] = append(batches[last], wholeWay(fmt.Sprintf("N%d", n))...)
		}
		ctx := as(b.Context(), "front")
		began, used := time.Now(), cpu(b)
		b.StartTimer()
		for _, rows := range batches {
			res, err := x.IngestRows(ctx, &caseworkv1.IngestRowsRequest{Parent: sourceName, RequestId: newID(), Rows: rows})
			if err != nil || int(res.GetAccepted()) != len(rows) {
				b.Fatalf("%v, %d of %d", err, res.GetAccepted(), len(rows))
			}
		}
		b.StopTimer()
		b.ReportMetric(cases*perCase/time.Since(began).Seconds(), "rows/s")
		b.ReportMetric(float64((cpu(b)-used).Microseconds())/(cases*perCase), "cpu-us/row")
		b.StartTimer()
	}
}

// exchangeForBench serves the exchange with one item and one source, and dials it.
func exchangeForBench(b *testing.B, cfg db.Config) caseworkv1.ExchangeServiceClient {
	c := DefaultConfig()
	c.DB, c.QueryCodeSecret, c.PageSecret = cfg, "query code secret of tests", "page secret of the tests"
	clk := clock.NewVirtual(time.Date(2026, 3, 6, 4, 0, 0, 0, time.UTC))
	s, err := open(b.Context(), c, parts{
		clock: clk, log: slog.New(slog.DiscardHandler),
		identity: func(idType, number string) string { return authn.IdentityKey(identitySecret, idType, number) },
	})
	fatal := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	fatal(err)
	b.Cleanup(func() { _ = s.Close() })
	r, err := itemOf(&cataloguev1.ItemRevision{Revision: 1, Item: item(promisedItem, nil), EffectiveTime: timestamppb.New(time.Unix(0, 0))})
	fatal(err)
	s.items.change(promisedItem, func(e *entry) { e.add(r); e.state = 2 })
	srv, err := rpc.NewServer(rpc.ServerOptions{Role: "casework", Verifier: everybody, Clock: clk, Limits: rpc.Limits{RatePerSecond: -1}})
	fatal(err)
	s.Register(srv)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	fatal(err)
	go func() { _ = srv.Serve(lis) }() // it ends with the shutdown below
	srv.SetServing(true)
	dialer, err := rpc.NewDialer(rpc.DialerOptions{})
	fatal(err)
	conn, err := dialer.DialTarget("casework", "passthrough:///"+lis.Addr().String())
	fatal(err)
	b.Cleanup(func() { _ = conn.Close(); srv.Shutdown() })
	x := caseworkv1.NewExchangeServiceClient(conn)
	_, err = x.RegisterSource(as(b.Context(), "admin"), &caseworkv1.RegisterSourceRequest{
		Parent: hallName, SourceId: "oa", RequestId: newID(), Source: &caseworkv1.ExchangeSource{DisplayName: "部门办公系统", Client: "user/front"},
	})
	fatal(err)
	return x
}

// cpu is what this process has used so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
