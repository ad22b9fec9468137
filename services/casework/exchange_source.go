package casework

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// exchangeServer serves the exchange by the service's own means.
type exchangeServer struct {
	caseworkv1.UnimplementedExchangeServiceServer
	s *Service
}

// RegisterSource registers a system whose rows are taken in.
func (x exchangeServer) RegisterSource(ctx context.Context, req *caseworkv1.RegisterSourceRequest) (*caseworkv1.ExchangeSource, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	hall := hallOf(req.GetParent())
	r := newRequest(a, hall, "RegisterSource", req)
	src, err := x.newSource(req)
	if err != nil {
		return nil, x.s.refused(ctx, r, err)
	}
	data, err := proto.Marshal(src)
	if err != nil {
		return nil, fmt.Errorf("casework: source: %w", err)
	}
	err = x.s.db.Write(ctx, src.GetName(), func(ctx context.Context, tx *db.Tx) error {
		if err := feed.Check(ctx, tx, r.key, r.hash); err != nil {
			return err
		}
		if _, exists, err := store.GetSource(ctx, tx, src.GetName()); err != nil || exists {
			if exists {
				err = fault.AlreadyExists.New(fault.Field("source_id"))
			}
			return err
		}
		if _, err := feed.Append(ctx, tx, feed.Draft{
			Subject: src.GetName(), Sequence: 1, Type: "exchange_source.registered", Resource: src, Actor: a.Subject,
			ActorDepartment: a.Department, RequestKey: r.key, RequestHash: r.hash,
		}); err != nil {
			return err
		}
		return store.InsertSource(ctx, tx, store.SourceRow{Name: src.GetName(), Client: src.GetClient(), Data: data})
	})
	if e, ok := feed.Replayed(err); ok {
		src = &caseworkv1.ExchangeSource{}
		return src, proto.Unmarshal(e.GetResource(), src)
	}
	return src, err
}

// newSource checks a source before it is registered.
func (x exchangeServer) newSource(req *caseworkv1.RegisterSourceRequest) (*caseworkv1.ExchangeSource, error) {
	src := proto.CloneOf(req.GetSource())
	src.Name, src.CreateTime = req.GetParent()+"/exchangeSources/"+req.GetSourceId(), stamp(x.s.clock.Now())
	var err error
	if src.DisplayName, err = codes.Line(src.GetDisplayName(), 100); err != nil {
		return nil, fault.At("source.display_name", err)
	}
	if src.Client, err = codes.Line(src.GetClient(), 200); err != nil {
		return nil, fault.At("source.client", err)
	}
	for _, d := range src.GetDepartments() {
		if !x.s.items.handledBy(hallOf(req.GetParent()), d) {
			return nil, fault.DepartmentUnknown.New(fault.Field("source.departments"))
		}
	}
	return src, nil
}

// ListExchangeSources lists the sources of a hall.
func (x exchangeServer) ListExchangeSources(ctx context.Context, req *caseworkv1.ListExchangeSourcesRequest) (*caseworkv1.ListExchangeSourcesResponse, error) {
	if _, err := caller(ctx); err != nil {
		return nil, err
	}
	rows, err := store.Sources(ctx, x.s.db.Read(), req.GetParent()+"/exchangeSources/")
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListExchangeSourcesResponse{}
	for _, r := range rows {
		src, err := sourceOf(r)
		if err != nil {
			return nil, err
		}
		res.Sources = append(res.Sources, src)
	}
	return res, nil
}

func sourceOf(r store.SourceRow) (*caseworkv1.ExchangeSource, error) {
	src := &caseworkv1.ExchangeSource{}
	if err := proto.Unmarshal(r.Data, src); err != nil {
		return nil, fmt.Errorf("casework: source %s: %w", r.Name, err)
	}
	return src, nil
}

// reachSource reads a source that the caller may look at: a front machine its own alone.
// What it may not see does not exist.
func (x exchangeServer) reachSource(ctx context.Context, name string) (authn.Access, store.SourceRow, error) {
	a, err := caller(ctx)
	if err != nil {
		return a, store.SourceRow{}, err
	}
	r, ok, err := store.GetSource(ctx, x.s.db.Read(), name)
	switch {
	case err != nil:
		return a, r, err
	case !ok, r.Client != a.Subject && !oversees(a):
		return a, r, fault.NotFound.New()
	}
	return a, r, nil
}

// oversees reports a caller whose office reaches over the sources of others.
func oversees(a authn.Access) bool {
	return a.Has(optionsv1.Role_ROLE_ADMIN) || a.Has(optionsv1.Role_ROLE_SUPERVISOR)
}
