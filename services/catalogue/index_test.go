package catalogue_test

import (
	"testing"
	"time"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db/dbtest"
)

// second makes another service on the same database, as after a restart or beside it.
func (h *house) second(role string, cfg catalogue.Config) cataloguev1.CatalogueServiceClient {
	h.t.Helper()
	svc, err := catalogue.New(h.t.Context(), cfg, h.Runtime)
	h.must(err)
	h.Serve(role, svc)
	select {
	case <-svc.Ready():
	case <-time.After(10 * time.Second):
		h.t.Fatal("the second replica is not ready")
	}
	return cataloguev1.NewCatalogueServiceClient(h.Dial(role))
}

// What one replica writes, the other finds.
func TestReplicasFindTheSame(t *testing.T) {
	if dbtest.Postgres(t) == "" {
		return // said so already; SQLite has one process
	}
	cfg := dbtest.PostgresConfig(t)
	h := newHouse(t, cfg, clock.System())
	h.furnish(3)
	_, err := h.load(item(1))
	h.must(err)
	first := h.client
	other := h.second("replica", catalogue.Config{DB: cfg, PageSecret: "the pages of the tests"})
	h.client = other
	h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 1)
	h.client = first
	_, err = h.load(item(2), item(3))
	h.must(err)
	h.client = other
	h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 3)
	it, err := other.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
	h.must(err)
	_, err = other.CancelItem(h.As("publisher"), &cataloguev1.CancelItemRequest{Name: name(1), Etag: it.GetEtag(), Reason: "国务院取消", RequestId: id()})
	h.must(err)
	h.client = first
	h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 2)
}

// An index in which much has changed is built anew, and so is that of a new process.
func TestIndexIsBuiltAnew(t *testing.T) {
	cfg := dbtest.SQLiteConfig(t)
	h := newHouse(t, cfg, clock.System())
	const n = 1_200
	h.furnish(n)
	for round := range 2 {
		for from := 1; from <= n; from += 200 {
			var items []*cataloguev1.Item
			for i := from; i < from+200; i++ {
				items = append(items, with(item(i), func(it *cataloguev1.Item) { it.Aliases = []string{[]string{"暂住证", "蓝印户口"}[round]} }))
			}
			_, err := h.load(items...)
			h.must(err)
		}
	}
	h.finds(&cataloguev1.SearchItemsRequest{Query: "蓝印户口"}, 1000)
	hit := h.search(&cataloguev1.SearchItemsRequest{Query: "居住证办理7", PageSize: 1}).GetHits()
	if len(hit) != 1 || hit[0].GetItem() != name(7) || hit[0].GetHallTitle() != "惠州市" {
		t.Errorf("after building anew: %v", hit)
	}
}

func TestIndexAfterARestart(t *testing.T) {
	cfg := dbtest.SQLiteConfig(t)
	t.Run("before", func(t *testing.T) {
		h := newHouse(t, cfg, clock.System())
		h.furnish(2)
		_, err := h.load(item(1), item(2))
		h.must(err)
	})
	t.Run("after", func(t *testing.T) {
		h := newHouse(t, cfg, clock.System())
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证", Hall: province}, 2)
		hit := h.search(&cataloguev1.SearchItemsRequest{Query: "居住证", Hall: city}).GetHits()[0]
		if hit.GetHallTitle() != "惠州市" {
			t.Errorf("hall %q", hit.GetHallTitle())
		}
	})
}
