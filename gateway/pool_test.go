package gateway

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Streams never wait for each other: each hundred has a channel of its own, and room
// that was given back is used again before another is opened.
func TestPool(t *testing.T) {
	dialed := 0
	p := &pool{dial: func() (*grpc.ClientConn, error) {
		dialed++
		return grpc.NewClient("passthrough:///nowhere", grpc.WithTransportCredentials(insecure.NewCredentials()))
	}}
	on := map[*grpc.ClientConn]int{}
	var frees []func()
	take := func() {
		t.Helper()
		conn, free, err := p.take()
		if err != nil {
			t.Fatal(err)
		}
		on[conn]++
		frees = append(frees, free)
	}
	for range 250 {
		take()
	}
	if dialed != 3 || len(on) != 3 {
		t.Errorf("%d channels for 250 streams", dialed)
	}
	for _, n := range on {
		if n > streamsPerConn {
			t.Errorf("%d streams on one channel", n)
		}
	}
	for _, free := range frees[:100] {
		free()
	}
	for range 150 {
		take()
	}
	if dialed != 3 {
		t.Errorf("%d channels for 300 streams", dialed)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := p.take(); err == nil {
		t.Error("a closed pool gives channels")
	}
}
