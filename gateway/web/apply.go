package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/form"
)

// applyView is the one page on which an application is filled in.
type applyView struct {
	Item      *cataloguev1.Item
	Schema    *form.Schema
	Fields    []*field
	Applicant *caseworkv1.Applicant
	Materials []material1
	// Kept are the applicant's own materials, which an application may name.
	Kept     []*caseworkv1.Material
	Mandates []*caseworkv1.Mandate
	Mandate  string
	Subject  string
	// Again tells that the same was filed a moment ago and is meant to be filed once more.
	Again bool
	// Draft and Etag are of the draft gone on with; RequestID makes a second click harmless.
	Draft, Etag, RequestID, Token string
	Revision                      int32
	// Errors are by field; Top those that have none on the page.
	Errors map[string]string
	Top    []string
	Wrong  []wrong
	// Case and Notice are of a supplement: then nothing else but the form is asked for.
	Case   *caseworkv1.Case
	Notice *caseworkv1.Supplement
}

// Action is where the page sends to.
func (v applyView) Action() string {
	if v.Case != nil {
		return casePath(v.Case.GetName()) + "/supplement"
	}
	return applyPath(v.Item.GetName())
}

// Reached tells that a mandate is for the item, so that its principal's form can be filled in.
func (v applyView) Reached(m *caseworkv1.Mandate) bool {
	return len(m.GetItems()) == 0 || slices.Contains(m.GetItems(), v.Item.GetName())
}

// applyPath is the address of the page on which an item is applied for.
func applyPath(item string) string { return "/apply/" + hallOf(item) + "/" + lastPart(item) }

// formSchema is an item's form.
type formSchema = form.Schema

// wrong is one line of the list at the top: what is wrong, and where.
type wrong struct{ ID, Title, Text string }

// material1 is one material with how it is to come.
type material1 struct {
	*cataloguev1.Material
	Way string
}

// application is what the page works on.
type application struct {
	item   *cataloguev1.Item
	schema *form.Schema
	// filled is the form, by the schema; known the paths that were not typed here.
	filled map[string]any
	known  map[string]bool
	blanks map[string]int
	view   applyView
}

// apply draws the page, and takes what it sends.
func (s *Site) apply(w http.ResponseWriter, r *http.Request, c *session) {
	a, err := s.open(r)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	a.view.Token = s.signIn.cookies.formToken(c)
	if r.Method != http.MethodPost {
		if err := s.begin(r, a); err != nil {
			s.problem(w, r, err)
			return
		}
		s.drawApply(w, r, a, http.StatusOK)
		return
	}
	op := a.takeOp(r.PostForm)
	if op != "save" && op != "submit" {
		s.drawApply(w, r, a, http.StatusOK, a.checked(op))
		return
	}
	done, err := s.send(r.Context(), a, op == "submit")
	if err == nil {
		http.Redirect(w, r, casePath(done.GetName())+"?done="+op, http.StatusSeeOther)
		return
	}
	// What the page can see for itself is told too, though the hall may have stopped at less.
	s.drawApply(w, r, a, statusOf(err), err, a.check(op == "submit"))
}

// takeOp reads what the browser sent, and does what the page itself can: add a row or
// take one away. It gives the button's word.
func (a *application) takeOp(sent url.Values) string {
	a.take(sent)
	op, name, _ := strings.Cut(sent.Get("op"), ":")
	switch op {
	case "add":
		a.blanks[name]++
	case "remove":
		remove(a.filled, name)
	}
	return op
}

// checked is what is wrong with the form, where the button asked for that.
func (a *application) checked(op string) error {
	if op == "add" || op == "remove" {
		return nil
	}
	return a.check(true)
}

// open reads the item and its form.
func (s *Site) open(r *http.Request) (*application, error) {
	name := "halls/" + r.PathValue("hall") + "/items/" + r.PathValue("code")
	item, err := s.cfg.Clients.Catalogue.GetItem(r.Context(), &cataloguev1.GetItemRequest{Name: name})
	if err != nil {
		return nil, err
	}
	a := newApplication(item, s.schemas.of(item))
	mandates, err := s.cfg.Clients.Applicant.ListMandates(r.Context(), &caseworkv1.ListMandatesRequest{Side: caseworkv1.MandateSide_MANDATE_SIDE_RECEIVED, PageSize: 200})
	if err != nil {
		return nil, err
	}
	for _, m := range mandates.GetMandates() {
		if m.GetState() == caseworkv1.MandateState_MANDATE_STATE_STANDING {
			a.view.Mandates = append(a.view.Mandates, m)
		}
	}
	if a.view.Kept, err = s.kept(r.Context()); err != nil {
		return nil, err
	}
	for _, m := range item.GetMaterials() {
		way := ""
		if m.GetNecessary() {
			way = "paper"
		}
		a.view.Materials = append(a.view.Materials, material1{m, way})
	}
	return a, nil
}

