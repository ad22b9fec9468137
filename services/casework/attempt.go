package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// attemptsOf is the subject of what was tried on a case and refused. It is not the case
// itself: a refused attempt must not make the etag stale that somebody else holds.
func attemptsOf(name string) string { return name + "/attempts" }

// offence reports a refusal that tells something of the one who tried: one person in two
// roles, a limit extended too far or again, a pause without ground. Mistakes of form and
// steps out of turn do not.
func offence(command rules.Command, refusal error) (*fault.Reason, bool) {
	switch {
	case errors.Is(refusal, fault.SamePersonForbidden):
		return fault.SamePersonForbidden, true
	case errors.Is(refusal, fault.ExtensionLimit):
		return fault.ExtensionLimit, true
	case errors.Is(refusal, fault.ReasonRequired) && (command == rules.StartExcluded || command == rules.Extend):
		return fault.ReasonRequired, true
	}
	return nil, false
}

// attempted puts a telling refusal into the feed, once for each request. What cannot be
// written is reported and keeps nobody from the answer: the refusal stands anyway.
func (s *Service) attempted(ctx context.Context, st step, t *turn, refusal error) {
	why, ok := offence(t.in.Command, refusal)
	if !ok || st.dry {
		return
	}
	name := t.c.GetName()
	r := newRequest(t.access, hallOf(name), "refused "+st.rpc, st.request)
	err := s.db.Write(context.WithoutCancel(ctx), attemptsOf(name), func(ctx context.Context, tx *db.Tx) error {
		last, err := feed.LastSequence(ctx, tx, attemptsOf(name))
		if err != nil {
			return err
		}
		_, err = feed.Append(ctx, tx, feed.Draft{
			Subject: attemptsOf(name), Sequence: last + 1, Type: "case.attempt_refused", Actor: t.access.Subject, ActorDepartment: t.access.Department,
			Resource: &caseworkv1.RefusedAttempt{
				Case: name, Serial: int32(last + 1), Command: t.in.Command.String(), Reason: why.Name, Actor: t.access.Subject, AttemptTime: stamp(t.now),
			},
			HappenedAt: t.now, RequestKey: r.key, RequestHash: r.hash,
		})
		return err
	})
	if _, again := feed.Replayed(err); err != nil && !again && !errors.Is(err, fault.RequestIDReused) {
		s.log.WarnContext(ctx, "a refused attempt was not recorded", slog.String("case", name), slog.Any("error", err))
	}
}

// ListRefusedAttempts lists what was tried on a case and refused.
func (s *Service) ListRefusedAttempts(ctx context.Context, req *caseworkv1.ListRefusedAttemptsRequest) (*caseworkv1.ListRefusedAttemptsResponse, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	events, next, err := s.happened(ctx, a, "ListRefusedAttempts", req, attemptsOf(req.GetParent()))
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListRefusedAttemptsResponse{NextPageToken: next}
	for _, e := range events {
		m := &caseworkv1.RefusedAttempt{}
		if err := proto.Unmarshal(e.GetResource(), m); err != nil {
			return nil, fmt.Errorf("casework: refused attempt of %s: %w", req.GetParent(), err)
		}
		res.RefusedAttempts = append(res.RefusedAttempts, m)
	}
	return res, nil
}
