package rpc

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/onehall/onehall/services/platform/clock"
)

// tellTime puts the time, and whose clock shows it, beside the answer to a health check.
func (s *Server) tellTime(ctx context.Context) error {
	return grpc.SetHeader(ctx, metadata.Pairs(headerClock, strconv.FormatInt(s.opt.Clock.Now().UnixMicro(), 10)+" "+clock.ThisMachine()))
}

// AskTime asks the process at the other end of a channel for its time.
func AskTime(ctx context.Context, conn grpc.ClientConnInterface) (clock.Answer, error) {
	var header metadata.MD
	if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Header(&header)); err != nil {
		return clock.Answer{}, err
	}
	micros, machine, ok := strings.Cut(strings.Join(header.Get(headerClock), ""), " ")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !ok {
		return clock.Answer{}, errors.New("rpc: no time came with the health check")
	}
	return clock.Answer{Time: time.UnixMicro(n).UTC(), Machine: machine}, nil
}
