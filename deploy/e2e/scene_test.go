package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/load"
	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/deploy/sample"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
)

// scene is a hall with items and people.
type scene struct {
	*house.House
	t    *testing.T
	data *house.Data
	hall string // halls/{division} of the city

	window, officer, examiner, head, supervisor, analyst *restclient.Client
}

// People of the city's police, and those of the whole hall.
var (
	windowUser     = house.Post(house.City, house.Police, "window", 1)
	officerUser    = house.Post(house.City, house.Police, "officer", 1)
	examinerUser   = house.Post(house.City, house.Police, "officer", 2)
	headUser       = house.Post(house.City, house.Police, "head", 1)
	publisherUser  = house.Post(house.City, "", "publisher", 1)
	supervisorUser = house.Post(house.City, "", "supervisor", 1)
	analystUser    = house.Post(house.City, "", "analyst", 1)
)

// foreign is the same post in the other city.
func foreign(u authn.User) authn.User {
	return house.Post(house.Foreign, u.Department, u.Roles[0], 9)
}

// newScene starts a hall and loads it.
func newScene(t *testing.T, o house.Options) *scene {
	t.Helper()
	h := house.Start(t, o)
	s := &scene{House: h, t: t, data: h.Seed(), hall: load.HallName(house.City)}
	s.window, s.officer, s.examiner = h.As(windowUser), h.As(officerUser), h.As(examinerUser)
	s.head, s.supervisor, s.analyst = h.As(headUser), h.As(supervisorUser), h.As(analystUser)
	return s
}

// person is the REST client of the n-th invented person.
func (s *scene) person(n int) (sample.Applicant, *restclient.Client) {
	a := s.data.People[n]
	return a, s.As(house.Applicant(a))
}

// filing is a complete filing for an item, which may be the same as one a moment ago.
func (s *scene) filing(a sample.Applicant, item string) *caseworkv1.FileCaseRequest {
	return &caseworkv1.FileCaseRequest{Parent: s.hall, Case: house.Application(s.data.Items[item], a), RequestId: uuid.NewString(), AllowDuplicate: true}
}

// file files an application online.
func (s *scene) file(n int, item string) *caseworkv1.Case {
	s.t.Helper()
	a, c := s.person(n)
	made := &caseworkv1.Case{}
	req := s.filing(a, item)
	req.Parent = ""
	s.must("file "+item, c.Post(s.t.Context(), "/v1/"+s.hall+"/cases:file", req, made))
	return made
}

// act takes a step in a case and returns the case after it.
func (s *scene) act(by *restclient.Client, c *caseworkv1.Case, verb string, req proto.Message) *caseworkv1.Case {
	s.t.Helper()
	after := &caseworkv1.Case{}
	s.must(verb, act(s.t.Context(), by, c, verb, req, after))
	return after
}

// act fills in the request id, unless there is one, and the etag.
func act(ctx context.Context, by *restclient.Client, c *caseworkv1.Case, verb string, req proto.Message, after *caseworkv1.Case) error {
	m := req.ProtoReflect()
	if id := field(m, "request_id"); !m.Has(id) {
		m.Set(id, protoreflect.ValueOfString(uuid.NewString()))
	}
	m.Set(field(m, "etag"), protoreflect.ValueOfString(c.GetEtag()))
	return by.Post(ctx, "/v1/"+c.GetName()+":"+verb, req, after)
}

func field(m protoreflect.Message, name string) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(protoreflect.Name(name))
}

// accepted brings a new case of a person to acceptance.
func (s *scene) accepted(n int, item string) *caseworkv1.Case {
	s.t.Helper()
	return s.act(s.window, s.file(n, item), "accept", &caseworkv1.AcceptCaseRequest{})
}

// decided brings an accepted case to a grant, by all the steps a licence needs.
func (s *scene) decided(c *caseworkv1.Case) *caseworkv1.Case {
	s.t.Helper()
	c = s.act(s.officer, c, "undertake", &caseworkv1.UndertakeCaseRequest{Opinion: "材料齐全，拟予受理"})
	c = s.act(s.examiner, c, "examine", &caseworkv1.ExamineCaseRequest{Opinion: "符合条件"})
	c = s.act(s.head, c, "approve", &caseworkv1.ApproveCaseRequest{Opinion: "同意"})
	return s.act(s.head, c, "decide", &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED})
}

// finished brings a decided case to its end.
func (s *scene) finished(c *caseworkv1.Case) *caseworkv1.Case {
	s.t.Helper()
	return s.act(s.window, c, "finish", &caseworkv1.FinishCaseRequest{
		Result: caseworkv1.FinishResult_FINISH_RESULT_ISSUED, CertificateName: "许可证", CertificateNo: "粤惠0001", Online: true,
	})
}

func (s *scene) must(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// get reads a resource, and fails the test where it is refused.
func get[M proto.Message](s *scene, by *restclient.Client, path string, into M) M {
	s.t.Helper()
	s.must("GET "+path, by.Get(s.t.Context(), path, into))
	return into
}

// refusal is the hall's refusal, or a failure when there was none.
func (s *scene) refusal(what string, err error) *restclient.Error {
	s.t.Helper()
	var r *restclient.Error
	if !errors.As(err, &r) {
		s.t.Fatalf("%s: not refused: %v", what, err)
	}
	return r
}

// caseNo is the number in a case's name.
func caseNo(c *caseworkv1.Case) string { return c.GetName()[len("halls/000000/cases/"):] }

// newID is a request id.
func newID() string { return uuid.NewString() }

// otherNumber is a valid case number that nobody has.
func otherNumber(no string) string {
	parts, err := codes.ParseCaseNo(no)
	if err != nil {
		panic(err) // it came from the hall
	}
	return codes.CaseNo(parts.Division, parts.Day, (parts.Serial+1)%100000000)
}

func jsonOf(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// noFaults fails the test for every panic and every 5xx that was logged.
func (s *scene) noFaults() {
	s.t.Helper()
	for _, line := range s.Faults(false) {
		s.t.Errorf("in the log: %s", line)
	}
}

// set puts a text into a field of a message.
func set(m proto.Message, name, value string) {
	pm := m.ProtoReflect()
	pm.Set(field(pm, name), protoreflect.ValueOfString(value))
}

func protoInt(n int32) protoreflect.Value { return protoreflect.ValueOfInt32(n) }

// read is an HTTP answer's status and body.
func read(resp *http.Response, err error) (int, string, error) {
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// demoCitizen is the citizen who can sign in to a hall that `up` runs.
func (s *scene) demoCitizen() sample.Applicant {
	s.t.Helper()
	for _, a := range sample.Applicants(2014, 40) {
		if !a.Company {
			return a
		}
	}
	s.t.Fatal("the sample has no citizen")
	return sample.Applicant{}
}
