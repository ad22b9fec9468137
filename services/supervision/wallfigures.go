package supervision

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// wallShown is how many cases and cards a snapshot shows.
	wallShown = 50
	// figuresAge is how old figures may be before they are counted again, and
	// figuresShare how many times longer than the counting took: so counting never takes
	// more than that part of the time, however much there is to count.
	figuresAge   = 2 * time.Second
	figuresShare = 20
	// figuresHours is after how long they are counted although nothing changed: days go by.
	figuresHours = time.Minute
)

// The days left that stand for many.
const (
	daysLate    = -1
	daysMany    = 6
	daysUnknown = 7
)

// figureBook counts for each scope, once for all of its watchers.
type figureBook struct {
	mu     sync.Mutex
	scopes map[wallScope]*scopeFigures
}

// scopeFigures are the last counted, with the snapshot they belong to.
type scopeFigures struct {
	mu       sync.Mutex
	at       place
	counted  time.Time
	took     time.Duration
	snapshot *supervisionv1.WallSnapshot
}

func (b *figureBook) of(s wallScope) *scopeFigures {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.scopes == nil || len(b.scopes) > 10_000 {
		b.scopes = map[wallScope]*scopeFigures{}
	}
	if b.scopes[s] == nil {
		b.scopes[s] = &scopeFigures{}
	}
	return b.scopes[s]
}

// fresh are the figures of a scope, counted again when something changed and the last
// counting is a while ago.
func (b *figureBook) fresh(ctx context.Context, w *wall, s wallScope) (*supervisionv1.WallFigures, error) {
	f := b.of(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	w.mu.Lock()
	head := w.head
	w.mu.Unlock()
	age := time.Since(f.counted)
	if f.snapshot != nil && (age < max(figuresAge, figuresShare*f.took) || !f.at.behind(head) && age < figuresHours) {
		return f.snapshot.GetFigures(), nil
	}
	err := f.count(ctx, w, s)
	return f.snapshot.GetFigures(), err
}

// snapshot is the wall of a scope as it is, or was a moment ago, with its place.
func (b *figureBook) snapshot(ctx context.Context, w *wall, s wallScope) (*supervisionv1.WallSnapshot, place, error) {
	f := b.of(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.snapshot != nil && time.Since(f.counted) < max(time.Second, f.took) {
		if _, _, known := w.after(f.at); known {
			return f.snapshot, f.at, nil
		}
	}
	if err := f.count(ctx, w, s); err != nil {
		return nil, place{}, err
	}
	return f.snapshot, f.at, nil
}

// count reads everything of a scope from one state of the database.
func (f *scopeFigures) count(ctx context.Context, w *wall, s wallScope) error {
	began := time.Now()
	now := w.engine.clock.Now()
	snap := &supervisionv1.WallSnapshot{}
	var at place
	err := w.db.ReadTx(ctx, func(q db.Querier) error {
		m, err := store.Present(ctx, q)
		if err != nil {
			return err
		}
		at.cards = m.Position
		if at.cases, err = feed.Position(ctx, q, sourceCasework, "supervision"); err != nil {
			return err
		}
		if snap.Figures, err = w.figuresOf(ctx, q, s, now); err != nil {
			return err
		}
		if snap.Cases, err = w.nearest(ctx, q, s, now); err != nil {
			return err
		}
		snap.Cards, err = newestCards(ctx, q, s)
		return err
	})
	if err != nil {
		return err
	}
	f.snapshot, f.at, f.counted, f.took = snap, at, time.Now(), time.Since(began)
	return nil
}

// nearest are the cases with the nearest due date.
func (w *wall) nearest(ctx context.Context, q db.Querier, s wallScope, now time.Time) ([]*supervisionv1.WallCase, error) {
	var rows []*store.Clock
	var err error
	if s.hall == "" && s.department == "" {
		rows, err = store.NearestClocks(ctx, q, wallShown)
	} else {
		rows, err = store.ListClocks(ctx, q, s.hall, s.department, -1, "", wallShown)
	}
	if err != nil {
		return nil, err
	}
	var all []*supervisionv1.WallCase
	for _, row := range rows {
		x := w.engine.watch(row)
		if err := x.load(); err != nil {
			return nil, err
		}
		l := lineOf(x, x.kept)
		w.count(l, now)
		all = append(all, l)
	}
	return all, nil
}

// newestCards are the newest cards.
func newestCards(ctx context.Context, q db.Querier, s wallScope) ([]*supervisionv1.Card, error) {
	rows, err := store.ListCards(ctx, q, store.CardFilter{Hall: s.hall, Department: s.department, Hidden: s.hidden}, 0, wallShown)
	if err != nil {
		return nil, err
	}
	var all []*supervisionv1.Card
	for _, row := range rows {
		c, err := cardOf(row.Data)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// figuresOf counts.
func (w *wall) figuresOf(ctx context.Context, q db.Querier, s wallScope, now time.Time) (*supervisionv1.WallFigures, error) {
	f := &supervisionv1.WallFigures{AsOf: timestamppb.New(now)}
	stages, err := store.CountStages(ctx, q, s.hall)
	if err != nil {
		return nil, err
	}
	days := map[int32]int64{}
	var last *supervisionv1.WallStage
	slices.SortFunc(stages, func(a, b store.Stage) int {
		return cmp.Or(cmp.Compare(a.Hall, b.Hall), cmp.Compare(a.Department, b.Department), cmp.Compare(a.Stage, b.Stage))
	})
	for _, one := range stages {
		if !s.of(one.Hall, one.Department) {
			continue
		}
		if last == nil || last.GetHall() != one.Hall || last.GetDepartment() != one.Department || last.GetStage() != one.Stage {
			last = &supervisionv1.WallStage{Hall: one.Hall, Department: one.Department, Stage: one.Stage}
			f.Stages = append(f.Stages, last)
		}
		last.Cases += one.N
		f.Open += one.N
		days[w.bucket(one, now)] += one.N
	}
	for d := int32(daysLate); d <= daysUnknown; d++ {
		f.Days = append(f.Days, &supervisionv1.WallDays{DaysLeft: d, Cases: days[d]})
	}
	counts, err := store.CountCards(ctx, q, store.CardFilter{Hall: s.hall, Department: s.department})
	if err != nil {
		return nil, err
	}
	sum := newCardSum(s.hidden)
	for _, c := range counts {
		sum.add(c)
	}
	f.Cards, f.Valid, f.Pending = sum.counts, sum.all.GetValid(), sum.all.GetPending()
	return f, nil
}

// bucket is the figure that clocks of one day belong to.
func (w *wall) bucket(one store.Stage, now time.Time) int32 {
	if one.Due == unknownDue {
		return daysUnknown
	}
	division := divisionOf(one.Hall)
	left := daysLeft(w.engine.almanac.Book().Calendar, division, workday.DateOf(now), workday.Date(one.Due))
	return int32(max(daysLate, min(daysMany, left)))
}
