package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/workday"
)

var (
	start   = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	testSrc = &source{name: "local", maxAhead: 48 * time.Hour}
	clk     = clock.NewVirtual(start.AddDate(0, 0, 30))
)

// history is what three feeds tell, each in its order, and how it is told here.
type history struct {
	feeds [3][]*feedv1.Event
	seq   map[string]int64
}

func (h *history) tell(feed int, subject string, m proto.Message) {
	raw, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	h.seq[subject]++
	h.feeds[feed] = append(h.feeds[feed], &feedv1.Event{
		Position: int64(len(h.feeds[feed]) + 1), Subject: subject, Sequence: h.seq[subject],
		ResourceType: string(m.ProtoReflect().Descriptor().FullName()), Resource: raw,
	})
}

var testAppliers = [3]applier{applyCases, applyReviews, applyCards}

func apply(ctx context.Context, d *db.DB, feed int, events []*feedv1.Event) error {
	return d.Write(ctx, fmt.Sprint(feed), func(ctx context.Context, tx *db.Tx) error { return testAppliers[feed](ctx, tx, testSrc, events) })
}

func dayAt(t *rapid.T, label string) *timestamppb.Timestamp {
	if n := rapid.IntRange(0, 4).Draw(t, label); n > 0 {
		return timestamppb.New(start.AddDate(0, 0, n))
	}
	return nil
}

// draw makes any history: states that no service would let follow each other are what
// a correction or a repaired event may well look like.
func draw(t *rapid.T) *history {
	h := &history{seq: map[string]int64{}}
	name := func(kind string, n int) string {
		return fmt.Sprintf("halls/44130%d/%s/%d", rapid.IntRange(0, n).Draw(t, kind+" hall"), kind, rapid.IntRange(0, n).Draw(t, kind))
	}
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		department := fmt.Sprintf("d%d", rapid.IntRange(0, 1).Draw(t, "department"))
		switch kind := rapid.IntRange(0, 5).Draw(t, "feed"); kind {
		case 0:
			r := &reviewv1.Review{Name: name("reviews", 2), Stars: rapid.Int32Range(1, 5).Draw(t, "stars"), Department: department, Item: "i",
				CreateTime: timestamppb.New(start.AddDate(0, 0, rapid.IntRange(1, 3).Draw(t, "written")))}
			if rapid.Bool().Draw(t, "of a case") {
				r.Case = name("cases", 1)
			}
			h.tell(1, r.Name, r)
		case 1:
			c := &supervisionv1.Card{Name: name("cards", 1), Level: supervisionv1.CardLevel(rapid.IntRange(1, 3).Draw(t, "level")),
				State: supervisionv1.CardState(rapid.IntRange(1, 3).Draw(t, "state")), Department: department, Item: "i",
				Subject: name("cases", 1), AsOf: timestamppb.New(start.AddDate(0, 0, rapid.IntRange(1, 3).Draw(t, "as of")))}
			h.tell(2, c.Name, c)
		default:
			c := &caseworkv1.Case{Name: name("cases", 1), Item: "i", Department: department,
				Channel:    caseworkv1.Channel(rapid.IntRange(0, 4).Draw(t, "channel")),
				State:      caseworkv1.CaseState(rapid.IntRange(1, 14).Draw(t, "state")),
				SubmitTime: dayAt(t, "submit"), AcceptTime: dayAt(t, "accept"),
			}
			if at := dayAt(t, "decide"); at != nil {
				c.Decision = &caseworkv1.Decision{DecideTime: at}
			}
			if at := dayAt(t, "finish"); at != nil {
				c.Finish = &caseworkv1.Finish{FinishTime: at, Online: rapid.Bool().Draw(t, "online")}
			}
			if at := dayAt(t, "due"); at != nil {
				c.PromisedDueDate = workday.DateOf(at.AsTime()).String()
			}
			h.tell(0, c.Name, c)
		}
	}
	return h
}

