package e2e

import (
	"time"

	"google.golang.org/protobuf/proto"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// scoreRows are those of performance scores.
func (s *scene) scoreRows(x things) map[string]row {
	s.t.Helper()
	department := x.department[len(s.hall+"/departments/"):]
	score := s.hall + "/scores/department." + department + "." + time.Now().UTC().Add(8*time.Hour).Format("2006-01")
	draft := func() *supervisionv1.ScoreFormula {
		return &supervisionv1.ScoreFormula{DisplayName: "试行", Parts: []*supervisionv1.ScorePart{{Id: "all", DisplayName: "全部", Points: 100}}}
	}
	formula := &supervisionv1.ScoreFormula{}
	s.must("draft a formula", s.supervisor.Post(s.t.Context(), "/v1/"+s.hall+"/scoreFormulas?requestId="+newID(), draft(), formula))
	return map[string]row{
		"CreateScoreFormula": list(func() proto.Message {
			bad := draft()
			bad.Factor = "nothing"
			return &supervisionv1.CreateScoreFormulaRequest{Parent: s.hall, RequestId: newID(), ScoreFormula: bad}
		}),
		"ApproveScoreFormula": the(func() proto.Message {
			return &supervisionv1.ApproveScoreFormulaRequest{Name: formula.GetName(), RequestId: newID(), EffectiveDate: "2099-01-01"}
		}),
		"GetScoreFormula": list(func() proto.Message {
			return &supervisionv1.GetScoreFormulaRequest{Name: formula.GetName()}
		}),
		"ListScoreFormulas": list(func() proto.Message { return &supervisionv1.ListScoreFormulasRequest{Parent: s.hall} }),
		"CreateScoreMark": list(func() proto.Message {
			return &supervisionv1.CreateScoreMarkRequest{Parent: s.hall, RequestId: newID(),
				ScoreMark: &supervisionv1.ScoreMark{Score: score, Part: "no_such_part", Points: -1, Ground: "检查发现问题"}}
		}),
		"ListScores": list(func() proto.Message {
			return &supervisionv1.ListScoresRequest{Parent: s.hall, Period: time.Now().Format("2006")}
		}),
		"GetScore":         the(func() proto.Message { return &supervisionv1.GetScoreRequest{Name: score} }),
		"ListScoreEntries": the(func() proto.Message { return &supervisionv1.ListScoreEntriesRequest{Parent: score} }),
		"ListScoreCases":   the(func() proto.Message { return &supervisionv1.ListScoreCasesRequest{Parent: score} }),
		"AppealScore": the(func() proto.Message {
			return &supervisionv1.AppealScoreRequest{Name: score, RequestId: newID(), Entry: "term.none", Content: "当日系统故障，请予核实"}
		}),
		"DecideScoreAppeal": the(func() proto.Message {
			return &supervisionv1.DecideScoreAppealRequest{Name: score, RequestId: newID(), Entry: "term.none", Opinion: "经核实系统日志，情况属实",
				Result: supervisionv1.AppealState_APPEAL_STATE_REJECTED}
		}),
		"ListFindings": list(func() proto.Message { return &supervisionv1.ListFindingsRequest{Parent: s.hall} }),
		"ListComparisons": list(func() proto.Message {
			return &supervisionv1.ListComparisonsRequest{Parent: s.hall, Item: x.item, Month: time.Now().Format("2006-01")}
		}),
		"ListForecasts": list(func() proto.Message { return &supervisionv1.ListForecastsRequest{Parent: s.hall} }),
		// No month is over, so there is no finding, and no cases behind it.
		"ListFindingCases": list(func() proto.Message {
			return &supervisionv1.ListFindingCasesRequest{Parent: s.hall + "/findings/2018-11.officer.refusal.0011223344556677"}
		}),
	}
}
