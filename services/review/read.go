package review

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/review/internal/rules"
	"github.com/onehall/onehall/services/review/internal/store"
)

// GetReview reads one review.
func (s *Service) GetReview(ctx context.Context, req *reviewv1.GetReviewRequest) (*reviewv1.Review, error) {
	row, err := store.Get(ctx, s.db.Read(), req.GetName())
	if err != nil {
		return nil, err
	}
	return shown(ctx, row)
}

// shown is a review as the caller may see it. Which case it is of would tell the
// public who wrote it, so only the department and the author are told.
func shown(ctx context.Context, row store.Review) (*reviewv1.Review, error) {
	r := &reviewv1.Review{}
	if err := proto.Unmarshal(row.Data, r); err != nil {
		return nil, fmt.Errorf("stored review %s: %w", row.Name, err)
	}
	p, signedIn := authn.From(ctx)
	if !signedIn || (departmentOf(p) != row.Department && (p.IdentityKey == "" || p.IdentityKey != row.AuthorKey)) {
		r.Case = ""
	}
	return r, nil
}

// ListReviews lists reviews, newest first.
func (s *Service) ListReviews(ctx context.Context, req *reviewv1.ListReviewsRequest) (*reviewv1.ListReviewsResponse, error) {
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	if err := below(req.GetParent(), req.GetItem(), req.GetDepartment()); err != nil {
		return nil, err
	}
	filter := page.FilterHash("reviews", req.GetParent(), req.GetItem(), req.GetDepartment())
	before, err := s.after(ctx, req.GetPageToken(), filter)
	if err != nil {
		return nil, err
	}
	rows, err := store.List(ctx, s.db.Read(), req.GetParent(), req.GetDepartment(), req.GetItem(), before, size+1)
	if err != nil {
		return nil, err
	}
	resp := &reviewv1.ListReviewsResponse{}
	if len(rows) > size {
		rows = rows[:size]
		resp.NextPageToken = s.pages.Encode(subjectOf(ctx), filter, strconv.FormatInt(rows[size-1].ID, 10))
	}
	for _, row := range rows {
		r, err := shown(ctx, row)
		if err != nil {
			return nil, err
		}
		resp.Reviews = append(resp.Reviews, r)
	}
	return resp, nil
}

func (s *Service) after(ctx context.Context, token, filter string) (int64, error) {
	key, err := s.pages.Decode(token, subjectOf(ctx), filter)
	if err != nil || len(key) == 0 {
		return 0, err
	}
	id, err := strconv.ParseInt(key[0], 10, 64)
	if err != nil {
		return 0, fault.BadPageToken.New(fault.Field("page_token"))
	}
	return id, nil
}

// below refuses an item or a department of another hall.
func below(parent, item, department string) error {
	if item != "" && hallOf(item) != parent {
		return fault.NotFound.New(fault.Field("item"))
	}
	if department != "" && hallOf(department) != parent {
		return fault.NotFound.New(fault.Field("department"))
	}
	return nil
}

func subjectOf(ctx context.Context) string {
	if p, ok := authn.From(ctx); ok {
		return p.Subject
	}
	return ""
}

// GetReviewSummary adds up reviews.
func (s *Service) GetReviewSummary(ctx context.Context, req *reviewv1.GetReviewSummaryRequest) (*reviewv1.ReviewSummary, error) {
	if err := below(req.GetParent(), req.GetItem(), req.GetDepartment()); err != nil {
		return nil, err
	}
	subject := req.GetParent()
	if req.GetDepartment() != "" {
		subject = req.GetDepartment()
	}
	if req.GetItem() != "" {
		subject = req.GetItem()
	}
	sum, err := store.Summary(ctx, s.db.Read(), subject)
	if err != nil {
		return nil, err
	}
	out := &reviewv1.ReviewSummary{Subject: subject, SampleSize: sum.Size(), ByStars: sum.ByStars[:]}
	out.AverageStars = decimal(sum.AverageStars())
	out.AveragePoints = decimal(sum.AveragePoints())
	out.Satisfaction = decimal(sum.Satisfaction())
	return out, nil
}

func decimal(hundredths int64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return proto.Float64(float64(hundredths) / 100)
}

// ListReviewTags lists the national tags.
func (s *Service) ListReviewTags(_ context.Context, req *reviewv1.ListReviewTagsRequest) (*reviewv1.ListReviewTagsResponse, error) {
	resp := &reviewv1.ListReviewTagsResponse{}
	for _, t := range rules.Tags(int(req.GetStars())) {
		resp.ReviewTags = append(resp.ReviewTags, &reviewv1.ReviewTag{Code: t.Code, Stars: int32(t.Stars), Title: t.Title})
	}
	return resp, nil
}

// ListReviewables lists the caller's cases whose latest moment is not reviewed yet.
func (s *Service) ListReviewables(ctx context.Context, req *reviewv1.ListReviewablesRequest) (*reviewv1.ListReviewablesResponse, error) {
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	p, ok := authn.From(ctx)
	if !ok || p.IdentityKey == "" {
		return &reviewv1.ListReviewablesResponse{}, nil
	}
	filter := page.FilterHash("reviewables")
	key, err := s.pages.Decode(req.GetPageToken(), p.Subject, filter)
	if err != nil {
		return nil, err
	}
	before := ""
	if len(key) > 0 {
		before = key[0]
	}
	cases, err := store.ListReviewable(ctx, s.db.Read(), p.IdentityKey, before, size+1)
	if err != nil {
		return nil, err
	}
	resp := &reviewv1.ListReviewablesResponse{}
	if len(cases) > size {
		cases = cases[:size]
		resp.NextPageToken = s.pages.Encode(p.Subject, filter, cases[size-1].Name)
	}
	for _, c := range cases {
		resp.Reviewables = append(resp.Reviewables, &reviewv1.Reviewable{
			Case: c.Name, ItemTitle: c.ItemTitle, Moment: reviewv1.ReviewMoment(latest(c)),
		})
	}
	return resp, nil
}

// latest is the last moment that has come.
func latest(c store.Case) rules.Moment {
	switch {
	case c.Finished:
		return rules.Finished
	case c.Accepted:
		return rules.Accepted
	}
	return rules.Submitted
}
