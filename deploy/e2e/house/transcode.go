package house

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Call is an RPC's REST form.
type Call struct {
	Method, Path string
	// Body is nil where the method takes none.
	Body []byte
}

// REST writes a request of an RPC as its HTTP rule says. It is written from the
// contract alone and shares nothing with the gateway.
func REST(md protoreflect.MethodDescriptor, m proto.Message) (Call, error) {
	rule, ok := proto.GetExtension(md.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return Call{}, fmt.Errorf("%s has no HTTP rule", md.FullName())
	}
	rest := proto.Clone(m).ProtoReflect()
	c := Call{}
	var pattern string
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		c.Method, pattern = http.MethodGet, p.Get
	case *annotations.HttpRule_Post:
		c.Method, pattern = http.MethodPost, p.Post
	case *annotations.HttpRule_Patch:
		c.Method, pattern = http.MethodPatch, p.Patch
	default:
		return Call{}, fmt.Errorf("%s: unknown kind of HTTP rule", md.FullName())
	}
	c.Path = fillPath(pattern, rest)
	var err error
	switch body := rule.GetBody(); body {
	case "":
	case "*":
		c.Body, err = protojson.Marshal(rest.Interface())
		return c, err
	default:
		fd := rest.Descriptor().Fields().ByName(protoreflect.Name(body))
		if c.Body, err = protojson.Marshal(rest.Get(fd).Message().Interface()); err != nil {
			return c, err
		}
		rest.Clear(fd)
	}
	values := url.Values{}
	query(values, "", rest)
	if len(values) > 0 {
		c.Path += "?" + values.Encode()
	}
	return c, nil
}

// fillPath puts fields into a path pattern and takes them out of the message.
func fillPath(pattern string, m protoreflect.Message) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(pattern, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		variable, rest, _ := strings.Cut(after, "}")
		field, _, _ := strings.Cut(variable, "=")
		out.WriteString((&url.URL{Path: take(m, strings.Split(field, "."))}).EscapedPath())
		pattern = rest
	}
}

func take(m protoreflect.Message, path []string) string {
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(path[0]))
	if len(path) > 1 {
		if !m.Has(fd) {
			return ""
		}
		return take(m.Mutable(fd).Message(), path[1:])
	}
	v := m.Get(fd).String()
	m.Clear(fd)
	return v
}

// query writes what is set as query parameters.
func query(values url.Values, prefix string, m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := prefix + fd.JSONName()
		switch {
		case fd.IsList():
			for i := range v.List().Len() {
				values.Add(name, scalar(fd, v.List().Get(i)))
			}
		case fd.Message() != nil && fd.Message().FullName() == "google.protobuf.FieldMask":
			values.Add(name, strings.Join(paths(v.Message()), ","))
		case fd.Message() != nil:
			query(values, name+".", v.Message())
		default:
			values.Add(name, scalar(fd, v))
		}
		return true
	})
}

func paths(mask protoreflect.Message) []string {
	list := mask.Get(mask.Descriptor().Fields().ByName("paths")).List()
	out := make([]string, list.Len())
	for i := range out {
		out[i] = list.Get(i).String()
	}
	return out
}

func scalar(fd protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if fd.Kind() == protoreflect.EnumKind {
		if named := fd.Enum().Values().ByNumber(v.Enum()); named != nil {
			return string(named.Name())
		}
	}
	return v.String()
}

// JSON is a message as the API writes it.
func JSON(m proto.Message) (string, error) {
	raw, err := protojson.Marshal(m)
	return string(raw), err
}
