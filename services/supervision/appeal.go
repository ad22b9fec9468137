package supervision

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// appealDays are the working days in which an appeal is decided, correctDays those
	// in which a department puts right what a card is about.
	appealDays  = 5
	correctDays = 15
)

// late tells whether a moment is after a day; an empty day is never over.
func late(due string, at *timestamppb.Timestamp) bool {
	day, err := workday.ParseDate(due)
	return err == nil && workday.DateOf(at.AsTime()) > day
}

// dueIn is the last day of so many working days after a moment, by a hall's calendar.
func (s *Service) dueIn(hall string, at *timestamppb.Timestamp, days int) string {
	division := divisionOf(hall)
	day, _ := s.engine.almanac.Book().Calendar.Add(division, workday.DateOf(at.AsTime()), days)
	return day.String()
}

// AppealCard appeals against a card, once and until the last day to answer it.
func (s *Service) AppealCard(ctx context.Context, req *supervisionv1.AppealCardRequest) (*supervisionv1.Card, error) {
	content, err := codes.Text(req.GetContent(), 2000)
	if err != nil {
		return nil, fault.At("content", err)
	}
	access, _ := authn.AccessFrom(ctx)
	return s.changeCard(ctx, cardChange{
		method: "AppealCard", event: "card.appealed", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		change: func(_ context.Context, _ *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error {
			switch {
			case c.GetAppeal() != nil:
				return fault.AppealExists.New()
			case late(c.GetFeedbackDueDate(), now):
				return fault.AppealLate.New(fault.Meta("due", c.GetFeedbackDueDate()))
			}
			hall := hallOf(c.GetName())
			c.Appeal = &supervisionv1.Appeal{State: supervisionv1.AppealState_APPEAL_STATE_PENDING, Person: access.Subject, Department: c.GetDepartment(),
				Content: content, AppealTime: now, DueDate: s.dueIn(hall, now, appealDays), Hall: hall}
			return nil
		},
	})
}

// DecideAppeal decides an appeal. A referred one goes to the hall above and is decided
// there by somebody else; where there is none above, it cannot be referred.
func (s *Service) DecideAppeal(ctx context.Context, req *supervisionv1.DecideAppealRequest) (*supervisionv1.Card, error) {
	opinion, err := codes.Text(req.GetOpinion(), 1000)
	if err != nil {
		return nil, fault.At("opinion", err)
	}
	access, _ := authn.AccessFrom(ctx)
	event := map[supervisionv1.AppealState]string{
		supervisionv1.AppealState_APPEAL_STATE_REVOKED:  "card.revoked",
		supervisionv1.AppealState_APPEAL_STATE_REJECTED: "card.appeal_rejected",
		supervisionv1.AppealState_APPEAL_STATE_REFERRED: "card.appeal_referred",
	}[req.GetResult()]
	return s.changeCard(ctx, cardChange{
		method: "DecideAppeal", event: event, name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		change: func(ctx context.Context, tx *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error {
			a := c.GetAppeal()
			if a.GetState() != supervisionv1.AppealState_APPEAL_STATE_PENDING && a.GetState() != supervisionv1.AppealState_APPEAL_STATE_REFERRED {
				return fault.AppealNone.New()
			}
			if access.Subject == a.GetPerson() || access.Subject == a.GetDecider() {
				return fault.SamePersonForbidden.New()
			}
			a.DecidedLate = a.GetDecidedLate() || late(a.GetDueDate(), now)
			a.State, a.Decider, a.Opinion, a.DecideTime = req.GetResult(), access.Subject, opinion, now
			switch req.GetResult() {
			case supervisionv1.AppealState_APPEAL_STATE_REVOKED:
				c.State, c.RevokeReason, c.RevokeTime = supervisionv1.CardState_CARD_STATE_REVOKED, opinion, now
			case supervisionv1.AppealState_APPEAL_STATE_REFERRED:
				above, err := store.ParentHall(ctx, tx, a.GetHall())
				if err != nil {
					return err
				}
				if above == "" {
					return fault.InvalidArgument.New(fault.Field("result"))
				}
				a.Hall, a.DueDate = above, s.dueIn(above, now, appealDays)
			}
			return nil
		},
	})
}

// CorrectCard tells what the department did to put the matter right; a later word
// replaces the former, and the events keep both.
func (s *Service) CorrectCard(ctx context.Context, req *supervisionv1.CorrectCardRequest) (*supervisionv1.Card, error) {
	correction, err := codes.Text(req.GetCorrection(), 2000)
	if err != nil {
		return nil, fault.At("correction", err)
	}
	return s.changeCard(ctx, cardChange{
		method: "CorrectCard", event: "card.corrected", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		change: func(_ context.Context, _ *db.Tx, c *supervisionv1.Card, now *timestamppb.Timestamp) error {
			first := c.GetCorrectTime() == nil
			c.Correction, c.CorrectTime = correction, now
			if first {
				c.CorrectLate = late(c.GetCorrectDueDate(), now)
			}
			return nil
		},
	})
}

// CountCards counts cards by hall, department and level.
func (s *Service) CountCards(ctx context.Context, req *supervisionv1.CountCardsRequest) (*supervisionv1.CountCardsResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	filter := store.CardFilter{}
	var err error
	if filter.Department, err = ownDepartment(access, req.GetParent(), req.GetDepartment()); err != nil {
		return nil, err
	}
	res := &supervisionv1.CountCardsResponse{}
	if req.GetParent() != "halls/-" {
		filter.Hall = req.GetParent()
		if filter.Department != "" && hallOf(filter.Department) != filter.Hall {
			return res, nil // no department of this hall
		}
	}
	counts, err := store.CountCards(ctx, s.db.Read(), filter)
	if err != nil {
		return nil, err
	}
	sum := newCardSum(seesHidden(access))
	for _, c := range counts {
		sum.add(c)
	}
	res.Counts, res.Valid, res.Revoked = sum.counts, sum.all.GetValid(), sum.all.GetRevoked()
	res.Pending, res.Cancelled = sum.all.GetPending(), sum.all.GetCancelled()
	if res.GetPending() == 0 {
		return res, nil
	}
	overdue, err := store.CountOverdueCards(ctx, s.db.Read(), s.rt.Clock.Now())
	if err != nil {
		return nil, err
	}
	for _, c := range overdue {
		if (filter.Hall == "" || c.Hall == filter.Hall) && (filter.Department == "" || c.Department == filter.Department) {
			one := sum.place(c)
			one.PendingOverdue, res.PendingOverdue = one.GetPendingOverdue()+c.N, res.GetPendingOverdue()+c.N
		}
	}
	return res, nil
}

// cardSum adds up counted cards by hall, department and level.
type cardSum struct {
	hidden bool
	places map[store.Count]*supervisionv1.CardCount
	counts []*supervisionv1.CardCount
	all    supervisionv1.CardCount
}

func newCardSum(hidden bool) *cardSum {
	return &cardSum{hidden: hidden, places: map[store.Count]*supervisionv1.CardCount{}}
}

// place is the sum that a count belongs to.
func (s *cardSum) place(c store.Count) *supervisionv1.CardCount {
	c.State, c.N = 0, 0
	if s.places[c] == nil {
		s.places[c] = &supervisionv1.CardCount{Hall: c.Hall, Department: c.Department, Level: supervisionv1.CardLevel(c.Level)}
		s.counts = append(s.counts, s.places[c])
	}
	return s.places[c]
}

// add adds a count, unless its cards are not for the caller.
func (s *cardSum) add(c store.Count) {
	if c.State.Hidden() && !s.hidden {
		return
	}
	for _, to := range []*supervisionv1.CardCount{s.place(c), &s.all} {
		switch {
		case c.State.Standing():
			to.Valid += c.N
		case c.State == store.Revoked:
			to.Revoked += c.N
		case c.State == store.Pending:
			to.Pending += c.N
		default:
			to.Cancelled += c.N
		}
	}
}
