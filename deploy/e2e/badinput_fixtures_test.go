package e2e

import (
	"context"
	"path/filepath"
	"time"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/sample"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
)

// fixtures are what the bad inputs are about.
type fixtures struct {
	// citizen owns the cases; other is another applicant; company a company.
	citizen, other, company sample.Applicant
	// A case of the citizen in each state, and how it was after its first event.
	draft, submitted, filed, accepted, examining, decided, finished, extended *caseworkv1.Case
	// others is the other applicant's case, abroad one of another city's hall.
	others, abroad *caseworkv1.Case
	paused         *cataloguev1.Item
	// used is a request that was carried out.
	used *caseworkv1.FileCaseRequest
}

// fixtures makes them through the API.
func (s *scene) fixtures() *fixtures {
	s.t.Helper()
	f := &fixtures{citizen: s.data.People[20], other: s.data.People[21], company: s.data.Companies[0]}
	ctx := s.t.Context()
	me := s.As(house.Applicant(f.citizen))
	f.draft = &caseworkv1.Case{}
	s.must("draft", me.Post(ctx, "/v1/"+s.hall+"/cases"+house.Query("requestId", newID()), house.Application(s.data.Items[house.Residence], f.citizen), f.draft))
	f.submitted = s.file(20, house.Hotel)
	f.filed = s.file(20, house.Hotel)
	f.accepted = s.act(s.window, f.filed, "accept", &caseworkv1.AcceptCaseRequest{})
	f.examining = s.act(s.officer, s.accepted(20, house.Hotel), "undertake", &caseworkv1.UndertakeCaseRequest{})
	f.decided = s.decided(s.accepted(20, house.Hotel))
	f.finished = s.finished(s.decided(s.accepted(20, house.Hotel)))
	f.extended = s.act(s.head, s.accepted(20, house.Hotel), "startSpecialProcedure", extension(10, "user/"+officerUser.Login))
	f.others = s.file(21, house.Residence)
	s.abroadCase(ctx, f)
	s.pausedItem(ctx, f)
	f.used = s.filing(f.citizen, house.Residence)
	req := house.Clone(f.used)
	req.Parent = ""
	s.must("file", me.Post(ctx, "/v1/"+s.hall+"/cases:file", req, nil))
	return f
}

func extension(days int32, requester string) *caseworkv1.StartSpecialProcedureRequest {
	return &caseworkv1.StartSpecialProcedureRequest{
		Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION, DisplayName: "延长审批期限", Ground: "案情复杂需要进一步核实有关情况",
		Requester: requester, Limit: days, LimitUnit: caseworkv1.TimeUnit_TIME_UNIT_WORKING_DAY,
	}
}

func (s *scene) abroadCase(ctx context.Context, f *fixtures) {
	s.t.Helper()
	f.abroad = &caseworkv1.Case{}
	req := &caseworkv1.FileCaseRequest{Case: house.Application(s.data.Abroad, f.other), RequestId: newID()}
	s.must("file abroad", s.As(house.Applicant(f.other)).Post(ctx, "/v1/halls/"+house.Foreign+"/cases:file", req, f.abroad))
}

// pausedItem pauses the record certificate and waits until casework has heard of it.
func (s *scene) pausedItem(ctx context.Context, f *fixtures) {
	s.t.Helper()
	f.paused = s.data.Items[house.Record]
	now := get(s, s.As(house.Admin()), "/v1/"+f.paused.GetName(), &cataloguev1.Item{})
	s.must("pause", s.As(publisherUser).Post(ctx, "/v1/"+f.paused.GetName()+":pause",
		&cataloguev1.PauseItemRequest{RequestId: newID(), Etag: now.GetEtag(), Reason: "依据正在修订"}, nil))
	who, client := s.person(22)
	house.Eventually(s.t, "casework knows of the pause", func(ctx context.Context) (bool, string) {
		req := s.filing(who, house.Record)
		req.Parent, req.Case.Materials = "", nil
		err := client.Post(ctx, "/v1/"+s.hall+"/cases:file", req, nil)
		r := s.refusal("file without materials", err)
		return r.Reason != "MATERIAL_MISSING", r.Reason
	})
}

// stale is a token that has expired: made with the hall's own key at another time.
func (s *scene) stale(u authn.User) string {
	s.t.Helper()
	return s.minted(filepath.Join(s.Dir(), "issuer.key"), u, time.Now().Add(-2*time.Hour))
}

// forged is a token with somebody else's key.
func (s *scene) forged(u authn.User) string {
	s.t.Helper()
	return s.minted("", u, time.Now())
}

func (s *scene) minted(key string, u authn.User, at time.Time) string {
	s.t.Helper()
	i, err := authn.NewIssuer(authn.IssuerConfig{URL: s.Issuer, KeyFile: key}, clock.NewVirtual(at))
	s.must("issuer", err)
	raw, err := i.Mint(u)
	s.must("mint", err)
	return raw
}

// citizenUser and the others are the fixtures' accounts.
func (r *badRun) citizenUser() *authn.User { u := house.Applicant(r.fix.citizen); return &u }
func (r *badRun) otherUser() *authn.User   { u := house.Applicant(r.fix.other); return &u }
func (r *badRun) companyUser() *authn.User { u := house.Applicant(r.fix.company); return &u }
