package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/hub"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot/boottest"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

const (
	province = "halls/440000"
	huizhou  = "halls/441300"
	huicheng = "halls/441302"
	meizhou  = "halls/441400"
	dept     = huizhou + "/departments/d1"
	item     = huizhou + "/items/11441300007482575H3440118009000"
	item2    = huizhou + "/items/11441300007482575H3440118010000"
)

// now is the present of every test: 10:00 on 6 March 2026 in China.
var now = time.Date(2026, 3, 6, 2, 0, 0, 0, time.UTC)

// teller serves the feed of one role: the hub knows its neighbours by nothing else.
type teller struct {
	db   *db.DB
	feed *feed.Server
	seq  map[string]int64
	stop func()
}

func (s *teller) Register(r grpc.ServiceRegistrar) { feedv1.RegisterFeedServiceServer(r, s.feed) }
func (s *teller) Run(ctx context.Context) error    { return s.feed.Run(ctx) }
func (s *teller) Close() error                     { return nil }

// city is one deployment.
type city struct {
	*boottest.House
	t     *testing.T
	roles map[string]*teller
}

func newCity(t *testing.T, clk clock.Clock) *city {
	c := &city{House: boottest.New(t, clk,
		authn.User{Login: "analyst", Roles: []string{"analyst"}},
		authn.User{Login: "supervisor", Roles: []string{"supervisor"}},
		authn.User{Login: "window", Roles: []string{"window"}, Hall: "441300"}), t: t, roles: map[string]*teller{}}
	for _, role := range []string{"catalogue", "casework", "review", "supervision"} {
		d := dbtest.Open(t, dbtest.SQLiteConfig(t), feed.WithMigrations(nil), clk)
		s := &teller{db: d, feed: feed.NewServer(d, clk), seq: map[string]int64{}}
		s.stop = c.Serve(role, s)
		c.roles[role] = s
	}
	return c
}

// tell has a role write an event of a subject.
func (c *city) tell(role, subject string, m proto.Message) {
	c.t.Helper()
	s := c.roles[role]
	s.seq[subject]++
	if err := s.db.Write(c.t.Context(), subject, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: subject, Sequence: s.seq[subject], Type: "thing.changed", Resource: m, Actor: "system/test"})
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *city) hall(name, title, parent string, level cataloguev1.Level) {
	c.tell("catalogue", name, &cataloguev1.Hall{Name: name, DisplayName: title, ParentHall: parent, Level: level})
}

func (c *city) publish(name string, full bool, forms ...int32) {
	c.tell("catalogue", name, &cataloguev1.ItemRevision{Name: name + "/revisions/1", Revision: 1, EffectiveTime: stamp(-10),
		Item: &cataloguev1.Item{Name: name, ItemType: "01", Department: dept, FullOnline: full, HandlingForms: forms}})
}

// stamp is so many days from now.
func stamp(days int) *timestamppb.Timestamp { return timestamppb.New(now.AddDate(0, 0, days)) }

func day(days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }

func caseName(hall string, n int) string {
	return fmt.Sprintf("%s/cases/%s260306%08d0", hall, hall[6:], n)
}

// file tells of a case submitted three days ago, and what was done with it.
func (c *city) file(name string, change func(*caseworkv1.Case)) {
	k := &caseworkv1.Case{Name: name, Item: item, Department: dept, Channel: caseworkv1.Channel_CHANNEL_WEB,
		State: caseworkv1.CaseState_CASE_STATE_SUBMITTED, SubmitTime: stamp(-3)}
	if change != nil {
		change(k)
	}
	c.tell("casework", name, k)
}

func finished(online bool, due string) func(*caseworkv1.Case) {
	return func(k *caseworkv1.Case) {
		k.State, k.AcceptTime, k.PromisedDueDate = caseworkv1.CaseState_CASE_STATE_FINISHED, stamp(-2), due
		k.Decision = &caseworkv1.Decision{DecideTime: stamp(-1)}
		k.Finish = &caseworkv1.Finish{FinishTime: stamp(-1), Online: online}
	}
}

