package catalogue_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

func TestDraftToRevision(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(3)
		draft, err := h.create("editor", item(1))
		h.must(err)
		if draft.GetState() != cataloguev1.ItemState_ITEM_STATE_DRAFT || draft.GetDepartmentTitle() != "惠州市公安局" || draft.GetEditor() == "" || draft.GetRevision() != 0 {
			t.Errorf("draft %v", draft)
		}
		_, err = h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
		h.refused("a draft is no item yet", err, fault.ItemNotFound)
		_, err = h.client.ListItemRevisions(t.Context(), &cataloguev1.ListItemRevisionsRequest{Parent: name(1)})
		h.refused("a draft has no revisions", err, fault.ItemNotFound)
		_, err = h.create("editor", item(1))
		h.refused("again", err, fault.AlreadyExists)

		bad, err := h.update("editor", with(draft, func(i *cataloguev1.Item) { i.PromisedLimit, i.Faqs, i.ConsultPhone = 30, nil, "" }))
		h.must(err)
		check, err := h.client.CheckItem(h.As("publisher"), &cataloguev1.CheckItemRequest{Name: name(1)})
		h.must(err)
		if check.GetPublishable() || len(check.GetFindings()) != 2 || check.GetFindings()[0].GetRule() != "Q2" || check.GetFindings()[1].GetSeverity() != cataloguev1.Severity_SEVERITY_WARNING {
			t.Errorf("findings %v", check)
		}
		_, err = h.publish("publisher", bad)
		h.refused("checks", err, fault.PublishChecksFailed)
		_, err = h.update("editor", with(draft, func(i *cataloguev1.Item) { i.Title = "别的" }))
		h.refused("stale", err, fault.ETagStale)
		good, err := h.update("second", with(bad, func(i *cataloguev1.Item) { i.PromisedLimit = 10 }))
		h.must(err)
		_, err = h.publish("second", good)
		h.refused("by whoever edited it last", err, fault.EditorMayNotPublish)
		rev, err := h.publish("publisher", good)
		h.must(err)
		if rev.GetRevision() != 1 || rev.GetItem().GetPromisedLimit() != 10 || rev.GetItem().GetEditor() != "" || rev.GetName() != name(1)+"/revisions/1" {
			t.Errorf("revision %v", rev)
		}
		seen, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
		h.must(err)
		if seen.GetContentSha256() != rev.GetContentSha256() || seen.GetPromisedLimit() != 10 {
			t.Errorf("in force: %v", seen)
		}
		_, err = h.publish("publisher", seen)
		h.refused("nothing changed", err, fault.ItemUnchanged)

		next, err := h.update("editor", with(seen, func(i *cataloguev1.Item) { i.PromisedLimit = 15 }))
		h.must(err)
		if seen, err = h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)}); err != nil || seen.GetPromisedLimit() != 10 {
			t.Errorf("a draft changed what is in force: %v, %v", seen, err)
		}
		_, err = h.publish("publisher", next)
		h.must(err)
		old, err := h.client.GetItemRevision(t.Context(), &cataloguev1.GetItemRevisionRequest{Name: rev.GetName()})
		h.must(err)
		if d := cmp.Diff(rev, old, protocmp.Transform()); d != "" {
			t.Errorf("a revision changed: %s", d)
		}
		list, err := h.client.ListItemRevisions(t.Context(), &cataloguev1.ListItemRevisionsRequest{Parent: name(1), PageSize: 1})
		h.must(err)
		if len(list.GetItemRevisions()) != 1 || list.GetItemRevisions()[0].GetRevision() != 2 || list.GetNextPageToken() == "" {
			t.Errorf("newest first: %v", list)
		}
		list, err = h.client.ListItemRevisions(t.Context(), &cataloguev1.ListItemRevisionsRequest{Parent: name(1), PageSize: 1, PageToken: list.GetNextPageToken()})
		h.must(err)
		if len(list.GetItemRevisions()) != 1 || list.GetItemRevisions()[0].GetRevision() != 1 || list.GetNextPageToken() != "" {
			t.Errorf("then the first: %v", list)
		}
		for _, wrong := range []string{"/revisions/3", "/revisions/01", "/revisions/0", "/revisions/999999999"} {
			_, err := h.client.GetItemRevision(t.Context(), &cataloguev1.GetItemRevisionRequest{Name: name(1) + wrong})
			h.refused(wrong, err, fault.NotFound)
		}
	})
}

