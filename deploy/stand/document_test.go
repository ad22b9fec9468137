package stand

import (
	"encoding"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onehall/onehall/services/platform/boot"
)

var update = flag.Bool("update", false, "write the generated part of docs/configuration.md anew instead of comparing it")

const (
	// root is the repository, seen from this package.
	root       = "../.."
	module     = "github.com/onehall/onehall/"
	configPage = root + "/docs/configuration.md"
)

// The generated part of the page stands between these lines.
const (
	pageBegin = "<!-- generated: go test ./deploy/stand -run TestConfigurationPage -update -->"
	pageEnd   = "<!-- end of the generated part -->"
)

// TestConfigurationPage holds the documented keys and defaults to the program's.
func TestConfigurationPage(t *testing.T) {
	raw, err := os.ReadFile(configPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), pageBegin)
	_, after, ok2 := strings.Cut(rest, pageEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the lines around its generated part", configPage)
	}
	want := before + pageBegin + "\n\n" + configTables(t) + pageEnd + after
	if *update {
		if err := os.WriteFile(configPage, []byte(want), 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
		return
	}
	if want != string(raw) {
		t.Errorf("%s is stale; run: go test ./deploy/stand -run TestConfigurationPage -update", configPage)
	}
}

// configKey is one key of the configuration.
type configKey struct {
	name, value, text string
}

func configTables(t *testing.T) string {
	keys := (&walker{t: t, comments: map[string]map[string]string{}}).walk("", reflect.ValueOf(DefaultConfig()))
	var order []string
	sections := map[string][]configKey{}
	for _, k := range keys {
		section, _, nested := strings.Cut(k.name, ".")
		if !nested {
			section = ""
		}
		if !slices.Contains(order, section) {
			order = append(order, section)
		}
		sections[section] = append(sections[section], k)
	}
	slices.Sort(order)
	var b strings.Builder
	for _, section := range order {
		title := "`" + section + "`"
		if section == "" {
			title = "At the top"
		}
		fmt.Fprintf(&b, "### %s\n\n| Key | Default | Meaning |\n|---|---|---|\n", title)
		for _, k := range sections[section] {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, k.value, k.text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// walker finds the keys of a configuration and reads what the source says of them.
type walker struct {
	t        *testing.T
	comments map[string]map[string]string // by package path, then Type.Field
}

func (w *walker) walk(prefix string, v reflect.Value) []configKey {
	var keys []configKey
	last := ""
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		if option == "squash" {
			keys = append(keys, w.walk(prefix, v.Field(i))...)
			continue
		}
		if name == "" {
			w.t.Errorf("%s.%s has no koanf tag", v.Type(), f.Name)
		}
		text, fresh := w.comment(v.Type(), f.Name)
		if !fresh {
			text = last // one comment may be about several lines
		}
		last = text
		if text == "" {
			text, _ = w.comment(v.Type(), "")
		}
		if name != "-" { // else the program fills it in
			keys = append(keys, w.key(prefix+name, text, v.Field(i))...)
		}
	}
	return keys
}

// key is a key itself, or those below it.
func (w *walker) key(name, text string, v reflect.Value) []configKey {
	plain := configKey{name, show(v), text}
	switch {
	case v.Kind() == reflect.Struct:
		return w.walk(name+".", v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		return append([]configKey{plain}, w.walk(name+"[].", reflect.New(v.Type().Elem()).Elem())...)
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.Struct:
		return append([]configKey{plain}, w.walk(name+".*.", reflect.New(v.Type().Elem()).Elem())...)
	}
	return []configKey{plain}
}

// show spells a default as one would write it in the file.
func show(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case boot.Secret:
		return "none (a secret)"
	case time.Duration:
		return "`" + short(x.String()) + "`"
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return fmt.Sprintf("`%s` %v", text, err)
	}
	switch {
	case v.IsZero() && (v.Kind() == reflect.Slice || v.Kind() == reflect.Map):
		return "none"
	case v.IsZero() && v.Kind() == reflect.String:
		return "empty"
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		return fmt.Sprintf("%d below", v.Len())
	case v.Kind() == reflect.Slice:
		var all []string
		for i := range v.Len() {
			all = append(all, fmt.Sprint(v.Index(i).Interface()))
		}
		return "`" + strings.Join(all, ",") + "`"
	}
	return "`" + fmt.Sprint(v.Interface()) + "`"
}

// short writes 24h0m0s as 24h.
func short(d string) string {
	if strings.HasSuffix(d, "m0s") {
		d = strings.TrimSuffix(d, "0s")
	}
	if strings.HasSuffix(d, "h0m") {
		d = strings.TrimSuffix(d, "0m")
	}
	return d
}

// comment is the source's comment of a field, or of the type itself for an empty field;
// false where there is none.
func (w *walker) comment(typ reflect.Type, field string) (string, bool) {
	path := typ.PkgPath()
	if w.comments[path] == nil {
		w.comments[path] = w.parse(filepath.Join(root, strings.TrimPrefix(path, module)))
	}
	text, ok := w.comments[path][typ.Name()+"."+field]
	return text, ok
}

func (w *walker) parse(dir string) map[string]string {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no source in %s: %v", dir, err)
	}
	found := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			w.t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || len(decl.Specs) != 1 {
				return true
			}
			if spec, ok := decl.Specs[0].(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					found[spec.Name.Name+"."] = oneLine(decl.Doc)
					fieldComments(found, spec.Name.Name, s)
				}
			}
			return true
		})
	}
	return found
}

func fieldComments(into map[string]string, typ string, s *ast.StructType) {
	for _, f := range s.Fields.List {
		if f.Doc == nil {
			continue
		}
		for _, name := range f.Names {
			into[typ+"."+name.Name] = oneLine(f.Doc)
		}
	}
}

// oneLine is a comment as it fits into a table.
func oneLine(c *ast.CommentGroup) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(c.Text()), " "), "|", "\\|")
}

// links are the targets of the links in a page.
var links = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)

// TestLinks refuses a page that points at a file or a heading which is not there.
func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	if len(pages) < 15 {
		t.Fatalf("found only %d pages", len(pages))
	}
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range links.FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			target := filepath.Join(filepath.Dir(page), m[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s points at %s, which is not there", page, m[1])
			} else if m[2] != "" && !slices.Contains(headings(t, target), m[2]) {
				t.Errorf("%s points at %s%s, which is no heading there", page, m[1], m[2])
			}
		}
	}
}

// headings are the anchors of a page, as forges make them.
func headings(t *testing.T, page string) []string {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(raw)) {
		text, ok := strings.CutPrefix(strings.TrimLeft(strings.TrimSpace(line), "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
		all = append(all, "#"+strings.ReplaceAll(strings.ToLower(drop.ReplaceAllString(text, "")), " ", "-"))
	}
	return all
}