// station is the hub under test in the first city.
type station struct {
	*city
	cfg    hub.Config
	svc    *hub.Service
	stop   func()
	client hubv1.HubServiceClient
}

func newStation(t *testing.T, c *city, cfg hub.Config) *station {
	cfg.PageSecret = "the pages of the tests"
	s := &station{city: c, cfg: cfg}
	s.start()
	s.client = hubv1.NewHubServiceClient(c.Dial("hub"))
	return s
}

func (s *station) start() {
	var err error
	if s.svc, err = hub.New(s.t.Context(), s.cfg, s.Runtime); err != nil {
		s.t.Fatal(err)
	}
	s.stop = s.Serve("hub", s.svc)
}

// settled waits until the hub has counted everything the cities told.
func (s *station) settled(cities map[string]*city) *hubv1.ListSourcesResponse {
	s.t.Helper()
	var resp *hubv1.ListSourcesResponse
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var err error
		if resp, err = s.client.ListSources(s.t.Context(), &hubv1.ListSourcesRequest{}); err != nil {
			continue
		}
		if !slices.ContainsFunc(resp.GetSources(), func(src *hubv1.Source) bool {
			c := cities[src.GetSource()]
			var total int64
			for _, n := range c.roles[src.GetFeed()].seq {
				total += n
			}
			return src.GetPosition() != total || src.GetCompleteUntil() == nil
		}) {
			return resp
		}
	}
	s.t.Fatalf("the hub did not settle: %v", resp)
	return nil
}

func (s *station) rates(req *hubv1.GetRatesRequest) map[string]string {
	s.t.Helper()
	if req.StartDate == "" {
		req.StartDate, req.EndDate = day(-30), day(0)
	}
	resp, err := s.client.GetRates(s.t.Context(), req)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range resp.GetRates() {
		out[r.GetMetric()] = fmt.Sprintf("%d/%d", r.GetNumerator(), r.GetDenominator())
		if r.Value != nil {
			out[r.GetMetric()] += fmt.Sprintf("=%.2f", r.GetValue())
		}
	}
	return out
}

func is(err error, want *fault.Reason) bool {
	return errors.Is(fault.FromStatus(status.Convert(err)), want)
}

// tell what happened in Huizhou: five cases, one of them a draft and one void.
func (c *city) huizhou() {
	c.hall(huizhou, "惠州市", province, cataloguev1.Level_LEVEL_CITY)
	c.hall(huicheng, "惠城区", huizhou, cataloguev1.Level_LEVEL_COUNTY)
	c.tell("catalogue", dept, &cataloguev1.Department{Name: dept, DisplayName: "惠州市公安局"})
	c.publish(item, true, 1, 2)
	c.publish(item2, false, 1)
	c.file(caseName(huizhou, 1), nil)
	c.file(caseName(huizhou, 1), finished(true, day(-1)))
	c.file(caseName(huizhou, 2), func(k *caseworkv1.Case) {
		finished(false, day(-2))(k)
		k.Channel = caseworkv1.Channel_CHANNEL_WINDOW
	})
	c.file(caseName(huizhou, 3), func(k *caseworkv1.Case) { k.State, k.SubmitTime = caseworkv1.CaseState_CASE_STATE_DRAFT, nil })
	c.file(caseName(huizhou, 4), finished(true, ""))
	c.file(caseName(huizhou, 4), func(k *caseworkv1.Case) {
		finished(true, "")(k)
		k.State = caseworkv1.CaseState_CASE_STATE_VOIDED
	})
	c.file(caseName(huicheng, 5), nil)
	review := huizhou + "/reviews/r1"
	c.tell("review", review, &reviewv1.Review{Name: review, Case: caseName(huizhou, 2), Stars: 2, Item: item, Department: dept, CreateTime: stamp(0)})
	card := &supervisionv1.Card{Name: huizhou + "/cards/c1", Subject: caseName(huizhou, 2), Item: item, Department: dept, AsOf: stamp(-1),
		Level: supervisionv1.CardLevel_CARD_LEVEL_YELLOW, State: supervisionv1.CardState_CARD_STATE_ISSUED}
	c.tell("supervision", card.Name, card)
	revoked := proto.CloneOf(card)
	revoked.Name = huizhou + "/cards/c2"
	c.tell("supervision", revoked.Name, revoked)
	revoked.State = supervisionv1.CardState_CARD_STATE_REVOKED
	c.tell("supervision", revoked.Name, revoked)
}

