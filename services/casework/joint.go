package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
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
	f, err := s.joint(a, hall, req)
	if err != nil {
		return s.answer(s.refused(ctx, r, err), true)
	}
	for try := 1; ; try++ {
		parent, err := s.insertFamily(ctx, a, r, hall, f)
		if err == nil {
			parent.QueryCode = s.codes.of(lastPart(parent.GetName()))
			return parent, nil
		}
		if !errors.Is(err, fault.Conflict) || try == numberTries {
			return s.answer(err, true)
		}
	}
}

// joint checks a joint filing and makes its cases, still without numbers.
func (s *Service) joint(a authn.Access, hall string, req *caseworkv1.FileJointCaseRequest) (family, error) {
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
		child, err := s.application(in, &caseworkv1.Case{
			Item: part.GetItem(), Applicant: req.GetApplicant(), Subject: req.GetSubject(), Channel: req.GetChannel(), Form: part.GetForm(), Materials: part.GetMaterials(),
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
	p.CaseType, p.FullFlow, p.FourEyes = caseworkv1.CaseType_CASE_TYPE_JOINT, false, false
	p.PromisedLimit, p.StatutoryLimit, p.LimitUnit = rules.JointLimit, rules.JointLimit, caseworkv1.TimeUnit_TIME_UNIT_WORKING_DAY
	return p
}

// insertFamily draws the numbers and writes all cases with their first events at once.
// fault.Conflict means that a number was taken.
func (s *Service) insertFamily(ctx context.Context, a authn.Access, r request, hall string, f family) (*caseworkv1.Case, error) {
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
		all[i] = numbered{row, masked(c)}
	}
	err := s.db.Write(ctx, all[0].row.CaseNo, func(ctx context.Context, tx *db.Tx) error {
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
		}
		return nil
	})
	return all[0].masked, err
}

// familyChanged ends a joint case whose last child has just ended, or which was accepted
// when all of them had. Where that fails the next round of concludeAll does it.
func (s *Service) familyChanged(ctx context.Context, c *caseworkv1.Case) {
	parent := ""
	switch {
	case len(c.GetChildCases()) > 0:
		parent = c.GetName()
	case c.GetParentCase() != "" && factsOf(c, time.Time{}).Ended():
		parent = c.GetParentCase()
	default:
		return
	}
	if err := s.conclude(context.WithoutCancel(ctx), lastPart(parent)); err != nil {
		s.log.WarnContext(ctx, "a joint case is left open for now", slog.String("case", parent), slog.Any("error", err))
	}
}

// concludeAll ends the joint cases of all halls whose children have all ended.
func (s *Service) concludeAll(ctx context.Context) error {
	for hall := ""; ; {
		next, ok, err := store.NextHall(ctx, s.db.Read(), hall)
		if err != nil || !ok {
			return err
		}
		hall = next
		f := store.InboxFilter{Hall: hall, Stage: rules.StageChildren, After: store.Entry{Due: math.MinInt32}, Size: deemPage}
		for {
			found, err := store.Inbox(ctx, s.db.Read(), f)
			if err != nil {
				return err
			}
			for _, e := range found {
				if err := s.conclude(ctx, e.CaseNo); err != nil {
					return err
				}
				f.After = e
			}
			if len(found) < f.Size {
				break
			}
		}
	}
}

// conclude ends a joint case if all its children have ended, as of the last one's end.
// Somebody else may be faster: the first event counts.
func (s *Service) conclude(ctx context.Context, caseNo string) error {
	old, c, err := s.stored(ctx, caseNo)
	if err != nil || c == nil || old.State != rules.Accepted {
		return err
	}
	now, ended := s.clock.Now(), old.Happened
	for _, name := range c.GetChildCases() {
		_, child, err := s.stored(ctx, lastPart(name))
		if err != nil {
			return err
		}
		if child == nil || !factsOf(child, time.Time{}).Ended() {
			return nil
		}
		if at := timeOf(child.GetEndTime()); at.After(ended) {
			ended = at
		}
		if at := timeOf(child.GetFinish().GetFinishTime()); at.After(ended) {
			ended = at
		}
	}
	after, err := rules.Apply(factsOf(c, old.Happened), rules.Input{
		Command: rules.Conclude, Actor: systemActor, Now: now, Happened: ended, AllEnded: true,
	})
	if err != nil {
		return fmt.Errorf("casework: end of joint case %s: %w", caseNo, err)
	}
	c.State = caseworkv1.CaseState(after.State)
	c.Finish = &caseworkv1.Finish{
		Result: caseworkv1.FinishResult(after.Result), Description: "并联办理的事项已全部办结", Officer: systemActor, FinishTime: stamp(after.FinishedAt),
	}
	workOf(c, after)
	c.UpdateTime, c.Etag = stamp(now), feed.Etag(c.GetName(), old.Seq+1)
	next, err := s.row(c, after, old.Seq+1)
	if err != nil {
		return err
	}
	m := masked(c)
	err = s.db.Write(ctx, old.CaseNo, func(ctx context.Context, tx *db.Tx) error {
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: c.GetName(), Sequence: next.Seq, Type: "case.finished", Resource: m, Actor: systemActor, HappenedAt: after.Last,
		}); err != nil {
			return err
		}
		return store.Save(ctx, tx, old, next)
	})
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// stored reads a case for the service itself; nil when there is none.
func (s *Service) stored(ctx context.Context, caseNo string) (store.Row, *caseworkv1.Case, error) {
	row, found, err := store.Get(ctx, s.db.Read(), caseNo)
	if err != nil || !found {
		return row, nil, err
	}
	c := &caseworkv1.Case{}
	if err := proto.Unmarshal(row.Data, c); err != nil {
		return row, nil, fmt.Errorf("casework: stored case %s: %w", caseNo, err)
	}
	completeRow(&row, c)
	return row, c, nil
}