// recount counts the events told so far, all from the beginning and one by one.
func (h *history) recount(t *rapid.T, told [3]int) map[rules.Key]rules.Counts {
	cases, judged := map[string]*caseworkv1.Case{}, map[string]bool{}
	for _, e := range h.feeds[0][:told[0]] {
		c := &caseworkv1.Case{}
		unmarshal(t, e, c)
		cases[e.Subject] = c
		at := c.GetDecision().GetDecideTime()
		if at == nil {
			at = c.GetFinish().GetFinishTime()
		}
		if _, done := judged[e.Subject]; at != nil && !done {
			judged[e.Subject] = c.PromisedDueDate == "" || date(at) <= c.PromisedDueDate
		}
	}
	facts := map[rules.Key]rules.Counts{}
	add := func(at *timestamppb.Timestamp, name, department, channel string, counts ...rules.Count) {
		if at == nil {
			return
		}
		k := rules.Key{Day: workday.DateOf(at.AsTime()), Hall: name[:len("halls/441300")], Department: department, Item: "i", Channel: channel}
		f := facts[k]
		for _, c := range counts {
			f[c]++
		}
		facts[k] = f
	}
	channel := func(name string) string {
		if c := cases[name]; c != nil {
			return channels[c.Channel]
		}
		return "web"
	}
	reviewed := map[string]bool{}
	for _, r := range last[reviewv1.Review](t, h.feeds[1][:told[1]]) {
		reviewed[r.Case] = true
		add(r.CreateTime, r.Name, r.Department, channel(r.Case), rules.Reviews)
		if r.Stars >= 3 {
			add(r.CreateTime, r.Name, r.Department, channel(r.Case), rules.ReviewsSatisfied)
		}
	}
	for _, c := range last[supervisionv1.Card](t, h.feeds[2][:told[2]]) {
		if c.Level >= supervisionv1.CardLevel_CARD_LEVEL_YELLOW && c.State == supervisionv1.CardState_CARD_STATE_ISSUED {
			add(c.AsOf, c.Name, c.Department, channel(c.Subject), rules.Cards)
		}
	}
	for name, c := range cases {
		if c.State == caseworkv1.CaseState_CASE_STATE_DRAFT || c.State == caseworkv1.CaseState_CASE_STATE_VOIDED {
			continue
		}
		online := c.Channel == caseworkv1.Channel_CHANNEL_WEB || c.Channel == caseworkv1.Channel_CHANNEL_MOBILE
		tell := func(at *timestamppb.Timestamp, when bool, count rules.Count) {
			if when {
				add(at, name, c.Department, channel(name), count)
			}
		}
		finish := c.GetFinish().GetFinishTime()
		tell(c.SubmitTime, true, rules.Submitted)
		tell(c.SubmitTime, online, rules.SubmittedOnline)
		tell(c.AcceptTime, true, rules.Accepted)
		tell(finish, true, rules.Finished)
		tell(finish, c.GetFinish().GetOnline(), rules.FinishedOnline)
		tell(finish, judged[name], rules.FinishedOnTime)
		tell(finish, reviewed[name], rules.FinishedReviewed)
	}
	return facts
}

func date(t *timestamppb.Timestamp) string {
	return t.AsTime().In(workday.Zone).Format(time.DateOnly)
}

func unmarshal(t *rapid.T, e *feedv1.Event, m proto.Message) {
	if err := proto.Unmarshal(e.Resource, m); err != nil {
		t.Fatal(err)
	}
}

// last is each subject's last state.
func last[T any, M interface {
	*T
	proto.Message
}](t *rapid.T, events []*feedv1.Event) map[string]M {
	out := map[string]M{}
	for _, e := range events {
		m := M(new(T))
		unmarshal(t, e, m)
		out[e.Subject] = m
	}
	return out
}

