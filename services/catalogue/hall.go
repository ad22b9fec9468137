package catalogue

import (
	"context"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// CreateHall opens a hall on trial; its parent, if named, must exist and lie above it.
func (s *Service) CreateHall(ctx context.Context, req *cataloguev1.CreateHallRequest) (*cataloguev1.Hall, error) {
	r := requestOf(ctx, "", "CreateHall", req)
	in := req.GetHall()
	if _, err := codes.Division6(lastPart(in.GetName())); err != nil {
		return nil, fault.At("hall.name", err)
	}
	title, err := codes.CleanName(in.GetDisplayName())
	if err != nil {
		return nil, fault.At("hall.display_name", err)
	}
	return change(ctx, s, r, "halls", &cataloguev1.Hall{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.Hall, error) {
		if err := checkParent(ctx, tx, in); err != nil {
			return nil, err
		}
		h := &cataloguev1.Hall{
			Name: in.GetName(), DisplayName: title, Level: in.GetLevel(), ParentHall: in.GetParentHall(),
			State: cataloguev1.HallState_HALL_STATE_TRIAL, CreateTime: timestamppb.New(tx.Now()), Etag: feed.Etag(in.GetName(), 1),
		}
		row := store.Resource{Name: h.GetName(), Sequence: 1, Data: feed.Deterministic(h)}
		if err := store.InsertHall(ctx, tx, row, h.GetParentHall(), int64(h.GetLevel())); err != nil {
			return nil, fault.At("hall.name", err)
		}
		return h, r.happened(ctx, tx, "hall.created", h.GetName(), 1, h, nil)
	})
}

// checkParent holds a hall to the tree: the parent exists, is of a higher level, and its
// division contains the hall's.
func checkParent(ctx context.Context, q db.Querier, h *cataloguev1.Hall) error {
	if h.GetParentHall() == "" {
		return nil
	}
	row, err := store.GetHall(ctx, q, h.GetParentHall())
	if err != nil {
		return fault.At("hall.parent_hall", err)
	}
	parent, err := decode(row.Data, &cataloguev1.Hall{})
	if err != nil {
		return err
	}
	area := strings.TrimRight(lastPart(parent.GetName()), "0")
	// 10 and 100 may belong to the number itself: codes are pairs of digits.
	area += strings.Repeat("0", len(area)%2)
	if parent.GetLevel() >= h.GetLevel() || !strings.HasPrefix(lastPart(h.GetName()), area) || parent.GetName() == h.GetName() {
		return fault.InvalidArgument.New(fault.Field("hall.parent_hall"))
	}
	return nil
}

// LaunchHall takes a hall live.
func (s *Service) LaunchHall(ctx context.Context, req *cataloguev1.LaunchHallRequest) (*cataloguev1.Hall, error) {
	r := requestOf(ctx, req.GetName(), "LaunchHall", req)
	return change(ctx, s, r, "halls", &cataloguev1.Hall{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.Hall, error) {
		row, err := store.GetHall(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if err := feed.CheckEtag(req.GetEtag(), row.Name, row.Sequence); err != nil {
			return nil, err
		}
		h, err := decode(row.Data, &cataloguev1.Hall{})
		if err != nil {
			return nil, err
		}
		if h.GetState() != cataloguev1.HallState_HALL_STATE_TRIAL {
			return nil, fault.WrongTransition.New(fault.Meta("state", h.GetState().String()))
		}
		row.Sequence++
		h.State, h.LaunchTime, h.Etag = cataloguev1.HallState_HALL_STATE_LIVE, timestamppb.New(tx.Now()), feed.Etag(row.Name, row.Sequence)
		row.Data = feed.Deterministic(h)
		if err := store.UpdateHall(ctx, tx, row); err != nil {
			return nil, err
		}
		return h, r.happened(ctx, tx, "hall.launched", row.Name, row.Sequence, h, nil)
	})
}

// GetHall reads a hall.
func (s *Service) GetHall(ctx context.Context, req *cataloguev1.GetHallRequest) (*cataloguev1.Hall, error) {
	row, err := store.GetHall(ctx, s.db.Read(), req.GetName())
	if err != nil {
		return nil, err
	}
	return decode(row.Data, &cataloguev1.Hall{})
}

// ListHalls lists halls by division code.
func (s *Service) ListHalls(ctx context.Context, req *cataloguev1.ListHallsRequest) (*cataloguev1.ListHallsResponse, error) {
	filter := page.FilterHash("halls", req.GetParentHall(), strconv.Itoa(int(req.GetLevel())))
	l, err := s.listing(ctx, req, 50, 200, filter)
	if err != nil {
		return nil, err
	}
	rows, err := store.ListHalls(ctx, s.db.Read(), req.GetParentHall(), int64(req.GetLevel()), l.after, l.size+1)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListHallsResponse{}
	rows, resp.NextPageToken = cut(l, rows, func(r store.Resource) string { return r.Name })
	for _, row := range rows {
		h, err := decode(row.Data, &cataloguev1.Hall{})
		if err != nil {
			return nil, err
		}
		resp.Halls = append(resp.Halls, h)
	}
	return resp, nil
}
