package supervision

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

func countedMessage(c store.CountedCase, officers bool) *supervisionv1.CountedCase {
	m := &supervisionv1.CountedCase{Case: c.Case, Item: c.Cell.Item, EndTime: timestamppb.New(c.Ended), WorkMinutes: max(0, c.Work),
		PromisedMinutes: c.Promised, Early: c.Early, Late: c.Late, Refused: c.Refused, Supplemented: c.Supplemented, Paused: c.Paused}
	if officers {
		m.Officer = c.Cell.Officer
	}
	return m
}

// scoreChange is one change of a frozen score that a request asks for.
type scoreChange struct {
	method, name, etag, key string
	request                 proto.Message
	// change makes the change and names the event, or refuses before anything is written.
	change func(ctx context.Context, tx *db.Tx, s *supervisionv1.Score, access authn.Access) (string, error)
}

func (s *Service) changeScore(ctx context.Context, ch scoreChange) (*supervisionv1.Score, error) {
	access, r, err := s.scoreName(ctx, ch.name)
	if err != nil {
		return nil, err
	}
	key, hash := feed.RequestKey(r.hall, access.Subject, ch.method, ch.key), feed.RequestHash(ch.request)
	var answer *supervisionv1.Score
	err = s.db.Write(ctx, r.hall, func(ctx context.Context, tx *db.Tx) error {
		row, ok, err := store.GetScore(ctx, tx, ch.name)
		if err != nil {
			return err
		}
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		if !ok {
			return fault.ScoreNotFrozen.New()
		}
		if err := feed.CheckEtag(ch.etag, row.Name, row.Sequence); err != nil {
			return err
		}
		score, err := storedScore(row.Data)
		if err != nil {
			return err
		}
		event, err := ch.change(ctx, tx, score, access)
		if err != nil {
			return err
		}
		answer = score
		return saveScore(ctx, tx, row, score, feed.Draft{Type: event, Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash})
	})
	if e, ok := feed.Replayed(err); ok {
		return storedScore(e.GetResource())
	}
	return answer, err
}

// AppealScore appeals against one entry of a frozen score.
func (s *Service) AppealScore(ctx context.Context, req *supervisionv1.AppealScoreRequest) (*supervisionv1.Score, error) {
	content, err := codes.Text(req.GetContent(), 2000)
	if err != nil {
		return nil, fault.At("content", err)
	}
	return s.changeScore(ctx, scoreChange{method: "AppealScore", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		change: func(ctx context.Context, tx *db.Tx, score *supervisionv1.Score, access authn.Access) (string, error) {
			now := tx.Now()
			switch {
			case slices.ContainsFunc(score.GetAppeals(), func(a *supervisionv1.ScoreAppeal) bool { return a.GetEntry() == req.GetEntry() }):
				return "", fault.ScoreAppealExists.New()
			case over(score.GetAppealDueDate(), now):
				return "", fault.ScoreAppealLate.New(fault.Meta("due", score.GetAppealDueDate()))
			}
			r, err := readRef(score.GetName())
			if err != nil {
				return "", err
			}
			_, made, err := s.monthScore(ctx, tx, r, r.months[0])
			if err != nil {
				return "", err
			}
			if made == nil || !slices.ContainsFunc(made.Entries, func(e rules.ScoreEntry) bool { return e.ID == req.GetEntry() }) {
				return "", fault.ScoreEntryUnknown.New(fault.Field("entry"))
			}
			score.Appeals = append(score.Appeals, &supervisionv1.ScoreAppeal{Entry: req.GetEntry(), State: supervisionv1.AppealState_APPEAL_STATE_PENDING,
				Person: access.Subject, Content: content, AppealTime: timestamppb.New(now), DueDate: s.dueIn(r.hall, timestamppb.New(now), scoreAppealDays)})
			return "score.appealed", nil
		}})
}

