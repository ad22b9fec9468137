// Package arrows holds the house to its plan: which part may import which. An
// import that runs against an arrow of docs/architecture.md fails here.
package arrows

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const root = "github.com/onehall/onehall/"

// pkg is what `go list` tells of a package, tests included.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports",
		"./proto/...", "./services/...", "./gateway/...", "./deploy/...", "./tools/...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var ps []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

// rooms lists, from the bottom up, which platform room may use which others.
var rooms = map[string][]string{
	"clock":     {},
	"fault":     {},
	"codes":     {"fault"},
	"workday":   {"fault", "codes"},
	"form":      {"fault", "codes"},
	"page":      {"fault"},
	"discovery": {"clock", "fault"},
	"db":        {"clock", "fault"},
	"feed":      {"clock", "fault", "codes", "authn", "db", "page"},
	"almanac":   {"fault", "workday", "db"},
	"authn":     {"clock", "fault", "codes"},
	"rpc":       {"clock", "fault", "authn", "discovery"},
	"boot":      {"clock", "fault", "authn", "discovery", "rpc"},
	"blob":      {"boot"},
}

var services = []string{"catalogue", "casework", "supervision", "review", "hub"}

// testOnly are helpers for tests that the product must not link.
func testOnly(imp string) bool {
	for _, s := range []string{"dbtest", "etcdtest", "boottest", "blobtest"} {
		if strings.HasSuffix(imp, "/"+s) {
			return true
		}
	}
	return false
}

// allowed says whether the package at from may import the package at to; both
// without the root.
func allowed(from, to string, test bool) bool {
	if within(to, from) || testOnly(from) {
		return true // a package and what lies below it are one room
	}
	if testOnly(to) {
		return test || within(from, "deploy/e2e") // which is nothing but a test
	}
	if generated(to) {
		return generatedAllowed(from, to)
	}
	switch {
	case within(from, "proto"):
		return within(to, "proto")
	case within(from, "services/platform"):
		room := strings.Split(strings.TrimPrefix(from, "services/platform/"), "/")[0]
		return platformRoom(to, append([]string{room}, rooms[room]...))
	case within(from, "services"):
		return serviceAllowed(from, to, test)
	case within(from, "gateway"):
		return within(to, "gateway") || to == "proto/openapi" ||
			platformRoom(to, []string{"boot", "rpc", "discovery", "fault", "authn", "page", "clock", "codes", "form"})
	case within(from, "deploy"):
		return true
	}
	return false
}

func serviceAllowed(from, to string, test bool) bool {
	name := strings.Split(from, "/")[1]
	own := "services/" + name
	all := []string{"clock", "fault", "codes", "workday", "form", "page", "discovery", "db", "feed", "authn", "rpc", "boot", "blob", "almanac"}
	switch {
	case within(from, own+"/internal/rules"):
		return within(to, own+"/internal/rules") || platformRoom(to, []string{"workday", "codes", "fault"})
	case within(from, own+"/internal/store"):
		return within(to, own+"/internal/store") || within(to, own+"/internal/rules") ||
			platformRoom(to, []string{"db", "feed", "page", "fault"}) || test && platformRoom(to, all)
	}
	return within(to, own) || platformRoom(to, all)
}

func generated(to string) bool { return within(to, "proto/gen") }

// generatedAllowed keeps the contract out of the rules, and all of it but the
// feed and the marks out of the platform. The almanac reads what the catalogue
// publishes for all to count by, and explains a case's dates.
func generatedAllowed(from, to string) bool {
	switch {
	case strings.Contains(from, "/internal/rules"):
		return false
	case within(from, "services/platform/almanac") && (within(to, "proto/gen/onehall/catalogue") || within(to, "proto/gen/onehall/casework")):
		return true
	case within(from, "services/platform"):
		return within(to, "proto/gen/onehall/feed") || within(to, "proto/gen/onehall/options")
	}
	return true
}

func platformRoom(to string, rooms []string) bool {
	for _, r := range rooms {
		if within(to, "services/platform/"+r) {
			return true
		}
	}
	return false
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func TestArrows(t *testing.T) {
	ps := list(t)
	if len(ps) < 30 {
		t.Fatalf("go list gave only %d packages", len(ps))
	}
	for _, p := range ps {
		check(t, p.ImportPath, p.Imports, false)
		check(t, p.ImportPath, p.TestImports, true)
		check(t, p.ImportPath, p.XTestImports, true)
	}
}

func check(t *testing.T, from string, imports []string, test bool) {
	t.Helper()
	from = strings.TrimPrefix(from, root)
	for _, to := range imports {
		if strings.Contains(from, "/internal/rules") && !test && banned(to) && !language(from, to) {
			t.Errorf("%s: rules use the standard library alone, not %s", from, to)
		}
		if !strings.HasPrefix(to, root) {
			continue
		}
		if to = strings.TrimPrefix(to, root); !allowed(from, to, test) {
			t.Errorf("%s must not import %s", from, to)
		}
	}
}

// banned says whether rules, which are pure, may not use a package.
func banned(to string) bool {
	first, _, _ := strings.Cut(to, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(to, root) || to == "database/sql"
}

// language allows supervision's rules the language that their conditions are written
// in: a hall brings rules of its own, as data.
func language(from, to string) bool {
	return within(from, "services/supervision/internal/rules") && strings.HasPrefix(to, "cel.dev/cel-go/")
}

// The test itself must be able to fail.
func TestArrowsRefuse(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"services/casework", "services/catalogue", false, false},
		{"services/casework", "services/catalogue", true, false},
		{"services/casework/internal/rules", "services/platform/workday", false, true},
		{"services/casework/internal/rules", "services/platform/db", false, false},
		{"services/casework/internal/rules", "proto/gen/onehall/casework/v1", false, false},
		{"services/casework/internal/store", "services/platform/rpc", false, false},
		{"services/platform/db", "services/platform/feed", false, false},
		{"services/platform/feed", "services/platform/db", false, true},
		{"services/platform/rpc", "proto/gen/onehall/casework/v1", false, false},
		{"gateway", "services/casework", false, false},
		{"gateway", "services/platform/db", false, false},
		{"services/casework", "services/platform/db/dbtest", false, false},
		{"services/casework", "services/platform/db/dbtest", true, true},
		{"proto", "services/platform/fault", false, false},
		{"deploy/onehall", "services/casework", false, true},
		{"services/casework", "gateway", false, false},
	} {
		if got := allowed(c.from, c.to, c.test); got != c.ok {
			t.Errorf("%s -> %s (test %v): allowed %v, want %v", c.from, c.to, c.test, got, c.ok)
		}
	}
	for _, s := range services {
		for _, o := range services {
			if s != o && allowed("services/"+s, "services/"+o, true) {
				t.Errorf("%s may import %s", s, o)
			}
		}
	}
}
