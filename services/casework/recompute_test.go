package casework

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
)

// notice publishes a version of the calendar.
func (h *hall) notice(version int32, division, title string, days map[string]cataloguev1.DayKind) {
	h.t.Helper()
	c := &cataloguev1.Calendar{Name: fmt.Sprintf("calendars/%d", version), Version: version, Division: division, Title: title}
	for d, kind := range days {
		c.Days = append(c.Days, &cataloguev1.CalendarDay{Date: d, Kind: kind})
	}
	h.emit(almanac.CalendarPublished, "calendars", c)
}

// recomputed waits until no open case is left behind the almanac.
func (h *hall) recomputed(version int64) {
	h.t.Helper()
	h.settle()
	h.until("open cases to be reckoned again", func() bool {
		if h.service.almanac.Book().Calendar.Number() < int(version) {
			return false
		}
		n, err := h.service.recomputeHall(h.t.Context(), "441300", h.service.almanac.Book().Concerning("441300"))
		return err == nil && n == 0
	})
}

const (
	off     = cataloguev1.DayKind_DAY_KIND_HOLIDAY
	workDay = cataloguev1.DayKind_DAY_KIND_WORKDAY
	shut    = cataloguev1.DayKind_DAY_KIND_CLOSED
)

// TestSpringFestival2020 is the worked example of docs/calendar.md.
func TestSpringFestival2020(t *testing.T) {
	eachHall(t, func(h *hall) {
		// The hall's clock stands in 2026; the case is of 2020, entered afterwards.
		start := time.Date(2020, 1, 22, 10, 0, 0, 0, workday.Zone)
		h.notice(2, "", "截至2020年1月26日的放假安排", map[string]cataloguev1.DayKind{"2020-01-31": workDay, "2020-02-01": workDay})
		h.recomputed(2)
		c := &caseworkv1.Case{
			Item: promisedItem, ItemRevision: 1, Department: deptName, PromisedLimit: 5, StatutoryLimit: 20, State: caseworkv1.CaseState_CASE_STATE_ACCEPTED,
			Applicant: application(promisedItem).GetApplicant(), SubmitTime: stamp(start), AcceptTime: stamp(start), CreateTime: stamp(start), UpdateTime: stamp(start),
		}
		name := h.plant(c, start)
		if before := h.read(name); before.GetPromisedDueDate() != "2020-02-04" || before.GetCalendarVersion() != 2 {
			t.Fatalf("before the notice: due %s by version %d", before.GetPromisedDueDate(), before.GetCalendarVersion())
		}
		const title = "国务院办公厅关于延长2020年春节假期的通知（国办发明电〔2020〕1号）"
		h.notice(3, "", title, map[string]cataloguev1.DayKind{"2020-01-31": off, "2020-02-01": off, "2020-02-02": off})
		h.recomputed(3)
		after := h.read(name)
		d := after.GetDueChange()
		if after.GetPromisedDueDate() != "2020-02-06" || d.GetFormerPromisedDueDate() != "2020-02-04" || d.GetPromisedDueDate() != "2020-02-06" ||
			d.GetGround() != "工作日历第3版："+title || d.GetFormerCalendarVersion() != 2 || d.GetCalendarVersion() != 3 {
			t.Errorf("after the notice: %v, due %s", d, after.GetPromisedDueDate())
		}
		events, err := feed.History(t.Context(), h.service.db.Read(), name, 0, 10)
		if err != nil || len(events) != 2 || events[1].GetType() != "case.due_changed" || events[1].GetActor() != systemActor {
			t.Errorf("history: %v, %v", events, err)
		}
	})
}

