package rpc

import (
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
)

// rates bounds the calls of each principal. Callers who did not sign in share
// the gateway's address and are bounded there, by theirs.
type rates struct {
	perSecond rate.Limit
	burst     int

	mu    sync.Mutex
	known *lru.Cache[string, *rate.Limiter]
}

const maxPrincipals = 20_000

func newRates(l Limits) (*rates, error) {
	known, err := lru.New[string, *rate.Limiter](maxPrincipals)
	if err != nil {
		return nil, fmt.Errorf("rpc: rates: %w", err)
	}
	return &rates{perSecond: rate.Limit(l.RatePerSecond), burst: max(l.RateBurst, 1), known: known}, nil
}

func (r *rates) allow(p *authn.Principal) error {
	// A service that follows a feed bounds itself.
	if r.perSecond < 0 || p == nil || p.Has(optionsv1.Role_ROLE_SERVICE) {
		return nil
	}
	r.mu.Lock()
	l, ok := r.known.Get(p.Subject)
	if !ok {
		l = rate.NewLimiter(r.perSecond, r.burst)
		r.known.Add(p.Subject, l)
	}
	r.mu.Unlock()
	if l.Allow() {
		return nil
	}
	return fault.TooManyRequests.New(fault.RetryAfter(time.Second))
}
