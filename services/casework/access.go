package casework

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// caller is who calls, and how far the method reaches for it.
func caller(ctx context.Context) (authn.Access, error) {
	a, ok := authn.AccessFrom(ctx)
	if !ok || a.Principal == nil {
		return a, fault.Unauthenticated.New()
	}
	return a, nil
}

// reach reports whether the caller may see the case, and whether it does so as the
// applicant rather than by its office. A draft is its applicant's alone, or also the
// window's when the window wrote it.
func reach(a authn.Access, c *caseworkv1.Case) (asApplicant, ok bool) {
	owner := mayOwn(a) && a.IdentityKey == c.GetApplicantKey()
	office := a.Scope != optionsv1.Scope_SCOPE_OWN && (a.Covers(hallOf(c.GetName()), lastPart(c.GetDepartment()), "") || guest(a, c))
	if c.GetState() == caseworkv1.CaseState_CASE_STATE_DRAFT {
		office = office && c.GetOnBehalf() && atWindow(a)
	}
	return owner && !office, owner || office
}

// mayOwn reports a caller to whom the method is open as an applicant. A member of the
// staff who also applies for things has both roles, but no office of its own in its own
// cases.
func mayOwn(a authn.Access) bool {
	return a.Has(optionsv1.Role_ROLE_APPLICANT) && a.IdentityKey != "" && a.Covers("", "", a.IdentityKey)
}

// view is how the caller looks at a case.
type view struct {
	// asApplicant tells that it does so as the applicant, or for it, rather than by its
	// office.
	asApplicant bool
	// mandate is the one by which an agent acts, empty for everybody else.
	mandate string
}

// atWindow reports a clerk whose grant reaches the whole hall.
func atWindow(a authn.Access) bool {
	return a.Has(optionsv1.Role_ROLE_WINDOW) && a.Scope == optionsv1.Scope_SCOPE_HALL
}

// hallOf is the division in a resource name: 441300 of halls/441300/cases/….
func hallOf(name string) string {
	rest, ok := strings.CutPrefix(name, "halls/")
	if !ok {
		return ""
	}
	hall, _, _ := strings.Cut(rest, "/")
	return hall
}

// lastPart is the id at the end of a resource name.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// caseName is a case's resource name.
func caseName(hall, caseNo string) string { return "halls/" + hall + "/cases/" + caseNo }

// departmentKey is a department as the store knows it: division/id.
func departmentKey(name string) string {
	if name == "" {
		return ""
	}
	return hallOf(name) + "/" + lastPart(name)
}

// request is what makes a call recognisable when it is repeated.
type request struct {
	key  string
	hash []byte
}

func newRequest(a authn.Access, hall, method string, m interface {
	proto.Message
	GetRequestId() string
}) request {
	return request{feed.RequestKey(hall, a.Subject, method, m.GetRequestId()), feed.RequestHash(m)}
}

// refused is what to answer to a request that was decided against: what it led to when
// it was carried out before, or else the refusal.
func (s *Service) refused(ctx context.Context, r request, refusal error) error {
	if err := feed.Check(ctx, s.db.Read(), r.key, r.hash); err != nil {
		return err
	}
	return refusal
}

// claimed is the time a caller says it happened, zero when it says nothing. An
// applicant cannot say: an earlier time would win legal limits.
func claimed(t *timestamppb.Timestamp, asApplicant bool) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	if asApplicant {
		return time.Time{}, fault.PermissionDenied.New(fault.Field("happened_at"))
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, fault.InvalidArgument.New(fault.Field("happened_at"), fault.Cause(err))
	}
	// Stores keep microseconds; finer would seem to be before what was stored.
	at := t.AsTime().Truncate(time.Microsecond)
	if at.IsZero() {
		// The first moment of the year 1 would be taken for nothing said.
		return at, fault.OrderBroken.New(fault.Field("happened_at"))
	}
	return at, nil
}

// addHandler notes that a member of the staff acted on the case.
func addHandler(c *caseworkv1.Case, subject string) {
	if !slices.Contains(c.Handlers, subject) {
		c.Handlers = append(c.Handlers, subject)
	}
}
