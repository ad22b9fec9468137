package supervision_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot/boottest"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision"
)

const (
	hall  = "halls/441300"
	d1    = hall + "/departments/d1"
	d2    = hall + "/departments/d2"
	zhang = "11010519491231002X"
)

// source is a feed of cases with nothing else of casework.
type source struct {
	db   *db.DB
	feed *feed.Server
}

func (s *source) Register(r grpc.ServiceRegistrar) { feedv1.RegisterFeedServiceServer(r, s.feed) }
func (s *source) Run(ctx context.Context) error    { return s.feed.Run(ctx) }
func (s *source) Close() error                     { return nil }

type house struct {
	*boottest.House
	t      *testing.T
	clock  *clock.Virtual
	source *source
	// catalogue is a feed of the catalogue's.
	catalogue *source
	client    supervisionv1.SupervisionServiceClient
	cfg       supervision.Config
}

// monday is when the tests begin: a plain week lies ahead.
var monday = time.Date(2018, 10, 15, 10, 0, 0, 0, workday.Zone)

func each(t *testing.T, test func(t *testing.T, h *house)) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		clk := clock.NewVirtual(monday)
		h := &house{t: t, clock: clk, House: boottest.New(t, clk,
			authn.User{Login: "zhang", Roles: []string{"applicant"}, IDType: authn.IDTypeResident, IDNumber: zhang},
			authn.User{Login: "li", Roles: []string{"applicant"}, IDType: authn.IDTypeResident, IDNumber: "440524188001010014"},
			authn.User{Login: "officer", Roles: []string{"officer"}, Hall: "441300", Department: "d1"},
			authn.User{Login: "head", Roles: []string{"head"}, Hall: "441300", Department: "d1"},
			authn.User{Login: "head2", Roles: []string{"head"}, Hall: "441300", Department: "d2"},
			authn.User{Login: "foreign", Roles: []string{"head"}, Hall: "441900", Department: "d1"},
			authn.User{Login: "supervisor", Roles: []string{"supervisor"}, Hall: "441300"},
			authn.User{Login: "supervisor2", Roles: []string{"supervisor"}, Hall: "441300"},
			authn.User{Login: "analyst", Roles: []string{"analyst"}, Hall: "441300"},
		)}
		var none fs.FS
		d := dbtest.Open(t, dbtest.SQLiteConfig(t), feed.WithMigrations(none), clk)
		h.source = &source{db: d, feed: feed.NewServer(d, clk)}
		h.Serve("casework", h.source)
		cd := dbtest.Open(t, dbtest.SQLiteConfig(t), feed.WithMigrations(none), clk)
		h.catalogue = &source{db: cd, feed: feed.NewServer(cd, clk)}
		h.Serve("catalogue", h.catalogue)
		rd := dbtest.Open(t, dbtest.SQLiteConfig(t), feed.WithMigrations(none), clk)
		h.Serve("review", &source{db: rd, feed: feed.NewServer(rd, clk)})
		h.cfg = supervision.Config{DB: cfg, PageSecret: "the pages of the tests", Scheme: supervision.DefaultConfig().Scheme}
		if _, err := supervision.New(t.Context(), supervision.Config{DB: cfg}, h.Runtime); err == nil {
			t.Error("it starts without a secret")
		}
		svc, err := supervision.New(t.Context(), h.cfg, h.Runtime)
		if err != nil {
			t.Fatal(err)
		}
		h.Serve("supervision", svc)
		h.client = supervisionv1.NewSupervisionServiceClient(h.Dial("supervision"))
		test(t, h)
	})
}

func caseName(i int) string { return fmt.Sprintf("%s/cases/441300181015%09d", hall, i) }

