package supervision

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
)

// TestRecreatedClock runs the example of docs/clock.md: a case closed by its office and
// filed again goes on with the clock of the first.
func TestRecreatedClock(t *testing.T) {
	day := func(d, hour int) time.Time { return time.Date(2026, 3, d, hour, 0, 0, 0, workday.Zone) }
	stamp := func(at time.Time) *timestamppb.Timestamp { return timestamppb.New(at) }
	plain := &caseworkv1.Case{
		Name: testHall + "/cases/2", PromisedLimit: 10, StatutoryLimit: 20, LimitUnit: caseworkv1.TimeUnit_TIME_UNIT_WORKING_DAY,
		State: caseworkv1.CaseState_CASE_STATE_ACCEPTED, SubmitTime: stamp(day(9, 10)), AcceptTime: stamp(day(9, 11)),
	}
	again := shorten(plain)
	again.Recreation = &caseworkv1.Recreation{
		Case: testHall + "/cases/1", FirstSubmitTime: stamp(day(2, 10)), FirstAcceptTime: stamp(day(2, 11)),
		Gaps: []*caseworkv1.RecreationGap{{StartTime: stamp(day(6, 16)), EndTime: plain.GetSubmitTime()}},
	}
	preset, err := rules.PresetByName("hunan2018")
	if err != nil {
		t.Fatal(err)
	}
	p := rules.Policy{Preset: preset, Calendar: workday.China(), Hall: workday.DefaultPolicy()}
	for c, want := range map[*caseworkv1.Case]string{plain: "2026-03-23", again: "2026-03-17"} {
		f := factsOf(shorten(c))
		if got := workday.Reckon(p.Calendar, p.Input(f), day(10, 9)).PromisedDue.String(); got != want {
			t.Errorf("due %s, want %s", got, want)
		}
		found, err := p.Conduct(f, rules.Deed{Type: "case.accepted", Sequence: 2, Happened: day(9, 11), Entered: day(9, 11)}, func(string) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		named := false
		for _, x := range found {
			named = named || x.Rule == "P15_RECREATED" && x.Ground == "原办件1未作决定即由机关终止，本件系同一申请重新办理，受理和办理时限自原办件起算"
		}
		if named != (c == again) {
			t.Errorf("cards of the case due on %s: %+v", want, found)
		}
	}
}

// TestRecreatedAcceptance adds up the days in which two cases waited to be accepted, and
// not those between them.
func TestRecreatedAcceptance(t *testing.T) {
	day := func(d, hour int) time.Time { return time.Date(2026, 3, d, hour, 0, 0, 0, workday.Zone) }
	preset, err := rules.PresetByName("hunan2018")
	if err != nil {
		t.Fatal(err)
	}
	p := rules.Policy{Preset: preset, Calendar: workday.China(), Hall: workday.DefaultPolicy()}
	late := func(accepted time.Time) bool {
		f := &rules.Facts{Division: "441300", Promised: 10, Statutory: 20, Submitted: day(16, 10), Accepted: accepted,
			Recreated: &rules.Recreated{Submitted: day(2, 10), Away: []workday.Pause{{Kind: workday.PauseSupplement, Start: day(5, 10), End: day(16, 10)}}}}
		for _, x := range p.Pending(f, func(string) bool { return false }) {
			if x.Key == "T4_ACCEPTANCE_OVERDUE.yellow.1" {
				return true
			}
		}
		return false
	}
	if late(day(17, 10)) {
		t.Error("three days and one are not more than five")
	}
	if !late(day(20, 10)) {
		t.Error("three days and four are")
	}
}
