package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/deploy/verify"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/rpc"
)

// errUnequal makes the command fail; what differs has been printed.
var errUnequal = errors.New("the figures do not agree with their sources")

// verifyAll recounts the hub's figures at the source. It finds the services as they
// find each other and reads their feeds with the deployment's own account; a hall that
// `up` runs on the same data directory is found by itself.
func verifyAll(ctx context.Context, out io.Writer, args []string) (err error) {
	s := newFlags("verify", out)
	c := stand.DefaultConfig()
	c.Log.Level = "error"
	if err := s.load(args, &c); err != nil {
		return err
	}
	what, err := oneArgument(s.flags, "thing to verify (recount)")
	if err != nil {
		return err
	}
	if what != "recount" {
		return fmt.Errorf("%q cannot be verified; recount can", what)
	}
	rt, err := join(ctx, &c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	return recount(ctx, out, rt)
}

// join makes the runtime of a command that speaks to a running deployment as its own
// processes do: found by the configuration, or on the same data directory.
func join(ctx context.Context, c *stand.Config) (*boot.Runtime, error) {
	if err := stand.Join(c); err != nil {
		return nil, err
	}
	// The operators' port belongs to the deployment's own processes.
	c.Admin.Listen = ""
	p, err := params(*c, clock.System())
	if err != nil {
		return nil, err
	}
	return boot.NewRuntime(ctx, c.Config, p)
}

// verifyHall recounts a hall of this process.
func verifyHall(ctx context.Context, out io.Writer, h *stand.Hall) error {
	return recount(ctx, out, h.Runtime)
}

// recount compares the hub with its own deployment's feeds.
func recount(ctx context.Context, out io.Writer, rt *boot.Runtime) (err error) {
	conns := map[string]*grpc.ClientConn{}
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				err = errors.Join(err, conn.Close())
			}
		}
	}()
	for _, role := range []string{"casework", "review", "supervision", "hub"} {
		if conns[role], err = rt.Dialer.Dial(role); err != nil {
			return err
		}
	}
	source := verify.Source{
		Name: "local", Now: rt.Clock.Now, Casework: feedv1.NewFeedServiceClient(conns["casework"]),
		Review: feedv1.NewFeedServiceClient(conns["review"]), Supervision: feedv1.NewFeedServiceClient(conns["supervision"]),
	}
	report, err := verify.Recount(rpc.WithToken(ctx, rt.Service), []verify.Source{source}, hubv1.NewHubServiceClient(conns["hub"]))
	if err != nil {
		return err
	}
	if _, err := report.WriteTo(out); err != nil {
		return err
	}
	if !report.OK() {
		return errUnequal
	}
	return nil
}
