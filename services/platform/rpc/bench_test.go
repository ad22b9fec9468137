package rpc_test

import (
	"testing"

	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/onehall/onehall/services/platform/rpc"
)

// BenchmarkCall is one unary call over loopback through everything both sides
// do, with the caller's own work left out.
func BenchmarkCall(b *testing.B) {
	f := newFixture(b, rpc.Limits{RatePerSecond: -1}, nil)
	ctx := as(b.Context(), "officer")
	req := message(thing, map[string]string{"name": "halls/441300/cases/1", "title": "申请"})
	b.RunParallel(func(pb *testing.PB) {
		reply := dynamicpb.NewMessage(thing)
		for pb.Next() {
			if err := f.conn.Invoke(ctx, "/"+testService+"/Get", req, reply); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