// tell writes event seq of a case, changed from a plain accepted one.
func (h *house) tell(i int, seq int64, change func(c *caseworkv1.Case)) {
	h.t.Helper()
	now := timestamppb.New(monday)
	c := &caseworkv1.Case{
		Name: caseName(i), Item: hall + "/items/x", ItemTitle: "居住证办理", Department: d1, PromisedLimit: 7, StatutoryLimit: 10,
		State: caseworkv1.CaseState_CASE_STATE_ACCEPTED, SubmitTime: now, AcceptTime: now,
		ApplicantKey: authn.IdentityKey([]byte(boottest.IdentitySecret), authn.IDTypeResident, zhang),
	}
	if change != nil {
		change(c)
	}
	if err := h.source.db.Write(h.t.Context(), c.GetName(), func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: c.GetName(), Sequence: seq, Type: "case.changed", Resource: c, Actor: "officer"})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
}

// eventually repeats a look until it is satisfied.
func (h *house) eventually(what string, look func() bool) {
	h.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if look() {
			return
		}
	}
	h.t.Fatalf("%s did not come about", what)
}

func (h *house) cards(user string, req *supervisionv1.ListCardsRequest) []*supervisionv1.Card {
	h.t.Helper()
	res, err := h.client.ListCards(h.As(user), req)
	if err != nil {
		h.t.Fatal(err)
	}
	return res.GetCards()
}

func (h *house) arrived(names ...string) {
	h.t.Helper()
	for _, name := range names {
		h.eventually(name, func() bool {
			_, err := h.client.GetCaseClock(h.As("supervisor"), &supervisionv1.GetCaseClockRequest{Name: name + "/clock"})
			return err == nil
		})
	}
}

func is(err error, want *fault.Reason) bool {
	return errors.Is(fault.FromStatus(status.Convert(err)), want)
}

func TestClockOfACase(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(1, 1, nil)
		h.arrived(caseName(1))
		h.clock.Set(monday.AddDate(0, 0, 2))
		req := &supervisionv1.GetCaseClockRequest{Name: caseName(1) + "/clock"}
		got, err := h.client.GetCaseClock(h.As("officer"), req)
		if err != nil {
			t.Fatal(err)
		}
		want := &supervisionv1.CaseClock{
			Name: caseName(1) + "/clock", Case: caseName(1), Department: d1, ItemTitle: "居住证办理", RunState: "running",
			AsOf: timestamppb.New(h.clock.Now()), DaysUsed: 2, PromisedDaysLeft: 5, StatutoryDaysLeft: 8, AcceptanceDueDate: "2018-10-22",
			PromisedDueDate: "2018-10-24", StatutoryDueDate: "2018-10-29", CalendarVersion: workday.China().Version(),
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		for user, want := range map[string]*fault.Reason{"head2": fault.NotFound, "foreign": fault.NotFound, "zhang": fault.PermissionDenied} {
			if _, err := h.client.GetCaseClock(h.As(user), req); !is(err, want) {
				t.Errorf("%s: %v", user, err)
			}
		}
		if _, err := h.client.GetCaseClock(h.As("supervisor"), &supervisionv1.GetCaseClockRequest{Name: caseName(9) + "/clock"}); !is(err, fault.NotFound) {
			t.Errorf("unknown case: %v", err)
		}
	})
}

func TestExplainDue(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(1, 1, nil)
		h.arrived(caseName(1))
		req := &supervisionv1.ExplainDueRequest{Name: caseName(1) + "/clock"}
		got, err := h.client.ExplainDue(h.As("zhang"), req)
		if err != nil {
			t.Fatal(err)
		}
		if got.GetStartDate() != "2018-10-15" || got.GetPromisedDueDate() != "2018-10-24" || len(got.GetDays()) != 14 ||
			got.GetDays()[0].GetReason() != "第1个工作日" || got.GetDays()[5].GetReason() != "周末，不计入时限" || got.GetBasis() == "" {
			t.Errorf("%v", got)
		}
		english, err := h.client.ExplainDue(metadata.AppendToOutgoingContext(h.As("zhang"), "accept-language", "en"), req)
		if err != nil || english.GetDays()[0].GetReason() != "working day 1" {
			t.Errorf("%v, %v", english.GetDays()[0], err)
		}
		for _, user := range []string{"li", "head2", "foreign"} {
			if _, err := h.client.ExplainDue(h.As(user), req); !is(err, fault.NotFound) {
				t.Errorf("%s: %v", user, err)
			}
		}
	})
}

