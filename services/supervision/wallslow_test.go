package supervision

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// deaf is a stream whose reader does not read.
type deaf struct {
	grpc.ServerStreamingServer[supervisionv1.WatchWallResponse]
	gone chan struct{}
}

func (d deaf) Send(*supervisionv1.WatchWallResponse) error {
	<-d.gone
	return context.Canceled
}

// A reader that does not read is cut with a reason it can be told apart by, and counted.
func TestSlowReadersOfTheWallAreCut(t *testing.T) {
	d := deaf{gone: make(chan struct{})}
	defer close(d.gone)
	w := newWall(&engine{}, nil, nil, nil, nil)
	out := feed.NewSender(d, 20*time.Millisecond, wallTooSlow)
	defer out.Close()
	v := &viewer{wall: w, out: out}
	err := v.told(v.out.Send(t.Context(), &supervisionv1.WatchWallResponse{}))
	if !errors.Is(err, fault.WallTooSlow) || w.cut != 1 {
		t.Errorf("%v, %d cut", err, w.cut)
	}
}

// However much happens, only so much is kept; who is further back begins anew, and whoever
// is within what is kept is told each change once, from wherever it comes.
func TestWallKeepsSoMuchAndNoMore(t *testing.T) {
	w := newWall(&engine{}, nil, nil, nil, nil)
	const each = 500
	for i := range int64(40) {
		e := &epoch{from: w.head, to: place{cases: (i + 1) * each, cards: i + 1}, messages: map[wallScope]*wallMessage{}}
		for k := range int64(each) {
			e.cases = append(e.cases, &supervisionv1.WallCase{Case: fmt.Sprintf("%s/cases/%d", testHall, i*each+k), Position: i*each + k + 1})
		}
		e.cards = append(e.cards, change{position: i + 1, card: &supervisionv1.Card{Name: fmt.Sprintf("%s/cards/%d", testHall, i)}})
		w.publish(e)
	}
	if w.kept > wallKept || w.kept < wallKept-2*each {
		t.Errorf("%d changes are kept", w.kept)
	}
	if _, _, known := w.after(place{cases: 10}); known {
		t.Error("a place of long ago is known")
	}
	scope := wallScope{hidden: true}
	for _, from := range []place{w.epochs[0].from, {cases: w.head.cases - 750, cards: w.head.cards - 1}, {cases: w.head.cases - 1, cards: w.head.cards - 3}, w.head} {
		cases, cards := int64(0), int64(0)
		for at := from; ; {
			e, _, known := w.after(at)
			if !known {
				t.Fatalf("%v is not known", at)
			}
			if e == nil {
				break
			}
			m := e.message(scope, at).Message
			for _, c := range m.GetCases() {
				if c.GetPosition() <= from.cases {
					t.Errorf("from %v: %d again", from, c.GetPosition())
				}
			}
			cases, cards = cases+int64(len(m.GetCases())), cards+int64(len(m.GetCards()))
			next, _, err := placeOf(m.GetResumeToken())
			if err != nil || !at.behind(next) {
				t.Fatalf("from %v the token is %q, %v", at, m.GetResumeToken(), err)
			}
			at = next
		}
		if cases != w.head.cases-from.cases || cards != w.head.cards-from.cards {
			t.Errorf("from %v: %d cases and %d cards, not %d and %d", from, cases, cards, w.head.cases-from.cases, w.head.cards-from.cards)
		}
	}
	// Watchers in step share one message.
	if e := w.epochs[len(w.epochs)-1]; e.message(scope, e.from) != e.message(scope, e.from) {
		t.Error("each watcher has a message of its own")
	}
}
