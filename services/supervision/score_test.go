package supervision_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// decided makes a case one that was decided so many days after it was accepted.
func decided(days int, officer string) func(c *caseworkv1.Case) {
	return func(c *caseworkv1.Case) {
		at := timestamppb.New(monday.AddDate(0, 0, days))
		c.State = caseworkv1.CaseState_CASE_STATE_DECIDED
		c.Applicant = &caseworkv1.Applicant{Type: caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON}
		c.Steps = []*caseworkv1.Step{{Kind: caseworkv1.StepKind_STEP_KIND_UNDERTAKE, Officer: officer, StepTime: at}}
		c.Decision = &caseworkv1.Decision{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED, Officer: "head", DecideTime: at}
	}
}

const october = hall + "/scores/department.d1.2018-10"

// A month is scored while it runs, opens to its cards and cases, is frozen when it is
// over, and is reckoned again when an appeal or a revocation changes what counts.
func TestScoresOfAMonth(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		scores := supervisionv1.NewScoreServiceClient(h.Dial("supervision"))
		for i := 1; i <= 12; i++ {
			h.tell(i, 1, func(c *caseworkv1.Case) {
				if i == 12 {
					c.StatutoryLimit = 20 // it stays yellow
				}
			})
		}
		h.clock.Set(monday.AddDate(0, 0, 2))
		for i := 1; i <= 10; i++ {
			h.tell(i, 2, decided(2, "wang"))
		}
		h.clock.Set(monday.AddDate(0, 0, 11)) // the promise of seven days is over since yesterday
		h.tell(11, 2, decided(11, "li"))
		h.eventually("eleven cases and two yellow cards", func() bool {
			s, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: october})
			return err == nil && s.GetFigures().GetConcluded() == 11 && s.GetFigures().GetYellows() == 2
		})
		live, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: october})
		// Two yellow cards take 10 of time limits; 90 % early gives 9, the cut of 3 of 10 days 3.
		if err != nil || live.GetTotal() != 102 || live.GetFrozen() || live.GetGrade() != "优秀" || live.GetFigures().GetLate() != 1 ||
			live.GetFormula() != hall+"/scoreFormulas/huizhou2008" {
			t.Fatalf("%v, %v", live, err)
		}
		h.entries(t, scores)
		h.kinds(t, scores)
		mark := &supervisionv1.CreateScoreMarkRequest{Parent: hall, RequestId: uuid.NewString(),
			ScoreMark: &supervisionv1.ScoreMark{Score: october, Part: "integrity", Points: -2, Ground: "专项检查发现问题"}}
		for range 2 {
			if _, err := scores.CreateScoreMark(h.As("supervisor"), mark); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := scores.AppealScore(h.As("head"), &supervisionv1.AppealScoreRequest{Name: october, RequestId: uuid.NewString(), Entry: "x", Content: "当日系统故障，请予核实"}); !is(err, fault.ScoreNotFrozen) {
			t.Errorf("an appeal in the running month: %v", err)
		}
		h.clock.Set(time.Date(2018, 11, 1, 9, 0, 0, 0, workday.Zone))
		h.eventually("the freeze", func() bool {
			s, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: october})
			return err == nil && s.GetFrozen()
		})
		mark.RequestId = uuid.NewString()
		if _, err := scores.CreateScoreMark(h.As("supervisor"), mark); !is(err, fault.ScoreFrozen) {
			t.Errorf("a mark in a month that is over: %v", err)
		}
		h.appealScore(t, scores)
	})
}

// entries pages through what the score is made of.
func (h *house) entries(t *testing.T, scores supervisionv1.ScoreServiceClient) {
	var all []*supervisionv1.ScoreEntry
	req := &supervisionv1.ListScoreEntriesRequest{Parent: october, PageSize: 1}
	for {
		res, err := scores.ListScoreEntries(h.As("head"), req)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, res.GetEntries()...)
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if len(all) != 4 || all[0].GetKind() != supervisionv1.ScoreEntryKind_SCORE_ENTRY_KIND_BONUS || all[0].GetOpens() != supervisionv1.ScoreCases_SCORE_CASES_EARLY {
		t.Fatalf("%v", all)
	}
	for _, e := range all[2:] {
		if e.GetPoints() != -5 || e.GetCard() == "" || e.GetSubject() == "" || e.GetRule() != "T1_PROMISE" || e.GetRuleVersion() == "" || e.GetFormula() == "" || e.GetGround() == "" {
			t.Errorf("%v", e)
		}
	}
	early, err := scores.ListScoreCases(h.As("head"), &supervisionv1.ListScoreCasesRequest{Parent: october, Cases: supervisionv1.ScoreCases_SCORE_CASES_EARLY, PageSize: 4})
	if err != nil || len(early.GetCases()) != 4 || early.GetCases()[0].GetOfficer() != "wang" || early.GetCases()[0].GetWorkMinutes() == 0 {
		t.Fatalf("%v, %v", early, err)
	}
	rest, err := scores.ListScoreCases(h.As("head"), &supervisionv1.ListScoreCasesRequest{Parent: october, Cases: supervisionv1.ScoreCases_SCORE_CASES_EARLY, PageToken: early.GetNextPageToken()})
	if err != nil || len(rest.GetCases()) != 6 || rest.GetNextPageToken() != "" {
		t.Errorf("%v, %v", rest, err)
	}
}

