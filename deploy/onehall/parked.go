package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/rpc"
)

// parkedVerbs are what can be done with parked events, and the arguments each takes.
var parkedVerbs = map[string][]string{
	"list":    {"role"},
	"release": {"role", "source", "subject"},
	"skip":    {"role", "source", "subject", "position", "reason"},
}

// parked lists, releases or gives up the events that a role could not apply. It finds
// the role and speaks as `verify` does: with the deployment's own account.
func parked(ctx context.Context, out io.Writer, args []string) (err error) {
	s := newFlags("parked", out)
	c := stand.DefaultConfig()
	c.Log.Level = "error"
	if err := s.load(args, &c); err != nil {
		return err
	}
	verb, words, err := parkedWords(s.flags.Args())
	if err != nil {
		return err
	}
	rt, err := join(ctx, &c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	conn, err := rt.Dialer.Dial(words[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return parkedDo(rpc.WithToken(ctx, rt.Service), out, feedv1.NewFeedServiceClient(conn), verb, words[1:])
}

// parkedWords takes the arguments apart.
func parkedWords(args []string) (verb string, words []string, err error) {
	if len(args) == 0 {
		return "", nil, errors.New("missing verb: list, release or skip")
	}
	names, ok := parkedVerbs[args[0]]
	if !ok {
		return "", nil, fmt.Errorf("%q is no verb; list, release and skip are", args[0])
	}
	if len(args)-1 != len(names) {
		return "", nil, fmt.Errorf("usage: onehall parked %s <%s>", args[0], strings.Join(names, "> <"))
	}
	if role := args[1]; role == stand.Gateway || !slices.Contains(stand.Roles(), role) {
		return "", nil, fmt.Errorf("%q is no role that follows others", role)
	}
	return args[0], args[1:], nil
}

// parkedDo makes the call; words are the arguments behind the role.
func parkedDo(ctx context.Context, out io.Writer, client feedv1.FeedServiceClient, verb string, words []string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	switch verb {
	case "release":
		return parkedRelease(ctx, out, client, words[0], words[1])
	case "skip":
		position, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			return fmt.Errorf("position: %w", err)
		}
		res, err := client.SkipParkedEvents(ctx, &feedv1.SkipParkedEventsRequest{
			Source: words[0], Subject: words[1], Position: position, Reason: words[3], RequestId: uuid.NewString(),
		})
		if err != nil {
			return err
		}
		if res.GetSkipped() == 0 {
			return errors.New("nothing of that subject waited up to that position")
		}
		_, err = fmt.Fprintf(out, "%d given up; release the subject to apply what is behind\n", res.GetSkipped())
		return err
	}
	return parkedList(ctx, out, client)
}

func parkedRelease(ctx context.Context, out io.Writer, client feedv1.FeedServiceClient, source, subject string) error {
	res, err := client.ReleaseParkedEvents(ctx, &feedv1.ReleaseParkedEventsRequest{
		Source: source, Subject: subject, RequestId: uuid.NewString(),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d applied\n", res.GetReleased())
	if at := res.GetStoppedAt(); at != nil {
		return fmt.Errorf("position %d still fails: %s", at.GetPosition(), at.GetReason())
	}
	return nil
}

func parkedList(ctx context.Context, out io.Writer, client feedv1.FeedServiceClient) error {
	req, n := &feedv1.ListParkedEventsRequest{PageSize: 500}, 0
	for {
		res, err := client.ListParkedEvents(ctx, req)
		if err != nil {
			return err
		}
		for _, e := range res.GetParkedEvents() {
			n++
			fmt.Fprintf(out, "%s %s position %d, %s (%d), tried %d times, %s: %s\n", e.GetSource(), e.GetSubject(), e.GetPosition(),
				e.GetType(), e.GetSequence(), e.GetAttempts(), e.GetParkedAt().AsTime().Format(time.RFC3339), e.GetReason())
		}
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			_, err := fmt.Fprintln(out, n, "waiting")
			return err
		}
	}
}
