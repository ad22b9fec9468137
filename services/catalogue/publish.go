package catalogue

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/rules"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// CheckItem runs the publishing checks over the draft.
func (s *Service) CheckItem(ctx context.Context, req *cataloguev1.CheckItemRequest) (*cataloguev1.CheckItemResponse, error) {
	access, _ := authn.AccessFrom(ctx) // the permission interceptor refused whoever has none
	d, err := openDesk(ctx, s.db.Read(), access, req.GetName())
	if err != nil {
		return nil, err
	}
	findings, err := d.check(ctx, s.db.Read(), s.clock.Now())
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.CheckItemResponse{Publishable: rules.Publishable(findings)}
	for _, f := range findings {
		resp.Findings = append(resp.Findings, &cataloguev1.Finding{
			Rule: f.Rule, Severity: cataloguev1.Severity(f.Severity), Field: f.Field, Message: f.ZH,
		})
	}
	return resp, nil
}

// check runs the publishing checks over what lies on the desk.
func (d *desk) check(ctx context.Context, q db.Querier, now time.Time) ([]rules.Finding, error) {
	e, err := entry(ctx, q, d.content.GetDirectoryEntry())
	if err != nil {
		return nil, err
	}
	taken, err := store.TitleTaken(ctx, q, d.row)
	if err != nil {
		return nil, err
	}
	from, _, err := inForce(d.content, now)
	if err != nil {
		return nil, err
	}
	return rules.Check(ruleItem(d.content, from), rules.Around{
		USCC: d.department.GetUscc(), DirectoryType: e.GetItemType(), TitleTaken: taken,
	}), nil
}

// refused turns findings that block publishing into the fault that says so; prefix is
// the item's place in the request.
func refused(findings []rules.Finding, prefix string) error {
	var vs []fault.Violation
	for _, f := range findings {
		if f.Severity == rules.Error {
			vs = append(vs, fault.Violation{Field: prefix + f.Field, Reason: f.Rule, ZH: f.ZH, EN: f.EN})
		}
	}
	if vs == nil {
		return nil
	}
	return fault.PublishChecksFailed.New(fault.Violations(vs...))
}

// PublishItem publishes the draft as the next revision.
func (s *Service) PublishItem(ctx context.Context, req *cataloguev1.PublishItemRequest) (*cataloguev1.ItemRevision, error) {
	hall := hallOf(req.GetName())
	r := requestOf(ctx, hall, "PublishItem", req)
	return change(ctx, s, r, hall, &cataloguev1.ItemRevision{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.ItemRevision, error) {
		d, err := openDesk(ctx, tx, r.access, req.GetName())
		if err != nil {
			return nil, err
		}
		if err := feed.CheckEtag(req.GetEtag(), d.row.Name, d.row.Sequence); err != nil {
			return nil, err
		}
		switch {
		case d.row.State == store.Cancelled:
			return nil, wrongState(d.row.State)
		case len(d.row.Draft) == 0:
			return nil, fault.ItemUnchanged.New()
		case d.row.Editor == r.actor():
			return nil, fault.EditorMayNotPublish.New()
		}
		findings, err := d.check(ctx, tx, tx.Now())
		if err != nil {
			return nil, err
		}
		if err := refused(findings, ""); err != nil {
			return nil, err
		}
		from, to, err := inForce(d.content, tx.Now())
		if err != nil {
			return nil, err
		}
		return r.publish(ctx, tx, d, from, to, feed.Draft{RequestKey: r.key, RequestHash: r.hash})
	})
}