// DecideScoreAppeal decides an appeal, by somebody else than who made it. What is set
// aside counts no more, and the score has a new version.
func (s *Service) DecideScoreAppeal(ctx context.Context, req *supervisionv1.DecideScoreAppealRequest) (*supervisionv1.Score, error) {
	opinion, err := codes.Text(req.GetOpinion(), 1000)
	if err != nil {
		return nil, fault.At("opinion", err)
	}
	return s.changeScore(ctx, scoreChange{method: "DecideScoreAppeal", name: req.GetName(), etag: req.GetEtag(), key: req.GetRequestId(), request: req,
		change: func(ctx context.Context, tx *db.Tx, score *supervisionv1.Score, access authn.Access) (string, error) {
			at := slices.IndexFunc(score.GetAppeals(), func(a *supervisionv1.ScoreAppeal) bool {
				return a.GetEntry() == req.GetEntry() && a.GetState() == supervisionv1.AppealState_APPEAL_STATE_PENDING
			})
			if at < 0 {
				return "", fault.ScoreAppealNone.New(fault.Field("entry"))
			}
			a := score.GetAppeals()[at]
			if a.GetPerson() == access.Subject {
				return "", fault.SamePersonForbidden.New()
			}
			now := tx.Now()
			a.State, a.Decider, a.Opinion, a.DecideTime, a.DecidedLate = req.GetResult(), access.Subject, opinion, timestamppb.New(now), over(a.GetDueDate(), now)
			if req.GetResult() == supervisionv1.AppealState_APPEAL_STATE_REJECTED {
				return "score.appeal_rejected", nil
			}
			_, err := s.engine.reckonFrozen(ctx, tx, score, "申诉成立："+a.GetEntry())
			return "score.reckoned", err
		}})
}

// CreateScoreMark gives or takes points by hand in a month that is not frozen.
func (s *Service) CreateScoreMark(ctx context.Context, req *supervisionv1.CreateScoreMarkRequest) (*supervisionv1.ScoreMark, error) {
	ground, err := codes.Text(req.GetScoreMark().GetGround(), 1000)
	if err != nil {
		return nil, fault.At("score_mark.ground", err)
	}
	access, r, err := s.scoreName(ctx, req.GetScoreMark().GetScore())
	if err != nil {
		return nil, err
	}
	if r.hall != req.GetParent() {
		return nil, fault.InvalidArgument.New(fault.Field("score_mark.score"))
	}
	month := r.months[0]
	key, hash := feed.RequestKey(r.hall, access.Subject, "CreateScoreMark", req.GetRequestId()), feed.RequestHash(req)
	var answer *supervisionv1.ScoreMark
	err = s.db.Write(ctx, r.hall, func(ctx context.Context, tx *db.Tx) error {
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		// A month that is over takes no mark, whether it is frozen yet or not.
		if month < rules.MonthOf(tx.Now()) {
			return fault.ScoreFrozen.New()
		}
		f, err := s.engine.formulas.of(ctx, tx, r.hall, month)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(f.Parts, func(p rules.ScorePart) bool { return p.ID == req.GetScoreMark().GetPart() }) {
			return fault.ScoreEntryUnknown.New(fault.Field("score_mark.part"))
		}
		b, err := openBook(ctx, tx, r.hall, month, r.department)
		if err != nil {
			return err
		}
		if _, ok := b.find(r, month); !ok {
			return fault.NotFound.New()
		}
		id := tx.NextID()
		m := &supervisionv1.ScoreMark{Name: fmt.Sprintf("%s/scoreMarks/%d", r.hall, id), Score: r.name, Part: req.GetScoreMark().GetPart(),
			Points: req.GetScoreMark().GetPoints(), Ground: ground, Author: access.Subject, CreateTime: timestamppb.New(tx.Now())}
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: m.GetName(), Sequence: 1, Type: "score_mark.created", Resource: m,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash}); err != nil {
			return err
		}
		answer = m
		return store.InsertScoreMark(ctx, tx, store.ScoreMark{ID: id, Name: m.GetName(), Hall: r.hall, Month: month, Department: r.department, Score: r.name, Data: marshal(m)})
	})
	if e, ok := feed.Replayed(err); ok {
		answer = &supervisionv1.ScoreMark{}
		return answer, proto.Unmarshal(e.GetResource(), answer)
	}
	return answer, err
}
