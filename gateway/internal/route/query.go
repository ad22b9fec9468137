package route

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"

	"github.com/onehall/onehall/services/platform/fault"
)

// maxParameters bounds how many parameters a query may have.
const maxParameters = 64

// noFilter lets the parser fill any field: those of path and body are refused before.
var noFilter = utilities.NewDoubleArray(nil)

// CheckQuery refuses parameters that the method does not have, that are given twice or
// that cannot be read; grpc-gateway would drop the first kind in silence.
func (r *Route) CheckQuery(raw string) error {
	if raw == "" {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return fault.BadPath.New(fault.Cause(err))
	}
	_, err = r.fill(values)
	return err
}

// Request makes the RPC's request from a path and a query, for methods without body.
func (r *Route) Request(vars map[string]string, raw string) (proto.Message, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.BadPath.New(fault.Cause(err))
	}
	req, err := r.fill(values)
	if err != nil {
		return nil, err
	}
	for field, value := range vars {
		if err := runtime.PopulateFieldFromPath(req, field, value); err != nil {
			return nil, fault.BadPath.New(fault.Cause(err))
		}
	}
	return req, nil
}

func (r *Route) fill(values url.Values) (proto.Message, error) {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(r.RPC.Input().FullName())
	if err != nil {
		return nil, fault.Internal.New(fault.Cause(err))
	}
	req := mt.New().Interface()
	if len(values) > maxParameters {
		return nil, fault.UnknownParameter.New()
	}
	seen := map[string]bool{}
	// In order, so that the same query is always refused for the same parameter.
	for _, key := range slices.Sorted(maps.Keys(values)) {
		vs := values[key]
		path, fd := r.parameter(key)
		if fd == nil {
			return nil, fault.UnknownParameter.New(fault.Field(speakable(key)))
		}
		if seen[path] || len(vs) > 1 && !fd.IsList() {
			return nil, fault.DuplicateKey.New(fault.Field(path))
		}
		seen[path] = true
		for _, v := range vs {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, fault.BadText.New(fault.Field(path))
			}
		}
		if err := runtime.PopulateQueryParameters(req, url.Values{path: vs}, noFilter); err != nil {
			return nil, fault.InvalidArgument.New(fault.Cause(err), fault.Violations(fault.Violation{
				Field: path, Reason: "WRONG_TYPE", ZH: "值的类型不正确", EN: "has a value of the wrong type",
			}))
		}
	}
	return req, nil
}

// parameter finds the request's field that a key names in either spelling, and its path
// in proto names; nil when there is none or when path or body fill it.
func (r *Route) parameter(key string) (string, protoreflect.FieldDescriptor) {
	if r.Body != nil && r.BodyField == "" || len(key) > 200 {
		return "", nil
	}
	md := r.RPC.Input()
	var path []string
	parts := strings.Split(key, ".")
	for i, part := range parts {
		fd := md.Fields().ByTextName(part)
		if fd == nil {
			fd = md.Fields().ByJSONName(part)
		}
		if fd == nil || fd.IsMap() {
			return "", nil
		}
		path = append(path, string(fd.Name()))
		if r.bound[strings.Join(path, ".")] {
			return "", nil
		}
		if i == len(parts)-1 {
			return strings.Join(path, "."), fd
		}
		if fd.Message() == nil || fd.IsList() {
			return "", nil
		}
		md = fd.Message()
	}
	return "", nil
}

// speakable is a key if it could be a parameter's name, and a star otherwise.
func speakable(key string) string {
	if key == "" || len(key) > 64 {
		return "*"
	}
	for _, c := range key {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.') {
			return "*"
		}
	}
	return key
}
