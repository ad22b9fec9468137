package casework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
)

// TakeTicket draws a queue ticket.
func (s *Service) TakeTicket(ctx context.Context, req *caseworkv1.TakeTicketRequest) (*caseworkv1.Ticket, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	holder := a.IdentityKey
	if atWindow(a) {
		holder = "" // for whoever stands there
	}
	if hallOf(req.GetDepartment()) != "" && hallOf(req.GetDepartment()) != hallOf(req.GetParent()) {
		return nil, fault.DepartmentUnknown.New(fault.Field("department"))
	}
	out := &caseworkv1.Ticket{}
	return out, s.record(ctx, a, newRequest(a, hallOf(req.GetParent()), "TakeTicket", req), req.GetParent(), out, func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error {
		if _, _, err := s.centre(ctx, tx, req.GetParent()); err != nil {
			return err
		}
		now := tx.Now()
		today := workday.DateOf(now)
		if waits, err := store.HolderWaits(ctx, tx, holder, req.GetParent(), today); err != nil || waits {
			return orElse(err, fault.AlreadyWaiting.New())
		}
		t := &caseworkv1.Ticket{
			Name: fmt.Sprintf("%s/tickets/%016x", req.GetParent(), tx.NextID()), State: caseworkv1.TicketState_TICKET_STATE_WAITING,
			Department: req.GetDepartment(), HolderKey: holder, TakeTime: stamp(now),
		}
		var x *caseworkv1.Appointment
		var seq int64
		if req.GetAppointment() != "" {
			if x, seq, err = s.arriving(ctx, tx, a, req, now); err != nil {
				return err
			}
			x.Ticket, t.Appointment, t.Department, t.Case = t.Name, x.GetName(), x.GetDepartment(), x.GetCase()
		}
		return drawn(ctx, tx, t, x, seq, now, note)
	})
}

// arriving reads the appointment that somebody comes with.
func (s *Service) arriving(ctx context.Context, tx *db.Tx, a authn.Access, req *caseworkv1.TakeTicketRequest, now time.Time) (*caseworkv1.Appointment, int64, error) {
	x, seq, err := s.appointment(ctx, tx, a, req.GetAppointment())
	if err != nil {
		return nil, 0, fault.At("appointment", err)
	}
	switch {
	case centreOf(x.GetName()) != req.GetParent():
		return nil, 0, fault.NotFound.New(fault.Field("appointment"))
	case standing(x, now) != caseworkv1.AppointmentState_APPOINTMENT_STATE_BOOKED:
		return nil, 0, fault.AppointmentClosed.New(fault.Field("appointment"))
	case workday.DateOf(now) < workday.DateOf(timeOf(x.GetStartTime())):
		return nil, 0, fault.AppointmentTooSoon.New(fault.Field("appointment"))
	}
	x.State = caseworkv1.AppointmentState_APPOINTMENT_STATE_ARRIVED
	return x, seq, nil
}

// drawn gives a ticket its number and its turn, and uses up its appointment, if any.
func drawn(ctx context.Context, tx *db.Tx, t *caseworkv1.Ticket, x *caseworkv1.Appointment, seq int64, now time.Time, note func(feed.Draft) error) error {
	centre, day := centreOf(t.GetName()), workday.DateOf(now)
	rank, waits := rules.QueueTurn(now, timeOf(x.GetStartTime()))
	t.WaitStartTime, t.Etag = stamp(waits), feed.Etag(t.GetName(), 1)
	// The number is known only after the centre's row is written; a request that was
	// carried out before must be noticed earlier, so the event goes first, by what the
	// row will say, in the same transaction.
	was, err := store.DayOf(ctx, tx, centre, day)
	if err != nil {
		return err
	}
	letter := "A"
	if x != nil {
		letter = "Y"
	}
	t.Number = fmt.Sprintf("%s%03d", letter, was.Taken+1)
	data, err := proto.Marshal(t)
	if err != nil {
		return err
	}
	if err := note(feed.Draft{Subject: t.GetName(), Sequence: 1, Type: "ticket.taken", Resource: t}); err != nil {
		return err
	}
	n, err := store.TakeNumber(ctx, tx, centre, day)
	if err != nil {
		return err
	}
	if n != was.Taken+1 {
		return fault.Conflict.New() // somebody drew in between; draw again
	}
	if x != nil {
		x.Etag = feed.Etag(x.GetName(), seq+1)
		raw, err := proto.Marshal(x)
		if err != nil {
			return err
		}
		// The ticket's event carries the request; this one is its consequence.
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: x.GetName(), Sequence: seq + 1, Type: "appointment.arrived", Resource: x, Actor: "system/casework"}); err != nil {
			return err
		}
		if err := store.CloseAppointment(ctx, tx, store.Blob{Name: x.GetName(), Seq: seq + 1, Data: raw}); err != nil {
			return err
		}
	}
	return store.InsertTicket(ctx, tx, store.Ticket{
		Blob: store.Blob{Name: t.GetName(), Data: data}, Centre: centre, Department: t.GetDepartment(), Holder: t.GetHolderKey(), Day: day, Rank: rank,
	})
}

// ticket reads a ticket that the caller may see.
func (s *Service) ticket(ctx context.Context, q db.Querier, a authn.Access, name string) (store.Ticket, *caseworkv1.Ticket, error) {
	row, ok, err := store.GetTicket(ctx, q, name)
	if err != nil {
		return row, nil, err
	}
	t, err := unmarshal(row.Data, &caseworkv1.Ticket{})
	if err != nil {
		return row, nil, err
	}
	own := t.GetHolderKey() != "" && t.GetHolderKey() == a.IdentityKey
	if !ok || (!own && !atWindow(a)) {
		return row, nil, fault.NotFound.New()
	}
	return row, t, nil
}