func TestWhoMayWhat(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(3)
		draft, err := h.create("editor", item(1))
		h.must(err)
		for _, c := range []struct {
			what string
			call func() error
			want *fault.Reason
		}{
			{"create for another department", func() error { _, err := h.create("civil", item(2)); return err }, fault.NotFound},
			{"create in another hall", func() error { _, err := h.create("abroad", item(2)); return err }, fault.NotFound},
			{"create as an applicant", func() error { _, err := h.create("zhang", item(2)); return err }, fault.PermissionDenied},
			{"update another department's", func() error { _, err := h.update("civil", draft); return err }, fault.NotFound},
			{"give it to another department", func() error {
				_, err := h.update("editor", with(draft, func(i *cataloguev1.Item) { i.Department = civil }))
				return err
			}, fault.NotFound},
			{"read another department's draft", func() error {
				_, err := h.client.GetItemDraft(h.As("civil"), &cataloguev1.GetItemDraftRequest{Name: name(1)})
				return err
			}, fault.NotFound},
			{"check another hall's draft", func() error {
				_, err := h.client.CheckItem(h.As("abroad"), &cataloguev1.CheckItemRequest{Name: name(1)})
				return err
			}, fault.NotFound},
			{"publish as an editor", func() error { _, err := h.publish("editor", draft); return err }, fault.PermissionDenied},
			{"publish in another hall", func() error { _, err := h.publish("abroad", draft); return err }, fault.NotFound},
			{"read a draft signed out", func() error {
				_, err := h.client.GetItemDraft(t.Context(), &cataloguev1.GetItemDraftRequest{Name: name(1)})
				return err
			}, fault.Unauthenticated},
			{"no item", func() error {
				_, err := h.client.GetItemDraft(h.As("editor"), &cataloguev1.GetItemDraftRequest{Name: name(3)})
				return err
			}, fault.NotFound},
			{"another hall's code", func() error {
				_, err := h.create("admin", with(item(2), func(i *cataloguev1.Item) { i.Name = "halls/441302/items/" + code(2) }))
				return err
			}, fault.InvalidArgument},
			{"no entry", func() error { _, err := h.create("editor", item(7)); return err }, fault.NotFound},
			{"no request id", func() error {
				_, err := h.client.CreateItem(h.As("editor"), &cataloguev1.CreateItemRequest{Parent: city, Item: item(2)})
				return err
			}, fault.RequestIDMissing},
			{"no etag", func() error {
				_, err := h.publish("publisher", with(draft, func(i *cataloguev1.Item) { i.Etag = "" }))
				return err
			}, fault.ETagMissing},
			{"another's etag", func() error {
				_, err := h.publish("publisher", with(draft, func(i *cataloguev1.Item) { i.Etag = feed.Etag(name(2), 1) }))
				return err
			}, fault.ETagInvalid},
			{"look-alike code", func() error {
				_, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1) + "\n"})
				return err
			}, fault.InvalidArgument},
		} {
			err := c.call()
			if c.want == fault.NotFound && is(err, fault.ItemNotFound) {
				continue // said more exactly
			}
			h.refused(c.what, err, c.want)
		}
	})
}

