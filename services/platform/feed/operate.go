package feed

import (
	"context"
	"errors"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
)

const (
	// defaultParked and maxParked are the sizes of a page of parked events.
	defaultParked = 100
	maxParked     = 1000
	// maxSkipReason is how long the reason of who gives an event up may be.
	maxSkipReason = 500
)

// Parked lets operators see and end what waits with the followers of a service. It is
// part of a Server; a service that follows but has no feed serves it alone.
type Parked struct {
	feedv1.UnimplementedFeedServiceServer
	pages     page.Codec
	followers []*Follower
}

// NewParked serves what waits with followers that share one database.
func NewParked(pages page.Codec, followers ...*Follower) *Parked {
	return &Parked{pages: pages, followers: followers}
}

// Follow names the followers of the service, whose parked events the server then lists,
// releases and skips. It must be called before the server is registered.
func (s *Server) Follow(pages page.Codec, followers ...*Follower) {
	s.pages, s.followers = pages, followers
}

// follower finds the follower of a source.
func (p *Parked) follower(source string) (*Follower, error) {
	for _, f := range p.followers {
		if f.Source == source {
			return f, nil
		}
	}
	return nil, fault.InvalidArgument.New(fault.Field("source"), fault.Cause(errors.New("feed: no such source is followed")))
}

// ListParkedEvents lists what waits, by source and position.
func (p *Parked) ListParkedEvents(ctx context.Context, req *feedv1.ListParkedEventsRequest) (*feedv1.ListParkedEventsResponse, error) {
	size, err := page.Size(req.GetPageSize(), defaultParked, maxParked)
	if err != nil {
		return nil, err
	}
	caller, hash := subjectOf(ctx), page.FilterHash("ListParkedEvents", req.GetSource())
	key, err := p.pages.Decode(req.GetPageToken(), caller, hash)
	if err != nil {
		return nil, err
	}
	from := parkedPlace{}
	if len(key) == 2 {
		position, err := strconv.ParseInt(key[1], 10, 64)
		if err != nil {
			return nil, fault.BadPageToken.New(fault.Field("page_token"), fault.Cause(err))
		}
		from = parkedPlace{key[0], position}
	}
	res := &feedv1.ListParkedEventsResponse{}
	if len(p.followers) == 0 {
		return res, nil // who follows nobody has nothing to set aside
	}
	found, err := listParked(ctx, p.followers[0].DB.Read(), req.GetSource(), from, size+1)
	if err != nil {
		return nil, err
	}
	if len(found) > size {
		found = found[:size]
		last := found[size-1]
		res.NextPageToken = p.pages.Encode(caller, hash, last.Source, strconv.FormatInt(last.Event.GetPosition(), 10))
	}
	for _, e := range found {
		res.ParkedEvents = append(res.ParkedEvents, e.message())
	}
	return res, nil
}

// ReleaseParkedEvents applies a subject's events again until one still fails.
func (p *Parked) ReleaseParkedEvents(ctx context.Context, req *feedv1.ReleaseParkedEventsRequest) (*feedv1.ReleaseParkedEventsResponse, error) {
	f, err := p.follower(req.GetSource())
	if err != nil {
		return nil, err
	}
	freed, failure := f.Release(ctx, req.GetSubject())
	if failure != nil && temporary(ctx, failure) {
		return nil, failure
	}
	res := &feedv1.ReleaseParkedEventsResponse{Released: int64(freed)}
	if failure == nil {
		return res, nil
	}
	first, err := firstWaiting(ctx, f.DB.Read(), f.Source, f.Name, req.GetSubject())
	if err != nil {
		return nil, err
	}
	if first == nil {
		return nil, failure // somebody else ended it meanwhile; what failed is still told
	}
	res.StoppedAt = first.message()
	return res, nil
}

// SkipParkedEvents gives up a subject's events up to a position.
func (p *Parked) SkipParkedEvents(ctx context.Context, req *feedv1.SkipParkedEventsRequest) (*feedv1.SkipParkedEventsResponse, error) {
	f, err := p.follower(req.GetSource())
	if err != nil {
		return nil, err
	}
	reason, err := codes.Text(req.GetReason(), maxSkipReason)
	if err != nil {
		return nil, fault.At("reason", err)
	}
	skipped, err := Skip(ctx, f.DB, f.Source, f.Name, req.GetSubject(), req.GetPosition(), subjectOf(ctx), reason)
	if err != nil {
		return nil, err
	}
	return &feedv1.SkipParkedEventsResponse{Skipped: skipped}, nil
}

// message is the event as operators see it: without the resource, which is for programs.
func (p ParkedEvent) message() *feedv1.ParkedEvent {
	return &feedv1.ParkedEvent{
		Source: p.Source, Position: p.Event.GetPosition(), Subject: p.Event.GetSubject(), Sequence: p.Event.GetSequence(),
		Type: p.Event.GetType(), Reason: p.Reason, Attempts: p.Attempts, ParkedAt: timestamppb.New(p.ParkedAt),
	}
}

func subjectOf(ctx context.Context) string {
	if p, ok := authn.From(ctx); ok {
		return p.Subject
	}
	return ""
}
