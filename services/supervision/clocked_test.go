package supervision

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// consultation is one as its service would tell of it.
func consultation(i int, kind string, open time.Time) *feedv1.Clocked {
	return &feedv1.Clocked{Subject: fmt.Sprintf("%s/consultations/%d", testHall, i), Kind: kind, Department: testHall + "/departments/d1",
		Title: "落户条件", Officer: "user/li", OpenTime: timestamppb.New(open), Limit: 5}
}

// mailbox is a service of consultations and complaints that supervision knows nothing of
// but the name under which it registers.
func (w *watch) mailbox(s *source) {
	const name = "mailbox"
	e := w.engine()
	apply, idle := e.clockedFrom(name)
	w.follow(e, name, s.client, apply, idle)
}

// A service that plugs in by its feed alone gets clocks and cards: the worked example of
// docs/clock.md.
func TestClockedByItsFeed(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		monday := time.Date(2018, 10, 15, 10, 0, 0, 0, workday.Zone)
		s := newSource(t, monday)
		w := newWatch(t, cfg, s, s.client)
		w.idle["mailbox"] = w.idle[sourceCatalogue]
		w.mailbox(s)
		tell := func(event string, k *feedv1.Clocked) {
			s.append(event, k.GetSubject(), k, "system/mailbox", s.clock.Now())
		}
		late, answered, called, paused, letter, odd := consultation(1, "consult", monday), consultation(2, "consult", monday), consultation(3, "complaint", monday),
			consultation(4, "complaint", monday), consultation(5, "message", monday), consultation(6, "lottery", monday)
		letter.ExtendedDays = 2
		for _, k := range []*feedv1.Clocked{late, answered, called, paused, letter, odd} {
			tell("opened", k)
		}
		s.clock.Set(monday.AddDate(0, 0, 2))
		answered.CloseTime, called.VoidTime = timestamppb.New(s.clock.Now()), timestamppb.New(s.clock.Now())
		paused.Pauses = []*feedv1.ClockedPause{{StartTime: timestamppb.New(s.clock.Now())}}
		for _, k := range []*feedv1.Clocked{answered, called, paused} {
			tell("changed", k)
		}
		s.clock.Set(monday.AddDate(0, 0, 9)) // Wednesday of the next week
		w.caughtUpWith("mailbox", s.last)
		w.stop()
		var got []string
		for _, c := range w.plainCards() {
			got = append(got, fmt.Sprintf("%s %s %s", lastPart(c.GetSubject()), lastPart(c.GetName()), c.GetGround()))
		}
		want := []string{
			"1 1.T9_CONSULT_OVERDUE.red.1 咨询“落户条件”已用7个工作日，规定时限5个工作日，已超2个工作日，到期日2018-10-22",
			"1 1.T9_CONSULT_OVERDUE.warning.1 咨询“落户条件”已用3个工作日，规定时限5个工作日，剩余2个工作日，到期日2018-10-22",
			"1 1.T9_CONSULT_OVERDUE.yellow.1 咨询“落户条件”已用6个工作日，规定时限5个工作日，已超1个工作日，到期日2018-10-22",
			"5 5.T12_MESSAGE_OVERDUE.warning.1 来信“落户条件”已用5个工作日，规定时限7个工作日，剩余2个工作日，到期日2018-10-24",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		kept, err := store.GetClock(t.Context(), w.db.Read(), odd.GetSubject())
		if err != nil || !kept.NextAt.IsZero() {
			t.Errorf("what no threshold knows is kept and raises nothing: %v, %v", kept, err)
		}
	})
}

// The common shape may stand beside a service's own resource, and must speak of its
// event's subject.
func TestClockedBesideAResource(t *testing.T) {
	k := consultation(1, "ticket", time.Now())
	own := &feedv1.Event{Subject: k.GetSubject(), ResourceType: reviewType, Resource: marshal(&reviewv1.Review{}), DetailType: clockedType, Detail: marshal(k)}
	if got, err := clockedOf(own); err != nil || got.GetKind() != "ticket" {
		t.Errorf("beside: %v, %v", got, err)
	}
	if got, err := clockedOf(&feedv1.Event{Subject: k.GetSubject(), ResourceType: reviewType, Resource: own.GetResource()}); err != nil || got != nil {
		t.Errorf("without: %v, %v", got, err)
	}
	for name, change := range map[string]func(e *feedv1.Event, k *feedv1.Clocked){
		"another subject": func(e *feedv1.Event, _ *feedv1.Clocked) { e.Subject = testHall + "/consultations/2" },
		"a case": func(e *feedv1.Event, k *feedv1.Clocked) {
			e.Subject, k.Subject = testHall+"/cases/1", testHall+"/cases/1"
		},
		"another hall's":           func(_ *feedv1.Event, k *feedv1.Clocked) { k.Department = "halls/441900/departments/d1" },
		"nothing that can be read": func(e *feedv1.Event, _ *feedv1.Clocked) { e.Detail = []byte{0xff} },
	} {
		k := consultation(1, "consult", time.Now())
		e := &feedv1.Event{Subject: k.GetSubject(), DetailType: clockedType}
		e.Detail = marshal(k)
		change(e, k)
		if len(e.Detail) > 1 {
			e.Detail = marshal(k)
		}
		if got, err := clockedOf(e); err == nil {
			t.Errorf("%s was taken: %v", name, got)
		}
	}
}
