package simulate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"

	"github.com/onehall/onehall/deploy/load"
	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/services/platform/workday"
)

// life is one case from application to review.
type life struct {
	city      *City
	fate      fate
	item      sample.Item
	applicant sample.Applicant
	rand      *rand.Rand
	day       workday.Date
	c         *caseworkv1.Case
}

// then plans the next act some working days on.
func (l *life) then(workdays int, do func(context.Context) error) {
	d := workday.DateOf(l.city.opt.Clock.Now())
	if workdays > 0 {
		d, _ = workday.China().Add(l.item.Division, d, workdays)
	}
	at := inHours(l.rand, d)
	if earliest := l.city.opt.Clock.Now().Add(tick); at.Before(earliest) {
		at = earliest
	}
	l.city.at(at, do)
}

func (l *life) self(ctx context.Context) context.Context {
	a := l.applicant
	return l.city.opt.As(ctx, Person{Login: a.Subject, Name: a.Name, Role: "applicant", IDType: a.IDType, IDNumber: a.IDNumber})
}

// official is one of the department's staff with a role; n tells two apart.
func (l *life) official(ctx context.Context, role string, n int) context.Context {
	var of []sample.Official
	for _, o := range l.city.staff[l.item.Division+"/"+l.item.Department] {
		if o.Role == role {
			of = append(of, o)
		}
	}
	o := of[n%len(of)]
	return l.city.opt.As(ctx, Person{Login: o.Subject, Name: o.Name, Role: role, Hall: o.Hall, Department: o.Department, Post: o.Post})
}

func (l *life) online() bool { return l.fate.channel != caseworkv1.Channel_CHANNEL_WINDOW }

// took notes a step that succeeded.
func (l *life) took(c *caseworkv1.Case, err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s %s (%s): %w", what, l.c.GetName(), l.item.Name, err)
	}
	l.c = c
	l.city.count(func(s *Stats) { s.Calls++ })
	return nil
}

// file applies, online or at the window.
func (l *life) file(ctx context.Context) error {
	a := l.applicant
	in := &caseworkv1.Case{
		Item: load.ItemName(l.item), Channel: l.fate.channel,
		Applicant: &caseworkv1.Applicant{
			Type: caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON, IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID,
			DisplayName: a.Name, IdNumber: a.IDNumber, Phone: a.Phone, ContactName: a.Contact, Address: a.Address,
		},
	}
	if a.Company {
		in.Applicant.Type, in.Applicant.IdType = caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, caseworkv1.IdType_ID_TYPE_USCC
	}
	if filled := sample.FilledForm(l.item.Form, a); filled != nil {
		var err error
		if in.Form, err = structpb.NewStruct(filled); err != nil {
			return fmt.Errorf("form of %s: %w", l.item.Name, err)
		}
	}
	for i, m := range l.item.Materials {
		if m.Required {
			sum := sha256.Sum256([]byte(a.IDNumber + strconv.Itoa(i) + newID()))
			in.Materials = append(in.Materials, &caseworkv1.CaseMaterial{MaterialId: "m" + strconv.Itoa(i+1), FileName: m.Name, Sha256: hex.EncodeToString(sum[:]), Paper: !l.online()})
		}
	}
	// Who wants what is drawn: the same person may want the same twice in a minute.
	req := &caseworkv1.FileCaseRequest{Parent: load.HallName(l.item.Division), Case: in, RequestId: newID(), AllowDuplicate: true}
	who := l.self(ctx)
	if !l.online() {
		req.Consent, who = true, l.official(ctx, sample.RoleWindow, 0)
	}
	c, err := l.fileWhenKnown(who, req)
	if err := l.took(c, err, "file"); err != nil {
		return err
	}
	l.city.count(func(s *Stats) {
		s.Filed++
		if l.online() {
			s.Online++
		}
	})
	switch {
	case l.fate.withdraw:
		l.then(1, l.withdraw)
	case l.fate.supplement:
		l.then(1, l.supplement)
	case l.item.CaseType == sample.CaseInstant && !l.online():
		l.then(0, l.accept)
	default:
		l.then(1+l.rand.IntN(2), l.accept)
	}
	return nil
}

// catchUp is how long casework may take to have read of a newly published item.
const catchUp = time.Minute

