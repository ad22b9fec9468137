package supervision_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

type wallStream = grpc.ServerStreamingClient[supervisionv1.WatchWallResponse]

func (h *house) wall(ctx context.Context, parent, token string) wallStream {
	h.t.Helper()
	s, err := supervisionv1.NewWallServiceClient(h.Dial("supervision")).WatchWall(ctx, &supervisionv1.WatchWallRequest{Parent: parent, ResumeToken: token})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// read reads until a message satisfies, and gives it.
func read(t *testing.T, s wallStream, what string, enough func(m *supervisionv1.WatchWallResponse) bool) *supervisionv1.WatchWallResponse {
	t.Helper()
	for {
		m, err := s.Recv()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if enough(m) {
			return m
		}
	}
}

// The wall shows what there is, then each change once; who comes back with the token
// misses nothing and is told nothing twice. It is the worked example of docs/wall.md.
func TestWall(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		twice := func(c *caseworkv1.Case) { c.Supplements = make([]*caseworkv1.Supplement, 2) }
		h.tell(1, 1, twice)
		h.tell(2, 1, func(c *caseworkv1.Case) { c.Department = d2 })
		h.arrived(caseName(1), caseName(2))
		h.watch("head", 0, 1) // the card has its place in the feed
		ctx, cancel := context.WithTimeout(h.As("supervisor"), 30*time.Second)
		defer cancel()
		s := h.wall(ctx, "halls/-", "")
		first := read(t, s, "the snapshot", func(m *supervisionv1.WatchWallResponse) bool { return true })
		snap := first.GetSnapshot()
		f := snap.GetFigures()
		if f.GetOpen() != 2 || f.GetValid() != 1 || len(f.GetStages()) != 2 || len(snap.GetCases()) != 2 || len(snap.GetCards()) != 1 || first.GetResumeToken() == "" {
			t.Fatalf("the snapshot: %v", first)
		}
		if c := snap.GetCases()[0]; c.GetDueDate() != "2018-10-24" || c.GetDaysLeft() != 7 || c.GetStage() != "accepted" || c.GetItemTitle() != "居住证办理" {
			t.Errorf("a case: %v", c)
		}
		h.tell(3, 1, twice)
		token, seen := first.GetResumeToken(), map[string]int{}
		for len(seen) < 2 {
			m := read(t, s, "a change", func(m *supervisionv1.WatchWallResponse) bool { return len(m.GetCases())+len(m.GetCards()) > 0 })
			note(seen, m)
			token = m.GetResumeToken()
		}
		fresh := read(t, s, "fresh figures", func(m *supervisionv1.WatchWallResponse) bool { return m.GetFigures() != nil })
		if fresh.GetFigures().GetOpen() != 3 || fresh.GetFigures().GetValid() != 2 {
			t.Errorf("fresh figures: %v", fresh)
		}
		cancel()
		// While nobody looks, two cases change; whoever comes back is told just that.
		h.tell(1, 2, func(c *caseworkv1.Case) {
			twice(c)
			c.Decision = &caseworkv1.Decision{Result: 1, DecideTime: c.AcceptTime}
		})
		h.tell(4, 1, twice)
		h.arrived(caseName(4))
		again, stop := context.WithTimeout(h.As("supervisor"), 30*time.Second)
		defer stop()
		s = h.wall(again, "halls/-", token)
		for later := map[string]int{}; len(later) < 3; note(seen, nil) {
			m := read(t, s, "what was missed", func(m *supervisionv1.WatchWallResponse) bool {
				return len(m.GetCases())+len(m.GetCards()) > 0 || m.GetSnapshot() != nil
			})
			if m.GetSnapshot() != nil {
				t.Fatal("whoever comes back in time needs no snapshot")
			}
			note(later, m)
			for name, n := range later {
				if n != 1 || seen[name] > 0 && name != caseName(1) {
					t.Errorf("%s was told %d times", name, n+seen[name])
				}
			}
		}
		h.scopes(t)
	})
}

func note(seen map[string]int, m *supervisionv1.WatchWallResponse) {
	for _, c := range m.GetCases() {
		seen[c.GetCase()]++
	}
	for _, c := range m.GetCards() {
		seen[c.GetName()]++
	}
}

// scopes holds the wall to what each may see.
func (h *house) scopes(t *testing.T) {
	first := func(user, parent, token string) (*supervisionv1.WatchWallResponse, error) {
		one, stop := context.WithTimeout(h.As(user), 20*time.Second)
		defer stop()
		return h.wall(one, parent, token).Recv()
	}
	m, err := first("head2", hall, "")
	if err != nil || m.GetSnapshot().GetFigures().GetOpen() != 1 || len(m.GetSnapshot().GetCards()) != 0 || len(m.GetSnapshot().GetCases()) != 1 {
		t.Errorf("the head of another department sees %v, %v", m, err)
	}
	// A place that this replica does not know begins anew.
	if m, err = first("supervisor", hall, "1-0"); err != nil || m.GetSnapshot() == nil {
		t.Errorf("a place of long ago: %v, %v", m, err)
	}
	for name, tc := range map[string]struct {
		user, parent, token string
		want                *fault.Reason
	}{
		"a head over all halls":  {"head", "halls/-", "", fault.NotFound},
		"a head of another hall": {"foreign", hall, "", fault.NotFound},
		"an applicant":           {"zhang", hall, "", fault.PermissionDenied},
		"a bad token":            {"supervisor", hall, "x", fault.InvalidArgument},
		"a token too large":      {"supervisor", hall, "9999999999999999999-1", fault.InvalidArgument},
	} {
		if _, err := first(tc.user, tc.parent, tc.token); !is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
