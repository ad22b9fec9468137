package web

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// centresView lists the centres of a hall, for staff to find theirs.
type centresView struct {
	Hall    string
	Halls   []*cataloguev1.Hall
	Centres []*caseworkv1.Centre
}

// centres is where staff of a window begin.
func (s *Site) centres(w http.ResponseWriter, r *http.Request, _ *session) {
	v := centresView{Hall: r.URL.Query().Get("hall")}
	halls, err := s.cfg.Clients.Catalogue.ListHalls(r.Context(), &cataloguev1.ListHallsRequest{ParentHall: "halls/" + s.cfg.Province, PageSize: 200})
	if err == nil && v.Hall != "" {
		var list *caseworkv1.ListCentresResponse
		list, err = s.cfg.Clients.Counter.ListCentres(r.Context(), &caseworkv1.ListCentresRequest{Parent: "halls/" + v.Hall, PageSize: 100})
		v.Centres = list.GetCentres()
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	v.Halls = halls.GetHalls()
	s.show(w, r, "centres", http.StatusOK, page{Title: "窗口叫号", Data: v})
}

// counterView is the queue of a centre as one window works it off.
type counterView struct {
	Token, RequestID, Path string
	Problem, Window        string
	Centre                 *caseworkv1.Centre
	Status                 *caseworkv1.CentreStatus
	// Ticket is the one that this window has called, with Minutes that its holder waited.
	// Who holds it is nowhere on the page.
	Ticket  *caseworkv1.Ticket
	Minutes int32
	Closed  string
}

// counter calls tickets to a window and closes them.
func (s *Site) counter(w http.ResponseWriter, r *http.Request, c *session) {
	name := "halls/" + r.PathValue("hall") + "/centres/" + r.PathValue("centre")
	v := counterView{Token: s.signIn.cookies.formToken(c), RequestID: uuid.NewString(), Path: r.URL.Path, Window: r.URL.Query().Get("window")}
	status := http.StatusOK
	if r.Method == http.MethodPost {
		t, err := s.workQueue(r, name)
		if err == nil {
			q := url.Values{"window": {t.GetWindow()}, "ticket": {t.GetName()[len(name)+len("/tickets/"):]}}
			http.Redirect(w, r, v.Path+"?"+q.Encode(), http.StatusSeeOther)
			return
		}
		v.Problem, status, v.Window = s.sentence(r.Context(), err), statusOf(err), r.PostForm.Get("window")
	}
	if err := s.seeQueue(r, name, &v); err != nil {
		s.problem(w, r, err)
		return
	}
	s.show(w, r, "counter", status, page{Title: v.Centre.GetDisplayName() + "：窗口叫号", Data: v})
}

// workQueue does what a button says.
func (s *Site) workQueue(r *http.Request, name string) (*caseworkv1.Ticket, error) {
	form, desk := r.PostForm, s.cfg.Clients.Counter
	switch op := form.Get("op"); op {
	case "call":
		return desk.CallNextTicket(r.Context(), &caseworkv1.CallNextTicketRequest{Parent: name, Window: form.Get("window"), RequestId: form.Get("request_id")})
	case "served", "missed":
		return desk.CloseTicket(r.Context(), &caseworkv1.CloseTicketRequest{
			Name: name + "/tickets/" + form.Get("ticket"), Missed: op == "missed", Etag: form.Get("etag"), RequestId: form.Get("request_id"),
		})
	}
	return nil, fault.InvalidArgument.New(fault.Field("op"))
}

// seeQueue reads the queue and the window's ticket.
func (s *Site) seeQueue(r *http.Request, name string, v *counterView) (err error) {
	ctx, desk := r.Context(), s.cfg.Clients.Counter
	if v.Centre, err = desk.GetCentre(ctx, &caseworkv1.GetCentreRequest{Name: name}); err != nil {
		return err
	}
	if v.Status, err = desk.GetCentreStatus(ctx, &caseworkv1.GetCentreStatusRequest{Name: name}); err != nil {
		return err
	}
	id := r.URL.Query().Get("ticket")
	if id == "" {
		return nil
	}
	if v.Ticket, err = desk.GetTicket(ctx, &caseworkv1.GetTicketRequest{Name: name + "/tickets/" + id}); err != nil {
		return err
	}
	v.Minutes, v.Closed = v.Ticket.GetWaitSeconds()/60, closedWords[v.Ticket.GetState()]
	return nil
}

// closedWords say how a ticket ended; nothing for one that has not.
var closedWords = map[caseworkv1.TicketState]string{
	caseworkv1.TicketState_TICKET_STATE_SERVED: "已办结", caseworkv1.TicketState_TICKET_STATE_MISSED: "已过号", caseworkv1.TicketState_TICKET_STATE_LEFT: "已离开",
}
