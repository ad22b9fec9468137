package verify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/verify"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/hub"
	"github.com/onehall/onehall/services/platform/boot/boottest"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/feed"
)

// now is the moment at which everything was written; days go back from it.
var now = time.Date(2026, 3, 30, 2, 0, 0, 0, time.UTC)

// role serves the feed of one service.
type role struct {
	db   *db.DB
	feed *feed.Server
	seq  map[string]int64
}

func (r *role) Register(s grpc.ServiceRegistrar) { feedv1.RegisterFeedServiceServer(s, r.feed) }
func (r *role) Run(ctx context.Context) error    { return r.feed.Run(ctx) }
func (r *role) Close() error                     { return nil }

// province is a deployment of four feeds and a hub.
type province struct {
	*boottest.House
	t     *testing.T
	clock *clock.Virtual
	roles map[string]*role
	hub   db.Config
}

func newProvince(t *testing.T, cfg db.Config) *province {
	clk := clock.NewVirtual(now)
	p := &province{House: boottest.New(t, clk), t: t, clock: clk, roles: map[string]*role{}, hub: cfg}
	for _, name := range []string{"catalogue", "casework", "review", "supervision"} {
		d := dbtest.Open(t, dbtest.SQLiteConfig(t), feed.WithMigrations(nil), clk)
		r := &role{db: d, feed: feed.NewServer(d, clk), seq: map[string]int64{}}
		p.Serve(name, r)
		p.roles[name] = r
	}
	return p
}

// serve starts the hub; stop ends it.
func (p *province) serve() (stop func()) {
	svc, err := hub.New(p.t.Context(), hub.Config{DB: p.hub, PageSecret: "the pages of the tests"}, p.Runtime)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.Serve("hub", svc)
}

// event is one thing to tell.
type event struct {
	subject string
	m       proto.Message
}

