package casework

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/rpc"
	"github.com/onehall/onehall/services/platform/workday"
)

const (
	hallName = "halls/441300"
	deptName = "halls/441300/departments/D1"

	promisedItem = hallName + "/items/11441300006940386X2440106001000"
	instantItem  = hallName + "/items/11441300006940386X2440106002000"
	fullItem     = hallName + "/items/11441300006940386X2440106003000"
	bodiesItem   = hallName + "/items/11441300006940386X2440106004000"
	pausedItem   = hallName + "/items/11441300006940386X2440106005000"
	futureItem   = hallName + "/items/11441300006940386X2440106006000"
	draftItem    = hallName + "/items/11441300006940386X2440106007000"
	flowItem     = hallName + "/items/11441300006940386X2440106019000"
	endedItem    = hallName + "/items/11441300006940386X2440106008000"

	// Fictitious numbers with true check digits.
	adaID, bobID = "11010519491231002X", "440524188001010014"
	companyUSCC  = "91350100M000100Y43"
)

// monday is a working day's morning.
var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, workday.Zone)

var identitySecret = []byte("identity secret of the tests")

// people verifies the tests' tokens: the token is the login.
type people map[string]*authn.Principal

// Verify implements rpc.Verifier.
func (p people) Verify(_ context.Context, raw string) (*authn.Principal, error) {
	if found, ok := p[raw]; ok {
		return found, nil
	}
	return nil, fault.Unauthenticated.New()
}

func staff(login string, hall, department string, roles ...optionsv1.Role) *authn.Principal {
	return &authn.Principal{Subject: "user/" + login, Name: login, Roles: roles, Hall: hall, Department: department}
}

func applicant(login, idType, number string) *authn.Principal {
	return &authn.Principal{
		Subject: "user/" + login, Name: login, Roles: []optionsv1.Role{optionsv1.Role_ROLE_APPLICANT},
		IdentityKey: authn.IdentityKey(identitySecret, idType, number),
	}
}

func withPosts(p *authn.Principal, posts ...string) *authn.Principal {
	p.Posts = posts
	return p
}

// twofold is a clerk of the next town who is also ada.
func twofold() *authn.Principal {
	p := staff("twofold", "441302", "", optionsv1.Role_ROLE_WINDOW, optionsv1.Role_ROLE_APPLICANT)
	p.IdentityKey = authn.IdentityKey(identitySecret, authn.IDTypeResident, adaID)
	return p
}

// ownOfficer is an officer of another department of the same hall who is also ada.
func ownOfficer() *authn.Principal {
	p := staff("ownofficer", "441300", "D2", optionsv1.Role_ROLE_OFFICER, optionsv1.Role_ROLE_APPLICANT)
	p.IdentityKey = authn.IdentityKey(identitySecret, authn.IDTypeResident, adaID)
	return p
}

var everybody = people{
	"ada":        applicant("ada", authn.IDTypeResident, adaID),
	"bob":        applicant("bob", authn.IDTypeResident, bobID),
	"company":    applicant("company", authn.IDTypeUSCC, companyUSCC),
	"window":     staff("window", "441300", "", optionsv1.Role_ROLE_WINDOW),
	"officer":    staff("officer", "441300", "D1", optionsv1.Role_ROLE_OFFICER),
	"officer2":   staff("officer2", "441300", "D1", optionsv1.Role_ROLE_OFFICER),
	"surveyor":   withPosts(staff("surveyor", "441300", "D1", optionsv1.Role_ROLE_OFFICER), "勘验岗"),
	"adviser":    staff("adviser", "441300", "D3", optionsv1.Role_ROLE_OFFICER),
	"head":       staff("head", "441300", "D1", optionsv1.Role_ROLE_HEAD),
	"both":       staff("both", "441300", "D1", optionsv1.Role_ROLE_OFFICER, optionsv1.Role_ROLE_HEAD),
	"stranger":   staff("stranger", "441300", "D2", optionsv1.Role_ROLE_OFFICER, optionsv1.Role_ROLE_HEAD),
	"elsewhere":  staff("elsewhere", "441302", "", optionsv1.Role_ROLE_WINDOW),
	"twofold":    twofold(),
	"ownofficer": ownOfficer(),
	"supervisor": staff("supervisor", "", "", optionsv1.Role_ROLE_SUPERVISOR),
	"service":    {Subject: "service/casework", Roles: []optionsv1.Role{optionsv1.Role_ROLE_SERVICE}},
	"admin":      staff("admin", "441300", "", optionsv1.Role_ROLE_ADMIN),
	"front":      staff("front", "441300", "D1", optionsv1.Role_ROLE_EXCHANGE),
	"front2":     staff("front2", "441300", "D1", optionsv1.Role_ROLE_EXCHANGE),
}

// tokenSource gives the same token for ever.
type tokenSource string

// Token implements authn.TokenSource.
func (s tokenSource) Token(context.Context) (string, error) { return string(s), nil }

