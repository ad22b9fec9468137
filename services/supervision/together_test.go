package supervision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// of keeps the cards of one rule.
func of(rule string, cards []string) []string {
	var all []string
	for _, c := range cards {
		if strings.Contains(c, "."+rule+".") {
			all = append(all, c)
		}
	}
	return all
}

// The 21st finish that one account enters within ten minutes raises a card, and each
// further one; the same at a rebuild.
func TestBurstsOfOneAccount(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		start := time.Date(2018, 10, 15, 10, 0, 0, 0, workday.Zone)
		s := newSource(t, start)
		finish := func(i int, actor string) {
			now := s.clock.Now()
			c := &caseworkv1.Case{Name: fmt.Sprintf("%s/cases/441300181015%09d", testHall, i), SubmitTime: timestamppb.New(start), AcceptTime: timestamppb.New(start),
				Finish: &caseworkv1.Finish{Result: caseworkv1.FinishResult_FINISH_RESULT_RETURNED, Description: "申请人要求退回重新办理", FinishTime: timestamppb.New(now)}}
			s.append("case.finished", c.GetName(), c, actor, now)
		}
		for i := range 22 { // one every 29 seconds: 21 within ten minutes
			finish(i, "busy")
			finish(100+i, "calm")
			s.clock.Advance(29 * time.Second)
		}
		s.clock.Advance(10 * time.Minute)
		finish(50, "busy")
		w := newWatch(t, cfg, s, s.client)
		w.start()
		got := of("P4_LATE_ENTRY", w.collect(s.last))
		if len(got) != 4 { // the 21st and the 22nd of each account
			t.Errorf("%d cards: %v", len(got), got)
		}
		for _, want := range []string{"441300181015000000020.", "441300181015000000021.", "441300181015000000120."} {
			if !strings.Contains(strings.Join(got, "\n"), want) {
				t.Errorf("no card of %s in %v", want, got)
			}
		}
		w.rebuild(t, s, w.cards())
	})
}

// A month is judged once it is over and all is told: an item that refuses far more than
// the mean stands out, and so does the officer who does it.
func TestAbnormalRefusals(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		start := time.Date(2018, 10, 15, 10, 0, 0, 0, workday.Zone)
		s := newSource(t, start)
		for i := range 200 {
			item, officer, refused := "fair", "wang", i%20 == 0
			if i%5 == 0 {
				item, officer, refused = "harsh", "li", i%10 == 0
			}
			c := &caseworkv1.Case{Name: fmt.Sprintf("%s/cases/441300181015%09d", testHall, i), Item: testHall + "/items/" + item, ItemTitle: item,
				Department: testHall + "/departments/d1", SubmitTime: timestamppb.New(start), AcceptTime: timestamppb.New(start),
				Decision: &caseworkv1.Decision{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED, Officer: officer, DecideTime: timestamppb.New(start)}}
			if refused {
				c.Decision.Result, c.Decision.Reason = caseworkv1.DecisionResult_DECISION_RESULT_DENIED, "不符合法定条件，详见附件说明"
			}
			s.tell("case.decided", c, start)
			s.tell("case.finished", c, start) // counted once
		}
		w := newWatch(t, cfg, s, s.client)
		w.start()
		w.caughtUp(s.last)
		if got := of("P11_ABNORMAL_REFUSAL", w.cards()); len(got) != 0 {
			t.Errorf("judged before the month is over: %v", got)
		}
		s.clock.Set(time.Date(2018, 11, 1, 0, 0, 1, 0, workday.Zone))
		cards := w.collect(s.last)
		got := of("P11_ABNORMAL_REFUSAL", cards)
		if len(got) != 2 || !strings.Contains(got[0], "harsh.P11_ABNORMAL_REFUSAL.warning.201810") ||
			!strings.Contains(got[0], "2018-10-31T16:00:00Z 20/") || !strings.Contains(got[0], "占50.0%；辖区平均") {
			t.Errorf("%v", got)
		}
		w.rebuild(t, s, cards)
	})
}

// A case whose revision the catalogue has not told of yet waits; one whose revision
// does not exist is judged without.
func TestTermsAreWaitedFor(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		start := time.Date(2018, 10, 15, 10, 0, 0, 0, workday.Zone)
		d := dbtest.Open(t, cfg, store.Migrations, newSource(t, start).clock)
		known := start
		book := &termBook{until: func() time.Time { return known }}
		c := &caseworkv1.Case{Item: testHall + "/items/x", ItemRevision: 1}
		look := func() (terms *rules.Terms, err error) {
			err = d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) (err error) {
				terms, err = book.of(ctx, tx, c, start)
				return err
			})
			return terms, err
		}
		if _, err := look(); !errors.Is(err, fault.Unavailable) {
			t.Errorf("not known yet: %v", err)
		}
		known = start.Add(time.Minute)
		if terms, err := look(); terms != nil || err != nil {
			t.Errorf("does not exist: %v, %v", terms, err)
		}
		if err := d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			return store.SaveTerms(ctx, tx, testHall+"/items/x/revisions/1", []byte(`{"steps":[{"kind":"accept","name":"受理","limit":2}]}`))
		}); err != nil {
			t.Fatal(err)
		}
		want := &rules.Terms{Steps: []rules.StepTerm{{Kind: "accept", Name: "受理", Limit: 2}}}
		for range 2 { // the second time it is at hand
			terms, err := look()
			if diff := cmp.Diff(want, terms); diff != "" || err != nil {
				t.Errorf("%s, %v", diff, err)
			}
		}
	})
}
