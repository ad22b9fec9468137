package fault

import (
	"fmt"
	"regexp"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
)

// FromViolations turns what protovalidate found into one fault. Field paths are kept,
// texts are ours, by rule id: the validator's own are English only, and a rule written
// as an expression may repeat what was sent.
//
// Fields that mean the same in every request (request_id, etag, page_size, page_token)
// have reasons of their own; where all violations agree on a reason it is the fault's.
func FromViolations(found *validate.Violations) *Fault {
	var vs []Violation
	var common *Reason
	for i, v := range found.GetViolations() {
		path := fieldPath(v.GetField())
		reason := reasonOf(path, v.GetRuleId())
		if i == 0 {
			common = reason
		} else if common != reason {
			common = InvalidArgument
		}
		zh, en := ruleText(reason, v.GetRuleId(), v.GetMessage())
		vs = append(vs, Violation{Field: path, Reason: reason.Name, ZH: zh, EN: en})
	}
	if common == nil {
		common = InvalidArgument
	}
	return common.New(Violations(vs...))
}

// fieldPath writes a path as applicant.materials[2].name. A map's key is what
// somebody sent, so it is shown as [*].
func fieldPath(path *validate.FieldPath) string {
	var b strings.Builder
	for i, e := range path.GetElements() {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(e.GetFieldName())
		switch s := e.GetSubscript().(type) {
		case nil:
		case *validate.FieldPathElement_Index:
			fmt.Fprintf(&b, "[%d]", s.Index)
		default:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// reasonOf chooses the reason of a violation. A rule whose id is the small-letter
// spelling of a reason (id: "bad_fee") means that reason.
func reasonOf(path, rule string) *Reason {
	missing := rule == "required" || rule == "string.min_len" || rule == "string.len" || strings.HasSuffix(rule, "_empty")
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "request_id":
		if missing {
			return RequestIDMissing
		}
		return RequestIDInvalid
	case "etag":
		if missing {
			return ETagMissing
		}
		return ETagInvalid
	case "page_size":
		return BadPageSize
	case "page_token":
		return BadPageToken
	}
	if r, ok := Lookup(strings.ToUpper(strings.ReplaceAll(rule, ".", "_"))); ok {
		return r
	}
	if rule == "required" {
		return FieldRequired
	}
	return InvalidArgument
}

type text struct{ zh, en string }

// exactRules are texts by whole rule id. {n} and {m} are the rule's own numbers.
var exactRules = map[string]text{
	"required":           {"必须填写", "is required"},
	"string.len":         {"长度必须是 {n} 个字", "must be {n} characters long"},
	"string.min_len":     {"长度不能少于 {n} 个字", "must be at least {n} characters long"},
	"string.max_len":     {"长度不能超过 {n} 个字", "must be at most {n} characters long"},
	"string.max_bytes":   {"不能超过 {n} 个字节", "must be at most {n} bytes long"},
	"string.pattern":     {"格式不正确", "does not have the right form"},
	"string.uuid":        {"必须是 UUID", "must be a UUID"},
	"string.uuid_empty":  {"必须填写 UUID", "must be a UUID and is empty"},
	"string.email":       {"不是有效的电子邮箱", "must be an e-mail address"},
	"string.email_empty": {"必须填写电子邮箱", "must be an e-mail address and is empty"},
	"string.uri":         {"不是有效的网址", "must be a URI"},
	"bytes.min_len":      {"不能少于 {n} 个字节", "must be at least {n} bytes long"},
	"bytes.max_len":      {"不能超过 {n} 个字节", "must be at most {n} bytes long"},
	"bytes.len":          {"必须是 {n} 个字节", "must be {n} bytes long"},
	"enum.defined_only":  {"不是允许的选项", "must be one of the defined values"},
	"repeated.min_items": {"至少要有 {n} 项", "must have at least {n} items"},
	"repeated.max_items": {"最多只能有 {n} 项", "must have at most {n} items"},
	"repeated.unique":    {"不能有重复的项", "must not have the same item twice"},
	"map.min_pairs":      {"至少要有 {n} 项", "must have at least {n} entries"},
	"map.max_pairs":      {"最多只能有 {n} 项", "must have at most {n} entries"},
	"timestamp.lt_now":   {"不能晚于当前时间", "must be in the past"},
	"timestamp.gt_now":   {"不能早于当前时间", "must be in the future"},
	"message.oneof":      {"必须且只能填写其中一项", "must have exactly one of these fields"},
	"timestamp.within":   {"时间超出允许的范围", "is too far from now"},
}

// endRules are texts by the last part of the rule id, for the many kinds of numbers.
var endRules = map[string]text{
	"gt":       {"必须大于 {n}", "must be greater than {n}"},
	"gte":      {"不能小于 {n}", "must be at least {n}"},
	"lt":       {"必须小于 {n}", "must be less than {n}"},
	"lte":      {"不能大于 {n}", "must be at most {n}"},
	"gt_lt":    {"必须大于 {n} 且小于 {m}", "must be greater than {n} and less than {m}"},
	"gte_lte":  {"必须在 {n} 到 {m} 之间", "must be between {n} and {m}"},
	"gt_lte":   {"必须大于 {n} 且不大于 {m}", "must be greater than {n} and at most {m}"},
	"gte_lt":   {"不能小于 {n} 且必须小于 {m}", "must be at least {n} and less than {m}"},
	"const":    {"不是允许的值", "must be the allowed value"},
	"in":       {"不是允许的选项", "must be one of the allowed values"},
	"not_in":   {"是不允许的选项", "must not be one of the forbidden values"},
	"finite":   {"必须是有限的数", "must be finite"},
	"not_zero": {"不能为零", "must not be zero"},
}

var number = regexp.MustCompile(`-?\d+(?:\.\d+)?`)

// ruleText is what to say about a broken rule. The numbers come from the validator's
// message, which for built-in rules holds the rule's limits and nothing of the value;
// rules written as expressions get no numbers, since theirs could be the value's.
func ruleText(reason *Reason, rule, message string) (zh, en string) {
	if reason != InvalidArgument && reason != FieldRequired {
		return reason.ZH, reason.EN
	}
	t, exact := exactRules[rule]
	if !exact {
		end := rule[strings.LastIndexByte(rule, '.')+1:]
		var ok bool
		if t, ok = endRules[end]; !ok {
			return "不符合要求", "does not meet the rule"
		}
	}
	if !strings.Contains(t.zh, "{n}") {
		return t.zh, t.en
	}
	limits := number.FindAllString(message, 2)
	if needed := strings.Count(t.zh, "{"); !builtIn(rule) || len(limits) < needed {
		return "超出允许的范围", "is out of range"
	}
	pairs := []string{"{n}", limits[0]}
	if len(limits) > 1 {
		pairs = append(pairs, "{m}", limits[1])
	}
	fill := strings.NewReplacer(pairs...)
	return fill.Replace(t.zh), fill.Replace(t.en)
}

var scalars = strings.Fields("string bytes repeated map int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 float double")

// builtIn reports whether the rule is one of the validator's own on a plain field.
func builtIn(rule string) bool {
	kind, end, ok := strings.Cut(rule, ".")
	if !ok || strings.Contains(end, ".") {
		return false
	}
	for _, s := range scalars {
		if s == kind {
			return true
		}
	}
	return false
}
