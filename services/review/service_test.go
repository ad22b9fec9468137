package review_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot/boottest"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/db/dbtest"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/review"
)

const (
	hall       = "halls/441300"
	department = hall + "/departments/d1"
	item       = hall + "/items/11441300007482575H3440118009000"
	caseA      = hall + "/cases/441300261102000000018"
	caseB      = hall + "/cases/441300261102000000026"
)

// source is a feed of cases with nothing else of casework: the service under test
// knows its neighbour by the feed alone.
type source struct {
	db   *db.DB
	feed *feed.Server
}

func (s *source) Register(r grpc.ServiceRegistrar) { feedv1.RegisterFeedServiceServer(r, s.feed) }
func (s *source) Run(ctx context.Context) error    { return s.feed.Run(ctx) }
func (s *source) Close() error                     { return nil }

func (s *source) tell(t *testing.T, seq int64, c *caseworkv1.Case) {
	t.Helper()
	if err := s.db.Write(t.Context(), c.GetName(), func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{Subject: c.GetName(), Sequence: seq, Type: "case.changed", Resource: c, Actor: "test"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

type house struct {
	*boottest.House
	t      *testing.T
	source *source
	client reviewv1.ReviewServiceClient
	svc    *review.Service
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	dbtest.EachConfig(t, func(t *testing.T, cfg db.Config) {
		clk := clock.System()
		users := []authn.User{
			{Login: "zhang", Roles: []string{"applicant"}, IDType: authn.IDTypeResident, IDNumber: "11010519491231002X"},
			{Login: "li", Roles: []string{"applicant"}, IDType: authn.IDTypeResident, IDNumber: "440524188001010014"},
			{Login: "officer", Roles: []string{"officer"}, Hall: "441300", Department: "d1"},
			{Login: "stranger", Roles: []string{"officer"}, Hall: "441300", Department: "d2"},
			{Login: "both", Roles: []string{"applicant", "officer"}, Hall: "441300", Department: "d1", IDType: authn.IDTypeResident, IDNumber: "110105194912310038"},
		}
		h := &house{House: boottest.New(t, clk, users...), t: t}
		var none fs.FS
		d, err := db.Open(t.Context(), dbtest.SQLiteConfig(t), feed.WithMigrations(none), clk)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		h.source = &source{db: d, feed: feed.NewServer(d, clk)}
		h.Serve("casework", h.source)
		h.svc, err = review.New(t.Context(), review.Config{DB: cfg, PageSecret: "the pages of the tests"}, h.Runtime)
		if err != nil {
			t.Fatal(err)
		}
		h.Serve("review", h.svc)
		h.client = reviewv1.NewReviewServiceClient(h.Dial("review"))
		test(t, h)
	})
}

func key(number string) string {
	return authn.IdentityKey([]byte(boottest.IdentitySecret), authn.IDTypeResident, number)
}

func caseOf(name string, change func(*caseworkv1.Case)) *caseworkv1.Case {
	c := &caseworkv1.Case{
		Name: name, Item: item, ItemTitle: "居住证办理", Department: department, State: caseworkv1.CaseState_CASE_STATE_SUBMITTED,
		ApplicantKey: key("11010519491231002X"), SubmitTime: timestamppb.Now(), Handlers: []string{"user/head"},
	}
	if change != nil {
		change(c)
	}
	return c
}

// arrived waits until the service knows the case.
func (h *house) arrived(name string, moment reviewv1.ReviewMoment) {
	h.t.Helper()
	h.arrivedFor("zhang", name, moment)
}

// arrivedFor is arrived for the case of another applicant.
func (h *house) arrivedFor(user, name string, moment reviewv1.ReviewMoment) {
	h.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		resp, err := h.client.ListReviewables(h.As(user), &reviewv1.ListReviewablesRequest{})
		if err == nil {
			for _, r := range resp.GetReviewables() {
				if r.GetCase() == name && r.GetMoment() == moment {
					return
				}
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.t.Fatalf("%s did not arrive", name)
}

func (h *house) create(user string, r *reviewv1.Review) (*reviewv1.Review, error) {
	return h.client.CreateReview(h.As(user), &reviewv1.CreateReviewRequest{Parent: hall, Review: r, RequestId: uuid.NewString()})
}

func is(err error, want *fault.Reason) bool {
	return errors.Is(fault.FromStatus(status.Convert(err)), want)
}

func TestReviewOncePerMomentByTheApplicant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.source.tell(t, 1, caseOf(caseA, nil))
		h.arrived(caseA, reviewv1.ReviewMoment_REVIEW_MOMENT_SUBMITTED)
		good := &reviewv1.Review{Case: caseA, Moment: 1, Stars: 5, Tags: []string{"510"}, Text: "很方便"}
		for _, c := range []struct {
			what, user string
			review     *reviewv1.Review
			want       *fault.Reason
		}{
			{"not due", "zhang", &reviewv1.Review{Case: caseA, Moment: 3, Stars: 5}, fault.ReviewNotDue},
			{"somebody else", "li", good, fault.NotFound},
			{"unknown case", "zhang", &reviewv1.Review{Case: caseB, Moment: 1, Stars: 5}, fault.NotFound},
			{"no case", "zhang", &reviewv1.Review{Moment: 1, Stars: 5}, fault.FieldRequired},
			{"foreign tag", "zhang", &reviewv1.Review{Case: caseA, Moment: 1, Stars: 4, Tags: []string{"510"}}, fault.ReviewTagInvalid},
			{"six stars", "zhang", &reviewv1.Review{Case: caseA, Moment: 1, Stars: 6}, fault.InvalidArgument},
			{"no stars", "zhang", &reviewv1.Review{Case: caseA, Moment: 1}, fault.InvalidArgument},
			{"an official", "officer", good, fault.PermissionDenied},
		} {
			if _, err := h.create(c.user, c.review); !is(err, c.want) {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		first, err := h.create("zhang", good)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.create("zhang", good); !is(err, fault.ReviewExists) {
			t.Errorf("second review: %v", err)
		}
		seen, err := h.client.GetReview(t.Context(), &reviewv1.GetReviewRequest{Name: first.GetName()})
		if err != nil || seen.GetCase() != "" {
			t.Errorf("the public learns of case %q, %v", seen.GetCase(), err)
		}
		own, err := h.client.GetReview(h.As("zhang"), &reviewv1.GetReviewRequest{Name: first.GetName()})
		if err != nil || own.GetCase() != caseA {
			t.Errorf("the author sees case %q, %v", own.GetCase(), err)
		}
	})
}

func TestStaffDoNotReviewTheirOwnWork(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.source.tell(t, 1, caseOf(caseA, nil))
		h.source.tell(t, 1, caseOf(caseB, func(c *caseworkv1.Case) { c.ApplicantKey = key("110105194912310038") }))
		h.arrivedFor("both", caseB, 1)
		if _, err := h.create("both", &reviewv1.Review{Case: caseB, Moment: 1, Stars: 5}); !is(err, fault.ReviewNotApplicant) {
			t.Errorf("staff of the body: %v", err)
		}
	})
}

// The same request id a hundred times at once is one review and one answer.
func TestRepeatedRequestIsOneReview(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.source.tell(t, 1, caseOf(caseA, nil))
		h.arrived(caseA, 1)
		req := &reviewv1.CreateReviewRequest{Parent: hall, RequestId: uuid.NewString(), Review: &reviewv1.Review{Case: caseA, Moment: 1, Stars: 4}}
		answers := make([]*reviewv1.Review, 100)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = h.client.CreateReview(h.As("zhang"), req); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, a := range answers[1:] {
			if d := cmp.Diff(answers[0], a, protocmp.Transform()); d != "" {
				t.Fatalf("answers differ: %s", d)
			}
		}
		sum, err := h.client.GetReviewSummary(t.Context(), &reviewv1.GetReviewSummaryRequest{Parent: hall})
		if err != nil || sum.GetSampleSize() != 1 {
			t.Errorf("%d reviews, %v", sum.GetSampleSize(), err)
		}
		req.Review.Stars = 1
		if _, err := h.client.CreateReview(h.As("zhang"), req); !is(err, fault.RequestIDReused) {
			t.Errorf("other content: %v", err)
		}
	})
}

