package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/onehall/onehall/gateway/internal/strictjson"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	_ "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

// deep is a form nested n levels below {"case":{"form":…}}.
func deep(n int) string {
	return `{"case":{"form":` + strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n) + `}}`
}

// checks are bodies of a FileCaseRequest and what is to be said of them.
var checks = []struct {
	name, body string
	want       *fault.Reason // nil: good
	field      string
}{
	{"empty object", `{}`, nil, ""},
	{"camelCase", `{"case":{"applicant":{"displayName":"张三","idNumber":"1"}},"requestId":"x"}`, nil, ""},
	{"snake_case", `{"case":{"applicant":{"display_name":"张三"}},"request_id":"x"}`, nil, ""},
	{"spaces", " \t\r\n{ \"consent\" :\ttrue }\n", nil, ""},
	{"null field", `{"case":null}`, nil, ""},
	{"free form", `{"case":{"form":{"a":[1,-2.5e+3,"x",null,true,{"b":{}}]}}}`, nil, ""},
	{"emoji by pair", `{"case":{"subject":"\ud83d\ude00"}}`, nil, ""},
	{"rare Han", `{"case":{"subject":"𠮷"}}`, nil, ""},
	{"list", `{"case":{"materials":[{},{}]}}`, nil, ""},
	{"enum by number", `{"case":{"channel":1}}`, nil, ""},
	{"integer as string", `{"itemRevision":"12"}`, nil, ""},
	{"integer as 1e3", `{"itemRevision":1e3}`, nil, ""},

	{"nothing", ``, fault.BadJSON, ""},
	{"blanks", `  `, fault.BadJSON, ""},
	{"list at the top", `[]`, fault.BadJSON, ""},
	{"null at the top", `null`, fault.BadJSON, ""},
	{"string at the top", `"x"`, fault.BadJSON, ""},
	{"number at the top", `1`, fault.BadJSON, ""},
	{"truncated", `{"case":{"subject":"x"`, fault.BadJSON, "case"},
	{"truncated string", `{"case":{"subject":"x`, fault.BadJSON, "case.subject"},
	{"BOM", "\xef\xbb\xbf{}", fault.BadJSON, ""},
	{"comma at the end", `{"consent":true,}`, fault.BadJSON, ""},
	{"single quotes", `{'consent':true}`, fault.BadJSON, ""},
	{"comment", `{/**/}`, fault.BadJSON, ""},
	{"bare NaN", `{"case":{"form":{"a":NaN}}}`, fault.BadJSON, "case.form.a"},
	{"leading zero", `{"itemRevision":01}`, fault.BadJSON, ""},
	{"leading plus", `{"itemRevision":+1}`, fault.BadJSON, "item_revision"},
	{"bare point", `{"itemRevision":1.}`, fault.BadJSON, "item_revision"},
	{"hex", `{"itemRevision":0x10}`, fault.BadJSON, ""},
	{"control character", "{\"case\":{\"subject\":\"a\nb\"}}", fault.BadJSON, "case.subject"},
	{"raw NUL", "{\"case\":{\"subject\":\"a\x00b\"}}", fault.BadJSON, "case.subject"},
	{"NUL by escape", `{"case":{"subject":"a\u0000b"}}`, fault.BadText, "case.subject"},
	{"NUL in a key", `{"case":{"form":{"a\u0000":1}}}`, fault.BadText, "case.form"},
	{"invalid UTF-8", "{\"case\":{\"subject\":\"\xff\"}}", fault.BadJSON, "case.subject"},
	{"overlong UTF-8", "{\"case\":{\"subject\":\"\xc0\xaf\"}}", fault.BadJSON, "case.subject"},
	{"UTF-8 surrogate", "{\"case\":{\"subject\":\"\xed\xa0\x80\"}}", fault.BadJSON, "case.subject"},
	{"lone high surrogate", `{"case":{"subject":"\ud83d"}}`, fault.BadJSON, "case.subject"},
	{"lone low surrogate", `{"case":{"subject":"\ude00"}}`, fault.BadJSON, "case.subject"},
	{"two high surrogates", `{"case":{"subject":"\ud83d\ud83d"}}`, fault.BadJSON, "case.subject"},
	{"bad escape", `{"case":{"subject":"\x41"}}`, fault.BadJSON, "case.subject"},

	{"second value", `{}{}`, fault.TrailingData, ""},
	{"text behind", `{} x`, fault.TrailingData, ""},
	{"twice", `{"consent":true,"consent":true}`, fault.DuplicateKey, "consent"},
	{"twice in two spellings", `{"requestId":"a","request_id":"a"}`, fault.DuplicateKey, "request_id"},
	{"twice by escape", `{"consent":true,"c\u006fnsent":true}`, fault.DuplicateKey, "consent"},
	{"twice below", `{"case":{"materials":[{},{"name":"a","name":"b"}]}}`, fault.UnknownField, "case.materials[1].name"},
	{"twice in the form", `{"case":{"form":{"a":{"b":1,"b":2}}}}`, fault.DuplicateKey, "case.form.a.b"},
	{"unknown", `{"case":{"applicant":{"displayNam":"x"}}}`, fault.UnknownField, "case.applicant.displayNam"},
	{"unknown with markup", `{"<b>":1}`, fault.UnknownField, "*"},
	{"unknown, other case", `{"Consent":true}`, fault.UnknownField, "Consent"},
	{"depth kept", deep(30), nil, ""},
	{"too deep", deep(31), fault.BadJSON, "case.form" + strings.Repeat(".a", 30)},
	{"far too deep", deep(5000), fault.BadJSON, "case.form" + strings.Repeat(".a", 30)},

	{"object for text", `{"requestId":{}}`, fault.InvalidArgument, "request_id"},
	{"text for object", `{"case":"x"}`, fault.InvalidArgument, "case"},
	{"list for object", `{"case":[]}`, fault.InvalidArgument, "case"},
	{"object for list", `{"case":{"materials":{}}}`, fault.InvalidArgument, "case.materials"},
	{"number for bool", `{"consent":1}`, fault.InvalidArgument, "consent"},
	{"bool for enum", `{"case":{"channel":true}}`, fault.InvalidArgument, "case.channel"},
	{"number for time", `{"happenedAt":1}`, fault.InvalidArgument, "happened_at"},
	{"fraction for integer", `{"itemRevision":1.5}`, fault.InvalidArgument, "item_revision"},
	{"integer past its range", `{"itemRevision":2147483648}`, fault.InvalidArgument, "item_revision"},
	{"word for integer", `{"itemRevision":"NaN"}`, fault.InvalidArgument, "item_revision"},
	{"integral 1.0", `{"itemRevision":1.0}`, nil, ""},
	{"unknown word of an enum", `{"case":{"channel":"CHANNEL_PIGEON"}}`, fault.InvalidArgument, "case.channel"},
	{"escaped word of an enum", `{"case":{"channel":"CHANNEL\u005fWEB"}}`, nil, ""},
	{"fraction for enum", `{"case":{"channel":1.5}}`, fault.InvalidArgument, "case.channel"},
	{"time without a zone", `{"happenedAt":"2026-01-01T00:00:00"}`, fault.InvalidArgument, "happened_at"},
	{"second 60", `{"happenedAt":"2026-01-01T00:00:60Z"}`, fault.InvalidArgument, "happened_at"},
	{"a moment", `{"happenedAt":"2026-01-01T00:00:00.5+08:00"}`, nil, ""},
	{"null in a list", `{"case":{"materials":[null]}}`, fault.InvalidArgument, "case.materials[0]"},
	{"text for a form", `{"case":{"form":"x"}}`, fault.InvalidArgument, "case.form"},
}

