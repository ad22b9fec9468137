package supervision

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// step is one event of the script.
type step struct {
	at   time.Time
	kind string
	lag  time.Duration // entered so much after it happened
	do   func(c *caseworkv1.Case, at *timestamppb.Timestamp)
	name string
}

// script makes up the lives of n cases over some weeks, in order of time.
func script(r *rand.Rand, start time.Time, n int) ([]step, map[string]*caseworkv1.Case) {
	var all []step
	cases := map[string]*caseworkv1.Case{}
	for i := range n {
		name := fmt.Sprintf("%s/cases/4413001811%011d", testHall, i)
		cases[name] = &caseworkv1.Case{Name: name, Item: testHall + "/items/x", ItemTitle: "居住证办理", Department: testHall + "/departments/d1",
			ItemRevision: 1, PromisedLimit: int32(1 + r.IntN(8)), StatutoryLimit: int32(8 + r.IntN(5)), FullFlow: i%5 == 0, Channel: caseworkv1.Channel(1 + r.IntN(3))}
		at := start.Add(time.Duration(r.IntN(10*24*60)) * time.Minute)
		add := func(kind string, do func(c *caseworkv1.Case, at *timestamppb.Timestamp)) {
			s := step{at: at, kind: kind, do: do, name: name}
			if r.IntN(12) == 0 {
				s.lag = time.Duration(r.IntN(50)) * time.Hour
				at = at.Add(s.lag)
				s.at = at
			}
			all = append(all, s)
			at = at.Add(time.Duration(1+r.IntN([]int{60, 4000, 9000}[r.IntN(3)])) * time.Minute)
		}
		life(r, add)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].at.Before(all[j].at) })
	return all, cases
}

// life is what happens to one case.
func life(r *rand.Rand, add func(kind string, do func(c *caseworkv1.Case, at *timestamppb.Timestamp))) {
	type stamp = timestamppb.Timestamp
	supplement := func(after bool) {
		add("case.supplement_requested", func(c *caseworkv1.Case, at *stamp) {
			c.Supplements = append(c.Supplements, &caseworkv1.Supplement{Serial: int32(len(c.Supplements) + 1), NoticeTime: at, AfterAcceptance: after,
				MaterialIds: []string{fmt.Sprint("m", c.GetPromisedLimit())}})
		})
		add("case.supplement_received", func(c *caseworkv1.Case, at *stamp) { c.Supplements[len(c.Supplements)-1].ReceiptTime = at })
	}
	add("case.submitted", func(c *caseworkv1.Case, at *stamp) {
		c.SubmitTime, c.State = at, caseworkv1.CaseState_CASE_STATE_SUBMITTED
	})
	for r.IntN(3) == 0 {
		supplement(false)
	}
	if r.IntN(8) == 0 {
		add("case.refused", func(c *caseworkv1.Case, at *stamp) {
			c.State, c.EndTime, c.EndReason = caseworkv1.CaseState_CASE_STATE_REFUSED, at, "不行"
		})
		return
	}
	add("case.accepted", func(c *caseworkv1.Case, at *stamp) {
		c.AcceptTime, c.State = at, caseworkv1.CaseState_CASE_STATE_ACCEPTED
	})
	if r.IntN(4) == 0 {
		supplement(true)
	}
	if r.IntN(3) == 0 {
		limit := int32(r.IntN(6))
		add("case.special_started", func(c *caseworkv1.Case, at *stamp) {
			c.SpecialProcedures = append(c.SpecialProcedures, &caseworkv1.SpecialProcedure{Serial: 1, Kind: 2, DisplayName: "听证", Limit: limit, StartTime: at})
		})
		add("case.special_ended", func(c *caseworkv1.Case, at *stamp) { c.SpecialProcedures[0].EndTime = at })
	}
	if r.IntN(2) == 0 {
		add("case.undertaken", func(c *caseworkv1.Case, at *stamp) {
			c.Steps = append(c.Steps, &caseworkv1.Step{Kind: caseworkv1.StepKind_STEP_KIND_UNDERTAKE, Officer: "clerk", StepTime: at})
		})
	}
	if r.IntN(10) == 0 {
		add("case.voided", func(c *caseworkv1.Case, at *stamp) {
			c.State, c.EndTime, c.EndReason = caseworkv1.CaseState_CASE_STATE_VOIDED, at, "录入错误，作废重新登记"
		})
		return
	}
	if r.IntN(6) == 0 {
		return // left lying
	}
	add("case.decided", func(c *caseworkv1.Case, at *stamp) {
		c.State = caseworkv1.CaseState_CASE_STATE_DECIDED
		c.Decision = &caseworkv1.Decision{Result: 1, DecideTime: at, Officer: "head"}
	})
	if r.IntN(3) > 0 {
		add("case.finished", func(c *caseworkv1.Case, at *stamp) {
			c.State = caseworkv1.CaseState_CASE_STATE_FINISHED
			c.Finish = &caseworkv1.Finish{Result: 1, FinishTime: at}
		})
	}
}