func TestRatesRankingsAndTheirCases(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		c := newCity(t, clock.NewVirtual(now))
		c.huizhou()
		s := newStation(t, c, hub.Config{DB: cfg})
		cities := map[string]*city{"local": c}
		s.settled(cities)

		cityRates := map[string]string{
			"online_apply_rate": "2/3=66.67", "online_finish_rate": "1/2=50.00", "finish_rate": "2/2=100.00", "ontime_rate": "1/2=50.00",
			"satisfaction": "0/1=0.00", "review_rate": "1/2=50.00", "card_rate": "1/2=50.00", "usage_rate": "1/2=50.00",
			"online_full_rate": "1/2=50.00", "online_possible_rate": "1/2=50.00",
		}
		if diff := cmp.Diff(cityRates, s.rates(&hubv1.GetRatesRequest{Hall: huizhou, IncludeBelow: true})); diff != "" {
			t.Errorf("the city with its counties: %s", diff)
		}
		if diff := cmp.Diff(cityRates, s.rates(&hubv1.GetRatesRequest{Hall: province, IncludeBelow: true})); diff != "" {
			t.Errorf("the province: %s", diff)
		}
		for _, tc := range []struct {
			req  *hubv1.GetRatesRequest
			want string
		}{
			{&hubv1.GetRatesRequest{Hall: huizhou}, "1/2=50.00"},
			{&hubv1.GetRatesRequest{Hall: huicheng}, "1/1=100.00"},
			{&hubv1.GetRatesRequest{Hall: province}, "0/0"},
			{&hubv1.GetRatesRequest{Hall: huizhou, Department: dept}, "2/3=66.67"},
			{&hubv1.GetRatesRequest{Hall: huizhou, Item: item}, "2/3=66.67"},
			{&hubv1.GetRatesRequest{Hall: huizhou, Item: item2, Department: dept}, "0/0"},
			{&hubv1.GetRatesRequest{Hall: province, IncludeBelow: true, Item: item}, "2/3=66.67"},
			{&hubv1.GetRatesRequest{Hall: huizhou, StartDate: day(-2), EndDate: day(0)}, "0/0"},
			{&hubv1.GetRatesRequest{Hall: huizhou, StartDate: day(-3), EndDate: day(-3)}, "1/2=50.00"},
		} {
			if got := s.rates(tc.req)["online_apply_rate"]; got != tc.want {
				t.Errorf("online_apply_rate of %v is %s, want %s", tc.req, got, tc.want)
			}
		}
		s.ranking(t)
		s.opening(t)
		s.refusals(t)

		// An item paused and a revision with an early end drop out from then on.
		c.tell("catalogue", item2, &cataloguev1.Item{Name: item2, State: cataloguev1.ItemState_ITEM_STATE_PAUSED})
		s.settled(cities)
		if got := s.rates(&hubv1.GetRatesRequest{Hall: huizhou})["usage_rate"]; got != "1/1=100.00" {
			t.Errorf("usage_rate after the pause is %s", got)
		}
		if got := s.rates(&hubv1.GetRatesRequest{Hall: huizhou, StartDate: day(-3), EndDate: day(-1)})["usage_rate"]; got != "1/2=50.00" {
			t.Errorf("usage_rate before the pause is %s", got)
		}

		// The same after a restart: nothing is counted again.
		s.stop()
		c.file(caseName(huicheng, 6), finished(false, ""))
		s.start()
		s.settled(cities)
		if got := s.rates(&hubv1.GetRatesRequest{Hall: huizhou, IncludeBelow: true})["finish_rate"]; got != "3/3=100.00" {
			t.Errorf("finish_rate after a restart is %s", got)
		}
	})
}

