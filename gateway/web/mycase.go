package web

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// caseView is one case with its history.
type caseView struct {
	Token, RequestID string
	Case             *caseworkv1.Case
	Events           []*caseworkv1.CaseEvent
	Note             string
	Draft            string
	Withdrawable     bool
}

// myCase shows a case of one's own, or one that is followed for somebody.
func (s *Site) myCase(w http.ResponseWriter, r *http.Request, c *session) {
	name := "halls/" + r.PathValue("hall") + "/cases/" + r.PathValue("no")
	kase, err := s.cfg.Clients.Casework.GetCase(r.Context(), &caseworkv1.GetCaseRequest{Name: name})
	if err != nil {
		s.problem(w, r, err)
		return
	}
	if r.Method == http.MethodPost {
		_, err := s.cfg.Clients.Casework.WithdrawCase(r.Context(), &caseworkv1.WithdrawCaseRequest{
			Name: name, Etag: r.PostForm.Get("etag"), RequestId: r.PostForm.Get("request_id"), Reason: strings.TrimSpace(r.PostForm.Get("reason")),
		})
		if err != nil {
			s.problem(w, r, err)
			return
		}
		http.Redirect(w, r, casePath(name)+"?done=withdraw", http.StatusSeeOther)
		return
	}
	events, err := s.cfg.Clients.Casework.ListCaseEvents(r.Context(), &caseworkv1.ListCaseEventsRequest{Parent: name})
	if err != nil {
		s.problem(w, r, err)
		return
	}
	v := caseView{
		Token: s.signIn.cookies.formToken(c), RequestID: uuid.NewString(), Case: kase, Events: events.GetEvents(), Note: notes[r.URL.Query().Get("done")],
		Withdrawable: kase.GetDecision() == nil && kase.GetFinish() == nil && kase.GetEndTime() == nil && kase.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT,
	}
	if kase.GetState() == caseworkv1.CaseState_CASE_STATE_DRAFT {
		v.Draft = "/apply/" + hallOf(kase.GetItem()) + "/" + lastPart(kase.GetItem()) + "?draft=" + lastPart(name)
	}
	s.show(w, r, "case", http.StatusOK, page{Title: kase.GetItemTitle(), Data: v})
}

// casePath is the address of a case's page.
func casePath(name string) string { return "/my/cases/" + hallOf(name) + "/" + lastPart(name) }
