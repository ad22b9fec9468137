package casework

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// dayBounds is when a day begins and ends in China.
func dayBounds(d workday.Date) (begin, end time.Time) {
	y, m, n := d.Civil()
	begin = time.Date(y, m, n, 0, 0, 0, 0, workday.Zone)
	return begin, begin.AddDate(0, 0, 1)
}

func dateField(field, s string) (workday.Date, error) {
	d, err := workday.ParseDate(s)
	if err != nil {
		return 0, fault.InvalidArgument.New(fault.Field(field), fault.Cause(err))
	}
	return d, nil
}

// ListSlots lists the times of a day that can be booked.
func (s *Service) ListSlots(ctx context.Context, req *caseworkv1.ListSlotsRequest) (*caseworkv1.ListSlotsResponse, error) {
	day, err := dateField("date", req.GetDate())
	if err != nil {
		return nil, err
	}
	c, _, err := s.centre(ctx, s.db.Read(), req.GetParent())
	if err != nil {
		return nil, err
	}
	begin, end := dayBounds(day)
	taken, err := store.Booked(ctx, s.db.Read(), c.GetName(), begin, end)
	if err != nil {
		return nil, err
	}
	res, now := &caseworkv1.ListSlotsResponse{}, s.clock.Now()
	for _, at := range rules.SlotTimes(s.almanac.Book().Calendar, hallOf(c.GetName()), day, c.GetSlotStarts()) {
		if rules.Bookable(s.almanac.Book().Calendar, hallOf(c.GetName()), c.GetSlotStarts(), int(c.GetBookingDays()), at, now) == nil {
			res.Slots = append(res.Slots, &caseworkv1.Slot{StartTime: stamp(at), Left: max(0, c.GetSlotCapacity()-int32(taken[db.Micros(at)]))})
		}
	}
	return res, nil
}

// BookAppointment books a time.
func (s *Service) BookAppointment(ctx context.Context, req *caseworkv1.BookAppointmentRequest) (*caseworkv1.Appointment, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if a.IdentityKey == "" {
		return nil, fault.PermissionDenied.New()
	}
	hall, now := hallOf(req.GetParent()), s.clock.Now()
	start := req.GetStartTime().AsTime()
	item, err := s.items.inForce(hall, req.GetItem(), 0, now)
	if err != nil {
		return nil, err
	}
	if err := s.ownDraft(ctx, a, req.GetCase()); err != nil {
		return nil, err
	}
	out := &caseworkv1.Appointment{}
	return out, s.record(ctx, a, newRequest(a, hall, "BookAppointment", req), req.GetParent(), out, func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error {
		c, _, err := s.centre(ctx, tx, req.GetParent())
		if err != nil {
			return err
		}
		if err := rules.Bookable(s.almanac.Book().Calendar, hall, c.GetSlotStarts(), int(c.GetBookingDays()), start, now); err != nil {
			return err
		}
		begin, _ := dayBounds(workday.DateOf(now))
		open, err := store.OpenAppointments(ctx, tx, a.IdentityKey, c.GetName(), begin)
		if err != nil {
			return err
		}
		if open >= rules.MaxAppointments {
			return fault.TooManyBookings.New(fault.Meta("max", strconv.Itoa(rules.MaxAppointments)))
		}
		x := &caseworkv1.Appointment{
			Name: fmt.Sprintf("%s/appointments/%016x", c.GetName(), tx.NextID()), Item: item.Name, Department: item.Department, StartTime: stamp(start),
			State: caseworkv1.AppointmentState_APPOINTMENT_STATE_BOOKED, HolderKey: a.IdentityKey, Case: req.GetCase(), CreateTime: stamp(now),
		}
		x.Etag = feed.Etag(x.Name, 1)
		data, err := proto.Marshal(x)
		if err != nil {
			return err
		}
		if err := note(feed.Draft{Subject: x.Name, Sequence: 1, Type: "appointment.booked", Resource: x}); err != nil {
			return err
		}
		if ok, err := takePlace(ctx, tx, c, start); err != nil || !ok {
			return orElse(err, fault.SlotFull.New(fault.Field("start_time")))
		}
		return store.InsertAppointment(ctx, tx, store.Blob{Name: x.Name, Data: data}, c.GetName(), a.IdentityKey, start)
	})
}

func takePlace(ctx context.Context, tx *db.Tx, c *caseworkv1.Centre, start time.Time) (bool, error) {
	if c.GetSlotCapacity() < 1 {
		return false, nil
	}
	return store.TakeSlot(ctx, tx, c.GetName(), start, c.GetSlotCapacity())
}

// ownDraft checks that a draft to be carried along is the caller's.
func (s *Service) ownDraft(ctx context.Context, a authn.Access, name string) error {
	if name == "" {
		return nil
	}
	_, c, seen, err := s.load(ctx, a, name)
	if err != nil {
		return fault.At("case", err)
	}
	if !seen.asApplicant || c.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT {
		return fault.CaseWrongState.New(fault.Field("case"))
	}
	return nil
}