func TestReplyAndSummary(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var last *reviewv1.Review
		for i := range 5 {
			name := fmt.Sprintf("%s/cases/44130026110200000%04d", hall, i)
			h.source.tell(t, 1, caseOf(name, func(c *caseworkv1.Case) {
				c.AcceptTime, c.Finish = timestamppb.Now(), &caseworkv1.Finish{FinishTime: timestamppb.Now()}
			}))
			h.arrived(name, 3)
			var err error
			if last, err = h.create("zhang", &reviewv1.Review{Case: name, Moment: 3, Stars: int32(i + 1)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, req := range []*reviewv1.GetReviewSummaryRequest{{Parent: hall}, {Parent: hall, Item: item}, {Parent: hall, Department: department}} {
			sum, err := h.client.GetReviewSummary(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if sum.GetSampleSize() != 5 || sum.GetAverageStars() != 3 || sum.GetAveragePoints() != 5.4 || sum.GetSatisfaction() != 60 {
				t.Errorf("summary %v", sum)
			}
		}
		reply := &reviewv1.ReplyReviewRequest{Name: last.GetName(), Etag: last.GetEtag(), Reply: "谢谢您的评价", RequestId: uuid.NewString()}
		if _, err := h.client.ReplyReview(h.As("stranger"), reply); !is(err, fault.NotFound) {
			t.Errorf("another department's answer: %v", err)
		}
		answered, err := h.client.ReplyReview(h.As("officer"), reply)
		if err != nil || answered.GetReply() != "谢谢您的评价" || answered.GetStars() != 5 {
			t.Fatalf("reply: %v, %v", answered, err)
		}
		again := &reviewv1.ReplyReviewRequest{Name: last.GetName(), Etag: last.GetEtag(), Reply: "再次感谢您", RequestId: uuid.NewString()}
		if _, err := h.client.ReplyReview(h.As("officer"), again); !is(err, fault.ETagStale) {
			t.Errorf("stale etag: %v", err)
		}
		pages(t, h)
	})
}

// pages walks the list two by two.
func pages(t *testing.T, h *house) {
	t.Helper()
	var stars []int32
	req := &reviewv1.ListReviewsRequest{Parent: hall, PageSize: 2}
	for {
		resp, err := h.client.ListReviews(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range resp.GetReviews() {
			stars = append(stars, r.GetStars())
		}
		if resp.GetNextPageToken() == "" {
			break
		}
		if len(stars) == 2 {
			other := &reviewv1.ListReviewsRequest{Parent: hall, Item: item, PageToken: resp.GetNextPageToken()}
			if _, err := h.client.ListReviews(t.Context(), other); !is(err, fault.BadPageToken) {
				t.Errorf("token of another list: %v", err)
			}
		}
		req.PageToken = resp.GetNextPageToken()
	}
	if d := cmp.Diff([]int32{5, 4, 3, 2, 1}, stars); d != "" {
		t.Error(d)
	}
}
