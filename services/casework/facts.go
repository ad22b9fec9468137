package casework

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/workday"
)

// factsOf is what the rules need to know of a case. last is when its latest event
// happened.
func factsOf(c *caseworkv1.Case, last time.Time) rules.Case {
	f := rules.Case{
		State: rules.State(c.GetState()), Instant: c.GetCaseType() == caseworkv1.CaseType_CASE_TYPE_INSTANT,
		Joint:    c.GetCaseType() == caseworkv1.CaseType_CASE_TYPE_JOINT,
		FullFlow: c.GetFullFlow(), FourEyes: c.GetFourEyes(), Licensed: c.GetLicense() != nil,
		Submitted: timeOf(c.GetSubmitTime()), PreAccepted: timeOf(c.GetPreAcceptTime()), Accepted: timeOf(c.GetAcceptTime()),
		Deemed:    timeOf(c.GetDeemedAcceptTime()),
		DecidedAt: timeOf(c.GetDecision().GetDecideTime()),
		Granted:   c.GetDecision().GetResult() == caseworkv1.DecisionResult_DECISION_RESULT_GRANTED,
		Handover:  handover(c.GetFinish()), FinishedAt: timeOf(c.GetFinish().GetFinishTime()), Result: rules.FinishResult(c.GetFinish().GetResult()),
		Linked: c.GetForwardedCase() != "", Last: last, Department: c.GetDepartment(), Assignee: c.GetAssignee(),
	}
	for _, m := range c.GetMaterials() {
		if m.GetPromised() && m.GetSha256() == "" && !m.GetPaper() && m.GetPromise() == nil {
			f.Missing = append(f.Missing, m.GetMaterialId())
		}
	}
	for _, g := range c.GetGaps() {
		f.Gaps = append(f.Gaps, rules.Gap{Material: g.GetMaterialId(), Due: dateOf(g.GetDueDate()), Days: int(g.GetLimitDays()), Filled: timeOf(g.GetFillTime())})
	}
	for _, m := range c.GetCharges() {
		f.Charges = append(f.Charges, rules.Charge{
			Amount: m.GetAmountFen(), Refunded: m.GetRefundFen(), Paid: m.GetPaymentTime() != nil, Waived: m.GetState() == caseworkv1.ChargeState_CHARGE_STATE_WAIVED,
		})
	}
	for _, s := range c.GetSupplements() {
		f.Supplements = append(f.Supplements, rules.Supplement{
			Told: timeOf(s.GetNoticeTime()), Received: timeOf(s.GetReceiptTime()), Due: dateOf(s.GetDueDate()), AfterAcceptance: s.GetAfterAcceptance(),
		})
	}
	for _, s := range c.GetSteps() {
		f.Steps = append(f.Steps, rules.Step{
			Kind: rules.StepKind(s.GetKind()), Officer: s.GetOfficer(), ID: s.GetStepId(), SentBack: s.GetSentBack(), At: timeOf(s.GetStepTime()),
		})
	}
	for _, p := range c.GetSpecialProcedures() {
		f.Specials = append(f.Specials, rules.Special{
			Extension: p.GetKind() == caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION, Name: p.GetDisplayName(),
			Start: timeOf(p.GetStartTime()), End: timeOf(p.GetEndTime()), Limit: int(p.GetLimit()), Unit: unitOf(p.GetLimitUnit()),
		})
	}
	return f
}

// handover reports a finish that leaves a paper to be handed over.
func handover(f *caseworkv1.Finish) bool {
	return f.GetResult() == caseworkv1.FinishResult_FINISH_RESULT_ISSUED && !f.GetOnline()
}

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// dateOf reads a date that this service wrote.
func dateOf(s string) workday.Date {
	d, err := workday.ParseDate(s)
	if err != nil {
		return 0
	}
	return d
}

func unitOf(u caseworkv1.TimeUnit) workday.Unit {
	if u == caseworkv1.TimeUnit_TIME_UNIT_NATURAL_DAY {
		return workday.NaturalDays
	}
	return workday.WorkingDays
}

