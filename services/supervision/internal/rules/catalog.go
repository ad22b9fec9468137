package rules

import (
	"cmp"
	"slices"
)

// The rules that the program itself speaks of, by id; those of conduct are data.
const (
	T1  = "T1_PROMISE"
	T2  = "T2_STATUTORY"
	T3  = "T3_STEP_OVERDUE"
	T4  = "T4_ACCEPTANCE_OVERDUE"
	T5  = "T5_DELIVERY_OVERDUE"
	T6  = "T6_FORWARD_OVERDUE"
	T7  = "T7_SPECIAL_OVERDUE"
	T8  = "T8_PRE_ACCEPT_OVERDUE"
	T9  = "T9_CONSULT_OVERDUE"
	T10 = "T10_COMPLAINT_OVERDUE"
	T11 = "T11_LICENSE_OVERDUE"
	T12 = "T12_MESSAGE_OVERDUE"
	P8  = "P8_SUSPEND_ABUSE"
	P11 = "P11_ABNORMAL_REFUSAL"
	R1  = "R1_BAD_REVIEW"
	G1  = "G1_GAP_OVERDUE"
	S1  = "S1_ORDER_OVERDUE"
)

// Rule describes one rule to the public.
type Rule struct {
	ID, Name, Description string
	// Level is the highest it raises.
	Level Level
	// Source is the law or scheme it rests on.
	Source string
	// Version is that of the rules it belongs to.
	Version string
}

const licenseLaw = "《中华人民共和国行政许可法》"

// timed are the rules that come true by the passing of time; their levels come from the
// preset.
var timed = []Rule{
	{ID: T1, Name: "承诺时限", Description: "接近或者超过承诺办结时限", Source: "承诺时限为对公众的公开承诺，超过视为超时"},
	{ID: T2, Name: "法定时限", Description: "超过法定办结时限", Source: licenseLaw + "第四十二条"},
	{ID: T3, Name: "环节超时", Description: "办理环节超过事项公布的该环节时限", Source: "事项公布的办理流程"},
	{ID: T4, Name: "受理超时", Description: "收到申请或者补正材料后5个工作日内未受理、未告知补正、未不予受理", Source: licenseLaw + "第三十二条"},
	{ID: T5, Name: "送达超时", Description: "作出准予决定后10个工作日内未办结送达", Source: licenseLaw + "第四十四条"},
	{ID: T6, Name: "转报超时", Description: "下级初审超过20个工作日或者承诺时限才转报上级", Source: licenseLaw + "第四十三条"},
	{ID: T7, Name: "特别程序超时", Description: "接近或者超过特别程序的规定时限", Source: licenseLaw + "第四十五条"},
	{ID: T8, Name: "网上预受理超时", Description: "网上申请2个工作日内未作预受理", Source: "网上办事服务规范"},
	{ID: G1, Name: "容缺逾期", Description: "容缺受理的材料到期未补齐", Source: "容缺受理承诺"},
	{ID: T9, Name: "咨询超时", Description: "接近或者超过答复咨询的时限", Source: "咨询答复时限为对公众的公开承诺"},
	{ID: T10, Name: "投诉超时", Description: "接近或者超过办理投诉的时限", Source: "投诉办理时限为对公众的公开承诺"},
	{ID: T11, Name: "电子证照超时", Description: "办结后3个工作日内未签发电子证照", Source: "电子证照签发时限要求"},
	{ID: T12, Name: "来信超时", Description: "接近或者超过答复领导信箱来信、建议和求助的时限", Source: "来信答复时限为对公众的公开承诺"},
	{ID: R1, Name: "差评未整改", Description: "2星以下评价5个工作日未答复黄牌，15个工作日未答复红牌；差评工单超过整改时限", Source: "国办发〔2019〕51号（差评整改）"},
}

// OrderVersion is the version of the rule on supervision orders.
const OrderVersion = "order-1"

// others are the rules that look at many cases together, and at orders.
var others = []Rule{
	{ID: P11, Name: "不予办理比例异常", Level: Warning, Version: monthVersion,
		Description: "事项或者人员一个月的不受理、不予受理、不予许可比例超过辖区平均值加3倍标准差，且不少于30件", Source: "风险提示"},
	{ID: S1, Name: "督办逾期", Level: Red, Version: OrderVersion,
		Description: "督办单到期未反馈，附整改建议书并报上级；此后每5个工作日仍未反馈再报上一级", Source: "电子监察督办和整改建议制度"},
}

// byID orders rules by letter and number: P2 before P10.
func byID(a, b Rule) int {
	number := func(id string) int {
		n := 0
		for _, c := range id[1:] {
			if c < '0' || c > '9' {
				break
			}
			n = 10*n + int(c-'0')
		}
		return n
	}
	return cmp.Or(cmp.Compare(a.ID[0], b.ID[0]), cmp.Compare(number(a.ID), number(b.ID)), cmp.Compare(a.ID, b.ID))
}

// Catalog lists the rules in force under the policy, by id.
func (p Policy) Catalog() []Rule {
	var all []Rule
	for _, r := range timed {
		if r.Level = p.Preset.Highest(r.ID); r.Level == None {
			continue // the scheme does without it
		}
		r.Source += "；" + p.Preset.Source
		r.Version = p.Preset.Version
		all = append(all, r)
	}
	set, places := p.conductSet(), map[string]int{}
	for _, c := range set.Rules {
		r := Rule{ID: c.ID, Name: c.Name, Description: c.Description, Source: c.Source, Version: set.Version}
		for _, w := range c.When {
			r.Level = max(r.Level, w.Level)
		}
		if at, ok := places[c.ID]; ok {
			all[at].Level = max(all[at].Level, r.Level)
			continue // a further part of the same rule
		}
		places[c.ID] = len(all)
		all = append(all, r)
	}
	all = append(all, others...)
	slices.SortFunc(all, byID)
	return all
}

// LegalSource is the law or scheme a rule rests on.
func (p Policy) LegalSource(rule string) string {
	for _, r := range p.Catalog() {
		if r.ID == rule {
			return r.Source
		}
	}
	return p.Preset.DisplayName
}

// RuleName is a rule's name in Chinese; its id where it has none.
func (p Policy) RuleName(rule string) string {
	for _, r := range p.Catalog() {
		if r.ID == rule {
			return r.Name
		}
	}
	return rule
}
