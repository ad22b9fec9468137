package e2e

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// counterRows are those of centres, appointments, tickets and carried drafts.
func (s *scene) counterRows(x things) map[string]row {
	s.t.Helper()
	_, client := s.person(1)
	centre, booked, ticket := &caseworkv1.Centre{}, &caseworkv1.Appointment{}, &caseworkv1.Ticket{}
	s.must("open a centre", s.As(house.Admin()).Post(s.t.Context(), "/v1/"+s.hall+"/centres?centreId=matrix&requestId="+newID(), &caseworkv1.Centre{
		DisplayName: "政务服务中心", StreetAddress: "云山西路6号", Windows: []*caseworkv1.Window{{Id: "1"}}, SlotStarts: []string{"09:00"}, SlotCapacity: 5, BookingDays: 30,
	}, centre))
	slots := &caseworkv1.ListSlotsResponse{}
	for day := time.Now().AddDate(0, 0, 1); len(slots.GetSlots()) == 0; day = day.AddDate(0, 0, 1) {
		s.must("slots", s.Nobody().Get(s.t.Context(), "/v1/"+centre.GetName()+"/slots"+house.Query("date", day.Format(time.DateOnly)), slots))
	}
	s.must("book", client.Post(s.t.Context(), "/v1/"+centre.GetName()+"/appointments:book", &caseworkv1.BookAppointmentRequest{
		Item: x.item, StartTime: slots.GetSlots()[0].GetStartTime(), RequestId: newID(),
	}, booked))
	s.must("take a ticket", client.Post(s.t.Context(), "/v1/"+centre.GetName()+"/tickets:take", &caseworkv1.TakeTicketRequest{RequestId: newID()}, ticket))
	return map[string]row{
		"CreateCentre": list(func() proto.Message {
			return &caseworkv1.CreateCentreRequest{Parent: s.hall, CentreId: "matrix", RequestId: newID(), Centre: house.Clone(centre)}
		}),
		"UpdateCentre": the(func() proto.Message {
			c := house.Clone(centre)
			c.Etag = ""
			return &caseworkv1.UpdateCentreRequest{Centre: c, RequestId: newID()}
		}),
		"GetCentre":       the(func() proto.Message { return &caseworkv1.GetCentreRequest{Name: centre.GetName()} }),
		"ListCentres":     list(func() proto.Message { return &caseworkv1.ListCentresRequest{Parent: s.hall} }),
		"GetCentreStatus": the(func() proto.Message { return &caseworkv1.GetCentreStatusRequest{Name: centre.GetName()} }),
		"ListSlots": list(func() proto.Message {
			return &caseworkv1.ListSlotsRequest{Parent: centre.GetName(), Date: "2026-03-02"}
		}),
		// A time that is over.
		"BookAppointment": list(func() proto.Message {
			return &caseworkv1.BookAppointmentRequest{Parent: centre.GetName(), Item: x.item, StartTime: timestamppb.New(time.Unix(0, 0)), RequestId: newID()}
		}),
		"CancelAppointment": the(func() proto.Message {
			return &caseworkv1.CancelAppointmentRequest{Name: booked.GetName(), RequestId: newID()}
		}),
		"ListAppointments": list(func() proto.Message {
			return &caseworkv1.ListAppointmentsRequest{Parent: centre.GetName(), Date: "2026-03-02"}
		}),
		// A department of another hall.
		"TakeTicket": list(func() proto.Message {
			return &caseworkv1.TakeTicketRequest{Parent: centre.GetName(), Department: "halls/110000/departments/none", RequestId: newID()}
		}),
		"GetTicket": the(func() proto.Message { return &caseworkv1.GetTicketRequest{Name: ticket.GetName()} }),
		"CallNextTicket": list(func() proto.Message {
			return &caseworkv1.CallNextTicketRequest{Parent: centre.GetName(), Window: "9", RequestId: newID()}
		}),
		"CloseTicket": the(func() proto.Message {
			return &caseworkv1.CloseTicketRequest{Name: ticket.GetName(), RequestId: newID()}
		}),
		"LeaveQueue": the(func() proto.Message { return &caseworkv1.LeaveQueueRequest{Name: ticket.GetName(), RequestId: newID()} }),
		"CarryDraft": the(func() proto.Message { return &caseworkv1.CarryDraftRequest{Name: x.kase, RequestId: newID()} }),
		"TakeOverDraft": list(func() proto.Message {
			return &caseworkv1.TakeOverDraftRequest{Parent: s.hall, Code: "00000000", RequestId: newID()}
		}),
	}
}