func TestCheck(t *testing.T) {
	for _, tc := range checks {
		t.Run(tc.name, func(t *testing.T) {
			err := strictjson.Check([]byte(tc.body), (&caseworkv1.FileCaseRequest{}).ProtoReflect().Descriptor(), "")
			if tc.want == nil {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			var field string
			if vs := fault.Of(err).Violations(); len(vs) > 0 {
				field = vs[0].Field
			}
			if field != tc.field {
				t.Errorf("field %q, want %q", field, tc.field)
			}
		})
	}
}

// Words that protojson reads as numbers which no sum can use are refused where a number
// is expected, and pass where they are text.
func TestFinite(t *testing.T) {
	md := (&reviewv1.ReviewSummary{}).ProtoReflect().Descriptor()
	for _, word := range []string{`"NaN"`, `"Infinity"`, `"-Infinity"`, `"\u004eaN"`} {
		if err := strictjson.Check([]byte(`{"satisfaction":`+word+`}`), md, ""); !errors.Is(err, fault.InvalidArgument) {
			t.Errorf("%s as a number: %v", word, err)
		}
		if err := strictjson.Check([]byte(`{"subject":`+word+`}`), md, ""); err != nil {
			t.Errorf("%s as text: %v", word, err)
		}
	}
	if err := strictjson.Check([]byte(`{"satisfaction":99.5}`), md, ""); err != nil {
		t.Error(err)
	}
}

// A body that fills one field of a request names its fields from the request's root.
func TestPrefix(t *testing.T) {
	err := strictjson.Check([]byte(`{"nope":1}`), (&caseworkv1.Case{}).ProtoReflect().Descriptor(), "case")
	if got := fault.Of(err).Violations()[0].Field; got != "case.nope" {
		t.Errorf("field %q", got)
	}
}

// The scanner notes the fields it saw in a fixed number of bits.
func TestNoMessageIsTooWide(t *testing.T) {
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		if n := mt.Descriptor().Fields().Len(); n > 256 && strings.HasPrefix(string(mt.Descriptor().FullName()), "onehall.") {
			t.Errorf("%s has %d fields", mt.Descriptor().FullName(), n)
		}
		return true
	})
}

