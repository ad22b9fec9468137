package fault

import (
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

func field(name string) *validate.FieldPathElement {
	return &validate.FieldPathElement{FieldName: proto.String(name)}
}

func violation(rule, message string, path ...*validate.FieldPathElement) *validate.Violation {
	return &validate.Violation{RuleId: proto.String(rule), Message: proto.String(message), Field: &validate.FieldPath{Elements: path}}
}

func TestFromViolations(t *testing.T) {
	indexed := field("materials")
	indexed.Subscript = &validate.FieldPathElement_Index{Index: 2}
	keyed := field("answers")
	keyed.Subscript = &validate.FieldPathElement_StringKey{StringKey: "11010519491231002X"}

	f := FromViolations(&validate.Violations{Violations: []*validate.Violation{
		violation("string.min_len", "must be at least 3 characters", field("applicant"), field("name")),
		violation("required", "value is required", indexed, field("name")),
		violation("int32.gte_lte", "must be greater than or equal to 1 and less than or equal to 5", field("stars")),
		violation("string.max_len", "must be at most 5 characters", keyed),
		violation("some.expression", "11010519491231002X is not welcome", field("id")),
		violation("bad_fee", "12.345 is no amount", field("fee")),
		violation("enum.defined_only", "must be a defined enum value", field("state")),
	}})
	if f.Reason() != InvalidArgument {
		t.Errorf("reason = %v", f.Reason())
	}
	want := []Violation{
		{"applicant.name", "INVALID_ARGUMENT", "长度不能少于 3 个字", "must be at least 3 characters long"},
		{"materials[2].name", "FIELD_REQUIRED", "必须填写", "is required"},
		{"stars", "INVALID_ARGUMENT", "必须在 1 到 5 之间", "must be between 1 and 5"},
		{"answers[*]", "INVALID_ARGUMENT", "长度不能超过 5 个字", "must be at most 5 characters long"},
		{"id", "INVALID_ARGUMENT", "不符合要求", "does not meet the rule"},
		{"fee", "BAD_FEE", BadFee.ZH, BadFee.EN},
		{"state", "INVALID_ARGUMENT", "不是允许的选项", "must be one of the defined values"},
	}
	if diff := cmp.Diff(want, f.Violations()); diff != "" {
		t.Error(diff)
	}
	if wire := Status(f, Chinese).Proto().String(); strings.Contains(wire, "1101") || strings.Contains(wire, "12.345") {
		t.Errorf("a value is echoed: %s", wire)
	}
}

func TestFromViolationsReasonOfAll(t *testing.T) {
	for _, tc := range []struct {
		name string
		vs   []*validate.Violation
		want *Reason
	}{
		{"none", nil, InvalidArgument},
		{"required twice", []*validate.Violation{violation("required", "", field("a")), violation("required", "", field("b"))}, FieldRequired},
		{"request id missing", []*validate.Violation{violation("string.uuid_empty", "", field("request_id"))}, RequestIDMissing},
		{"request id wrong", []*validate.Violation{violation("string.uuid", "", field("request_id"))}, RequestIDInvalid},
		{"etag missing", []*validate.Violation{violation("required", "", field("etag"))}, ETagMissing},
		{"etag short", []*validate.Violation{violation("string.min_len", "", field("case"), field("etag"))}, ETagMissing},
		{"etag wrong", []*validate.Violation{violation("string.pattern", "", field("etag"))}, ETagInvalid},
		{"page size", []*validate.Violation{violation("int32.gte", "must be 0", field("page_size"))}, BadPageSize},
		{"page token", []*validate.Violation{violation("string.max_len", "", field("page_token"))}, BadPageToken},
		{"mixed", []*validate.Violation{violation("required", "", field("etag")), violation("string.uuid", "", field("request_id"))}, InvalidArgument},
	} {
		if got := FromViolations(&validate.Violations{Violations: tc.vs}).Reason(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got.Name, tc.want.Name)
		}
	}
}

func TestRuleTextsNeverGuessNumbers(t *testing.T) {
	for _, tc := range []struct{ rule, message, zh string }{
		{"string.max_len", "", "超出允许的范围"},
		{"int32.gte_lte", "must be 1", "超出允许的范围"},
		{"case.custom.gte", "the value 42 is small", "超出允许的范围"},
		{"case.gte", "the value 42 is small", "超出允许的范围"},
		{"sint64.lte", "must be less than or equal to -7", "不能大于 -7"},
		{"double.gt", "must be greater than 1.5", "必须大于 1.5"},
		{"double.finite", "must be finite", "必须是有限的数"},
		{"uint32.not_in", "must not be in list [3]", "是不允许的选项"},
	} {
		if zh, _ := ruleText(InvalidArgument, tc.rule, tc.message); zh != tc.zh {
			t.Errorf("%s: %s, want %s", tc.rule, zh, tc.zh)
		}
	}
	for id, text := range exactRules {
		if strings.Count(text.zh, "{") != strings.Count(text.en, "{") {
			t.Errorf("%s: the two texts use different numbers", id)
		}
	}
}
