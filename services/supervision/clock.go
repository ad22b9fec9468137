package supervision

import (
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// find reads the clock a resource name of the form …/clock stands for.
func (s *Service) find(ctx context.Context, name string) (*watched, error) {
	access, _ := authn.AccessFrom(ctx)
	row, err := store.GetClock(ctx, s.db.Read(), strings.TrimSuffix(name, "/clock"))
	if err != nil {
		return nil, err
	}
	if !covers(access, row.Hall, row.Department, row.ApplicantKey) {
		return nil, fault.NotFound.New()
	}
	w := s.engine.watch(row)
	return w, w.load()
}

// GetCaseClock reads the clocks of one case as they stand now.
func (s *Service) GetCaseClock(ctx context.Context, req *supervisionv1.GetCaseClockRequest) (*supervisionv1.CaseClock, error) {
	w, err := s.find(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	levels, err := store.StandingLevels(ctx, s.db.Read(), []string{w.row.Case})
	if err != nil {
		return nil, err
	}
	return w.clock(s.rt.Clock.Now(), levels[w.row.Case]), nil
}

// clock reckons the message for a moment.
func (w *watched) clock(now time.Time, level rules.Level) *supervisionv1.CaseClock {
	r := workday.Reckon(w.policy.Calendar, w.policy.Input(w.facts), now)
	c := &supervisionv1.CaseClock{
		Name: w.row.Case + "/clock", Case: w.row.Case, Department: w.row.Department, ItemTitle: w.kept.GetItemTitle(),
		RunState: string(r.State), AsOf: timestamppb.New(now), DaysUsed: int32(r.Used),
		PromisedDaysLeft: int32(r.PromisedLeft), StatutoryDaysLeft: int32(r.StatutoryLeft),
		Provisional: r.Provisional, CalendarVersion: w.policy.Calendar.Version(), Level: supervisionv1.CardLevel(level),
	}
	if due, ok := w.policy.AcceptanceDue(w.facts); ok || r.State != workday.Waiting {
		c.AcceptanceDueDate = due.String()
	}
	if r.State == workday.Waiting && !w.facts.Ended.IsZero() {
		c.RunState = string(workday.Stopped) // it left the flow before acceptance
	}
	if r.DueKnown {
		c.PromisedDueDate, c.StatutoryDueDate = r.PromisedDue.String(), r.StatutoryDue.String()
	}
	return c
}

// ListCaseClocks lists the open clocks of a hall, the nearest due date first.
func (s *Service) ListCaseClocks(ctx context.Context, req *supervisionv1.ListCaseClocksRequest) (*supervisionv1.ListCaseClocksResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	department, err := ownDepartment(access, req.GetParent(), req.GetDepartment())
	if err != nil {
		return nil, err
	}
	if department != "" && hallOf(department) != req.GetParent() {
		return &supervisionv1.ListCaseClocksResponse{}, nil // no department of this hall
	}
	question := page.FilterHash("clocks", req.GetParent(), department)
	afterDue, afterCase, err := s.clockPage(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	rows, err := store.ListClocks(ctx, s.db.Read(), req.GetParent(), department, afterDue, afterCase, size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListCaseClocksResponse{}
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(last.Due, 10), last.Case)
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Case
	}
	levels, err := store.StandingLevels(ctx, s.db.Read(), names)
	if err != nil {
		return nil, err
	}
	now := s.rt.Clock.Now()
	for _, row := range rows {
		w := s.engine.watch(row)
		if err := w.load(); err != nil {
			return nil, err
		}
		res.CaseClocks = append(res.CaseClocks, w.clock(now, levels[row.Case]))
	}
	return res, nil
}

func (s *Service) clockPage(token, principal, question string) (due int64, name string, err error) {
	key, err := s.pages.Decode(token, principal, question)
	if err != nil || len(key) == 0 {
		return -1, "", err
	}
	if len(key) == 2 {
		if due, err = strconv.ParseInt(key[0], 10, 64); err == nil {
			return due, key[1], nil
		}
	}
	return 0, "", fault.BadPageToken.New(fault.Field("page_token"))
}

// ExplainDue tells day by day how the due dates come about.
func (s *Service) ExplainDue(ctx context.Context, req *supervisionv1.ExplainDueRequest) (*supervisionv1.ExplainDueResponse, error) {
	w, err := s.find(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	english := fault.Lang(ctx) == fault.English
	now := s.rt.Clock.Now()
	in := w.policy.Input(w.facts)
	x := w.book.Explain(w.policy.Hall, in, now, english)
	res := &supervisionv1.ExplainDueResponse{
		CalendarVersion: w.policy.Calendar.Version(), Provisional: x.GetProvisional(), Basis: x.GetBasis(), StartReason: x.GetStartReason(),
		StartDate: x.GetStartDate(), PromisedDueDate: x.GetPromisedDueDate(), StatutoryDueDate: x.GetStatutoryDueDate(), Explanation: x,
	}
	for _, d := range workday.Explain(w.policy.Calendar, in, now) {
		day := &supervisionv1.ExplainedDay{Date: d.Date.String(), Counted: d.Counted, Number: int32(d.Number), Reason: d.Zh}
		if english {
			day.Reason = d.En
		}
		res.Days = append(res.Days, day)
	}
	return res, nil
}
