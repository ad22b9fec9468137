package store

import (
	"context"

	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// Span is a span of days, both included.
type Span struct{ First, Last rules.Date }

// Scope is what a rate is asked of. Item or Department narrow it down; otherwise it is
// every hall, or Hall alone, or with Below the halls under it too.
type Scope struct {
	Hall       string
	Below      bool
	Department string
	Item       string
}

// Totals adds up a scope over a span; the items are those in force at its end.
func Totals(ctx context.Context, q db.Querier, sc Scope, span Span) (rules.Totals, error) {
	if sc.Item == "" && sc.Department == "" && sc.Below && rules.IsProvince(sc.Hall) {
		byHall, err := TotalsByHall(ctx, q, span)
		var all rules.Totals
		for _, t := range byHall {
			all.Counts.Add(1, t.Counts)
			all.Items.Add(t.Items)
		}
		return all, err
	}
	counts, err := sum(ctx, queries.New(q), sc, span)
	if err != nil {
		return rules.Totals{}, err
	}
	items, err := items(ctx, queries.New(q), sc, span)
	return rules.Totals{Counts: counts, Items: items}, err
}

func sum(ctx context.Context, q *queries.Queries, sc Scope, span Span) (rules.Counts, error) {
	first, last := int64(span.First), int64(span.Last)
	switch {
	case sc.Item != "":
		r, err := q.SumItem(ctx, queries.SumItemParams{Item: sc.Item, Department: sc.Department, FirstDay: first, LastDay: last})
		return countsOf(r), err
	case sc.Department != "":
		r, err := q.SumDepartment(ctx, queries.SumDepartmentParams{Department: sc.Department, FirstDay: first, LastDay: last})
		return countsOf(queries.SumItemRow(r)), err
	case sc.Below:
		r, err := q.SumTree(ctx, queries.SumTreeParams{Hall: sc.Hall, FirstDay: first, LastDay: last})
		return countsOf(queries.SumItemRow(r)), err
	default:
		r, err := q.SumHall(ctx, queries.SumHallParams{Hall: sc.Hall, FirstDay: first, LastDay: last})
		return countsOf(queries.SumItemRow(r)), err
	}
}

func countsOf(r queries.SumItemRow) rules.Counts {
	return rules.Counts{
		rules.Submitted: r.Submitted, rules.SubmittedOnline: r.SubmittedOnline, rules.Accepted: r.Accepted,
		rules.Finished: r.Finished, rules.FinishedOnline: r.FinishedOnline, rules.FinishedOnTime: r.FinishedOnTime,
		rules.Reviews: r.Reviews, rules.ReviewsSatisfied: r.ReviewsSatisfied, rules.Cards: r.Cards, rules.FinishedReviewed: r.FinishedReviewed,
	}
}

func items(ctx context.Context, q *queries.Queries, sc Scope, span Span) (rules.Items, error) {
	first, last, at := int64(span.First), int64(span.Last), endOf(span)
	switch {
	case sc.Item != "":
		r, err := q.ItemsOfItem(ctx, queries.ItemsOfItemParams{Item: sc.Item, Department: sc.Department, FirstDay: first, LastDay: last, At: at})
		return itemsOf(r), err
	case sc.Department != "":
		r, err := q.ItemsOfDepartment(ctx, queries.ItemsOfDepartmentParams{Department: sc.Department, FirstDay: first, LastDay: last, At: at})
		return itemsOf(queries.ItemsOfItemRow(r)), err
	case sc.Below:
		r, err := q.ItemsOfTree(ctx, queries.ItemsOfTreeParams{Hall: sc.Hall, FirstDay: first, LastDay: last, At: at})
		return itemsOf(queries.ItemsOfItemRow(r)), err
	default:
		r, err := q.ItemsOfHall(ctx, queries.ItemsOfHallParams{Hall: sc.Hall, FirstDay: first, LastDay: last, At: at})
		return itemsOf(queries.ItemsOfItemRow(r)), err
	}
}

func itemsOf(r queries.ItemsOfItemRow) rules.Items {
	return rules.Items{All: r.Items, Full: r.FullOnline, Possible: r.Possible, Used: r.Used}
}

// endOf is the last moment of a span as it is stored.
func endOf(span Span) int64 { return db.Micros(rules.EndOfDay(span.Last)) }

// TotalsByHall adds up each hall by itself.
func TotalsByHall(ctx context.Context, q db.Querier, span Span) (map[string]rules.Totals, error) {
	out := map[string]rules.Totals{}
	first, last := int64(span.First), int64(span.Last)
	rows, err := queries.New(q).SumByHall(ctx, queries.SumByHallParams{FirstDay: first, LastDay: last})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.Hall] = rules.Totals{Counts: countsOf(queries.SumItemRow{
			Submitted: r.Submitted, SubmittedOnline: r.SubmittedOnline, Accepted: r.Accepted, Finished: r.Finished,
			FinishedOnline: r.FinishedOnline, FinishedOnTime: r.FinishedOnTime, Reviews: r.Reviews,
			ReviewsSatisfied: r.ReviewsSatisfied, Cards: r.Cards, FinishedReviewed: r.FinishedReviewed,
		})}
	}
	items, err := queries.New(q).ItemsByHall(ctx, queries.ItemsByHallParams{FirstDay: first, LastDay: last, At: endOf(span)})
	if err != nil {
		return nil, err
	}
	for _, r := range items {
		t := out[r.Hall]
		t.Items = rules.Items{All: r.Items, Full: r.FullOnline, Possible: r.Possible, Used: r.Used}
		out[r.Hall] = t
	}
	return out, nil
}

