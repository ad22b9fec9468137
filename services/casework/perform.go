package casework

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// conflictTries is how often a change is decided anew when another came in between. With
// an etag the second look already tells that it is stale.
const conflictTries = 5

// message is a request that changes one case.
type message interface {
	proto.Message
	GetName() string
	GetRequestId() string
}

// step is one change of one case.
type step struct {
	// rpc is the method's name, event the type of what happened.
	rpc, event string
	request    message
	// etag is that of the request; looks without one leave noEtag set.
	etag   string
	noEtag bool
	// happened is when it is said to have happened.
	happened *timestamppb.Timestamp
	// input is what the rules need; it may look at the case. Command, Actor, Now and
	// Happened are filled in.
	command rules.Command
	input   func(t *turn) (rules.Input, error)
	// effect writes what happened into the case, after the rules allowed it.
	effect func(t *turn)
	// detail is what the case does not show, or nil.
	detail proto.Message
	// dry only shows what would become of the case.
	dry bool
	// carried tells that the caller was told the draft's code: it need not have been
	// within reach before.
	carried bool
	// files tells that the step may bring kept files into the case.
	files bool
	// withCode puts the query code into the answer.
	withCode bool
	// guests lets a department do it that only takes a step of the case's own flow.
	guests bool
	// filing, if any, tells the application that the step hands in from others.
	filing func(t *turn) (store.Filing, error)
	// also, if any, is what else is written in the same transaction.
	also func(ctx context.Context, tx *db.Tx, t *turn) error
}

// turn is one attempt at a step.
type turn struct {
	view
	access authn.Access
	now    time.Time
	// c is the case: as it was for input, as it becomes for effect.
	c *caseworkv1.Case
	// in, before and after are what the rules were given and what they gave.
	in            rules.Input
	before, after rules.Case
	// partsEnded tells that all parts of a joint case have ended.
	partsEnded bool
}

// at is when the step happened.
func (t *turn) at() time.Time { return t.after.Last }

// perform carries out a step and answers with the case, masked.
func (s *Service) perform(ctx context.Context, st step) (*caseworkv1.Case, error) {
	_, shown, err := s.performFull(ctx, st)
	if err != nil {
		return s.answer(err, st.withCode)
	}
	if st.withCode {
		shown.QueryCode = s.codes.of(lastPart(shown.GetName()))
	}
	return shown, nil
}

// performFull carries out a step and gives the case as it is and as it is shown. A
// repeated request gives feed.ErrReplayed.
func (s *Service) performFull(ctx context.Context, st step) (whole, shown *caseworkv1.Case, err error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, nil, err
	}
	r := newRequest(a, hallOf(st.request.GetName()), st.rpc, st.request)
	for try := 1; ; try++ {
		whole, shown, err = s.attempt(ctx, a, r, st)
		if err == nil && !st.dry {
			s.familyChanged(ctx, whole)
		}
		if !errors.Is(err, fault.Conflict) || try == conflictTries {
			return whole, shown, err
		}
	}
}

// attempt reads, decides and writes once. The write refuses when the case is no longer
// as it was read.
func (s *Service) attempt(ctx context.Context, a authn.Access, r request, st step) (whole, shown *caseworkv1.Case, err error) {
	load := s.load
	if st.carried {
		load = s.loadCarried
	}
	old, c, seen, err := load(ctx, a, st.request.GetName())
	if errors.Is(err, fault.NotFound) {
		// It may have left the caller's reach by the very request that is repeated.
		err = s.refused(ctx, r, err)
	}
	if err != nil {
		return nil, nil, err
	}
	if c.GetSource() != "" && st.command != rules.Reveal {
		return nil, nil, fault.CaseOfSource.New()
	}
	if !seen.asApplicant && !st.guests && onlyGuest(a, c) {
		return nil, nil, s.refused(ctx, r, fault.PermissionDenied.New())
	}
	now := s.clock.Now()
	if s.silent(old, c, now) && !st.dry {
		// The law has accepted it already, whether or not the timer came to write it down.
		if err := s.deem(ctx, old, c, now); err != nil {
			return nil, nil, err
		}
		return nil, nil, fault.Conflict.New() // and what was asked for is decided on that
	}
	t := &turn{view: seen, access: a, now: now, c: c}
	if t.before, err = s.facts(c, old.Happened); err != nil {
		return nil, nil, err
	}
	if t.before.Joint {
		if t.partsEnded, err = s.partsEnded(ctx, c); err != nil {
			return nil, nil, err
		}
	}
	if err := st.decide(t, old); err != nil {
		answer := s.refused(ctx, r, err)
		if _, done := feed.Replayed(answer); !done {
			s.attempted(ctx, st, t, err)
		}
		return nil, nil, answer
	}
	if err := s.recreated(ctx, c, t.before, t.after); err != nil {
		return nil, nil, err
	}
	next, err := s.row(c, t.after, old.Seq+1)
	if err != nil {
		return nil, nil, err
	}
	if st.filing != nil {
		if next.Filing, err = st.filing(t); err != nil {
			return nil, nil, err
		}
	}
	m := masked(c)
	if st.dry {
		m.Etag = feed.Etag(c.GetName(), old.Seq) // which is what the change itself will ask for
		return c, m, nil
	}
	err = s.db.Write(ctx, old.CaseNo, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{
			Subject: c.GetName(), Sequence: next.Seq, Type: st.event, Resource: m, Actor: a.Subject, ActorDepartment: a.Department,
			HappenedAt: t.at(), Detail: st.detail, RequestKey: r.key, RequestHash: r.hash,
		})
		if err != nil {
			return err
		}
		if err := st.beside(ctx, tx, t, m); err != nil {
			return err
		}
		return store.Save(ctx, tx, old, next)
	})
	if errors.Is(err, fault.CaseDuplicate) {
		err = s.refused(ctx, r, err)
	}
	return c, m, err
}

