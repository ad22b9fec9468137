package feed_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// operator is an administrator's call.
func operator(t *testing.T) context.Context {
	return authn.WithAccess(t.Context(), authn.Access{
		Principal: &authn.Principal{Subject: "admin", Roles: []optionsv1.Role{optionsv1.Role_ROLE_ADMIN}}, Scope: optionsv1.Scope_SCOPE_ALL,
	})
}

var parkedPages = page.Codec{Secret: []byte("the pages of the tests")}

// parkedOf lists all that waits with a follower, in small pages.
func parkedOf(t *testing.T, f *feed.Follower) (all []*feedv1.ParkedEvent) {
	t.Helper()
	p := feed.NewParked(parkedPages, f)
	req := &feedv1.ListParkedEventsRequest{Source: f.Source, PageSize: 7}
	for {
		res, err := p.ListParkedEvents(operator(t), req)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, res.GetParkedEvents()...)
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			return all
		}
	}
}

// releaseParked repairs s3, gives up the bad event of s4 and leaves s5 as it is.
func releaseParked(t *testing.T, d *db.DB, f *feed.Follower, repaired *atomic.Bool) {
	t.Helper()
	ctx, p := operator(t), feed.NewParked(parkedPages, f)
	release := func(subject string, released, stopped int64) {
		t.Helper()
		res, err := p.ReleaseParkedEvents(ctx, &feedv1.ReleaseParkedEventsRequest{Source: "things", Subject: subject})
		if err != nil || res.GetReleased() != released || res.GetStoppedAt().GetSequence() != stopped {
			t.Errorf("release of %s: %v %v, want %d and a stop at %d", subject, res, err, released, stopped)
		}
	}
	skip := func(subject, reason string, upTo, skipped int64, want *fault.Reason) {
		t.Helper()
		res, err := p.SkipParkedEvents(ctx, &feedv1.SkipParkedEventsRequest{Source: "things", Subject: subject, Position: upTo, Reason: reason})
		if (want == nil) != (err == nil) || want != nil && !errors.Is(err, want) || res.GetSkipped() != skipped {
			t.Errorf("skip of %s: %v %v, want %d", subject, res, err, skipped)
		}
	}
	release("s3", 0, 5)
	repaired.Store(true)
	release("s3", 16, 0)
	release("s3", 0, 0) // as when the answer was lost
	bad := parkedOf(t, f)[0]
	skip("s4", " ", bad.GetPosition(), 0, fault.BadText)
	skip("s4", "paper file lost", bad.GetPosition()-1, 0, nil)
	skip("s4", "paper file lost", bad.GetPosition(), 1, nil)
	skip("s4", "paper file lost", bad.GetPosition(), 1, nil) // a repetition gives up no more
	release("s4", 18, 0)
	skip("s9", "x", 1000, 0, nil)
	order, _ := effects(t, d)
	if got := order["s4"]; len(got) != 19 || got[1] != 3 || !slices.IsSorted(got) {
		t.Errorf("s4: %v", got)
	}
	if left, err := feed.CountParked(t.Context(), d.Read()); err != nil || left != 1 {
		t.Errorf("%d left (%v)", left, err)
	}
}

// What an operator may get wrong is refused by name.
func TestParkedRefusals(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteConfig(t), tables, clock.System())
	p := feed.NewParked(parkedPages, follower(d, nil))
	if _, err := p.ReleaseParkedEvents(operator(t), &feedv1.ReleaseParkedEventsRequest{Source: "nowhere", Subject: "s1"}); !errors.Is(err, fault.InvalidArgument) {
		t.Errorf("release from a source that is not followed: %v", err)
	}
	if _, err := p.SkipParkedEvents(operator(t), &feedv1.SkipParkedEventsRequest{Source: "nowhere", Subject: "s1", Position: 1, Reason: "x"}); !errors.Is(err, fault.InvalidArgument) {
		t.Errorf("skip from a source that is not followed: %v", err)
	}
	if _, err := p.ListParkedEvents(operator(t), &feedv1.ListParkedEventsRequest{PageToken: "x"}); !errors.Is(err, fault.BadPageToken) {
		t.Errorf("list from a wrong token: %v", err)
	}
	alone := feed.NewServer(d, d.Clock())
	if res, err := alone.ListParkedEvents(operator(t), &feedv1.ListParkedEventsRequest{}); err != nil || len(res.GetParkedEvents()) != 0 {
		t.Errorf("a service that follows nobody: %v %v", res, err)
	}
}