// kinds reads the scores of handlers and items, of quarters and years, and tries what
// must not be.
func (h *house) kinds(t *testing.T, scores supervisionv1.ScoreServiceClient) {
	officers, err := scores.ListScores(h.As("head"), &supervisionv1.ListScoresRequest{Parent: hall, Period: "2018-10", Kind: supervisionv1.ScoreKind_SCORE_KIND_OFFICER})
	if err != nil || len(officers.GetScores()) != 2 || officers.GetScores()[1].GetOfficer() != "wang" || officers.GetScores()[1].GetTotal() != 113 {
		t.Errorf("%v, %v", officers, err)
	}
	if li := officers.GetScores()[0]; !li.GetSmall() || li.GetGrade() != "" {
		t.Errorf("one case makes a grade: %v", li)
	}
	for _, period := range []string{"2018-Q4", "2018"} {
		res, err := scores.ListScores(h.As("supervisor"), &supervisionv1.ListScoresRequest{Parent: hall, Period: period, Kind: supervisionv1.ScoreKind_SCORE_KIND_ITEM})
		if err != nil || len(res.GetScores()) != 1 || res.GetScores()[0].GetTotal() != 102 || len(res.GetScores()[0].GetMonths()) != 1 || res.GetScores()[0].GetItem() != hall+"/items/x" {
			t.Errorf("%s: %v, %v", period, res, err)
		}
	}
	for name, want := range map[string]*fault.Reason{
		hall + "/scores/department.d1.2018-11": fault.NotFound, // yet to come
		hall + "/scores/department.d2.2018-10": fault.NotFound,
		hall + "/scores/officer.d1.no.2018-10": fault.NotFound,
		hall + "/scores/officer.d1.2018-10":    fault.InvalidArgument,
	} {
		if _, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: name}); !is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := scores.ListScores(h.As("officer"), &supervisionv1.ListScoresRequest{Parent: hall, Period: "2018"}); !is(err, fault.PermissionDenied) {
		t.Errorf("an officer: %v", err)
	}
	if _, err := scores.ListScores(h.As("foreign"), &supervisionv1.ListScoresRequest{Parent: hall, Period: "2018"}); !is(err, fault.NotFound) {
		t.Errorf("a head of another hall: %v", err)
	}
}

// appealScore has one of the two yellow cards set aside, and the other revoked.
func (h *house) appealScore(t *testing.T, scores supervisionv1.ScoreServiceClient) {
	frozen, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: october})
	if err != nil || frozen.GetAppealDueDate() != "2018-11-08" || len(frozen.GetVersions()) != 1 {
		t.Fatalf("%v, %v", frozen, err)
	}
	before := frozen.GetTotal()
	list, err := scores.ListScoreEntries(h.As("head"), &supervisionv1.ListScoreEntriesRequest{Parent: october})
	if err != nil {
		t.Fatal(err)
	}
	var cards []*supervisionv1.ScoreEntry
	for _, e := range list.GetEntries() {
		if e.GetPoints() == -5 {
			cards = append(cards, e)
		}
	}
	appeal := &supervisionv1.AppealScoreRequest{Name: october, RequestId: uuid.NewString(), Etag: frozen.GetEtag(), Entry: cards[0].GetId(), Content: "当日系统故障，请予核实"}
	appealed, err := scores.AppealScore(h.As("head"), appeal)
	if err != nil || len(appealed.GetAppeals()) != 1 || appealed.GetTotal() != before {
		t.Fatalf("%v, %v", appealed, err)
	}
	if again, err := scores.AppealScore(h.As("head"), appeal); err != nil || again.GetEtag() != appealed.GetEtag() {
		t.Errorf("a retry: %v, %v", again, err)
	}
	for entry, want := range map[string]*fault.Reason{cards[0].GetId(): fault.ScoreAppealExists, "card.none": fault.ScoreEntryUnknown} {
		if _, err := scores.AppealScore(h.As("head"), &supervisionv1.AppealScoreRequest{Name: october, RequestId: uuid.NewString(), Etag: appealed.GetEtag(), Entry: entry, Content: "当日系统故障，请予核实"}); !is(err, want) {
			t.Errorf("%s: %v", entry, err)
		}
	}
	decide := func(entry string, result supervisionv1.AppealState) (*supervisionv1.Score, error) {
		return scores.DecideScoreAppeal(h.As("supervisor"), &supervisionv1.DecideScoreAppealRequest{Name: october, RequestId: uuid.NewString(), Etag: appealed.GetEtag(),
			Entry: entry, Result: result, Opinion: "经核实系统日志，情况属实"})
	}
	if _, err := decide("card.none", supervisionv1.AppealState_APPEAL_STATE_REVOKED); !is(err, fault.ScoreAppealNone) {
		t.Errorf("no such appeal: %v", err)
	}
	done, err := decide(cards[0].GetId(), supervisionv1.AppealState_APPEAL_STATE_REVOKED)
	if err != nil || done.GetTotal() != before+5 || len(done.GetVersions()) != 2 || done.GetVersions()[0].GetTotal() != before {
		t.Fatalf("%v, %v", done, err)
	}
	c, err := h.client.GetCard(h.As("supervisor"), &supervisionv1.GetCardRequest{Name: cards[1].GetCard()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.client.RevokeCard(h.As("supervisor"), &supervisionv1.RevokeCardRequest{Name: c.GetName(), RequestId: uuid.NewString(), Etag: c.GetEtag(), Reason: "系统故障造成，经核实予以撤销"}); err != nil {
		t.Fatal(err)
	}
	now, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: october})
	if err != nil || len(now.GetVersions()) != 3 || now.GetTotal() <= done.GetTotal() {
		t.Errorf("%v, %v", now, err)
	}
	h.clock.Set(time.Date(2018, 11, 9, 9, 0, 0, 0, workday.Zone))
	if _, err := scores.AppealScore(h.As("head"), &supervisionv1.AppealScoreRequest{Name: october, RequestId: uuid.NewString(), Etag: now.GetEtag(), Entry: "bonus.early_share", Content: "当日系统故障，请予核实"}); !is(err, fault.ScoreAppealLate) {
		t.Errorf("an appeal after the last day: %v", err)
	}
}

