package casework

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

func init() {
	everybody["admin"] = staff("admin", "441300", "", optionsv1.Role_ROLE_ADMIN)
	everybody["window2"] = staff("window2", "441300", "", optionsv1.Role_ROLE_WINDOW)
	for i := range 40 {
		login := "person" + strconv.Itoa(i)
		everybody[login] = &authn.Principal{
			Subject: "user/" + login, Name: login, Roles: []optionsv1.Role{optionsv1.Role_ROLE_APPLICANT}, IdentityKey: "key of " + login,
		}
	}
}

const centreName = hallName + "/centres/main"

// counter is a hall with a centre of two windows: 1 for everything, 2 for one department.
type counter struct {
	*hall
	caseworkv1.CounterServiceClient
	centre *caseworkv1.Centre
}

func withCentre(h *hall) *counter {
	h.t.Helper()
	c := &counter{hall: h, CounterServiceClient: caseworkv1.NewCounterServiceClient(h.conn)}
	var err error
	c.centre, err = c.CreateCentre(as(h.t.Context(), "admin"), &caseworkv1.CreateCentreRequest{
		Parent: hallName, CentreId: "main", RequestId: newID(), Centre: &caseworkv1.Centre{
			DisplayName: "市政务服务中心", StreetAddress: "云山西路6号", ConsultPhone: "0752-2898801", SlotStarts: []string{"09:00", "10:30"}, SlotCapacity: 2, BookingDays: 7,
			Windows: []*caseworkv1.Window{{Id: "1", DisplayName: "综合窗口"}, {Id: "2", DisplayName: "专窗", Departments: []string{deptName}}},
		},
	})
	if err != nil {
		h.t.Fatal(explain(err))
	}
	return c
}

func (c *counter) take(login, department, appointment string) (*caseworkv1.Ticket, error) {
	return c.TakeTicket(as(c.t.Context(), login), &caseworkv1.TakeTicketRequest{Parent: centreName, Department: department, Appointment: appointment, RequestId: newID()})
}

func (c *counter) taken(login, department, appointment string) *caseworkv1.Ticket {
	c.t.Helper()
	t, err := c.take(login, department, appointment)
	if err != nil {
		c.t.Fatalf("%s takes a ticket: %s", login, explain(err))
	}
	return t
}

func (c *counter) call(login, window string) (*caseworkv1.Ticket, error) {
	return c.CallNextTicket(as(c.t.Context(), login), &caseworkv1.CallNextTicketRequest{Parent: centreName, Window: window, RequestId: newID()})
}

func (c *counter) book(login string, at time.Time) (*caseworkv1.Appointment, error) {
	return c.BookAppointment(as(c.t.Context(), login), &caseworkv1.BookAppointmentRequest{Parent: centreName, Item: promisedItem, StartTime: timestamppb.New(at), RequestId: newID()})
}

func (c *counter) left(date string) map[string]int32 {
	c.t.Helper()
	res, err := c.ListSlots(as(c.t.Context(), "ada"), &caseworkv1.ListSlotsRequest{Parent: centreName, Date: date})
	if err != nil {
		c.t.Fatal(explain(err))
	}
	out := map[string]int32{}
	for _, s := range res.GetSlots() {
		out[s.GetStartTime().AsTime().In(workday.Zone).Format("15:04")] = s.GetLeft()
	}
	return out
}

