package supervision

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// pastMonths is how long what became of cases counts in forecasts.
const pastMonths = 12

// foretell reckons the forecasts of all open cases, once a day.
func (e *engine) foretell(ctx context.Context, until time.Time) error {
	if now := e.clock.Now(); now.Before(until) {
		until = now
	}
	day := workday.DateOf(until)
	if e.foretoldDay.Load() >= int64(day) {
		return nil
	}
	last, err := store.ForecastDay(ctx, e.db.Read())
	if err != nil {
		return err
	}
	if last < day.String() {
		halls, err := store.OpenHalls(ctx, e.db.Read())
		if err != nil {
			return err
		}
		for _, hall := range halls {
			if err := e.foretellHall(ctx, hall, until); err != nil {
				return fmt.Errorf("forecasts of %s: %w", hall, err)
			}
		}
		if err := e.db.Write(ctx, "supervision/forecasts", func(ctx context.Context, tx *db.Tx) error {
			return store.SetForecastDay(ctx, tx, day.String())
		}); err != nil {
			return err
		}
	}
	e.foretoldDay.Store(int64(day))
	return nil
}

func (e *engine) foretellHall(ctx context.Context, hall string, now time.Time) error {
	m, err := store.Forecasts(ctx, e.db.Read(), hall, rules.MonthOf(now.AddDate(0, -pastMonths, 0)))
	if err != nil || !m.Known() {
		return err
	}
	day := int64(workday.DateOf(now))
	for due, name := int64(-1), ""; ; {
		rows, err := store.ListClocks(ctx, e.db.Read(), hall, "", due, name, timerBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		due, name = rows[len(rows)-1].Due, rows[len(rows)-1].Case
		var all []store.Forecast
		for _, row := range rows {
			f, ok, err := e.forecast(m, row, now)
			if err != nil {
				return err
			}
			if ok {
				f.Day = day
				all = append(all, f)
			}
		}
		if err := e.db.Write(ctx, "supervision/forecasts", func(ctx context.Context, tx *db.Tx) error {
			return store.SaveForecasts(ctx, tx, all)
		}); err != nil {
			return err
		}
	}
	return e.db.Write(ctx, "supervision/forecasts", func(ctx context.Context, tx *db.Tx) error { return store.SweepForecasts(ctx, tx, hall, day) })
}

// forecast reckons that of one open case; false for one without a promise that runs.
func (e *engine) forecast(m *rules.Forecasts, row *store.Clock, now time.Time) (store.Forecast, bool, error) {
	if row.Source != sourceCasework {
		return store.Forecast{}, false, nil
	}
	w := e.watch(row)
	if err := w.load(); err != nil {
		return store.Forecast{}, false, err
	}
	_, load, _ := loadOf(row)
	x, ok := w.policy.Foretell(m, w.facts, row.Department, load, now)
	if !ok {
		return store.Forecast{}, false, nil
	}
	division := divisionOf(row.Hall)
	expected, _ := w.policy.Calendar.Add(division, workday.DateOf(now), int(math.Ceil(x.Remaining-1e-9)))
	out := &supervisionv1.Forecast{Case: row.Case, Item: w.facts.Item, ItemTitle: w.subject.itemTitle, Department: row.Department,
		Probability: math.Round(x.Probability*1e6) / 1e6, ExpectedDate: expected.String(), Reasons: x.Reasons, N: x.N, AsOf: timestamppb.New(now)}
	if r := workday.Reckon(w.policy.Calendar, w.policy.Input(w.facts), now); r.DueKnown {
		out.PromisedDueDate = r.PromisedDue.String()
	}
	return store.Forecast{Case: row.Case, Hall: row.Hall, Department: row.Department, Risk: int64(math.Round(x.Probability * 1e6)), Data: marshal(out)}, true, nil
}

// ListForecasts lists open cases by their probability to overrun.
func (s *Service) ListForecasts(ctx context.Context, req *supervisionv1.ListForecastsRequest) (*supervisionv1.ListForecastsResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	department, err := ownDepartment(access, req.GetParent(), req.GetDepartment())
	if err != nil {
		return nil, err
	}
	question := page.FilterHash("forecasts", req.GetParent(), department)
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListForecastsResponse{}
	if department != "" && hallOf(department) != req.GetParent() {
		return res, nil // no department of this hall
	}
	risk, after := int64(math.MaxInt64), ""
	if len(key) == 2 {
		if risk, err = strconv.ParseInt(key[0], 10, 64); err != nil {
			return nil, fault.BadPageToken.New(fault.Cause(err))
		}
		after = key[1]
	}
	rows, err := store.ListForecasts(ctx, s.db.Read(), req.GetParent(), department, risk, after, size+1)
	if err != nil {
		return nil, err
	}
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(last.Risk, 10), last.Case)
	}
	for _, row := range rows {
		f := &supervisionv1.Forecast{}
		if err := proto.Unmarshal(row.Data, f); err != nil {
			return nil, errors.Join(errors.New("stored forecast"), err)
		}
		res.Forecasts = append(res.Forecasts, f)
	}
	return res, nil
}
