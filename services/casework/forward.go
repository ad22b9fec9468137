package casework

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// OpenForwardedCase opens the upper body's case for one that was forwarded to its hall.
func (s *Service) OpenForwardedCase(ctx context.Context, req *caseworkv1.OpenForwardedCaseRequest) (*caseworkv1.Case, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	hall := hallOf(req.GetParent())
	r := newRequest(a, hall, "OpenForwardedCase", req)
	row, origin, err := s.origin(ctx, req)
	if err != nil {
		return s.answer(s.refused(ctx, r, err), true)
	}
	c, f, err := s.forwarded(ctx, a, hall, req, origin)
	if err != nil {
		return s.answer(s.refused(ctx, r, err), true)
	}
	opened, err := s.insert(ctx, a, r, c, f, store.Filing{}, "case.submitted", func(ctx context.Context, tx *db.Tx, name string) error {
		return s.link(ctx, tx, a, row, proto.CloneOf(origin), name)
	})
	if errors.Is(err, fault.Conflict) {
		// Another call has opened it in the meantime, this one's retry perhaps.
		return s.answer(s.refused(ctx, r, err), true)
	}
	return opened, err
}

// origin is the lower body's case. One that was not forwarded to this hall is told from
// no unknown one.
func (s *Service) origin(ctx context.Context, req *caseworkv1.OpenForwardedCaseRequest) (store.Row, *caseworkv1.Case, error) {
	row, c, err := s.stored(ctx, lastPart(req.GetOriginCase()))
	if err != nil {
		return row, nil, err
	}
	if c == nil || c.GetName() != req.GetOriginCase() {
		return row, nil, fault.InvalidArgument.New(fault.Field("origin_case"))
	}
	if c.GetFinish().GetForwardedTo() != req.GetParent() {
		return row, nil, fault.InvalidArgument.New(fault.Field("origin_case"))
	}
	// Refused here already where the rules will refuse the link.
	_, err = rules.Apply(factsOf(c, row.Happened), rules.Input{Command: rules.Link, Now: s.clock.Now()})
	return row, c, err
}

// forwarded is the upper body's case: of the same applicant, by the channel of the first
// application, without a visit of its own. The lower item's form is taken where it fits the
// upper one; else the window fills in the upper one's.
func (s *Service) forwarded(ctx context.Context, a authn.Access, hall string, req *caseworkv1.OpenForwardedCaseRequest, origin *caseworkv1.Case) (*caseworkv1.Case, rules.Case, error) {
	in := intake{access: a, hall: hall, complete: true, formAt: "form", now: s.clock.Now()}
	form := req.GetForm()
	if form == nil {
		form = origin.GetForm()
	}
	c, err := s.application(ctx, in, &caseworkv1.Case{
		Item: req.GetItem(), Applicant: origin.GetApplicant(), Subject: origin.GetSubject(), Form: form,
		Materials: req.GetMaterials(), Channel: origin.GetChannel(),
	})
	if err != nil {
		return nil, rules.Case{}, err
	}
	f, err := rules.File(factsOf(c, in.now), rules.Input{Actor: a.Subject, Now: in.now})
	if err != nil {
		return nil, rules.Case{}, err
	}
	submitted(c, f)
	c.OriginCase, c.Visits = origin.GetName(), 0
	return c, f, nil
}

// link notes in the lower body's case which case it has become.
func (s *Service) link(ctx context.Context, tx *db.Tx, a authn.Access, old store.Row, c *caseworkv1.Case, name string) error {
	now := s.clock.Now()
	after, err := rules.Apply(factsOf(c, old.Happened), rules.Input{Command: rules.Link, Actor: a.Subject, Now: now})
	if err != nil {
		return err
	}
	c.ForwardedCase, c.UpdateTime, c.Etag = name, stamp(now), feed.Etag(c.GetName(), old.Seq+1)
	next, err := s.row(c, after, old.Seq+1)
	if err != nil {
		return err
	}
	if _, err := feed.Append(ctx, tx, feed.Draft{
		Subject: c.GetName(), Sequence: next.Seq, Type: "case.forward_opened", Resource: masked(c), Actor: a.Subject,
		ActorDepartment: a.Department, HappenedAt: after.Last,
	}); err != nil {
		return err
	}
	return store.Save(ctx, tx, old, next)
}