func TestCentre(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := withCentre(h)
		changed := proto.CloneOf(c.centre)
		changed.SlotCapacity = 3
		id := newID()
		update := func() (*caseworkv1.Centre, error) {
			return c.UpdateCentre(as(h.t.Context(), "admin"), &caseworkv1.UpdateCentreRequest{Centre: changed, RequestId: id})
		}
		first, err := update()
		if err != nil || first.GetSlotCapacity() != 3 || first.GetEtag() == c.centre.GetEtag() {
			h.t.Fatalf("updated: %v, %s", first, explain(err))
		}
		if again, err := update(); err != nil || !proto.Equal(again, first) {
			h.t.Errorf("repeated: %v, %s", again, explain(err))
		}
		id = newID()
		_, err = update()
		h.refusedWith(err, fault.ETagStale)
		changed.Etag, changed.SlotStarts = first.GetEtag(), []string{"10:00", "09:00"}
		_, err = update()
		h.refusedWith(err, fault.InvalidArgument)
		_, err = c.CreateCentre(as(h.t.Context(), "admin"), &caseworkv1.CreateCentreRequest{Parent: hallName, CentreId: "main", Centre: c.centre, RequestId: newID()})
		h.refusedWith(err, fault.AlreadyExists)
		_, err = c.CreateCentre(as(h.t.Context(), "window"), &caseworkv1.CreateCentreRequest{Parent: hallName, CentreId: "x", Centre: c.centre, RequestId: newID()})
		h.refusedWith(err, fault.PermissionDenied)
		list, err := c.ListCentres(h.t.Context(), &caseworkv1.ListCentresRequest{Parent: hallName})
		if err != nil || len(list.GetCentres()) != 1 || !proto.Equal(list.GetCentres()[0], first) {
			h.t.Errorf("listed: %v, %s", list, explain(err))
		}
	})
}

func TestAppointments(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := withCentre(h)
		nine := time.Date(2026, 3, 3, 9, 0, 0, 0, workday.Zone)
		x, err := c.book("ada", nine)
		if err != nil || x.GetState() != caseworkv1.AppointmentState_APPOINTMENT_STATE_BOOKED || x.GetDepartment() != deptName {
			h.t.Fatalf("booked: %v, %s", x, explain(err))
		}
		if _, err := c.book("bob", nine); err != nil {
			h.t.Fatal(explain(err))
		}
		_, err = c.book("company", nine)
		h.refusedWith(err, fault.SlotFull)
		if left := c.left("2026-03-03"); left["09:00"] != 0 || left["10:30"] != 2 {
			h.t.Errorf("left: %v", left)
		}
		if left := c.left("2026-03-07"); len(left) != 0 {
			h.t.Errorf("Saturday offers %v", left)
		}
		_, err = c.book("ada", nine.Add(time.Minute))
		h.refusedWith(err, fault.SlotNotOffered)
		cancel := func(login string) (*caseworkv1.Appointment, error) {
			return c.CancelAppointment(as(h.t.Context(), login), &caseworkv1.CancelAppointmentRequest{Name: x.GetName(), Etag: x.GetEtag(), RequestId: newID()})
		}
		_, err = cancel("bob")
		h.refusedWith(err, fault.NotFound)
		gone, err := cancel("ada")
		if err != nil || gone.GetState() != caseworkv1.AppointmentState_APPOINTMENT_STATE_CANCELLED || c.left("2026-03-03")["09:00"] != 1 {
			h.t.Errorf("cancelled: %v, %s, left %v", gone, explain(err), c.left("2026-03-03"))
		}
		x = gone
		_, err = cancel("ada")
		h.refusedWith(err, fault.AppointmentClosed)
		own, err := c.ListAppointments(as(h.t.Context(), "bob"), &caseworkv1.ListAppointmentsRequest{Parent: centreName})
		if err != nil || len(own.GetAppointments()) != 1 {
			h.t.Errorf("bob's: %v, %s", own, explain(err))
		}
		day, err := c.ListAppointments(as(h.t.Context(), "window"), &caseworkv1.ListAppointmentsRequest{Parent: centreName, Date: "2026-03-03", PageSize: 1})
		if err != nil || len(day.GetAppointments()) != 1 || day.GetNextPageToken() == "" {
			h.t.Errorf("the day's: %v, %s", day, explain(err))
		}
		h.clock.Set(nine.AddDate(0, 0, 1))
		own, err = c.ListAppointments(as(h.t.Context(), "bob"), &caseworkv1.ListAppointmentsRequest{Parent: centreName})
		if err != nil || own.GetAppointments()[0].GetState() != caseworkv1.AppointmentState_APPOINTMENT_STATE_MISSED {
			h.t.Errorf("nobody came: %v, %s", own, explain(err))
		}
	})
}

