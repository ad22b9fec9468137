package form

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
)

// Check holds what was filled in against the schema and tells everything that is wrong
// at once, one violation for each wrong place, sorted by place. Paths begin with at. With complete false, what is missing is not wrong yet: a draft may have gaps.
//
// The caller has bounded the values in number, depth and length.
func (s *Schema) Check(at string, values map[string]any, complete bool) []fault.Violation {
	if values == nil {
		values = map[string]any{}
	}
	c := checker{at: at, complete: complete, seen: map[string]bool{}}
	if !c.texts(values, at) {
		// JSON has no such number, and so the library has no answer to it.
		return c.found
	}
	var invalid *jsonschema.ValidationError
	if err := s.compiled.Validate(values); errors.As(err, &invalid) {
		c.leaves(invalid)
	} else if err != nil {
		c.add(at, fault.FormInvalid, words{"不是有效的表单", "is no form"})
	}
	slices.SortFunc(c.found, func(a, b fault.Violation) int { return strings.Compare(a.Field, b.Field) })
	return c.found
}

type checker struct {
	at       string
	complete bool
	found    []fault.Violation
	seen     map[string]bool // paths
}

type words struct{ zh, en string }

func (c *checker) add(path string, reason *fault.Reason, w words) {
	if len(c.found) >= maxProblems || c.seen[path] {
		return
	}
	c.seen[path] = true
	c.found = append(c.found, fault.Violation{Field: path, Reason: reason.Name, ZH: w.zh, EN: w.en})
}

// texts refuses what cannot be seen: what is filled in is copied into documents, where it
// must say what it shows. Names that nobody defined are left to the schema. false tells
// that there is a number that is none.
func (c *checker) texts(v any, path string) bool {
	numbers := true
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			c.add(path, fault.FormInvalid, typeWords["number"])
			return false
		}
	case string:
		if strings.TrimSpace(v) == "" {
			break
		}
		if _, err := codes.Text(v, 10_000); err != nil {
			c.add(path, fault.FormInvalid, words{"含有不能显示的字符", "holds characters that cannot be seen"})
		}
	case []any:
		for i, one := range v {
			numbers = c.texts(one, path+"["+strconv.Itoa(i)+"]") && numbers
		}
	case map[string]any:
		for key, one := range v {
			if !keyName.MatchString(key) {
				key = "*"
			}
			numbers = c.texts(one, path+"."+key) && numbers
		}
	}
	return numbers
}

// leaves tells of the errors that have no causes: the others only say where they are.
func (c *checker) leaves(e *jsonschema.ValidationError) {
	for _, cause := range e.Causes {
		c.leaves(cause)
	}
	if len(e.Causes) > 0 {
		return
	}
	path := c.path(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		c.missing(path, k.Missing)
	case *kind.DependentRequired:
		c.missing(path, k.Missing)
	case *kind.AdditionalProperties:
		// The name is what somebody made up, and so is not repeated.
		c.add(path+".*", fault.FormInvalid, words{"表单上没有这个栏目", "is no field of the form"})
	case *kind.MinItems:
		if c.complete {
			c.add(path, fault.FormInvalid, counted("至少要有 %d 项", "must have at least %d items", k.Want))
		}
	case *kind.MinProperties:
		if c.complete {
			c.add(path, fault.FieldRequired, words{"必须填写", "is required"})
		}
	default:
		c.add(path, fault.FormInvalid, explain(e.ErrorKind))
	}
}

func (c *checker) missing(path string, keys []string) {
	if !c.complete {
		return
	}
	for _, key := range keys {
		c.add(path+"."+key, fault.FieldRequired, words{"必须填写", "is required"})
	}
}

// path writes household, members, 2, name as form.household.members[2].name. A key of a
// form is never a number.
func (c *checker) path(location []string) string {
	var b strings.Builder
	b.WriteString(c.at)
	for _, token := range location {
		switch _, err := strconv.Atoi(token); {
		case err == nil:
			b.WriteString("[" + token + "]")
		case keyName.MatchString(token):
			b.WriteString("." + token)
		default:
			b.WriteString(".*")
		}
	}
	return b.String()
}

func counted(zh, en string, n int) words { return words{fmt.Sprintf(zh, n), fmt.Sprintf(en, n)} }

var typeWords = map[string]words{
	"string": {"应当是文字", "must be a string"}, "number": {"应当是数字", "must be a number"}, "integer": {"应当是整数", "must be a whole number"},
	"boolean": {"应当是“是”或“否”", "must be true or false"}, "array": {"应当是列表", "must be a list"}, "object": {"应当是一组栏目", "must be a group of fields"},
}

var formatWords = map[string]words{
	"date":        {"应当是日期，例如 2026-01-31", "must be a date such as 2026-01-31"},
	"email":       {"不是有效的电子邮箱", "must be an e-mail address"},
	"phone":       {"不是有效的电话号码", "must be a phone number"},
	"resident-id": {"不是有效的公民身份号码", "must be a resident identity number"},
	"uscc":        {"不是有效的统一社会信用代码", "must be a unified social credit code"},
}

// explain says what is wrong, never what was sent.
func explain(k jsonschema.ErrorKind) words {
	switch k := k.(type) {
	case *kind.Type:
		if len(k.Want) == 1 {
			return typeWords[k.Want[0]]
		}
	case *kind.Format:
		return formatWords[k.Want]
	case *kind.Enum:
		return words{"不是允许的选项", "must be one of the options"}
	case *kind.Const:
		return words{"不是允许的值", "must be the allowed value"}
	case *kind.MinLength:
		return counted("长度不能少于 %d 个字", "must be at least %d characters long", k.Want)
	case *kind.MaxLength:
		return counted("长度不能超过 %d 个字", "must be at most %d characters long", k.Want)
	case *kind.Pattern:
		return words{"格式不正确", "does not have the right form"}
	case *kind.Minimum:
		f, _ := k.Want.Float64()
		return words{"不能小于 " + plainNumber(f), "must be at least " + plainNumber(f)}
	case *kind.Maximum:
		f, _ := k.Want.Float64()
		return words{"不能大于 " + plainNumber(f), "must be at most " + plainNumber(f)}
	case *kind.MultipleOf:
		f, _ := k.Want.Float64()
		return words{"应当是 " + plainNumber(f) + " 的倍数", "must be a multiple of " + plainNumber(f)}
	case *kind.MaxItems:
		return counted("最多只能有 %d 项", "must have at most %d items", k.Want)
	case *kind.UniqueItems:
		return words{"不能有重复的项", "must not have the same item twice"}
	}
	return words{"不符合要求", "does not meet the rule"}
}

func plainNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
