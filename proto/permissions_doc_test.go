package proto_test

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
)

var update = flag.Bool("update", false, "write the generated part of docs/identity.md anew instead of comparing it")

// identityPage is the page that says who may do what.
const identityPage = "../docs/identity.md"

// The generated part of the page stands between these lines.
const (
	pageBegin = "<!-- generated: go test ./proto -run TestPermissionsPage -update -->"
	pageEnd   = "<!-- end of the generated part -->"
)

// TestPermissionsPage holds the documented permissions to those that the servers
// enforce: both are read from the same descriptors.
func TestPermissionsPage(t *testing.T) {
	raw, err := os.ReadFile(identityPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), pageBegin)
	_, after, ok2 := strings.Cut(rest, pageEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the lines around its generated part", identityPage)
	}
	want := before + pageBegin + "\n\n" + permissionTables(t) + pageEnd + after
	if *update {
		if err := os.WriteFile(identityPage, []byte(want), 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
		return
	}
	if want != string(raw) {
		t.Errorf("%s is stale; run: go test ./proto -run TestPermissionsPage -update", identityPage)
	}
}

// permissionTables is one table a service, the methods in the order of the contract.
func permissionTables(t *testing.T) string {
	tables := map[string]*strings.Builder{}
	eachMethod(t, func(m protoreflect.MethodDescriptor) {
		service := string(m.Parent().FullName())
		b := tables[service]
		if b == nil {
			b = &strings.Builder{}
			fmt.Fprintf(b, "### %s\n\n| Call | REST | Who |\n|---|---|---|\n", service)
			tables[service] = b
		}
		name := string(m.Name())
		if m.IsStreamingServer() {
			name += " (stream)"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, addressOf(m), whoMay(m))
	})
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	sort.Strings(names)
	var all strings.Builder
	for _, name := range names {
		all.WriteString(tables[name].String() + "\n")
	}
	return all.String()
}

// addressOf is the method's verb and path, or a dash for one that REST does not offer.
func addressOf(m protoreflect.MethodDescriptor) string {
	rule, ok := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return "–"
	}
	verb, path := restOf(rule)
	return "`" + verb + " " + path + "`"
}

// whoMay spells the permission: everybody, or each role with how far it reaches.
func whoMay(m protoreflect.MethodDescriptor) string {
	p, ok := proto.GetExtension(m.Options(), optionsv1.E_Permission).(*optionsv1.Permission)
	if !ok || p == nil {
		return "nobody"
	}
	if p.GetPublic() {
		return "everybody"
	}
	var grants []string
	for _, g := range p.GetGrants() {
		role := strings.ToLower(strings.TrimPrefix(g.GetRole().String(), "ROLE_"))
		scope := strings.ToLower(strings.TrimPrefix(g.GetScope().String(), "SCOPE_"))
		grants = append(grants, role+" ("+scope+")")
	}
	return strings.Join(grants, ", ")
}
