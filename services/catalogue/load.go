package catalogue

import (
	"context"
	"fmt"
	"time"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/rules"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/workday"
)

// LoadItems creates and publishes items in one step. An item whose content stands
// there as the last revision is passed over; of one that differs a new revision is
// published. A first revision is in force from the date it names, though it be past:
// the item was done in the former system.
func (s *Service) LoadItems(ctx context.Context, req *cataloguev1.LoadItemsRequest) (*cataloguev1.LoadItemsResponse, error) {
	r := requestOf(ctx, req.GetParent(), "LoadItems", req)
	l := loading{r: r, contents: make([]*cataloguev1.Item, len(req.GetItems())), names: make([]string, len(req.GetItems()))}
	seen := map[string]bool{}
	for i, in := range req.GetItems() {
		it, err := cleanItem(req.GetParent(), in)
		if err != nil {
			return nil, fault.At(at(i), err)
		}
		if seen[it.GetName()] {
			return nil, fault.InvalidArgument.New(fault.FieldReason(at(i)+".name", fault.AlreadyExists))
		}
		seen[it.GetName()] = true
		l.contents[i], l.names[i] = it, it.GetName()
	}
	return batch(ctx, s, r, req.GetParent(), &cataloguev1.LoadItemsResponse{}, l.run)
}

func at(i int) string { return fmt.Sprintf("items[%d]", i) }

// loading is one LoadItems.
type loading struct {
	r        request
	contents []*cataloguev1.Item
	names    []string
}

// run checks all items before it writes the first.
func (l loading) run(ctx context.Context, tx *db.Tx) (*cataloguev1.LoadItemsResponse, error) {
	desks, err := l.desks(ctx, tx)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.LoadItemsResponse{}
	for i, d := range desks {
		if d == nil {
			resp.Unchanged++
			continue
		}
		from, to, err := l.inForce(d, tx.Now())
		if err != nil {
			return nil, fault.At(at(i), err)
		}
		if _, err := l.r.publish(ctx, tx, d, from, to, feed.Draft{}); err != nil {
			return nil, err
		}
		resp.Published++
	}
	return resp, nil
}

// desks puts each item on a desk, or nil where there is nothing to do.
func (l loading) desks(ctx context.Context, tx *db.Tx) ([]*desk, error) {
	near, err := l.surroundings(ctx, tx)
	if err != nil {
		return nil, err
	}
	rows, err := store.Items(ctx, tx, l.names)
	if err != nil {
		return nil, err
	}
	desks := make([]*desk, len(l.contents))
	for i, content := range l.contents {
		if err := l.check(content, near, tx.Now()); err != nil {
			return nil, fault.At(at(i), err)
		}
		row, there := rows[content.GetName()]
		if !there {
			row = store.Item{Name: content.GetName(), Hall: hallOf(content.GetName()), State: store.Draft, Created: tx.Now()}
		}
		if row.State == store.Cancelled {
			return nil, fault.At(at(i)+".name", wrongState(row.State))
		}
		data := feed.Deterministic(content)
		hash := sum(data)
		if there && row.Revision > 0 && len(row.Draft) == 0 && row.DraftSHA256 == hash {
			continue
		}
		row.Department, row.Title, row.Level = content.GetDepartment(), content.GetTitle(), int64(content.GetLevel())
		row.Editor, row.DraftSHA256 = l.r.actor(), hash
		desks[i] = &desk{row: row, content: content, department: near.departments[content.GetDepartment()]}
	}
	return desks, nil
}

// inForce is inForce, but for a first revision whose date is past.
func (l loading) inForce(d *desk, now time.Time) (from, to time.Time, err error) {
	from, to, err = inForce(d.content, now)
	if err != nil || d.row.Revision > 0 || d.content.GetEffectiveDate() == "" {
		return from, to, err
	}
	day, err := workday.ParseDate(d.content.GetEffectiveDate())
	return workday.StartOfDay(day), to, err
}

// surroundings are the departments and directory entries the items refer to.
type surroundings struct {
	departments map[string]*cataloguev1.Department
	entries     map[string]*cataloguev1.DirectoryEntry
}

func (l loading) surroundings(ctx context.Context, q db.Querier) (surroundings, error) {
	var names, codes []string
	near := surroundings{map[string]*cataloguev1.Department{}, map[string]*cataloguev1.DirectoryEntry{}}
	for _, it := range l.contents {
		if _, ok := near.departments[it.GetDepartment()]; !ok {
			near.departments[it.GetDepartment()] = nil
			names = append(names, it.GetDepartment())
		}
		if _, ok := near.entries[it.GetDirectoryEntry()]; !ok {
			near.entries[it.GetDirectoryEntry()] = nil
			codes = append(codes, it.GetDirectoryEntry())
		}
	}
	departments, err := store.Departments(ctx, q, names)
	if err != nil {
		return near, err
	}
	for name, row := range departments {
		if near.departments[name], err = decode(row.Data, &cataloguev1.Department{}); err != nil {
			return near, err
		}
	}
	entries, err := store.DirectoryEntries(ctx, q, codes)
	if err != nil {
		return near, err
	}
	for name, row := range entries {
		if near.entries[name], err = decode(row.Data, &cataloguev1.DirectoryEntry{}); err != nil {
			return near, err
		}
	}
	return near, nil
}

// check runs the publishing checks over one item.
func (l loading) check(it *cataloguev1.Item, near surroundings, now time.Time) error {
	d, e := near.departments[it.GetDepartment()], near.entries[it.GetDirectoryEntry()]
	switch {
	case d == nil:
		return fault.NotFound.New(fault.Field("department"))
	case e == nil:
		return fault.NotFound.New(fault.Field("directory_entry"))
	}
	from, _, err := inForce(it, now)
	if err != nil {
		return err
	}
	return refused(rules.Check(ruleItem(it, from), rules.Around{USCC: d.GetUscc(), DirectoryType: e.GetItemType()}), "")
}
