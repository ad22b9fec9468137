package casework

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
)

// queryCodes makes the codes of receipts out of case numbers, so that none is stored.
type queryCodes struct{ secret []byte }

// crockford has no letters that look like digits.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// queryCodeLength is 130 bits.
const queryCodeLength = 26

func (q queryCodes) of(caseNo string) string {
	mac := hmac.New(sha256.New, q.secret)
	mac.Write([]byte("onehall query code|" + caseNo)) // a hash never fails to write
	return crockford.EncodeToString(mac.Sum(nil))[:queryCodeLength]
}

var lookAlikes = strings.NewReplacer("O", "0", "I", "1", "L", "1", "-", "", " ", "")

// fits reports whether the code as typed belongs to the number, in a time that does not
// depend on how much of it is right.
func (q queryCodes) fits(caseNo, typed string) bool {
	typed = lookAlikes.Replace(strings.ToUpper(typed))
	return subtle.ConstantTimeCompare([]byte(typed), []byte(q.of(caseNo))) == 1
}

// knownAsking is how many numbers and callers are remembered.
const knownAsking = 20_000

// queryLimits bounds how often progress is asked for.
type queryLimits struct {
	mu                 sync.Mutex
	perCase, perCaller int
	known              *lru.Cache[string, *rate.Limiter]
}

func newQueryLimits(c QueryConfig) (*queryLimits, error) {
	known, err := lru.New[string, *rate.Limiter](2 * knownAsking)
	if err != nil {
		return nil, fmt.Errorf("casework: query limits: %w", err)
	}
	return &queryLimits{perCase: c.PerCase, perCaller: c.PerCaller, known: known}, nil
}

func (l *queryLimits) allow(key string, perMinute int) error {
	l.mu.Lock()
	limiter, ok := l.known.Get(key)
	if !ok {
		limiter = rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), perMinute)
		l.known.Add(key, limiter)
	}
	l.mu.Unlock()
	if limiter.Allow() {
		return nil
	}
	return fault.TooManyRequests.New(fault.RetryAfter(time.Minute / time.Duration(perMinute)))
}

// asking tells callers apart: by who signed in, else by where the call comes from. All
// visitors of a gateway come from the same place, and are told apart there; the bound
// here is then many times wider.
func asking(ctx context.Context) (key string, factor int) {
	if p, ok := authn.From(ctx); ok {
		return "caller|" + p.Subject, 1
	}
	host := ""
	if p, ok := peer.FromContext(ctx); ok {
		host, _, _ = net.SplitHostPort(p.Addr.String())
	}
	return "peer|" + host, 1000
}

// QueryProgress shows the progress to whoever holds the number and its code. Unknown
// numbers and wrong codes take the same way through here.
func (s *Service) QueryProgress(ctx context.Context, req *caseworkv1.QueryProgressRequest) (*caseworkv1.Progress, error) {
	no := strings.NewReplacer(" ", "", "-", "").Replace(req.GetCaseNo())
	who, factor := asking(ctx)
	if err := s.queries.allow(who, s.queries.perCaller*factor); err != nil {
		return nil, err
	}
	if err := s.queries.allow("case|"+no, s.queries.perCase); err != nil {
		return nil, err
	}
	fits := s.codes.fits(no, req.GetQueryCode())
	row, found, err := store.Get(ctx, s.db.Read(), no)
	if err != nil {
		return nil, err
	}
	if !fits || !found {
		return nil, fault.NotFound.New()
	}
	c := &caseworkv1.Case{}
	if err := proto.Unmarshal(row.Data, c); err != nil {
		return nil, fmt.Errorf("casework: stored case %s: %w", row.CaseNo, err)
	}
	if c.GetState() == caseworkv1.CaseState_CASE_STATE_DRAFT {
		return nil, fault.NotFound.New()
	}
	progress := &caseworkv1.Progress{
		CaseNo: no, ItemTitle: c.GetItemTitle(), State: c.GetState(), StateTitle: stateTitles[c.GetState()], NextStep: nextStep(c),
		ApplicantName: maskedApplicant(c.GetApplicant()).GetDisplayName(), SubmitTime: c.GetSubmitTime(),
		PromisedDueDate: c.GetPromisedDueDate(), UpdateTime: c.GetUpdateTime(),
		DueExplanation: s.explain(c, row.Happened, fault.Lang(ctx) == fault.English), DueChange: c.GetDueChange(),
	}
	return progress, nil
}
