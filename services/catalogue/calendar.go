package catalogue

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// calendars is the subject of all versions' events, so that they come in one order.
const calendars = "calendars"

// days is the part of the service that publishes by what days and limits halls count.
type days struct {
	cataloguev1.UnimplementedCalendarServiceServer
	*Service
}

// PublishCalendar publishes a notice as the calendar's next version.
func (s days) PublishCalendar(ctx context.Context, req *cataloguev1.PublishCalendarRequest) (*cataloguev1.Calendar, error) {
	r := requestOf(ctx, "", "PublishCalendar", req)
	c := &cataloguev1.Calendar{
		Kind: cataloguev1.CalendarKind_CALENDAR_KIND_NOTICE, Division: req.GetDivision(), Year: req.GetYear(), Days: req.GetDays(), NoticeUri: req.GetNoticeUri(),
	}
	if c.Year != 0 {
		c.Kind = cataloguev1.CalendarKind_CALENDAR_KIND_YEAR
	}
	var err error
	if c.Title, err = codes.Line(req.GetTitle(), 200); err != nil {
		return nil, fault.At("title", err)
	}
	return s.next(ctx, r, c, req.GetValidateOnly())
}

// DeclareClosure closes a division of a hall on some days.
func (s days) DeclareClosure(ctx context.Context, req *cataloguev1.DeclareClosureRequest) (*cataloguev1.Calendar, error) {
	r := requestOf(ctx, req.GetParent(), "DeclareClosure", req)
	hall := lastPart(req.GetParent())
	c := &cataloguev1.Calendar{Kind: cataloguev1.CalendarKind_CALENDAR_KIND_CLOSURE, Division: req.GetDivision(), NoticeUri: req.GetNoticeUri()}
	if c.Division == "" {
		c.Division = hall
	}
	if !workday.Within(c.Division, hall) {
		return nil, fault.InvalidArgument.New(fault.Field("division"))
	}
	reason, err := codes.Line(req.GetReason(), 60)
	if err != nil {
		return nil, fault.At("reason", err)
	}
	c.Title = reason
	for _, d := range req.GetDates() {
		c.Days = append(c.Days, &cataloguev1.CalendarDay{Date: d, Kind: cataloguev1.DayKind_DAY_KIND_CLOSED, DisplayName: reason})
	}
	return s.next(ctx, r, c, req.GetValidateOnly())
}

// next makes a version of the calendar and publishes it, or only shows it.
func (s days) next(ctx context.Context, r request, c *cataloguev1.Calendar, dry bool) (*cataloguev1.Calendar, error) {
	for i, d := range c.GetDays() {
		if _, err := workday.ParseDate(d.GetDate()); err != nil {
			return nil, fault.BadCalendar.New(fault.Field(fmt.Sprintf("days[%d].date", i)), fault.Cause(err))
		}
		name, err := codes.Line(d.GetDisplayName(), 60)
		if err != nil && d.GetDisplayName() != "" {
			return nil, fault.At(fmt.Sprintf("days[%d].display_name", i), err)
		}
		d.DisplayName = name
	}
	if dry {
		return c, become(ctx, s.db.Read(), c)
	}
	return change(ctx, s.Service, r, calendars, &cataloguev1.Calendar{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.Calendar, error) {
		if err := become(ctx, tx, c); err != nil {
			return nil, err
		}
		c.Publisher, c.PublishTime = r.actor(), timestamppb.New(tx.Now())
		if err := store.InsertCalendar(ctx, tx, int64(c.GetVersion()), feed.Deterministic(c)); err != nil {
			return nil, err
		}
		return c, r.happened(ctx, tx, almanac.CalendarPublished, calendars, int64(c.GetVersion())-1, c, nil)
	})
}

