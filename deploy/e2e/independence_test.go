package e2e

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
)

// TestSupervisionIsIndependent calls every method of casework as a supervisor of the hall
// and as one of another hall of the area, with the etag that a change would need: what
// reads shows the case to both, what writes is refused to both, and no case is changed.
func TestSupervisionIsIndependent(t *testing.T) {
	s := newScene(t, house.Options{Shape: house.One, Driver: db.SQLite})
	rows, all := s.matrixRows(), rpcs()
	before := s.cases()
	if len(before) == 0 {
		t.Fatal("there are no cases")
	}
	reads, writes := 0, 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m := all[name]
		if m.desc.ParentFile().Package() != "onehall.casework.v1" {
			continue
		}
		opts, _ := m.desc.Options().(*descriptorpb.MethodOptions)
		readOnly := opts.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
		for _, who := range []authn.User{supervisorUser, house.Post(house.Foreign, "", "supervisor", 9)} {
			got := s.independent(m, rows[name], who, before)
			switch {
			case !readOnly && got.code != codes.PermissionDenied:
				t.Errorf("%s as %s: %v %s", name, who.Login, got.code, got.reason)
			case readOnly && granted(m, "supervisor") && (got.code == codes.NotFound || got.code == codes.PermissionDenied):
				t.Errorf("%s does not show %s the area: %v %s", name, who.Login, got.code, got.reason)
			}
		}
		if readOnly {
			reads++
		} else {
			writes++
		}
	}
	after := s.cases()
	if diff := cmp.Diff(before, after, protocmp.Transform()); diff != "" {
		t.Errorf("a supervisor changed a case:\n%s", diff)
	}
	if writes < 25 || reads < 5 {
		t.Errorf("only %d writing and %d reading methods", writes, reads)
	}
	t.Logf("%d writing methods refused to two supervisors, %d reading ones, %d cases unchanged", writes, reads, len(before))
}

// independent makes one call with the newest etag of the case it names.
func (s *scene) independent(m rpcMethod, r row, who authn.User, cases map[string]*caseworkv1.Case) answer {
	s.t.Helper()
	if r.request == nil {
		s.t.Fatalf("%s has no row in the matrix", m.desc.Name())
	}
	req := r.request()
	fields := req.ProtoReflect().Descriptor().Fields()
	if name, etag := fields.ByName("name"), fields.ByName("etag"); name != nil && etag != nil {
		if c := cases[req.ProtoReflect().Get(name).String()]; c != nil {
			set(req, "etag", c.GetEtag())
		}
	}
	return s.rpc(context.Background(), m, &who, req)
}

// granted tells whether the contract lets a role in.
func granted(m rpcMethod, role string) bool {
	for _, g := range permission(m).GetGrants() {
		if strings.EqualFold(strings.TrimPrefix(g.GetRole().String(), "ROLE_"), role) {
			return true
		}
	}
	return false
}

// cases are all cases of the city, as a supervisor reads them.
func (s *scene) cases() map[string]*caseworkv1.Case {
	s.t.Helper()
	client, ctx := caseworkv1.NewCaseworkServiceClient(s.Conn("casework")), s.Context(context.Background(), supervisorUser)
	all := map[string]*caseworkv1.Case{}
	req := &caseworkv1.ListCasesRequest{Parent: s.hall, PageSize: 200}
	for {
		page, err := client.ListCases(ctx, req)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, listed := range page.GetCases() {
			c, err := client.GetCase(ctx, &caseworkv1.GetCaseRequest{Name: listed.GetName()})
			if err != nil {
				s.t.Fatal(err)
			}
			all[c.GetName()] = c
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return all
		}
	}
}
