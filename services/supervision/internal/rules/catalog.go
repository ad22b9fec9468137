package rules

// The rules, by id.
const (
	T1  = "T1_PROMISE"
	T2  = "T2_STATUTORY"
	T4  = "T4_ACCEPTANCE_OVERDUE"
	T5  = "T5_DELIVERY_OVERDUE"
	T7  = "T7_SPECIAL_OVERDUE"
	T8  = "T8_PRE_ACCEPT_OVERDUE"
	P1  = "P1_STEP_SKIPPED"
	P2  = "P2_SAME_PERSON"
	P4  = "P4_LATE_ENTRY"
	P7  = "P7_REPEATED_SUPPLEMENT"
	P9  = "P9_EXTENSION_INVALID"
	P10 = "P10_NO_REASON"
)

// Rule describes one rule to the public.
type Rule struct {
	ID, Name, Description string
	// Level is the highest it raises.
	Level Level
	// Source is the law or scheme it rests on.
	Source string
}

const licenseLaw = "《中华人民共和国行政许可法》"

// catalog is in the order of the ids; the levels of timed rules come from the preset.
var catalog = []Rule{
	{ID: T1, Name: "承诺时限", Description: "接近或者超过承诺办结时限", Source: "承诺时限为对公众的公开承诺，超过视为超时"},
	{ID: T2, Name: "法定时限", Description: "超过法定办结时限", Source: licenseLaw + "第四十二条"},
	{ID: T4, Name: "受理超时", Description: "收到申请或者补正材料后5个工作日内未受理、未告知补正、未不予受理", Source: licenseLaw + "第三十二条"},
	{ID: T5, Name: "送达超时", Description: "作出准予决定后10个工作日内未办结送达", Source: licenseLaw + "第四十四条"},
	{ID: T7, Name: "特别程序超时", Description: "接近或者超过特别程序的规定时限", Source: licenseLaw + "第四十五条"},
	{ID: T8, Name: "网上预受理超时", Description: "网上申请2个工作日内未作预受理", Source: "网上办事服务规范"},
	{ID: P1, Name: "环节缺失", Description: "事项要求的承办、审核、批准环节有缺失即作出决定", Level: Red, Source: "事项公布的办理流程"},
	{ID: P2, Name: "承办批准同一人", Description: "同一人既承办又批准", Level: Yellow, Source: "岗位分离要求"},
	{ID: P4, Name: "事后补录", Description: "环节发生后超过1个工作日才录入系统", Level: Yellow, Source: "实时录入要求"},
	{ID: P7, Name: "多次补正", Description: "同一办件第2次告知补正预警，第3次起黄牌", Level: Yellow, Source: licenseLaw + "第三十二条（一次性告知）"},
	{ID: P9, Name: "违规延期", Description: "延长超过10个工作日（联合办理15个）、无批准人或者重复延长", Level: Red, Source: licenseLaw + "第四十二条"},
	{ID: P10, Name: "不说明理由", Description: "不受理、不予受理、不予许可、退回的理由少于10个字", Level: Yellow, Source: licenseLaw + "第三十八条、第七十二条"},
}

// Catalog lists the rules in force under a preset.
func (p *Preset) Catalog() []Rule {
	var all []Rule
	for _, r := range catalog {
		if r.Level == None {
			if r.Level = p.Highest(r.ID); r.Level == None {
				continue // the scheme does without it
			}
			r.Source += "；" + p.Source
		}
		all = append(all, r)
	}
	return all
}

// LegalSource is the law or scheme a rule rests on.
func (p *Preset) LegalSource(rule string) string {
	for _, r := range p.Catalog() {
		if r.ID == rule {
			return r.Source
		}
	}
	return p.DisplayName
}
