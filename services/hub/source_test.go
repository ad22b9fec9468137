package hub_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/testing/protocmp"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	"github.com/onehall/onehall/services/hub"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

// A second deployment, found through its own etcd or at fixed addresses, is counted with
// its own account. What it says of halls that are not its own is set aside, and so is
// what cannot be; neither holds up the rest.
func TestAnotherCity(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		clk := clock.NewVirtual(now)
		c, other := newCity(t, clk), newCity(t, clk)
		src := hub.SourceConfig{Name: "meizhou", Divisions: []string{"4414"},
			Auth: hub.SourceAuth{Issuer: other.Issuer, ClientID: "onehall", ClientSecret: boot.Secret("service")}}
		if cfg.Driver == db.SQLite {
			src.Etcd.Endpoints, src.Cluster = other.Runtime.Config.Etcd.Endpoints, other.Runtime.Cluster
		} else {
			src.Targets = other.addresses()
		}
		s := newStation(t, c, hub.Config{DB: cfg, Sources: []hub.SourceConfig{{Name: "local"}, src}})
		cities := map[string]*city{"local": c, "meizhou": other}
		c.huizhou()
		other.hall(meizhou, "梅州市", province, cataloguev1.Level_LEVEL_CITY)
		other.file(caseName(meizhou, 1), finished(true, ""))
		future := caseName(meizhou, 2)
		other.file(future, func(k *caseworkv1.Case) { k.SubmitTime = stamp(9) })
		other.file(future, nil)
		other.file(caseName(huizhou, 9), nil)
		other.file(caseName(meizhou, 3), finished(false, day(-9)))
		sources := s.settled(cities)

		parked := map[string]int32{}
		for _, src := range sources.GetSources() {
			parked[src.GetSource()+"/"+src.GetFeed()] = src.GetParked()
		}
		if len(parked) != 8 || parked["meizhou/casework"] != 2 || parked["local/casework"] != 0 {
			t.Errorf("parked: %v", parked)
		}
		if got := s.rates(&hubv1.GetRatesRequest{Hall: meizhou, IncludeBelow: true})["ontime_rate"]; got != "1/2=50.00" {
			t.Errorf("ontime_rate of the other city is %s", got)
		}
		if got := s.rates(&hubv1.GetRatesRequest{Hall: province, IncludeBelow: true})["ontime_rate"]; got != "2/4=50.00" {
			t.Errorf("ontime_rate of the province is %s", got)
		}

		// Once the day has come the case is let in.
		clk.Advance(9 * 24 * time.Hour)
		operator, req := feedv1.NewFeedServiceClient(s.Dial("hub")), &feedv1.ReleaseParkedEventsRequest{
			Source: "meizhou/casework", Subject: future, RequestId: uuid.NewString(),
		}
		if res, err := operator.ReleaseParkedEvents(s.AsService(), req); res.GetReleased() != 2 || err != nil {
			t.Errorf("released %v, %v", res, err)
		}
		if got := s.rates(&hubv1.GetRatesRequest{Hall: meizhou})["online_apply_rate"]; got != "3/3=100.00" {
			t.Errorf("online_apply_rate after the release is %s", got)
		}
		left, err := operator.ListParkedEvents(s.AsService(), &feedv1.ListParkedEventsRequest{})
		if err != nil || len(left.GetParkedEvents()) != 1 || left.GetParkedEvents()[0].GetSource() != "meizhou/casework" {
			t.Errorf("what still waits: %v, %v", left, err)
		}
		// The hub has no feed of its own to read.
		if _, err := operator.ReadEvents(s.AsService(), &feedv1.ReadEventsRequest{}); !is(err, fault.Unimplemented) {
			t.Errorf("read the hub's feed: %v", err)
		}
	})
}

// addresses are where the roles of a city listen.
func (c *city) addresses() map[string]string {
	out := map[string]string{}
	for role := range c.roles {
		prefix := "/" + c.Runtime.Cluster + "/services/" + role + "/"
		for len(out[role]) == 0 {
			resp, err := c.Runtime.Etcd.Get(c.t.Context(), prefix, clientv3.WithPrefix())
			if err != nil {
				c.t.Fatal(err)
			}
			for _, kv := range resp.Kvs {
				var in struct {
					Addr string `json:"addr"`
				}
				if err := json.Unmarshal(kv.Value, &in); err != nil {
					c.t.Fatal(err)
				}
				out[role] = "passthrough:///" + in.Addr
			}
		}
	}
	return out
}

// A source that is away leaves its last figures, marked stale after a day, and the
// moment they are complete until survives a restart.
func TestStaleSource(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		clk := clock.NewVirtual(now)
		c := newCity(t, clk)
		c.huizhou()
		s := newStation(t, c, hub.Config{DB: cfg})
		s.settled(map[string]*city{"local": c})
		rates := func() *hubv1.GetRatesResponse {
			resp, err := s.client.GetRates(t.Context(), &hubv1.GetRatesRequest{Hall: huizhou, StartDate: day(-5), EndDate: day(0)})
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		fresh := rates()
		if fresh.GetStale() || fresh.GetCompleteUntil() == nil {
			t.Errorf("fresh: %v", fresh)
		}
		for _, r := range c.roles {
			r.stop()
		}
		clk.Advance(25 * time.Hour)
		s.stop()
		s.start()
		var resp *hubv1.GetRatesResponse
		for resp == nil {
			if r, err := s.client.GetRates(t.Context(), &hubv1.GetRatesRequest{Hall: huizhou, StartDate: day(-5), EndDate: day(0)}); err == nil {
				resp = r
			}
		}
		if !resp.GetStale() || resp.GetCompleteUntil() == nil || resp.GetCompleteUntil().AsTime().After(now.Add(time.Hour)) {
			t.Errorf("a day later: stale %v, complete until %v", resp.GetStale(), resp.GetCompleteUntil().AsTime())
		}
		if diff := cmp.Diff(fresh.GetRates(), resp.GetRates(), protocmp.Transform()); diff != "" {
			t.Errorf("the figures changed: %s", diff)
		}
		sources, err := s.client.ListSources(t.Context(), &hubv1.ListSourcesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, src := range sources.GetSources() {
			if !src.GetStale() || src.GetPosition() == 0 {
				t.Errorf("%v", src)
			}
		}
	})
}

func TestConfigRefused(t *testing.T) {
	c := newCity(t, clock.NewVirtual(now))
	for name, sources := range map[string][]hub.SourceConfig{
		"no name":           {{}},
		"a name with blank": {{Name: "hui zhou"}},
		"a name twice":      {{Name: "a"}, {Name: "a"}},
		"no division":       {{Name: "a", Divisions: []string{"x"}}},
		"no such feed":      {{Name: "a", Targets: map[string]string{"gateway": "x"}}},
		"etcd, no cluster":  {{Name: "a", Etcd: boot.EtcdConfig{Endpoints: []string{"http://127.0.0.1:1"}}}},
		"issuer, no client": {{Name: "a", Auth: hub.SourceAuth{Issuer: "http://x"}}},
	} {
		if s, err := hub.New(t.Context(), hub.Config{DB: dbtest.SQLiteConfig(t), Sources: sources}, c.Runtime); err == nil {
			t.Errorf("%s was taken", name)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