func unitName(u workday.Unit) caseworkv1.TimeUnit {
	if u == workday.NaturalDays {
		return caseworkv1.TimeUnit_TIME_UNIT_NATURAL_DAY
	}
	return caseworkv1.TimeUnit_TIME_UNIT_WORKING_DAY
}

// policyOf is by what limits the case counts: those that its hall had on the day it was
// submitted, as it is handled by the item's revision of that day.
func (s *Service) policyOf(c *caseworkv1.Case, f rules.Case, now time.Time) workday.Policy {
	return policyIn(s.almanac.Book(), c, f, now)
}

func policyIn(book *almanac.Book, c *caseworkv1.Case, f rules.Case, now time.Time) workday.Policy {
	if !f.Submitted.IsZero() {
		now = f.Submitted
	}
	return book.Policy(hallOf(c.GetName()), workday.DateOf(now))
}

func limitsOf(c *caseworkv1.Case) rules.Limits {
	return rules.Limits{Promised: int(c.GetPromisedLimit()), Statutory: int(c.GetStatutoryLimit()), Unit: unitOf(c.GetLimitUnit())}
}

// prolong gives the applicant the days that the hall is closed meanwhile: for an open
// notice, and for what is still missing since the acceptance. A day that was told in
// writing never comes nearer.
func (s *Service) prolong(c *caseworkv1.Case, f rules.Case) {
	hall, cal := hallOf(c.GetName()), s.almanac.Book().Calendar
	for i, notice := range f.Supplements {
		days := int(c.GetSupplements()[i].GetLimitDays())
		if !notice.Received.IsZero() || days == 0 {
			continue
		}
		if due := rules.SupplementDue(cal, hall, notice.Told, days); due > notice.Due {
			f.Supplements[i].Due, c.Supplements[i].DueDate = due, due.String()
		}
	}
	for i, g := range f.Gaps {
		if g.Filled.IsZero() && f.State != rules.Voided {
			due := rules.GapDue(cal, hall, f.GapsTold(), g)
			f.Gaps[i].Due, c.Gaps[i].DueDate = due, due.String()
		}
	}
}

// dated reports a case that waits in no inbox and has days that a calendar may move.
func dated(c *caseworkv1.Case, f rules.Case) bool {
	if f.Ended() {
		return f.HasGaps() && (f.State == rules.Finished || f.State == rules.Collected)
	}
	return c.GetSource() != "" && f.State != rules.Draft
}

// reckoned is where a case waits by the book it was reckoned with.
type reckoned struct {
	stage rules.Stage
	due   workday.Date
	dated bool
	book  int64
}

// reckon writes the due dates into the case, as they are known now, and tells which
// inbox it waits in and the day it is sorted by there.
func (s *Service) reckon(c *caseworkv1.Case, f rules.Case, now time.Time) reckoned {
	hall, book := hallOf(c.GetName()), s.almanac.Book()
	policy := policyIn(book, c, f, now)
	s.prolong(c, f)
	d := rules.Due(book.Calendar, policy, hall, limitsOf(c), f, now)
	c.AcceptanceDueDate, c.PromisedDueDate, c.StatutoryDueDate = "", "", ""
	if d.AcceptanceKnown {
		c.AcceptanceDueDate = d.Acceptance.String()
	}
	if d.DecisionKnown {
		c.PromisedDueDate, c.StatutoryDueDate = d.Promised.String(), d.Statutory.String()
	}
	c.DueProvisional = d.Provisional
	c.CalendarVersion, c.PolicyVersion = int32(book.Calendar.Number()), int32(policy.Version)
	if c.GetOwnFlow() {
		s.waitsFor(c, f, limitsOf(c), now)
	}
	r := reckoned{book: book.Version}
	if c.GetSource() != "" {
		r.stage, r.due = rules.StageNone, rules.Unknown // the work is done at the source
	} else {
		r.stage, r.due = rules.Waiting(book.Calendar, policy, hall, f, d)
	}
	r.dated = r.stage == rules.StageNone && dated(c, f)
	return r
}