// tell writes events of a role, a hundred in a transaction.
func (p *province) tell(name string, events ...event) {
	p.t.Helper()
	r := p.roles[name]
	for part := range slices.Chunk(events, 100) {
		if err := r.db.Write(p.t.Context(), name, func(ctx context.Context, tx *db.Tx) error {
			seq := map[string]int64{}
			for _, e := range part {
				if seq[e.subject] == 0 {
					seq[e.subject] = r.seq[e.subject]
				}
				seq[e.subject]++
				if _, err := feed.Append(ctx, tx, feed.Draft{Subject: e.subject, Sequence: seq[e.subject], Type: "thing.changed", Resource: e.m, Actor: "system/test"}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			p.t.Fatal(err)
		}
		for _, e := range part {
			r.seq[e.subject]++
		}
	}
}

// tamper changes a database behind everybody's back.
func tamper(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	if err := d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("%d rows changed, %v", n, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func (p *province) recount() (verify.Report, error) {
	p.t.Helper()
	// What was told lies before the moment at which the recount begins.
	p.clock.Advance(time.Second)
	ctx, cancel := context.WithTimeout(p.AsService(), 30*time.Second)
	defer cancel()
	client := func(name string) feedv1.FeedServiceClient { return feedv1.NewFeedServiceClient(p.Dial(name)) }
	return verify.Recount(ctx, []verify.Source{{Name: "local", Now: p.Runtime.Clock.Now, Casework: client("casework"), Review: client("review"), Supervision: client("supervision")}},
		hubv1.NewHubServiceClient(p.Dial("hub")))
}

func ago(days int) *timestamppb.Timestamp { return timestamppb.New(now.AddDate(0, 0, -days)) }

// year makes what n cases go through, with their reviews and cards.
func year(rng *rand.Rand, from, n int) (cases, reviews, cards []event) {
	var open []*caseworkv1.Case
	for i := range n {
		hall := fmt.Sprintf("halls/44130%d", rng.IntN(4))
		open = append(open, &caseworkv1.Case{
			Name: fmt.Sprintf("%s/cases/%s2603%011d", hall, hall[6:], from+i), Item: fmt.Sprintf("%s/items/i%d", hall, rng.IntN(9)),
			Department: fmt.Sprintf("%s/departments/d%d", hall, rng.IntN(3)), Channel: caseworkv1.Channel(rng.IntN(5)),
			State: caseworkv1.CaseState_CASE_STATE_DRAFT,
		})
	}
	tell := func(c *caseworkv1.Case) { cases = append(cases, event{c.Name, proto.CloneOf(c)}) }
	for _, c := range open {
		tell(c)
		day := 5 + rng.IntN(20)
		c.SubmitTime, c.State = ago(day), caseworkv1.CaseState_CASE_STATE_SUBMITTED
		tell(c)
		if rng.IntN(5) > 0 {
			c.AcceptTime, c.State = ago(day-1), caseworkv1.CaseState_CASE_STATE_ACCEPTED
			if rng.IntN(3) > 0 {
				c.PromisedDueDate = now.AddDate(0, 0, rng.IntN(3)-day).Format(time.DateOnly)
			}
			tell(c)
		}
		if rng.IntN(3) > 0 {
			c.State, c.Finish = caseworkv1.CaseState_CASE_STATE_FINISHED, &caseworkv1.Finish{FinishTime: ago(day - 3), Online: rng.IntN(2) == 0}
			if rng.IntN(2) == 0 {
				c.Decision = &caseworkv1.Decision{DecideTime: ago(day - 2)}
			}
			tell(c)
			c.PromisedDueDate = ""
			tell(c)
		}
		if rng.IntN(20) == 0 {
			c.State = caseworkv1.CaseState_CASE_STATE_VOIDED
			tell(c)
		}
		hall := c.Name[:len("halls/441300")]
		if rng.IntN(3) == 0 {
			r := &reviewv1.Review{Name: fmt.Sprintf("%s/reviews/r%d", hall, from+len(reviews)), Case: c.Name, Stars: 1 + rng.Int32N(5), Item: c.Item,
				Department: c.Department, CreateTime: ago(rng.IntN(5))}
			reviews = append(reviews, event{r.Name, r})
		}
		if rng.IntN(4) == 0 {
			k := &supervisionv1.Card{Name: fmt.Sprintf("%s/cards/c%d", hall, from+len(cards)), Subject: c.Name, Item: c.Item, Department: c.Department,
				AsOf: ago(rng.IntN(5)), Level: supervisionv1.CardLevel(1 + rng.IntN(3)), State: supervisionv1.CardState(1 + rng.IntN(3))}
			cards = append(cards, event{k.Name, k})
		}
	}
	return cases, reviews, cards
}

// The hub equals the recount while the halls go on working, and after a restart.
func TestHubEqualsRecount(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		p := newProvince(t, cfg)
		rng := rand.New(rand.NewPCG(1, 2))
		stop := p.serve()
		cases, reviews, cards := year(rng, 0, 2000)
		p.tell("review", reviews...) // reviews of cases that the hub has not heard of
		began := time.Now()
		p.tell("casework", cases...)
		p.tell("supervision", cards...)
		rep, err := p.recount()
		if err != nil || !rep.OK() || rep.Cases != 2000 || rep.Reviews != int64(len(reviews)) || rep.Cards != int64(len(cards)) || rep.Facts == 0 {
			t.Fatalf("%v: %s", err, text(t, rep))
		}
		t.Logf("%d events written, followed and recounted in %v", rep.Events, time.Since(began))

		more, moreReviews, _ := year(rng, 5000, 600)
		working := make(chan struct{})
		go func() {
			defer close(working)
			for part := range slices.Chunk(more, 200) {
				p.tell("casework", part...)
			}
			p.tell("review", moreReviews...)
		}()
		if rep, err = p.recount(); err != nil || !rep.OK() {
			t.Errorf("while events come: %v: %s", err, text(t, rep))
		}
		<-working
		stop()
		p.serve()
		if rep, err = p.recount(); err != nil || !rep.OK() || rep.Cases != 2600 {
			t.Errorf("after a restart: %v: %s", err, text(t, rep))
		}
	})
}

func text(t *testing.T, r verify.Report) string {
	t.Helper()
	var b strings.Builder
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever is changed behind the back of either side is named.
func TestRecountFindsWhatWasChanged(t *testing.T) {
	p := newProvince(t, dbtest.SQLiteConfig(t))
	cases, reviews, cards := year(rand.New(rand.NewPCG(3, 4)), 0, 100)
	p.tell("casework", cases...)
	p.tell("review", reviews...)
	p.tell("supervision", cards...)
	stop := p.serve()
	if rep, err := p.recount(); err != nil || !rep.OK() {
		t.Fatalf("%v: %s", err, text(t, rep))
	}

	stop()
	d, err := db.Open(t.Context(), p.hub, nil, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	var key verify.Key
	var day, was int64
	row := d.Read().QueryRowContext(t.Context(), `SELECT day, hall, department, item, channel, submitted FROM facts ORDER BY submitted DESC LIMIT 1`)
	if err := row.Scan(&day, &key.Hall, &key.Department, &key.Item, &key.Channel, &was); err != nil {
		t.Fatal(err)
	}
	key.Date = time.Unix(day*86400, 0).UTC().Format(time.DateOnly)
	tamper(t, d, `UPDATE facts SET submitted = submitted + 1 WHERE day = $1 AND hall = $2 AND department = $3 AND item = $4 AND channel = $5`,
		day, key.Hall, key.Department, key.Item, key.Channel)
	tamper(t, d, `INSERT INTO facts (day, hall, department, item, channel, submitted, submitted_online, accepted, finished, finished_online,
  finished_on_time, reviews, reviews_satisfied, cards, finished_reviewed) VALUES (20000, 'halls/999999', 'd', 'i', 'web', 0, 0, 0, 0, 0, 0, 0, 0, 7, 0)`)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	p.serve()
	rep, err := p.recount()
	want := []verify.Difference{
		{Key: verify.Key{Date: "2024-10-04", Hall: "halls/999999", Department: "d", Item: "i", Channel: "web"}, Count: "cards", Hub: 7},
		{Key: key, Count: "submitted", Hub: was + 1, Recount: was},
	}
	if diff := cmp.Diff(want, rep.Differences); err != nil || diff != "" {
		t.Errorf("changed facts: %v %s", err, diff)
	}

	source := p.roles["casework"].db
	tamper(t, source, `UPDATE events SET resource_sha256 = $1 WHERE position = 3`, make([]byte, 32))
	tamper(t, source, `UPDATE events SET subject = 'halls/441300/cases/forged' WHERE position = 1`)
	rep, err = p.recount()
	if err != nil || len(rep.Findings) != 2 || len(rep.Differences) < len(want) {
		t.Errorf("a forged feed: %v: %s", err, text(t, rep))
	}
	for _, part := range []string{"does not have its hash", "sequence 0 is followed by 2"} {
		if !strings.Contains(text(t, rep), part) {
			t.Errorf("the report does not say %q: %s", part, text(t, rep))
		}
	}
}

// A recount of less than the hub counts would be no recount.
func TestRecountWantsAllSources(t *testing.T) {
	p := newProvince(t, dbtest.SQLiteConfig(t))
	p.serve()
	client := feedv1.NewFeedServiceClient(p.Dial("casework"))
	hub := hubv1.NewHubServiceClient(p.Dial("hub"))
	for name, sources := range map[string][]verify.Source{
		"none":    nil,
		"unknown": {{Name: "elsewhere", Now: p.Runtime.Clock.Now, Casework: client, Review: client, Supervision: client}},
	} {
		if _, err := verify.Recount(p.AsService(), sources, hub); err == nil || !strings.Contains(err.Error(), "the hub") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
