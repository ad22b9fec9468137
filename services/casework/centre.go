package casework

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// CreateCentre opens a centre.
func (s *Service) CreateCentre(ctx context.Context, req *caseworkv1.CreateCentreRequest) (*caseworkv1.Centre, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	hall := hallOf(req.GetParent())
	c, err := cleanCentre(hall, req.GetCentre())
	if err != nil {
		return nil, err
	}
	c.Name = req.GetParent() + "/centres/" + req.GetCentreId()
	c.Etag = feed.Etag(c.Name, 1)
	out := &caseworkv1.Centre{}
	return out, s.record(ctx, a, newRequest(a, hall, "CreateCentre", req), c.Name, out, func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error {
		c.CreateTime = stamp(tx.Now())
		data, err := proto.Marshal(c)
		if err != nil {
			return err
		}
		// The name tells of a centre that exists before its first event would.
		if _, there, err := store.Centre(ctx, tx, c.Name); err != nil || there {
			return orElse(err, fault.AlreadyExists.New(fault.Field("centre_id")))
		}
		if err := note(feed.Draft{Subject: c.Name, Sequence: 1, Type: "centre.created", Resource: c}); err != nil {
			return err
		}
		return store.InsertCentre(ctx, tx, c.Name, data)
	})
}

// orElse is the failure, or what was found out when there was none.
func orElse(failure, found error) error {
	if failure != nil {
		return failure
	}
	return found
}

