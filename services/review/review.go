package review

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/review/internal/rules"
	"github.com/onehall/onehall/services/review/internal/store"
)

// CreateReview writes a review; see the contract for what is refused.
func (s *Service) CreateReview(ctx context.Context, req *reviewv1.CreateReviewRequest) (*reviewv1.Review, error) {
	p, ok := authn.From(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	in := req.GetReview()
	if in.GetCase() == "" {
		return nil, fault.FieldRequired.New(fault.Field("review.case"))
	}
	if hallOf(in.GetCase()) != req.GetParent() {
		return nil, fault.NotFound.New()
	}
	text, err := rules.CheckContent(in.GetStars(), in.GetTags(), in.GetText())
	if err != nil {
		return nil, err
	}
	key := feed.RequestKey(req.GetParent(), p.Subject, "CreateReview", req.GetRequestId())
	hash := feed.RequestHash(req)
	var answer *reviewv1.Review
	err = s.db.Write(ctx, req.GetParent(), func(ctx context.Context, tx *db.Tx) error {
		c, err := store.GetCase(ctx, tx, in.GetCase())
		if err != nil {
			return err
		}
		author := rules.Author{Subject: p.Subject, IdentityKey: p.IdentityKey, Hall: "halls/" + p.Hall, Department: departmentOf(p)}
		if !rules.MaySee(c.Case, author) {
			return fault.NotFound.New()
		}
		// A repeated request must not be told that its review exists.
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		if err := rules.Check(c.Case, author, rules.Moment(in.GetMoment())); err != nil {
			return err
		}
		done, err := store.Reviewed(ctx, tx, c.Name, p.IdentityKey)
		if err != nil {
			return err
		}
		if done[rules.Moment(in.GetMoment())] {
			return fault.ReviewExists.New(fault.Field("review.case"))
		}
		answer, err = insert(ctx, tx, c, in, text, p, key, hash)
		return err
	})
	if e, ok := feed.Replayed(err); ok {
		return stored(e)
	}
	return answer, err
}

// insert writes the review, its counts and its event.
func insert(ctx context.Context, tx *db.Tx, c store.Case, in *reviewv1.Review, text string, p *authn.Principal, key string, hash []byte) (*reviewv1.Review, error) {
	id := tx.NextID()
	name := fmt.Sprintf("%s/reviews/%s", c.Hall, reviewID(id))
	r := &reviewv1.Review{
		Name: name, Case: c.Name, Moment: in.GetMoment(), Stars: in.GetStars(), Tags: in.GetTags(), Text: text,
		Channel: in.GetChannel(), Item: c.Item, ItemTitle: c.ItemTitle, Department: c.Department,
		CreateTime: timestamppb.New(tx.Now()), Etag: feed.Etag(name, 1),
	}
	if r.Channel == reviewv1.ReviewChannel_REVIEW_CHANNEL_UNSPECIFIED {
		r.Channel = reviewv1.ReviewChannel_REVIEW_CHANNEL_PC
	}
	if _, err := feed.Append(ctx, tx, feed.Draft{
		Subject: name, Sequence: 1, Type: "review.created", Resource: r,
		// The author stays unknown to every follower: only that it was an applicant.
		Actor: "applicant", RequestKey: key, RequestHash: hash,
	}); err != nil {
		return nil, err
	}
	return r, store.Insert(ctx, tx, store.Review{
		ID: id, Name: name, Hall: c.Hall, Department: c.Department, Item: c.Item, CaseName: c.Name,
		Moment: rules.Moment(in.GetMoment()), AuthorKey: p.IdentityKey, Stars: in.GetStars(), Sequence: 1, Data: feed.Deterministic(r),
	})
}

// reviewID spells an id so that ids sort as words too.
func reviewID(id int64) string {
	s := strconv.FormatInt(id, 36)
	return strings.Repeat("0", max(0, 13-len(s))) + s
}

// stored is the review that an event left behind.
func stored(e *feedv1.Event) (*reviewv1.Review, error) {
	r := &reviewv1.Review{}
	if err := proto.Unmarshal(e.GetResource(), r); err != nil {
		return nil, fmt.Errorf("review of event %s: %w", e.GetSubject(), err)
	}
	return r, nil
}

// ReplyReview writes the department's answer; a later one replaces it, and the
// events keep both.
func (s *Service) ReplyReview(ctx context.Context, req *reviewv1.ReplyReviewRequest) (*reviewv1.Review, error) {
	access, _ := authn.AccessFrom(ctx)
	reply, err := codes.Text(req.GetReply(), 1000)
	if err != nil {
		return nil, fault.At("reply", err)
	}
	key := feed.RequestKey(hallOf(req.GetName()), access.Subject, "ReplyReview", req.GetRequestId())
	hash := feed.RequestHash(req)
	var answer *reviewv1.Review
	err = s.db.Write(ctx, hallOf(req.GetName()), func(ctx context.Context, tx *db.Tx) error {
		row, err := store.Get(ctx, tx, req.GetName())
		if err != nil {
			return err
		}
		if !access.Covers(lastPart(row.Hall), lastPart(row.Department), row.AuthorKey) {
			return fault.NotFound.New()
		}
		if err := feed.Check(ctx, tx, key, hash); err != nil {
			return err
		}
		if err := feed.CheckEtag(req.GetEtag(), row.Name, row.Sequence); err != nil {
			return err
		}
		r := &reviewv1.Review{}
		if err := proto.Unmarshal(row.Data, r); err != nil {
			return fmt.Errorf("stored review %s: %w", row.Name, err)
		}
		r.Reply, r.ReplyTime, r.Etag = rules.MaskText(reply), timestamppb.New(tx.Now()), feed.Etag(row.Name, row.Sequence+1)
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: row.Name, Sequence: row.Sequence + 1, Type: "review.replied", Resource: r,
			Actor: access.Subject, ActorDepartment: access.Department, RequestKey: key, RequestHash: hash,
		}); err != nil {
			return err
		}
		answer = r
		return store.Update(ctx, tx, row.Name, feed.Deterministic(r), row.Sequence+1)
	})
	if e, ok := feed.Replayed(err); ok {
		return stored(e)
	}
	return answer, err
}

// departmentOf is the caller's department as a resource name.
func departmentOf(p *authn.Principal) string {
	if p.Department == "" {
		return ""
	}
	return "halls/" + p.Hall + "/departments/" + p.Department
}
