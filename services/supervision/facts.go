package supervision

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
)

var (
	caseType   = string((&caseworkv1.Case{}).ProtoReflect().Descriptor().FullName())
	reviewType = string((&reviewv1.Review{}).ProtoReflect().Descriptor().FullName())
)

// keptReason is how much of a reason is kept: enough to tell that there is one.
const keptReason = 40

// shorten is the case without what no rule looks at: it is kept for every case there
// is. Of texts that owe a reason the beginning is enough.
func shorten(c *caseworkv1.Case) *caseworkv1.Case {
	s := &caseworkv1.Case{
		Name: c.GetName(), Item: c.GetItem(), ItemRevision: c.GetItemRevision(), ItemTitle: c.GetItemTitle(), Department: c.GetDepartment(),
		CaseType: c.GetCaseType(), Channel: c.GetChannel(), State: c.GetState(), PromisedLimit: c.GetPromisedLimit(),
		StatutoryLimit: c.GetStatutoryLimit(), LimitUnit: c.GetLimitUnit(), SubmitTime: c.GetSubmitTime(), PreAcceptTime: c.GetPreAcceptTime(),
		AcceptTime: c.GetAcceptTime(), DeemedAcceptTime: c.GetDeemedAcceptTime(), EndTime: c.GetEndTime(), EndReason: cut(c.GetEndReason()),
		ApplicantKey: c.GetApplicantKey(), FullFlow: c.GetFullFlow(), FourEyes: c.GetFourEyes(), ELicense: c.GetELicense(), OwnFlow: c.GetOwnFlow(), Gaps: c.GetGaps(), Recreation: c.GetRecreation(),
	}
	if c.GetLicense() != nil {
		s.License = &caseworkv1.License{IssueTime: c.GetLicense().GetIssueTime()}
	}
	for _, x := range c.GetMaterials() {
		s.Materials = append(s.Materials, &caseworkv1.CaseMaterial{MaterialId: x.GetMaterialId()})
	}
	for _, x := range c.GetSupplements() {
		s.Supplements = append(s.Supplements, &caseworkv1.Supplement{Serial: x.GetSerial(), NoticeTime: x.GetNoticeTime(), Officer: x.GetOfficer(),
			MaterialIds: x.GetMaterialIds(), ReceiptTime: x.GetReceiptTime(), AfterAcceptance: x.GetAfterAcceptance()})
	}
	for _, x := range c.GetSpecialProcedures() {
		s.SpecialProcedures = append(s.SpecialProcedures, &caseworkv1.SpecialProcedure{Serial: x.GetSerial(), Kind: x.GetKind(),
			DisplayName: x.GetDisplayName(), Requester: x.GetRequester(), Approver: x.GetApprover(), Limit: x.GetLimit(), LimitUnit: x.GetLimitUnit(),
			StartTime: x.GetStartTime(), EndTime: x.GetEndTime()})
	}
	for _, x := range c.GetSteps() {
		s.Steps = append(s.Steps, &caseworkv1.Step{Kind: x.GetKind(), Officer: x.GetOfficer(), StepTime: x.GetStepTime(), StepId: x.GetStepId(), SentBack: x.GetSentBack()})
	}
	for _, x := range c.GetCharges() {
		s.Charges = append(s.Charges, &caseworkv1.Charge{Serial: x.GetSerial(), DisplayName: x.GetDisplayName(), AmountFen: x.GetAmountFen(), Basis: cut(x.GetBasis()),
			State: x.GetState(), Officer: x.GetOfficer(), ChargeTime: x.GetChargeTime(), PaymentTime: x.GetPaymentTime()})
	}
	if d := c.GetDecision(); d != nil {
		s.Decision = &caseworkv1.Decision{Result: d.GetResult(), Reason: cut(d.GetReason()), Officer: d.GetOfficer(), DecideTime: d.GetDecideTime()}
	}
	if f := c.GetFinish(); f != nil {
		s.Finish = &caseworkv1.Finish{Result: f.GetResult(), Description: cut(f.GetDescription()), Officer: f.GetOfficer(), FinishTime: f.GetFinishTime()}
	}
	if x := c.GetCollection(); x != nil {
		s.Collection = &caseworkv1.Collection{CollectTime: x.GetCollectTime()}
	}
	return s
}

// cut is the beginning of a reason.
func cut(text string) string {
	if runes := []rune(strings.TrimSpace(text)); len(runes) > keptReason {
		return string(runes[:keptReason])
	}
	return text
}

