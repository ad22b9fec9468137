package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/onehall/onehall/services/platform/fault"
)

// knownAddresses is how many addresses' rates are remembered. Whoever is pushed out
// begins anew, which costs at most a burst.
const knownAddresses = 100_000

// limits bound what one address and all together may take.
type limits struct {
	perSecond rate.Limit
	burst     int
	mu        sync.Mutex
	known     *lru.Cache[string, *rate.Limiter]
	requests  chan struct{}
	streams   chan struct{}
}

func newLimits(c Config) (*limits, error) {
	known, err := lru.New[string, *rate.Limiter](knownAddresses)
	if err != nil {
		return nil, fmt.Errorf("gateway: rates: %w", err)
	}
	return &limits{
		perSecond: rate.Limit(c.RatePerSecond), burst: max(1, c.RateBurst), known: known,
		requests: make(chan struct{}, c.MaxInFlight), streams: make(chan struct{}, c.MaxStreams),
	}, nil
}

// allow takes one request off the address's rate.
func (l *limits) allow(addr string) error {
	if l.perSecond <= 0 {
		return nil
	}
	addr = neighbourhood(addr)
	l.mu.Lock()
	limiter, ok := l.known.Get(addr)
	if !ok {
		limiter = rate.NewLimiter(l.perSecond, l.burst)
		l.known.Add(addr, limiter)
	}
	l.mu.Unlock()
	if limiter.Allow() {
		return nil
	}
	return fault.TooManyRequests.New(fault.RetryAfter(time.Second))
}

// take occupies a place, or says at once that there is none: a queue would only make
// everybody late.
func take(places chan struct{}) (free func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, fault.Unavailable.New(fault.RetryAfter(time.Second))
	}
}

// cappedListener closes connections above the bounds as soon as they are accepted.
type cappedListener struct {
	net.Listener
	max, perAddr int
	refused      func()
	mu           sync.Mutex
	open         int
	byAddr       map[netip.Addr]int
}

func capped(lis net.Listener, c Config, refused func()) net.Listener {
	return &cappedListener{Listener: lis, max: c.MaxConns, perAddr: c.MaxConnsPerAddress, refused: refused, byAddr: map[netip.Addr]int{}}
}

// Accept implements net.Listener.
func (l *cappedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var addr netip.Addr
		if ap, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			addr = ap.Addr().Unmap()
		}
		if l.enter(addr) {
			return &cappedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(addr) })}, nil
		}
		l.refused()
		// It was never served; that it cannot be closed either changes nothing.
		_ = conn.Close()
	}
}

func (l *cappedListener) enter(addr netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.max > 0 && l.open >= l.max || l.perAddr > 0 && l.byAddr[addr] >= l.perAddr {
		return false
	}
	l.open++
	l.byAddr[addr]++
	return true
}

func (l *cappedListener) leave(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.byAddr[addr]--; l.byAddr[addr] == 0 {
		delete(l.byAddr, addr)
	}
}

type cappedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *cappedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
