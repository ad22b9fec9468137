package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/onehall/onehall/deploy/e2e/house"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
)

// relation is how a caller stands to the thing it asks for.
type relation string

const (
	own       relation = "own"       // of the same hall and department, or its applicant
	neighbour relation = "neighbour" // of another department of the same hall
	stranger  relation = "stranger"  // of another hall, or another applicant
)

// roles are all of the contract, and nobody.
func roles() []optionsv1.Role {
	all := []optionsv1.Role{optionsv1.Role_ROLE_UNSPECIFIED} // stands for nobody
	for n := range optionsv1.Role_name {
		if n != 0 {
			all = append(all, optionsv1.Role(n))
		}
	}
	slices.Sort(all)
	return all
}

// TestMatrix calls every method as every role, as somebody to whom the thing belongs, a
// neighbour and a stranger, by gRPC and by REST, and compares what happens with the
// permission that the contract declares.
func TestMatrix(t *testing.T) {
	for _, o := range pairs(t) {
		t.Run(string(o.Shape)+"/"+o.Driver, func(t *testing.T) {
			s := newScene(t, o)
			m := matrix{scene: s, rows: s.matrixRows()}
			all := rpcs()
			for _, name := range slices.Sorted(maps.Keys(all)) {
				m.method(all[name])
			}
			for name := range m.rows {
				if _, ok := all[name]; !ok {
					t.Errorf("the matrix has a row for %s, which the contract has not", name)
				}
			}
			t.Logf("%d methods, %d roles and nobody: %d cells, each by every transport", len(all), len(roles())-1, m.cells)
			s.noFaults()
		})
	}
}

// pairs are one process on SQLite and split on PostgreSQL: with them every shape and
// every database is met.
func pairs(t *testing.T) []house.Options {
	all := []house.Options{{Shape: house.One, Driver: db.SQLite}}
	drivers := house.Drivers(t)
	return append(all, house.Options{Shape: house.Split, Driver: drivers[len(drivers)-1]})
}

type matrix struct {
	*scene
	rows  map[string]row
	cells int
}

// row is how a method is called.
type row struct {
	// request makes a new request for a thing of the city's police. It is valid by its
	// form and changes nothing: without an etag, or for what is there already.
	request func() proto.Message
	// object tells that the request names one thing that belongs to somebody; a
	// listing is answered to a neighbour and to another applicant too, without it.
	object bool
}

func permission(m rpcMethod) *optionsv1.Permission {
	opts, _ := m.desc.Options().(*descriptorpb.MethodOptions)
	p, _ := proto.GetExtension(opts, optionsv1.E_Permission).(*optionsv1.Permission)
	return p
}

// caller is somebody with a role who stands in a relation to the city's police.
func (m *matrix) caller(role optionsv1.Role, rel relation) *authn.User {
	switch role {
	case optionsv1.Role_ROLE_UNSPECIFIED:
		return nil
	case optionsv1.Role_ROLE_APPLICANT:
		n := 1
		if rel != own {
			n = 8
		}
		u := house.Applicant(m.data.People[n])
		return &u
	}
	hall, department := house.City, house.Police
	switch rel {
	case neighbour:
		department = "education"
	case stranger:
		hall = house.Foreign
	}
	u := house.Post(hall, department, strings.ToLower(strings.TrimPrefix(role.String(), "ROLE_")), 7)
	return &u
}

func (m *matrix) method(rpc rpcMethod) {
	name := string(rpc.desc.Name())
	r, ok := m.rows[name]
	if !ok {
		m.t.Errorf("%s is not covered: give it a row", name)
		return
	}
	for _, role := range roles() {
		for _, rel := range []relation{own, neighbour, stranger} {
			if role == optionsv1.Role_ROLE_UNSPECIFIED && rel != own {
				continue // nobody belongs nowhere
			}
			m.cell(rpc, r, role, rel)
		}
	}
}

// cell makes the calls of one cell and compares.
func (m *matrix) cell(rpc rpcMethod, r row, role optionsv1.Role, rel relation) {
	m.cells++
	who := m.caller(role, rel)
	ctx := context.Background()
	transports := map[string]answer{"gRPC": m.rpc(ctx, rpc, who, r.request())}
	if rpc.public {
		transports["REST"] = m.rest(ctx, rpc, who, r.request())
	}
	for transport, got := range transports {
		if why := verdict(permission(rpc), r, role, rel, got.code); why != "" {
			m.t.Errorf("%s as %v (%s) by %s: %v %s: %s", rpc.desc.Name(), role, rel, transport, got.code, got.reason, why)
		}
	}
}

// verdict says what is wrong with an answer, by the declared permission alone.
func verdict(p *optionsv1.Permission, r row, role optionsv1.Role, rel relation, got codes.Code) string {
	scope := optionsv1.Scope_SCOPE_UNSPECIFIED
	for _, g := range p.GetGrants() {
		if g.GetRole() == role {
			scope = g.GetScope()
		}
	}
	refused := got == codes.Unauthenticated || got == codes.PermissionDenied
	switch {
	case p.GetPublic():
		if refused {
			return "a public method refuses"
		}
	case scope == optionsv1.Scope_SCOPE_UNSPECIFIED:
		want := codes.PermissionDenied
		if role == optionsv1.Role_ROLE_UNSPECIFIED {
			want = codes.Unauthenticated
		}
		if got != want {
			return fmt.Sprintf("must be %v", want)
		}
	case hidden(scope, r, role, rel):
		if got != codes.NotFound {
			return "what is not the caller's must not be found"
		}
	case refused:
		return "must be let in"
	case rel == own && got == codes.NotFound:
		return "must be found"
	}
	return ""
}

// hidden tells whether the thing is beyond the caller's reach.
func hidden(scope optionsv1.Scope, r row, role optionsv1.Role, rel relation) bool {
	switch scope {
	case optionsv1.Scope_SCOPE_OWN:
		return rel != own && r.object
	case optionsv1.Scope_SCOPE_DEPARTMENT:
		return rel == stranger || rel == neighbour && r.object
	case optionsv1.Scope_SCOPE_HALL:
		return rel == stranger
	}
	return false
}
