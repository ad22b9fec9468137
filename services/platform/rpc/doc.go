// Package rpc is the one way in which OneHall serves and calls gRPC. A server
// made here verifies the caller, enforces the permission that stands in the
// proto beside each method, checks every message, bounds every call in time and
// gives every error the same shape; a channel made here balances, retries only
// what may be retried, and carries the caller's own token on.
//
// Handlers may therefore take for granted: the caller is in the context
// (authn.AccessFrom), the message is valid, request ids are real UUIDs, there
// is a deadline, and whatever error they return leaves without its inner text.
package rpc

import "time"

// The figures that both sides must agree on. A client that pings more often
// than a server allows is thrown off with "too many pings".
const (
	keepaliveTime    = 30 * time.Second
	keepaliveTimeout = 10 * time.Second
	keepaliveMinimum = 20 * time.Second

	// A page of a feed is the largest answer, an item list to import the largest
	// request. People's requests are held to less by the gateway.
	maxResponse = 4 << 20
	maxRequest  = 4 << 20

	// minRemaining is the least time with which starting a call makes sense;
	// hopCost is what one hop keeps for itself to be able to answer.
	minRemaining = 20 * time.Millisecond
	hopCost      = 50 * time.Millisecond
)

// Names of metadata.
const (
	headerRequestID     = "x-request-id"
	headerAuthorization = "authorization"
	headerLanguage      = "accept-language"
	// headerClock is the time of whoever answers a health check, and whose clock that is.
	headerClock = "onehall-clock"
)
