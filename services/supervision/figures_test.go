package supervision

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// figures are all cells and scores, without what depends on when they were written.
func (w *watch) figures() []string {
	w.t.Helper()
	ctx, q := w.t.Context(), w.db.Read()
	var all []string
	months := map[int64]bool{}
	err := store.Cells(ctx, q, store.CellFilter{Hall: testHall, To: math.MaxInt32}, func(c store.Cell, t rules.Tallied) error {
		months[c.Month] = true
		all = append(all, fmt.Sprintf("%+v %+v", c, t))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, table := range []string{"department_loads", "past_places"} {
		all = append(all, w.rows(table)...)
	}
	e := w.engine()
	for month := range months {
		b, err := openBook(ctx, q, testHall, month, "")
		if err != nil {
			w.t.Fatal(err)
		}
		f, err := e.formulas.of(ctx, q, testHall, month)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, k := range b.of(0) {
			s, res, err := reckonScore(k, b[k], f)
			if err != nil {
				w.t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%s %v %s %d entries, %s", s.GetName(), s.GetTotal(), s.GetGrade(), len(res.Entries), figuresText(s)))
			row, frozen, err := store.GetScore(ctx, q, s.GetName())
			if err != nil {
				w.t.Fatal(err)
			}
			if !frozen {
				continue
			}
			old, err := storedScore(row.Data)
			if err != nil || figuresText(old) != figuresText(s) || old.GetTotal() != s.GetTotal() {
				w.t.Errorf("%s was frozen as %v (%s) and now is %v (%s), %v", s.GetName(), old.GetTotal(), figuresText(old), s.GetTotal(), figuresText(s), err)
			}
		}
	}
	slices.Sort(all)
	return all
}

// rows are all rows of a table of texts and numbers.
func (w *watch) rows(table string) []string {
	w.t.Helper()
	rows, err := w.db.Read().QueryContext(w.t.Context(), "SELECT * FROM "+table)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			w.t.Error(err)
		}
	}()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		values, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			w.t.Fatal(err)
		}
		text := table
		for _, v := range values {
			text += " " + v.String
		}
		all = append(all, text)
	}
	return all
}

func figuresText(s *supervisionv1.Score) string {
	return strings.ReplaceAll(s.GetFigures().String(), "  ", " ")
}

// told is what was told of a case at a moment.
type told struct {
	kind    string
	entered time.Time
	c       *caseworkv1.Case
}

// lives makes up cases of three items and four officers, some of which are voided when
// they are over.
func lives(r *rand.Rand, start time.Time, n int) ([]*feedv1.Event, map[string][]told) {
	steps, cases := script(r, start, n)
	at := steps[len(steps)-1].at
	for name, c := range cases {
		c.Item = fmt.Sprint(testHall, "/items/", []string{"x", "y", "z"}[r.IntN(3)])
		c.Department = fmt.Sprint(testHall, "/departments/d", 1+r.IntN(2))
		c.Applicant = &caseworkv1.Applicant{Type: caseworkv1.ApplicantType(1 + r.IntN(2))}
		if r.IntN(8) == 0 {
			at = at.Add(time.Hour)
			steps = append(steps, step{at: at, name: name, kind: "case.voided", do: func(c *caseworkv1.Case, at *timestamppb.Timestamp) {
				c.State, c.EndTime, c.EndReason = caseworkv1.CaseState_CASE_STATE_VOIDED, at, "录入错误，作废重新登记"
			}})
		}
	}
	history, sequences := map[string][]told{}, map[string]int64{}
	var events []*feedv1.Event
	for _, st := range steps {
		c := cases[st.name]
		st.do(c, timestamppb.New(st.at.Add(-st.lag)))
		if d := c.GetDecision(); d != nil && st.kind == "case.decided" {
			d.Officer = fmt.Sprint("head", r.IntN(2))
			d.Result = caseworkv1.DecisionResult(1 + r.IntN(2))
		}
		for _, x := range c.GetSteps() {
			x.Officer = "clerk" + lastPart(st.name)[20:]
		}
		sequences[st.name]++
		history[st.name] = append(history[st.name], told{st.kind, st.at, proto.CloneOf(c)})
		events = append(events, &feedv1.Event{Subject: st.name, Sequence: sequences[st.name], Type: st.kind, ResourceType: caseType,
			Resource: marshal(c), Actor: "window", HappenedAt: timestamppb.New(st.at), EnteredAt: timestamppb.New(st.at)})
	}
	return events, history
}

