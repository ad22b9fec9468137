package catalogue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func (h *house) days() cataloguev1.CalendarServiceClient {
	return cataloguev1.NewCalendarServiceClient(h.Dial("catalogue"))
}

func holiday(dates ...string) []*cataloguev1.CalendarDay {
	var all []*cataloguev1.CalendarDay
	for _, d := range dates {
		all = append(all, &cataloguev1.CalendarDay{Date: d, Kind: cataloguev1.DayKind_DAY_KIND_HOLIDAY})
	}
	return all
}

// Versions follow each other, show beforehand which days change, never change themselves,
// and come in one order.
func TestCalendarVersions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		client := h.days()
		notice := &cataloguev1.PublishCalendarRequest{Title: "关于增加放假的通知", Days: holiday("2026-03-04", "2026-03-07"), RequestId: id(), ValidateOnly: true}
		shown, err := client.PublishCalendar(h.As("admin"), notice)
		h.must(err)
		want := []*cataloguev1.DayEffect{{Date: "2026-03-04", Worked: true}} // the 7th is a Saturday
		if diff := cmp.Diff(want, shown.GetEffects(), protocmp.Transform()); diff != "" || shown.GetVersion() != 2 {
			t.Errorf("preview of version %d: %s", shown.GetVersion(), diff)
		}
		if all, err := client.ListCalendars(t.Context(), &cataloguev1.ListCalendarsRequest{}); err != nil || len(all.GetCalendars()) != 1 {
			t.Errorf("a preview was kept: %v, %v", all, err)
		}
		notice.ValidateOnly = false
		made, err := client.PublishCalendar(h.As("admin"), notice)
		h.must(err)
		again, err := client.PublishCalendar(h.As("admin"), notice)
		h.must(err)
		if !proto.Equal(made, again) || made.GetName() != "calendars/2" || made.GetPublisher() == "" {
			t.Errorf("published %v, a retry %v", made, again)
		}
		closed, err := client.DeclareClosure(h.As("publisher"), &cataloguev1.DeclareClosureRequest{Parent: city, Division: "441302", Dates: []string{"2026-03-04", "2026-03-05"}, Reason: "台风停工", RequestId: id()})
		h.must(err)
		if len(closed.GetEffects()) != 1 || closed.GetEffects()[0].GetDate() != "2026-03-05" || closed.GetKind() != cataloguev1.CalendarKind_CALENDAR_KIND_CLOSURE {
			t.Errorf("the closure changes %v", closed.GetEffects())
		}
		year, err := client.PublishCalendar(h.As("admin"), &cataloguev1.PublishCalendarRequest{Title: "关于2027年部分节假日安排的通知", Year: 2027, Days: holiday("2027-01-01"), RequestId: id()})
		h.must(err)
		if year.GetLastDate() != "2027-12-31" || year.GetVersion() != 4 {
			t.Errorf("the year: %v", year)
		}
		first, err := client.ListCalendars(t.Context(), &cataloguev1.ListCalendarsRequest{PageSize: 3})
		h.must(err)
		rest, err := client.ListCalendars(t.Context(), &cataloguev1.ListCalendarsRequest{PageSize: 3, PageToken: first.GetNextPageToken()})
		h.must(err)
		var order []int32
		for _, c := range append(first.GetCalendars(), rest.GetCalendars()...) {
			order = append(order, c.GetVersion())
		}
		if diff := cmp.Diff([]int32{4, 3, 2, 1}, order); diff != "" || rest.GetNextPageToken() != "" {
			t.Errorf("listed: %s", diff)
		}
		kept, err := client.GetCalendar(t.Context(), &cataloguev1.GetCalendarRequest{Name: "calendars/2"})
		h.must(err)
		builtIn, err := client.GetCalendar(t.Context(), &cataloguev1.GetCalendarRequest{Name: "calendars/1"})
		h.must(err)
		if !proto.Equal(kept, made) || len(builtIn.GetDays()) != 506 {
			t.Errorf("version 2 is %v; version 1 has %d days", kept, len(builtIn.GetDays()))
		}
		for i, e := range h.published(3) {
			if e.GetSequence() != int64(i)+1 || e.GetSubject() != "calendars" {
				t.Errorf("event %d is %s %d", i+1, e.GetSubject(), e.GetSequence())
			}
		}
	})
}

// published waits for so many versions in the feed, which numbers events after they are
// written.
func (h *house) published(want int) []*feedv1.Event {
	h.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		res, err := h.feed.ReadEvents(h.AsService(), &feedv1.ReadEventsRequest{PageSize: 100})
		h.must(err)
		all := slices.DeleteFunc(res.GetEvents(), func(e *feedv1.Event) bool { return e.GetType() != "calendar.published" })
		if len(all) == want {
			return all
		}
	}
	h.t.Fatalf("the feed has no %d versions", want)
	return nil
}