// plant stores a case as if it had come long ago.
func (h *hall) plant(c *caseworkv1.Case, happened time.Time) string {
	h.t.Helper()
	a := authn.Access{Principal: everybody["window"], Scope: optionsv1.Scope_SCOPE_HALL}
	made, err := h.service.insert(h.t.Context(), a, request{}, c, factsOf(c, happened), store.Filing{}, "case.accepted", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return made.GetName()
}

// Each case is moved once by a version however often it is gone through, one whose dates
// stand gets no event, and halls elsewhere are left alone.
func TestRecomputeOnce(t *testing.T) {
	eachHall(t, func(h *hall) {
		ctx := as(t.Context(), "window")
		moved := h.file(promisedItem)
		if _, err := h.client.AcceptCase(ctx, &caseworkv1.AcceptCaseRequest{Name: moved.GetName(), Etag: moved.GetEtag(), RequestId: newID()}); err != nil {
			t.Fatal(err)
		}
		waiting := h.file(promisedItem)
		h.notice(2, "441300", "台风停止办公", map[string]cataloguev1.DayKind{"2026-03-10": shut})
		h.recomputed(2)
		h.notice(3, "440100", "广州停电", map[string]cataloguev1.DayKind{"2026-03-11": shut})
		h.recomputed(3)
		for range 3 {
			if err := h.service.recomputeHalls(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if c := h.read(moved.GetName()); c.GetPromisedDueDate() != "2026-03-17" || c.GetStatutoryDueDate() != "2026-03-31" || c.GetDueChange().GetSequence() != 3 {
			t.Errorf("moved: %s, %s, %v", c.GetPromisedDueDate(), c.GetStatutoryDueDate(), c.GetDueChange())
		}
		if c := h.read(waiting.GetName()); c.GetAcceptanceDueDate() != waiting.GetAcceptanceDueDate() || c.GetDueChange() != nil {
			t.Errorf("due on 9 March all the same: %v", c.GetDueChange())
		}
		for name, want := range map[string]int{moved.GetName(): 3, waiting.GetName(): 1} {
			if events, err := feed.History(t.Context(), h.service.db.Read(), name, 0, 10); err != nil || len(events) != want {
				t.Errorf("%d events, want %d: %v", len(events), want, err)
			}
		}
	})
}

// Whoever dies in the middle goes on where the cases are: each is moved once.
func TestRecomputeGoesOn(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		s := quiet(t, cfg)
		ctx := authn.WithAccess(t.Context(), authn.Access{Principal: everybody["ada"], Scope: optionsv1.Scope_SCOPE_OWN})
		var names []string
		for range 30 {
			c, err := s.FileCase(ctx, filing(promisedItem))
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, c.GetName())
		}
		day := workday.DateOf(time.Now()) + 1
		for !workday.China().IsWorkday("", day) {
			day++
		}
		data := feed.Deterministic(&cataloguev1.Calendar{Version: 2, Division: "441300", Title: "台风停止办公",
			Days: []*cataloguev1.CalendarDay{{Date: day.String(), Kind: shut}}})
		err := s.db.Write(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			return almanac.Apply(ctx, tx, &feedv1.Event{Position: 1, Type: almanac.CalendarPublished, Resource: data})
		})
		if err == nil {
			_, err = s.almanac.Refresh(t.Context(), s.db.Read())
		}
		for _, name := range names[:11] {
			err = errors.Join(err, s.recompute(t.Context(), lastPart(name)))
		}
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		s = quiet(t, cfg)
		if err := s.recomputeHalls(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if events, err := feed.History(t.Context(), s.db.Read(), name, 0, 10); err != nil || len(events) != 2 || events[1].GetType() != "case.due_changed" {
				t.Errorf("%s: %d events, %v", name, len(events), err)
			}
		}
	})
}

// A decision that races with reckoning again: both come about, once each, and who decided
// on the case as it was need not read it again.
func TestRecomputeRacesWithSteps(t *testing.T) {
	eachHall(t, func(h *hall) {
		const n = 24
		var cases []*caseworkv1.Case
		for range n {
			c := h.file(promisedItem)
			c, err := h.client.AcceptCase(as(t.Context(), "window"), &caseworkv1.AcceptCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()})
			if err != nil {
				t.Fatal(err)
			}
			cases = append(cases, c)
		}
		var wg sync.WaitGroup
		for i, c := range cases {
			if i == n/3 {
				h.notice(2, "441300", "台风停止办公", map[string]cataloguev1.DayKind{"2026-03-10": shut})
			}
			if i == n/2 {
				h.recomputed(2)
			}
			wg.Go(func() {
				_, err := h.client.UndertakeCase(as(t.Context(), "officer"), &caseworkv1.UndertakeCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()})
				if err != nil {
					t.Errorf("undertake: %v", err)
				}
			})
		}
		wg.Wait()
		h.recomputed(2)
		for _, c := range cases {
			c = h.read(c.GetName())
			events, err := feed.History(t.Context(), h.service.db.Read(), c.GetName(), 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			count := map[string]int{}
			for _, e := range events {
				count[e.GetType()]++
			}
			if count["case.undertaken"] != 1 || count["case.due_changed"] > 1 || c.GetPromisedDueDate() != "2026-03-17" || c.GetState() != caseworkv1.CaseState_CASE_STATE_EXAMINING {
				t.Errorf("%v, due %s, %v", count, c.GetPromisedDueDate(), c.GetState())
			}
		}
	})
}

