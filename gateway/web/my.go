package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// myView is one's own page.
type myView struct {
	Token   string
	Profile *caseworkv1.Profile
	Cases   []*caseworkv1.Case
	Next    string
	// Mandate tells that the cases are those of whoever gave it.
	Mandate         string
	Given, Received []*caseworkv1.Mandate
	RequestID       string
	Note            string
}

// my is one's own page: profile, cases and mandates.
func (s *Site) my(w http.ResponseWriter, r *http.Request, c *session) {
	v := myView{Token: s.signIn.cookies.formToken(c), RequestID: uuid.NewString(), Note: notes[r.URL.Query().Get("done")]}
	own, ctx := s.cfg.Clients.Applicant, r.Context()
	var err error
	if v.Profile, err = own.GetProfile(ctx, &caseworkv1.GetProfileRequest{}); err != nil {
		s.problem(w, r, err)
		return
	}
	v.Mandate = r.URL.Query().Get("mandate")
	cases, err := own.ListMyCases(ctx, &caseworkv1.ListMyCasesRequest{Mandate: v.Mandate, PageSize: 20, PageToken: r.URL.Query().Get("page")})
	if err != nil {
		s.problem(w, r, err)
		return
	}
	v.Cases = cases.GetCases()
	if token := cases.GetNextPageToken(); token != "" {
		next := url.Values{"page": {token}}
		if v.Mandate != "" {
			next.Set("mandate", v.Mandate)
		}
		v.Next = "/my?" + next.Encode()
	}
	for side, into := range map[caseworkv1.MandateSide]*[]*caseworkv1.Mandate{
		caseworkv1.MandateSide_MANDATE_SIDE_GIVEN: &v.Given, caseworkv1.MandateSide_MANDATE_SIDE_RECEIVED: &v.Received,
	} {
		list, err := own.ListMandates(ctx, &caseworkv1.ListMandatesRequest{Side: side})
		if err != nil {
			s.problem(w, r, err)
			return
		}
		*into = list.GetMandates()
	}
	s.show(w, r, "my", http.StatusOK, page{Title: "我的办事", Data: v})
}

// notes are what is said after something was done.
var notes = map[string]string{
	"profile": "个人信息已保存。", "mandate": "委托已生效。", "revoked": "委托已撤销。", "save": "已暂存，可以继续填写。", "submit": "申请已提交。请记下办件编号。",
	"withdraw": "申请已撤回。", "supplement": "补正内容已提交。", "material": "材料已保存，申请时可以选用。",
}

// profileView is the page on which the profile is edited.
type profileView struct {
	Token, RequestID string
	Profile          *caseworkv1.Profile
	Errors           map[string]string
	Top              string
}

// profile shows the profile in full to its owner, and saves it.
func (s *Site) profile(w http.ResponseWriter, r *http.Request, c *session) {
	v := profileView{Token: s.signIn.cookies.formToken(c), RequestID: uuid.NewString(), Errors: map[string]string{}}
	if r.Method != http.MethodPost {
		var err error
		if v.Profile, err = s.cfg.Clients.Applicant.GetProfile(r.Context(), &caseworkv1.GetProfileRequest{Full: true}); err != nil {
			s.problem(w, r, err)
			return
		}
		s.show(w, r, "profile", http.StatusOK, page{Title: "我的信息", Data: v})
		return
	}
	get := func(key string) string { return strings.TrimSpace(r.PostForm.Get(key)) }
	v.Profile = &caseworkv1.Profile{
		DisplayName: get("display_name"), IdNumber: squeeze(get("id_number")), Phone: get("phone"), Email: get("email"), Address: get("address"),
		DeliveryAddress: get("delivery_address"), ContactName: get("contact_name"), LegalRepresentative: get("legal_representative"),
		Language: get("language"), Etag: get("etag"), IdType: idType(get("id_type")),
	}
	_, err := s.cfg.Clients.Applicant.UpdateProfile(r.Context(), &caseworkv1.UpdateProfileRequest{Profile: v.Profile, RequestId: get("request_id")})
	if err == nil {
		http.Redirect(w, r, "/my?done=profile", http.StatusSeeOther)
		return
	}
	v.Top = s.sentence(r.Context(), err)
	for _, one := range fault.Of(err).Violations() {
		v.Errors[strings.TrimPrefix(one.Field, "profile.")] = one.ZH
	}
	s.show(w, r, "profile", statusOf(err), page{Title: "我的信息", Data: v})
}

