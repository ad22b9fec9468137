package catalogue_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestLoad(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(5)
		for _, c := range []struct {
			what   string
			change func(*cataloguev1.Item)
			want   *fault.Reason
			field  string
		}{
			{"other hall", func(i *cataloguev1.Item) { i.Name = "halls/441302/items/" + code(2) }, fault.InvalidArgument, "items[1].name"},
			{"other hall's department", func(i *cataloguev1.Item) { i.Department = "halls/441302/departments/police" }, fault.InvalidArgument, "items[1].department"},
			{"no department", func(i *cataloguev1.Item) { i.Department = city + "/departments/none" }, fault.NotFound, "items[1].department"},
			{"no entry", func(i *cataloguev1.Item) { *i = *item(9) }, fault.NotFound, "items[1].directory_entry"},
			{"bad code", func(i *cataloguev1.Item) { i.Name = city + "/items/11440300MB2D2694XL4442111826000" }, fault.BadItemCode, "items[1].name"},
			{"twice", func(i *cataloguev1.Item) { i.Name = name(1) }, fault.InvalidArgument, "items[1].name"},
			{"no title", func(i *cataloguev1.Item) { i.Title = " " }, fault.FieldRequired, "items[1].title"},
			{"hidden characters", func(i *cataloguev1.Item) { i.Materials[0].Notes = "a\u202eb" }, fault.BadText, "items[1].materials[0].notes"},
			{"no day", func(i *cataloguev1.Item) { i.EffectiveDate = "2026-02-30" }, fault.InvalidArgument, "items[1].effective_date"},
			{"ends before it begins", func(i *cataloguev1.Item) { i.EffectiveDate, i.CancelDate = "2026-02-03", "2026-02-02" }, fault.InvalidArgument, "items[1].cancel_date"},
			{"one material twice", func(i *cataloguev1.Item) { i.Materials = append(i.Materials, i.Materials[0]) }, fault.InvalidArgument, "items[1].materials[1].id"},
			{"Q2", func(i *cataloguev1.Item) { i.PromisedLimit = 30 }, fault.PublishChecksFailed, "items[1].promised_limit"},
			{"Q11 body", func(i *cataloguev1.Item) { i.Department = civil }, fault.PublishChecksFailed, "items[1].name"},
			{"non-license", func(i *cataloguev1.Item) { i.ItemType = "90" }, fault.PublishChecksFailed, "items[1].item_type"},
			{"a limit of ten thousand", func(i *cataloguev1.Item) { i.StatutoryLimit = 10000 }, fault.InvalidArgument, "items[1].statutory_limit"},
		} {
			bad := item(2)
			c.change(bad)
			_, err := h.load(item(1), bad)
			h.refused(c.what, err, c.want)
			if vs := fault.FromStatus(status.Convert(err)).Violations(); len(vs) == 0 || vs[0].Field != c.field {
				t.Errorf("%s: blamed %v, want %s", c.what, vs, c.field)
			}
		}
		if _, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)}); !is(err, fault.ItemNotFound) {
			t.Errorf("a refused load left something: %v", err)
		}
		resp, err := h.load(item(1), item(2))
		h.must(err)
		if resp.GetPublished() != 2 {
			t.Errorf("%v", resp)
		}
		resp, err = h.load(item(1), with(item(2), func(i *cataloguev1.Item) { i.PromisedLimit = 3 }), item(3))
		h.must(err)
		if resp.GetPublished() != 2 || resp.GetUnchanged() != 1 {
			t.Errorf("%v", resp)
		}
		it, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(2)})
		h.must(err)
		if it.GetPromisedLimit() != 3 || it.GetRevision() != 2 || !it.GetFullOnline() || it.GetDepartmentTitle() != "惠州市公安局" || it.GetEditor() != "" || it.GetState() != cataloguev1.ItemState_ITEM_STATE_IN_FORCE {
			t.Errorf("item in force: %v", it)
		}
		rev, err := h.client.GetItemRevision(t.Context(), &cataloguev1.GetItemRevisionRequest{Name: name(2) + "/revisions/1"})
		h.must(err)
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(rev.GetItem())
		h.must(err)
		if sum := sha256.Sum256(data); rev.GetItem().GetPromisedLimit() != 5 || hex.EncodeToString(sum[:]) != rev.GetContentSha256() {
			t.Errorf("first revision: %v", rev)
		}
		_, err = h.client.LoadItems(h.As("second"), &cataloguev1.LoadItemsRequest{Parent: city, Items: []*cataloguev1.Item{item(4)}, RequestId: id()})
		h.refused("not an administrator", err, fault.PermissionDenied)
	})
}