func (s *station) ranking(t *testing.T) {
	t.Helper()
	resp, err := s.client.RankHalls(t.Context(), &hubv1.RankHallsRequest{
		Metric: "online_apply_rate", Level: hubv1.RankLevel_RANK_LEVEL_CITY, StartDate: day(-30), EndDate: day(0)})
	if err != nil {
		t.Fatal(err)
	}
	want := []*hubv1.RankedHall{{Rank: 1, Hall: huizhou, DisplayName: "惠州市", Rate: &hubv1.Rate{
		Metric: "online_apply_rate", DisplayName: "网上申办率", Numerator: 2, Denominator: 3, Value: proto.Float64(66.67), FormulaVersion: "1.0"}}}
	if diff := cmp.Diff(want, resp.GetRankedHalls(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if resp.GetCompleteUntil() == nil || resp.GetStale() {
		t.Errorf("a ranking of fresh news is %v", resp)
	}
	metrics, err := s.client.ListMetrics(t.Context(), &hubv1.ListMetricsRequest{})
	if err != nil || len(metrics.GetMetrics()) != 10 {
		t.Errorf("metrics %v, %v", metrics, err)
	}
}

// opening reads the facts page by page and opens a count to its cases.
func (s *station) opening(t *testing.T) {
	t.Helper()
	var all []*hubv1.Fact
	for token := ""; ; {
		resp, err := s.client.ListFacts(s.As("analyst"), &hubv1.ListFactsRequest{PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resp.GetFacts()...)
		if token = resp.GetNextPageToken(); token == "" {
			break
		}
	}
	whole, err := s.client.ListFacts(s.AsService(), &hubv1.ListFactsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole.GetFacts(), all, protocmp.Transform()); diff != "" || len(all) != 8 {
		t.Errorf("%d facts by pages: %s", len(all), diff)
	}
	one, err := s.client.ListFacts(s.As("supervisor"), &hubv1.ListFactsRequest{Hall: huicheng, StartDate: day(-3), EndDate: day(-3)})
	want := []*hubv1.Fact{{Date: day(-3), Hall: huicheng, Department: dept, Item: item, Channel: "web", Submitted: 1, SubmittedOnline: 1}}
	if diff := cmp.Diff(want, one.GetFacts(), protocmp.Transform()); err != nil || diff != "" {
		t.Errorf("facts of the county: %v %s", err, diff)
	}
	for _, tc := range []struct {
		req  *hubv1.ListFactCasesRequest
		want []string
	}{
		{&hubv1.ListFactCasesRequest{Count: "submitted", Date: day(-3)}, []string{caseName(huizhou, 1), caseName(huizhou, 2)}},
		{&hubv1.ListFactCasesRequest{Count: "submitted_online", Date: day(-3)}, []string{caseName(huizhou, 1)}},
		{&hubv1.ListFactCasesRequest{Count: "accepted", Date: day(-2), Channel: "window"}, []string{caseName(huizhou, 2)}},
		{&hubv1.ListFactCasesRequest{Count: "finished", Date: day(-1), Department: dept, Item: item}, []string{caseName(huizhou, 1), caseName(huizhou, 2)}},
		{&hubv1.ListFactCasesRequest{Count: "finished", Date: day(-1), Item: item2}, nil},
		{&hubv1.ListFactCasesRequest{Count: "finished_online", Date: day(-1)}, []string{caseName(huizhou, 1)}},
		{&hubv1.ListFactCasesRequest{Count: "finished_on_time", Date: day(-1)}, []string{caseName(huizhou, 1)}},
		{&hubv1.ListFactCasesRequest{Count: "finished_reviewed", Date: day(-1)}, []string{caseName(huizhou, 2)}},
		{&hubv1.ListFactCasesRequest{Count: "finished", Date: day(0)}, nil},
	} {
		tc.req.Hall, tc.req.PageSize = huizhou, 1
		var got []string
		for {
			resp, err := s.client.ListFactCases(s.As("analyst"), tc.req)
			if err != nil {
				t.Fatalf("%v: %v", tc.req, err)
			}
			got = append(got, resp.GetCases()...)
			if tc.req.PageToken = resp.GetNextPageToken(); tc.req.PageToken == "" {
				break
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%v: %s", tc.req, diff)
		}
	}
}

func (s *station) refusals(t *testing.T) {
	t.Helper()
	facts, err := s.client.ListFacts(s.As("analyst"), &hubv1.ListFactsRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	rates := func(change func(*hubv1.GetRatesRequest)) error {
		req := &hubv1.GetRatesRequest{Hall: huizhou, StartDate: day(-1), EndDate: day(0)}
		change(req)
		_, err := s.client.GetRates(t.Context(), req)
		return err
	}
	list := func(ctx context.Context, req *hubv1.ListFactsRequest) error {
		_, err := s.client.ListFacts(ctx, req)
		return err
	}
	cases := func(ctx context.Context, date string) error {
		_, err := s.client.ListFactCases(ctx, &hubv1.ListFactCasesRequest{Hall: huizhou, Count: "finished", Date: date})
		return err
	}
	rank := func(metric string, level hubv1.RankLevel) error {
		_, err := s.client.RankHalls(t.Context(), &hubv1.RankHallsRequest{Metric: metric, Level: level, StartDate: day(-1), EndDate: day(0)})
		return err
	}
	for name, tc := range map[string]struct {
		err  error
		want *fault.Reason
	}{
		"unknown hall":              {rates(func(r *hubv1.GetRatesRequest) { r.Hall = "halls/999999" }), fault.NotFound},
		"unknown department":        {rates(func(r *hubv1.GetRatesRequest) { r.Department = huizhou + "/departments/none" }), fault.NotFound},
		"unknown item":              {rates(func(r *hubv1.GetRatesRequest) { r.Item = strings.Replace(item, "009000", "999000", 1) }), fault.NotFound},
		"an item of another hall":   {rates(func(r *hubv1.GetRatesRequest) { r.Hall, r.Item = huicheng, item }), fault.NotFound},
		"an item above":             {rates(func(r *hubv1.GetRatesRequest) { r.Hall, r.IncludeBelow, r.Item = huicheng, true, item }), fault.NotFound},
		"days in the wrong order":   {rates(func(r *hubv1.GetRatesRequest) { r.EndDate = day(-2) }), fault.InvalidArgument},
		"no such day":               {rates(func(r *hubv1.GetRatesRequest) { r.StartDate = "2026-02-30" }), fault.InvalidArgument},
		"a day too many":            {rates(func(r *hubv1.GetRatesRequest) { r.StartDate = day(-1101) }), fault.InvalidArgument},
		"the longest span":          {rates(func(r *hubv1.GetRatesRequest) { r.StartDate = day(-1100) }), nil},
		"unknown metric":            {rank("happiness", hubv1.RankLevel_RANK_LEVEL_CITY), fault.InvalidArgument},
		"no level":                  {rank("finish_rate", 0), fault.InvalidArgument},
		"facts without signing in":  {list(t.Context(), &hubv1.ListFactsRequest{}), fault.Unauthenticated},
		"facts for a window":        {list(s.As("window"), &hubv1.ListFactsRequest{}), fault.PermissionDenied},
		"cases for the public":      {cases(t.Context(), day(-1)), fault.Unauthenticated},
		"cases for a service":       {cases(s.AsService(), day(-1)), fault.PermissionDenied},
		"cases of no day":           {cases(s.As("analyst"), "2026-13-01"), fault.InvalidArgument},
		"a negative page":           {list(s.As("analyst"), &hubv1.ListFactsRequest{PageSize: -1}), fault.BadPageSize},
		"somebody else's token":     {list(s.As("supervisor"), &hubv1.ListFactsRequest{PageToken: facts.GetNextPageToken()}), fault.BadPageToken},
		"a token of another filter": {list(s.As("analyst"), &hubv1.ListFactsRequest{Hall: huizhou, PageToken: facts.GetNextPageToken()}), fault.BadPageToken},
	} {
		if tc.want == nil && tc.err != nil || tc.want != nil && !is(tc.err, tc.want) {
			t.Errorf("%s: %v, want %v", name, tc.err, tc.want)
		}
	}
}
