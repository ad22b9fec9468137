package house

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait for something that must come.
const patience = 60 * time.Second

// poll is how often a thing that tells nobody of its change is looked at.
const poll = 50 * time.Millisecond

// Eventually waits until the condition holds; what it last said is in the failure.
func Eventually(t testing.TB, what string, holds func(ctx context.Context) (ok bool, said string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	last := "nothing"
	for {
		ok, said := holds(ctx)
		if ok {
			return
		}
		if ctx.Err() == nil {
			last = said // what the end of the wait made of it tells nothing
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v; last: %s", what, patience, last)
		case <-tick.C:
		}
	}
}

// awaitReady waits for a process to say that it is ready, or to have ended.
func (h *House) awaitReady(name string) {
	h.t.Helper()
	ended := h.procs[name].ended()
	Eventually(h.t, name+" ready", func(ctx context.Context) (bool, string) {
		select {
		case <-ended:
			h.t.Fatalf("house: %s ended while it was starting", name)
		default:
		}
		switch name {
		case etcdName:
			return get(ctx, "http://"+h.etcd+"/health")
		case issuerName:
			return get(ctx, h.Issuer+"/.well-known/openid-configuration")
		}
		return get(ctx, "http://"+h.admin[name]+"/readyz")
	})
}

// doors is one public question for each role.
var doors = map[string]string{
	"catalogue": "/v1/halls", "review": "/v1/reviewTags", "supervision": "/v1/rules", "hub": "/v1/metrics",
}

// awaitDoors waits until the gateway reaches every role: it finds them by discovery,
// some moments after each has registered.
func (h *House) awaitDoors() {
	h.t.Helper()
	for role, path := range doors {
		Eventually(h.t, role+" through the gateway", func(ctx context.Context) (bool, string) {
			return get(ctx, h.Gateway+path)
		})
	}
	Eventually(h.t, "casework through the gateway", func(ctx context.Context) (bool, string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.Gateway+"/v1/cases:queryProgress", strings.NewReader(`{"caseNo":"441300000000000000000","queryCode":"x"}`))
		if err != nil {
			return false, err.Error()
		}
		req.Header.Set("Content-Type", "application/json")
		status, said := ask(req)
		return status == http.StatusNotFound || status == http.StatusBadRequest, said
	})
}

func get(ctx context.Context, url string) (bool, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err.Error()
	}
	status, said := ask(req)
	return status == http.StatusOK, said
}

func ask(req *http.Request) (int, string) {
	ctx, cancel := context.WithTimeout(req.Context(), 5*time.Second)
	defer cancel()
	resp, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, resp.Status + " " + string(body)
}

// Listening tells whether anybody answers at an address.
func Listening(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