// counted reads the facts and checks what else the store keeps against them.
func counted(t *rapid.T, d *db.DB) map[rules.Key]rules.Counts {
	ctx := context.Background()
	all := store.Span{First: 1, Last: 1 << 30}
	facts, err := store.ListFacts(ctx, d.Read(), "", all, rules.Key{}, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	out, byHall := map[rules.Key]rules.Counts{}, map[string]*rules.Counts{}
	for _, f := range facts {
		out[f.Key] = f.Counts
		if byHall[f.Hall] == nil {
			byHall[f.Hall] = &rules.Counts{}
		}
		byHall[f.Hall].Add(1, f.Counts)
		for count, n := range f.Counts {
			if opens(rules.Count(count)) {
				names, err := store.CountedCases(ctx, d.Read(), store.CaseFilter{
					Hall: f.Hall, Department: f.Department, Item: f.Item, Channel: f.Channel, Day: f.Day, Count: rules.Count(count),
				}, "", 1000)
				if err != nil || int64(len(names)) != n {
					t.Fatalf("count %d of %+v is %d and opens to %v, %v", count, f.Key, n, names, err)
				}
			}
		}
	}
	totals, err := store.TotalsByHall(ctx, d.Read(), all)
	if err != nil {
		t.Fatal(err)
	}
	for hall, total := range totals {
		want := byHall[hall]
		if want == nil {
			want = &rules.Counts{}
		}
		if total.Counts != *want {
			t.Fatalf("%s: %v by hall, %v by fact", hall, total.Counts, *want)
		}
	}
	return out
}

func opens(c rules.Count) bool {
	return slices.Contains(slices.Collect(maps.Values(counts)), c)
}

func clear(t *rapid.T, d *db.DB) {
	err := d.Write(context.Background(), "", func(ctx context.Context, tx *db.Tx) error {
		for _, table := range []string{"case_facts", "marks", "facts", "hall_facts"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever happened, in whatever batches, however the feeds run ahead of each other and
// however often a batch comes again, the facts are those of a recount; and a replay of
// everything changes nothing.
func TestAnyHistoryEqualsItsRecount(t *testing.T) {
	dbtest.EachClock(t, store.Migrations, clk, func(t *testing.T, d *db.DB) {
		if err := store.AddSource(t.Context(), d, testSrc.name); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			clear(rt, d)
			h := draw(rt)
			var told [3]int
			for told != [3]int{len(h.feeds[0]), len(h.feeds[1]), len(h.feeds[2])} {
				f := rapid.IntRange(0, 2).Draw(rt, "next feed")
				from := rapid.IntRange(0, told[f]).Draw(rt, "from") // before told: a batch that comes again
				to := rapid.IntRange(from, min(len(h.feeds[f]), max(told[f], from)+12)).Draw(rt, "to")
				if from < told[f] && to > told[f] && rapid.Bool().Draw(rt, "once") {
					from = told[f]
				}
				if err := apply(context.Background(), d, f, h.feeds[f][from:to]); err != nil {
					rt.Fatal(err)
				}
				told[f] = max(told[f], to)
				if rapid.IntRange(0, 3).Draw(rt, "look") == 0 {
					compare(rt, d, h, told)
				}
			}
			compare(rt, d, h, told)
			for f := range h.feeds {
				if err := apply(context.Background(), d, f, h.feeds[f]); err != nil {
					rt.Fatal(err)
				}
			}
			compare(rt, d, h, told)
		})
	})
}

func compare(t *rapid.T, d *db.DB, h *history, told [3]int) {
	if diff := cmp.Diff(h.recount(t, told), counted(t, d)); diff != "" {
		t.Fatalf("after %v, recount against hub: %s", told, diff)
	}
}

// Feeds that tell of the same cases at the same moment do not lose each other's news.
func TestFeedsAtOnce(t *testing.T) {
	dbtest.EachClock(t, store.Migrations, clk, func(t *testing.T, d *db.DB) {
		if err := store.AddSource(t.Context(), d, testSrc.name); err != nil {
			t.Fatal(err)
		}
		h := &history{seq: map[string]int64{}}
		at := timestamppb.New(start)
		for i := range 200 {
			name := fmt.Sprintf("halls/441300/cases/%d", i)
			h.tell(0, name, &caseworkv1.Case{Name: name, Channel: caseworkv1.Channel_CHANNEL_WINDOW, SubmitTime: at,
				Finish: &caseworkv1.Finish{FinishTime: at}, State: caseworkv1.CaseState_CASE_STATE_FINISHED})
			review := fmt.Sprintf("halls/441300/reviews/%d", i)
			h.tell(1, review, &reviewv1.Review{Name: review, Case: name, Stars: 4, CreateTime: at})
			card := fmt.Sprintf("halls/441300/cards/%d", i)
			h.tell(2, card, &supervisionv1.Card{Name: card, Subject: name, AsOf: at, Level: supervisionv1.CardLevel_CARD_LEVEL_RED,
				State: supervisionv1.CardState_CARD_STATE_ISSUED})
		}
		var all sync.WaitGroup
		for f := range h.feeds {
			all.Go(func() {
				for batch := range slices.Chunk(h.feeds[f], 10) {
					if err := apply(t.Context(), d, f, batch); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		facts, err := store.ListFacts(t.Context(), d.Read(), "", store.Span{First: 1, Last: 1 << 30}, rules.Key{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []rules.Fact{{Key: rules.Key{Day: workday.DateOf(start), Hall: "halls/441300", Channel: "window"}, Counts: rules.Counts{
			rules.Submitted: 200, rules.Finished: 200, rules.FinishedOnTime: 200, rules.FinishedReviewed: 200, rules.Reviews: 200,
			rules.ReviewsSatisfied: 200, rules.Cards: 200,
		}}}
		if diff := cmp.Diff(want, facts); diff != "" {
			t.Error(diff)
		}
	})
}
