package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/workday"
)

// allDay are opening hours that never end, nearly: so clocks fall due at any time of day.
const allDay = "00:00-23:59"

// measureClocks looks at a supervision with very many open clocks: what an hour costs in
// which nothing happens, and how long after its moment a card is there.
func measureClocks(ctx context.Context, b *bench) (err error) {
	n, now := b.plan.clocks, time.Now()
	spec, err := b.watchHall(ctx, waiting(0, n, func(int) time.Time { return now.Add(-time.Hour) }, 20))
	if err != nil {
		return err
	}
	if err := b.countBySecond(ctx); err != nil {
		return err
	}
	h, err := b.startWatch(spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	if _, err := h.caughtUp(ctx, 20*time.Minute); err != nil {
		return err
	}
	if err := b.quietHour(ctx, h, n); err != nil {
		return err
	}
	return b.dueMoments(ctx, n)
}

// countBySecond lets supervision know of a policy that counts the hall's time by the
// second at any hour, as if the catalogue had published it.
func (b *bench) countBySecond(ctx context.Context) (err error) {
	policy, err := proto.Marshal(&cataloguev1.HallPolicy{Name: "halls/" + city + "/policies/1", Version: 1, EffectiveDate: "2012-01-01",
		CountBy: cataloguev1.CountBy_COUNT_BY_SECOND, Hours: []string{allDay}, Reason: "测量"})
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, b.pg.dsn())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, `INSERT INTO supervision.almanac (position, kind, data) VALUES (1, $1, $2)`, almanac.PolicyPublished, policy)
	return err
}

// waiting makes cases that were accepted and wait, with so many days promised.
func waiting(first, n int, accepted func(i int) time.Time, promised int32) func(yield func(bulkEvent) bool) {
	return func(yield func(bulkEvent) bool) {
		for i := range n {
			e := bulkStage(first+i, 1, func(int) time.Time { return accepted(i) })
			e.seq, e.at = 1, time.Now() // nothing is told of it before
			e.body.PromisedLimit, e.body.StatutoryLimit, e.body.LimitUnit = promised, promised+5, caseworkv1.TimeUnit_TIME_UNIT_NATURAL_DAY
			e.body.SubmitTime, e.body.AcceptTime = timestamppb.New(accepted(i)), timestamppb.New(accepted(i))
			if !yield(e) {
				return
			}
		}
	}
}

// quietHour looks for a while at a hall in which nothing happens.
func (b *bench) quietHour(ctx context.Context, h *hall, n int) error {
	const queries = `SELECT sum(xact_commit + xact_rollback)::float8 FROM pg_stat_database WHERE datname = current_database()`
	select {
	case <-time.After(3 * time.Second): // what the start set going comes to rest
	case <-ctx.Done():
		return ctx.Err()
	}
	before, err := b.pg.number(ctx, queries)
	if err != nil {
		return err
	}
	store, err := b.pg.cpuTime()
	if err != nil {
		return err
	}
	if err := h.ask(hallQuestion{Do: "begin", Name: "quiet"}, &hallAnswer{}); err != nil {
		return err
	}
	select {
	case <-time.After(b.plan.quiet):
	case <-ctx.Done():
		return ctx.Err()
	}
	var end hallAnswer
	if err := h.ask(hallQuestion{Do: "end"}, &end); err != nil {
		return err
	}
	storeAfter, err1 := b.pg.cpuTime()
	after, err2 := b.pg.number(ctx, queries)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	perHour := time.Hour.Seconds() / b.plan.quiet.Seconds()
	b.report.add(row{what: fmt.Sprintf("a quiet hour with %d open clocks", n), figure: seconds((end.CPU + storeAfter - store).Seconds() * perHour),
		reach: "≤ 72 s CPU (2 % of a core)", met: (end.CPU+storeAfter-store).Seconds()*perHour <= 72,
		notes: fmt.Sprintf("CPU of the hall %s and of PostgreSQL %s, %.0f transactions; looked at for %v; %s", seconds(end.CPU.Seconds()*perHour),
			seconds((storeAfter-store).Seconds()*perHour), (after-before)*perHour, b.plan.quiet, mebibytes(float64(end.RSS)))})
	return nil
}

// dueMoments lets clocks fall due one after the other, then as many at one moment, and
// looks when each card was written.
func (b *bench) dueMoments(ctx context.Context, first int) error {
	n := b.plan.due
	for _, round := range []struct {
		what   string
		within time.Duration
		reach  string
	}{
		{fmt.Sprintf("from the due moment to the card, %d one after the other", n), 20 * time.Second, "p99 < 1 s"},
		{fmt.Sprintf("from the due moment to the card, %d at one moment", n), 0, ""},
	} {
		begin := time.Now().Add(5 * time.Second).Truncate(time.Millisecond)
		moment := func(i int) time.Time { return begin.Add(round.within * time.Duration(i) / time.Duration(n)) }
		if _, err := copyEvents(ctx, b.pg, waiting(first, n, func(i int) time.Time { return acceptedFor(moment(i)) }, 4)); err != nil {
			return err
		}
		t, err := b.delays(ctx, first, n, time.Until(moment(n-1))+30*time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", round.what, err)
		}
		b.report.add(row{what: round.what, figure: "p99 " + millis(t.P99), reach: round.reach, met: t.P99 < time.Second,
			notes: fmt.Sprintf("p50 %s, max %s; %d clocks open", millis(t.P50), millis(t.Max), first)})
		first += n
	}
	return nil
}

// acceptedFor is when a case with four days was accepted whose first warning is due at a
// moment.
func acceptedFor(due time.Time) time.Time {
	hours, err := workday.NewHours(workday.Span{From: 0, To: 23*time.Hour + 59*time.Minute})
	if err != nil {
		panic(err) // of a constant
	}
	reached := func(accepted time.Time) time.Time {
		at, _ := workday.ReachedAt(workday.China(), workday.Input{Division: city, Start: accepted, Promised: 4, Statutory: 9, Unit: workday.NaturalDays,
			Mode: workday.SecondMode, Hours: hours}, 2)
		return at
	}
	low, high := due.AddDate(0, 0, -10), due
	for high.Sub(low) > time.Microsecond {
		if middle := low.Add(high.Sub(low) / 2); reached(middle).Before(due) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// delays waits for the warnings of cases and reads how long after its moment each was
// written.
func (b *bench) delays(ctx context.Context, first, n int, most time.Duration) (t lagTimes, err error) {
	conn, err := pgx.Connect(ctx, b.pg.dsn())
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	names := make([]string, n)
	for i := range n {
		names[i] = bulkName(first + i)
	}
	var all []time.Duration
	err = until(ctx, "the cards", most, func() (bool, error) {
		rows, err := conn.Query(ctx, `SELECT e.entered_at - e.happened_at FROM supervision.cards c JOIN supervision.events e ON e.subject = c.name AND e.sequence = 1
WHERE c.subject = ANY($1) AND c.name LIKE '%T1_PROMISE.warning%'`, names)
		if err != nil {
			return false, err
		}
		micros, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		all = all[:0]
		for _, m := range micros {
			all = append(all, time.Duration(m)*time.Microsecond)
		}
		return err == nil && len(all) == n, errors.Join(err, fmt.Errorf("%d of %d", len(all), n))
	})
	return timesOf(all), err
}
