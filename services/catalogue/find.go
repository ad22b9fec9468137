package catalogue

import (
	"context"
	"fmt"
	"strconv"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/search"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
)

// SearchItems finds items by what a person would say.
func (s *Service) SearchItems(ctx context.Context, req *cataloguev1.SearchItemsRequest) (*cataloguev1.SearchItemsResponse, error) {
	size, err := page.Size(req.GetPageSize(), 20, 50)
	if err != nil {
		return nil, err
	}
	caller := ""
	if p, ok := authn.From(ctx); ok {
		caller = p.Subject
	}
	filter := page.FilterHash("search", req.GetQuery(), req.GetHall(), strconv.Itoa(int(req.GetLevel())), strconv.Itoa(int(req.GetServiceObject())),
		req.GetTheme(), req.GetDepartment(), strconv.FormatBool(req.GetFullOnline()))
	after, err := s.placeOf(req.GetPageToken(), caller, filter)
	if err != nil {
		return nil, err
	}
	index, err := s.finds.get()
	if err != nil {
		return nil, err
	}
	hits, total := index.Find(search.Query{
		Text: req.GetQuery(), Hall: req.GetHall(), Level: int32(req.GetLevel()), Object: req.GetServiceObject(),
		Theme: req.GetTheme(), Department: req.GetDepartment(), FullOnline: req.GetFullOnline(),
	}, after, size+1)
	resp := &cataloguev1.SearchItemsResponse{TotalSize: int32(total)}
	if len(hits) > size {
		hits = hits[:size]
		last := hits[size-1].Place
		resp.NextPageToken = s.pages.Encode(caller, filter, strconv.FormatUint(last.Key, 16), last.Name)
	}
	for _, h := range hits {
		resp.Hits = append(resp.Hits, &cataloguev1.ItemHit{
			Item: h.Name, Title: h.Title, DepartmentTitle: h.DepartmentTitle, HallTitle: h.HallTitle, Level: cataloguev1.Level(h.Level),
			PromisedLimit: h.Promised, Visits: h.Visits, FullOnline: h.FullOnline, Summary: h.Summary,
		})
	}
	return resp, nil
}

func (s *Service) placeOf(token, caller, filter string) (search.Place, error) {
	key, err := s.pages.Decode(token, caller, filter)
	if err != nil || len(key) == 0 {
		return search.Place{}, err
	}
	if len(key) != 2 {
		return search.Place{}, fault.BadPageToken.New(fault.Field("page_token"))
	}
	n, err := strconv.ParseUint(key[0], 16, 64)
	if err != nil {
		return search.Place{}, fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
	}
	return search.Place{Key: n, Name: key[1]}, nil
}

// docOf is what search needs of a published revision.
func docOf(data []byte) (search.Doc, error) {
	rev, err := decode(data, &cataloguev1.ItemRevision{})
	if err != nil {
		return search.Doc{}, fmt.Errorf("search: %w", err)
	}
	it := rev.GetItem()
	return search.Doc{
		Name: it.GetName(), Hall: hallOf(it.GetName()), Department: it.GetDepartment(), Title: it.GetTitle(),
		DepartmentTitle: it.GetDepartmentTitle(), Summary: it.GetSummary(), Aliases: it.GetAliases(), Conditions: it.GetConditions(),
		Level: int32(it.GetLevel()), Promised: it.GetPromisedLimit(), Visits: it.GetVisits(), Objects: it.GetServiceObjects(),
		PersonThemes: it.GetPersonThemes(), LegalThemes: it.GetLegalThemes(), FullOnline: it.GetFullOnline(),
	}, nil
}
