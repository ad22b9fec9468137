package casework

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// GetCase reads one case. Those who handle it, and the applicant, also see the form: it
// is what they work on.
func (s *Service) GetCase(ctx context.Context, req *caseworkv1.GetCaseRequest) (*caseworkv1.Case, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	_, c, _, err := s.load(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	m := masked(c)
	if a.Scope != optionsv1.Scope_SCOPE_ALL {
		m.Form = c.GetForm()
	}
	return m, nil
}

// ListCases lists cases, newest number first.
func (s *Service) ListCases(ctx context.Context, req *caseworkv1.ListCasesRequest) (*caseworkv1.ListCasesResponse, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	department, err := departmentOf(a, req.GetParent(), req.GetDepartment())
	if err != nil {
		return nil, err
	}
	hash := page.FilterHash("ListCases", req.GetParent(), req.GetState().String(), department)
	key, err := s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return nil, err
	}
	f := store.Filter{
		Hall: hallOf(req.GetParent()), Department: departmentKey(department), State: rules.State(req.GetState()), Drafts: atWindow(a), Size: size + 1,
	}
	if a.Scope == optionsv1.Scope_SCOPE_OWN {
		if a.IdentityKey == "" {
			return &caseworkv1.ListCasesResponse{}, nil
		}
		f.ApplicantKey = a.IdentityKey
	}
	if len(key) == 1 {
		f.Before = key[0]
	}
	found, err := store.List(ctx, s.db.Read(), f)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListCasesResponse{}
	if len(found) > size {
		found = found[:size]
		res.NextPageToken = s.pages.Encode(a.Subject, hash, found[size-1].CaseNo)
	}
	res.Cases, err = shown(found)
	return res, err
}

// departmentOf is the department that a listing is restricted to: an official's own,
// else the one asked for. Asking for that of others is refused and leaves a line in the
// log, since it is not a mistake of the office's programs.
func departmentOf(a authn.Access, parent, asked string) (string, error) {
	if asked != "" && hallOf(asked) != hallOf(parent) {
		return "", fault.InvalidArgument.New(fault.Field("department"))
	}
	if a.Scope != optionsv1.Scope_SCOPE_DEPARTMENT {
		return asked, nil
	}
	if a.Department == "" {
		return "", fault.PermissionDenied.New()
	}
	own := "halls/" + a.Hall + "/departments/" + a.Department
	if asked != "" && asked != own {
		return "", fault.PermissionDenied.New(fault.Field("department"))
	}
	return own, nil
}

// shown is a page of cases as they leave the service.
func shown(found []store.Entry) ([]*caseworkv1.Case, error) {
	out := make([]*caseworkv1.Case, len(found))
	for i, e := range found {
		c := &caseworkv1.Case{}
		if err := proto.Unmarshal(e.Data, c); err != nil {
			return nil, fmt.Errorf("casework: stored case %s: %w", e.CaseNo, err)
		}
		out[i] = masked(c)
	}
	return out, nil
}

// ListInbox lists the open cases that wait for a step, nearest due date first.
func (s *Service) ListInbox(ctx context.Context, req *caseworkv1.ListInboxRequest) (*caseworkv1.ListInboxResponse, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	department, err := departmentOf(a, req.GetParent(), req.GetDepartment())
	if err != nil {
		return nil, err
	}
	hash := page.FilterHash("ListInbox", req.GetParent(), req.GetStage().String(), department, req.GetAssignee().String())
	key, err := s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return nil, err
	}
	f := store.InboxFilter{
		Hall: hallOf(req.GetParent()), Department: departmentKey(department), Stage: rules.Stage(req.GetStage()),
		Unassigned: req.GetAssignee() == caseworkv1.InboxAssignee_INBOX_ASSIGNEE_UNASSIGNED,
		After:      store.Entry{Due: math.MinInt32}, Size: size + 1,
	}
	mine, byPost := req.GetAssignee() == caseworkv1.InboxAssignee_INBOX_ASSIGNEE_MINE, req.GetAssignee() == caseworkv1.InboxAssignee_INBOX_ASSIGNEE_MY_POSTS
	if mine {
		f.Assignee = a.Subject
		if req.GetDepartment() == "" {
			f.Department = "" // a step in another department's case may be the caller's too
		}
	}
	if byPost && req.GetStage() != 0 {
		return nil, fault.InvalidArgument.New(fault.Field("stage")) // the flow names the stage
	}
	if len(key) == 2 {
		due, err := strconv.ParseInt(key[0], 10, 32)
		if err != nil {
			return nil, fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
		}
		f.After = store.Entry{Due: workday.Date(due), CaseNo: key[1]}
	}
	found, err := s.inbox(ctx, f, byPost, a.Posts)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListInboxResponse{}
	if len(found) > size {
		found = found[:size]
		last := found[size-1]
		res.NextPageToken = s.pages.Encode(a.Subject, hash, strconv.Itoa(int(last.Due)), last.CaseNo)
	}
	if res.Cases, err = shown(found); mine {
		res.Cases = slices.DeleteFunc(res.Cases, func(c *caseworkv1.Case) bool {
			_, ok := reach(a, c)
			return !ok
		})
	}
	return res, err
}

