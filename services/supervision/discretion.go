package supervision

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// likeMonths is how many months are looked at together.
const likeMonths = 3

var measureWords = map[string]supervisionv1.DiscretionMeasure{
	rules.MeasureRefusal:    supervisionv1.DiscretionMeasure_DISCRETION_MEASURE_REFUSAL,
	rules.MeasurePause:      supervisionv1.DiscretionMeasure_DISCRETION_MEASURE_PAUSE,
	rules.MeasureSupplement: supervisionv1.DiscretionMeasure_DISCRETION_MEASURE_SUPPLEMENT,
	rules.MeasureSpeed:      supervisionv1.DiscretionMeasure_DISCRETION_MEASURE_SPEED,
}

// like is one officer, department or item among the like cases of an entry and a kind of
// applicant.
type like struct {
	scored
	item      string
	applicant int64
}

// alike are the like cases of one entry.
type alike struct {
	entry string
	all   map[int64]*rules.Tallied // by kind of applicant
	by    map[like]*rules.Tallied
}

func newAlike(entry string) *alike {
	return &alike{entry: entry, all: map[int64]*rules.Tallied{}, by: map[like]*rules.Tallied{}}
}

// add takes a cell.
func (a *alike) add(c store.Cell, t rules.Tallied) {
	if a.all[c.Applicant] == nil {
		a.all[c.Applicant] = &rules.Tallied{}
	}
	a.all[c.Applicant].Add(t, 1)
	keys := []like{
		{scored{supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT, c.Department, ""}, "", c.Applicant},
		{scored{supervisionv1.ScoreKind_SCORE_KIND_ITEM, c.Department, c.Item}, c.Item, c.Applicant},
	}
	if c.Officer != "" {
		keys = append(keys, like{scored{supervisionv1.ScoreKind_SCORE_KIND_OFFICER, c.Department, c.Officer}, "", c.Applicant})
	}
	for _, k := range keys {
		if a.by[k] == nil {
			a.by[k] = &rules.Tallied{}
		}
		a.by[k].Add(t, 1)
	}
}

// others are all like cases but its own.
func (a *alike) others(k like) rules.Tallied {
	rest := *a.all[k.applicant]
	rest.Add(*a.by[k], -1)
	return rest
}

// keys are what is compared, in order.
func (a *alike) keys() []like {
	all := make([]like, 0, len(a.by))
	for k := range a.by {
		all = append(all, k)
	}
	slices.SortFunc(all, func(x, y like) int {
		return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.department, y.department), cmp.Compare(x.object, y.object), cmp.Compare(x.applicant, y.applicant))
	})
	return all
}

// compared is one comparison with what it is about.
type compared struct {
	*rules.Difference
	like
	entry       string
	own, others rules.Tallied
}

// addMonths is the month so many after another.
func addMonths(month, n int64) int64 {
	at := month/100*12 + month%100 - 1 + n
	return at/12*100 + at%12 + 1
}

// compareMonth compares like cases of the deployment over the months up to one that is
// over, and keeps what it finds. It reads sums, entry by entry, and no cases.
func (e *engine) compareMonth(ctx context.Context, month int64) error {
	byHall := map[string][]compared{}
	current := newAlike("")
	take := func() {
		for _, k := range current.keys() {
			own, others := *current.by[k], current.others(k)
			for _, d := range rules.Differences(own, others) {
				hall := hallOf(k.department)
				byHall[hall] = append(byHall[hall], compared{&d, k, current.entry, own, others})
			}
		}
	}
	err := store.Cells(ctx, e.db.Read(), store.CellFilter{From: addMonths(month, 1-likeMonths), To: month}, func(c store.Cell, t rules.Tallied) error {
		if c.Entry != current.entry {
			take()
			current = newAlike(c.Entry)
		}
		current.add(c, t)
		return nil
	})
	if err != nil {
		return err
	}
	take()
	halls, err := store.HallsOfMonth(ctx, e.db.Read(), month)
	if err != nil {
		return err
	}
	for _, hall := range halls {
		rows := found(hall, month, byHall[hall])
		if err := e.db.Write(ctx, "supervision/months", func(ctx context.Context, tx *db.Tx) error {
			return store.ReplaceFindings(ctx, tx, hall, month, rows)
		}); err != nil {
			return err
		}
	}
	return nil
}

