package casework

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// FileCase creates and submits in one step.
func (s *Service) FileCase(ctx context.Context, req *caseworkv1.FileCaseRequest) (*caseworkv1.Case, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	hall := hallOf(req.GetParent())
	r := newRequest(a, hall, "FileCase", req)
	c, f, err := s.filed(ctx, a, hall, req)
	if err != nil {
		return s.answer(s.refused(ctx, r, err), true)
	}
	filing, err := filingOf(c, s.clock.Now(), req.GetAllowDuplicate())
	if err != nil {
		return nil, err
	}
	return s.insert(ctx, a, r, c, f, filing, "case.submitted", nil)
}

// filed is the case that a filing makes, still without a number.
func (s *Service) filed(ctx context.Context, a authn.Access, hall string, req *caseworkv1.FileCaseRequest) (*caseworkv1.Case, rules.Case, error) {
	in := intake{
		access: a, hall: hall, asApplicant: a.Scope == optionsv1.Scope_SCOPE_OWN, complete: true, wanted: req.GetItemRevision(), now: s.clock.Now(),
	}
	if !in.asApplicant && !req.GetConsent() {
		return nil, rules.Case{}, fault.ConsentRequired.New(fault.Field("consent"))
	}
	happened, err := claimed(req.GetHappenedAt(), in.asApplicant)
	if err != nil {
		return nil, rules.Case{}, err
	}
	c, err := s.application(ctx, in, req.GetCase())
	if err != nil {
		return nil, rules.Case{}, err
	}
	f, err := rules.File(factsOf(c, in.now), rules.Input{Actor: a.Subject, Now: in.now, Happened: happened})
	if err != nil {
		return nil, rules.Case{}, err
	}
	submitted(c, f)
	return c, f, nil
}

// submitted notes the submission in the case.
func submitted(c *caseworkv1.Case, f rules.Case) {
	c.State, c.SubmitTime = caseworkv1.CaseState(f.State), stamp(f.Submitted)
	if c.Channel == caseworkv1.Channel_CHANNEL_WINDOW {
		c.Visits++
	}
}

// CreateCase saves a draft.
func (s *Service) CreateCase(ctx context.Context, req *caseworkv1.CreateCaseRequest) (*caseworkv1.Case, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	hall := hallOf(req.GetParent())
	r := newRequest(a, hall, "CreateCase", req)
	in := intake{access: a, hall: hall, asApplicant: a.Scope == optionsv1.Scope_SCOPE_OWN, now: s.clock.Now()}
	c, err := s.application(ctx, in, req.GetCase())
	if err != nil {
		return s.answer(s.refused(ctx, r, err), false)
	}
	return s.insert(ctx, a, r, c, factsOf(c, in.now), store.Filing{}, "case.drafted", nil)
}

// insert gives a new case its number and writes it with its first event. Nothing is
// read: a number in use, and a request carried out before, show when the event is
// written. also, if any, is done in the same transaction, knowing the new case's name.
// The write goes by the applicant, so that of two filings at once one sees the other.
func (s *Service) insert(ctx context.Context, a authn.Access, r request, c *caseworkv1.Case, f rules.Case, filing store.Filing, event string,
	also func(ctx context.Context, tx *db.Tx, name string) error) (*caseworkv1.Case, error) {
	if c.GetOnBehalf() {
		addHandler(c, a.Subject)
	}
	c.LastChannel = c.GetChannel()
	n, err := s.number(c, f, hallOf(c.GetItem()))
	if err != nil {
		return nil, err
	}
	var written numbered
	err = s.db.Write(ctx, c.GetApplicantKey(), func(ctx context.Context, tx *db.Tx) error {
		for try := 1; ; try++ {
			_, err := feed.Append(ctx, tx, feed.Draft{
				Subject: n.masked.GetName(), Sequence: 1, Type: event, Resource: n.masked, Actor: a.Subject, ActorDepartment: a.Department,
				HappenedAt: f.Last, RequestKey: r.key, RequestHash: r.hash,
			})
			if err == nil {
				break
			}
			if !errors.Is(err, fault.Conflict) || try == numberTries {
				return err
			}
			s.serials.leave()
			if n, err = s.number(c, f, n.row.Hall); err != nil {
				return err
			}
		}
		if also != nil {
			if err := also(ctx, tx, n.masked.GetName()); err != nil {
				return err
			}
		}
		n.row.Filing = filing
		if err := store.Insert(ctx, tx, n.row); err != nil {
			return err
		}
		if err := useFiles(ctx, tx, n.masked); err != nil {
			return err
		}
		written = n
		return nil
	})
	if errors.Is(err, fault.CaseDuplicate) {
		err = s.refused(ctx, r, err) // the first may have been this very request
	}
	if err != nil {
		return s.answer(err, c.State != caseworkv1.CaseState_CASE_STATE_DRAFT)
	}
	if c.State != caseworkv1.CaseState_CASE_STATE_DRAFT {
		written.masked.QueryCode = s.codes.of(written.row.CaseNo)
	}
	return written.masked, nil
}

