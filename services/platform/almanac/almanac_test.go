package almanac

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/workday"
)

var table = fstest.MapFS{"00100_almanac.sql": {Data: []byte(`-- +goose Up
CREATE TABLE almanac (position BIGINT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, data BYTEA NOT NULL);
-- +goose Down
DROP TABLE almanac;
`)}}

func date(t *testing.T, s string) workday.Date {
	t.Helper()
	d, err := workday.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bytesOf(t *testing.T, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func closure(version int32, division string, published time.Time, days ...string) *cataloguev1.Calendar {
	c := &cataloguev1.Calendar{Version: version, Division: division, Title: "台风停工", PublishTime: timestamppb.New(published)}
	for _, d := range days {
		c.Days = append(c.Days, &cataloguev1.CalendarDay{Date: d, Kind: cataloguev1.DayKind_DAY_KIND_CLOSED})
	}
	return c
}

func TestKeeper(t *testing.T) {
	dbtest.Each(t, fs.FS(table), func(t *testing.T, d *db.DB) {
		monday := time.Date(2026, 3, 2, 10, 0, 0, 0, workday.Zone)
		apply := func(position int64, kind string, data []byte) error {
			return d.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
				return Apply(ctx, tx, &feedv1.Event{Position: position, Type: kind, Resource: data})
			})
		}
		k := NewKeeper()
		if changed, err := k.Refresh(t.Context(), d.Read()); changed || err != nil || k.Book().Version != 0 {
			t.Fatalf("an empty table changes something: %v, %v", changed, err)
		}
		policy := &cataloguev1.HallPolicy{Name: "halls/441300/policies/1", Version: 1, EffectiveDate: "2026-03-10", AcceptanceDays: 3, Reason: "缩短受理时限", PublishTime: timestamppb.New(monday.Add(time.Second))}
		for _, err := range []error{
			apply(7, CalendarPublished, bytesOf(t, closure(2, "441300", monday, "2026-03-04"))),
			apply(7, CalendarPublished, bytesOf(t, closure(2, "441300", monday, "2026-03-04"))), // told twice
			apply(8, "item.published", []byte{0xff}),
			apply(9, PolicyPublished, bytesOf(t, policy)),
			apply(11, CalendarPublished, bytesOf(t, closure(3, "440100", monday.Add(time.Hour), "2026-03-02"))),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := apply(12, CalendarPublished, []byte{0xff}); err == nil {
			t.Error("what cannot be read was kept")
		}
		if err := apply(13, CalendarPublished, bytesOf(t, closure(4, "441300", monday))); err == nil {
			t.Error("a notice of no day was kept")
		}
		if changed, err := k.Refresh(t.Context(), d.Read()); !changed || err != nil {
			t.Fatalf("%v, %v", changed, err)
		}
		b := k.Book()
		if b.Version != 11 || b.Calendar.Number() != 3 || b.Concerning("441300") != 9 || b.Concerning("440106") != 11 || b.Concerning("445200") != 0 {
			t.Errorf("version %d, calendar %d, concerning %d", b.Version, b.Calendar.Number(), b.Concerning("441300"))
		}
		if b.Calendar.IsWorkday("441300", date(t, "2026-03-04")) || !b.Calendar.IsWorkday("440100", date(t, "2026-03-04")) {
			t.Error("the closure is not where it should be")
		}
		if since, ok := b.Since("441300", 0); !ok || since != date(t, "2026-03-04") {
			t.Errorf("since %s, %v", since, ok)
		}
		if _, ok := b.Since("441300", 9); ok || b.Ground("441300", 9) != "" || !strings.Contains(b.Ground("441300", 0), "第2版：台风停工；时限规则第1版") {
			t.Errorf("ground %q", b.Ground("441300", 0))
		}
		for day, want := range map[string]int{"2026-03-09": 5, "2026-03-10": 3} {
			if p := b.Policy("441300", date(t, day)); p.AcceptanceDays != want || p.DeliveryDays != 10 {
				t.Errorf("%s: %+v", day, p)
			}
		}
		if b.At(monday.Add(time.Minute)).Calendar.Number() != 2 || b.At(monday.Add(-time.Minute)).Calendar.Number() != 1 {
			t.Error("the book of the past knows too much or too little")
		}
	})
}

func TestExplain(t *testing.T) {
	b, err := BuiltIn().with(mustEntry(t, closure(2, "441300", time.Time{}, "2026-03-04")))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 2, 14, 10, 0, 0, 0, workday.Zone) // a Saturday that is made up
	in := workday.Input{Division: "441300", Start: start, Promised: 8, Statutory: 10, Pauses: []workday.Pause{
		{Kind: workday.PauseExcluded, Name: "专家评审", Start: start.AddDate(0, 0, 11), Limit: 2},
	}}
	x := b.Explain(workday.DefaultPolicy(), in, start.AddDate(0, 0, 14), false)
	var text []string
	for _, r := range x.GetRuns() {
		text = append(text, r.GetFirstDate()[5:]+".."+r.GetLastDate()[5:]+" "+r.GetReason())
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{"春节放假", "专家评审期间，不计入时限", "台风停工，本地停止办公", "02-24..02-25 工作日，计入时限"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
	if len(x.GetPauses()) != 1 || x.GetPauses()[0].GetLimit() != "2个工作日" || !strings.Contains(x.GetPauses()[0].GetGround(), "第四十五条") ||
		len(x.GetNotices()) != 2 || x.GetNotices()[1] != "台风停工" {
		t.Errorf("pauses %v, notices %v", x.GetPauses(), x.GetNotices())
	}
	en := b.Explain(workday.DefaultPolicy(), in, start.AddDate(0, 0, 14), true)
	if !strings.Contains(en.GetBasis(), "Art. 42") || !strings.Contains(en.GetPolicy(), "whole days") {
		t.Errorf("in English: %v", en)
	}
}

func mustEntry(t *testing.T, c *cataloguev1.Calendar) entry {
	t.Helper()
	e, err := calendarEntry(c)
	if err != nil {
		t.Fatal(err)
	}
	e.position = 1
	return e
}
