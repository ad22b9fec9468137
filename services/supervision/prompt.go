package supervision

import (
	"context"
	"errors"
	"log/slog"
	"time"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// promptAfter is how long after a due moment its source is asked: longer than its
	// feed stays behind the present.
	promptAfter = 250 * time.Millisecond
	// promptLeast is the least time between two questions, promptMost the most until due
	// moments are looked for again.
	promptLeast, promptMost = 100 * time.Millisecond, time.Second
)

// prompt asks a source for the silence it vouches for when a clock has fallen due. A feed
// tells of its silence only now and then, and a card should not wait for that.
type prompt struct {
	engine *engine
	source string
	client feedv1.FeedServiceClient
	idle   func(ctx context.Context, until time.Time) error
	// first is asked before: how far the calendar is known bounds what may be judged.
	first *prompt
}

// run asks until ctx ends. A source that does not answer is asked again later; its feed
// tells in any case.
func (p *prompt) run(ctx context.Context, outgoing func(context.Context) context.Context) error {
	for {
		wait := promptMost
		next, err := store.NextDue(ctx, p.engine.db.Read(), p.source)
		if due := next.Add(promptAfter); err == nil && !next.IsZero() {
			now := p.engine.clock.Now()
			wait = min(promptMost, max(due.Sub(now), promptLeast))
			if !now.Before(due) {
				err = p.ask(outgoing(ctx))
			}
		}
		if err != nil && ctx.Err() == nil {
			p.engine.logger().DebugContext(ctx, "supervision: silence was not vouched for", slog.String("source", p.source), slog.Any("error", err))
			wait = promptMost
		}
		if err := clock.Sleep(ctx, p.engine.clock, wait); err != nil {
			return nil //nolint:nilerr // being told to stop is how it ends well
		}
	}
}

// ask judges the silent clocks if the source has nothing new to tell: what is new comes by
// the follower, and in its order.
func (p *prompt) ask(ctx context.Context) error {
	if p.first == nil {
		return p.vouch(ctx)
	}
	return errors.Join(p.first.ask(ctx), p.vouch(ctx))
}

func (p *prompt) vouch(ctx context.Context) error {
	at, err := feed.Position(ctx, p.engine.db.Read(), p.source, "supervision")
	if err != nil {
		return err
	}
	res, err := p.client.ReadEvents(ctx, &feedv1.ReadEventsRequest{After: at, PageSize: 1})
	if err != nil || len(res.GetEvents()) > 0 || res.GetCompleteUntil() == nil {
		return err
	}
	return p.idle(ctx, res.GetCompleteUntil().AsTime())
}
