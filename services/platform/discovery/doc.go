// Package discovery is how OneHall processes find each other through etcd.
//
// An instance writes one key under a lease; a client reads the keys of a role
// and hands the addresses to gRPC. The rules that make this package worth
// having, instead of etcd's own resolver, are three: losing etcd must not lose
// known peers, an empty answer is never believed, and every way in which a
// watch can end leads back to a fresh listing.
package discovery

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// Scheme is the scheme of gRPC targets that this package resolves, as in
// onehall:///casework.
const Scheme = "onehall"

// Every call to etcd carries a deadline of this length, so that no goroutine
// and no caller can be held by an etcd that does not answer.
const callTimeout = 3 * time.Second

// Instance is what a registered process says about itself.
type Instance struct {
	// Addr is the host:port on which the instance serves gRPC.
	Addr string `json:"addr"`
	// Version is the version of the program, for operators.
	Version string `json:"version"`
	// Started is when the process began to serve.
	Started time.Time `json:"started"`
}

// Target is the gRPC target of a role.
func Target(role string) string { return Scheme + ":///" + role }

// prefix is the key space of one role; the trailing slash keeps "case" from
// seeing the instances of "casework".
func prefix(cluster, role string) string {
	return "/" + cluster + "/services/" + role + "/"
}

// parseInstance refuses values that cannot be an address, so that one
// malformed key cannot push garbage into every client.
func parseInstance(value []byte) (Instance, error) {
	var in Instance
	if err := json.Unmarshal(value, &in); err != nil {
		return in, fmt.Errorf("decode instance: %w", err)
	}
	host, port, err := net.SplitHostPort(in.Addr)
	if err != nil {
		return in, fmt.Errorf("instance address: %w", err)
	}
	if host == "" || port == "" || strings.ContainsAny(in.Addr, " /") {
		return in, fmt.Errorf("instance address %q is not host:port", in.Addr)
	}
	return in, nil
}

// backoff grows from 100 ms to 3 s. Every step is jittered over its upper half
// so that a thousand clients cut by the same fault do not come back together.
type backoff struct{ next time.Duration }

const (
	backoffFirst = 100 * time.Millisecond
	backoffMax   = 3 * time.Second
)

func (b *backoff) reset() { b.next = 0 }

func (b *backoff) step() time.Duration {
	if b.next == 0 {
		b.next = backoffFirst
	}
	d := b.next
	b.next = min(2*b.next, backoffMax)
	return d/2 + rand.N(d/2)
}

// logger keeps a nil logger from being a crash.
func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
