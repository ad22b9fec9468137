package supervision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// scoreAppealDays are the working days after a month was frozen in which its scores can
// be appealed against, and those in which an appeal is decided.
const scoreAppealDays = 5

// freezeBatch is how many scores are frozen in one write.
const freezeBatch = 100

// formula is a way of scoring with its resource name.
type formula struct {
	name string
	*rules.Formula
}

// reckonScore makes the message of a month's score.
func reckonScore(k scored, in *rules.ScoreInput, f formula) (*supervisionv1.Score, *rules.ScoreResult, error) {
	res, err := f.Score(*in)
	if err != nil {
		return nil, nil, fmt.Errorf("score of %s by %s: %w", k.department, f.name, err)
	}
	v := res.View
	s := &supervisionv1.Score{Name: k.name(periodOf(in.Month)), Kind: k.kind, Department: k.department, Period: periodOf(in.Month),
		Total: res.Total, Sum: res.Sum, Bonus: res.Bonus, Factor: res.Factor, Grade: res.Grade, Small: res.Small, Formula: f.name,
		Parts: partsOf(res), Figures: &supervisionv1.ScoreFigures{Concluded: v.Concluded, Early: v.Early, Late: v.Late, Refused: v.Refused,
			Supplemented: v.Supplemented, Paused: v.Paused, LeastCut: v.LeastCut, Warnings: v.Warnings, Yellows: v.Yellows, Reds: v.Reds,
			Gaps: v.Gaps, Reviews: v.Reviews, Satisfied: v.Satisfied}}
	switch k.kind {
	case supervisionv1.ScoreKind_SCORE_KIND_OFFICER:
		s.Officer = k.object
	case supervisionv1.ScoreKind_SCORE_KIND_ITEM:
		s.Item = k.object
	}
	for _, b := range res.Bonuses {
		s.Bonuses = append(s.Bonuses, &supervisionv1.ScoreBonusResult{Id: b.ID, DisplayName: b.Name, Points: b.Points})
	}
	return s, res, nil
}

func partsOf(res *rules.ScoreResult) []*supervisionv1.ScorePartResult {
	var all []*supervisionv1.ScorePartResult
	for _, p := range res.Parts {
		all = append(all, &supervisionv1.ScorePartResult{Id: p.ID, DisplayName: p.Name, Points: p.Points, Deducted: p.Deducted, Score: p.Score})
	}
	return all
}

func storedScore(data []byte) (*supervisionv1.Score, error) {
	s := &supervisionv1.Score{}
	if err := proto.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("stored score: %w", err)
	}
	return s, nil
}

// setAside are the entries that appeals set aside.
func setAside(s *supervisionv1.Score) map[string]bool {
	all := map[string]bool{}
	for _, a := range s.GetAppeals() {
		if a.GetState() == supervisionv1.AppealState_APPEAL_STATE_REVOKED {
			all[a.GetEntry()] = true
		}
	}
	return all
}

// freezeMonths freezes the scores of the months that are over, once everything entered
// in them is told and judged. Freezing again writes nothing.
func (e *engine) freezeMonths(ctx context.Context, until time.Time) error {
	if e.reviewed != nil {
		if known := e.reviewed(); known.Before(until) {
			until = known
		}
	}
	if now := e.clock.Now(); now.Before(until) {
		until = now
	}
	open := rules.MonthOf(until)
	if e.frozenBefore.Load() >= open {
		return nil
	}
	frozen, err := store.FrozenMonth(ctx, e.db.Read())
	if err != nil {
		return err
	}
	months, err := store.MonthsWithFacts(ctx, e.db.Read(), frozen, open)
	if err != nil {
		return err
	}
	for _, month := range months {
		if err := e.freezeMonth(ctx, month); err != nil {
			return fmt.Errorf("freeze %d: %w", month, err)
		}
	}
	e.frozenBefore.Store(open)
	return nil
}

func (e *engine) freezeMonth(ctx context.Context, month int64) error {
	halls, err := store.HallsOfMonth(ctx, e.db.Read(), month)
	if err != nil {
		return err
	}
	for _, hall := range halls {
		names, err := openBook(ctx, e.db.Read(), hall, month, "")
		if err != nil {
			return err
		}
		all := names.of(0)
		for len(all) > 0 {
			n := min(freezeBatch, len(all))
			if err := e.db.Write(ctx, "supervision/months", func(ctx context.Context, tx *db.Tx) error {
				// A card of the month that is being issued is waited for, or finds the score frozen.
				if err := store.HoldMonths(ctx, tx); err != nil {
					return err
				}
				return e.freeze(ctx, tx, hall, month, all[:n])
			}); err != nil {
				return err
			}
			all = all[n:]
		}
	}
	if err := e.compareMonth(ctx, month); err != nil {
		return err
	}
	return e.db.Write(ctx, "supervision/months", func(ctx context.Context, tx *db.Tx) error { return store.SetFrozenMonth(ctx, tx, month) })
}

