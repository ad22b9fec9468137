package hub

import (
	"context"
	"math"
	"strconv"

	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// ListFacts lists the facts by day, hall, department, item and channel.
func (s *Service) ListFacts(ctx context.Context, req *hubv1.ListFactsRequest) (*hubv1.ListFactsResponse, error) {
	size, err := page.Size(req.GetPageSize(), 500, 1000)
	if err != nil {
		return nil, err
	}
	span := store.Span{First: 0, Last: math.MaxInt32}
	if d := req.GetStartDate(); d != "" {
		if span.First, err = workday.ParseDate(d); err != nil {
			return nil, fault.InvalidArgument.New(fault.Field("start_date"), fault.Cause(err))
		}
	}
	if d := req.GetEndDate(); d != "" {
		if span.Last, err = workday.ParseDate(d); err != nil {
			return nil, fault.InvalidArgument.New(fault.Field("end_date"), fault.Cause(err))
		}
	}
	filter := page.FilterHash("facts", req.GetHall(), req.GetStartDate(), req.GetEndDate())
	after, err := s.afterFact(ctx, req.GetPageToken(), filter)
	if err != nil {
		return nil, err
	}
	until, _ := s.fresh.all()
	facts, err := store.ListFacts(ctx, s.db.Read(), req.GetHall(), span, after, size+1)
	if err != nil {
		return nil, err
	}
	resp := &hubv1.ListFactsResponse{CompleteUntil: until}
	if len(facts) > size {
		facts = facts[:size]
		k := facts[size-1].Key
		resp.NextPageToken = s.pages.Encode(subjectOf(ctx), filter, strconv.Itoa(int(k.Day)), k.Hall, k.Department, k.Item, k.Channel)
	}
	for _, f := range facts {
		resp.Facts = append(resp.Facts, factOf(f))
	}
	return resp, nil
}

func (s *Service) afterFact(ctx context.Context, token, filter string) (rules.Key, error) {
	key, err := s.pages.Decode(token, subjectOf(ctx), filter)
	if err != nil || len(key) == 0 {
		return rules.Key{Day: math.MinInt32}, err
	}
	if len(key) != 5 {
		return rules.Key{}, fault.BadPageToken.New(fault.Field("page_token"))
	}
	day, err := strconv.ParseInt(key[0], 10, 32)
	if err != nil {
		return rules.Key{}, fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
	}
	return rules.Key{Day: workday.Date(day), Hall: key[1], Department: key[2], Item: key[3], Channel: key[4]}, nil
}

func factOf(f rules.Fact) *hubv1.Fact {
	return &hubv1.Fact{
		Date: f.Day.String(), Hall: f.Hall, Department: f.Department, Item: f.Item, Channel: f.Channel,
		Submitted: f.Counts[rules.Submitted], SubmittedOnline: f.Counts[rules.SubmittedOnline], Accepted: f.Counts[rules.Accepted],
		Finished: f.Counts[rules.Finished], FinishedOnline: f.Counts[rules.FinishedOnline], FinishedOnTime: f.Counts[rules.FinishedOnTime],
		Reviews: f.Counts[rules.Reviews], ReviewsSatisfied: f.Counts[rules.ReviewsSatisfied], Cards: f.Counts[rules.Cards],
		FinishedReviewed: f.Counts[rules.FinishedReviewed],
	}
}

// counts are the figures that open to cases.
var counts = map[string]rules.Count{
	"submitted": rules.Submitted, "submitted_online": rules.SubmittedOnline, "accepted": rules.Accepted, "finished": rules.Finished,
	"finished_online": rules.FinishedOnline, "finished_on_time": rules.FinishedOnTime, "finished_reviewed": rules.FinishedReviewed,
}

// ListFactCases lists the cases behind a figure of a hall and a day.
func (s *Service) ListFactCases(ctx context.Context, req *hubv1.ListFactCasesRequest) (*hubv1.ListFactCasesResponse, error) {
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	count, ok := counts[req.GetCount()]
	if !ok {
		return nil, fault.InvalidArgument.New(fault.Field("count"))
	}
	day, err := workday.ParseDate(req.GetDate())
	if err != nil {
		return nil, fault.InvalidArgument.New(fault.Field("date"), fault.Cause(err))
	}
	filter := page.FilterHash("cases", req.GetHall(), req.GetCount(), req.GetDate(), req.GetDepartment(), req.GetItem(), req.GetChannel())
	key, err := s.pages.Decode(req.GetPageToken(), subjectOf(ctx), filter)
	if err != nil {
		return nil, err
	}
	after := ""
	if len(key) == 1 {
		after = key[0]
	}
	names, err := store.CountedCases(ctx, s.db.Read(), store.CaseFilter{
		Hall: req.GetHall(), Department: req.GetDepartment(), Item: req.GetItem(), Channel: req.GetChannel(), Day: day, Count: count,
	}, after, size+1)
	if err != nil {
		return nil, err
	}
	resp := &hubv1.ListFactCasesResponse{Cases: names}
	if len(names) > size {
		resp.Cases = names[:size]
		resp.NextPageToken = s.pages.Encode(subjectOf(ctx), filter, names[size-1])
	}
	return resp, nil
}
