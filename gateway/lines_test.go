package gateway

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// What a thousand readers are sent is made JSON once, and what differs on the wire is never
// taken for another.
func TestLinesAreMadeOnce(t *testing.T) {
	var encoded atomic.Int64
	l := newLines(func(dst []byte, m proto.Message) ([]byte, error) {
		encoded.Add(1)
		return protojsonEncoder(dst, m)
	})
	kind := (&supervisionv1.WatchWallResponse{}).ProtoReflect().Type()
	var group sync.WaitGroup
	for reader := range 1000 {
		group.Go(func() {
			for i := range 5 {
				token := fmt.Sprintf("%d-7", i)
				one, err := l.of(kind, wired(t, &supervisionv1.WatchWallResponse{ResumeToken: token}))
				want := `{"result":{"resumeToken":"` + token + `"}}` + "\n"
				if err != nil || one.position != token || strings.ReplaceAll(string(one.text), " ", "") != want {
					t.Errorf("reader %d: %q at %q, %v", reader, one.text, one.position, err)
				}
			}
		})
	}
	group.Wait()
	if n := encoded.Load(); n != 5 {
		t.Errorf("five messages were encoded %d times", n)
	}
	// The same bytes are something else in another stream.
	other := (&supervisionv1.WatchCardsResponse{}).ProtoReflect().Type()
	data := wired(t, &supervisionv1.WatchCardsResponse{Card: &supervisionv1.Card{}})
	for _, k := range []protoreflect.MessageType{kind, other} {
		one, err := l.of(k, data)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(one.text), `"card"`); got != (k == other) {
			t.Errorf("as %s: %s", k.Descriptor().Name(), one.text)
		}
	}
	if _, err := l.of(kind, []byte{0xff}); err == nil {
		t.Error("what is no message became a line")
	}
}

// However much is sent, only so much is kept; what is still asked for stays.
func TestLinesKeepSoMuchAndNoMore(t *testing.T) {
	l := newLines(protojsonEncoder)
	kind := (&supervisionv1.WatchWallResponse{}).ProtoReflect().Type()
	asked, err := l.of(kind, wired(t, &supervisionv1.WatchWallResponse{ResumeToken: "1-1"}))
	if err != nil {
		t.Fatal(err)
	}
	const each = 64 << 10
	for i := range 10 * linesKept / each {
		data := wired(t, &supervisionv1.WatchWallResponse{ResumeToken: fmt.Sprintf("%0*d", each, i)})
		if _, err := l.of(kind, data); err != nil {
			t.Fatal(err)
		}
		again, err := l.of(kind, wired(t, &supervisionv1.WatchWallResponse{ResumeToken: "1-1"}))
		if err != nil || again != asked {
			t.Fatalf("what is asked for all the time was made again: %v", err)
		}
	}
	if n := len(l.young) + len(l.old); n > 2*linesKept/each+2 {
		t.Errorf("%d messages are kept", n)
	}
}

func wired(t *testing.T, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Error(err)
	}
	return data
}
