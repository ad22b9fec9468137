package discovery

import (
	"errors"
	"fmt"
	"net/url"
	"sync"

	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
)

// Addresses are the instances of a role for a client that does not speak gRPC. They come
// from the same resolver, with all that it does when etcd is away.
type Addresses struct {
	resolver resolver.Resolver

	mu    sync.Mutex
	addrs []string
	next  int
}

// Addresses begins to follow a role. It returns at once.
func (b *Builder) Addresses(role string) (*Addresses, error) {
	a := &Addresses{}
	r, err := b.Build(resolver.Target{URL: url.URL{Scheme: Scheme, Path: "/" + role}}, listener{a}, resolver.BuildOptions{})
	if err != nil {
		return nil, err
	}
	a.resolver = r
	return a, nil
}

// Pick is the next instance in turn; false when none is known.
func (a *Addresses) Pick() (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.addrs) == 0 {
		return "", false
	}
	a.next++
	return a.addrs[a.next%len(a.addrs)], true
}

// Len is how many instances are known.
func (a *Addresses) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.addrs)
}

// Failed tells that an instance could not be reached, which brings the next look forward.
func (a *Addresses) Failed() { a.resolver.ResolveNow(resolver.ResolveNowOptions{}) }

// Close stops following.
func (a *Addresses) Close() error {
	a.resolver.Close()
	return nil
}

// listener is what the resolver takes for a gRPC channel.
type listener struct{ a *Addresses }

// UpdateState implements resolver.ClientConn.
func (l listener) UpdateState(s resolver.State) error {
	var addrs []string
	for _, e := range s.Endpoints {
		for _, addr := range e.Addresses {
			addrs = append(addrs, addr.Addr)
		}
	}
	l.a.mu.Lock()
	defer l.a.mu.Unlock()
	l.a.addrs = addrs
	return nil
}

// ReportError implements resolver.ClientConn. What was known stays.
func (listener) ReportError(error) {}

// NewAddress implements resolver.ClientConn for resolvers older than ours.
func (l listener) NewAddress(addrs []resolver.Address) {
	s := resolver.State{}
	for _, a := range addrs {
		s.Endpoints = append(s.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{a}})
	}
	_ = l.UpdateState(s) // it never fails
}

// ParseServiceConfig implements resolver.ClientConn: there is no configuration to read.
func (listener) ParseServiceConfig(string) *serviceconfig.ParseResult {
	return &serviceconfig.ParseResult{Err: fmt.Errorf("discovery: %w", errors.ErrUnsupported)}
}
