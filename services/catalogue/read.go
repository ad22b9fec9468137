package catalogue

import (
	"context"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// GetItem reads an item as the public sees it: the revision in force.
func (s *Service) GetItem(ctx context.Context, req *cataloguev1.GetItemRequest) (*cataloguev1.Item, error) {
	p, err := store.GetInForce(ctx, s.db.Read(), req.GetName(), s.clock.Now())
	if err != nil {
		return nil, err
	}
	return public(p)
}

// public is an item as the public sees it. Who edits it is not the public's business.
func public(p store.Published) (*cataloguev1.Item, error) {
	rev, err := decode(p.Data, &cataloguev1.ItemRevision{})
	if err != nil {
		return nil, err
	}
	it := rev.GetItem()
	it.State, it.ContentSha256 = cataloguev1.ItemState(p.State), rev.GetContentSha256()
	it.CreateTime, it.UpdateTime = timestamppb.New(p.Created), rev.GetPublishTime()
	it.Etag = feed.Etag(p.Name, p.Sequence)
	return it, nil
}

// ListItems lists a hall's items in force by item code.
func (s *Service) ListItems(ctx context.Context, req *cataloguev1.ListItemsRequest) (*cataloguev1.ListItemsResponse, error) {
	if req.GetDepartment() != "" && hallOf(req.GetDepartment()) != req.GetParent() {
		return nil, fault.NotFound.New(fault.Field("department"))
	}
	l, err := s.listing(ctx, req, 50, 200, page.FilterHash("items", req.GetParent(), req.GetDepartment()))
	if err != nil {
		return nil, err
	}
	rows, err := store.ListInForce(ctx, s.db.Read(), req.GetParent(), req.GetDepartment(), l.after, s.clock.Now(), l.size+1)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListItemsResponse{}
	rows, resp.NextPageToken = cut(l, rows, func(p store.Published) string { return p.Name })
	for _, row := range rows {
		it, err := public(row)
		if err != nil {
			return nil, err
		}
		it.Materials, it.Steps, it.Faqs, it.FormSchema = nil, nil, nil, ""
		resp.Items = append(resp.Items, it)
	}
	return resp, nil
}

// GetItemRevision reads one published revision.
func (s *Service) GetItemRevision(ctx context.Context, req *cataloguev1.GetItemRevisionRequest) (*cataloguev1.ItemRevision, error) {
	item, number, ok := strings.Cut(req.GetName(), "/revisions/")
	n, err := strconv.ParseInt(number, 10, 32)
	if !ok || err != nil || strconv.FormatInt(n, 10) != number {
		return nil, fault.NotFound.New() // 01 is no second name of 1
	}
	data, err := store.GetRevision(ctx, s.db.Read(), item, int32(n))
	if err != nil {
		return nil, err
	}
	return decode(data, &cataloguev1.ItemRevision{})
}

// ListItemRevisions lists the published revisions of an item, newest first.
func (s *Service) ListItemRevisions(ctx context.Context, req *cataloguev1.ListItemRevisionsRequest) (*cataloguev1.ListItemRevisionsResponse, error) {
	l, err := s.listing(ctx, req, 50, 200, page.FilterHash("revisions", req.GetParent()))
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if l.after != "" {
		if before, err = strconv.ParseInt(l.after, 10, 32); err != nil {
			return nil, fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
		}
	}
	rows, err := store.ListRevisions(ctx, s.db.Read(), req.GetParent(), int32(before), l.size+1)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 && before == 0 {
		return nil, fault.ItemNotFound.New() // a mere draft is not told apart from nothing
	}
	resp := &cataloguev1.ListItemRevisionsResponse{}
	for _, data := range rows {
		rev, err := decode(data, &cataloguev1.ItemRevision{})
		if err != nil {
			return nil, err
		}
		resp.ItemRevisions = append(resp.ItemRevisions, rev)
	}
	resp.ItemRevisions, resp.NextPageToken = cut(l, resp.ItemRevisions, func(r *cataloguev1.ItemRevision) string {
		return strconv.Itoa(int(r.GetRevision()))
	})
	return resp, nil
}