// A formula is drafted by one supervisor, approved by another for a month that lies
// ahead, and scores the months from then on.
func TestFormulas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		scores := supervisionv1.NewScoreServiceClient(h.Dial("supervision"))
		preset, err := scores.GetScoreFormula(h.As("officer"), &supervisionv1.GetScoreFormulaRequest{Name: hall + "/scoreFormulas/huizhou2008"})
		if err != nil || len(preset.GetParts()) != 9 {
			t.Fatalf("%v, %v", preset, err)
		}
		preset.Name, preset.State, preset.Factor = "", 0, "0.5"
		bad := &supervisionv1.ScoreFormula{DisplayName: "x", Parts: preset.GetParts(), Factor: "score.nothing"}
		if _, err := scores.CreateScoreFormula(h.As("supervisor"), &supervisionv1.CreateScoreFormulaRequest{Parent: hall, RequestId: uuid.NewString(), ScoreFormula: bad}); !is(err, fault.BadFormula) {
			t.Errorf("a formula that cannot be compiled: %v", err)
		}
		draft, err := scores.CreateScoreFormula(h.As("supervisor"), &supervisionv1.CreateScoreFormulaRequest{Parent: hall, RequestId: uuid.NewString(), ScoreFormula: preset})
		if err != nil {
			t.Fatal(err)
		}
		approve := func(user, day, etag string) (*supervisionv1.ScoreFormula, error) {
			return scores.ApproveScoreFormula(h.As(user), &supervisionv1.ApproveScoreFormulaRequest{Name: draft.GetName(), RequestId: uuid.NewString(), Etag: etag, EffectiveDate: day})
		}
		for _, tc := range []struct {
			user, day, etag string
			want            *fault.Reason
		}{
			{"supervisor", "2018-11-01", draft.GetEtag(), fault.SamePersonForbidden},
			{"supervisor2", "2018-10-01", draft.GetEtag(), fault.ScoreFormulaNotAhead},
			{"supervisor2", "2018-11-02", draft.GetEtag(), fault.InvalidArgument},
			{"supervisor2", "2018-11-01", "", fault.ETagMissing},
		} {
			if _, err := approve(tc.user, tc.day, tc.etag); !is(err, tc.want) {
				t.Errorf("%s for %s: %v", tc.user, tc.day, err)
			}
		}
		done, err := approve("supervisor2", "2018-11-01", draft.GetEtag())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := approve("supervisor2", "2018-12-01", done.GetEtag()); !is(err, fault.ScoreFormulaApproved) {
			t.Errorf("twice: %v", err)
		}
		list, err := scores.ListScoreFormulas(h.As("head"), &supervisionv1.ListScoreFormulasRequest{Parent: hall})
		if err != nil || len(list.GetScoreFormulas()) != 1 || list.GetScoreFormulas()[0].GetEffectiveDate() != "2018-11-01" {
			t.Errorf("%v, %v", list, err)
		}
		if sets, err := h.client.ListRuleSets(h.As("supervisor"), &supervisionv1.ListRuleSetsRequest{Parent: hall}); err != nil || len(sets.GetRuleSets()) != 0 {
			t.Errorf("a formula is no rule set: %v, %v", sets, err)
		}
		h.clock.Set(time.Date(2018, 11, 2, 9, 0, 0, 0, workday.Zone))
		for period, total := range map[string]float64{"2018-10": 100, "2018-11": 50} {
			s, err := scores.GetScore(h.As("head"), &supervisionv1.GetScoreRequest{Name: hall + "/scores/department.d1." + period})
			if err != nil || s.GetTotal() != total {
				t.Errorf("%s: %v, %v", period, s, err)
			}
		}
	})
}
