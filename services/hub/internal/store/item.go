package store

import (
	"context"

	"github.com/onehall/onehall/services/hub/internal/rules"
	"github.com/onehall/onehall/services/hub/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// AddItemChange keeps an event of an item; one that is kept already is passed over.
func AddItemChange(ctx context.Context, tx *db.Tx, item string, sequence int64, c rules.ItemChange) error {
	p := queries.AddItemChangeParams{Item: item, Sequence: sequence, At: db.Micros(c.At), Opened: c.Open, Closed: c.Closed}
	if r := c.Revision; r != nil {
		p.Revision, p.Effective, p.LastDay = int64(r.Number), db.Micros(r.Effective), int64(r.LastDay)
		p.OnApplication, p.FullOnline, p.Possible, p.Department = r.OnApplication, r.FullOnline, r.Possible, r.Department
	}
	_, err := queries.New(tx).AddItemChange(ctx, p)
	return err
}

// RespanItem works out anew when an item can be applied for.
func RespanItem(ctx context.Context, tx *db.Tx, item, hall string) error {
	q := queries.New(tx)
	rows, err := q.ItemChanges(ctx, item)
	if err != nil {
		return err
	}
	changes := make([]rules.ItemChange, 0, len(rows))
	for _, r := range rows {
		c := rules.ItemChange{At: db.Time(r.At), Open: r.Opened, Closed: r.Closed}
		if r.Revision > 0 {
			c.Revision = &rules.Revision{
				Number: int32(r.Revision), Effective: db.Time(r.Effective), LastDay: rules.Date(r.LastDay),
				OnApplication: r.OnApplication, FullOnline: r.FullOnline, Possible: r.Possible, Department: r.Department,
			}
		}
		changes = append(changes, c)
	}
	if err := q.DeleteItemSpans(ctx, item); err != nil {
		return err
	}
	for _, s := range rules.Spans(changes) {
		if err := q.AddItemSpan(ctx, queries.AddItemSpanParams{
			Item: item, FromAt: db.Micros(s.From), ToAt: db.Micros(s.To), Hall: hall, Department: s.Department,
			FullOnline: s.FullOnline, Possible: s.Possible,
		}); err != nil {
			return err
		}
	}
	return nil
}