func TestSlotsAreNotOverbooked(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := withCentre(h)
		nine := time.Date(2026, 3, 3, 9, 0, 0, 0, workday.Zone)
		var all sync.WaitGroup
		var mu sync.Mutex
		got := map[bool]int{}
		for i := range 12 {
			all.Go(func() {
				_, err := c.book("person"+strconv.Itoa(i), nine)
				mu.Lock()
				defer mu.Unlock()
				got[err == nil]++
			})
		}
		all.Wait()
		if got[true] != 2 || got[false] != 10 {
			h.t.Errorf("booked %d times, refused %d; there are 2 places", got[true], got[false])
		}
	})
}

func TestQueue(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := withCentre(h)
		nine := time.Date(2026, 3, 3, 9, 0, 0, 0, workday.Zone)
		x, err := c.book("ada", nine)
		if err != nil {
			h.t.Fatal(explain(err))
		}
		_, err = c.take("ada", "", x.GetName())
		h.refusedWith(err, fault.AppointmentTooSoon)
		h.clock.Set(nine.Add(-10 * time.Minute))
		first := c.taken("window", "", "") // for whoever stands there
		h.clock.Set(nine.Add(-5 * time.Minute))
		booked := c.taken("ada", "", x.GetName())
		if booked.GetNumber() != "Y002" || booked.GetDepartment() != deptName || !booked.GetWaitStartTime().AsTime().Equal(nine) {
			h.t.Errorf("with an appointment: %v", booked)
		}
		_, err = c.take("ada", "", "")
		h.refusedWith(err, fault.AlreadyWaiting)
		h.clock.Set(nine.Add(5 * time.Minute))
		late := c.taken("bob", deptName, "")
		got, err := c.GetTicket(as(h.t.Context(), "bob"), &caseworkv1.GetTicketRequest{Name: late.GetName()})
		if err != nil || got.GetAhead() != 2 {
			h.t.Errorf("bob's ticket: %v, %s", got, explain(err))
		}
		_, err = c.GetTicket(as(h.t.Context(), "ada"), &caseworkv1.GetTicketRequest{Name: late.GetName()})
		h.refusedWith(err, fault.NotFound)

		// Window 2 serves one department only, so it passes over who came first.
		h.clock.Set(nine.Add(10 * time.Minute))
		for _, want := range []struct{ window, name string }{{"2", booked.GetName()}, {"1", first.GetName()}, {"1", late.GetName()}} {
			called, err := c.call("window", want.window)
			if err != nil || called.GetName() != want.name {
				h.t.Errorf("window %s calls %v, %s", want.window, called, explain(err))
			}
		}
		_, err = c.call("window", "1")
		h.refusedWith(err, fault.NobodyWaits)
		_, err = c.call("window", "9")
		h.refusedWith(err, fault.WindowUnknown)
		status, err := c.GetCentreStatus(h.t.Context(), &caseworkv1.GetCentreStatusRequest{Name: centreName})
		// Waited: 20 minutes, 10 from the booked time, and 5.
		if err != nil || status.GetCalledToday() != 3 || status.GetWaiting() != 0 || status.GetMeanWaitSeconds() != (20+10+5)*60/3 || len(status.GetCalled()) != 3 {
			h.t.Errorf("status: %v, %s", status, explain(err))
		}
		c.closeAll(booked, late)
	})
}

func (c *counter) closeAll(served, missed *caseworkv1.Ticket) {
	c.t.Helper()
	read := func(name string) *caseworkv1.Ticket {
		t, err := c.GetTicket(as(c.t.Context(), "window"), &caseworkv1.GetTicketRequest{Name: name})
		if err != nil {
			c.t.Fatal(explain(err))
		}
		return t
	}
	end := func(t *caseworkv1.Ticket, missed bool) (*caseworkv1.Ticket, error) {
		return c.CloseTicket(as(c.t.Context(), "window"), &caseworkv1.CloseTicketRequest{Name: t.GetName(), Missed: missed, Etag: t.GetEtag(), RequestId: newID()})
	}
	if t, err := end(read(served.GetName()), false); err != nil || t.GetState() != caseworkv1.TicketState_TICKET_STATE_SERVED {
		c.t.Errorf("served: %v, %s", t, explain(err))
	}
	if t, err := end(read(missed.GetName()), true); err != nil || t.GetState() != caseworkv1.TicketState_TICKET_STATE_MISSED {
		c.t.Errorf("missed: %v, %s", t, explain(err))
	}
	_, err := end(read(served.GetName()), true)
	c.refusedWith(err, fault.TicketWrongState)
	_, err = c.LeaveQueue(as(c.t.Context(), "ada"), &caseworkv1.LeaveQueueRequest{Name: served.GetName(), Etag: read(served.GetName()).GetEtag(), RequestId: newID()})
	c.refusedWith(err, fault.TicketWrongState)
}

