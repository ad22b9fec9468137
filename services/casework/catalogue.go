package casework

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// fullRefresh is every how many refreshes the whole copy is read again: an event that
// was parked and released later has an older position than what was read before it.
const fullRefresh = 300

// catalogue is the items in memory, read from the service's own tables.
type catalogue struct {
	mu    sync.RWMutex
	items map[string]*entry

	refreshing     sync.Mutex
	rounds         int
	states, bodies int64 // the last positions read
}

// entry is one item. Its revisions are in no order; there are few.
type entry struct {
	state     rules.ItemState
	revisions []*rules.Item
}

func newCatalogue() *catalogue { return &catalogue{items: map[string]*entry{}} }

func (c *catalogue) size() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.items)
}

// refresh reads what the tables have got since the last time.
func (c *catalogue) refresh(ctx context.Context, q db.Querier) error {
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	if c.rounds++; c.rounds%fullRefresh == 0 {
		c.states, c.bodies = 0, 0
	}
	// Revisions come first: an item seen in force has its revision.
	err := store.Revisions(ctx, q, c.bodies, func(r store.RevisionRow) error {
		var m cataloguev1.ItemRevision
		if err := proto.Unmarshal(r.Data, &m); err != nil {
			return fmt.Errorf("revision %d of %s: %w", r.Revision, r.Name, err)
		}
		item, err := itemOf(&m)
		if err != nil {
			return fmt.Errorf("revision %d of %s: %w", r.Revision, r.Name, err)
		}
		item.Name = r.Name
		c.change(r.Name, func(e *entry) { e.add(item) })
		c.bodies = r.Position
		return nil
	})
	if err != nil {
		return err
	}
	return store.Items(ctx, q, c.states, func(r store.ItemRow) {
		c.change(r.Name, func(e *entry) { e.state = r.State })
		c.states = r.Position
	})
}

// change replaces an entry by a changed copy: readers keep what they hold.
func (c *catalogue) change(name string, with func(*entry)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := &entry{}
	if old := c.items[name]; old != nil {
		next.state = old.state
		next.revisions = append(next.revisions, old.revisions...)
	}
	with(next)
	c.items[name] = next
}

func (e *entry) add(item *rules.Item) {
	for i, r := range e.revisions {
		if r.Revision == item.Revision {
			e.revisions[i] = item
			return
		}
	}
	e.revisions = append(e.revisions, item)
}

func (c *catalogue) get(name string) *entry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.items[name]
}

// inForce is the revision of an item of the hall that can be applied for now. wanted is
// the revision the applicant read, 0 for any.
func (c *catalogue) inForce(hall, name string, wanted int32, now time.Time) (*rules.Item, error) {
	e := c.get(name)
	// Without a state the copy is still being read: the revision came first.
	if e == nil || e.state == 0 || hallOf(name) != hall {
		return nil, fault.ItemNotFound.New(fault.Field("item"))
	}
	item := rules.InForce(e.state, e.revisions, now)
	if item == nil || (wanted != 0 && wanted != item.Revision) {
		current := int32(0)
		if item != nil {
			current = item.Revision
		}
		return nil, fault.ItemNotInForce.New(fault.Field("item"), currentRevision(current))
	}
	return item, nil
}

// handledBy reports whether a department of the hall handles any item.
func (c *catalogue) handledBy(hall, department string) bool {
	if hallOf(department) != hall {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.items {
		for _, r := range e.revisions {
			if r.Department == department {
				return true
			}
		}
	}
	return false
}

func currentRevision(n int32) fault.Option {
	return fault.Meta("current_revision", strconv.Itoa(int(n)))
}

// revision is the revision a case was filed under; nil when the copy lacks it.
func (c *catalogue) revision(name string, number int32) *rules.Item {
	if e := c.get(name); e != nil {
		for _, r := range e.revisions {
			if r.Revision == number {
				return r
			}
		}
	}
	return nil
}

var terms = map[cataloguev1.ArchiveTerm]rules.Term{
	cataloguev1.ArchiveTerm_ARCHIVE_TERM_TEN_YEARS: rules.TenYears, cataloguev1.ArchiveTerm_ARCHIVE_TERM_THIRTY_YEARS: rules.ThirtyYears,
	cataloguev1.ArchiveTerm_ARCHIVE_TERM_PERMANENT: rules.Permanent,
}

// itemOf is what a case needs to know of a revision.
func itemOf(r *cataloguev1.ItemRevision) (*rules.Item, error) {
	i := r.GetItem()
	item := &rules.Item{
		Name: i.GetName(), Department: i.GetDepartment(), DepartmentTitle: i.GetDepartmentTitle(), Title: i.GetTitle(), Revision: r.GetRevision(),
		Instant: i.GetCaseType() == cataloguev1.CaseType_CASE_TYPE_INSTANT, FullFlow: i.GetFullFlow(), FourEyes: i.GetFourEyes(), ELicense: i.GetELicense(),
		Limits:         rules.Limits{Promised: int(i.GetPromisedLimit()), Statutory: int(i.GetStatutoryLimit())},
		ServiceObjects: i.GetServiceObjects(), Effective: r.GetEffectiveTime().AsTime(), FormSchema: i.GetFormSchema(),
	}
	if i.GetLimitUnit() == cataloguev1.TimeUnit_TIME_UNIT_NATURAL_DAY {
		item.Limits.Unit = workday.NaturalDays
	}
	for _, m := range i.GetMaterials() {
		item.Materials = append(item.Materials, rules.ItemMaterial{
			ID: m.GetId(), Title: m.GetDisplayName(), Necessary: m.GetNecessary(), GapAllowed: m.GetGapAllowed(), PromiseAllowed: m.GetPromiseAllowed(),
			Source:     rules.Source(m.GetSource()),
			CopyEnough: m.GetCopyEnough(), MaxBytes: m.GetMaxFileBytes(), Kinds: m.GetFileKinds(),
		})
	}
	for _, r := range i.GetResults() {
		item.Archive = max(item.Archive, terms[r.GetArchiveTerm()])
	}
	for _, f := range i.GetFees() {
		item.Fees = append(item.Fees, rules.ItemFee{Name: f.GetDisplayName(), Basis: f.GetBasis()})
	}
	item.Charged, item.Flow = i.GetCharged(), flowOf(i)
	if last := i.GetCancelDate(); last != "" {
		day, err := workday.ParseDate(last)
		if err != nil {
			return nil, err
		}
		item.LastDay = day
	}
	return item, nil
}
