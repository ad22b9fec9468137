package rules

import (
	"slices"
	"strings"
)

// Severity says whether a finding blocks publishing.
type Severity int

// The severities.
const (
	Error   Severity = 1
	Warning Severity = 2
)

// Finding is what one check found.
type Finding struct {
	// Rule is Q1 to Q14.
	Rule     string
	Severity Severity
	// Field is the path in the item, as materials[2].display_name.
	Field string
	// ZH and EN say what is wrong.
	ZH, EN string
}

// report collects findings.
type report struct {
	findings []Finding
}

func (r *report) bad(ok bool, f Finding) {
	if !ok {
		r.findings = append(r.findings, f)
	}
}

// Check runs Q1 to Q14 over an item; errors come first, then in the order of the rules.
func Check(it *Item, around Around) []Finding {
	r := &report{}
	limits(it, r)
	visits(it, r)
	fees(it, r)
	themes(it, r)
	phones(it, r)
	license(it, r)
	results(it, r)
	codeParts(it, around, r)
	itemType(it, around, r)
	names(it, around, r)
	formSchema(it, r)
	ownFlow(it, r)
	slices.SortStableFunc(r.findings, func(a, b Finding) int { return int(a.Severity - b.Severity) })
	return r.findings
}

// Publishable says whether none of the findings is an error.
func Publishable(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error })
}

func e(rule, field, zh, en string) Finding { return Finding{rule, Error, field, zh, en} }
func w(rule, field, zh, en string) Finding { return Finding{rule, Warning, field, zh, en} }

// limits are Q1 and Q2.
func limits(it *Item, r *report) {
	if it.Promised == 0 {
		r.bad(it.Instant, e("Q1", "case_type", "承诺时限为 0 的事项应当是即办件", "an item promised within 0 days must be instant"))
	} else {
		r.bad(!it.Instant, e("Q1", "case_type", "即办件的承诺时限应当为 0", "an instant item must promise 0 days"))
	}
	if unit(it.StatutoryUnit) != unit(it.PromisedUnit) {
		r.bad(false, e("Q2", "promised_unit", "承诺时限与法定时限的单位应当一致", "both limits must have the same unit"))
		return
	}
	r.bad(it.Promised <= it.Statutory, e("Q2", "promised_limit", "承诺时限不能长于法定时限", "the promised limit must not exceed the statutory one"))
}

func unit(u Unit) Unit {
	if u == NaturalDay {
		return NaturalDay
	}
	return WorkingDay
}

// visits are Q3 to Q5.
func visits(it *Item, r *report) {
	if it.Visits > 0 {
		r.bad(it.VisitReason != "", e("Q3", "visit_reason", "需要到现场的，应当写明原因", "visits need a reason"))
	} else {
		r.bad(it.VisitReason == "", e("Q3", "visit_reason", "不需要到现场的，不应写到现场的原因", "no visit, no reason"))
	}
	online := slices.Contains(it.HandlingForms, FormWeb) || slices.Contains(it.HandlingForms, FormMobile)
	r.bad(it.Visits > 0 || online || slices.Contains(it.HandlingForms, FormCourier),
		e("Q4", "handling_forms", "到现场 0 次又不能网上办理的，应当提供快递申请", "without visits and online handling a courier form must be offered"))
	r.bad(it.DepthLevel != 4 || it.Visits == 0, e("Q5", "visits", "网办深度为Ⅳ级的，到现场次数应当为 0", "depth IV means no visit"))
}

// fees are Q6.
func fees(it *Item, r *report) {
	if !it.Charged {
		r.bad(len(it.Fees) == 0, e("Q6", "fees", "不收费的事项不应有收费项目", "a free item has no fees"))
		r.bad(!it.OnlinePayment, e("Q6", "online_payment", "不收费的事项不应有网上支付", "a free item has no online payment"))
		return
	}
	r.bad(len(it.Fees) > 0, e("Q6", "fees", "收费的事项应当写明收费项目", "a charged item names its fees"))
	for i, f := range it.Fees {
		at := index("fees", i)
		r.bad(f.Name != "", e("Q6", at+".display_name", "应当写明收费项目名称", "a fee has a name"))
		r.bad(f.Standard != "", e("Q6", at+".standard", "应当写明收费标准", "a fee has a standard"))
		r.bad(f.Basis != "", e("Q6", at+".basis", "应当写明收费依据", "a fee has a basis"))
	}
}

// themes are Q7.
func themes(it *Item, r *report) {
	persons := slices.Contains(it.ServiceObjects, Person)
	legals := slices.ContainsFunc(it.ServiceObjects, func(o int32) bool { return o != Person })
	r.bad(len(it.ServiceObjects) > 0, e("Q7", "service_objects", "应当写明服务对象", "an item names whom it is for"))
	r.bad(!persons || len(it.PersonThemes) > 0, e("Q7", "person_themes", "面向自然人的事项应当有自然人主题", "an item for persons has a theme for persons"))
	r.bad(!legals || len(it.LegalThemes) > 0, e("Q7", "legal_themes", "面向法人的事项应当有法人主题", "an item for legal persons has a theme for them"))
	r.bad(persons || len(it.PersonThemes) == 0, e("Q7", "person_themes", "不面向自然人的事项不应有自然人主题", "an item not for persons has no theme for persons"))
	r.bad(legals || len(it.LegalThemes) == 0, e("Q7", "legal_themes", "不面向法人的事项不应有法人主题", "an item not for legal persons has no theme for them"))
}

// licenseSteps are the steps a license goes through.
var licenseSteps = []string{"accept", "examine", "approve", "finish", "deliver"}

// license is Q9.
func license(it *Item, r *report) {
	if it.Type != TypeLicense {
		return
	}
	r.bad(it.Faqs > 0, w("Q9", "faqs", "行政许可应当有常见问题", "a license has a question and answer"))
	for _, kind := range licenseSteps {
		if !slices.Contains(it.StepKinds, kind) {
			r.bad(false, w("Q9", "steps", "行政许可的流程应当有受理、审查、决定、办结、送达", "a license is accepted, examined, approved, finished and delivered"))
			return
		}
	}
}

// names are Q12.
func names(it *Item, around Around, r *report) {
	r.bad(!around.TitleTaken, w("Q12", "title", "同一部门同一层级已有同名事项", "another item of the department and level has this title"))
	for i, m := range it.Materials {
		name := strings.TrimSpace(m.Name)
		r.bad(name != "" && !catchAll(name), w("Q12", index("materials", i)+".display_name", "材料不应为空或者是“其他材料”一类的兜底条款", "a material is named, not \"other materials\""))
	}
}

// formSchema is Q13: a form that cannot be shown and checked would stop every application.
func formSchema(it *Item, r *report) {
	for _, p := range it.FormProblems {
		field := "form_schema"
		if p.At != "" {
			field += "." + p.At
		}
		r.bad(false, e("Q13", field, p.ZH, p.EN))
	}
}

// catchAll recognises a material that could be anything (兜底条款).
func catchAll(name string) bool {
	for _, words := range []string{"其他材料", "其它材料", "其他相关材料", "其它相关材料", "其他有关材料", "其他需要提供的", "需要提供的其他", "要求的其他", "规定的其他材料"} {
		if strings.Contains(name, words) {
			return true
		}
	}
	return false
}
