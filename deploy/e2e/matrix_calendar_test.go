package e2e

import (
	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/deploy/e2e/house"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
)

// calendarRows are those of the calendar and of hall policies. What they ask for is only
// to be shown.
func (s *scene) calendarRows() map[string]row {
	s.t.Helper()
	policy := func() *cataloguev1.HallPolicy {
		return &cataloguev1.HallPolicy{EffectiveDate: "2036-01-01", AcceptanceDays: 3, Reason: "缩短受理时限"}
	}
	proposed := &cataloguev1.HallPolicy{}
	s.must("propose a policy", s.As(publisherUser).Post(s.t.Context(), "/v1/"+s.hall+"/policies"+house.Query("requestId", newID()), policy(), proposed))
	return map[string]row{
		"PublishCalendar": list(func() proto.Message {
			return &cataloguev1.PublishCalendarRequest{Title: "关于调整放假安排的通知", ValidateOnly: true, RequestId: newID(),
				Days: []*cataloguev1.CalendarDay{{Date: "2026-12-30", Kind: cataloguev1.DayKind_DAY_KIND_HOLIDAY}}}
		}),
		"DeclareClosure": list(func() proto.Message {
			return &cataloguev1.DeclareClosureRequest{Parent: s.hall, Dates: []string{"2026-12-30"}, Reason: "台风停止办公", ValidateOnly: true, RequestId: newID()}
		}),
		"GetCalendar":   list(func() proto.Message { return &cataloguev1.GetCalendarRequest{Name: "calendars/1"} }),
		"ListCalendars": list(func() proto.Message { return &cataloguev1.ListCalendarsRequest{} }),
		"SetHallPolicy": list(func() proto.Message {
			return &cataloguev1.SetHallPolicyRequest{Parent: s.hall, Policy: policy(), ValidateOnly: true, RequestId: newID()}
		}),
		"ApproveHallPolicy": the(func() proto.Message {
			return &cataloguev1.ApproveHallPolicyRequest{Name: proposed.GetName(), RequestId: newID()}
		}),
		"GetHallPolicy":    list(func() proto.Message { return &cataloguev1.GetHallPolicyRequest{Name: proposed.GetName()} }),
		"ListHallPolicies": list(func() proto.Message { return &cataloguev1.ListHallPoliciesRequest{Parent: s.hall} }),
	}
}