func TestCalendarRefuses(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		client := h.days()
		publish := func(change func(*cataloguev1.PublishCalendarRequest)) error {
			req := &cataloguev1.PublishCalendarRequest{Title: "关于增加放假的通知", Days: holiday("2026-03-04"), RequestId: id()}
			change(req)
			_, err := client.PublishCalendar(h.As("admin"), req)
			return err
		}
		for name, tc := range map[string]struct {
			change func(*cataloguev1.PublishCalendarRequest)
			want   *fault.Reason
		}{
			"a day twice":      {func(r *cataloguev1.PublishCalendarRequest) { r.Days = holiday("2026-03-04", "2026-03-04") }, fault.BadCalendar},
			"no such day":      {func(r *cataloguev1.PublishCalendarRequest) { r.Days = holiday("2026-02-30") }, fault.BadCalendar},
			"an unknown year":  {func(r *cataloguev1.PublishCalendarRequest) { r.Days = holiday("2027-02-01") }, fault.BadCalendar},
			"a year too early": {func(r *cataloguev1.PublishCalendarRequest) { r.Year = 2028 }, fault.BadCalendar},
			"closed everywhere": {func(r *cataloguev1.PublishCalendarRequest) {
				r.Days[0].Kind = cataloguev1.DayKind_DAY_KIND_CLOSED
			}, fault.BadCalendar},
			"no division": {func(r *cataloguev1.PublishCalendarRequest) { r.Division = "000000" }, fault.BadDivision},
		} {
			h.refused(name, publish(tc.change), tc.want)
		}
		shut := func(user, parent, division string) error {
			_, err := client.DeclareClosure(h.As(user), &cataloguev1.DeclareClosureRequest{Parent: parent, Division: division, Dates: []string{"2026-03-04"}, Reason: "台风停工", RequestId: id()})
			return err
		}
		h.refused("another city's division", shut("publisher", city, "440106"), fault.InvalidArgument)
		h.refused("the division above", shut("publisher", city, "440000"), fault.InvalidArgument)
		h.refused("another city's publisher", shut("abroad", city, ""), fault.NotFound)
		h.refused("an editor", shut("editor", city, ""), fault.PermissionDenied)
	})
}

// A policy holds once another person approved it, with the general numbers where it has
// none, and the highest version whose day has come is the current one.
func TestHallPolicies(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		client := h.days()
		set := func(user string, p *cataloguev1.HallPolicy) *cataloguev1.HallPolicy {
			made, err := client.SetHallPolicy(h.As(user), &cataloguev1.SetHallPolicyRequest{Parent: city, Policy: p, RequestId: id()})
			h.must(err)
			return made
		}
		approve := func(user string, p *cataloguev1.HallPolicy) error {
			_, err := client.ApproveHallPolicy(h.As(user), &cataloguev1.ApproveHallPolicyRequest{Name: p.GetName(), Etag: p.GetEtag(), RequestId: id()})
			return err
		}
		current := func() *cataloguev1.HallPolicy {
			p, err := client.GetHallPolicy(t.Context(), &cataloguev1.GetHallPolicyRequest{Name: city + "/policies/current"})
			h.must(err)
			return p
		}
		if p := current(); p.GetVersion() != 0 || p.GetAcceptanceDays() != 5 || len(p.GetHours()) != 2 {
			t.Errorf("the general policy is %v", p)
		}
		one := set("publisher", &cataloguev1.HallPolicy{EffectiveDate: "2026-01-01", AcceptanceDays: 3, Hours: []string{"08:30-12:00", "14:00-17:30"}, Reason: "缩短受理时限"})
		if one.GetDeliveryDays() != 10 || one.GetState() != cataloguev1.PolicyState_POLICY_STATE_PROPOSED || current().GetVersion() != 0 {
			t.Errorf("proposed %v, current %v", one, current())
		}
		h.refused("one's own proposal", approve("publisher", one), fault.SamePersonForbidden)
		h.must(approve("second", one))
		h.refused("twice", approve("admin", one), fault.ETagStale)
		h.must(approve("publisher", set("admin", &cataloguev1.HallPolicy{EffectiveDate: "2036-01-01", AcceptanceDays: 1, Reason: "十年以后再缩短"})))
		if p := current(); p.GetVersion() != 1 || p.GetAcceptanceDays() != 3 || p.GetApprover() == "" {
			t.Errorf("current is %v", p)
		}
		list, err := client.ListHallPolicies(t.Context(), &cataloguev1.ListHallPoliciesRequest{Parent: city})
		h.must(err)
		if len(list.GetHallPolicies()) != 2 || list.GetHallPolicies()[0].GetVersion() != 2 {
			t.Errorf("listed %v", list)
		}
		_, err = client.SetHallPolicy(h.As("publisher"), &cataloguev1.SetHallPolicyRequest{Parent: city, RequestId: id(),
			Policy: &cataloguev1.HallPolicy{EffectiveDate: "2026-01-01", Hours: []string{"12:00-09:00"}, Reason: "时间写反了"}})
		h.refused("hours that end before they begin", err, fault.BadCalendar)
	})
}