// as makes the calls of a context those of somebody.
func as(ctx context.Context, login string) context.Context {
	return rpc.WithToken(ctx, tokenSource(login))
}

// hall is the service behind a real server, with the feed of a catalogue beside it.
type hall struct {
	t         *testing.T
	clock     *clock.Virtual
	service   *Service
	conn      *grpc.ClientConn
	client    caseworkv1.CaseworkServiceClient
	own       caseworkv1.ApplicantServiceClient
	licenses  caseworkv1.LicenseServiceClient
	exchange  caseworkv1.ExchangeServiceClient
	flow      caseworkv1.FlowServiceClient
	fees      caseworkv1.FeeServiceClient
	feed      feedv1.FeedServiceClient
	catalogue *db.DB
	published map[string]int64
}

// eachHall runs a test on both databases, oneHall on SQLite alone.
func eachHall(t *testing.T, test func(h *hall)) {
	t.Helper()
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) { test(newHall(t, cfg)) })
}

func oneHall(t *testing.T) *hall {
	t.Helper()
	return newHall(t, dbtest.SQLiteConfig(t))
}

func newHall(t *testing.T, cfg db.Config, settings ...func(*Config)) *hall {
	t.Helper()
	return newHallBy(t, cfg, func(v *clock.Virtual) clock.Clock { return v }, settings...)
}

// newHallBy has the service go by a clock made of the test's.
func newHallBy(t *testing.T, cfg db.Config, legal func(*clock.Virtual) clock.Clock, settings ...func(*Config)) *hall {
	t.Helper()
	h := &hall{t: t, clock: clock.NewVirtual(monday), published: map[string]int64{}}
	h.catalogue = dbtest.Open(t, db.Config{Driver: db.SQLite, DSN: filepath.Join(t.TempDir(), "catalogue.db")}, feed.WithMigrations(nil), h.clock)
	source := feed.NewServer(h.catalogue, h.clock, feed.WithLog(slog.New(slog.DiscardHandler)))
	h.run(source.Run)
	catalogueConn := h.serve("catalogue", func(r grpc.ServiceRegistrar) { feedv1.RegisterFeedServiceServer(r, source) })

	c := DefaultConfig()
	c.DB, c.QueryCodeSecret, c.PageSecret = cfg, "query code secret of tests", "page secret of the tests"
	c.Files.Store.Dir = t.TempDir()
	for _, change := range settings {
		change(&c)
	}
	var err error
	h.service, err = open(t.Context(), c, parts{
		clock: legal(h.clock), log: slog.New(slog.DiscardHandler), catalogue: feedv1.NewFeedServiceClient(catalogueConn),
		identity: func(idType, number string) string { return authn.IdentityKey(identitySecret, idType, number) },
		outgoing: func(ctx context.Context) context.Context { return as(ctx, "service") }, verify: everybody.Verify,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.service.Close(); err != nil {
			t.Error(err)
		}
	})
	h.run(h.service.Run)
	conn := h.serve("casework", h.service.Register)
	h.conn = conn
	h.own, h.licenses = caseworkv1.NewApplicantServiceClient(conn), caseworkv1.NewLicenseServiceClient(conn)
	h.client, h.feed = caseworkv1.NewCaseworkServiceClient(conn), feedv1.NewFeedServiceClient(conn)
	h.exchange = caseworkv1.NewExchangeServiceClient(conn)
	h.flow, h.fees = caseworkv1.NewFlowServiceClient(conn), caseworkv1.NewFeeServiceClient(conn)
	h.fillCatalogue()
	return h
}

// run runs something until the test ends.
func (h *hall) run(fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
}

// serve serves a role on loopback, with all interceptors, and dials it.
func (h *hall) serve(role string, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	h.t.Helper()
	srv, err := rpc.NewServer(rpc.ServerOptions{Role: role, Verifier: everybody, Clock: h.clock, Limits: rpc.Limits{RatePerSecond: -1, MaxStreams: 1000}})
	if err != nil {
		h.t.Fatal(err)
	}
	register(srv)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	srv.SetServing(true)
	dialer, err := rpc.NewDialer(rpc.DialerOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	conn, err := dialer.DialTarget(role, "passthrough:///"+lis.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			h.t.Error(err)
		}
		srv.Shutdown()
		if err := <-served; err != nil {
			h.t.Error(err)
		}
	})
	return conn
}

// item is a guide with two necessary materials.
func item(name string, change func(*cataloguev1.Item)) *cataloguev1.Item {
	i := &cataloguev1.Item{
		Name: name, Title: "测试事项 " + name[len(name)-5:], Department: deptName, CaseType: cataloguev1.CaseType_CASE_TYPE_PROMISED,
		PromisedLimit: 10, StatutoryLimit: 20, ServiceObjects: []int32{1, 2}, State: cataloguev1.ItemState_ITEM_STATE_IN_FORCE,
		Materials: []*cataloguev1.Material{
			{Id: "m1", DisplayName: "身份证明", Necessary: true}, {Id: "m2", DisplayName: "申请表", Necessary: true, GapAllowed: true}, {Id: "m3", DisplayName: "其他材料", PromiseAllowed: true},
		},
	}
	if change != nil {
		change(i)
	}
	return i
}