func TestPauseResumeCancel(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(2)
		_, err := h.load(item(1))
		h.must(err)
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 1)
		get := func() *cataloguev1.Item {
			it, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
			h.must(err)
			return it
		}
		pause := &cataloguev1.PauseItemRequest{Name: name(1), Etag: get().GetEtag(), Reason: "系统升级", RequestId: id()}
		paused, err := h.client.PauseItem(h.As("publisher"), pause)
		h.must(err)
		again, err := h.client.PauseItem(h.As("publisher"), pause)
		h.must(err)
		if d := cmp.Diff(paused, again, protocmp.Transform()); d != "" {
			t.Error(d)
		}
		if get().GetState() != cataloguev1.ItemState_ITEM_STATE_PAUSED {
			t.Errorf("state %v", get().GetState())
		}
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 0)
		pause.RequestId, pause.Etag = id(), paused.GetEtag()
		_, err = h.client.PauseItem(h.As("publisher"), pause)
		h.refused("paused already", err, fault.WrongTransition)
		pause.Reason = "短"
		_, err = h.client.PauseItem(h.As("publisher"), pause)
		h.refused("no reason", err, fault.InvalidArgument)
		// A new revision of a paused item leaves it paused.
		_, err = h.load(with(item(1), func(i *cataloguev1.Item) { i.PromisedLimit = 1 }))
		h.must(err)
		if it := get(); it.GetState() != cataloguev1.ItemState_ITEM_STATE_PAUSED || it.GetRevision() != 2 {
			t.Errorf("paused and published: %v", it)
		}
		_, err = h.client.ResumeItem(h.As("publisher"), &cataloguev1.ResumeItemRequest{Name: name(1), Etag: get().GetEtag(), RequestId: id()})
		h.must(err)
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 1)
		cancelled, err := h.client.CancelItem(h.As("publisher"), &cataloguev1.CancelItemRequest{Name: name(1), Etag: get().GetEtag(), Reason: "国务院取消", RequestId: id()})
		h.must(err)
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 0)
		_, err = h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
		h.refused("cancelled", err, fault.ItemNotFound)
		_, err = h.client.GetItemRevision(t.Context(), &cataloguev1.GetItemRevisionRequest{Name: name(1) + "/revisions/1"})
		h.must(err) // what cases were filed under can be read for ever
		_, err = h.update("editor", cancelled)
		h.refused("edit what is cancelled", err, fault.WrongTransition)
		_, err = h.load(item(1))
		h.refused("load what is cancelled", err, fault.WrongTransition)
	})
}

func TestUpdateNamesWhatItChanges(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(2)
		draft, err := h.create("editor", item(1))
		h.must(err)
		req := &cataloguev1.UpdateItemRequest{
			Item:       &cataloguev1.Item{Name: name(1), Etag: draft.GetEtag(), PromisedLimit: 9, Title: "不改"},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"promised_limit", "aliases", "name", "etag"}}, RequestId: id(),
		}
		got, err := h.client.UpdateItem(h.As("editor"), req)
		h.must(err)
		want := with(draft, func(i *cataloguev1.Item) { i.PromisedLimit, i.Aliases = 9, nil })
		if d := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(want, "update_time", "etag")); d != "" {
			t.Error(d)
		}
		req.RequestId, req.Item.Etag, req.UpdateMask.Paths = id(), got.GetEtag(), []string{"colour"}
		_, err = h.client.UpdateItem(h.As("editor"), req)
		h.refused("unknown field", err, fault.InvalidArgument)
		for what, paths := range map[string][]string{
			"what only the service sets": {"state"}, "an unknown field of a field": {"title.colour"}, "more than there are": slices.Repeat([]string{"title"}, 1000),
		} {
			req.UpdateMask.Paths = paths
			_, err = h.client.UpdateItem(h.As("editor"), req)
			h.refused(what, err, fault.InvalidArgument)
		}
		// Sent back as it was read it is no attempt to set it.
		req.UpdateMask.Paths, req.Item.State, req.Item.UpdateTime = []string{"state", "update_time", "promised_limit"}, got.GetState(), got.GetUpdateTime()
		again, err := h.client.UpdateItem(h.As("editor"), req)
		h.must(err)
		req.RequestId, req.Item.Etag = id(), again.GetEtag()
		req.UpdateMask.Paths, req.Item.Title = []string{"title"}, ""
		_, err = h.client.UpdateItem(h.As("editor"), req)
		h.refused("emptied title", err, fault.FieldRequired)
	})
}

// However many publish at once, each revision is one publication.
func TestPublishStorm(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(1)
		draft, err := h.create("editor", item(1))
		h.must(err)
		const rounds, writers = 3, 12
		for round := range rounds {
			var wg sync.WaitGroup
			wins := make(chan *cataloguev1.ItemRevision, writers)
			for range writers {
				wg.Go(func() {
					rev, err := h.publish("publisher", draft)
					switch {
					case err == nil:
						wins <- rev
					case !is(err, fault.ETagStale):
						t.Errorf("publish: %v", err)
					}
				})
			}
			wg.Wait()
			close(wins)
			if len(wins) != 1 {
				t.Fatalf("%d of %d published", len(wins), writers)
			}
			if rev := <-wins; int(rev.GetRevision()) != round+1 {
				t.Errorf("revision %d in round %d", rev.GetRevision(), round)
			}
			seen, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
			h.must(err)
			draft, err = h.update("editor", with(seen, func(i *cataloguev1.Item) { i.PromisedLimit++ }))
			h.must(err)
		}
		list, err := h.client.ListItemRevisions(t.Context(), &cataloguev1.ListItemRevisionsRequest{Parent: name(1)})
		h.must(err)
		if len(list.GetItemRevisions()) != rounds {
			t.Errorf("%d revisions", len(list.GetItemRevisions()))
		}
	})
}

