package catalogue_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/catalogue"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot/boottest"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

const (
	province = "halls/440000"
	city     = "halls/441300"
	county   = "halls/441302"
	// uscc is of a body of the city; police and civil are departments with it.
	uscc   = "11440100007482575H"
	police = city + "/departments/police"
	civil  = city + "/departments/civil"
)

// base and code make valid codes of the n-th item: public service, city level.
func base(n int) string { return fmt.Sprintf("4420%05d000", n) }
func code(n int) string { return uscc + "3" + base(n) }
func name(n int) string { return city + "/items/" + code(n) }

type house struct {
	*boottest.House
	t      *testing.T
	svc    *catalogue.Service
	client cataloguev1.CatalogueServiceClient
	feed   feedv1.FeedServiceClient
	clock  clock.Clock
}

func users() []authn.User {
	return []authn.User{
		{Login: "admin", Roles: []string{"admin"}},
		{Login: "editor", Roles: []string{"editor"}, Hall: "441300", Department: "police"},
		{Login: "second", Roles: []string{"editor", "publisher"}, Hall: "441300", Department: "police"},
		{Login: "civil", Roles: []string{"editor"}, Hall: "441300", Department: "civil"},
		{Login: "publisher", Roles: []string{"publisher"}, Hall: "441300"},
		{Login: "abroad", Roles: []string{"publisher", "editor"}, Hall: "440100", Department: "police"},
		{Login: "zhang", Roles: []string{"applicant"}, IDType: authn.IDTypeResident, IDNumber: "11010519491231002X"},
	}
}

func newHouse(t *testing.T, cfg db.Config, clk clock.Clock) *house {
	t.Helper()
	h := &house{House: boottest.New(t, clk, users()...), t: t, clock: clk}
	c := catalogue.DefaultConfig()
	c.DB, c.PageSecret = cfg, "the pages of the tests"
	var err error
	if h.svc, err = catalogue.New(t.Context(), c, h.Runtime); err != nil {
		t.Fatal(err)
	}
	h.Serve("catalogue", h.svc)
	conn := h.Dial("catalogue")
	h.client, h.feed = cataloguev1.NewCatalogueServiceClient(conn), feedv1.NewFeedServiceClient(conn)
	return h
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) { test(t, newHouse(t, cfg, clock.System())) })
}

// furnish opens the halls, two departments and directory entries 1 to n.
func (h *house) furnish(n int) {
	h.t.Helper()
	for _, hall := range []*cataloguev1.Hall{
		{Name: province, DisplayName: "广东省", Level: 2}, {Name: city, DisplayName: "惠州市", Level: 3, ParentHall: province},
		{Name: county, DisplayName: "惠城区", Level: 4, ParentHall: city},
	} {
		_, err := h.client.CreateHall(h.As("admin"), &cataloguev1.CreateHallRequest{Hall: hall, RequestId: id()})
		h.must(err)
	}
	_, err := h.client.BatchCreateDepartments(h.As("admin"), &cataloguev1.BatchCreateDepartmentsRequest{Parent: city, RequestId: id(), Departments: []*cataloguev1.Department{
		{Name: police, DisplayName: "惠州市公安局", Uscc: uscc, Level: 3}, {Name: civil, DisplayName: "惠州市民政局", Uscc: "11440000MB2D0164XH", Level: 3},
	}})
	h.must(err)
	for from := 1; from <= n; from += 1000 {
		req := &cataloguev1.BatchCreateDirectoryEntriesRequest{RequestId: id()}
		for i := from; i <= min(n, from+999); i++ {
			req.DirectoryEntries = append(req.DirectoryEntries, &cataloguev1.DirectoryEntry{Name: "directory/" + base(i), DisplayName: fmt.Sprintf("服务%d", i), ItemType: "20"})
		}
		resp, err := h.client.BatchCreateDirectoryEntries(h.As("admin"), req)
		h.must(err)
		if int(resp.GetCreated()) != len(req.GetDirectoryEntries()) {
			h.t.Fatalf("%d entries", resp.GetCreated())
		}
	}
}

// item is the n-th item, without a finding.
func item(n int) *cataloguev1.Item {
	return &cataloguev1.Item{
		Name: name(n), Title: fmt.Sprintf("居住证办理%d", n), Aliases: []string{"办居住证"}, DirectoryEntry: "directory/" + base(n), Department: police,
		ItemType: "20", Level: 3, CaseType: 2, StatutoryLimit: 20, PromisedLimit: 5, LimitUnit: 1, ServiceObjects: []int32{1}, PersonThemes: []string{"010"},
		LegalBasis: "《居住证暂行条例》", Conditions: "在本地居住半年以上", OnlineDepth: []int32{1, 2, 4, 5, 6}, HandlingForms: []int32{1, 2}, DepthLevel: 4,
		Materials:    []*cataloguev1.Material{{Id: "m1", DisplayName: "居民身份证", Necessary: true, Copies: 1, Source: 2}},
		Steps:        []*cataloguev1.ProcessStep{{Kind: "accept", DisplayName: "受理"}},
		ConsultPhone: "0752-12345", ComplaintPhone: "0752-12388", Summary: "外来人员在本地住满半年可以办。",
		Results: []*cataloguev1.ResultDocument{{DisplayName: "居住证", Type: "certificate", Sample: "样本"}},
		Faqs:    []*cataloguev1.Faq{{Question: "多久能办好？", Answer: "五个工作日。"}},
	}
}

func (h *house) load(items ...*cataloguev1.Item) (*cataloguev1.LoadItemsResponse, error) {
	return h.client.LoadItems(h.As("admin"), &cataloguev1.LoadItemsRequest{Parent: city, Items: items, RequestId: id()})
}

func (h *house) create(user string, it *cataloguev1.Item) (*cataloguev1.Item, error) {
	return h.client.CreateItem(h.As(user), &cataloguev1.CreateItemRequest{Parent: city, Item: it, RequestId: id()})
}

func (h *house) update(user string, it *cataloguev1.Item) (*cataloguev1.Item, error) {
	return h.client.UpdateItem(h.As(user), &cataloguev1.UpdateItemRequest{Item: it, RequestId: id()})
}

func (h *house) publish(user string, it *cataloguev1.Item) (*cataloguev1.ItemRevision, error) {
	return h.client.PublishItem(h.As(user), &cataloguev1.PublishItemRequest{Name: it.GetName(), Etag: it.GetEtag(), RequestId: id()})
}

func (h *house) search(req *cataloguev1.SearchItemsRequest) *cataloguev1.SearchItemsResponse {
	h.t.Helper()
	resp, err := h.client.SearchItems(h.t.Context(), req)
	h.must(err)
	return resp
}

// finds waits until a search finds so many: the index follows the writes.
func (h *house) finds(req *cataloguev1.SearchItemsRequest, want int32) {
	h.t.Helper()
	var got int32
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got = h.search(req).GetTotalSize(); got == want {
			return
		}
	}
	h.t.Fatalf("search %v finds %d, want %d", req, got, want)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func id() string { return uuid.NewString() }

func is(err error, want *fault.Reason) bool {
	return err != nil && errors.Is(fault.FromStatus(status.Convert(err)), want)
}

// refused holds an error against the reason it should have.
func (h *house) refused(what string, err error, want *fault.Reason) {
	h.t.Helper()
	if !is(err, want) {
		h.t.Errorf("%s: %v, want %s", what, err, want.Name)
	}
}

// with is a changed copy.
func with(it *cataloguev1.Item, change func(*cataloguev1.Item)) *cataloguev1.Item {
	c := proto.CloneOf(it)
	change(c)
	return c
}