// factsOf reads the facts out of a case.
func factsOf(c *caseworkv1.Case) *rules.Facts {
	f := &rules.Facts{
		Division: divisionOf(c.GetName()), Instant: c.GetCaseType() == caseworkv1.CaseType_CASE_TYPE_INSTANT,
		Online:   c.GetChannel() == caseworkv1.Channel_CHANNEL_WEB || c.GetChannel() == caseworkv1.Channel_CHANNEL_MOBILE,
		Promised: int(c.GetPromisedLimit()), Statutory: int(c.GetStatutoryLimit()), Unit: unitOf(c.GetLimitUnit()),
		Item: c.GetItem(), FullFlow: c.GetFullFlow(), FourEyes: c.GetFourEyes(), OwnFlow: c.GetOwnFlow(),
		Submitted: timeOf(c.GetSubmitTime()), PreAccepted: timeOf(c.GetPreAcceptTime()), Accepted: timeOf(c.GetAcceptTime()),
		Deemed:   timeOf(c.GetDeemedAcceptTime()),
		ELicense: c.GetELicense(), Licensed: timeOf(c.GetLicense().GetIssueTime()),
		Collected: timeOf(c.GetCollection().GetCollectTime()), End: ends[c.GetState()], Ended: timeOf(c.GetEndTime()), EndReason: c.GetEndReason(),
	}
	if r := c.GetRecreation(); r != nil {
		f.Recreated = &rules.Recreated{Case: r.GetCase(), Submitted: timeOf(r.GetFirstSubmitTime()), Accepted: timeOf(r.GetFirstAcceptTime())}
		for _, g := range r.GetGaps() {
			f.Recreated.Away = append(f.Recreated.Away, workday.Pause{Kind: workday.PauseSupplement, Name: "重新办理前", Start: timeOf(g.GetStartTime()), End: timeOf(g.GetEndTime())})
		}
	}
	for _, s := range c.GetSupplements() {
		f.Supplements = append(f.Supplements, rules.Supplement{Serial: int(s.GetSerial()), Notice: timeOf(s.GetNoticeTime()),
			Receipt: timeOf(s.GetReceiptTime()), Accepted: s.GetAfterAcceptance(), Officer: s.GetOfficer(), Materials: s.GetMaterialIds()})
	}
	for _, m := range c.GetMaterials() {
		f.Materials = append(f.Materials, m.GetMaterialId())
	}
	for _, s := range c.GetSteps() {
		f.Steps = append(f.Steps, rules.Step{Kind: steps[s.GetKind()], Officer: s.GetOfficer(), Time: timeOf(s.GetStepTime()), ID: s.GetStepId(), SentBack: s.GetSentBack()})
	}
	for _, g := range c.GetGaps() {
		f.Gaps = append(f.Gaps, rules.Gap{Name: g.GetDisplayName(), Due: dayOf(g.GetDueDate()), Filled: timeOf(g.GetFillTime())})
		f.Materials = append(f.Materials, g.GetMaterialId())
	}
	for _, m := range c.GetCharges() {
		f.Charges = append(f.Charges, rules.Charge{Serial: int(m.GetSerial()), Name: m.GetDisplayName(), Basis: m.GetBasis(), Officer: m.GetOfficer(),
			AmountFen: m.GetAmountFen(), Waived: m.GetState() == caseworkv1.ChargeState_CHARGE_STATE_WAIVED, Charged: timeOf(m.GetChargeTime()), Paid: timeOf(m.GetPaymentTime())})
	}
	for _, s := range c.GetSpecialProcedures() {
		f.Specials = append(f.Specials, rules.Special{
			Serial: int(s.GetSerial()), Extension: s.GetKind() == caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION,
			Name: s.GetDisplayName(), Requester: s.GetRequester(), Approver: s.GetApprover(), Limit: int(s.GetLimit()),
			Unit: unitOf(s.GetLimitUnit()), Start: timeOf(s.GetStartTime()), End: timeOf(s.GetEndTime())})
	}
	if d := c.GetDecision(); d != nil {
		f.Decision = &rules.Decision{Granted: d.GetResult() == caseworkv1.DecisionResult_DECISION_RESULT_GRANTED,
			Reason: d.GetReason(), Officer: d.GetOfficer(), Time: timeOf(d.GetDecideTime())}
	}
	if x := c.GetFinish(); x != nil {
		f.Finish = &rules.Finish{Returned: x.GetResult() == caseworkv1.FinishResult_FINISH_RESULT_RETURNED,
			Issued: x.GetResult() == caseworkv1.FinishResult_FINISH_RESULT_ISSUED, Forwarded: x.GetResult() == caseworkv1.FinishResult_FINISH_RESULT_FORWARDED,
			Description: x.GetDescription(), Officer: x.GetOfficer(), Time: timeOf(x.GetFinishTime())}
	}
	return f
}

var ends = map[caseworkv1.CaseState]string{
	caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED: rules.EndNotAccepted,
	caseworkv1.CaseState_CASE_STATE_REFUSED:      rules.EndRefused,
	caseworkv1.CaseState_CASE_STATE_WITHDRAWN:    rules.EndWithdrawn,
	caseworkv1.CaseState_CASE_STATE_LAPSED:       rules.EndLapsed,
	caseworkv1.CaseState_CASE_STATE_VOIDED:       rules.EndVoided,
}

var steps = map[caseworkv1.StepKind]string{
	caseworkv1.StepKind_STEP_KIND_UNDERTAKE: rules.StepUndertake,
	caseworkv1.StepKind_STEP_KIND_EXAMINE:   rules.StepExamine,
	caseworkv1.StepKind_STEP_KIND_APPROVE:   rules.StepApprove,
	caseworkv1.StepKind_STEP_KIND_OTHER:     rules.StepOther,
}

func unitOf(u caseworkv1.TimeUnit) workday.Unit {
	if u == caseworkv1.TimeUnit_TIME_UNIT_NATURAL_DAY {
		return workday.NaturalDays
	}
	return workday.WorkingDays
}

// dayOf is a day of the contract; 0 when there is none.
func dayOf(s string) workday.Date {
	d, err := workday.ParseDate(s)
	if err != nil {
		return 0
	}
	return d
}

// timeOf is the moment, zero when unset.
func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// divisionOf is the division in a resource name: 441300 of halls/441300/cases/….
func divisionOf(name string) string {
	rest, _ := strings.CutPrefix(name, "halls/")
	division, _, _ := strings.Cut(rest, "/")
	return division
}

// hallOf is the hall in a resource name: halls/441300 of halls/441300/cases/….
func hallOf(name string) string { return "halls/" + divisionOf(name) }

// lastPart is the id at the end of a resource name.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