// GetTicket reads a ticket and how many are before it.
func (s *Service) GetTicket(ctx context.Context, req *caseworkv1.GetTicketRequest) (*caseworkv1.Ticket, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	row, t, err := s.ticket(ctx, s.db.Read(), a, req.GetName())
	if err != nil {
		return nil, err
	}
	if t.GetState() == caseworkv1.TicketState_TICKET_STATE_WAITING {
		n, err := store.Ahead(ctx, s.db.Read(), centreOf(t.GetName()), row)
		if err != nil {
			return nil, err
		}
		t.Ahead = proto.Int32(int32(n))
	}
	return t, nil
}

// CallNextTicket calls the next ticket to a window.
func (s *Service) CallNextTicket(ctx context.Context, req *caseworkv1.CallNextTicketRequest) (*caseworkv1.Ticket, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	out, centre := &caseworkv1.Ticket{}, req.GetParent()
	return out, s.record(ctx, a, newRequest(a, hallOf(centre), "CallNextTicket", req), centre, out, func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error {
		c, _, err := s.centre(ctx, tx, centre)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(c.GetWindows(), func(w *caseworkv1.Window) bool { return w.GetId() == req.GetWindow() })
		if i < 0 {
			return fault.WindowUnknown.New(fault.Field("window"))
		}
		now := tx.Now()
		today := workday.DateOf(now)
		row, ok, err := store.NextTicket(ctx, tx, centre, today, c.GetWindows()[i].GetDepartments())
		if err != nil || !ok {
			return orElse(err, fault.NobodyWaits.New())
		}
		t, err := unmarshal(row.Data, &caseworkv1.Ticket{})
		if err != nil {
			return err
		}
		waited := rules.Waited(timeOf(t.GetWaitStartTime()), now)
		t.State, t.CallTime, t.Window, t.Officer = caseworkv1.TicketState_TICKET_STATE_CALLED, stamp(now), req.GetWindow(), a.Subject
		t.WaitSeconds = proto.Int32(int32(waited / time.Second))
		if err := saveTicket(ctx, tx, t, row.Seq, "ticket.called", now, note); err != nil {
			return err
		}
		return store.CountCall(ctx, tx, centre, today, waited)
	})
}

func saveTicket(ctx context.Context, tx *db.Tx, t *caseworkv1.Ticket, seq int64, event string, called time.Time, note func(feed.Draft) error) error {
	t.Etag = feed.Etag(t.GetName(), seq+1)
	data, err := proto.Marshal(t)
	if err != nil {
		return err
	}
	if err := note(feed.Draft{Subject: t.GetName(), Sequence: seq + 1, Type: event, Resource: t}); err != nil {
		return err
	}
	return store.SaveTicket(ctx, tx, store.Blob{Name: t.GetName(), Seq: seq + 1, Data: data}, called)
}

// CloseTicket notes how a called ticket ended.
func (s *Service) CloseTicket(ctx context.Context, req *caseworkv1.CloseTicketRequest) (*caseworkv1.Ticket, error) {
	end, event := caseworkv1.TicketState_TICKET_STATE_SERVED, "ticket.served"
	if req.GetMissed() {
		end, event = caseworkv1.TicketState_TICKET_STATE_MISSED, "ticket.missed"
	}
	if hall := hallOf(req.GetCase()); hall != "" && hall != hallOf(req.GetName()) {
		return nil, fault.NotFound.New(fault.Field("case"))
	}
	return s.endTicket(ctx, "CloseTicket", req, req.GetEtag(), caseworkv1.TicketState_TICKET_STATE_CALLED, event, func(t *caseworkv1.Ticket) {
		if t.State = end; req.GetCase() != "" {
			t.Case = req.GetCase()
		}
	})
}

// LeaveQueue takes a waiting ticket out of the queue.
func (s *Service) LeaveQueue(ctx context.Context, req *caseworkv1.LeaveQueueRequest) (*caseworkv1.Ticket, error) {
	return s.endTicket(ctx, "LeaveQueue", req, req.GetEtag(), caseworkv1.TicketState_TICKET_STATE_WAITING, "ticket.left", func(t *caseworkv1.Ticket) {
		t.State = caseworkv1.TicketState_TICKET_STATE_LEFT
	})
}

// endTicket ends a ticket that stands as from.
func (s *Service) endTicket(ctx context.Context, rpc string, req message, etag string, from caseworkv1.TicketState, event string, end func(*caseworkv1.Ticket)) (*caseworkv1.Ticket, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	out, centre := &caseworkv1.Ticket{}, centreOf(req.GetName())
	return out, s.record(ctx, a, newRequest(a, hallOf(centre), rpc, req), centre, out, func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error {
		row, t, err := s.ticket(ctx, tx, a, req.GetName())
		if err != nil {
			return err
		}
		if err := feed.CheckEtag(etag, t.GetName(), row.Seq); err != nil {
			return err
		}
		if t.GetState() != from {
			return fault.TicketWrongState.New()
		}
		end(t)
		t.CloseTime = stamp(tx.Now())
		if err := saveTicket(ctx, tx, t, row.Seq, event, timeOf(t.GetCallTime()), note); err != nil || t.GetState() != caseworkv1.TicketState_TICKET_STATE_LEFT {
			return err
		}
		return store.CountLeaving(ctx, tx, centre, row.Day)
	})
}