// UpdateCentre replaces what a centre is.
func (s *Service) UpdateCentre(ctx context.Context, req *caseworkv1.UpdateCentreRequest) (*caseworkv1.Centre, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	name := req.GetCentre().GetName()
	if name == "" {
		return nil, fault.FieldRequired.New(fault.Field("centre.name"))
	}
	hall := hallOf(name)
	c, err := cleanCentre(hall, req.GetCentre())
	if err != nil {
		return nil, err
	}
	if !a.Covers(hall, "", "") {
		return nil, fault.NotFound.New()
	}
	out := &caseworkv1.Centre{}
	asked := proto.CloneOf(req)
	asked.Centre.Etag = "" // a client may read the centre again before it repeats itself
	return out, s.record(ctx, a, newRequest(a, hall, "UpdateCentre", asked), name, out, func(ctx context.Context, tx *db.Tx, note func(feed.Draft) error) error {
		was, seq, err := s.centre(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := feed.CheckEtag(req.GetCentre().GetEtag(), name, seq); err != nil {
			return err
		}
		c.Name, c.CreateTime, c.Etag = name, was.CreateTime, feed.Etag(name, seq+1)
		data, err := proto.Marshal(c)
		if err != nil {
			return err
		}
		if err := note(feed.Draft{Subject: name, Sequence: seq + 1, Type: "centre.updated", Resource: c}); err != nil {
			return err
		}
		return store.SaveCentre(ctx, tx, store.Blob{Name: name, Seq: seq + 1, Data: data})
	})
}

// cleanCentre is a centre with every text in its one spelling.
func cleanCentre(hall string, sent *caseworkv1.Centre) (*caseworkv1.Centre, error) {
	c := &caseworkv1.Centre{SlotStarts: sent.GetSlotStarts(), SlotCapacity: sent.GetSlotCapacity(), BookingDays: sent.GetBookingDays()}
	var err error
	if c.DisplayName, err = line("centre.display_name", sent.GetDisplayName(), 100); err != nil {
		return nil, err
	}
	if c.StreetAddress, err = line("centre.street_address", sent.GetStreetAddress(), 200); err != nil {
		return nil, err
	}
	if sent.GetConsultPhone() != "" {
		if c.ConsultPhone, err = codes.Phone(sent.GetConsultPhone()); err != nil {
			return nil, fault.At("centre.consult_phone", err)
		}
	}
	if !slices.IsSorted(c.SlotStarts) || len(slices.Compact(slices.Clone(c.SlotStarts))) != len(c.SlotStarts) {
		return nil, fault.InvalidArgument.New(fault.Field("centre.slot_starts"))
	}
	ids := map[string]bool{}
	for _, w := range sent.GetWindows() {
		title, err := line("centre.windows", w.GetDisplayName(), 60)
		if err != nil {
			return nil, err
		}
		foreign := slices.ContainsFunc(w.GetDepartments(), func(d string) bool { return hallOf(d) != hall })
		if ids[w.GetId()] || foreign {
			return nil, fault.InvalidArgument.New(fault.Field("centre.windows"))
		}
		ids[w.GetId()] = true
		c.Windows = append(c.Windows, &caseworkv1.Window{Id: w.GetId(), DisplayName: title, Departments: w.GetDepartments()})
	}
	return c, nil
}

// centre reads a centre that there must be.
func (s *Service) centre(ctx context.Context, q db.Querier, name string) (*caseworkv1.Centre, int64, error) {
	b, ok, err := store.Centre(ctx, q, name)
	if err != nil {
		return nil, 0, err
	}
	if !ok {
		return nil, 0, fault.NotFound.New()
	}
	c, err := unmarshal(b.Data, &caseworkv1.Centre{})
	return c, b.Seq, err
}

// centreOf is the centre in the name of something in it.
func centreOf(name string) string {
	return strings.Join(strings.SplitN(name, "/", 5)[:4], "/")
}

// GetCentre reads a centre.
func (s *Service) GetCentre(ctx context.Context, req *caseworkv1.GetCentreRequest) (*caseworkv1.Centre, error) {
	c, _, err := s.centre(ctx, s.db.Read(), req.GetName())
	return c, err
}

// ListCentres lists the centres of a hall.
func (s *Service) ListCentres(ctx context.Context, req *caseworkv1.ListCentresRequest) (*caseworkv1.ListCentresResponse, error) {
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	hash := page.FilterHash("ListCentres", req.GetParent())
	key, err := s.pages.Decode(req.GetPageToken(), reader(ctx), hash)
	if err != nil {
		return nil, err
	}
	after := ""
	if len(key) == 1 {
		after = key[0]
	}
	rows, err := store.Centres(ctx, s.db.Read(), hallOf(req.GetParent()), after, size+1)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListCentresResponse{}
	for i, r := range rows {
		if i == size {
			res.NextPageToken = s.pages.Encode(reader(ctx), hash, rows[size-1].Name)
			break
		}
		c, err := unmarshal(r.Data, &caseworkv1.Centre{})
		if err != nil {
			return nil, err
		}
		res.Centres = append(res.Centres, c)
	}
	return res, nil
}

// reader is who reads a public list; nobody in particular when not signed in.
func reader(ctx context.Context) string {
	if p, ok := authn.From(ctx); ok {
		return p.Subject
	}
	return ""
}

// boardLength is how many called tickets a board shows.
const boardLength = 20

// GetCentreStatus tells how a centre stands.
func (s *Service) GetCentreStatus(ctx context.Context, req *caseworkv1.GetCentreStatusRequest) (*caseworkv1.CentreStatus, error) {
	if _, _, err := s.centre(ctx, s.db.Read(), req.GetName()); err != nil {
		return nil, err
	}
	today := workday.DateOf(s.clock.Now())
	day, err := store.DayOf(ctx, s.db.Read(), req.GetName(), today)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.CentreStatus{
		Name: req.GetName(), Date: today.String(), TakenToday: int32(day.Taken), CalledToday: int32(day.Called), Waiting: int32(day.Taken - day.Called - day.Gone),
	}
	if day.Called > 0 {
		res.MeanWaitSeconds = proto.Int32(int32(day.WaitSeconds / day.Called))
	}
	rows, err := store.Called(ctx, s.db.Read(), req.GetName(), today, boardLength)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		t, err := unmarshal(r, &caseworkv1.Ticket{})
		if err != nil {
			return nil, err
		}
		res.Called = append(res.Called, &caseworkv1.CalledTicket{Number: t.GetNumber(), Window: t.GetWindow()})
	}
	return res, nil
}