// begin fills the page with what is known, or with a draft.
func (s *Site) begin(r *http.Request, a *application) error {
	if no := r.URL.Query().Get("draft"); no != "" {
		return s.goOn(r, a, no)
	}
	mandate := r.URL.Query().Get("mandate")
	known, err := s.cfg.Clients.Applicant.PrefillForm(r.Context(), &caseworkv1.PrefillFormRequest{Item: a.item.GetName(), Mandate: mandate})
	if err != nil {
		return err
	}
	a.view.Applicant, a.view.Mandate = known.GetApplicant(), mandate
	if known.GetForm() != nil {
		a.filled = known.GetForm().AsMap()
	}
	for _, f := range known.GetFields() {
		a.known[f.GetPath()] = true
	}
	return nil
}

// goOn fills the page with a draft of the same item.
func (s *Site) goOn(r *http.Request, a *application, no string) error {
	name := "halls/" + r.PathValue("hall") + "/cases/" + no
	c, err := s.cfg.Clients.Casework.GetCase(r.Context(), &caseworkv1.GetCaseRequest{Name: name})
	if err != nil {
		return err
	}
	if c.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT || c.GetItem() != a.item.GetName() {
		return fault.CaseWrongState
	}
	a.view.Applicant, a.view.Subject, a.view.Mandate = c.GetApplicant(), c.GetSubject(), c.GetMandate()
	a.view.Draft, a.view.Etag = name, c.GetEtag()
	if c.GetForm() != nil {
		a.filled = c.GetForm().AsMap()
	}
	for i := range a.view.Materials {
		a.view.Materials[i].Way = wayOf(c, a.view.Materials[i].GetId())
	}
	return nil
}

func wayOf(c *caseworkv1.Case, id string) string {
	for _, m := range c.GetMaterials() {
		switch {
		case m.GetMaterialId() != id:
		case m.GetMaterial() != "":
			return m.GetMaterial()
		case m.GetPaper():
			return "paper"
		case m.GetPromised():
			return "later"
		}
	}
	return ""
}

// send saves or submits the application.
func (s *Site) send(ctx context.Context, a *application, submit bool) (*caseworkv1.Case, error) {
	v := &a.view
	kase := &caseworkv1.Case{
		Name: v.Draft, Etag: v.Etag, Item: a.item.GetName(), Applicant: v.Applicant, Subject: v.Subject, Mandate: v.Mandate, Channel: caseworkv1.Channel_CHANNEL_WEB,
		Materials: a.materials(),
	}
	if a.schema != nil {
		filled, err := structpb.NewStruct(a.filled)
		if err != nil {
			return nil, fault.FormInvalid.New(fault.Cause(err))
		}
		kase.Form = filled
	}
	parent, casework := "halls/"+hallOf(a.item.GetName()), s.cfg.Clients.Casework
	switch {
	case v.Draft != "":
		saved, err := casework.UpdateCase(ctx, &caseworkv1.UpdateCaseRequest{Case: kase, RequestId: v.RequestID})
		if err != nil || !submit {
			return saved, err
		}
		v.Etag = saved.GetEtag()
		return casework.SubmitCase(ctx, &caseworkv1.SubmitCaseRequest{Name: v.Draft, Etag: saved.GetEtag(), RequestId: v.RequestID, AllowDuplicate: v.Again})
	case submit:
		return casework.FileCase(ctx, &caseworkv1.FileCaseRequest{Parent: parent, Case: kase, RequestId: v.RequestID, AllowDuplicate: v.Again})
	}
	return casework.CreateCase(ctx, &caseworkv1.CreateCaseRequest{Parent: parent, Case: kase, RequestId: v.RequestID})
}

// materials are those that come on paper, are promised, or are kept already.
func (a *application) materials() []*caseworkv1.CaseMaterial {
	var out []*caseworkv1.CaseMaterial
	for _, m := range a.view.Materials {
		switch {
		case strings.HasPrefix(m.Way, "materials/"):
			out = append(out, &caseworkv1.CaseMaterial{MaterialId: m.GetId(), Material: m.Way})
		case m.Way == "paper":
			out = append(out, &caseworkv1.CaseMaterial{MaterialId: m.GetId(), Paper: true})
		case m.Way == "later":
			out = append(out, &caseworkv1.CaseMaterial{MaterialId: m.GetId(), Promised: true})
		}
	}
	return out
}
