package web

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// supplement is the page on which an applicant brings what a notice asks for: the form as
// it was filled in, to be put right, and the materials named.
func (s *Site) supplement(w http.ResponseWriter, r *http.Request, c *session) {
	a, err := s.openCase(r)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	a.view.Token = s.signIn.cookies.formToken(c)
	if r.Method != http.MethodPost {
		if filled := a.view.Case.GetForm(); filled != nil {
			a.filled = filled.AsMap()
		}
		s.drawApply(w, r, a, http.StatusOK)
		return
	}
	op := a.takeOp(r.PostForm)
	if op != "submit" {
		s.drawApply(w, r, a, http.StatusOK, a.checked(op))
		return
	}
	err = s.bring(r, a)
	if err == nil {
		http.Redirect(w, r, casePath(a.view.Case.GetName())+"?done=supplement", http.StatusSeeOther)
		return
	}
	s.drawApply(w, r, a, statusOf(err), err, a.check(true))
}

// openCase reads a case that waits for its applicant, and the item as it was when the
// case was filed.
func (s *Site) openCase(r *http.Request) (*application, error) {
	name := "halls/" + r.PathValue("hall") + "/cases/" + r.PathValue("no")
	kase, err := s.cfg.Clients.Casework.GetCase(r.Context(), &caseworkv1.GetCaseRequest{Name: name})
	if err != nil {
		return nil, err
	}
	notices := kase.GetSupplements()
	if kase.GetState() != caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING || len(notices) == 0 {
		return nil, fault.CaseWrongState
	}
	rev, err := s.cfg.Clients.Catalogue.GetItemRevision(r.Context(), &cataloguev1.GetItemRevisionRequest{
		Name: kase.GetItem() + "/revisions/" + strconv.Itoa(int(kase.GetItemRevision())),
	})
	if err != nil {
		return nil, err
	}
	a := newApplication(rev.GetItem(), s.schemas.of(rev.GetItem()))
	a.view.Case, a.view.Notice, a.view.Etag = kase, notices[len(notices)-1], kase.GetEtag()
	if a.view.Kept, err = s.kept(r.Context()); err != nil {
		return nil, err
	}
	for _, m := range rev.GetItem().GetMaterials() {
		if ids := a.view.Notice.GetMaterialIds(); slices.Contains(ids, m.GetId()) {
			a.view.Materials = append(a.view.Materials, material1{m, "paper"})
		}
	}
	return a, nil
}

// newApplication is a page with nothing filled in yet.
func newApplication(item *cataloguev1.Item, schema *formSchema) *application {
	a := &application{item: item, schema: schema, filled: map[string]any{}, known: map[string]bool{}, blanks: map[string]int{}}
	a.view = applyView{Item: item, Schema: schema, Revision: item.GetRevision(), Applicant: &caseworkv1.Applicant{}, RequestID: uuid.NewString()}
	return a
}

// bring sends what the notice asked for.
func (s *Site) bring(r *http.Request, a *application) error {
	req := &caseworkv1.ReceiveSupplementRequest{
		Name: a.view.Case.GetName(), Etag: a.view.Etag, RequestId: a.view.RequestID, Channel: caseworkv1.Channel_CHANNEL_WEB, Materials: a.materials(),
	}
	if a.schema != nil {
		filled, err := structpb.NewStruct(a.filled)
		if err != nil {
			return fault.FormInvalid.New(fault.Cause(err))
		}
		req.Form = filled
	}
	_, err := s.cfg.Clients.Casework.ReceiveSupplement(r.Context(), req)
	return err
}