// filingOf is what tells a new application from another of the same applicant.
func filingOf(c *caseworkv1.Case, now time.Time, again bool) (store.Filing, error) {
	form, err := proto.MarshalOptions{Deterministic: true}.Marshal(c.GetForm())
	if err != nil {
		return store.Filing{}, fmt.Errorf("casework: form: %w", err)
	}
	return store.Filing{Content: rules.Content(c.GetItem(), c.GetSubject(), form, plainMaterials(c.GetMaterials())), At: now, Once: !again}, nil
}

// numbered is a new case with a number, ready to be written.
type numbered struct {
	row    store.Row
	masked *caseworkv1.Case
}

// number gives a new case a number of the day.
func (s *Service) number(c *caseworkv1.Case, f rules.Case, hall string) (numbered, error) {
	no, err := s.drawNumber(hall, timeOf(c.GetCreateTime()))
	if err != nil {
		return numbered{}, err
	}
	c.Name = caseName(hall, no)
	c.Etag = feed.Etag(c.Name, 1)
	row, err := s.row(c, f, 1)
	return numbered{row, masked(c)}, err
}

// drawNumber draws a number of a day.
func (s *Service) drawNumber(hall string, day time.Time) (string, error) {
	serial, err := s.serial()
	if err != nil {
		return "", err
	}
	return codes.CaseNo(hall, day, serial), nil
}

// row is the case as stored; it writes the due dates into the case first.
func (s *Service) row(c *caseworkv1.Case, f rules.Case, seq int64) (store.Row, error) {
	return s.rowAt(c, f, seq, timeOf(c.GetUpdateTime()))
}

// rowAt is row with the moment at which the dates are reckoned.
func (s *Service) rowAt(c *caseworkv1.Case, f rules.Case, seq int64, at time.Time) (store.Row, error) {
	r := s.reckon(c, f, at)
	data, err := proto.Marshal(c)
	if err != nil {
		return store.Row{}, fmt.Errorf("casework: case: %w", err)
	}
	return store.Row{
		CaseNo: lastPart(c.GetName()), Hall: hallOf(c.GetName()), Department: departmentKey(c.GetDepartment()), ApplicantKey: c.GetApplicantKey(),
		Assignee: c.GetAssignee(),
		State:    f.State, OnBehalf: c.GetOnBehalf(), Stage: r.stage, Due: r.due, Dated: r.dated, Reckoned: r.book, Seq: seq, Happened: f.Last, Step: stepRow(c, r.due), Data: data,
	}, nil
}

// answer is the case that a repeated request made the first time, or the error.
func (s *Service) answer(err error, withCode bool) (*caseworkv1.Case, error) {
	e, ok := feed.Replayed(err)
	if !ok {
		return nil, err
	}
	c, err := caseOf(e)
	if err != nil {
		return nil, err
	}
	if withCode {
		c.QueryCode = s.codes.of(lastPart(c.GetName()))
	}
	return c, nil
}

// caseOf is the case that an event left behind.
func caseOf(e *feedv1.Event) (*caseworkv1.Case, error) {
	c := &caseworkv1.Case{}
	if err := proto.Unmarshal(e.GetResource(), c); err != nil {
		return nil, fmt.Errorf("casework: case of event %d of %s: %w", e.GetSequence(), e.GetSubject(), err)
	}
	return c, nil
}
