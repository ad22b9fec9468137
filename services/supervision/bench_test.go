package supervision

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// stream makes the events of n cases in time order, seven each, interleaved as a busy
// hall makes them.
func stream(start time.Time, n int) []*feedv1.Event {
	const stages = 7
	kinds := [stages]string{"case.submitted", "case.accepted", "case.undertaken", "case.examined", "case.approved", "case.decided", "case.finished"}
	var all []*feedv1.Event
	for at := 0; at < n+stages*40; at++ {
		for stage := range stages {
			i := at - stage*40
			if i < 0 || i >= n {
				continue
			}
			now := timestamppb.New(start.Add(time.Duration(len(all)) * time.Second))
			c := &caseworkv1.Case{Name: fmt.Sprintf("%s/cases/4413001811%011d", testHall, i), Item: testHall + "/items/11441300007482575H3440118009000",
				ItemTitle: "居住证办理", Department: testHall + "/departments/d1", PromisedLimit: 7, StatutoryLimit: 20, SubmitTime: now,
				ApplicantKey: "applicant", Applicant: &caseworkv1.Applicant{DisplayName: "张*", IdNumber: "1101**********002X", Phone: "138****0000"},
				Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", DisplayName: "居民身份证", FileName: "身份证.pdf"}, {MaterialId: "m2", DisplayName: "租赁合同", FileName: "合同.pdf"}}}
			if stage >= 1 {
				c.AcceptTime = now
			}
			for k := 2; k <= stage && k <= 4; k++ {
				c.Steps = append(c.Steps, &caseworkv1.Step{Kind: caseworkv1.StepKind(k - 1), Officer: fmt.Sprint("officer", k), OfficerName: "王五", Opinion: "同意", StepTime: now})
			}
			if stage >= 5 {
				c.Decision = &caseworkv1.Decision{Result: 1, Officer: "head", DecideTime: now}
			}
			if stage == 6 {
				c.Finish = &caseworkv1.Finish{Result: 1, FinishTime: now}
			}
			raw, err := proto.Marshal(c)
			if err != nil {
				panic(err)
			}
			all = append(all, &feedv1.Event{Subject: c.GetName(), Sequence: int64(stage + 1), Type: kinds[stage], ResourceType: caseType,
				Resource: raw, Actor: "officer", HappenedAt: now, EnteredAt: now})
		}
	}
	return all
}

// eachDB runs a benchmark on both databases with a new engine.
func eachDB(b *testing.B, run func(b *testing.B, e *engine, clk *clock.Virtual)) {
	configs := map[string]func(testing.TB) db.Config{db.SQLite: dbtest.SQLiteConfig}
	if dbtest.Postgres(b) != "" {
		configs[db.Postgres] = dbtest.PostgresConfig
	}
	for driver, config := range configs {
		b.Run(driver, func(b *testing.B) {
			clk := clock.NewVirtual(time.Date(2018, 11, 1, 9, 0, 0, 0, workday.Zone))
			p, err := newPolicies(Config{})
			if err != nil {
				b.Fatal(err)
			}
			run(b, &engine{policies: p, almanac: almanac.NewKeeper(), db: dbtest.Open(b, config(b), store.Migrations, clk), clock: clk}, clk)
		})
	}
}

// takeIn applies events in batches as the feed gives them.
func takeIn(b *testing.B, e *engine, events []*feedv1.Event) {
	b.Helper()
	for len(events) > 0 {
		n := min(500, len(events))
		if err := e.db.Write(b.Context(), "", func(ctx context.Context, tx *db.Tx) error { return e.apply(ctx, tx, events[:n]) }); err != nil {
			b.Fatal(err)
		}
		events = events[n:]
	}
}

// BenchmarkApply measures how many events a second supervision takes in.
func BenchmarkApply(b *testing.B) {
	eachDB(b, func(b *testing.B, e *engine, clk *clock.Virtual) {
		events := stream(clk.Now(), b.N/7+1)
		b.ResetTimer()
		takeIn(b, e, events)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkTimers measures how many cards a second are raised for cases about which
// nothing comes in, three for each.
func BenchmarkTimers(b *testing.B) {
	eachDB(b, func(b *testing.B, e *engine, clk *clock.Virtual) {
		var accepted []*feedv1.Event
		for _, ev := range stream(clk.Now(), b.N/3+1) {
			if ev.GetSequence() <= 2 {
				accepted = append(accepted, ev)
			}
		}
		takeIn(b, e, accepted)
		clk.Advance(365 * 24 * time.Hour)
		b.ResetTimer()
		if err := e.idle(b.Context(), clk.Now()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cards/s")
	})
}

// BenchmarkFollow measures the whole way of an event: read from casework's feed over
// gRPC, checked, applied and the cursor moved.
func BenchmarkFollow(b *testing.B) {
	s := newSource(b, time.Date(2018, 11, 1, 9, 0, 0, 0, workday.Zone))
	for events := stream(s.clock.Now(), b.N/7+1); len(events) > 0; {
		n := min(1000, len(events))
		if err := s.db.Write(b.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			for _, ev := range events[:n] {
				c := &caseworkv1.Case{}
				if err := proto.Unmarshal(ev.GetResource(), c); err != nil {
					return err
				}
				if _, err := feed.Append(ctx, tx, feed.Draft{Subject: ev.GetSubject(), Sequence: ev.GetSequence(), Type: ev.GetType(), Resource: c, Actor: "officer"}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		s.last += int64(n)
		events = events[n:]
	}
	configs := map[string]func(testing.TB) db.Config{db.SQLite: dbtest.SQLiteConfig}
	if dbtest.Postgres(b) != "" {
		configs[db.Postgres] = dbtest.PostgresConfig
	}
	for driver, config := range configs {
		w := newWatch(b, config(b), s, s.client)
		started := time.Now()
		w.start()
		w.caughtUp(s.last)
		w.stop()
		b.ReportMetric(float64(s.last)/time.Since(started).Seconds(), driver+"-events/s")
	}
}
