package rpc

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

// inspector checks every message before a handler sees it.
type inspector struct {
	validator protovalidate.Validator
	plans     sync.Map // protoreflect.FullName -> *plan
}

// plan is what to look at in one type of message.
type plan struct {
	requestID protoreflect.FieldDescriptor
	// names are the fields that may hold the resource name a call is about:
	// name, parent, names, and the name of a resource in the request.
	names []namePath
}

type namePath struct{ outer, inner protoreflect.FieldDescriptor }

func newInspector(clk clock.Clock) (*inspector, error) {
	v, err := protovalidate.New(protovalidate.WithNowFunc(func() *timestamppb.Timestamp {
		return timestamppb.New(clk.Now())
	}))
	if err != nil {
		return nil, fmt.Errorf("rpc: validator: %w", err)
	}
	return &inspector{validator: v}, nil
}

// prepare compiles the rules of a message type, so that a rule that cannot work
// stops the start and not the first caller.
func (c *inspector) prepare(m proto.Message) error {
	err := c.validator.Validate(m)
	var invalid *protovalidate.ValidationError
	if err == nil || errors.As(err, &invalid) {
		return nil
	}
	return fmt.Errorf("rpc: rules of %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
}

// check runs all checks on a message for a caller, and gives what the caller's access
// is for what the message is about.
func (c *inspector) check(msg any, access authn.Access) (authn.Access, error) {
	m, ok := msg.(proto.Message)
	if !ok {
		return access, fmt.Errorf("rpc: %T is no protobuf message", msg)
	}
	pm := m.ProtoReflect()
	if path, found := findNUL(pm, ""); found {
		return access, fault.InvalidArgument.New(fault.FieldReason(path, fault.BadText))
	}
	p := c.plan(pm.Descriptor())
	if p.requestID != nil {
		if err := checkRequestID(pm.Get(p.requestID).String()); err != nil {
			return access, err
		}
	}
	if err := c.validator.Validate(m); err != nil {
		var invalid *protovalidate.ValidationError
		if errors.As(err, &invalid) {
			return access, fault.FromViolations(invalid.ToProto())
		}
		return access, fmt.Errorf("rpc: validate %s: %w", pm.Descriptor().FullName(), err)
	}
	return p.checkHall(pm, access)
}

func (c *inspector) plan(d protoreflect.MessageDescriptor) *plan {
	if p, ok := c.plans.Load(d.FullName()); ok {
		return p.(*plan)
	}
	p := &plan{requestID: requestIDField(d)}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		switch {
		case f.Kind() == protoreflect.StringKind && !f.IsMap() && (f.Name() == "name" || f.Name() == "parent" || f.Name() == "names"):
			p.names = append(p.names, namePath{outer: f})
		case f.Kind() == protoreflect.MessageKind && !f.IsList() && !f.IsMap():
			inner := f.Message().Fields().ByName("name")
			if inner != nil && inner.Kind() == protoreflect.StringKind && !inner.IsList() {
				p.names = append(p.names, namePath{outer: f, inner: inner})
			}
		}
	}
	c.plans.Store(d.FullName(), p)
	return p
}

func checkRequestID(id string) error {
	if id == "" {
		return fault.RequestIDMissing.New(fault.Field("request_id"))
	}
	// The parser also takes forms with braces or without hyphens; one id must
	// have one spelling.
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != 36 || parsed == uuid.Nil {
		return fault.RequestIDInvalid.New(fault.Field("request_id"))
	}
	return nil
}

// checkHall leaves of the access what reaches the halls that the message names. A caller
// whose reach ends at its own is refused those of others. The answer is NOT_FOUND:
// whether the thing exists is not its business.
func (p *plan) checkHall(m protoreflect.Message, access authn.Access) (authn.Access, error) {
	if access.Scope != optionsv1.Scope_SCOPE_HALL && access.Scope != optionsv1.Scope_SCOPE_DEPARTMENT {
		return access, nil
	}
	for _, path := range p.names {
		for _, name := range path.values(m) {
			hall, ok := hallOf(name)
			if !ok {
				continue
			}
			if access, ok = access.Within(hall); !ok {
				return access, fault.NotFound.New()
			}
		}
	}
	return access, nil
}

func (n namePath) values(m protoreflect.Message) []string {
	if n.inner != nil {
		if !m.Has(n.outer) {
			return nil
		}
		return []string{m.Get(n.outer).Message().Get(n.inner).String()}
	}
	if !n.outer.IsList() {
		return []string{m.Get(n.outer).String()}
	}
	list := m.Get(n.outer).List()
	out := make([]string, list.Len())
	for i := range out {
		out[i] = list.Get(i).String()
	}
	return out
}

// hallOf takes the division out of a resource name.
func hallOf(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "halls/")
	if !ok {
		return "", false
	}
	hall, _, _ := strings.Cut(rest, "/")
	return hall, true
}

// findNUL looks for a NUL byte in any text of the message. Databases treat it
// differently, and no form of writing needs it. Where it stands is only worked out once
// there is one: nearly no message has any.
func findNUL(m protoreflect.Message, prefix string) (path string, found bool) {
	if !holdsNUL(m) {
		return "", false
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := prefix + string(f.Name())
		switch {
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
				// The key is the caller's text and is not repeated.
				if strings.ContainsRune(k.String(), 0) {
					path, found = at, true
				} else {
					path, found = nulIn(f.MapValue(), e, at+"[*]")
				}
				return !found
			})
		case f.IsList():
			for i := 0; i < v.List().Len() && !found; i++ {
				path, found = nulIn(f, v.List().Get(i), fmt.Sprintf("%s[%d]", at, i))
			}
		default:
			path, found = nulIn(f, v, at)
		}
		return !found
	})
	return path, found
}

func nulIn(f protoreflect.FieldDescriptor, v protoreflect.Value, at string) (string, bool) {
	switch f.Kind() {
	case protoreflect.StringKind:
		return at, strings.ContainsRune(v.String(), 0)
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return findNUL(v.Message(), at+".")
	default:
		return "", false
	}
}

// holdsNUL reports whether any text of the message has one.
func holdsNUL(m protoreflect.Message) (found bool) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		text := f.Kind() == protoreflect.StringKind
		switch {
		case f.IsMap():
			texts, messages := f.MapValue().Kind() == protoreflect.StringKind, f.MapValue().Message() != nil
			v.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
				found = strings.IndexByte(k.String(), 0) >= 0 || texts && strings.IndexByte(e.String(), 0) >= 0 || messages && holdsNUL(e.Message())
				return !found
			})
		case !text && f.Message() == nil:
		case f.IsList():
			for i := 0; i < v.List().Len() && !found; i++ {
				e := v.List().Get(i)
				found = text && strings.IndexByte(e.String(), 0) >= 0 || !text && holdsNUL(e.Message())
			}
		case text:
			found = strings.IndexByte(v.String(), 0) >= 0
		default:
			found = holdsNUL(v.Message())
		}
		return !found
	})
	return found
}