// ownFlow gives an item a flow and a fee of its own.
func ownFlow(i *cataloguev1.Item) {
	i.Steps = []*cataloguev1.ProcessStep{
		{Kind: "accept", DisplayName: "受理"},
		{Kind: "undertake", DisplayName: "承办", Id: "undertake", Limit: 1},
		{Kind: "other", DisplayName: "征求意见", Id: "advice", Department: "halls/441300/departments/D3", Limit: 2},
		{Kind: "other", DisplayName: "现场勘验", Id: "survey", Posts: []string{"勘验岗"}, Repeatable: true, Limit: 3},
		{Kind: "approve", DisplayName: "批准", Id: "approve", FourEyes: []string{"survey"}},
		{Kind: "finish", DisplayName: "办结"},
	}
	i.Charged, i.Fees = true, []*cataloguev1.Fee{{DisplayName: "证照工本费", Standard: "10元/证", AmountFen: 1000, Basis: "粤价〔2014〕1号"}}
}

func (h *hall) fillCatalogue() {
	h.t.Helper()
	yesterday := h.clock.Now().Add(-24 * time.Hour)
	h.publish(item(promisedItem, nil), 1, yesterday)
	h.publish(item(instantItem, func(i *cataloguev1.Item) { i.CaseType = cataloguev1.CaseType_CASE_TYPE_INSTANT }), 1, yesterday)
	h.publish(item(fullItem, func(i *cataloguev1.Item) { i.FullFlow, i.FourEyes = true, true }), 1, yesterday)
	h.publish(item(flowItem, ownFlow), 1, yesterday)
	h.publish(item(bodiesItem, func(i *cataloguev1.Item) { i.ServiceObjects = []int32{2, 3} }), 1, yesterday)
	h.publish(item(pausedItem, nil), 1, yesterday)
	h.emit("item.paused", pausedItem, item(pausedItem, nil))
	h.publish(item(futureItem, nil), 1, h.clock.Now().Add(48*time.Hour))
	h.publish(item(endedItem, func(i *cataloguev1.Item) { i.CancelDate = "2026-03-01" }), 1, yesterday)
	h.emit("item.drafted", draftItem, item(draftItem, nil))
	h.settle()
}

func (h *hall) publish(i *cataloguev1.Item, revision int32, effective time.Time) {
	h.t.Helper()
	h.emit("item.published", i.GetName(), &cataloguev1.ItemRevision{
		Name: fmt.Sprintf("%s/revisions/%d", i.GetName(), revision), Revision: revision, Item: i, EffectiveTime: timestamppb.New(effective),
	})
}

func (h *hall) emit(event, subject string, m proto.Message) {
	h.t.Helper()
	h.published[subject]++
	err := h.catalogue.Write(h.t.Context(), subject, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: subject, Sequence: h.published[subject], Type: event, Resource: m, Actor: "user/editor"})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// settle waits until casework knows everything that the catalogue said.
func (h *hall) settle() {
	h.t.Helper()
	total := int64(0)
	for _, n := range h.published {
		total += n
	}
	h.until("the catalogue to be followed", func() bool {
		if h.service.follower.Status().Position < total {
			return false
		}
		return h.service.items.refresh(h.t.Context(), h.service.db.Read()) == nil
	})
}

// until waits for something that other goroutines do.
func (h *hall) until(what string, done func() bool) {
	h.t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			h.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func newID() string { return uuid.NewString() }

// sha is a file's hash made of one digit.
func sha(digit byte) string {
	b := make([]byte, 64)
	for i := range b {
		b[i] = digit
	}
	return string(b)
}

// application is a good one of ada's.
func application(item string) *caseworkv1.Case {
	return &caseworkv1.Case{
		Item: item, Subject: "办理测试",
		Applicant: &caseworkv1.Applicant{
			Type: caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON, DisplayName: "艾达", IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID,
			IdNumber: adaID, Phone: "13812341234", Address: "惠州市惠城区测试路 1 号",
		},
		Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", Sha256: sha('a'), FileName: "id.pdf"}, {MaterialId: "m2", Sha256: sha('b'), FileName: "form.pdf"}},
	}
}

// filing is an application that may be the same as one a moment ago.
func filing(item string) *caseworkv1.FileCaseRequest {
	return &caseworkv1.FileCaseRequest{Parent: hallName, Case: application(item), RequestId: newID(), AllowDuplicate: true}
}

// file files an application of ada's.
func (h *hall) file(item string) *caseworkv1.Case {
	h.t.Helper()
	c, err := h.client.FileCase(as(h.t.Context(), "ada"), filing(item))
	if err != nil {
		h.t.Fatalf("file: %v", err)
	}
	return c
}