func idType(word string) caseworkv1.IdType {
	if word == "uscc" {
		return caseworkv1.IdType_ID_TYPE_USCC
	}
	return caseworkv1.IdType_ID_TYPE_RESIDENT_ID
}

// mandateView is the page on which a mandate is given.
type mandateView struct {
	Token, RequestID string
	Mandate          *caseworkv1.Mandate
	Items            string
	From, Until      string
	Errors           map[string]string
	Top              string
}

// giveMandate shows the page, and gives the mandate.
func (s *Site) giveMandate(w http.ResponseWriter, r *http.Request, c *session) {
	v := mandateView{Token: s.signIn.cookies.formToken(c), RequestID: uuid.NewString(), Errors: map[string]string{}}
	v.Mandate = &caseworkv1.Mandate{Principal: &caseworkv1.Party{}, Agent: &caseworkv1.Party{}}
	if r.Method != http.MethodPost {
		p, err := s.cfg.Clients.Applicant.GetProfile(r.Context(), &caseworkv1.GetProfileRequest{Full: true})
		if err != nil {
			s.problem(w, r, err)
			return
		}
		v.Mandate.Principal = &caseworkv1.Party{DisplayName: p.GetDisplayName(), IdType: p.GetIdType(), IdNumber: p.GetIdNumber()}
		v.From, v.Until = s.today().Format(time.DateOnly), s.today().AddDate(1, 0, 0).Format(time.DateOnly)
		s.show(w, r, "mandate", http.StatusOK, page{Title: "委托他人办理", Data: v})
		return
	}
	get := func(key string) string { return strings.TrimSpace(r.PostForm.Get(key)) }
	party := func(side string) *caseworkv1.Party {
		return &caseworkv1.Party{DisplayName: get(side + ".display_name"), IdType: idType(get(side + ".id_type")), IdNumber: squeeze(get(side + ".id_number"))}
	}
	v.From, v.Until, v.Items = get("from"), get("until"), get("items")
	v.Mandate = &caseworkv1.Mandate{Principal: party("principal"), Agent: party("agent"), Items: strings.Fields(v.Items), AllCases: get("all_cases") == "on"}
	err := s.period(v.Mandate, v.From, v.Until)
	if err == nil {
		_, err = s.cfg.Clients.Applicant.CreateMandate(r.Context(), &caseworkv1.CreateMandateRequest{Mandate: v.Mandate, RequestId: get("request_id")})
	}
	if err == nil {
		http.Redirect(w, r, "/my?done=mandate", http.StatusSeeOther)
		return
	}
	v.Top = s.sentence(r.Context(), err)
	for _, one := range fault.Of(err).Violations() {
		v.Errors[strings.TrimPrefix(one.Field, "mandate.")] = one.ZH
	}
	s.show(w, r, "mandate", statusOf(err), page{Title: "委托他人办理", Data: v})
}

// period reads the days of a mandate: from the first moment of one, or from now, to the
// last of the other.
func (s *Site) period(m *caseworkv1.Mandate, from, until string) error {
	last, err := time.ParseInLocation(time.DateOnly, until, china)
	if err != nil {
		return fault.MandatePeriod.New(fault.Field("mandate.end_time"))
	}
	m.EndTime = timestamppb.New(last.AddDate(0, 0, 1))
	first, err := time.ParseInLocation(time.DateOnly, from, china)
	if err != nil && from != "" {
		return fault.MandatePeriod.New(fault.Field("mandate.start_time"))
	}
	if first.After(s.cfg.Clock.Now()) {
		m.StartTime = timestamppb.New(first)
	}
	return nil
}

// endMandate takes a mandate back, or lays it down.
func (s *Site) endMandate(w http.ResponseWriter, r *http.Request, _ *session) {
	_, err := s.cfg.Clients.Applicant.RevokeMandate(r.Context(), &caseworkv1.RevokeMandateRequest{
		Name: r.PostForm.Get("name"), Etag: r.PostForm.Get("etag"), RequestId: r.PostForm.Get("request_id"),
	})
	if err != nil && !errors.Is(fault.Of(err), fault.MandateRevoked) {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/my?done=revoked", http.StatusSeeOther)
}
