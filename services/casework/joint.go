package casework

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// family is a joint filing: the parent first, then its children, with their facts.
type family struct {
	cases []*caseworkv1.Case
	facts []rules.Case
}

// FileJointCase files several items at once, as children of one parent case.
func (s *Service) FileJointCase(ctx context.Context, req *caseworkv1.FileJointCaseRequest) (*caseworkv1.Case, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	hall := hallOf(req.GetParent())
	r := newRequest(a, hall, "FileJointCase", req)
	f, err := s.joint(ctx, a, hall, req)
	if err != nil {
		return s.answer(s.refused(ctx, r, err), true)
	}
	for try := 1; ; try++ {
		parent, err := s.insertFamily(ctx, a, r, hall, f, req.GetAllowDuplicate())
		if err == nil {
			parent.QueryCode = s.codes.of(lastPart(parent.GetName()))
			return parent, nil
		}
		if !errors.Is(err, fault.Conflict) || try == numberTries {
			return s.answer(err, true)
		}
		s.serials.leave()
	}
}

// joint checks a joint filing and makes its cases, still without numbers.
func (s *Service) joint(ctx context.Context, a authn.Access, hall string, req *caseworkv1.FileJointCaseRequest) (family, error) {
	in := intake{access: a, hall: hall, asApplicant: a.Scope == optionsv1.Scope_SCOPE_OWN, complete: true, now: s.clock.Now()}
	if !in.asApplicant && !req.GetConsent() {
		return family{}, fault.ConsentRequired.New(fault.Field("consent"))
	}
	seen := map[string]bool{}
	for i, part := range req.GetParts() {
		if seen[part.GetItem()] {
			return family{}, fault.InvalidArgument.New(fault.Field("parts[" + strconv.Itoa(i) + "].item"))
		}
		seen[part.GetItem()] = true
	}
	all := family{cases: make([]*caseworkv1.Case, 1, 1+len(req.GetParts()))}
	var titles []string
	for i, part := range req.GetParts() {
		in.formAt = "parts[" + strconv.Itoa(i) + "].form"
		child, err := s.application(ctx, in, &caseworkv1.Case{
			Item: part.GetItem(), Applicant: req.GetApplicant(), Subject: req.GetSubject(), Channel: req.GetChannel(), Form: part.GetForm(), Materials: part.GetMaterials(),
			Mandate: req.GetMandate(),
		})
		if err != nil {
			return family{}, fmt.Errorf("parts[%d]: %w", i, err)
		}
		titles = append(titles, child.GetItemTitle())
		all.cases = append(all.cases, child)
	}
	all.cases[0] = parentOf(all.cases[1], titles)
	for i, c := range all.cases {
		f, err := rules.File(factsOf(c, in.now), rules.Input{Actor: a.Subject, Now: in.now})
		if err != nil {
			return family{}, err
		}
		submitted(c, f)
		if i > 0 {
			c.Visits = 0 // one came once, for the whole
		}
		if c.GetOnBehalf() {
			addHandler(c, a.Subject)
		}
		all.facts = append(all.facts, f)
	}
	return all, nil
}

// parentOf is the parent case, led by the department of its first child: the 45 days of
// Art. 42 (2), no papers and no steps of its own.
func parentOf(first *caseworkv1.Case, titles []string) *caseworkv1.Case {
	p := proto.CloneOf(first)
	p.Form, p.Materials, p.ItemTitle = nil, nil, "并联审批："+strings.Join(titles, "、")
	p.CaseType, p.FullFlow, p.FourEyes, p.OwnFlow = caseworkv1.CaseType_CASE_TYPE_JOINT, false, false, false
	p.PromisedLimit, p.StatutoryLimit, p.LimitUnit = rules.JointLimit, rules.JointLimit, caseworkv1.TimeUnit_TIME_UNIT_WORKING_DAY
	return p
}

// insertFamily draws the numbers and writes all cases with their first events at once.
// fault.Conflict means that a number was taken.
func (s *Service) insertFamily(ctx context.Context, a authn.Access, r request, hall string, f family, again bool) (*caseworkv1.Case, error) {
	f.cases[0].ChildCases = nil
	all := make([]numbered, len(f.cases))
	for i := len(f.cases) - 1; i >= 0; i-- { // the parent last, when the names of its children are known
		n, err := s.number(f.cases[i], f.facts[i], hall)
		if err != nil {
			return nil, err
		}
		all[i] = n
		if i > 0 {
			f.cases[0].ChildCases = append([]string{f.cases[i].GetName()}, f.cases[0].ChildCases...)
		}
	}
	for i := 1; i < len(all); i++ {
		c := f.cases[i]
		c.ParentCase = f.cases[0].GetName()
		row, err := s.row(c, f.facts[i], 1)
		if err != nil {
			return nil, err
		}
		if row.Filing, err = filingOf(c, s.clock.Now(), again); err != nil {
			return nil, err
		}
		all[i] = numbered{row, masked(c)}
	}
	err := s.db.Write(ctx, f.cases[0].GetApplicantKey(), func(ctx context.Context, tx *db.Tx) error {
		for i, n := range all {
			d := feed.Draft{
				Subject: n.masked.GetName(), Sequence: 1, Type: "case.submitted", Resource: n.masked, Actor: a.Subject, ActorDepartment: a.Department, HappenedAt: f.facts[i].Last,
			}
			if i == 0 {
				d.RequestKey, d.RequestHash = r.key, r.hash // the whole is one request
			}
			if _, err := feed.Append(ctx, tx, d); err != nil {
				return err
			}
			if err := store.Insert(ctx, tx, n.row); err != nil {
				return err
			}
			if err := useFiles(ctx, tx, n.masked); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, fault.CaseDuplicate) {
		err = s.refused(ctx, r, err) // the first may have been this very request
	}
	return all[0].masked, err
}