// What passes is JSON, decodes or is refused for a value, and then encodes and passes
// again.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"case":{"form":{"a":[1,"x"]}},"requestId":"\u00e9\ud83d\ude00"}`, `{"case":{"materials":[{"displayName":"x"}]}}`,
		`{"consent":true}{`, `{"a":{"a":1}}`, `[{}]`, `{"itemRevision":-0e+1}`, "{\"case\":null,\"happenedAt\":\"2026-01-01T00:00:00Z\"}",
	} {
		f.Add([]byte(seed))
	}
	md := (&caseworkv1.FileCaseRequest{}).ProtoReflect().Descriptor()
	f.Fuzz(func(t *testing.T, body []byte) {
		if strictjson.Check(body, md, "") != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("passed, but is no JSON: %q", body)
		}
		var req caseworkv1.FileCaseRequest
		if protojson.Unmarshal(body, &req) != nil {
			return // a number out of range, a time that is none
		}
		if _, err := proto.Marshal(&req); err != nil {
			t.Fatalf("passed, but cannot travel: %q: %v", body, err)
		}
		again, err := protojson.Marshal(&req)
		if err != nil {
			t.Fatalf("passed, but cannot be written: %q: %v", body, err)
		}
		if err := strictjson.Check(again, md, ""); err != nil {
			t.Fatalf("our own writing is refused: %q: %v", again, err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	body := []byte(`{"case":{"item":"halls/441300/items/11441300007200000000165001000","applicant":{"type":"APPLICANT_TYPE_PERSON","displayName":"张三",` +
		`"idType":"ID_TYPE_RESIDENT_ID","idNumber":"441302199001011234","phone":"13800138000"},"subject":"申请居住证","form":{"a":1,"b":["x","y"]}},"requestId":"9b2f0b5e-1f0a-4c0f-8a57-b7e1a5c6a001"}`)
	md := (&caseworkv1.FileCaseRequest{}).ProtoReflect().Descriptor()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := strictjson.Check(body, md, ""); err != nil {
			b.Fatal(err)
		}
	}
}