// Forty people draw at once and four windows call at once: every number is given once,
// and everybody is called once.
func TestQueueUnderPressure(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := withCentre(h)
		var mu sync.Mutex
		numbers, called := map[string]int{}, map[string]int{}
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				for {
					t, err := c.take("person"+strconv.Itoa(i), "", "")
					if err != nil && errors.Is(fault.Of(err), fault.Conflict) {
						continue // as the contract asks: try again
					}
					mu.Lock()
					defer mu.Unlock()
					if numbers[t.GetNumber()]++; err != nil {
						h.t.Error(explain(err))
					}
					return
				}
			})
		}
		all.Wait()
		for w := range 4 {
			all.Go(func() {
				for {
					t, err := c.call([]string{"window", "window2"}[w%2], "1")
					if err != nil && errors.Is(fault.Of(err), fault.Conflict) {
						continue
					}
					if err != nil {
						if !errors.Is(fault.Of(err), fault.NobodyWaits) {
							h.t.Error(explain(err))
						}
						return
					}
					mu.Lock()
					called[t.GetNumber()]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(numbers) != 40 || len(called) != 40 {
			h.t.Fatalf("%d numbers drawn, %d called, of 40", len(numbers), len(called))
		}
		for n, times := range called {
			if times != 1 || numbers[n] != 1 {
				h.t.Errorf("%s drawn %d times, called %d", n, numbers[n], times)
			}
		}
	})
}

func TestCarryDraft(t *testing.T) {
	eachHall(t, func(h *hall) {
		c := withCentre(h)
		ada, window := as(h.t.Context(), "ada"), as(h.t.Context(), "window")
		f := filing(promisedItem)
		f.Case.Channel = caseworkv1.Channel_CHANNEL_MOBILE
		draft, err := h.client.CreateCase(ada, &caseworkv1.CreateCaseRequest{Parent: hallName, Case: f.Case, RequestId: newID()})
		if err != nil {
			h.t.Fatal(explain(err))
		}
		_, err = h.client.GetCase(window, &caseworkv1.GetCaseRequest{Name: draft.GetName()})
		h.refusedWith(err, fault.NotFound)
		req := &caseworkv1.CarryDraftRequest{Name: draft.GetName(), Etag: draft.GetEtag(), RequestId: newID()}
		code, err := c.CarryDraft(ada, req)
		if err != nil || len(code.GetCode()) != 8 {
			h.t.Fatalf("code %v, %s", code, explain(err))
		}
		if again, err := c.CarryDraft(ada, req); err != nil || again.GetCode() != code.GetCode() {
			h.t.Errorf("again another code: %v, %s", again, explain(err))
		}
		_, err = c.CarryDraft(as(h.t.Context(), "bob"), req)
		h.refusedWith(err, fault.NotFound)
		over := &caseworkv1.TakeOverDraftRequest{Parent: hallName, Code: code.GetCode(), RequestId: newID()}
		taken, err := c.TakeOverDraft(window, over)
		if err != nil || !taken.GetOnBehalf() || taken.GetCarriedFrom() != caseworkv1.Channel_CHANNEL_MOBILE || taken.GetChannel() != caseworkv1.Channel_CHANNEL_WINDOW {
			h.t.Fatalf("taken over: %v, %s", taken, explain(err))
		}
		if again, err := c.TakeOverDraft(window, over); err != nil || !proto.Equal(again, taken) {
			h.t.Errorf("repeated: %v, %s", again, explain(err))
		}
		_, err = c.TakeOverDraft(as(h.t.Context(), "window2"), &caseworkv1.TakeOverDraftRequest{Parent: hallName, Code: code.GetCode(), RequestId: newID()})
		h.refusedWith(err, fault.CodeInvalid)
		submit := &caseworkv1.SubmitCaseRequest{Name: draft.GetName(), Etag: taken.GetEtag(), RequestId: newID()}
		_, err = h.client.SubmitCase(window, submit)
		h.refusedWith(err, fault.ConsentRequired)
		submit.Consent = true
		filed, err := h.client.SubmitCase(window, submit)
		if err != nil || filed.GetVisits() != 1 || filed.GetCarriedFrom() != caseworkv1.Channel_CHANNEL_MOBILE || filed.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED {
			h.t.Fatalf("submitted: %v, %s", filed, explain(err))
		}
		events, err := h.client.ListCaseEvents(ada, &caseworkv1.ListCaseEventsRequest{Parent: draft.GetName()})
		var ways []string
		for _, e := range events.GetEvents() {
			ways = append(ways, strings.TrimPrefix(e.GetChannel().String(), "CHANNEL_"))
		}
		if err != nil || strings.Join(ways, " ") != "MOBILE WINDOW WINDOW" {
			h.t.Errorf("came by %v, %s", ways, explain(err))
		}
	})
}

func TestCarryCodeRunsOut(t *testing.T) {
	h := oneHall(t)
	c := withCentre(h)
	draft, err := h.client.CreateCase(as(t.Context(), "ada"), &caseworkv1.CreateCaseRequest{Parent: hallName, Case: filing(promisedItem).Case, RequestId: newID()})
	if err != nil {
		t.Fatal(explain(err))
	}
	code, err := c.CarryDraft(as(t.Context(), "ada"), &caseworkv1.CarryDraftRequest{Name: draft.GetName(), Etag: draft.GetEtag(), RequestId: newID()})
	if err != nil {
		t.Fatal(explain(err))
	}
	h.clock.Advance(30 * time.Minute)
	_, err = c.TakeOverDraft(as(t.Context(), "window"), &caseworkv1.TakeOverDraftRequest{Parent: hallName, Code: code.GetCode(), RequestId: newID()})
	h.refusedWith(err, fault.CodeInvalid)
	_, err = c.TakeOverDraft(as(t.Context(), "elsewhere"), &caseworkv1.TakeOverDraftRequest{Parent: "halls/441302", Code: code.GetCode(), RequestId: newID()})
	h.refusedWith(err, fault.CodeInvalid)
}

// TestCounterExample runs the table of docs/counter.md.
func TestCounterExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/counter.md")
	if err != nil {
		t.Fatal(err)
	}
	c := withCentre(oneHall(t))
	numbers := map[string]*caseworkv1.Ticket{}
	var x *caseworkv1.Appointment
	rows := 0
	for _, l := range strings.Split(string(page), "\n") {
		if !strings.HasPrefix(l, "| 2026") {
			continue
		}
		cell := strings.Split(strings.TrimSuffix(strings.TrimPrefix(l, "|"), "|"), "|")
		for i := range cell {
			cell[i] = strings.TrimSpace(cell[i])
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", cell[0], workday.Zone)
		if err != nil {
			t.Fatal(err)
		}
		rows++
		c.clock.Set(at)
		var got *caseworkv1.Ticket
		switch what := cell[2]; what {
		case "books 09:00 of 3 March":
			x, err = c.book(cell[1], time.Date(2026, 3, 3, 9, 0, 0, 0, workday.Zone))
			got = &caseworkv1.Ticket{}
		case "draws with the appointment":
			got, err = c.take(cell[1], "", x.GetName())
		case "draws":
			got, err = c.take(cell[1], "", "")
		default:
			got, err = c.call(cell[1], strings.TrimPrefix(what, "calls to window "))
		}
		if err != nil {
			t.Fatalf("row %d: %s", rows, explain(err))
		}
		numbers[got.GetNumber()] = got
		said := strings.TrimSpace(got.GetNumber())
		if got.WaitSeconds != nil {
			said += ", waited " + strconv.Itoa(int(got.GetWaitSeconds())/60) + " min"
		}
		if said != cell[3] {
			t.Errorf("row %d: %q, the page says %q", rows, said, cell[3])
		}
	}
	if rows != 6 {
		t.Errorf("the page has %d rows", rows)
	}
}