// fileWhenKnown files, and waits while casework has not read so far in the catalogue.
func (l *life) fileWhenKnown(ctx context.Context, req *caseworkv1.FileCaseRequest) (*caseworkv1.Case, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(catchUp); ; {
		c, err := l.city.opt.Casework.FileCase(ctx, req)
		if status.Code(err) != codes.NotFound || time.Now().After(end) {
			return c, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *life) withdraw(ctx context.Context) error {
	who := l.self(ctx)
	if !l.online() {
		who = l.official(ctx, sample.RoleWindow, 0)
	}
	c, err := l.city.opt.Casework.WithdrawCase(who, &caseworkv1.WithdrawCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID()})
	return l.ended(c, err, "withdraw")
}

// ended notes an ending without a finish.
func (l *life) ended(c *caseworkv1.Case, err error, what string) error {
	if err := l.took(c, err, what); err != nil {
		return err
	}
	l.city.count(func(s *Stats) { s.Ended++ })
	return nil
}

func (l *life) supplement(ctx context.Context) error {
	c, err := l.city.opt.Casework.RequestSupplement(l.official(ctx, sample.RoleWindow, 0), &caseworkv1.RequestSupplementRequest{
		Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Reason: "材料不清晰，请补正", LimitDays: 10,
	})
	if err := l.took(c, err, "request supplement"); err != nil {
		return err
	}
	l.city.count(func(s *Stats) { s.Supplements++ })
	l.then(1+l.rand.IntN(4), l.bring)
	return nil
}

func (l *life) bring(ctx context.Context) error {
	who := l.self(ctx)
	if !l.online() {
		who = l.official(ctx, sample.RoleWindow, 0)
	}
	c, err := l.city.opt.Casework.ReceiveSupplement(who, &caseworkv1.ReceiveSupplementRequest{
		Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Channel: l.fate.channel,
	})
	if err := l.took(c, err, "receive supplement"); err != nil {
		return err
	}
	l.then(1, l.accept)
	return nil
}

// accept accepts, or ends the case before it began.
func (l *life) accept(ctx context.Context) error {
	window := l.official(ctx, sample.RoleWindow, 0)
	const reason = "该事项依法不需要取得行政许可或不属于本机关职权"
	switch {
	case l.fate.notAccept:
		c, err := l.city.opt.Casework.NotAcceptCase(window, &caseworkv1.NotAcceptCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Reason: reason})
		return l.ended(c, err, "not accept")
	case l.fate.refuse:
		c, err := l.city.opt.Casework.RefuseCase(window, &caseworkv1.RefuseCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Reason: reason, RightBody: "上级主管部门"})
		return l.ended(c, err, "refuse")
	}
	c, err := l.city.opt.Casework.AcceptCase(window, &caseworkv1.AcceptCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID()})
	if err := l.took(c, err, "accept"); err != nil {
		return err
	}
	l.city.count(func(s *Stats) { s.Accepted++ })
	if l.item.CaseType == sample.CaseInstant {
		l.then(0, l.decide)
		return nil
	}
	if c.GetOwnFlow() {
		l.then(1, l.ownStep)
		return nil
	}
	l.then(1, l.undertake)
	return nil
}

// ownStep takes the step of the item's own flow that the case waits for: by the officer
// whose post it is, and at the end by the head. The last officer examines what the first
// one has seen.
func (l *life) ownStep(ctx context.Context) error {
	now := l.c.GetCurrentStep()
	who := l.official(ctx, sample.RoleOfficer, 0)
	switch now.GetKind() {
	case caseworkv1.StepKind_STEP_KIND_EXAMINE:
		who = l.official(ctx, sample.RoleOfficer, 1)
	case caseworkv1.StepKind_STEP_KIND_APPROVE:
		who = l.official(ctx, sample.RoleHead, 0)
	}
	c, err := l.city.opt.Flow.PerformStep(who, &caseworkv1.PerformStepRequest{
		Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), StepId: now.GetStepId(), Opinion: now.GetDisplayName() + "，符合要求",
	})
	if err := l.took(c, err, "perform step"); err != nil {
		return err
	}
	switch c.GetCurrentStep().GetKind() {
	case caseworkv1.StepKind_STEP_KIND_UNSPECIFIED:
		l.then(0, l.decide)
	case caseworkv1.StepKind_STEP_KIND_APPROVE:
		days := 0
		if l.fate.late {
			days = l.item.Promised.Value + 1 + l.rand.IntN(5)
		}
		l.then(days, l.ownStep)
	default:
		l.then(l.rand.IntN(2), l.ownStep)
	}
	return nil
}

