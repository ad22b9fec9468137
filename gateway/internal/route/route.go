// Package route knows every REST method from the contract itself: which path and HTTP
// method lead to which RPC, what its body fills and which query parameters it takes.
// The gateway asks it before it lets a request near the generated handlers, so that
// what a path does not offer is refused with the right words.
package route

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Route is one HTTP rule of one RPC.
type Route struct {
	// Method is the HTTP method.
	Method string
	// Pattern is the path as in the contract, /v1/{name=halls/*}:launch.
	Pattern string
	// RPC is the method called.
	RPC protoreflect.MethodDescriptor
	// Body is the message that the HTTP body fills; nil when there is no body.
	Body protoreflect.MessageDescriptor
	// BodyField is the request's field that the body fills; empty for the whole request.
	BodyField string

	segments []string // "*" stands for any one segment
	verb     string
	vars     []variable
	// bound are the first parts of fields that path and body fill.
	bound map[string]bool
}

// variable is a field of the request that a stretch of the path fills.
type variable struct {
	field    string
	from, to int
}

// FullMethod is the RPC's name as gRPC writes it.
func (r *Route) FullMethod() string {
	return "/" + string(r.RPC.Parent().FullName()) + "/" + string(r.RPC.Name())
}

// Streams says whether the RPC answers with a stream.
func (r *Route) Streams() bool { return r.RPC.IsStreamingServer() }

// Uploads says whether the body carries a file: a field of bytes, base64 in JSON.
func (r *Route) Uploads() bool {
	for i := 0; r.Body != nil && i < r.Body.Fields().Len(); i++ {
		if r.Body.Fields().Get(i).Kind() == protoreflect.BytesKind {
			return true
		}
	}
	return false
}

// Table finds routes.
type Table struct {
	routes []*Route
	// byShape groups routes by verb and number of segments.
	byShape map[shape][]*Route
}

type shape struct {
	verb string
	n    int
}

// New makes the table of the services' HTTP rules.
func New(services ...protoreflect.ServiceDescriptor) (*Table, error) {
	t := &Table{byShape: map[shape][]*Route{}}
	for _, sd := range services {
		for i := range sd.Methods().Len() {
			md := sd.Methods().Get(i)
			rule, ok := proto.GetExtension(md.Options(), annotations.E_Http).(*annotations.HttpRule)
			if !ok || rule == nil {
				return nil, fmt.Errorf("route: %s has no HTTP rule", md.FullName())
			}
			for _, one := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
				if err := t.add(md, one); err != nil {
					return nil, fmt.Errorf("route: %s: %w", md.FullName(), err)
				}
			}
		}
	}
	return t, nil
}

func (t *Table) add(md protoreflect.MethodDescriptor, rule *annotations.HttpRule) error {
	r := &Route{RPC: md, bound: map[string]bool{}}
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.Method, r.Pattern = http.MethodGet, p.Get
	case *annotations.HttpRule_Post:
		r.Method, r.Pattern = http.MethodPost, p.Post
	case *annotations.HttpRule_Patch:
		r.Method, r.Pattern = http.MethodPatch, p.Patch
	case *annotations.HttpRule_Put:
		r.Method, r.Pattern = http.MethodPut, p.Put
	case *annotations.HttpRule_Delete:
		r.Method, r.Pattern = http.MethodDelete, p.Delete
	default:
		return errors.New("the HTTP rule has no path")
	}
	if err := r.parse(); err != nil {
		return err
	}
	if err := r.findBody(rule.GetBody()); err != nil {
		return err
	}
	for _, other := range t.byShape[shape{r.verb, len(r.segments)}] {
		if other.Method == r.Method && overlap(other.segments, r.segments) {
			return fmt.Errorf("%s overlaps %s of %s", r.Pattern, other.Pattern, other.RPC.FullName())
		}
	}
	t.routes = append(t.routes, r)
	key := shape{r.verb, len(r.segments)}
	t.byShape[key] = append(t.byShape[key], r)
	return nil
}

func (r *Route) findBody(body string) error {
	switch body {
	case "":
	case "*":
		r.Body = r.RPC.Input()
	default:
		fd := r.RPC.Input().Fields().ByName(protoreflect.Name(body))
		if fd == nil || fd.Message() == nil || fd.IsList() || fd.IsMap() {
			return fmt.Errorf("body %s is no message field", body)
		}
		r.Body, r.BodyField = fd.Message(), body
		r.bound[body] = true
	}
	return nil
}

// parse splits the pattern. A variable's own stars must be single: a double star would
// let a path swallow slashes.
func (r *Route) parse() error {
	rest := r.Pattern
	for rest != "" {
		if rest[0] == ':' {
			r.verb = rest[1:]
			break
		}
		if rest[0] != '/' {
			return fmt.Errorf("pattern %s: slash expected", r.Pattern)
		}
		rest = rest[1:]
		if !strings.HasPrefix(rest, "{") {
			end := strings.IndexAny(rest, "/:")
			if end < 0 {
				end = len(rest)
			}
			r.segments = append(r.segments, rest[:end])
			rest = rest[end:]
			continue
		}
		inner, after, ok := strings.Cut(rest[1:], "}")
		if !ok {
			return fmt.Errorf("pattern %s: brace not closed", r.Pattern)
		}
		field, template, has := strings.Cut(inner, "=")
		if !has {
			template = "*"
		}
		from := len(r.segments)
		r.segments = append(r.segments, strings.Split(template, "/")...)
		r.vars = append(r.vars, variable{field: field, from: from, to: len(r.segments)})
		r.bound[field] = true
		rest = after
	}
	if slices.Contains(r.segments, "**") || slices.Contains(r.segments, "") {
		return fmt.Errorf("pattern %s: cannot route", r.Pattern)
	}
	return nil
}

func overlap(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] && a[i] != "*" && b[i] != "*" {
			return false
		}
	}
	return true
}

func (r *Route) matches(segments []string) bool {
	for i, want := range r.segments {
		if want != "*" && want != segments[i] {
			return false
		}
	}
	return true
}

// Match finds the route of a path, and the methods the path offers. A route that was
// not found with methods offered is a wrong method; without, a wrong path.
func (t *Table) Match(method, path string) (found *Route, vars map[string]string, offered []string) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	last := len(segments) - 1
	var verb string
	// A name never holds a colon, so one always begins a verb.
	var marked bool
	segments[last], verb, marked = strings.Cut(segments[last], ":")
	if slices.Contains(segments, "") || marked && verb == "" {
		return nil, nil, nil
	}
	for _, r := range t.byShape[shape{verb, len(segments)}] {
		if !r.matches(segments) {
			continue
		}
		offered = append(offered, r.Method)
		if r.Method == method {
			found = r
		}
	}
	if found != nil {
		vars = make(map[string]string, len(found.vars))
		for _, v := range found.vars {
			vars[v.field] = strings.Join(segments[v.from:v.to], "/")
		}
	}
	slices.Sort(offered)
	return found, vars, slices.Compact(offered)
}

// All lists the routes, for documentation and tests.
func (t *Table) All() []*Route { return slices.Clone(t.routes) }
