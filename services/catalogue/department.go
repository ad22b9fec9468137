package catalogue

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// CreateDepartment registers a department of a hall.
func (s *Service) CreateDepartment(ctx context.Context, req *cataloguev1.CreateDepartmentRequest) (*cataloguev1.Department, error) {
	r := requestOf(ctx, req.GetParent(), "CreateDepartment", req)
	in, err := cleanDepartment(req.GetParent(), req.GetDepartment())
	if err != nil {
		return nil, fault.At("department", err)
	}
	return change(ctx, s, r, req.GetParent(), &cataloguev1.Department{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.Department, error) {
		if _, err := store.GetHall(ctx, tx, req.GetParent()); err != nil {
			return nil, fault.At("parent", err)
		}
		d := proto.CloneOf(in)
		d.CreateTime, d.Etag = timestamppb.New(tx.Now()), feed.Etag(d.GetName(), 1)
		row := store.Resource{Name: d.GetName(), Sequence: 1, Data: feed.Deterministic(d)}
		if err := store.InsertDepartment(ctx, tx, row, req.GetParent()); err != nil {
			return nil, fault.At("department.name", err)
		}
		return d, r.happened(ctx, tx, "department.created", d.GetName(), 1, d, nil)
	})
}

// BatchCreateDepartments registers departments, all or none, and passes over those
// that stand there unchanged.
func (s *Service) BatchCreateDepartments(ctx context.Context, req *cataloguev1.BatchCreateDepartmentsRequest) (*cataloguev1.BatchCreateDepartmentsResponse, error) {
	r := requestOf(ctx, req.GetParent(), "BatchCreateDepartments", req)
	clean := make([]*cataloguev1.Department, len(req.GetDepartments()))
	names := make([]string, len(clean))
	for i, in := range req.GetDepartments() {
		d, err := cleanDepartment(req.GetParent(), in)
		if err != nil {
			return nil, fault.At(fmt.Sprintf("departments[%d]", i), err)
		}
		clean[i], names[i] = d, d.GetName()
	}
	return batch(ctx, s, r, req.GetParent(), &cataloguev1.BatchCreateDepartmentsResponse{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.BatchCreateDepartmentsResponse, error) {
		if _, err := store.GetHall(ctx, tx, req.GetParent()); err != nil {
			return nil, fault.At("parent", err)
		}
		there, err := store.Departments(ctx, tx, names)
		if err != nil {
			return nil, err
		}
		resp := &cataloguev1.BatchCreateDepartmentsResponse{}
		for i, in := range clean {
			created, err := r.ensureDepartment(ctx, tx, in, there)
			if err != nil {
				return nil, fault.At(fmt.Sprintf("departments[%d].name", i), err)
			}
			if created {
				resp.Created++
			}
		}
		return resp, nil
	})
}

// ensureDepartment writes a department that is not there; one that is must be the same.
func (r request) ensureDepartment(ctx context.Context, tx *db.Tx, in *cataloguev1.Department, there map[string]store.Resource) (bool, error) {
	d := proto.CloneOf(in)
	if row, ok := there[d.GetName()]; ok {
		old, err := decode(row.Data, &cataloguev1.Department{})
		if err != nil {
			return false, err
		}
		d.CreateTime, d.Etag = old.GetCreateTime(), old.GetEtag()
		if !proto.Equal(d, old) {
			return false, fault.AlreadyExists.New()
		}
		return false, nil
	}
	d.CreateTime, d.Etag = timestamppb.New(tx.Now()), feed.Etag(d.GetName(), 1)
	data, err := r.told(ctx, tx, feed.Draft{Subject: d.GetName(), Sequence: 1, Type: "department.created", Resource: d})
	if err != nil {
		return false, err
	}
	row := store.Resource{Name: d.GetName(), Sequence: 1, Data: data}
	there[row.Name] = row
	return true, store.InsertDepartment(ctx, tx, row, hallOf(row.Name))
}

// cleanDepartment checks what the contract's patterns cannot.
func cleanDepartment(hall string, in *cataloguev1.Department) (*cataloguev1.Department, error) {
	d := proto.CloneOf(in)
	d.CreateTime, d.Etag = nil, ""
	if hallOf(d.GetName()) != hall {
		return nil, fault.InvalidArgument.New(fault.Field("name"))
	}
	var err error
	if d.DisplayName, err = codes.CleanName(d.GetDisplayName()); err != nil {
		return nil, fault.At("display_name", err)
	}
	if d.GetUscc() != "" {
		if d.Uscc, err = codes.USCC(d.GetUscc()); err != nil {
			return nil, fault.At("uscc", err)
		}
	}
	return d, cleanTexts(d)
}

// GetDepartment reads a department.
func (s *Service) GetDepartment(ctx context.Context, req *cataloguev1.GetDepartmentRequest) (*cataloguev1.Department, error) {
	return department(ctx, s.db.Read(), req.GetName())
}

func department(ctx context.Context, q db.Querier, name string) (*cataloguev1.Department, error) {
	row, err := store.GetDepartment(ctx, q, name)
	if err != nil {
		return nil, err
	}
	return decode(row.Data, &cataloguev1.Department{})
}

// ListDepartments lists a hall's departments by id.
func (s *Service) ListDepartments(ctx context.Context, req *cataloguev1.ListDepartmentsRequest) (*cataloguev1.ListDepartmentsResponse, error) {
	l, err := s.listing(ctx, req, 50, 500, page.FilterHash("departments", req.GetParent()))
	if err != nil {
		return nil, err
	}
	rows, err := store.ListDepartments(ctx, s.db.Read(), req.GetParent(), l.after, l.size+1)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListDepartmentsResponse{}
	rows, resp.NextPageToken = cut(l, rows, func(r store.Resource) string { return r.Name })
	for _, row := range rows {
		d, err := decode(row.Data, &cataloguev1.Department{})
		if err != nil {
			return nil, err
		}
		resp.Departments = append(resp.Departments, d)
	}
	return resp, nil
}