func TestEventsTellEverything(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(2)
		draft, err := h.create("editor", item(1))
		h.must(err)
		rev, err := h.publish("publisher", draft)
		h.must(err)
		_, err = h.load(item(2))
		h.must(err)
		var kinds []string
		for end := time.Now().Add(10 * time.Second); len(kinds) < 10 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			kinds = nil
			resp, err := h.feed.ReadEvents(h.AsService(), &feedv1.ReadEventsRequest{PageSize: 100})
			h.must(err)
			for _, e := range resp.GetEvents() {
				kinds = append(kinds, e.GetType())
				if e.GetType() == "item.published" && e.GetSubject() == name(1) {
					if e.GetSequence() != 2 || e.GetResourceType() != "onehall.catalogue.v1.ItemRevision" || e.GetActor() != rev.GetPublisher() {
						t.Errorf("published: %v", e)
					}
				}
			}
		}
		want := map[string]int{"hall.created": 3, "department.created": 2, "directory_entry.created": 2, "item.drafted": 1, "item.published": 2}
		got := map[string]int{}
		for _, k := range kinds {
			got[k]++
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

// A revision comes into force on its day and ends with its last, without anybody's doing.
func TestTheDayOfARevision(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		china := time.FixedZone("CST", 8*3600)
		clk := clock.NewVirtual(time.Date(2026, 3, 2, 10, 0, 0, 0, china))
		h := newHouse(t, cfg, clk)
		h.furnish(3)
		_, err := h.load(item(1))
		h.must(err)
		promised := func() string {
			it, err := h.client.GetItem(t.Context(), &cataloguev1.GetItemRequest{Name: name(1)})
			if is(err, fault.ItemNotFound) {
				return "none"
			}
			h.must(err)
			return strconv.Itoa(int(it.GetPromisedLimit()))
		}
		_, err = h.load(with(item(1), func(i *cataloguev1.Item) {
			i.PromisedLimit, i.EffectiveDate, i.CancelDate, i.Aliases = 3, "2026-03-10", "2026-03-11", []string{"蓝印户口"}
		}))
		h.must(err)
		if promised() != "5" {
			t.Errorf("before its day: %s", promised())
		}
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 1)
		h.finds(&cataloguev1.SearchItemsRequest{Query: "蓝印户口"}, 0)
		clk.Set(time.Date(2026, 3, 9, 23, 59, 59, 0, china))
		if promised() != "5" {
			t.Errorf("a second before: %s", promised())
		}
		clk.Set(time.Date(2026, 3, 10, 0, 0, 0, 0, china))
		if promised() != "3" {
			t.Errorf("on its day: %s", promised())
		}
		h.finds(&cataloguev1.SearchItemsRequest{Query: "蓝印户口"}, 1)
		clk.Set(time.Date(2026, 3, 12, 0, 0, 0, 0, china))
		if promised() != "none" {
			t.Errorf("after its last day: %s", promised())
		}
		h.finds(&cataloguev1.SearchItemsRequest{Query: "居住证"}, 0)
		// The first load keeps the day on which the former system began.
		_, err = h.load(with(item(2), func(i *cataloguev1.Item) { i.EffectiveDate = "2014-01-06" }))
		h.must(err)
		rev, err := h.client.GetItemRevision(t.Context(), &cataloguev1.GetItemRevisionRequest{Name: name(2) + "/revisions/1"})
		h.must(err)
		if got := rev.GetEffectiveTime().AsTime().In(china).Format(time.DateOnly); got != "2014-01-06" {
			t.Errorf("in force from %s", got)
		}
	})
}
