// Package store keeps reviews, their counts and the copy of the cases they are of.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"math"
	"strings"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/review/internal/rules"
	"github.com/onehall/onehall/services/review/internal/store/queries"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of the service and of its feed.
var Migrations fs.FS = feed.WithMigrations(migrations)

// Case is a case as the feed last told of it.
type Case struct {
	rules.Case
	Name, Item, ItemTitle string
	Sequence              int64
}

// Review is a stored review. Data is the message as it was last written.
type Review struct {
	ID                                     int64
	Name, Hall, Department, Item, CaseName string
	Moment                                 rules.Moment
	AuthorKey                              string
	Stars                                  int32
	Sequence                               int64
	Data                                   []byte
}

// GetCase reads a case; fault.NotFound when the feed has not told of it.
func GetCase(ctx context.Context, q db.Querier, name string) (Case, error) {
	row, err := queries.New(q).GetCase(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Case{}, fault.NotFound.New()
	}
	return caseOf(row), err
}

// ListReviewable lists an applicant's submitted cases whose latest moment it has not
// reviewed, by name downwards, before a name; an empty one begins.
func ListReviewable(ctx context.Context, q db.Querier, applicantKey, before string, limit int) ([]Case, error) {
	if before == "" {
		before = "~" // sorts behind every resource name
	}
	rows, err := queries.New(q).ListReviewable(ctx, queries.ListReviewableParams{
		ApplicantKey: applicantKey, Name: before, Limit: int32(limit),
	})
	cases := make([]Case, 0, len(rows))
	for _, r := range rows {
		cases = append(cases, caseOf(r))
	}
	return cases, err
}

// Reviewed gives the moments of a case that the author has reviewed.
func Reviewed(ctx context.Context, q db.Querier, caseName, authorKey string) (map[rules.Moment]bool, error) {
	moments, err := queries.New(q).ReviewedMoments(ctx, queries.ReviewedMomentsParams{CaseName: caseName, AuthorKey: authorKey})
	done := map[rules.Moment]bool{}
	for _, m := range moments {
		done[rules.Moment(m)] = true
	}
	return done, err
}

// Insert writes a new review and counts it for its hall, department and item. It
// returns fault.ReviewExists when the author has reviewed the moment.
func Insert(ctx context.Context, tx *db.Tx, r Review) error {
	q := queries.New(tx)
	n, err := q.InsertReview(ctx, queries.InsertReviewParams{
		ID: r.ID, Name: r.Name, Hall: r.Hall, Department: r.Department, Item: r.Item, CaseName: r.CaseName,
		Moment: int64(r.Moment), AuthorKey: r.AuthorKey, Stars: int64(r.Stars), Sequence: r.Sequence, Data: r.Data,
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.ReviewExists.New(fault.Field("review.case"))
	}
	// Always in this order, so that two writers never wait for each other in a circle.
	for _, subject := range []string{r.Hall, r.Department, r.Item} {
		if err := q.CountReview(ctx, queries.CountReviewParams{Subject: subject, Stars: int64(r.Stars)}); err != nil {
			return err
		}
	}
	return nil
}

// Update replaces a review's message if it still is at the sequence before.
func Update(ctx context.Context, tx *db.Tx, name string, data []byte, sequence int64) error {
	n, err := queries.New(tx).UpdateReview(ctx, queries.UpdateReviewParams{
		Data: data, Sequence: sequence, Name: name, Sequence_2: sequence - 1,
	})
	if err == nil && n == 0 {
		return fault.Conflict.New()
	}
	return err
}

// Get reads a review, or returns fault.NotFound.
func Get(ctx context.Context, q db.Querier, name string) (Review, error) {
	row, err := queries.New(q).GetReview(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Review{}, fault.NotFound.New()
	}
	return reviewOf(row), err
}

// List lists the reviews of an item, else of a department, else of a hall, newest
// first, before an id; 0 begins.
func List(ctx context.Context, q db.Querier, hall, department, item string, before int64, limit int) ([]Review, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	var rows []queries.Review
	var err error
	switch qs, n := queries.New(q), int32(limit); {
	case item != "":
		rows, err = qs.ListOfItem(ctx, queries.ListOfItemParams{Item: item, ID: before, Limit: n})
	case department != "":
		rows, err = qs.ListOfDepartment(ctx, queries.ListOfDepartmentParams{Department: department, ID: before, Limit: n})
	default:
		rows, err = qs.ListOfHall(ctx, queries.ListOfHallParams{Hall: hall, ID: before, Limit: n})
	}
	reviews := make([]Review, 0, len(rows))
	for _, r := range rows {
		reviews = append(reviews, reviewOf(r))
	}
	return reviews, err
}

// Summary adds up the reviews of a hall, a department or an item.
func Summary(ctx context.Context, q db.Querier, subject string) (rules.Summary, error) {
	rows, err := queries.New(q).CountsOf(ctx, subject)
	var s rules.Summary
	for _, r := range rows {
		if r.Stars >= 1 && r.Stars <= 5 {
			s.ByStars[r.Stars-1] = r.Reviews
		}
	}
	return s, err
}

func caseOf(r queries.Case) Case {
	c := Case{Name: r.Name, Item: r.Item, ItemTitle: r.ItemTitle, Sequence: r.Sequence, Case: rules.Case{
		Hall: r.Hall, Department: r.Department, ApplicantKey: r.ApplicantKey,
		Submitted: r.Submitted, Accepted: r.Accepted, Finished: r.Finished, Voided: r.Voided,
	}}
	if r.Handlers != "" {
		c.Handlers = strings.Split(r.Handlers, "\n")
	}
	return c
}

func reviewOf(r queries.Review) Review {
	return Review{
		ID: r.ID, Name: r.Name, Hall: r.Hall, Department: r.Department, Item: r.Item, CaseName: r.CaseName,
		Moment: rules.Moment(r.Moment), AuthorKey: r.AuthorKey, Stars: int32(r.Stars), Sequence: r.Sequence, Data: r.Data,
	}
}