// published is the revision that all cases of the script were filed under.
func published() *cataloguev1.ItemRevision {
	return &cataloguev1.ItemRevision{Revision: 1, Item: &cataloguev1.Item{
		Steps: []*cataloguev1.ProcessStep{{Kind: "accept", DisplayName: "受理"}, {Kind: "undertake", DisplayName: "承办", Limit: 2},
			{Kind: "approve", DisplayName: "批准", Limit: 3}},
		Materials: []*cataloguev1.Material{{Id: "m1", DisplayName: "身份证", Necessary: true}, {Id: "m2", DisplayName: "合同"}},
	}}
}

// review writes a review of a case now and then, and sometimes the answer to it.
func (s *source) review(r *rand.Rand, c *caseworkv1.Case) {
	name := fmt.Sprintf("%s/reviews/%s", testHall, lastPart(c.GetName()))
	now := s.clock.Now()
	review := &reviewv1.Review{Name: name, Case: c.GetName(), Department: c.GetDepartment(), Stars: int32(1 + r.IntN(5)),
		CreateTime: timestamppb.New(now)}
	switch {
	case s.reviews.seq[name] == 0 && r.IntN(6) == 0:
		s.reviews.append("review.created", name, review, "applicant", now)
	case s.reviews.seq[name] == 1 && r.IntN(2) == 0:
		review.Stars, review.Reply, review.ReplyTime = 1, "已整改", timestamppb.New(now)
		s.reviews.append("review.replied", name, review, "officer", now)
	}
}

// The cards are the same whether supervision ran all the time, was away for days, was
// told everything twice, was restarted on the way, ran as two replicas, or began when
// all was over.
func TestCardsDoNotDependOnWhenItRan(t *testing.T) {
	configs := map[string]func(testing.TB) db.Config{db.SQLite: dbtest.SQLiteConfig}
	if dbtest.Postgres(t) != "" {
		configs[db.Postgres] = dbtest.PostgresConfig
	}
	for driver, config := range configs {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			start := time.Date(2018, 11, 1, 9, 0, 0, 0, workday.Zone)
			s := newSource(t, start)
			s.reviews, s.catalogue = newFeed(t, s.clock), newFeed(t, s.clock)
			r := rand.New(rand.NewPCG(1, 2))
			steps, cases := script(r, start, 200)
			s.catalogue.append("item.published", testHall+"/items/x", published(), "editor", start)
			clean := newWatch(t, config(t), s, s.client)
			faulty := newWatch(t, config(t), s, &unruly{FeedServiceClient: s.client, rand: rand.New(rand.NewPCG(3, 4))})
			twins := newWatch(t, config(t), s, &unruly{FeedServiceClient: s.client, rand: rand.New(rand.NewPCG(5, 6))})
			late := newWatch(t, config(t), s, s.client)
			for _, w := range []*watch{clean, faulty, twins, late} {
				w.ownRule(start.AddDate(0, 0, 6))
			}
			clean.start()
			faulty.start()
			twins.start()
			twins.start()
			day := 0
			for _, st := range steps {
				for now := s.clock.Now(); now.Before(st.at); now = s.clock.Now() {
					s.clock.Set(now.Add(min(st.at.Sub(now), 6*time.Hour)))
					if d := int(s.clock.Now().Sub(start) / (24 * time.Hour)); d != day {
						day = d
						clean.caughtUp(s.last)
						switch {
						case day%6 == 2: // away for three days
							faulty.stop()
						case day%6 == 5:
							faulty.start()
						}
					}
				}
				happened := s.clock.Now().Add(-st.lag)
				st.do(cases[st.name], timestamppb.New(happened))
				s.tell(st.kind, cases[st.name], happened)
				s.review(r, cases[st.name])
			}
			s.clock.Advance(40 * 24 * time.Hour)
			faulty.stop()
			faulty.start()
			late.start()
			want := clean.collect(s.last)
			figures := clean.figures()
			if len(want) < 100 || len(figures) < 20 {
				t.Errorf("only %d cards and %d figures", len(want), len(figures))
			}
			for _, rule := range []string{"T1_", "T3_", "T7_", "P4_", "P5_", "P7_", "P8_", "P10_", "P12_", "P13_", "R1_", "L1_"} {
				if !slices.ContainsFunc(want, func(card string) bool { return strings.Contains(card, "."+rule) }) {
					t.Errorf("no card of rule %s", rule)
				}
			}
			for name, w := range map[string]*watch{"faulty": faulty, "twins": twins, "late": late} {
				if diff := cmp.Diff(want, w.collect(s.last)); diff != "" {
					t.Errorf("%s differs from the undisturbed run:\n%s", name, diff)
				}
				if diff := cmp.Diff(figures, w.figures()); diff != "" {
					t.Errorf("the figures of %s differ from the undisturbed run's:\n%s", name, diff)
				}
			}
			t.Logf("%d events, %d cards, four ways to the same", s.last, len(want))
			late.rebuild(t, s, want)
			if diff := cmp.Diff(figures, late.figures()); diff != "" {
				t.Errorf("the figures of a rebuild differ:\n%s", diff)
			}
		})
	}
}