// become makes c the version after those that are stored, with what it changes.
func become(ctx context.Context, q db.Querier, c *cataloguev1.Calendar) error {
	before, err := calendarNow(ctx, q)
	if err != nil {
		return err
	}
	n, err := almanac.NoticeOf(c)
	if err != nil {
		return err
	}
	after, err := before.With(n)
	if err != nil {
		return err
	}
	c.Version = int32(after.Number())
	c.Name = fmt.Sprintf("calendars/%d", c.GetVersion())
	c.Effects = nil
	for _, d := range n.Days {
		worked, works := before.IsWorkday(n.Division, d.Date), after.IsWorkday(n.Division, d.Date)
		if worked != works {
			c.Effects = append(c.Effects, &cataloguev1.DayEffect{Date: d.Date.String(), Worked: worked, Works: works})
		}
	}
	first, last := after.Years()
	c.FirstDate, c.LastDate = first.String(), last.String()
	return nil
}

// calendarNow is the calendar with all that was published.
func calendarNow(ctx context.Context, q db.Querier) (*workday.Calendar, error) {
	rows, err := store.AllCalendars(ctx, q)
	if err != nil {
		return nil, err
	}
	cal := workday.China()
	for _, row := range rows {
		c, err := decode(row.Data, &cataloguev1.Calendar{})
		if err != nil {
			return nil, err
		}
		n, err := almanac.NoticeOf(c)
		if err != nil {
			return nil, err
		}
		if cal, err = cal.With(n); err != nil {
			return nil, fmt.Errorf("stored %s: %w", c.GetName(), err)
		}
	}
	return cal, nil
}

// builtIn is version 1.
func builtIn() *cataloguev1.Calendar {
	cal := workday.China()
	first, last := cal.Years()
	c := &cataloguev1.Calendar{
		Name: "calendars/1", Version: 1, Kind: cataloguev1.CalendarKind_CALENDAR_KIND_BUILT_IN, FirstDate: first.String(), LastDate: last.String(),
		Title: "程序内置：国务院办公厅历年放假通知（" + cal.Version() + "）",
	}
	for _, d := range cal.Changes() {
		day := &cataloguev1.CalendarDay{Date: d.Date.String(), Kind: cataloguev1.DayKind_DAY_KIND_HOLIDAY, DisplayName: d.Name}
		if d.Kind == workday.Makeup {
			day.Kind = cataloguev1.DayKind_DAY_KIND_WORKDAY
		}
		c.Days = append(c.Days, day)
	}
	return c
}

// GetCalendar reads one version.
func (s days) GetCalendar(ctx context.Context, req *cataloguev1.GetCalendarRequest) (*cataloguev1.Calendar, error) {
	version, err := strconv.ParseInt(lastPart(req.GetName()), 10, 32)
	if err != nil {
		return nil, fault.NotFound.New()
	}
	if version == 1 {
		return builtIn(), nil
	}
	data, err := store.GetCalendar(ctx, s.db.Read(), version)
	if err != nil {
		return nil, err
	}
	return decode(data, &cataloguev1.Calendar{})
}

// ListCalendars lists the versions, newest first.
func (s days) ListCalendars(ctx context.Context, req *cataloguev1.ListCalendarsRequest) (*cataloguev1.ListCalendarsResponse, error) {
	l, before, err := s.numbered(ctx, req, page.FilterHash("calendars"))
	if err != nil {
		return nil, err
	}
	rows, err := store.ListCalendars(ctx, s.db.Read(), before, l.size+1)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListCalendarsResponse{}
	if len(rows) <= l.size && before != 1 {
		rows = append(rows, store.Numbered{Version: 1, Data: feed.Deterministic(builtIn())})
	}
	rows, resp.NextPageToken = cut(l, rows, func(r store.Numbered) string { return strconv.FormatInt(r.Version, 10) })
	for _, row := range rows {
		c, err := decode(row.Data, &cataloguev1.Calendar{})
		if err != nil {
			return nil, err
		}
		c.Days, c.Effects = nil, nil
		resp.Calendars = append(resp.Calendars, c)
	}
	return resp, nil
}

// numbered is a listing by version, newest first, and the version it goes on before.
func (s days) numbered(ctx context.Context, req paged, filter string) (listing, int64, error) {
	l, err := s.listing(ctx, req, 50, 200, filter)
	if err != nil || l.after == "" {
		return l, 0, err
	}
	before, err := strconv.ParseInt(l.after, 10, 64)
	if err != nil {
		return l, 0, fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
	}
	return l, before, nil
}
