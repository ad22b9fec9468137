package catalogue_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func TestHalls(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(0)
		create := func(user string, hall *cataloguev1.Hall) error {
			_, err := h.client.CreateHall(h.As(user), &cataloguev1.CreateHallRequest{Hall: hall, RequestId: id()})
			return err
		}
		for _, c := range []struct {
			what, user string
			hall       *cataloguev1.Hall
			want       *fault.Reason
		}{
			{"again", "admin", &cataloguev1.Hall{Name: city, DisplayName: "惠州市", Level: 3, ParentHall: province}, fault.AlreadyExists},
			{"no parent there", "admin", &cataloguev1.Hall{Name: "halls/450100", DisplayName: "南宁市", Level: 3, ParentHall: "halls/450000"}, fault.NotFound},
			{"parent of the same level", "admin", &cataloguev1.Hall{Name: "halls/441301", DisplayName: "甲", Level: 3, ParentHall: city}, fault.InvalidArgument},
			{"parent of another place", "admin", &cataloguev1.Hall{Name: "halls/440103", DisplayName: "荔湾区", Level: 4, ParentHall: city}, fault.InvalidArgument},
			{"no division", "admin", &cataloguev1.Hall{Name: "halls/041300", DisplayName: "甲", Level: 3}, fault.BadDivision},
			{"hidden characters", "admin", &cataloguev1.Hall{Name: "halls/441303", DisplayName: "惠\u202e阳区", Level: 4, ParentHall: city}, fault.BadName},
			{"a publisher", "publisher", &cataloguev1.Hall{Name: "halls/441303", DisplayName: "惠阳区", Level: 4, ParentHall: city}, fault.PermissionDenied},
		} {
			h.refused(c.what, create(c.user, c.hall), c.want)
		}
		hall, err := h.client.GetHall(t.Context(), &cataloguev1.GetHallRequest{Name: city})
		h.must(err)
		launch := &cataloguev1.LaunchHallRequest{Name: city, Etag: hall.GetEtag(), RequestId: id()}
		live, err := h.client.LaunchHall(h.As("admin"), launch)
		h.must(err)
		if live.GetState() != cataloguev1.HallState_HALL_STATE_LIVE || live.GetLaunchTime() == nil {
			t.Errorf("launched: %v", live)
		}
		again, err := h.client.LaunchHall(h.As("admin"), launch)
		h.must(err)
		if d := cmp.Diff(live, again, protocmp.Transform()); d != "" {
			t.Error(d)
		}
		launch.RequestId = id()
		_, err = h.client.LaunchHall(h.As("admin"), launch)
		h.refused("stale", err, fault.ETagStale)
		launch.Etag = live.GetEtag()
		_, err = h.client.LaunchHall(h.As("admin"), launch)
		h.refused("twice", err, fault.WrongTransition)
		list, err := h.client.ListHalls(t.Context(), &cataloguev1.ListHallsRequest{ParentHall: city})
		h.must(err)
		if len(list.GetHalls()) != 1 || list.GetHalls()[0].GetName() != county {
			t.Errorf("below the city: %v", list.GetHalls())
		}
		_, err = h.client.ListHalls(t.Context(), &cataloguev1.ListHallsRequest{PageSize: -1})
		h.refused("page size", err, fault.BadPageSize)
	})
}

func TestDepartmentsAndDirectory(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.furnish(0)
		req := &cataloguev1.BatchCreateDepartmentsRequest{Parent: city, RequestId: id()}
		for i := range 7 {
			req.Departments = append(req.Departments, &cataloguev1.Department{Name: fmt.Sprintf("%s/departments/b%d", city, i), DisplayName: fmt.Sprintf("第%d局", i), Level: 3})
		}
		for range 2 { // a repeated request is answered as the first time
			resp, err := h.client.BatchCreateDepartments(h.As("admin"), req)
			h.must(err)
			if resp.GetCreated() != 7 {
				t.Errorf("created %d", resp.GetCreated())
			}
		}
		req.RequestId = id()
		if resp, err := h.client.BatchCreateDepartments(h.As("admin"), req); err != nil || resp.GetCreated() != 0 {
			t.Errorf("unchanged: %v, %v", resp, err)
		}
		req.Departments[3].DisplayName = "别的局"
		_, err := h.client.BatchCreateDepartments(h.As("admin"), req)
		h.refused("same id, other content", err, fault.RequestIDReused)
		req.RequestId = id()
		_, err = h.client.BatchCreateDepartments(h.As("admin"), req)
		h.refused("changed", err, fault.AlreadyExists)
		_, err = h.client.CreateDepartment(h.As("admin"), &cataloguev1.CreateDepartmentRequest{Parent: city, RequestId: id(),
			Department: &cataloguev1.Department{Name: city + "/departments/x", DisplayName: "局", Level: 3, Uscc: "11440300MB2D2694XL"}})
		h.refused("credit code", err, fault.BadUSCC)
		_, err = h.client.CreateDepartment(h.As("admin"), &cataloguev1.CreateDepartmentRequest{Parent: "halls/441400", RequestId: id(),
			Department: &cataloguev1.Department{Name: "halls/441400/departments/x", DisplayName: "局", Level: 3}})
		h.refused("no hall", err, fault.NotFound)

		var names []string
		list := &cataloguev1.ListDepartmentsRequest{Parent: city, PageSize: 4}
		for {
			resp, err := h.client.ListDepartments(t.Context(), list)
			h.must(err)
			for _, d := range resp.GetDepartments() {
				names = append(names, d.GetName())
			}
			if list.PageToken = resp.GetNextPageToken(); list.PageToken == "" {
				break
			}
		}
		if len(names) != 9 {
			t.Errorf("listed %v", names)
		}
		entry := &cataloguev1.CreateDirectoryEntryRequest{RequestId: id(), DirectoryEntry: &cataloguev1.DirectoryEntry{Name: "directory/440118009000", DisplayName: "许可", ItemType: "01"}}
		first, err := h.client.CreateDirectoryEntry(h.As("admin"), entry)
		h.must(err)
		again, err := h.client.CreateDirectoryEntry(h.As("admin"), entry)
		h.must(err)
		if d := cmp.Diff(first, again, protocmp.Transform()); d != "" {
			t.Error(d)
		}
		entry.RequestId = id()
		_, err = h.client.CreateDirectoryEntry(h.As("admin"), entry)
		h.refused("entry again", err, fault.AlreadyExists)
		entry.DirectoryEntry.Name, entry.DirectoryEntry.ItemType = "directory/440118009001", "10"
		_, err = h.client.CreateDirectoryEntry(h.As("admin"), entry)
		h.refused("type of the code", err, fault.BadItemCode)
		if got, err := h.client.GetDirectoryEntry(t.Context(), &cataloguev1.GetDirectoryEntryRequest{Name: first.GetName()}); err != nil || got.GetDisplayName() != "许可" {
			t.Errorf("%v, %v", got, err)
		}
		if resp, err := h.client.ListDirectoryEntries(t.Context(), &cataloguev1.ListDirectoryEntriesRequest{}); err != nil || len(resp.GetDirectoryEntries()) != 1 {
			t.Errorf("%v, %v", resp, err)
		}
	})
}
