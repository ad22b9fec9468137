package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// Step is who may take the step of its own flow that a case waits for.
type Step struct {
	// Department is as division/id. Posts are the posts; none means any of it.
	Department string
	Posts      []string
	// Due is the day the inbox is sorted by.
	Due rules.Day
}

// saveStep replaces the posts a case waits for. Nothing is written for a case that has
// had none and gets none.
func saveStep(ctx context.Context, tx *db.Tx, old, next Row) error {
	q := queries.New(tx)
	if old.Step != nil {
		if err := q.DropStepPosts(ctx, next.CaseNo); err != nil {
			return fmt.Errorf("store: drop posts: %w", err)
		}
	}
	if next.Step == nil {
		return nil
	}
	posts := slices.Compact(slices.Sorted(slices.Values(next.Step.Posts)))
	if len(posts) == 0 {
		posts = []string{""}
	}
	for _, post := range posts {
		err := q.AddStepPost(ctx, queries.AddStepPostParams{
			CaseNo: next.CaseNo, Post: post, Hall: next.Hall, Department: next.Step.Department, Due: int64(next.Step.Due),
		})
		if err != nil {
			return fmt.Errorf("store: add post: %w", err)
		}
	}
	return nil
}

// ByPosts lists the cases of a hall that wait for a step that one of the posts takes, or
// any officer of the department; nearest due day first, each once.
func ByPosts(ctx context.Context, q db.Querier, f InboxFilter, posts []string) ([]Entry, error) {
	var all []Entry
	for _, post := range slices.Compact(slices.Sorted(slices.Values(append([]string{""}, posts...)))) {
		rows, err := queries.New(q).ListByPost(ctx, queries.ListByPostParams{
			Hall: f.Hall, Post: post, AfterDue: int64(f.After.Due), AfterCaseNo: f.After.CaseNo, Department: f.Department, Size: int64(f.Size),
		})
		if err != nil {
			return nil, fmt.Errorf("store: inbox of posts: %w", err)
		}
		for _, r := range rows {
			all = append(all, Entry{CaseNo: r.CaseNo, Due: rules.Day(r.Due), Data: r.Data})
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.CaseNo, b.CaseNo)) })
	all = slices.CompactFunc(all, func(a, b Entry) bool { return a.CaseNo == b.CaseNo })
	return all[:min(f.Size, len(all))], nil
}