func TestLoadedItemsAreListedAndFound(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(25)
		var items []*cataloguev1.Item
		for i := 1; i <= 25; i++ {
			items = append(items, item(i))
		}
		req := &cataloguev1.LoadItemsRequest{Parent: city, Items: items, RequestId: id()}
		for range 2 {
			resp, err := h.client.LoadItems(h.As("admin"), req)
			h.must(err)
			if resp.GetPublished() != 25 {
				t.Errorf("%v", resp)
			}
		}
		list := &cataloguev1.ListItemsRequest{Parent: city, PageSize: 10, Department: police}
		n := 0
		for {
			resp, err := h.client.ListItems(t.Context(), list)
			h.must(err)
			for _, it := range resp.GetItems() {
				if n++; it.GetName() != name(n) || it.GetTitle() == "" || it.GetMaterials() != nil || it.GetSteps() != nil || it.GetFaqs() != nil {
					t.Fatalf("item %d is %v", n, it)
				}
			}
			if list.PageToken = resp.GetNextPageToken(); list.PageToken == "" {
				break
			}
		}
		if n != 25 {
			t.Errorf("listed %d", n)
		}
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 25)
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住證", Hall: city, FullOnline: true, ServiceObject: 1, Theme: "010", Level: 3, Department: police}, 25)
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证", Hall: county}, 0)
		seen := map[string]bool{}
		find := &cataloguev1.SearchItemsRequest{Query: "jzz", Hall: province, PageSize: 7}
		for {
			resp := h.search(find)
			for _, hit := range resp.GetHits() {
				if seen[hit.GetItem()] || hit.GetHallTitle() != "惠州市" || hit.GetDepartmentTitle() != "惠州市公安局" || hit.GetPromisedLimit() != 5 {
					t.Errorf("hit %v", hit)
				}
				seen[hit.GetItem()] = true
			}
			if find.PageToken = resp.GetNextPageToken(); find.PageToken == "" {
				break
			}
			_, err := h.client.SearchItems(t.Context(), &cataloguev1.SearchItemsRequest{Query: "jz", PageToken: find.GetPageToken()})
			h.refused("token of another search", err, fault.BadPageToken)
		}
		if len(seen) != 25 {
			t.Errorf("paged through %d", len(seen))
		}
	})
}

// A city's items are loaded within seconds and all found.
func TestLoadOfACity(t *testing.T) {
	h := newHouse(t, dbtest.SQLiteConfig(t), clock.System())
	const n = 6_500
	h.furnish(n)
	start := time.Now()
	for from := 1; from <= n; from += 200 {
		var items []*cataloguev1.Item
		for i := from; i < from+200 && i <= n; i++ {
			items = append(items, item(i))
		}
		resp, err := h.load(items...)
		h.must(err)
		if int(resp.GetPublished()) != len(items) {
			t.Fatal(resp)
		}
	}
	took := time.Since(start)
	last := &cataloguev1.SearchItemsRequest{Query: fmt.Sprintf("居住证办理%d", n), PageSize: 1}
	for found := ""; found != name(n); time.Sleep(5 * time.Millisecond) {
		if t.Context().Err() != nil || time.Since(start) > took+30*time.Second {
			t.Fatalf("the last item is not found first, but %q", found)
		}
		if hits := h.search(last).GetHits(); len(hits) > 0 {
			found = hits[0].GetItem()
		}
	}
	h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 1000)
	t.Logf("loaded %d items in %v, found after %v", n, took, time.Since(start))
}