// The etag from before the dates moved is taken, an older one is not.
func TestEtagFromBeforeTheCalendar(t *testing.T) {
	c := &caseworkv1.Case{Name: hallName + "/cases/1", DueChange: &caseworkv1.DueChange{Sequence: 5}}
	for seq, ok := range map[int64]bool{5: true, 4: true, 3: false} {
		if err := checkEtag(feed.Etag(c.GetName(), seq), c, 5); (err == nil) != ok {
			t.Errorf("etag of %d: %v", seq, err)
		}
	}
	if err := checkEtag(feed.Etag(c.GetName(), 5), c, 6); !errors.Is(err, fault.ETagStale) {
		t.Errorf("another step came since: %v", err)
	}
}

// Silence is no acceptance on a day that has just been closed, and the applicant gets the
// days on which the hall is closed.
func TestClosureHoldsBackWhatFallsDue(t *testing.T) {
	h := oneHall(t)
	c := h.file(promisedItem) // due on Monday 9 March
	told := h.file(promisedItem)
	told, err := h.client.RequestSupplement(as(t.Context(), "window"), &caseworkv1.RequestSupplementRequest{
		Name: told.GetName(), Etag: told.GetEtag(), RequestId: newID(), Reason: "申请表第二页缺少签名", MaterialIds: []string{"m2"}, LimitDays: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.notice(2, "441300", "台风停止办公", map[string]cataloguev1.DayKind{"2026-03-04": shut, "2026-03-09": shut})
	h.recomputed(2)
	h.clock.Set(time.Date(2026, 3, 11, 9, 0, 0, 0, workday.Zone))
	if err := h.service.deemDue(t.Context(), h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if c := h.read(c.GetName()); c.GetState() != caseworkv1.CaseState_CASE_STATE_SUBMITTED || c.GetAcceptanceDueDate() != "2026-03-11" {
		t.Errorf("%v, due %s", c.GetState(), c.GetAcceptanceDueDate())
	}
	if due := h.read(told.GetName()).GetSupplements()[0].GetDueDate(); due != "2026-03-06" {
		t.Errorf("the applicant's day is %s", due)
	}
}

// A hall's own limits hold from their day on, and the progress explains what came of it.
func TestPolicyAndProgress(t *testing.T) {
	h := oneHall(t)
	before := h.file(promisedItem)
	set := func(version int32, from string, days int32) {
		p := &cataloguev1.HallPolicy{Name: fmt.Sprintf("%s/policies/%d", hallName, version), Version: version, EffectiveDate: from, AcceptanceDays: days, Reason: "缩短受理时限"}
		h.emit(almanac.PolicyPublished, p.GetName(), p)
		h.settle()
		h.until("the policy", func() bool {
			return h.service.almanac.Book().Policy("441300", workday.NewDate(2030, 1, 1)).Version == int(version)
		})
	}
	set(1, "2026-03-03", 2)
	if c := h.read(before.GetName()); c.GetAcceptanceDueDate() != "2026-03-09" || c.GetPolicyVersion() != 0 {
		t.Errorf("filed before: %s by %d", c.GetAcceptanceDueDate(), c.GetPolicyVersion())
	}
	h.clock.Advance(24 * time.Hour)
	c := h.file(promisedItem)
	if c.GetAcceptanceDueDate() != "2026-03-05" || c.GetPolicyVersion() != 1 {
		t.Errorf("filed since: %s by %d", c.GetAcceptanceDueDate(), c.GetPolicyVersion())
	}
	set(2, "2026-03-01", 3)
	h.recomputed(1)
	if c := h.read(before.GetName()); c.GetAcceptanceDueDate() != "2026-03-05" || c.GetDueChange().GetGround() == "" {
		t.Errorf("a policy that goes back: %s, %v", c.GetAcceptanceDueDate(), c.GetDueChange())
	}
	if _, err := h.client.AcceptCase(as(t.Context(), "window"), &caseworkv1.AcceptCaseRequest{Name: c.GetName(), Etag: c.GetEtag(), RequestId: newID()}); err != nil {
		t.Fatal(err)
	}
	progress, err := h.client.QueryProgress(as(t.Context(), "ada"), &caseworkv1.QueryProgressRequest{CaseNo: lastPart(c.GetName()), QueryCode: c.GetQueryCode()})
	if err != nil {
		t.Fatal(err)
	}
	x := progress.GetDueExplanation()
	if x.GetPromisedDueDate() == "" || len(x.GetRuns()) < 4 || x.GetPolicyVersion() != 2 || x.GetBasis() == "" || x.GetCalendarVersion() != 1 {
		t.Errorf("the progress explains %v", x)
	}
	counted := int32(0)
	for _, run := range x.GetRuns() {
		if run.GetCounted() {
			counted += run.GetDays()
			if run.GetLastNumber() != counted {
				t.Errorf("run %v ends with day %d", run, counted)
			}
		}
	}
}