func TestListCaseClocks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		// The due dates fall as the numbers rise; one waits for a supplement, one is of
		// another department, one is done.
		for i := 1; i <= 5; i++ {
			h.tell(i, 1, func(c *caseworkv1.Case) { c.PromisedLimit = int32(10 - i) })
		}
		h.tell(6, 1, func(c *caseworkv1.Case) {
			c.Supplements = []*caseworkv1.Supplement{{Serial: 1, NoticeTime: c.AcceptTime, AfterAcceptance: true}}
		})
		h.tell(7, 1, func(c *caseworkv1.Case) { c.Department = d2 })
		h.tell(8, 1, func(c *caseworkv1.Case) { c.Decision = &caseworkv1.Decision{Result: 1, DecideTime: c.AcceptTime} })
		h.arrived(caseName(1), caseName(8))
		list := func(user, department string, size int32) (names []string) {
			req := &supervisionv1.ListCaseClocksRequest{Parent: hall, Department: department, PageSize: size}
			for {
				res, err := h.client.ListCaseClocks(h.As(user), req)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range res.GetCaseClocks() {
					names = append(names, c.GetCase())
				}
				if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
					return names
				}
			}
		}
		own := []string{caseName(5), caseName(4), caseName(3), caseName(2), caseName(1), caseName(6)}
		if diff := cmp.Diff(own, list("officer", "", 2)); diff != "" {
			t.Error(diff)
		}
		if got := list("supervisor", "", 0); len(got) != 7 {
			t.Errorf("supervisor sees %v", got)
		}
		if diff := cmp.Diff([]string{caseName(7)}, list("supervisor", d2, 0)); diff != "" {
			t.Error(diff)
		}
		for name, req := range map[string]*supervisionv1.ListCaseClocksRequest{
			"another department": {Parent: hall, Department: d2}, "another hall": {Parent: "halls/441900"},
		} {
			if _, err := h.client.ListCaseClocks(h.As("officer"), req); !is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.client.ListCaseClocks(h.As("officer"), &supervisionv1.ListCaseClocksRequest{Parent: hall, PageToken: "x"}); !is(err, fault.BadPageToken) {
			t.Errorf("bad token: %v", err)
		}
	})
}

func TestCardsComeAndAreAnswered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.tell(1, 1, nil)
		h.arrived(caseName(1))
		h.clock.Set(monday.AddDate(0, 0, 30))
		h.eventually("three cards", func() bool {
			return len(h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: "halls/-"})) == 3
		})
		cards := h.cards("head", &supervisionv1.ListCardsRequest{Parent: hall, Subject: caseName(1)})
		red := cards[0]
		if len(cards) != 3 || red.GetLevel() != supervisionv1.CardLevel_CARD_LEVEL_RED || red.GetRule() != "T2_STATUTORY" ||
			red.GetAsOf().AsTime().In(workday.Zone).Format(time.DateTime) != "2018-10-30 00:00:00" || red.GetFeedbackDueDate() != "2018-11-21" ||
			red.GetGround() != "办件已用11个工作日，法定时限10个工作日，已超1个工作日，到期日2018-10-29" || red.GetLegalSource() == "" {
			t.Errorf("%v", cards)
		}
		if got := h.cards("supervisor", &supervisionv1.ListCardsRequest{Parent: hall, Level: supervisionv1.CardLevel_CARD_LEVEL_YELLOW}); len(got) != 2 {
			t.Errorf("%d cards from yellow up", len(got))
		}
		if got := h.cards("head2", &supervisionv1.ListCardsRequest{Parent: hall, Subject: caseName(1)}); len(got) != 0 {
			t.Errorf("another department sees %v", got)
		}
		for _, user := range []string{"head2", "foreign"} {
			if _, err := h.client.GetCard(h.As(user), &supervisionv1.GetCardRequest{Name: red.GetName()}); !is(err, fault.NotFound) {
				t.Errorf("%s: %v", user, err)
			}
		}
		if _, err := h.client.ListCards(h.As("head"), &supervisionv1.ListCardsRequest{Parent: "halls/-"}); !is(err, fault.NotFound) {
			t.Errorf("a head over all halls: %v", err)
		}
		h.answer(t, red)
	})
}

