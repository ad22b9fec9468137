package e2e

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/load"
	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/deploy/stand"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/rpc"
	"github.com/onehall/onehall/services/platform/workday"
)

// timedHall is a whole hall of this process whose legal time the test moves.
type timedHall struct {
	t     *testing.T
	hall  *stand.Hall
	clock *clock.Virtual
}

// newTimedHall starts one on a Monday morning and loads the city.
func newTimedHall(t *testing.T) *timedHall {
	t.Helper()
	c := stand.DefaultConfig()
	c.DataDir, c.Gateway.Listen, c.Issuer.Listen = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", "127.0.0.1:0"
	c.Limits.RatePerSecond = -1
	clk := clock.NewVirtual(time.Date(2026, 3, 2, 9, 0, 0, 0, workday.Zone))
	hall, err := stand.Up(t.Context(), c, boot.Params{Clock: clk, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Version: "test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hall.Stop(); err != nil {
			t.Error(err)
		}
	})
	h := &timedHall{t: t, hall: hall, clock: clk}
	l := &load.Loader{Catalogue: cataloguev1.NewCatalogueServiceClient(h.dial("catalogue")), Progress: func(string) {}}
	ctx := h.as(authn.User{Login: "loader", Name: "装载", Roles: []string{"admin", "publisher"}})
	if _, err = l.Province(ctx); err == nil {
		if _, err = l.Directory(ctx); err == nil {
			_, err = l.Huizhou(ctx)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *timedHall) dial(role string) *grpc.ClientConn {
	h.t.Helper()
	conn, err := h.hall.Runtime.Dialer.Dial(role)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() }) // with the hall, which goes first
	return conn
}

// as speaks as somebody.
func (h *timedHall) as(u authn.User) context.Context {
	return rpc.WithToken(h.t.Context(), mintedToken{h.hall.Issuer, u})
}

type mintedToken struct {
	issuer *authn.Issuer
	user   authn.User
}

func (m mintedToken) Token(context.Context) (string, error) { return m.issuer.Mint(m.user) }