// recount counts the cells again, slowly and from all that was told.
func recount(policy rules.Policy, history map[string][]told) map[store.Cell]rules.Tallied {
	cells := map[store.Cell]rules.Tallied{}
	for _, all := range history {
		if factsOf(all[len(all)-1].c).End == rules.EndVoided {
			continue
		}
		for _, one := range all {
			f := factsOf(one.c)
			if !f.Settled() {
				continue
			}
			counted := policy.Count(f, "window")
			cell := store.Cell{Hall: testHall, Month: rules.MonthOf(one.entered), Department: one.c.GetDepartment(), Item: one.c.GetItem(), Officer: counted.Officer,
				Applicant: int64(one.c.GetApplicant().GetType()), Cut: counted.Cut, Entry: lastPart(one.c.GetItem())}
			sum := cells[cell]
			sum.Take(counted, 1)
			cells[cell] = sum
			break
		}
	}
	return cells
}

// byHand scores a department by the Huizhou model from nothing but the cells and the
// stored cards.
func byHand(department string, month int64, cells map[store.Cell]rules.Tallied, cards []*supervisionv1.Card) float64 {
	concluded, early, cut := int64(0), int64(0), int64(math.MaxInt64)
	for c, t := range cells {
		if c.Department == department && c.Month == month {
			concluded, early = concluded+t.N, early+t.Early
			if c.Cut >= 0 && t.N > 0 {
				cut = min(cut, c.Cut)
			}
		}
	}
	highest, gaps := map[string]*supervisionv1.Card{}, map[string]bool{}
	for _, c := range cards {
		if c.GetDepartment() != department || rules.MonthOf(c.GetAsOf().AsTime()) != month || c.GetState() != supervisionv1.CardState_CARD_STATE_ISSUED {
			continue
		}
		if strings.HasPrefix(c.GetRule(), "H2") {
			gaps[c.GetSubject()] = true
		}
		h := highest[c.GetSubject()]
		if h == nil || c.GetLevel() > h.GetLevel() || c.GetLevel() == h.GetLevel() && (c.GetAsOf().AsTime().Before(h.GetAsOf().AsTime()) ||
			c.GetAsOf().AsTime().Equal(h.GetAsOf().AsTime()) && c.GetName() < h.GetName()) {
			highest[c.GetSubject()] = c
		}
	}
	lost, warnings := map[byte]float64{}, map[byte]int{}
	for _, c := range highest {
		letter := c.GetRule()[0]
		switch c.GetLevel() {
		case supervisionv1.CardLevel_CARD_LEVEL_RED:
			lost[letter] += 10
		case supervisionv1.CardLevel_CARD_LEVEL_YELLOW:
			lost[letter] += 5
		default:
			if letter == 'H' {
				letter = 'P'
			}
			warnings[letter]++
		}
	}
	for letter, n := range warnings {
		lost[letter] += float64(3 * (n / 3))
	}
	if concluded > 0 {
		lost['P'] += min(5, float64(int64(len(gaps))*100/concluded))
	}
	total := 100.0
	for letter, full := range map[byte]float64{'P': 14, 'T': 14, 'F': 8, 'R': 10, 'S': 14} {
		total -= min(full, lost[letter])
	}
	if concluded > 0 {
		total += float64(early * 10 / concluded)
	}
	if cut >= 3 && cut != math.MaxInt64 {
		total += float64(cut)
	}
	return total
}