// answer replies to a card, revokes it, and tries what must not be.
func (h *house) answer(t *testing.T, red *supervisionv1.Card) {
	reply := &supervisionv1.ReplyCardRequest{Name: red.GetName(), RequestId: uuid.NewString(), Etag: red.GetEtag(), Reply: "系统升级导致延误，已办结"}
	replied, err := h.client.ReplyCard(h.As("head"), reply)
	if err != nil || replied.GetReply() != reply.GetReply() || replied.GetEtag() == red.GetEtag() {
		t.Fatalf("%v, %v", replied, err)
	}
	again, err := h.client.ReplyCard(h.As("head"), reply)
	if err != nil || cmp.Diff(replied, again, protocmp.Transform()) != "" {
		t.Errorf("the same request again: %v, %v", again, err)
	}
	revoke := func(user, etag string) (*supervisionv1.Card, error) {
		return h.client.RevokeCard(h.As(user), &supervisionv1.RevokeCardRequest{Name: red.GetName(), RequestId: uuid.NewString(), Etag: etag, Reason: "系统故障造成，经核实予以撤销"})
	}
	if _, err := h.client.ReplyCard(h.As("head2"), &supervisionv1.ReplyCardRequest{Name: red.GetName(), RequestId: uuid.NewString(), Etag: replied.GetEtag(), Reply: "与我无关"}); !is(err, fault.NotFound) {
		t.Errorf("another department replies: %v", err)
	}
	if _, err := revoke("head", replied.GetEtag()); !is(err, fault.PermissionDenied) {
		t.Errorf("a head revokes: %v", err)
	}
	if _, err := revoke("supervisor", red.GetEtag()); !is(err, fault.ETagStale) {
		t.Errorf("stale etag: %v", err)
	}
	revoked, err := revoke("supervisor", replied.GetEtag())
	if err != nil || revoked.GetState() != supervisionv1.CardState_CARD_STATE_REVOKED {
		t.Fatalf("%v, %v", revoked, err)
	}
	if _, err := revoke("supervisor", revoked.GetEtag()); !is(err, fault.CardRevoked) {
		t.Errorf("revoked twice: %v", err)
	}
	if got, err := h.client.GetCard(h.As("head"), &supervisionv1.GetCardRequest{Name: red.GetName()}); err != nil || cmp.Diff(revoked, got, protocmp.Transform()) != "" {
		t.Errorf("a revoked card stays visible: %v, %v", got, err)
	}
	c, err := h.client.GetCaseClock(h.As("head"), &supervisionv1.GetCaseClockRequest{Name: caseName(1) + "/clock"})
	if err != nil || c.GetLevel() != supervisionv1.CardLevel_CARD_LEVEL_YELLOW {
		t.Errorf("highest standing card: %v, %v", c.GetLevel(), err)
	}
}

func TestListCardsPages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for i := 1; i <= 7; i++ {
			h.tell(i, 1, func(c *caseworkv1.Case) { c.Supplements = make([]*caseworkv1.Supplement, 2) })
		}
		h.arrived(caseName(7))
		seen := map[string]bool{}
		req := &supervisionv1.ListCardsRequest{Parent: hall, PageSize: 2}
		for pages := 0; ; pages++ {
			res, err := h.client.ListCards(h.As("head"), req)
			if err != nil || pages > 10 {
				t.Fatalf("page %d: %v", pages, err)
			}
			for _, c := range res.GetCards() {
				seen[c.GetName()] = true
			}
			if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if len(seen) != 7 {
			t.Errorf("%d cards on all pages", len(seen))
		}
	})
}

