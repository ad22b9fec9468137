package hub

import (
	"context"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// maxSpan is how many days after the first the last may lie.
const maxSpan = 1100

// ListSources lists the feeds followed and how fresh each is.
func (s *Service) ListSources(ctx context.Context, _ *hubv1.ListSourcesRequest) (*hubv1.ListSourcesResponse, error) {
	resp := &hubv1.ListSourcesResponse{}
	for _, feed := range s.fresh.order {
		until := s.fresh.of(feed)
		resp.Sources = append(resp.Sources, &hubv1.Source{
			Source: feed.Source, Feed: feed.Name, CompleteUntil: stamp(until), Stale: s.fresh.stale(until),
		})
	}
	progress, err := store.Progresses(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	for i, feed := range s.fresh.order {
		resp.Sources[i].Position = progress[feed].Position
		resp.Sources[i].Parked = int32(min(progress[feed].Parked, math.MaxInt32))
	}
	return resp, nil
}

// ListMetrics lists the metrics.
func (s *Service) ListMetrics(context.Context, *hubv1.ListMetricsRequest) (*hubv1.ListMetricsResponse, error) {
	resp := &hubv1.ListMetricsResponse{}
	for _, m := range rules.Metrics() {
		resp.Metrics = append(resp.Metrics, &hubv1.Metric{
			Id: m.ID, DisplayName: m.Name, Formula: m.Formula, Version: m.Version, LowerIsBetter: m.LowerIsBetter,
		})
	}
	return resp, nil
}

// GetRates shows every rate of a hall, a department or an item.
func (s *Service) GetRates(ctx context.Context, req *hubv1.GetRatesRequest) (*hubv1.GetRatesResponse, error) {
	span, err := spanOf(req.GetStartDate(), req.GetEndDate())
	if err != nil {
		return nil, err
	}
	scope := store.Scope{Hall: req.GetHall(), Below: req.GetIncludeBelow(), Department: req.GetDepartment(), Item: req.GetItem()}
	// Read before the figures, so that these are at least as complete as it says.
	until, stale := s.fresh.all()
	var totals rules.Totals
	err = s.db.ReadTx(ctx, func(q db.Querier) error {
		if err := known(ctx, q, scope); err != nil {
			return err
		}
		totals, err = store.Totals(ctx, q, scope, span)
		return err
	})
	if err != nil {
		return nil, err
	}
	resp := &hubv1.GetRatesResponse{CompleteUntil: until, Stale: stale}
	for _, m := range rules.Metrics() {
		resp.Rates = append(resp.Rates, rateOf(m.Rate(totals)))
	}
	return resp, nil
}

// RankHalls ranks the halls of a level.
func (s *Service) RankHalls(ctx context.Context, req *hubv1.RankHallsRequest) (*hubv1.RankHallsResponse, error) {
	span, err := spanOf(req.GetStartDate(), req.GetEndDate())
	if err != nil {
		return nil, err
	}
	metric, ok := rules.MetricOf(req.GetMetric())
	if !ok {
		return nil, fault.InvalidArgument.New(fault.Field("metric"))
	}
	level := rules.City
	if req.GetLevel() == hubv1.RankLevel_RANK_LEVEL_COUNTY {
		level = rules.County
	}
	until, stale := s.fresh.all()
	var halls []rules.Hall
	var totals map[string]rules.Totals
	err = s.db.ReadTx(ctx, func(q db.Querier) error {
		if halls, err = store.Halls(ctx, q); err != nil {
			return err
		}
		totals, err = store.TotalsByHall(ctx, q, span)
		return err
	})
	if err != nil {
		return nil, err
	}
	resp := &hubv1.RankHallsResponse{CompleteUntil: until, Stale: stale}
	for _, p := range rules.Rank(metric, level, halls, totals) {
		resp.RankedHalls = append(resp.RankedHalls, &hubv1.RankedHall{
			Rank: p.Rank, Hall: p.Hall.Name, DisplayName: p.Hall.DisplayName, Rate: rateOf(p.Rate),
		})
	}
	return resp, nil
}

func rateOf(r rules.Rate) *hubv1.Rate {
	out := &hubv1.Rate{
		Metric: r.Metric.ID, DisplayName: r.Metric.Name, Numerator: r.Numerator, Denominator: r.Denominator, FormulaVersion: r.Metric.Version,
	}
	if r.Known {
		// Rounded as an integer; this only moves the point.
		out.Value = proto.Float64(float64(r.Hundredths) / 100)
	}
	return out
}

// spanOf reads the two days of a span.
func spanOf(start, end string) (store.Span, error) {
	first, err := workday.ParseDate(start)
	if err != nil {
		return store.Span{}, fault.InvalidArgument.New(fault.Field("start_date"), fault.Cause(err))
	}
	last, err := workday.ParseDate(end)
	if err != nil {
		return store.Span{}, fault.InvalidArgument.New(fault.Field("end_date"), fault.Cause(err))
	}
	if last < first || last-first > maxSpan {
		return store.Span{}, fault.InvalidArgument.New(fault.Field("end_date"),
			fault.Cause(fmt.Errorf("%d days", last-first)))
	}
	return store.Span{First: first, Last: last}, nil
}

// known refuses what the hub has never heard of, and a department or an item that is
// not below the hall asked for.
func known(ctx context.Context, q db.Querier, sc store.Scope) error {
	if !rules.IsProvince(sc.Hall) {
		if _, err := store.GetHall(ctx, q, sc.Hall); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		field, name string
		has         func(context.Context, db.Querier, string) (bool, error)
	}{{"department", sc.Department, store.HasDepartment}, {"item", sc.Item, store.HasItem}} {
		if p.name == "" {
			continue
		}
		has, err := p.has(ctx, q, p.name)
		if err != nil {
			return err
		}
		in, err := within(ctx, q, p.name, sc)
		if err != nil {
			return err
		}
		if !has || !in {
			return fault.NotFound.New(fault.Field(p.field))
		}
	}
	return nil
}

// within reports whether a resource is of the hall, or of one under it where those count.
func within(ctx context.Context, q db.Querier, name string, sc store.Scope) (bool, error) {
	hall, _ := hallOf(name)
	switch {
	case hall == sc.Hall:
		return true, nil
	case !sc.Below:
		return false, nil
	case rules.IsProvince(sc.Hall):
		return true, nil
	}
	h, err := store.GetHall(ctx, q, hall)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return h.Parent == sc.Hall, err
}

func subjectOf(ctx context.Context) string {
	if p, ok := authn.From(ctx); ok {
		return p.Subject
	}
	return ""
}