func (l *life) undertake(ctx context.Context) error {
	c, err := l.city.opt.Casework.UndertakeCase(l.official(ctx, sample.RoleOfficer, 0), &caseworkv1.UndertakeCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Opinion: "拟同意"})
	if err := l.took(c, err, "undertake"); err != nil {
		return err
	}
	l.then(0, l.examine)
	return nil
}

func (l *life) examine(ctx context.Context) error {
	c, err := l.city.opt.Casework.ExamineCase(l.official(ctx, sample.RoleOfficer, 1), &caseworkv1.ExamineCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Opinion: "同意"})
	if err := l.took(c, err, "examine"); err != nil {
		return err
	}
	days := l.rand.IntN(max(1, l.item.Promised.Value*6/10))
	if l.fate.late {
		days = l.item.Promised.Value + 1 + l.rand.IntN(5)
	}
	l.then(days, l.approve)
	return nil
}

func (l *life) approve(ctx context.Context) error {
	c, err := l.city.opt.Casework.ApproveCase(l.official(ctx, sample.RoleHead, 0), &caseworkv1.ApproveCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID()})
	if err := l.took(c, err, "approve"); err != nil {
		return err
	}
	l.then(0, l.decide)
	return nil
}

func (l *life) decide(ctx context.Context) error {
	req := &caseworkv1.DecideCaseRequest{Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED}
	if l.fate.deny {
		req.Result = caseworkv1.DecisionResult_DECISION_RESULT_DENIED
		req.Reason, req.Remedies = "申请人不符合法定条件，依法不予许可", "可在六十日内申请行政复议，或在六个月内提起行政诉讼"
	}
	c, err := l.city.opt.Casework.DecideCase(l.official(ctx, sample.RoleHead, 0), req)
	if err := l.took(c, err, "decide"); err != nil {
		return err
	}
	due := c.GetPromisedDueDate()
	l.city.count(func(s *Stats) {
		if !l.fate.deny {
			s.Granted++
		}
		if due != "" && workday.DateOf(c.GetDecision().GetDecideTime().AsTime()).String() > due {
			s.Late++
		}
	})
	l.then(0, l.finish)
	return nil
}

func (l *life) finish(ctx context.Context) error {
	c, err := l.city.opt.Casework.FinishCase(l.official(ctx, sample.RoleOfficer, 0), &caseworkv1.FinishCaseRequest{
		Name: l.c.GetName(), Etag: l.c.GetEtag(), RequestId: newID(), Result: caseworkv1.FinishResult_FINISH_RESULT_FINISHED,
		Online: l.online() && l.item.FullOnline(),
	})
	if err := l.took(c, err, "finish"); err != nil {
		return err
	}
	l.city.count(func(s *Stats) { s.Finished++ })
	if l.fate.review {
		l.then(1+l.rand.IntN(3), l.review)
	}
	return nil
}

// review says what the applicant thinks. The review service may not have heard of
// the finish yet; then the applicant tries again a little later.
func (l *life) review(ctx context.Context) error {
	_, err := l.city.opt.Review.CreateReview(l.self(ctx), &reviewv1.CreateReviewRequest{
		Parent: load.HallName(l.item.Division), RequestId: newID(),
		Review: &reviewv1.Review{Case: l.c.GetName(), Moment: reviewv1.ReviewMoment_REVIEW_MOMENT_FINISHED, Stars: l.fate.stars},
	})
	switch status.Code(err) {
	case codes.OK:
		l.city.count(func(s *Stats) { s.Reviews++; s.Calls++ })
		return nil
	case codes.NotFound, codes.FailedPrecondition:
		l.city.at(l.city.opt.Clock.Now().Add(time.Hour), l.review)
		return nil
	}
	return fmt.Errorf("review %s: %w", l.c.GetName(), err)
}