// The figures kept as events come are those of a slow recount, in batches of any size,
// whatever is voided and revoked in between.
func TestFiguresAreThoseOfARecount(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		clk := clock.NewVirtual(time.Date(2016, 11, 14, 9, 0, 0, 0, workday.Zone))
		w := &watch{t: t, db: dbtest.Open(t, cfg, store.Migrations, clk), clock: clk}
		for seed := range uint64(3) {
			start := clk.Now().AddDate(0, 3, 0)
			clk.Set(start)
			for _, table := range []string{"clocks", "cards", "counted_cases", "month_facts", "scores", "events", "policies", "accounts", "tallies", "department_loads", "past_places", "forecasts"} {
				if err := w.db.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.ExecContext(ctx, "DELETE FROM "+table)
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			r := rand.New(rand.NewPCG(seed, 9))
			events, history := lives(r, start, 150)
			e := w.engine()
			for rest := events; len(rest) > 0; {
				n := min(1+r.IntN(90), len(rest))
				clk.Set(rest[n-1].GetEnteredAt().AsTime())
				if err := w.db.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error { return e.apply(ctx, tx, rest[:n]) }); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
				w.revokeSome(r)
			}
			w.compare(recount(e.policyAt(divisionOf(testHall), start), history))
		}
	})
}

// revokeSome takes back a card now and then.
func (w *watch) revokeSome(r *rand.Rand) {
	w.t.Helper()
	rows, err := store.StandingCards(w.t.Context(), w.db.Read(), store.CardFilter{}, 0, 1000)
	if err != nil || len(rows) == 0 || r.IntN(2) == 0 {
		return
	}
	row := rows[r.IntN(len(rows))]
	c, err := cardOf(row.Data)
	if err != nil {
		w.t.Fatal(err)
	}
	c.State = supervisionv1.CardState_CARD_STATE_REVOKED
	if err := w.db.Write(w.t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
		return store.UpdateCard(ctx, tx, row.Name, marshal(c), store.Revoked, row.Sequence+1)
	}); err != nil {
		w.t.Fatal(err)
	}
}

// compare holds the kept cells and scores against recounted ones.
func (w *watch) compare(want map[store.Cell]rules.Tallied) {
	w.t.Helper()
	ctx, q := w.t.Context(), w.db.Read()
	got := map[store.Cell]rules.Tallied{}
	cases := int64(0)
	if err := store.Cells(ctx, q, store.CellFilter{Hall: testHall, To: math.MaxInt32}, func(c store.Cell, t rules.Tallied) error {
		if t != (rules.Tallied{}) {
			got[c] = t
			cases += t.N
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("cells: %s", diff)
	}
	var rows int64
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM counted_cases`).Scan(&rows); err != nil || rows != cases || cases < 30 {
		w.t.Errorf("%d rows of %d cases, %v", rows, cases, err)
	}
	all, err := store.ListCards(ctx, q, store.CardFilter{}, 0, 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	var cards []*supervisionv1.Card
	for _, row := range all {
		c, err := cardOf(row.Data)
		if err != nil {
			w.t.Fatal(err)
		}
		cards = append(cards, c)
	}
	compared := 0
	months, err := store.MonthsWithFacts(ctx, q, 0, math.MaxInt32)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, month := range months {
		b, err := openBook(ctx, q, testHall, month, "")
		if err != nil {
			w.t.Fatal(err)
		}
		for _, k := range b.of(supervisionv1.ScoreKind_SCORE_KIND_DEPARTMENT) {
			s, _, err := reckonScore(k, b[k], formula{name: "x", Formula: rules.DefaultFormula()})
			if err != nil {
				w.t.Fatal(err)
			}
			compared++
			if want := byHand(k.department, month, want, cards); math.Abs(want-s.GetTotal()) > 1e-6 {
				w.t.Errorf("%s: %v, by hand %v", s.GetName(), s.GetTotal(), want)
			}
		}
	}
	if compared < 2 {
		w.t.Errorf("only %d scores compared", compared)
	}
}
