// Package proto_test holds the contract to its own rules by walking the
// compiled descriptors: a schema that breaks one does not build a release.
package proto_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// eachFile calls f for every schema of ours.
func eachFile(t *testing.T, f func(protoreflect.FileDescriptor)) {
	t.Helper()
	n := 0
	protoregistry.GlobalFiles.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(fd.Package()), "onehall.") {
			n++
			f(fd)
		}
		return true
	})
	written, err := filepath.Glob("onehall/*/v1/*.proto")
	if err != nil || n == 0 || n != len(written) {
		t.Fatalf("walked %d schemas of %d: %v", n, len(written), err)
	}
}

func eachMethod(t *testing.T, f func(protoreflect.MethodDescriptor)) {
	t.Helper()
	n := 0
	eachFile(t, func(fd protoreflect.FileDescriptor) {
		for i := range fd.Services().Len() {
			ms := fd.Services().Get(i).Methods()
			for j := range ms.Len() {
				n++
				f(ms.Get(j))
			}
		}
	})
	if n < 60 {
		t.Fatalf("walked only %d methods", n)
	}
}

func eachMessage(t *testing.T, f func(protoreflect.MessageDescriptor)) {
	t.Helper()
	var walk func(protoreflect.MessageDescriptors)
	walk = func(ms protoreflect.MessageDescriptors) {
		for i := range ms.Len() {
			if !ms.Get(i).IsMapEntry() {
				f(ms.Get(i))
			}
			walk(ms.Get(i).Messages())
		}
	}
	eachFile(t, func(fd protoreflect.FileDescriptor) { walk(fd.Messages()) })
}

func readOnly(m protoreflect.MethodDescriptor) bool {
	o := m.Options().(*descriptorpb.MethodOptions)
	return o.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}

// Every method says who may call it: one without a permission could be called
// by nobody or by everybody, and neither is meant.
func TestEveryMethodDeclaresAPermission(t *testing.T) {
	eachMethod(t, func(m protoreflect.MethodDescriptor) {
		p, ok := proto.GetExtension(m.Options(), optionsv1.E_Permission).(*optionsv1.Permission)
		if !ok || p == nil {
			t.Errorf("%s declares no permission", m.FullName())
			return
		}
		if p.GetPublic() == (len(p.GetGrants()) > 0) {
			t.Errorf("%s must be public or have grants, not both or neither", m.FullName())
		}
		if p.GetPublic() && !readOnly(m) {
			t.Errorf("%s is public but writes", m.FullName())
		}
		for _, g := range p.GetGrants() {
			if g.GetRole() == 0 || g.GetScope() == 0 {
				t.Errorf("%s has an empty grant", m.FullName())
			}
		}
	})
}

// A supervisor sees everything and changes no case; only its own cards.
func TestSupervisorChangesNoCase(t *testing.T) {
	eachMethod(t, func(m protoreflect.MethodDescriptor) {
		if readOnly(m) || strings.HasPrefix(string(m.FullName()), "onehall.supervision.") {
			return
		}
		p := proto.GetExtension(m.Options(), optionsv1.E_Permission).(*optionsv1.Permission)
		for _, g := range p.GetGrants() {
			if g.GetRole() == optionsv1.Role_ROLE_SUPERVISOR {
				t.Errorf("%s lets a supervisor write", m.FullName())
			}
		}
	})
}

// A write names a request_id, so that a retry is harmless.
func TestWritesCarryARequestID(t *testing.T) {
	eachMethod(t, func(m protoreflect.MethodDescriptor) {
		f := m.Input().Fields().ByName("request_id")
		if readOnly(m) && f != nil {
			t.Errorf("%s only reads but takes a request_id", m.FullName())
		}
		if !readOnly(m) && (f == nil || f.Kind() != protoreflect.StringKind) {
			t.Errorf("%s writes but takes no request_id", m.FullName())
		}
	})
}

// A change of an existing resource names the etag it was read with (AIP-154).
func TestTransitionsCarryAnEtag(t *testing.T) {
	// These read more than they change, or change what the caller cannot have read.
	without := map[protoreflect.Name]bool{
		"RevealApplicant": true, "CreateDownload": true, "CompleteUpload": true, "CancelUpload": true,
	}
	eachMethod(t, func(m protoreflect.MethodDescriptor) {
		name := m.Input().Fields().ByName("name")
		if readOnly(m) || name == nil || without[m.Name()] {
			return
		}
		if m.Input().Fields().ByName("etag") == nil {
			t.Errorf("%s changes a resource without its etag", m.FullName())
		}
	})
}

// Lists page by token (AIP-158).
func TestListsPage(t *testing.T) {
	// Short closed lists.
	whole := map[protoreflect.Name]bool{"ListRules": true, "ListReviewTags": true, "ListSources": true, "ListExchangeSources": true, "ListMetrics": true}
	eachMethod(t, func(m protoreflect.MethodDescriptor) {
		if !strings.HasPrefix(string(m.Name()), "List") && !strings.HasPrefix(string(m.Name()), "Search") || whole[m.Name()] {
			return
		}
		in, out := m.Input().Fields(), m.Output().Fields()
		if in.ByName("page_size") == nil || in.ByName("page_token") == nil || out.ByName("next_page_token") == nil {
			t.Errorf("%s does not page", m.FullName())
		}
	})
}

var pathVar = regexp.MustCompile(`\{[^}]*\}`)