// publish writes what lies on the desk as the next revision. event carries the request
// whose one effect this is, if it is one.
func (r request) publish(ctx context.Context, tx *db.Tx, d *desk, from, to time.Time, event feed.Draft) (*cataloguev1.ItemRevision, error) {
	now := tx.Now().Truncate(time.Microsecond)
	d.row.Sequence++
	d.row.Revision++
	if d.row.State == store.Draft {
		d.row.State = store.InForce
	}
	d.row.Draft, d.row.Updated = nil, now
	it := proto.CloneOf(d.content)
	it.State, it.Revision = cataloguev1.ItemState(d.row.State), d.row.Revision
	it.FullOnline = rules.FullOnline(it.GetOnlineDepth(), int(it.GetVisits()))
	it.DepartmentTitle = d.department.GetDisplayName()
	rev := &cataloguev1.ItemRevision{
		Name: fmt.Sprintf("%s/revisions/%d", d.row.Name, d.row.Revision), Revision: d.row.Revision, Item: it,
		ContentSha256: sum(feed.Deterministic(it)), Publisher: r.actor(),
		PublishTime: timestamppb.New(now), EffectiveTime: timestamppb.New(from.Truncate(time.Microsecond)),
	}
	event.Subject, event.Sequence, event.Type, event.Resource = d.row.Name, d.row.Sequence, "item.published", rev
	data, err := r.told(ctx, tx, event)
	if err != nil {
		return nil, err
	}
	if d.row.Sequence == 1 {
		err = store.InsertItem(ctx, tx, d.row)
	} else {
		err = store.UpdateItem(ctx, tx, d.row)
	}
	if err != nil {
		return nil, err
	}
	return rev, store.InsertRevision(ctx, tx, store.Revision{
		Item: d.row.Name, Revision: d.row.Revision, Effective: from, Ends: to, Data: data,
	})
}

// moving is a request that moves an item from one state to another.
type moving interface {
	identified
	GetName() string
	GetEtag() string
}

// PauseItem pauses an item.
func (s *Service) PauseItem(ctx context.Context, req *cataloguev1.PauseItemRequest) (*cataloguev1.Item, error) {
	why := &cataloguev1.PauseItemRequest{Name: req.GetName(), Reason: req.GetReason()}
	return s.move(ctx, req, "PauseItem", step{"item.paused", store.Paused, []store.State{store.InForce}, why})
}

// ResumeItem resumes a paused item.
func (s *Service) ResumeItem(ctx context.Context, req *cataloguev1.ResumeItemRequest) (*cataloguev1.Item, error) {
	return s.move(ctx, req, "ResumeItem", step{"item.resumed", store.InForce, []store.State{store.Paused}, nil})
}

// CancelItem cancels an item for good.
func (s *Service) CancelItem(ctx context.Context, req *cataloguev1.CancelItemRequest) (*cataloguev1.Item, error) {
	why := &cataloguev1.CancelItemRequest{Name: req.GetName(), Reason: req.GetReason()}
	return s.move(ctx, req, "CancelItem", step{"item.cancelled", store.Cancelled, []store.State{store.Draft, store.InForce, store.Paused}, why})
}

// step is one way from state to state. detail is what the item does not show: why.
type step struct {
	kind   string
	to     store.State
	from   []store.State
	detail proto.Message
}

func (s *Service) move(ctx context.Context, req moving, method string, st step) (*cataloguev1.Item, error) {
	hall := hallOf(req.GetName())
	r := requestOf(ctx, hall, method, req)
	if st.detail != nil {
		if err := cleanTexts(st.detail); err != nil {
			return nil, err
		}
	}
	return change(ctx, s, r, hall, &cataloguev1.Item{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.Item, error) {
		d, err := openDesk(ctx, tx, r.access, req.GetName())
		if err != nil {
			return nil, err
		}
		if err := feed.CheckEtag(req.GetEtag(), d.row.Name, d.row.Sequence); err != nil {
			return nil, err
		}
		if !slices.Contains(st.from, d.row.State) {
			return nil, wrongState(d.row.State)
		}
		d.row.State, d.row.Updated = st.to, tx.Now()
		d.row.Sequence++
		if err := store.UpdateItem(ctx, tx, d.row); err != nil {
			return nil, err
		}
		it := d.shown()
		return it, r.happened(ctx, tx, st.kind, d.row.Name, d.row.Sequence, it, st.detail)
	})
}

func wrongState(state store.State) error {
	return fault.WrongTransition.New(fault.Meta("state", cataloguev1.ItemState(state).String()))
}