// appointment reads an appointment that the caller may see.
func (s *Service) appointment(ctx context.Context, q db.Querier, a authn.Access, name string) (*caseworkv1.Appointment, int64, error) {
	b, ok, err := store.Appointment(ctx, q, name)
	if err != nil {
		return nil, 0, err
	}
	x, err := unmarshal(b.Data, &caseworkv1.Appointment{})
	if err != nil {
		return nil, 0, err
	}
	if !ok || (x.GetHolderKey() != a.IdentityKey && !atWindow(a)) {
		return nil, 0, fault.NotFound.New()
	}
	return x, b.Seq, nil
}

// CancelAppointment gives a time back.
func (s *Service) CancelAppointment(ctx context.Context, req *caseworkv1.CancelAppointmentRequest) (*caseworkv1.Appointment, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	out, centre := &caseworkv1.Appointment{}, centreOf(req.GetName())
	return out, s.record(ctx, a, newRequest(a, hallOf(centre), "CancelAppointment", req), centre, out, func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error {
		x, seq, err := s.appointment(ctx, tx, a, req.GetName())
		if err != nil {
			return err
		}
		if err := feed.CheckEtag(req.GetEtag(), x.GetName(), seq); err != nil {
			return err
		}
		if standing(x, tx.Now()) != caseworkv1.AppointmentState_APPOINTMENT_STATE_BOOKED {
			return fault.AppointmentClosed.New()
		}
		x.State = caseworkv1.AppointmentState_APPOINTMENT_STATE_CANCELLED
		if err := closeAppointment(ctx, tx, x, seq, "appointment.cancelled", note); err != nil {
			return err
		}
		return store.GiveSlotBack(ctx, tx, centre, timeOf(x.GetStartTime()))
	})
}

func closeAppointment(ctx context.Context, tx *db.Tx, x *caseworkv1.Appointment, seq int64, event string, note func(feed.Draft) error) error {
	x.Etag = feed.Etag(x.GetName(), seq+1)
	data, err := proto.Marshal(x)
	if err != nil {
		return err
	}
	if err := note(feed.Draft{Subject: x.GetName(), Sequence: seq + 1, Type: event, Resource: x}); err != nil {
		return err
	}
	return store.CloseAppointment(ctx, tx, store.Blob{Name: x.GetName(), Seq: seq + 1, Data: data})
}

// standing is an appointment's state now: that nobody came shows by the day alone, and
// nothing has to be written for it.
func standing(x *caseworkv1.Appointment, now time.Time) caseworkv1.AppointmentState {
	if x.GetState() == caseworkv1.AppointmentState_APPOINTMENT_STATE_BOOKED && workday.DateOf(now) > workday.DateOf(timeOf(x.GetStartTime())) {
		return caseworkv1.AppointmentState_APPOINTMENT_STATE_MISSED
	}
	return x.GetState()
}

// ListAppointments lists a person's appointments, or to a window those of a day.
func (s *Service) ListAppointments(ctx context.Context, req *caseworkv1.ListAppointmentsRequest) (*caseworkv1.ListAppointmentsResponse, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	f := store.AppointmentFilter{Centre: req.GetParent(), Size: size + 1, Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	if a.Scope == optionsv1.Scope_SCOPE_OWN {
		f.Holder = a.IdentityKey
	}
	if f.Holder == "" && !atWindow(a) {
		return nil, fault.PermissionDenied.New()
	}
	if req.GetDate() != "" || f.Holder == "" {
		day, err := dateField("date", req.GetDate())
		if err != nil {
			return nil, err
		}
		var begin time.Time
		begin, f.Until = dayBounds(day)
		f.AfterStart = db.Micros(begin)
	}
	hash := page.FilterHash("ListAppointments", req.GetParent(), req.GetDate(), f.Holder)
	key, err := s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return nil, err
	}
	if len(key) == 2 {
		if f.AfterStart, err = strconv.ParseInt(key[0], 10, 64); err != nil {
			return nil, fault.BadPageToken.New(fault.Cause(err))
		}
		f.AfterName = key[1]
	}
	rows, err := store.Appointments(ctx, s.db.Read(), f)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListAppointmentsResponse{}
	for i, r := range rows {
		if i == size {
			last := rows[size-1]
			res.NextPageToken = s.pages.Encode(a.Subject, hash, strconv.FormatInt(last.StartAt, 10), last.Name)
			break
		}
		x, err := unmarshal(r.Data, &caseworkv1.Appointment{})
		if err != nil {
			return nil, err
		}
		x.State = standing(x, s.clock.Now())
		res.Appointments = append(res.Appointments, x)
	}
	return res, nil
}