// Two methods never share a REST path, and each but the feed has one.
func TestRESTPathsAreUnique(t *testing.T) {
	seen := map[string]protoreflect.FullName{}
	eachMethod(t, func(m protoreflect.MethodDescriptor) {
		if m.FullName().Parent() == "onehall.feed.v1.FeedService" {
			return
		}
		r, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
		verb, path := restOf(r)
		if path == "" {
			t.Errorf("%s has no REST path", m.FullName())
			return
		}
		if !strings.HasPrefix(path, "/v1/") {
			t.Errorf("%s: path %s does not begin with /v1/", m.FullName(), path)
		}
		if readOnly(m) && verb != "GET" && !strings.Contains(path, ":") {
			t.Errorf("%s only reads but is %s %s", m.FullName(), verb, path)
		}
		if !readOnly(m) && verb == "GET" {
			t.Errorf("%s writes but is GET", m.FullName())
		}
		k := verb + " " + pathVar.ReplaceAllStringFunc(path, func(v string) string {
			if _, pattern, ok := strings.Cut(strings.Trim(v, "{}"), "="); ok {
				return pattern
			}
			return "*"
		})
		if other, dup := seen[k]; dup {
			t.Errorf("%s and %s share %s", other, m.FullName(), k)
		}
		seen[k] = m.FullName()
	})
}

func restOf(r *annotations.HttpRule) (verb, path string) {
	switch p := r.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET", p.Get
	case *annotations.HttpRule_Post:
		return "POST", p.Post
	case *annotations.HttpRule_Patch:
		return "PATCH", p.Patch
	case *annotations.HttpRule_Put:
		return "PUT", p.Put
	case *annotations.HttpRule_Delete:
		return "DELETE", p.Delete
	}
	return "", ""
}

// A string that comes from outside has a longest length or a pattern.
func TestRequestStringsAreBounded(t *testing.T) {
	// Checked by the interceptors of every server instead.
	central := map[protoreflect.Name]bool{"request_id": true, "etag": true}
	seen := map[protoreflect.FullName]bool{}
	var walk func(m protoreflect.MessageDescriptor)
	walk = func(m protoreflect.MessageDescriptor) {
		if seen[m.FullName()] || !strings.HasPrefix(string(m.FullName()), "onehall.") {
			return
		}
		seen[m.FullName()] = true
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			if outputOnly(f) || central[f.Name()] {
				continue
			}
			if f.IsMap() {
				if !mapBounded(f) {
					t.Errorf("%s takes a map of any size", f.FullName())
				}
				continue
			}
			if f.Kind() == protoreflect.MessageKind {
				walk(f.Message())
			}
			if f.Kind() == protoreflect.StringKind && !bounded(f) {
				t.Errorf("%s takes text of any length", f.FullName())
			}
			if f.IsList() && !listBounded(f) {
				t.Errorf("%s takes a list of any length", f.FullName())
			}
		}
	}
	eachMethod(t, func(m protoreflect.MethodDescriptor) { walk(m.Input()) })
}

// mapBounded reports a map of texts whose number and lengths have a limit.
func mapBounded(f protoreflect.FieldDescriptor) bool {
	r, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
	m := r.GetMap()
	return m.GetMaxPairs() > 0 && m.GetKeys().GetString().GetMaxLen() > 0 && m.GetValues().GetString().GetMaxLen() > 0
}

func outputOnly(f protoreflect.FieldDescriptor) bool {
	bs, _ := proto.GetExtension(f.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	for _, b := range bs {
		if b == annotations.FieldBehavior_OUTPUT_ONLY {
			return true
		}
	}
	return false
}

func rules(f protoreflect.FieldDescriptor) *validate.FieldRules {
	r, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
	return r
}

func bounded(f protoreflect.FieldDescriptor) bool {
	r := rules(f)
	if f.IsList() {
		// The length of the list is asked for elsewhere; items of free text
		// are bounded by the message size and checked by their service.
		return r.GetRepeated() != nil
	}
	s := r.GetString()
	return s.HasMaxLen() || s.HasPattern()
}

func listBounded(f protoreflect.FieldDescriptor) bool {
	return rules(f).GetRepeated().HasMaxItems()
}

// Fields that hold personal data are marked as such, so that nothing has to
// guess what to mask.
func TestPersonalFieldsAreMarked(t *testing.T) {
	personal := regexp.MustCompile(`^(id_number|phone|address|contact_name|collector)$`)
	eachMessage(t, func(m protoreflect.MessageDescriptor) {
		if strings.HasPrefix(string(m.FullName()), "onehall.catalogue.") {
			return // a department's phone and a hall's address are public
		}
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			c, _ := proto.GetExtension(f.Options(), optionsv1.E_DataClass).(optionsv1.DataClass)
			if personal.MatchString(string(f.Name())) && c == optionsv1.DataClass_DATA_CLASS_UNSPECIFIED {
				t.Errorf("%s holds personal data but is not marked", f.FullName())
			}
		}
	})
}

// Everything in the contract says what it is. The compiled descriptors carry
// no comments, so this one reads the text.
func TestEverythingIsCommented(t *testing.T) {
	files, err := filepath.Glob("onehall/*/v1/*.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d schemas: %v", len(files), err)
	}
	declares := regexp.MustCompile(`^\s*(message|enum|service|rpc) \w+|^\s*(repeated |optional )?[\w.]+ \w+ = \d+|^\s*[A-Z][A-Z0-9_]+ = \d+`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before := ""
		for i, line := range strings.Split(string(text), "\n") {
			if declares.MatchString(line) && !strings.HasPrefix(strings.TrimSpace(before), "//") {
				t.Errorf("%s:%d is not commented: %s", name, i+1, strings.TrimSpace(line))
			}
			before = line
		}
	}
}
