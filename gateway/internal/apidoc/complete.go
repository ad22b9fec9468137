package apidoc

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/onehall/onehall/gateway/internal/route"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
)

const (
	refPrefix  = "#/definitions/"
	errorName  = "onehall.Error"
	statusName = "google.rpc.Status"
)

// complete adds to the generated document what only the gateway knows.
func (d *document) complete(routes []*route.Route, version string) error {
	if version == "" {
		version = "development"
	}
	d.Info = docInfo{
		Title: "OneHall", Version: version,
		Description: "Public services of a hall: what can be applied for, cases, supervision, reviews and figures.",
	}
	d.Security = map[string]map[string]string{"bearer": {
		"type": "apiKey", "in": "header", "name": "Authorization", "description": "Bearer and a token of the hall's issuer.",
	}}
	byID := map[string]*operation{}
	for _, methods := range d.Paths {
		for _, op := range methods {
			byID[op.OperationID] = op
		}
	}
	d.Paths = map[string]map[string]*operation{}
	for _, r := range routes {
		id := string(r.RPC.Parent().Name()) + "_" + string(r.RPC.Name())
		op := byID[id]
		if op == nil {
			return fmt.Errorf("apidoc: the generated document lacks %s", id)
		}
		op.complete(r)
		path := readable(r)
		if d.Paths[path] == nil {
			d.Paths[path] = map[string]*operation{}
		}
		d.Paths[path][strings.ToLower(r.Method)] = op
	}
	d.tidy()
	return nil
}

// complete writes out the path's names, the permission and the error.
func (op *operation) complete(r *route.Route) {
	var params []parameter
	for _, name := range pathNames(r) {
		params = append(params, parameter{Name: name, In: "path", Required: true, Type: "string"})
	}
	for _, p := range op.Parameters {
		if p.In != "path" {
			params = append(params, p)
		}
	}
	op.Parameters = params
	op.Permission = permission(r.RPC)
	if op.Permission != public {
		op.Security = []map[string][]string{{"bearer": {}}}
	}
	ok := op.Responses["200"]
	ok.Description = "Success."
	if r.Streams() {
		op.Produces = []string{"application/x-ndjson", "text/event-stream"}
		ok.Description = "A line or an event for each message; the last one is end or error. Without either the stream was cut."
		ok.Schema.Properties = append(ok.Schema.Properties, property{"end", &schema{
			Type: "object", Properties: properties{{"position", &schema{Type: "string", Format: "int64"}}},
		}})
	}
	op.Responses["200"] = ok
	op.Responses["default"] = response{Description: "A refusal.", Schema: &schema{Ref: refPrefix + errorName}}
}

// readable writes a path with one name for each of its parts.
func readable(r *route.Route) string {
	names := pathNames(r)
	var b strings.Builder
	rest := r.Pattern
	for rest != "" {
		switch rest[0] {
		case '*':
			b.WriteString("{" + names[0] + "}")
			names = names[1:]
		case '{':
			rest = rest[strings.IndexByte(rest, '='):]
		case '}':
		default:
			b.WriteByte(rest[0])
		}
		rest = rest[1:]
	}
	return b.String()
}

// pathNames names each star of a path after the collection before it.
func pathNames(r *route.Route) []string {
	var names []string
	parts := strings.FieldsFunc(r.Pattern, func(c rune) bool { return strings.ContainsRune("/{}:=", c) })
	for i, part := range parts {
		if part == "*" && i > 0 {
			names = append(names, strings.TrimSuffix(parts[i-1], "s"))
		}
	}
	return names
}

const public = "公开"

// Words for the roles and scopes of the contract.
var (
	roleWords = map[optionsv1.Role]string{
		optionsv1.Role_ROLE_APPLICANT: "申请人", optionsv1.Role_ROLE_WINDOW: "窗口人员", optionsv1.Role_ROLE_OFFICER: "承办、审核人员",
		optionsv1.Role_ROLE_HEAD: "负责人", optionsv1.Role_ROLE_EDITOR: "事项编辑", optionsv1.Role_ROLE_PUBLISHER: "事项发布人员",
		optionsv1.Role_ROLE_SUPERVISOR: "监察人员", optionsv1.Role_ROLE_ANALYST: "统计人员", optionsv1.Role_ROLE_ADMIN: "管理员",
		optionsv1.Role_ROLE_SERVICE: "系统服务", optionsv1.Role_ROLE_EXCHANGE: "交换前置机",
	}
	scopeWords = map[optionsv1.Scope]string{
		optionsv1.Scope_SCOPE_OWN: "本人", optionsv1.Scope_SCOPE_DEPARTMENT: "本部门", optionsv1.Scope_SCOPE_HALL: "本厅", optionsv1.Scope_SCOPE_ALL: "全部",
	}
)

// permission says who may call a method.
func permission(md protoreflect.MethodDescriptor) string {
	p, ok := proto.GetExtension(md.Options(), optionsv1.E_Permission).(*optionsv1.Permission)
	if !ok || p.GetPublic() {
		return public
	}
	var words []string
	for _, g := range p.GetGrants() {
		words = append(words, roleWords[g.GetRole()]+"（"+scopeWords[g.GetScope()]+"）")
	}
	return strings.Join(words, "、")
}

// tidy puts our error in the place of gRPC's, and drops what nothing refers to.
func (d *document) tidy() {
	d.Definitions[errorName] = errorSchema()
	used := map[string]bool{}
	var follow func(s *schema)
	follow = func(s *schema) {
		s.Ref = strings.Replace(s.Ref, refPrefix+statusName, refPrefix+errorName, 1)
		name := strings.TrimPrefix(s.Ref, refPrefix)
		if !used[name] {
			used[name] = true
			d.Definitions[name].refs(follow)
		}
	}
	tags := map[string]bool{}
	for _, methods := range d.Paths {
		for _, op := range methods {
			tags[op.Tags[0]] = true
			for _, p := range op.Parameters {
				p.Schema.refs(follow)
			}
			for _, r := range op.Responses {
				r.Schema.refs(follow)
			}
		}
	}
	maps.DeleteFunc(d.Definitions, func(name string, _ *schema) bool { return !used[name] })
	d.Tags = slices.DeleteFunc(d.Tags, func(t tag) bool { return !tags[t.Name] })
}

func errorSchema() *schema {
	text := func(what string) *schema { return &schema{Type: "string", Description: what} }
	violation := &schema{Type: "object", Properties: properties{
		{"field", text("The field's path in the request, as case.applicant.idNumber.")},
		{"reason", text("The machine-readable word.")},
		{"message", text("What is wrong, for people.")},
	}}
	return &schema{Type: "object", Description: "The body of every refusal.", Properties: properties{{"error", &schema{
		Type: "object", Properties: properties{
			{"code", &schema{Type: "integer", Format: "int32", Description: "The HTTP status."}},
			{"status", text("The gRPC status, as FAILED_PRECONDITION.")},
			{"reason", text("The machine-readable word, as CASE_WRONG_STATE.")},
			{"message", text("A sentence for people: Chinese, or English when Accept-Language asks for it.")},
			{"fieldViolations", &schema{Type: "array", Items: violation}},
			{"metadata", &schema{Type: "object", AdditionalProperties: &schema{Type: "string"}, Description: "Further facts for programs."}},
			{"requestId", text("The id under which the hall's logs know the request.")},
			{"retryAfterMs", &schema{Type: "integer", Format: "int64", Description: "When trying again makes sense."}},
		},
	}}}}
}
