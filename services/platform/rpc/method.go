package rpc

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
)

// method is what the proto says about one method.
type method struct {
	permission *optionsv1.Permission
	desc       protoreflect.MethodDescriptor
}

var methods sync.Map // full method -> *method

// lookup finds a method by the name gRPC uses, "/package.Service/Method". One
// without permission is an error, never an open door.
func lookup(full string) (*method, error) {
	if m, ok := methods.Load(full); ok {
		return m.(*method), nil
	}
	rest, ok := strings.CutPrefix(full, "/")
	service, name, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return nil, fmt.Errorf("rpc: %q is no method name", full)
	}
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("rpc: service %s: %w", service, err)
	}
	sd, ok := d.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("rpc: %s is no service", service)
	}
	md := sd.Methods().ByName(protoreflect.Name(name))
	if md == nil {
		return nil, fmt.Errorf("rpc: service %s has no method %s", service, name)
	}
	m := &method{desc: md}
	if m.permission, err = permissionOf(md); err != nil {
		return nil, err
	}
	methods.Store(full, m)
	return m, nil
}

func permissionOf(md protoreflect.MethodDescriptor) (*optionsv1.Permission, error) {
	opts, ok := md.Options().(*descriptorpb.MethodOptions)
	if !ok || !proto.HasExtension(opts, optionsv1.E_Permission) {
		return nil, fmt.Errorf("rpc: method %s has no permission", md.FullName())
	}
	p, ok := proto.GetExtension(opts, optionsv1.E_Permission).(*optionsv1.Permission)
	if !ok {
		return nil, fmt.Errorf("rpc: method %s has a permission of another type", md.FullName())
	}
	if !p.GetPublic() && len(p.GetGrants()) == 0 {
		return nil, fmt.Errorf("rpc: method %s lets nobody in", md.FullName())
	}
	for _, g := range p.GetGrants() {
		if g.GetRole() == optionsv1.Role_ROLE_UNSPECIFIED || g.GetScope() == optionsv1.Scope_SCOPE_UNSPECIFIED {
			return nil, fmt.Errorf("rpc: method %s has a grant without role or scope", md.FullName())
		}
	}
	return p, nil
}

// admit decides whether the caller may call the method, and how far it reaches.
// p is nil when nobody signed in.
func (m *method) admit(p *authn.Principal) (authn.Access, error) {
	var granted []optionsv1.Scope
	for _, g := range m.permission.GetGrants() {
		if p.Has(g.GetRole()) {
			granted = append(granted, g.GetScope())
		}
	}
	access := authn.NewAccess(p, granted...)
	switch {
	case access.Scope != optionsv1.Scope_SCOPE_UNSPECIFIED, m.permission.GetPublic():
		return access, nil
	case p == nil:
		return access, fault.Unauthenticated.New()
	default:
		return access, fault.PermissionDenied.New(fault.Cause(errors.New("no role of the caller is granted")))
	}
}

// retrySafe reports whether calling the method twice does no more than once:
// because it changes nothing, or because its request id makes the second call
// an answer to the first.
func retrySafe(md protoreflect.MethodDescriptor) bool {
	if md.IsStreamingClient() {
		return false
	}
	if opts, ok := md.Options().(*descriptorpb.MethodOptions); ok && opts.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
		return true
	}
	return requestIDField(md.Input()) != nil
}

func requestIDField(m protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	f := m.Fields().ByName("request_id")
	if f == nil || f.Kind() != protoreflect.StringKind || f.IsList() {
		return nil
	}
	return f
}