// freeze writes some scores of a month as they are now.
func (e *engine) freeze(ctx context.Context, tx *db.Tx, hall string, month int64, all []scored) error {
	f, err := e.formulas.of(ctx, tx, hall, month)
	if err != nil {
		return err
	}
	b, err := openBook(ctx, tx, hall, month, "")
	if err != nil {
		return err
	}
	now := tx.Now()
	division := divisionOf(hall)
	due, _ := e.almanac.Book().Calendar.Add(division, answerFrom(rules.MonthEnd(month).Add(-time.Microsecond), now), scoreAppealDays)
	for _, k := range all {
		s, res, err := reckonScore(k, b.input(k, month), f)
		if err != nil {
			e.report(ctx, k.name(periodOf(month)), err)
			continue
		}
		s.Frozen, s.FreezeTime, s.AppealDueDate, s.Etag = true, timestamppb.New(now), due.String(), feed.Etag(s.GetName(), 1)
		s.Versions = []*supervisionv1.ScoreVersion{versionOfScore(1, s, res, "月度终了，成绩冻结", now)}
		fresh, err := store.InsertScore(ctx, tx, store.Score{Name: s.GetName(), Hall: hall, Month: month, Kind: int64(k.kind), Department: k.department, Data: marshal(s)})
		if err != nil {
			return err
		}
		if !fresh {
			continue
		}
		if _, err := feed.Append(ctx, tx, feed.Draft{Subject: s.GetName(), Sequence: 1, Type: "score.frozen", Resource: s, Actor: systemActor,
			HappenedAt: rules.MonthEnd(month)}); err != nil {
			return err
		}
	}
	return nil
}

func versionOfScore(number int, s *supervisionv1.Score, res *rules.ScoreResult, reason string, now time.Time) *supervisionv1.ScoreVersion {
	return &supervisionv1.ScoreVersion{Number: int32(number), Total: s.GetTotal(), Grade: s.GetGrade(), Reason: reason, CreateTime: timestamppb.New(now), Parts: partsOf(res)}
}

// reckonFrozen reckons a frozen score again, by the same formula and without what was
// set aside. It notes a new version if the points came out differently, and reports
// whether anything did.
func (e *engine) reckonFrozen(ctx context.Context, tx *db.Tx, old *supervisionv1.Score, reason string) (bool, error) {
	r, err := readRef(old.GetName())
	if err != nil {
		return false, err
	}
	month := r.months[0]
	f, err := e.formulas.of(ctx, tx, r.hall, month)
	if err != nil {
		return false, err
	}
	b, err := openBook(ctx, tx, r.hall, month, r.department)
	if err != nil {
		return false, err
	}
	k := scored{old.GetKind(), old.GetDepartment(), old.GetOfficer() + old.GetItem()}
	in := b.input(k, month)
	in.Aside = setAside(old)
	s, res, err := reckonScore(k, in, f)
	if err != nil {
		return false, err
	}
	before := proto.CloneOf(old)
	another := s.GetTotal() != old.GetTotal() || s.GetSum() != old.GetSum() || s.GetGrade() != old.GetGrade()
	old.Total, old.Sum, old.Bonus, old.Factor, old.Grade, old.Small = s.GetTotal(), s.GetSum(), s.GetBonus(), s.GetFactor(), s.GetGrade(), s.GetSmall()
	old.Parts, old.Bonuses, old.Figures = s.GetParts(), s.GetBonuses(), s.GetFigures()
	if another {
		old.Versions = append(old.Versions, versionOfScore(len(old.GetVersions())+1, s, res, reason, tx.Now()))
	}
	// Points at their floor stay what they are while the figures beneath them change.
	return !proto.Equal(before, old), nil
}

// scoreAgain reckons the frozen scores again in which a card counts since it was issued
// late, or counts no more. what says in Chinese what became of the card.
func (e *engine) scoreAgain(ctx context.Context, tx *db.Tx, c *supervisionv1.Card, what string) error {
	month := rules.MonthOf(c.GetAsOf().AsTime())
	keys := []scored{{supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT, c.GetDepartment(), ""}}
	if c.GetOfficer() != "" {
		keys = append(keys, scored{supervisionv1.ScoreKind_SCORE_KIND_OFFICER, c.GetDepartment(), c.GetOfficer()})
	}
	if c.GetItem() != "" {
		keys = append(keys, scored{supervisionv1.ScoreKind_SCORE_KIND_ITEM, c.GetDepartment(), c.GetItem()})
	}
	for _, k := range keys {
		row, ok, err := store.GetScore(ctx, tx, k.name(periodOf(month)))
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		s, err := storedScore(row.Data)
		if err != nil {
			return err
		}
		changed, err := e.reckonFrozen(ctx, tx, s, "监察牌"+lastPart(c.GetName())+what)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if err := saveScore(ctx, tx, row, s, feed.Draft{Type: "score.reckoned", Actor: systemActor}); err != nil {
			return err
		}
	}
	return nil
}

// saveScore writes a score one sequence on, and the event that says why.
func saveScore(ctx context.Context, tx *db.Tx, row store.Score, s *supervisionv1.Score, event feed.Draft) error {
	row.Sequence++
	s.Etag = feed.Etag(row.Name, row.Sequence)
	event.Subject, event.Sequence, event.Resource = row.Name, row.Sequence, s
	if _, err := feed.Append(ctx, tx, event); err != nil {
		return err
	}
	row.Data = marshal(s)
	return store.UpdateScore(ctx, tx, row)
}

// placeCards notes the month, item and handler of cards that were written before scores
// looked at them.
func (e *engine) placeCards(ctx context.Context) error {
	for after := int64(0); ; {
		rows, err := store.Unplaced(ctx, e.db.Read(), after, timerBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		err = e.db.Write(ctx, "supervision/place", func(ctx context.Context, tx *db.Tx) error {
			for _, row := range rows {
				c, err := cardOf(row.Data)
				if err != nil {
					return err
				}
				if c.GetAsOf() == nil {
					return errors.New("a card without a moment")
				}
				row.Rule, row.Item, row.Officer, row.AsOf = c.GetRule(), c.GetItem(), c.GetOfficer(), c.GetAsOf().AsTime()
				if err := store.PlaceCard(ctx, tx, row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		after = rows[len(rows)-1].ID
	}
}

// over is whether a day is over at a moment.
func over(day string, now time.Time) bool {
	d, err := workday.ParseDate(day)
	return err == nil && workday.DateOf(now) > d
}
