package supervision_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// When a month is over, an officer who refuses far more than others of like cases stands
// out, with the cases behind it; where few cases are, nothing is said.
func TestLikeCasesUnlikeOutcomes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		insight := supervisionv1.NewInsightServiceClient(h.Dial("supervision"))
		scores := supervisionv1.NewScoreServiceClient(h.Dial("supervision"))
		for i := 1; i <= 84; i++ {
			officer, refused := "mild", i%20 == 0
			if i%2 == 0 {
				officer, refused = "harsh", i%4 == 0
			}
			if i > 80 {
				officer = "new"
			}
			h.tell(i, 1, func(c *caseworkv1.Case) {
				decided(1, officer)(c)
				if refused {
					c.Decision.Result, c.Decision.Reason = caseworkv1.DecisionResult_DECISION_RESULT_DENIED, "申请人不符合法定条件，依法不予许可"
				}
			})
		}
		h.clock.Set(time.Date(2018, 11, 1, 9, 0, 0, 0, workday.Zone))
		h.eventually("the freeze", func() bool {
			s, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: october})
			return err == nil && s.GetFrozen()
		})
		list := func(user string) []*supervisionv1.Finding {
			var all []*supervisionv1.Finding
			h.eventually("findings", func() bool {
				res, err := insight.ListFindings(h.As(user), &supervisionv1.ListFindingsRequest{Parent: hall, Measure: supervisionv1.DiscretionMeasure_DISCRETION_MEASURE_REFUSAL})
				if err != nil {
					t.Fatal(err)
				}
				all = res.GetFindings()
				return len(all) > 0
			})
			return all
		}
		all := list("head")
		var harsh *supervisionv1.Finding
		for _, f := range all {
			if f.GetOfficer() == "new" {
				t.Errorf("four cases make a finding: %v", f)
			}
			if f.GetOfficer() == "harsh" {
				harsh = f
			}
		}
		if harsh == nil || harsh.GetOwn().GetN() != 40 || harsh.GetOwn().GetCount() != 20 || harsh.GetOwn().GetLow() < 0.3 || harsh.GetQValue() > 0.01 ||
			harsh.GetComparisons() < 4 || !strings.Contains(harsh.GetGround(), "占50.0%") {
			t.Fatalf("%v", all)
		}
		for _, f := range list("analyst") {
			if f.GetOfficer() != "" {
				t.Errorf("an analyst learns who it is: %v", f)
			}
		}
		h.behind(t, insight, harsh)
	})
}

// behind opens a finding to its cases and the item to its comparisons.
func (h *house) behind(t *testing.T, insight supervisionv1.InsightServiceClient, f *supervisionv1.Finding) {
	req := &supervisionv1.ListFindingCasesRequest{Parent: f.GetName(), PageSize: 25}
	cases, refused := 0, 0
	for {
		res, err := insight.ListFindingCases(h.As("head"), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range res.GetCases() {
			cases++
			if c.GetRefused() {
				refused++
			}
		}
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if cases != 40 || refused != 20 {
		t.Errorf("%d cases, %d refused", cases, refused)
	}
	if _, err := insight.ListFindingCases(h.As("head2"), &supervisionv1.ListFindingCasesRequest{Parent: f.GetName()}); !is(err, fault.NotFound) {
		t.Errorf("another department: %v", err)
	}
	var officers []string
	compare := &supervisionv1.ListComparisonsRequest{Parent: hall, Item: hall + "/items/x", Month: "2018-11", PageSize: 2}
	for {
		res, err := insight.ListComparisons(h.As("head"), compare)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range res.GetComparisons() {
			officers = append(officers, c.GetOfficer())
			if c.GetSmall() != (c.GetOfficer() == "new") || c.GetSpeed().GetMedianMinutes() <= 0 || c.GetN()+c.GetOthers() != 84 {
				t.Errorf("%v", c)
			}
		}
		if compare.PageToken = res.GetNextPageToken(); compare.PageToken == "" {
			break
		}
	}
	if strings.Join(officers, " ") != "harsh mild new" {
		t.Errorf("%v", officers)
	}
}

// Open cases are listed by their risk to overrun once enough is known, reckoned anew
// each day; what is decided leaves the list.
func TestForecasts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		insight := supervisionv1.NewInsightServiceClient(h.Dial("supervision"))
		for i := 1; i <= 43; i++ {
			h.tell(i, 1, func(c *caseworkv1.Case) {
				if i%2 == 0 {
					c.Item = hall + "/items/slow"
				}
			})
		}
		h.clock.Set(monday.AddDate(0, 0, 1))
		for i := 1; i <= 40; i += 2 {
			h.tell(i, 2, decided(1, "wang"))
		}
		h.clock.Set(monday.AddDate(0, 0, 11)) // one day over
		for i := 2; i <= 40; i += 2 {
			h.tell(i, 2, func(c *caseworkv1.Case) {
				c.Item = hall + "/items/slow"
				decided(11, "wang")(c)
			})
		}
		now := timestamppb.New(h.clock.Now().Add(-time.Hour))
		for i := 44; i <= 47; i++ {
			h.tell(i, 1, func(c *caseworkv1.Case) {
				c.SubmitTime, c.AcceptTime = now, now
				if i%2 == 0 {
					c.Item = hall + "/items/slow"
				}
			})
		}
		h.arrived(caseName(47))
		h.clock.Set(monday.AddDate(0, 0, 12))
		list := func(size int32) (all []*supervisionv1.Forecast) {
			req := &supervisionv1.ListForecastsRequest{Parent: hall, PageSize: size}
			for {
				res, err := insight.ListForecasts(h.As("officer"), req)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, res.GetForecasts()...)
				if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
					return all
				}
			}
		}
		h.eventually("forecasts", func() bool { return len(list(0)) == 7 })
		all := list(3)
		// Those of the first day are over the promise; then the slow item, then the other.
		for i, f := range all {
			slow := f.GetItem() == hall+"/items/slow"
			if over := i < 3; over != (f.GetProbability() == 1) || i >= 3 && i < 5 != slow || f.GetPromisedDueDate() == "" || f.GetExpectedDate() == "" || len(f.GetReasons()) < 3 {
				t.Errorf("%d: %v", i, f)
			}
		}
		if all[3].GetProbability() < 0.6 || all[6].GetProbability() > 0.4 {
			t.Errorf("%v and %v", all[3], all[6])
		}
		h.tell(44, 2, func(c *caseworkv1.Case) {
			c.Item = hall + "/items/slow"
			c.AcceptTime = now
			decided(12, "wang")(c)
		})
		h.eventually("one less", func() bool { return len(list(0)) == 6 })
		if res, err := insight.ListForecasts(h.As("head2"), &supervisionv1.ListForecastsRequest{Parent: hall}); err != nil || len(res.GetForecasts()) != 0 {
			t.Errorf("another department: %v, %v", res, err)
		}
		if _, err := insight.ListForecasts(h.As("officer"), &supervisionv1.ListForecastsRequest{Parent: hall, Department: d2}); !is(err, fault.NotFound) {
			t.Errorf("an officer asks for another department: %v", err)
		}
	})
}
