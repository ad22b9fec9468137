package supervision

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/platform/almanac"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

const (
	// maxTerms is how many revisions are kept at hand.
	maxTerms = 50_000
	// skew is by how much the clocks of two services may differ.
	skew = 5 * time.Second
)

var (
	revisionType = string((&cataloguev1.ItemRevision{}).ProtoReflect().Descriptor().FullName())
	hallType     = string((&cataloguev1.Hall{}).ProtoReflect().Descriptor().FullName())
)

// termBook knows what the revisions of items published about their handling.
type termBook struct {
	// until is the moment up to which the catalogue is known.
	until func() time.Time

	mu   sync.Mutex
	kept map[string]*rules.Terms
}

// of finds the terms of a case's revision; nil when there is no such revision. A case is
// judged by the terms it was filed under whenever it is judged: until the catalogue is
// known up to the case's event, what is missing may still come, and the feed waits.
func (b *termBook) of(ctx context.Context, tx *db.Tx, c *caseworkv1.Case, entered time.Time) (*rules.Terms, error) {
	if b == nil || c.GetItemRevision() == 0 {
		return nil, nil
	}
	name := fmt.Sprintf("%s/revisions/%d", c.GetItem(), c.GetItemRevision())
	b.mu.Lock()
	terms, ok := b.kept[name]
	b.mu.Unlock()
	if ok {
		return terms, nil
	}
	raw, ok, err := store.GetTerms(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		if b.until().Before(entered.Add(skew)) {
			return nil, fault.Unavailable.New(fault.Cause(fmt.Errorf("the catalogue has not told of %s yet", name)))
		}
		return nil, nil
	}
	if terms, err = decodeTerms(raw); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil || len(b.kept) >= maxTerms {
		b.kept = map[string]*rules.Terms{}
	}
	b.kept[name] = terms
	return terms, nil
}

func decodeTerms(raw []byte) (*rules.Terms, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	t := &rules.Terms{}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("stored terms: %w", err)
	}
	return t, nil
}

// encodeSteps is what timed rules need of the terms: nothing, unless a step has a limit.
func encodeSteps(t *rules.Terms) ([]byte, error) {
	if t == nil || !slices.ContainsFunc(t.Steps, func(s rules.StepTerm) bool { return s.Limit > 0 }) {
		return nil, nil
	}
	return json.Marshal(rules.Terms{Steps: t.Steps})
}

// termsOf reads the terms out of a revision.
func termsOf(item *cataloguev1.Item) rules.Terms {
	var t rules.Terms
	for _, s := range item.GetSteps() {
		t.Steps = append(t.Steps, rules.StepTerm{Kind: s.GetKind(), Name: s.GetDisplayName(), Limit: int(s.GetLimit()), ID: s.GetId(),
			Optional: s.GetOptional(), FourEyes: s.GetFourEyes()})
	}
	t.FeesKnown, t.Charged = true, item.GetCharged()
	for _, f := range item.GetFees() {
		t.Fees = append(t.Fees, rules.FeeTerm{Name: f.GetDisplayName(), AmountFen: f.GetAmountFen()})
	}
	for _, m := range item.GetMaterials() {
		t.Materials = append(t.Materials, rules.MaterialTerm{ID: m.GetId(), Name: m.GetDisplayName(), Necessary: m.GetNecessary()})
	}
	return t
}

// applyCatalogue is the follower's of the catalogue: it keeps the terms of revisions, the
// tree of halls, and the almanac.
func applyCatalogue(ctx context.Context, tx *db.Tx, events []*feedv1.Event) error {
	for _, ev := range events {
		if err := almanac.Apply(ctx, tx, ev); err != nil {
			return err
		}
		switch ev.GetResourceType() {
		case revisionType:
			r := &cataloguev1.ItemRevision{}
			if err := proto.Unmarshal(ev.GetResource(), r); err != nil {
				return fmt.Errorf("revision of %s: %w", ev.GetSubject(), err)
			}
			raw, err := json.Marshal(termsOf(r.GetItem()))
			if err != nil {
				return err
			}
			if err := store.SaveTerms(ctx, tx, fmt.Sprintf("%s/revisions/%d", ev.GetSubject(), r.GetRevision()), raw); err != nil {
				return err
			}
		case hallType:
			h := &cataloguev1.Hall{}
			if err := proto.Unmarshal(ev.GetResource(), h); err != nil {
				return fmt.Errorf("hall of %s: %w", ev.GetSubject(), err)
			}
			if err := store.SaveHall(ctx, tx, h.GetName(), h.GetParentHall(), h.GetDisplayName()); err != nil {
				return err
			}
		}
	}
	return nil
}
