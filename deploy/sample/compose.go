package sample

import "fmt"

// compose writes the guide of a generated entry as one department does it.
// Departments differ in how quickly they work and how much runs online, so what
// may differ is drawn from a generator seeded by department and entry; an empty
// department gives the directory's view.
func compose(e *entry, uscc string) Guide {
	r := newRNG(seedOf(e.code, uscc))
	g := Guide{
		Name:           e.name(),
		Aliases:        e.aliases(),
		ItemType:       e.typ,
		BaseCode:       e.code,
		LegalBasis:     e.basis(),
		Conditions:     e.conditions(),
		Materials:      e.materials(),
		Place:          "{division}政务服务中心{department}窗口",
		Hours:          "周一至周五 9:00—12:00、14:00—17:00（法定节假日除外）",
		ConsultPhone:   "{area}-" + e.kind.Hotline,
		ComplaintPhone: "{area}-12345",
		FAQ:            e.faq(),
	}
	if e.kind.Hotline == "12345" {
		g.ComplaintPhone = "{area}-12388" // consulting and complaining must not meet the same person
	}
	if e.persons {
		g.ServiceObjects = append(g.ServiceObjects, ObjectPerson)
		g.PersonThemes = []string{e.kind.PersonTheme}
	}
	if e.legals {
		g.ServiceObjects = append(g.ServiceObjects, ObjectEnterprise)
		g.LegalThemes = []string{e.kind.LegalTheme}
	}
	e.limits(r, &g)
	e.channels(r, &g)
	e.fees(r, &g)
	g.Result = e.result()
	g.Steps = steps(g.Promised.Value, g.Visits)
	g.Summary = e.summary(&g)
	g.Tips = e.tips()
	return g
}

// aliases are what a person would say: 办动物诊疗, 变更排污, 动物诊疗怎么办.
func (e *entry) aliases() []string {
	verb := e.act.verb
	if e.act.kind == actNew {
		verb = "办"
	}
	return []string{verb + e.subject, e.subject + "怎么" + e.act.verb}
}

// basis cites only what holds for every item of the kind: which law a generated
// item would rest on nobody can say.
func (e *entry) basis() []Basis {
	if e.typ == TypeLicense {
		return []Basis{{Law: "中华人民共和国行政许可法"}}
	}
	return []Basis{{Law: "国务院关于加快推进政务服务标准化规范化便利化的指导意见（国发〔2022〕5号）"}}
}

func (e *entry) who() string {
	switch {
	case e.persons && e.legals:
		return "个人或者单位"
	case e.persons:
		return "本地居民或者在本地常住的人"
	default:
		return "依法登记的单位"
	}
}

func (e *entry) conditions() []string {
	out := []string{"申请人是" + e.who()}
	switch e.act.kind {
	case actNew, actReview:
		rule := "符合" + e.subject + "的规定条件"
		if e.typ == TypeLicense && e.legals {
			rule = e.subject + "的地点、人员和设施符合国家规定"
		}
		out = append(out, rule, "提供的材料真实、完整")
	case actChange:
		out = append(out, "已经办过"+e.subject+"，原来登记的内容有变化", "变化后仍然符合规定条件")
	case actExtend:
		out = append(out, "原来的决定还在有效期内，或者对结果有不同意见", "在规定的期限内提出")
	case actCancel:
		out = append(out, "不再需要"+e.subject, "没有未处理完的事项")
	case actReissue:
		out = append(out, "证件遗失或者损坏", "登记的内容没有变化")
	case actReport:
		out = append(out, "已经办过"+e.subject+"备案", "在每年规定的时间内报送")
	default:
		out = append(out, "事情属于本部门的管理范围")
	}
	return out
}