// TestDataGap lets a stage of a case never come from the system that handles it: while the
// limit runs the case waits and the gap is listed; when it has run out the case is told
// without, and supervision raises the card of the gap.
func TestDataGap(t *testing.T) {
	h := newTimedHall(t)
	casework := h.dial("casework")
	exchange := caseworkv1.NewExchangeServiceClient(casework)
	cases := caseworkv1.NewCaseworkServiceClient(casework)
	hall, source := load.HallName(house.City), load.HallName(house.City)+"/exchangeSources/police"
	front := house.Post(house.City, house.Police, "exchange", 7)
	if _, err := exchange.RegisterSource(h.as(house.Post(house.City, "", "admin", 3)), &caseworkv1.RegisterSourceRequest{
		Parent: hall, SourceId: "police", RequestId: newID(), Source: &caseworkv1.ExchangeSource{DisplayName: "公安业务系统", Client: "user/" + front.Login},
	}); err != nil {
		t.Fatal(err)
	}
	item := residence(t)
	row := func(no, table, timeColumn string, columns ...string) *caseworkv1.ExchangeRow {
		r := &caseworkv1.ExchangeRow{Table: table, Columns: map[string]string{
			"SBLSH": no, "SXBM": item[strings.LastIndexByte(item, '/')+1:], "XZQHDM": house.City, timeColumn: h.clock.Now().In(workday.Zone).Format(time.DateTime),
		}}
		for i := 0; i < len(columns); i += 2 {
			r.Columns[columns[i]] = columns[i+1]
		}
		return r
	}
	application := func(no string) *caseworkv1.ExchangeRow {
		return row(no, "EX_GDBS_SB", "SBSJ", "SQRLX", "1", "SQRMC", "艾达", "SQRZJLX", "10", "SQRZJHM", "11010519491231002X", "TJFS", "0")
	}
	accepted := func(no string) *caseworkv1.ExchangeRow {
		return row(no, "EX_GDBS_SL", "SLSJ", "SLZTDM", "1", "BLRXM", "王五")
	}
	undertaken := func(no string) *caseworkv1.ExchangeRow {
		return row(no, "EX_GDBS_SPCL", "SPSJ", "SPHJDM", "1", "SPHJZTDM", "1", "SPRXM", "张三")
	}
	late := accepted("GA1") // told in the end
	asked := row("GA3", "EX_GDBS_BJGZ", "BJGZSJ", "XH", "1", "BJGZYY", "申请表缺签名")
	asked.Columns["BJGZSJ"] = h.clock.Now().Add(-time.Hour).In(workday.Zone).Format(time.DateTime)
	var res *caseworkv1.IngestRowsResponse
	h.eventually("the rows to be taken in", func() bool {
		var err error
		res, err = exchange.IngestRows(h.as(front), &caseworkv1.IngestRowsRequest{Parent: source, RequestId: newID(), Rows: []*caseworkv1.ExchangeRow{
			application("GA1"), undertaken("GA1"), application("GA2"), accepted("GA2"), undertaken("GA2"),
			application("GA3"), asked, accepted("GA3"), // and what was asked for never came
		}})
		return err == nil && res.GetAccepted()+res.GetDuplicates() == 8
	})
	name, whole, waiting := res.GetResults()[0].GetCase(), res.GetResults()[2].GetCase(), res.GetResults()[5].GetCase()
	gaps, err := exchange.ListGaps(h.as(front), &caseworkv1.ListGapsRequest{Parent: source})
	if err != nil || len(gaps.GetGaps()) != 2 || strings.Join(gaps.GetGaps()[0].GetMissing(), " ") != "EX_GDBS_SL" ||
		strings.Join(gaps.GetGaps()[1].GetMissing(), " ") != "EX_GDBS_BJSL/1" {
		t.Fatalf("gaps while it waits: %v, %v", gaps, err)
	}
	for range 71 {
		h.clock.Advance(time.Hour)
	}
	if c, err := cases.GetCase(h.as(supervisorUser), &caseworkv1.GetCaseRequest{Name: name}); err != nil || len(c.GetSteps()) != 0 {
		t.Errorf("told before its time: %v, %v", c.GetSteps(), err)
	}
	h.eventually("the card of the gap", func() bool {
		h.clock.Advance(10 * time.Minute)
		return h.card(name, "H2_DATA_GAP") != nil && h.card(waiting, "H2_DATA_GAP") != nil
	})
	if card := h.card(waiting, "H2_DATA_GAP"); !strings.Contains(card.GetGround(), "补正受理") {
		t.Errorf("the card of the papers is %v", card)
	}
	card := h.card(name, "H2_DATA_GAP")
	if card.GetLevel() != supervisionv1.CardLevel_CARD_LEVEL_WARNING || !strings.Contains(card.GetGround(), "受理") {
		t.Errorf("the card is %v", card)
	}
	if other := h.card(whole, "H2_DATA_GAP"); other != nil {
		t.Errorf("a case without a gap has %v", other)
	}
	// What comes after all fills the gap; that it was there stays on record.
	if _, err := exchange.IngestRows(h.as(front), &caseworkv1.IngestRowsRequest{Parent: source, RequestId: newID(), Rows: []*caseworkv1.ExchangeRow{late}}); err != nil {
		t.Fatal(err)
	}
	c, err := cases.GetCase(h.as(supervisorUser), &caseworkv1.GetCaseRequest{Name: name})
	if err != nil || c.GetAcceptTime() == nil || c.GetCorrections() != 1 {
		t.Errorf("after all: %v, %v", c, err)
	}
	if gaps, err = exchange.ListGaps(h.as(front), &caseworkv1.ListGapsRequest{Parent: source}); err != nil || len(gaps.GetGaps()) != 0 {
		t.Errorf("gaps in the end: %v, %v", gaps, err)
	}
}

// residence is the city's item 居住证申领: a promise of some days, one step demanded.
func residence(t *testing.T) string {
	t.Helper()
	city, _ := sample.FindDivision(house.City)
	for _, it := range sample.CoreItems(city) {
		if it.Name == "居住证申领" {
			return load.Item(it).GetName()
		}
	}
	t.Fatal("the sample has no such item")
	return ""
}

// card is the card of a subject by a rule, nil without one.
func (h *timedHall) card(subject, rule string) *supervisionv1.Card {
	h.t.Helper()
	res, err := supervisionv1.NewSupervisionServiceClient(h.dial("supervision")).ListCards(h.as(supervisorUser),
		&supervisionv1.ListCardsRequest{Parent: load.HallName(house.City), PageSize: 200})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range res.GetCards() {
		if c.GetSubject() == subject && c.GetRule() == rule {
			return c
		}
	}
	return nil
}

func (h *timedHall) eventually(what string, is func() bool) {
	h.t.Helper()
	house.Eventually(h.t, what, func(context.Context) (bool, string) { return is(), "" })
}
