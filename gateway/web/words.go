package web

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
)

// words are the functions the templates speak with.
func (s *Site) words() template.FuncMap {
	return template.FuncMap{
		"file":      s.files.Link,
		"itemPath":  itemPath,
		"division":  func(hall string) string { return strings.TrimPrefix(hall, "halls/") },
		"code":      func(name string) string { return name[strings.LastIndexByte(name, '/')+1:] },
		"limit":     limit,
		"caseType":  caseType,
		"level":     func(l cataloguev1.Level) string { return levelWords[l] },
		"objects":   func(codes []int32) string { return list(codes, objectWords) },
		"forms":     func(codes []int32) string { return list(codes, formWords) },
		"material":  material,
		"visits":    visits,
		"scope":     func(scope string) string { return scopeWords[scope] },
		"state":     func(st cataloguev1.ItemState) string { return stateWords[st] },
		"lines":     func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") },
		"moment":    moment,
		"day":       day,
		"number":    func(f float64) string { return fmt.Sprintf("%.2f", f) },
		"stars":     func(n int32) string { return strings.Repeat("★", int(max(0, min(5, n)))) },
		"lastDay":   func(t *timestamppb.Timestamp) string { return day(timestamppb.New(t.AsTime().Add(-1))) },
		"caseState": func(st caseworkv1.CaseState) string { return caseStateWords[st] },
		"trust":     func(l caseworkv1.TrustLevel) string { return trustWords[l] },
		"newID":     uuid.NewString,
		"mandate":   func(st caseworkv1.MandateState) string { return mandateWords[st] },
		"casePath":  casePath,
		"applyPath": applyPath,
		"signIn":    func() bool { return s.signIn != nil },
		"add":       func(a, b int) int { return a + b },
	}
}

var levelWords = map[cataloguev1.Level]string{
	cataloguev1.Level_LEVEL_STATE: "国家级", cataloguev1.Level_LEVEL_PROVINCE: "省级", cataloguev1.Level_LEVEL_CITY: "市级",
	cataloguev1.Level_LEVEL_COUNTY: "县级", cataloguev1.Level_LEVEL_TOWN: "镇、街道级", cataloguev1.Level_LEVEL_VILLAGE: "村、社区级",
	cataloguev1.Level_LEVEL_GRADED: "分级管理",
}

var stateWords = map[cataloguev1.ItemState]string{
	cataloguev1.ItemState_ITEM_STATE_PAUSED: "暂停办理", cataloguev1.ItemState_ITEM_STATE_CANCELLED: "已取消",
}

var caseStateWords = map[caseworkv1.CaseState]string{
	caseworkv1.CaseState_CASE_STATE_DRAFT: "暂存", caseworkv1.CaseState_CASE_STATE_SUBMITTED: "已申办", caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING: "补正中",
	caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED: "不受理", caseworkv1.CaseState_CASE_STATE_REFUSED: "不予受理", caseworkv1.CaseState_CASE_STATE_ACCEPTED: "已受理",
	caseworkv1.CaseState_CASE_STATE_EXAMINING: "审批中", caseworkv1.CaseState_CASE_STATE_SUSPENDED: "特别程序中", caseworkv1.CaseState_CASE_STATE_DECIDED: "已决定",
	caseworkv1.CaseState_CASE_STATE_FINISHED: "已办结", caseworkv1.CaseState_CASE_STATE_COLLECTED: "已领取", caseworkv1.CaseState_CASE_STATE_WITHDRAWN: "已撤回",
	caseworkv1.CaseState_CASE_STATE_LAPSED: "补正逾期", caseworkv1.CaseState_CASE_STATE_VOIDED: "已作废", caseworkv1.CaseState_CASE_STATE_REVOKED: "已撤销",
}

var mandateWords = map[caseworkv1.MandateState]string{
	caseworkv1.MandateState_MANDATE_STATE_STANDING: "有效", caseworkv1.MandateState_MANDATE_STATE_NOT_YET: "尚未生效",
	caseworkv1.MandateState_MANDATE_STATE_EXPIRED: "已到期", caseworkv1.MandateState_MANDATE_STATE_REVOKED: "已撤销",
}

var (
	objectWords = map[int32]string{1: "自然人", 2: "企业法人", 3: "事业法人", 4: "社会组织法人", 5: "非法人企业", 6: "行政机关"}
	formWords   = map[int32]string{1: "窗口办理", 2: "网上办理", 3: "手机办理", 4: "快递办理", 9: "其他方式"}
	scopeWords  = map[string]string{"nation": "全国通办", "province": "全省通办", "city": "全市通办", "county": "全县通办"}
)

func list(codes []int32, words map[int32]string) string {
	var out []string
	for _, c := range codes {
		if w := words[c]; w != "" {
			out = append(out, w)
		}
	}
	return strings.Join(out, "、")
}

func caseType(t cataloguev1.CaseType) string {
	if t == cataloguev1.CaseType_CASE_TYPE_INSTANT {
		return "即办件"
	}
	return "承诺件"
}

// limit says a number of days as people do.
func limit(n int32, unit cataloguev1.TimeUnit) string {
	switch {
	case n == 0:
		return "当场办结"
	case unit == cataloguev1.TimeUnit_TIME_UNIT_NATURAL_DAY:
		return fmt.Sprintf("%d 个自然日", n)
	}
	return fmt.Sprintf("%d 个工作日", n)
}

func visits(n int32) string {
	if n == 0 {
		return "不用到现场"
	}
	return fmt.Sprintf("到现场 %d 次", n)
}

// material says form, number and source of what to bring.
func material(m *cataloguev1.Material) string {
	words := []string{"选交"}
	if m.GetNecessary() {
		words[0] = "必交"
	}
	switch m.GetForm() {
	case cataloguev1.MaterialForm_MATERIAL_FORM_PAPER:
		words = append(words, "纸质")
	case cataloguev1.MaterialForm_MATERIAL_FORM_ELECTRONIC:
		words = append(words, "电子")
	default:
		words = append(words, "纸质或电子")
	}
	if m.GetCopies() > 0 {
		words = append(words, fmt.Sprintf("%d 份", m.GetCopies()))
	}
	switch m.GetSource() {
	case cataloguev1.MaterialSource_MATERIAL_SOURCE_APPLICANT:
		words = append(words, "申请人自备")
	case cataloguev1.MaterialSource_MATERIAL_SOURCE_GOVERNMENT:
		words = append(words, "政府部门核发")
	}
	return strings.Join(words, "，")
}

func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(china).Format("2006年1月2日 15:04")
}

func day(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(china).Format("2006年1月2日")
}
