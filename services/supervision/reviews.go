package supervision

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

// applyReviews is the follower's of the reviews.
func (e *engine) applyReviews(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	if err := e.applyClocked(ctx, tx, sourceReview, events); err != nil {
		return err
	}
	rows, err := e.loadOf(ctx, tx, events, reviewType)
	if err != nil {
		return err
	}
	var drafts []cardDraft
	var counts counts
	for _, ev := range events {
		if ev.GetResourceType() != reviewType {
			continue
		}
		r := &reviewv1.Review{}
		if err := proto.Unmarshal(ev.GetResource(), r); err != nil {
			return fmt.Errorf("review of %s: %w", ev.GetSubject(), err)
		}
		w := rows[ev.GetSubject()]
		if w == nil {
			w = e.watch(&store.Clock{Case: ev.GetSubject(), Hall: hallOf(ev.GetSubject()), Source: sourceReview})
			rows[ev.GetSubject()] = w
		}
		if ev.GetSequence() <= w.row.Sequence {
			continue
		}
		if w.row.Sequence == 0 {
			counts.review(r, ev)
		}
		due, err := e.fallDueBefore(w, ev.GetEnteredAt().AsTime())
		if err != nil {
			return err
		}
		drafts = append(drafts, due...)
		w.subject, w.facts = subjectOfReview(r), factsOfReview(r)
		w.settle()
		w.row.Facts, w.row.Sequence, w.row.Department = marshal(shortenReview(r)), ev.GetSequence(), r.GetDepartment()
		w.schedule(ev.GetEnteredAt().AsTime())
	}
	if err := counts.save(ctx, tx); err != nil {
		return err
	}
	return e.save(ctx, tx, rows, drafts)
}

// factsOfReview reads the facts out of a review.
func factsOfReview(r *reviewv1.Review) *rules.Facts {
	return &rules.Facts{Division: divisionOf(r.GetName()), Item: r.GetItem(),
		Review: &rules.Review{Stars: int(r.GetStars()), Created: timeOf(r.GetCreateTime()), Replied: timeOf(r.GetReplyTime())}}
}

// shortenReview is the review without its words.
func shortenReview(r *reviewv1.Review) *reviewv1.Review {
	return &reviewv1.Review{Name: r.GetName(), Item: r.GetItem(), ItemTitle: r.GetItemTitle(), Department: r.GetDepartment(),
		Stars: r.GetStars(), CreateTime: r.GetCreateTime(), ReplyTime: r.GetReplyTime()}
}