// beside writes what belongs to the step in other tables than the case's own.
func (st step) beside(ctx context.Context, tx *db.Tx, t *turn, m *caseworkv1.Case) error {
	if st.files {
		if err := useFiles(ctx, tx, m); err != nil {
			return err
		}
	}
	if err := endedByOffice(ctx, tx, m, t.before, t.after); err != nil || st.also == nil {
		return err
	}
	return st.also(ctx, tx, t)
}

// load reads a case that the caller may see. What it may not see does not exist.
func (s *Service) load(ctx context.Context, a authn.Access, name string) (store.Row, *caseworkv1.Case, view, error) {
	row, c, err := s.stored(ctx, lastPart(name))
	if err != nil {
		return row, nil, view{}, err
	}
	if c == nil || c.GetName() != name {
		return row, nil, view{}, fault.NotFound.New()
	}
	asApplicant, ok := reach(a, c)
	if ok {
		return row, c, view{asApplicant: asApplicant}, nil
	}
	mandate, err := s.agentReach(ctx, a, c)
	if err != nil {
		return row, nil, view{}, err
	}
	return row, c, view{asApplicant: true, mandate: mandate}, nil
}

// loadCarried reads a draft of the caller's hall that its applicant told the code of.
func (s *Service) loadCarried(ctx context.Context, a authn.Access, name string) (store.Row, *caseworkv1.Case, view, error) {
	row, c, err := s.stored(ctx, lastPart(name))
	if err != nil {
		return row, nil, view{}, err
	}
	if c.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT || !a.Covers(hallOf(name), "", "") {
		return row, nil, view{}, fault.CodeInvalid.New(fault.Field("code"))
	}
	return row, c, view{}, nil
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

// completeRow fills in what the row as read leaves to the case.
func completeRow(row *store.Row, c *caseworkv1.Case) {
	row.Department, row.Assignee = departmentKey(c.GetDepartment()), c.GetAssignee()
	row.Step = stepRow(c, row.Due)
}

// workOf writes into the case whose work it is now.
func workOf(c *caseworkv1.Case, f rules.Case) {
	if c.Assignee = f.Assignee; c.Assignee == "" {
		c.AssigneeName = ""
	}
}

// checkEtag lets a step through that was decided on the case as it is, or as it was before
// the calendar moved its dates: nobody shall have to decide anew because a typhoon came.
func checkEtag(etag string, c *caseworkv1.Case, seq int64) error {
	err := feed.CheckEtag(etag, c.GetName(), seq)
	if err != nil && c.GetDueChange().GetSequence() == seq && errors.Is(err, fault.ETagStale) {
		return feed.CheckEtag(etag, c.GetName(), seq-1)
	}
	return err
}

// decide checks the step against the case as it is and turns it into what it becomes.
func (st step) decide(t *turn, old store.Row) error {
	if !st.noEtag {
		if err := checkEtag(st.etag, t.c, old.Seq); err != nil {
			return err
		}
	}
	happened, err := claimed(st.happened, t.asApplicant)
	if err != nil {
		return err
	}
	t.in = rules.Input{}
	if st.input != nil {
		if t.in, err = st.input(t); err != nil {
			return err
		}
	}
	if t.in.Command == 0 {
		t.in.Command = st.command
	}
	t.in.Actor, t.in.Now, t.in.Happened = t.access.Subject, t.now, happened
	t.in.AllEnded = t.partsEnded
	t.in.ActorDepartment, t.in.Posts, t.in.Superior = departmentOfCaller(t.access), t.access.Posts, t.access.Has(optionsv1.Role_ROLE_HEAD)
	if t.after, err = rules.Apply(t.before, t.in); err != nil {
		return err
	}
	t.c.State, t.c.ActingMandate, t.c.LastChannel = caseworkv1.CaseState(t.after.State), t.mandate, cameBy(t.c, t.access, t.asApplicant)
	if st.effect != nil {
		st.effect(t)
	}
	workOf(t.c, t.after)
	// What is written must say what the rules decided: the next decision rests on it.
	if !factsOf(t.c, t.at()).SameCourse(t.after) {
		return fmt.Errorf("casework: %s of %s wrote another course than was decided", t.in.Command, t.c.GetName())
	}
	if !t.asApplicant && t.in.Command != rules.Reveal {
		addHandler(t.c, t.access.Subject)
	}
	t.c.UpdateTime, t.c.Etag = stamp(t.now), feed.Etag(t.c.GetName(), old.Seq+1)
	return nil
}