// inbox is the next cases of an inbox: by the stage they wait in, or by the posts that
// take the step of their own flow.
func (s *Service) inbox(ctx context.Context, f store.InboxFilter, byPost bool, posts []string) ([]store.Entry, error) {
	if byPost {
		return store.ByPosts(ctx, s.db.Read(), f, posts)
	}
	return s.waiting(ctx, f)
}

// waiting is the next cases of one stage, or of all of them merged.
func (s *Service) waiting(ctx context.Context, f store.InboxFilter) ([]store.Entry, error) {
	first, last := f.Stage, f.Stage
	if f.Stage == rules.StageNone {
		first, last = rules.StageAcceptance, rules.StageChildren
	}
	var all []store.Entry
	for f.Stage = first; f.Stage <= last; f.Stage++ {
		some, err := store.Inbox(ctx, s.db.Read(), f)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b store.Entry) int {
		if a.Due != b.Due {
			return int(a.Due) - int(b.Due)
		}
		return slices.Compare([]byte(a.CaseNo), []byte(b.CaseNo))
	})
	return all[:min(f.Size, len(all))], nil
}

// ListCaseEvents lists what happened to a case, oldest first.
func (s *Service) ListCaseEvents(ctx context.Context, req *caseworkv1.ListCaseEventsRequest) (*caseworkv1.ListCaseEventsResponse, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	events, next, err := s.happened(ctx, a, "ListCaseEvents", req, req.GetParent())
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListCaseEventsResponse{NextPageToken: next}
	for _, e := range events {
		c, err := caseOf(e)
		if err != nil {
			return nil, err
		}
		res.Events = append(res.Events, &caseworkv1.CaseEvent{
			Sequence: e.GetSequence(), Type: e.GetType(), Title: eventTitles[e.GetType()], State: c.GetState(), Actor: e.GetActor(),
			HappenedAt: e.GetHappenedAt(), EnteredAt: e.GetEnteredAt(), Mandate: c.GetActingMandate(), Channel: c.GetLastChannel(),
		})
	}
	return res, nil
}

// history is a listing of what happened about a case.
type history interface {
	GetParent() string
	GetPageSize() int32
	GetPageToken() string
}

// happened is a page of the events of a subject, oldest first, of a case that the caller may
// see.
func (s *Service) happened(ctx context.Context, a authn.Access, rpc string, req history, subject string) (events []*feedv1.Event, next string, err error) {
	size, err := page.Size(req.GetPageSize(), 100, 500)
	if err != nil {
		return nil, "", err
	}
	if _, _, _, err := s.load(ctx, a, req.GetParent()); err != nil {
		return nil, "", err
	}
	hash := page.FilterHash(rpc, req.GetParent())
	key, err := s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return nil, "", err
	}
	after := int64(0)
	if len(key) == 1 {
		if after, err = strconv.ParseInt(key[0], 10, 64); err != nil {
			return nil, "", fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
		}
	}
	events, err = feed.History(ctx, s.db.Read(), subject, after, size+1)
	if err != nil {
		return nil, "", err
	}
	if len(events) > size {
		events = events[:size]
		next = s.pages.Encode(a.Subject, hash, strconv.FormatInt(events[size-1].GetSequence(), 10))
	}
	return events, next, nil
}