// ownRule gives the hall a rule of its own from a moment on.
func (w *watch) ownRule(effective time.Time) {
	w.t.Helper()
	set := &supervisionv1.RuleSet{Name: testHall + "/ruleSets/1", Rules: []*supervisionv1.ConductRule{{Id: "L1_PROMISE", DisplayName: "承诺过长", LegalSource: "本市规定",
		Ground: "'承诺' + string(case.promised) + '天'", Conditions: []*supervisionv1.RuleCondition{{Level: supervisionv1.CardLevel_CARD_LEVEL_WARNING, Expression: "case.promised > 6"}}}}}
	err := w.db.Write(w.t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
		row := store.RuleSet{ID: 1, Name: set.GetName(), Hall: testHall, Data: marshal(set)}
		if err := store.InsertRuleSet(ctx, tx, row); err != nil {
			return err
		}
		row.Sequence, row.Effective = 2, effective
		return store.UpdateRuleSet(ctx, tx, row)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *watch) collect(position int64) []string {
	w.t.Helper()
	w.caughtUp(position)
	w.stop()
	return w.cards()
}

// rebuild reads everything again into empty clocks beside the cards of before.
func (w *watch) rebuild(t *testing.T, s *source, want []string) {
	err := w.db.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
		for _, table := range []string{"clocks", "cursors", "followed_subjects", "accounts", "tallies", "counted_cases", "month_facts", "department_loads", "past_places"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, idle := range w.idle {
		idle.Store(0)
	}
	w.start()
	if diff := cmp.Diff(want, w.collect(s.last)); diff != "" {
		t.Errorf("a rebuild differs:\n%s", diff)
	}
}

func TestPolicies(t *testing.T) {
	p, err := newPolicies(Config{
		Scheme: Scheme{OnDuty: []string{"duty"}},
		Halls:  map[string]Scheme{"441300": {Preset: "ratio"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	own, other := p.of("441300"), p.of("441900")
	if own.Preset.Name != "ratio" || len(own.OnDuty) != 1 || other.Preset.Name != rules.DefaultPreset {
		t.Errorf("own: %s, %v; other: %s", own.Preset.Name, own.OnDuty, other.Preset.Name)
	}
	if _, err := newPolicies(Config{Scheme: Scheme{Preset: "mars"}}); err == nil {
		t.Error("a preset of nowhere was taken")
	}
}