// watch reads a stream until it has n cards or a heartbeat more than it wanted.
func (h *house) watch(user string, after int64, n int) (names []string, position int64) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.As(user), 10*time.Second)
	defer cancel()
	stream, err := h.client.WatchCards(ctx, &supervisionv1.WatchCardsRequest{Parent: hall, After: after})
	if err != nil {
		h.t.Fatal(err)
	}
	for len(names) < n || position == 0 {
		res, err := stream.Recv()
		if err != nil {
			h.t.Fatalf("%v after %d of %d cards", err, len(names), n)
		}
		position = res.GetPosition()
		if res.GetCard() != nil {
			names = append(names, res.GetCard().GetName())
		}
	}
	return names, position
}

func TestWatchCards(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		twice := func(c *caseworkv1.Case) { c.Supplements = make([]*caseworkv1.Supplement, 2) }
		h.tell(1, 1, twice)
		h.eventually("a card", func() bool { return len(h.cards("head", &supervisionv1.ListCardsRequest{Parent: hall})) == 1 })
		first, position := h.watch("head", 0, 1)
		// While nobody watches two more come, one of another department.
		h.tell(2, 1, twice)
		h.tell(3, 1, func(c *caseworkv1.Case) { twice(c); c.Department = d2 })
		next, later := h.watch("head", position, 1)
		if len(first) != 1 || len(next) != 1 || later <= position || first[0] == next[0] {
			t.Errorf("first %v to %d, then %v to %d", first, position, next, later)
		}
		all, _ := h.watch("supervisor", 0, 3)
		if len(all) != 3 {
			t.Errorf("the supervisor sees %v", all)
		}
		h.live(t, later)
	})
}

// live watches while cards come: each once, in the order of the positions, with a
// heartbeat in between.
func (h *house) live(t *testing.T, after int64) {
	ctx, cancel := context.WithTimeout(h.As("supervisor"), 20*time.Second)
	defer cancel()
	stream, err := h.client.WatchCards(ctx, &supervisionv1.WatchCardsRequest{Parent: "halls/-", After: after})
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	for beats := 0; beats == 0; {
		res, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if res.GetCard() == nil {
			beats++
		}
	}
	if waited := time.Since(started); waited > 2*time.Second {
		t.Errorf("no heartbeat for %s", waited)
	}
	const n = 40
	for i := range n {
		h.tell(100+i, 1, func(c *caseworkv1.Case) { c.Supplements = make([]*caseworkv1.Supplement, 2) })
	}
	seen := map[string]bool{}
	for last := after; len(seen) < n; {
		res, err := stream.Recv()
		if err != nil {
			t.Fatalf("%v after %d cards", err, len(seen))
		}
		if c := res.GetCard(); c != nil {
			if seen[c.GetName()] || res.GetPosition() <= last {
				t.Errorf("%s at %d after %d", c.GetName(), res.GetPosition(), last)
			}
			seen[c.GetName()] = true
			last = res.GetPosition()
		}
	}
}

func TestListRules(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		res, err := h.client.ListRules(t.Context(), &supervisionv1.ListRulesRequest{})
		if err != nil || res.GetPreset() != "hunan2018" || len(res.GetRules()) != 36 {
			t.Fatalf("%d rules, %v", len(res.GetRules()), err)
		}
		for _, r := range res.GetRules() {
			if r.GetId() == "" || r.GetDisplayName() == "" || r.GetLegalSource() == "" || r.GetLevel() == 0 || r.GetVersion() == "" {
				t.Errorf("%v", r)
			}
		}
	})
}
