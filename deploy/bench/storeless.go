package main

import (
	"context"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/gateway"
	"github.com/onehall/onehall/services/platform/boot"
)

// storeless is a front door whose casework does everything around a submission, from
// the gateway's checks over authentication, permission and validation to the answer,
// and stores nothing. It is the limit of what a store can leave of the front door.
type storeless struct {
	caseworkv1.UnimplementedCaseworkServiceServer
	answer *caseworkv1.Case

	gateway string
	ends    []func() error
}

// openStoreless serves such a casework and a gateway in a cluster of their own, on the
// hall's etcd and issuer.
func openStoreless(ctx context.Context, h *stand.Hall, p boot.Params) (*storeless, error) {
	s := &storeless{answer: exampleCase()}
	cfg := h.Config
	cfg.Cluster = "storeless"
	rt, err := boot.NewRuntime(ctx, cfg.Config, p)
	if err != nil {
		return nil, err
	}
	s.ends = append(s.ends, rt.Close)
	s.run(func(ctx context.Context) error { return boot.Serve(ctx, rt, "casework", "127.0.0.1:0", s) })
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	g, err := gateway.New(ctx, cfg.Gateway, rt)
	if err != nil {
		return nil, errors.Join(err, lis.Close(), s.stop())
	}
	s.ends = append(s.ends, g.Close)
	s.run(func(ctx context.Context) error { return g.Serve(ctx, lis) })
	s.gateway = "http://" + lis.Addr().String()
	if err := rt.Ready.Wait(ctx, "casework", stand.Gateway); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// run runs something until stop.
func (s *storeless) run(fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	s.ends = append(s.ends, func() error { cancel(); return <-done })
}

func (s *storeless) stop() error {
	var errs []error
	for i := len(s.ends) - 1; i >= 0; i-- {
		errs = append(errs, s.ends[i]())
	}
	s.ends = nil
	return errors.Join(errs...)
}

// Register implements boot.Component.
func (s *storeless) Register(r grpc.ServiceRegistrar) {
	caseworkv1.RegisterCaseworkServiceServer(r, s)
}

// Run implements boot.Component: there is nothing to follow.
func (s *storeless) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Close implements boot.Component.
func (s *storeless) Close() error { return nil }

// FileCase answers with the same case every time.
func (s *storeless) FileCase(context.Context, *caseworkv1.FileCaseRequest) (*caseworkv1.Case, error) {
	return s.answer, nil
}

// exampleCase is an answer of the size that a real filing gets.
var exampleCase = sync.OnceValue(func() *caseworkv1.Case {
	item, err := permit()
	if err != nil {
		return &caseworkv1.Case{}
	}
	c := proto.CloneOf(application(item, oneApplicant()))
	c.Form = nil
	now := timestamppb.Now()
	c.Name, c.Etag = "halls/"+city+"/cases/441300260101123456780", "1-0123456789abcdef"
	c.ItemRevision, c.ItemTitle, c.Department = 1, item.Name, "halls/"+city+"/departments/"+item.Department
	c.CaseType, c.State = caseworkv1.CaseType_CASE_TYPE_PROMISED, caseworkv1.CaseState_CASE_STATE_SUBMITTED
	c.PromisedLimit, c.StatutoryLimit, c.LimitUnit = 7, 20, caseworkv1.TimeUnit_TIME_UNIT_WORKING_DAY
	c.AcceptanceDueDate, c.CreateTime, c.SubmitTime, c.UpdateTime = "2026-01-09", now, now, now
	c.ApplicantKey, c.QueryCode = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "0123456789ABCDEFGHJKMNPQRS"
	c.FullFlow, c.FourEyes = true, true
	return c
})
