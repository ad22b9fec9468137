package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/onehall/onehall/deploy/stand"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/rpc"
)

// demoWaiting is how many people wait in the demonstration's centre.
const demoWaiting = 5

// openCentre opens a centre in the demonstration's city, with people who wait, so that the
// page of a window has something to call.
func openCentre(ctx context.Context, h *stand.Hall, users []authn.User) (err error) {
	conn, err := h.Runtime.Dialer.Dial("casework")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	as := func(login string) context.Context {
		i := slices.IndexFunc(users, func(u authn.User) bool { return u.Login == login })
		return rpc.WithToken(ctx, minted{h.Issuer, users[i]})
	}
	desk := caseworkv1.NewCounterServiceClient(conn)
	hall := "halls/" + demoCity
	centre, err := desk.CreateCentre(as("hall-admin-1"), &caseworkv1.CreateCentreRequest{
		Parent: hall, CentreId: "main", RequestId: uuid.NewString(), Centre: &caseworkv1.Centre{
			DisplayName: "惠州市政务服务中心（样例）", StreetAddress: "惠州市示例路 1 号", SlotStarts: []string{"09:00", "10:00", "14:30", "15:30"}, SlotCapacity: 5, BookingDays: 7,
			Windows: []*caseworkv1.Window{
				{Id: "1", DisplayName: "综合窗口"}, {Id: "2", DisplayName: "综合窗口"}, {Id: "3", DisplayName: "公安", Departments: []string{hall + "/departments/public-security"}},
			},
		},
	})
	if err != nil {
		return fmt.Errorf("demo: centre: %w", err)
	}
	for range demoWaiting {
		if _, err := desk.TakeTicket(as("police-window-1"), &caseworkv1.TakeTicketRequest{Parent: centre.GetName(), RequestId: uuid.NewString()}); err != nil {
			return fmt.Errorf("demo: ticket: %w", err)
		}
	}
	return nil
}