// found are the comparisons of a hall that are told of, the surest first.
func found(hall string, month int64, all []compared) []store.Finding {
	ptrs := make([]*rules.Difference, len(all))
	for i, c := range all {
		ptrs[i] = c.Difference
	}
	rules.Control(ptrs)
	told := slices.DeleteFunc(slices.Clone(all), func(c compared) bool { return !c.Told() })
	slices.SortStableFunc(told, func(a, b compared) int { return cmp.Compare(a.P, b.P) })
	rows := make([]store.Finding, len(told))
	for i, c := range told {
		m := c.message(hall, month)
		m.Comparisons = int64(len(all))
		rows[i] = store.Finding{Name: m.GetName(), Hall: hall, Month: month, Kind: int64(c.kind), Measure: int64(m.GetMeasure()),
			Department: c.department, Place: int64(i + 1), Data: marshal(m)}
	}
	return rows
}

func (c compared) message(hall string, month int64) *supervisionv1.Finding {
	sum := sha256.Sum256(fmt.Append(nil, c.kind, "|", c.department, "|", c.object, "|", c.entry, "|", c.applicant))
	m := &supervisionv1.Finding{Name: fmt.Sprintf("%s/findings/%s.%s.%s.%s", hall, periodOf(month), kindWords[c.kind], c.Measure, hex.EncodeToString(sum[:8])),
		Month: periodOf(month), By: c.kind, Measure: measureWords[c.Measure], Entry: c.entry, Item: c.item, ApplicantType: int32(c.applicant),
		Department: c.department, OwnSpeed: speedOf(c.own), OthersSpeed: speedOf(c.others), PValue: c.P, QValue: c.Q,
		Own: shareOf(c.Count, c.N), Others: shareOf(c.OtherCount, c.Difference.Others), Ground: c.ground()}
	if c.kind == supervisionv1.ScoreKind_SCORE_KIND_OFFICER {
		m.Officer = c.object
	}
	return m
}

func (c compared) ground() string {
	if c.Measure == rules.MeasureSpeed {
		return fmt.Sprintf("同类办件%d件，办理用时中位数%.0f分钟；其他同类办件%d件，中位数%.0f分钟。随机抽取两件，用时更长的可能性为%.0f%%",
			c.N, c.own.Quantile(0.5), c.Difference.Others, c.others.Quantile(0.5), 100*c.Theta)
	}
	what := map[string]string{rules.MeasureRefusal: "不受理、不予受理、不予许可、退回", rules.MeasurePause: "启动特别程序", rules.MeasureSupplement: "告知补正"}[c.Measure]
	return fmt.Sprintf("同类办件%d件，其中%s%d件，占%.1f%%；其他同类办件%d件，占%.1f%%", c.N, what, c.Count, 100*c.Share(), c.Difference.Others, 100*c.OtherShare())
}

func shareOf(count, n int64) *supervisionv1.Share {
	s := &supervisionv1.Share{N: n, Count: count}
	s.Low, s.High = rules.Wilson(count, n)
	if n > 0 {
		s.Share = float64(count) / float64(n)
	}
	return s
}

func speedOf(t rules.Tallied) *supervisionv1.Speed {
	s := &supervisionv1.Speed{N: t.Timed(), MedianMinutes: t.Quantile(0.5), P90Minutes: t.Quantile(0.9)}
	if t.Promised > 0 {
		s.PromiseShare = float64(t.Used) / float64(t.Promised)
	}
	return s
}