// ListFacts lists facts by key after a key, of one hall or of all.
func ListFacts(ctx context.Context, q db.Querier, hall string, span Span, after rules.Key, limit int) ([]rules.Fact, error) {
	var rows []queries.Fact
	var err error
	// Says the same as the key, in a way that every planner starts reading there.
	span.First = max(span.First, after.Day)
	p := queries.ListFactsOfHallParams{
		OfHall: hall, FirstDay: int64(span.First), LastDay: int64(span.Last), AfterDay: int64(after.Day), AfterHall: after.Hall,
		AfterDepartment: after.Department, AfterItem: after.Item, AfterChannel: after.Channel, Size: int32(limit),
	}
	if hall != "" {
		rows, err = queries.New(q).ListFactsOfHall(ctx, p)
	} else {
		rows, err = queries.New(q).ListFacts(ctx, queries.ListFactsParams{
			FirstDay: p.FirstDay, LastDay: p.LastDay, AfterDay: p.AfterDay, AfterHall: p.AfterHall,
			AfterDepartment: p.AfterDepartment, AfterItem: p.AfterItem, AfterChannel: p.AfterChannel, Size: p.Size,
		})
	}
	facts := make([]rules.Fact, 0, len(rows))
	for _, r := range rows {
		facts = append(facts, rules.Fact{
			Key: rules.Key{Day: rules.Date(r.Day), Hall: r.Hall, Department: r.Department, Item: r.Item, Channel: r.Channel},
			Counts: countsOf(queries.SumItemRow{
				Submitted: r.Submitted, SubmittedOnline: r.SubmittedOnline, Accepted: r.Accepted, Finished: r.Finished,
				FinishedOnline: r.FinishedOnline, FinishedOnTime: r.FinishedOnTime, Reviews: r.Reviews,
				ReviewsSatisfied: r.ReviewsSatisfied, Cards: r.Cards, FinishedReviewed: r.FinishedReviewed,
			}),
		})
	}
	return facts, err
}

// CaseFilter is which cases of a count and a day of a hall are meant.
type CaseFilter struct {
	Hall, Department, Item, Channel string
	Day                             rules.Date
	Count                           rules.Count
}

// CountedCases lists the names of the cases that a count is made of, after a name.
func CountedCases(ctx context.Context, q db.Querier, f CaseFilter, after string, limit int) ([]string, error) {
	p := queries.FinishedCasesParams{
		Hall: f.Hall, Day: int64(f.Day), After: after, Department: f.Department, Item: f.Item, Channel: f.Channel,
		Online: flag(f.Count == rules.SubmittedOnline || f.Count == rules.FinishedOnline), OnTime: flag(f.Count == rules.FinishedOnTime),
		Reviewed: flag(f.Count == rules.FinishedReviewed), Size: int32(limit),
	}
	switch f.Count {
	case rules.Submitted, rules.SubmittedOnline:
		return queries.New(q).SubmittedCases(ctx, queries.SubmittedCasesParams{
			Hall: p.Hall, Day: p.Day, After: p.After, Department: p.Department, Item: p.Item, Channel: p.Channel, Online: p.Online, Size: p.Size,
		})
	case rules.Accepted:
		return queries.New(q).AcceptedCases(ctx, queries.AcceptedCasesParams{
			Hall: p.Hall, Day: p.Day, After: p.After, Department: p.Department, Item: p.Item, Channel: p.Channel, Size: p.Size,
		})
	default:
		return queries.New(q).FinishedCases(ctx, p)
	}
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