// limits: statutory first, the promise is what is left after the department's
// own improvement; simple acts are done at once.
func (e *entry) limits(r *rng, g *Guide) {
	g.Statutory.Unit, g.Promised.Unit = UnitWorkingDay, UnitWorkingDay
	g.CaseType = CasePromised
	g.StatutoryBasis = "国家没有规定专门时限，按本厅公布的最长时限"
	switch {
	case e.typ == TypeLicense && e.act.kind == actNew:
		g.Statutory.Value, g.Promised.Value = 20, pick(r, []int{3, 5, 7, 8, 10})
	case e.typ == TypeLicense:
		g.Statutory.Value, g.Promised.Value = 20, pick(r, []int{0, 1, 3, 5})
	case e.act.kind == actReview:
		g.Statutory.Value, g.Promised.Value = 20, pick(r, []int{5, 8, 10, 15})
	case e.typ == TypeOtherPower:
		g.Statutory.Value, g.Promised.Value = 10, pick(r, []int{0, 0, 1, 3, 5})
	case e.typ == TypeBenefit || e.typ == TypeConfirmation:
		g.Statutory.Value, g.Promised.Value = 30, pick(r, []int{5, 8, 10, 15, 20})
	case e.act.kind == actAsk:
		g.Statutory.Value, g.Promised.Value = 5, pick(r, []int{0, 1, 2})
	default:
		g.Statutory.Value, g.Promised.Value = 3, 0
	}
	if e.typ == TypeLicense {
		g.StatutoryBasis = "行政许可法第四十二条：二十日"
	}
	if g.Promised.Value == 0 {
		g.CaseType = CaseInstant
	}
}

var visitReasons = []string{"要当面核对原件", "要到现场查看场地和设备", "要本人当面签字确认", "纸质证件要到窗口换领"}

func (e *entry) channels(r *rng, g *Guide) {
	switch n := r.intn(100); {
	case n < 60: // fully online
		g.OnlineDepth = []string{"1", "2", "3", "4", "5", "6"}
		if e.typ == TypeLicense || e.typ == TypeConfirmation {
			g.OnlineDepth = append(g.OnlineDepth, "7")
		}
		g.HandlingForms = []string{"1", "2", "3"}
	case n < 90: // applied for online, one visit
		g.OnlineDepth = []string{"1", "2", "3", "4", "6"}
		g.HandlingForms = []string{"1", "2"}
		g.Visits, g.VisitReason = 1, pick(r, visitReasons)
	case n < 95: // by courier
		g.OnlineDepth = []string{"1"}
		g.HandlingForms = []string{"1", "4"}
	default:
		g.OnlineDepth = []string{"1"}
		g.HandlingForms = []string{"1"}
		g.Visits, g.VisitReason = 1+r.intn(2), pick(r, visitReasons)
	}
	g.AnywhereScope = pick(r, []string{"", "county", "city", "city", "province"})
}

func (e *entry) fees(r *rng, g *Guide) {
	if e.typ != TypeLicense || e.act.kind != actNew || !r.chance(8) {
		return
	}
	g.Fees = []Fee{{
		Name:     "证书工本费",
		Standard: fmt.Sprintf("%d元/证", pick(r, []int{5, 8, 10, 20})),
		Basis:    "广东省行政事业性收费目录（示例）",
	}}
	g.OnlinePayment = true
}

func (e *entry) result() Result {
	res := Result{Name: e.subject + "备案回执", Type: ResultDocument}
	switch {
	case e.act.kind == actCancel:
		res = Result{Name: "准予注销决定书", Type: ResultApproval}
	case e.typ == TypeLicense:
		res = Result{Name: e.subject + "许可证", Type: ResultCertificate}
	case e.act.kind == actReview:
		res = Result{Name: e.subject + "审核意见书", Type: ResultApproval}
	case e.typ == TypePublicService:
		res.Name = map[actKind]string{
			actNew: e.subject + "办理告知单", actAsk: "咨询答复", actQuery: "查询结果",
			actExplain: "政策解答告知书", actBook: "预约回执",
		}[e.act.kind]
	case e.typ == TypeBenefit:
		res.Name = e.subject + "确认通知书"
	case e.typ == TypeConfirmation:
		res = Result{Name: e.subject + "认定证书", Type: ResultCertificate}
	}
	res.Sample = "【样本】" + res.Name + "\n申请人：样本\n编号：样本0001\n发放单位：{department}"
	return res
}
