package main

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
)

// waiting is a role with two events of one subject that wait; the second still fails.
type waiting struct {
	feedv1.FeedServiceClient
	skipped *feedv1.SkipParkedEventsRequest
}

func (w *waiting) ListParkedEvents(_ context.Context, req *feedv1.ListParkedEventsRequest, _ ...grpc.CallOption) (*feedv1.ListParkedEventsResponse, error) {
	if req.GetPageToken() == "" {
		return &feedv1.ListParkedEventsResponse{NextPageToken: "2", ParkedEvents: []*feedv1.ParkedEvent{{Source: "casework", Subject: "halls/441300/cases/1", Position: 7}}}, nil
	}
	return &feedv1.ListParkedEventsResponse{ParkedEvents: []*feedv1.ParkedEvent{{Source: "casework", Subject: "halls/441300/cases/1", Position: 9}}}, nil
}

func (w *waiting) ReleaseParkedEvents(_ context.Context, req *feedv1.ReleaseParkedEventsRequest, _ ...grpc.CallOption) (*feedv1.ReleaseParkedEventsResponse, error) {
	if req.GetSubject() == "cured" {
		return &feedv1.ReleaseParkedEventsResponse{Released: 2}, nil
	}
	return &feedv1.ReleaseParkedEventsResponse{Released: 1, StoppedAt: &feedv1.ParkedEvent{Position: 9, Reason: "no such item"}}, nil
}

func (w *waiting) SkipParkedEvents(_ context.Context, req *feedv1.SkipParkedEventsRequest, _ ...grpc.CallOption) (*feedv1.SkipParkedEventsResponse, error) {
	w.skipped = req
	return &feedv1.SkipParkedEventsResponse{Skipped: req.GetPosition() / 9}, nil
}

func TestParked(t *testing.T) {
	for _, tc := range []struct{ args, out, err string }{
		{"list supervision", "2 waiting", ""},
		{"release supervision casework cured", "2 applied", ""},
		{"release supervision casework ill", "1 applied", "position 9 still fails: no such item"},
		{"skip supervision casework s 9 lost", "1 given up", ""},
		{"skip supervision casework s 8 lost", "", "nothing of that subject"},
		{"skip supervision casework s nine lost", "", "position"},
		{"skip supervision casework s", "", "usage"},
		{"list gateway", "", "no role"},
		{"drop supervision", "", "no verb"},
		{"", "", "missing verb"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			w, out := &waiting{}, &strings.Builder{}
			verb, words, err := parkedWords(strings.Fields(tc.args))
			if err == nil {
				err = parkedDo(t.Context(), out, w, verb, words[1:])
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if !strings.Contains(out.String(), tc.out) {
				t.Errorf("said %q, want %q", out, tc.out)
			}
			if w.skipped != nil && (w.skipped.GetReason() != "lost" || w.skipped.GetRequestId() == "") {
				t.Errorf("asked to skip %v", w.skipped)
			}
		})
	}
}
