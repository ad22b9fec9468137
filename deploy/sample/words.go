package sample

import "fmt"

// The plain words of generated guides.

func (e *entry) summary(g *Guide) string {
	quick := "当场办完"
	if g.Promised.Value > 0 {
		quick = fmt.Sprintf("%d个工作日内办完", g.Promised.Value)
	}
	way := "网上就能办，不用跑"
	if g.Visits > 0 {
		way = fmt.Sprintf("最多跑%d次", g.Visits)
	} else if !g.FullOnline() {
		way = "可以寄材料办，不用跑"
	}
	return fmt.Sprintf("%s可以向{department}申请%s，%s，%s。", e.who(), e.name(), quick, way)
}

func (e *entry) identity() Material {
	m := Material{Form: FormBoth, Required: true, Copies: 1, Source: SourceGovernment}
	switch {
	case e.persons && e.legals:
		m.Name, m.Notes = "居民身份证或者营业执照", "个人用居民身份证，单位用营业执照，系统能查到就不用带"
	case e.persons:
		m.Name, m.Notes = "居民身份证", "可以出示电子身份证明"
	default:
		m.Name, m.Required, m.Notes = "营业执照或者法人证书", false, "系统能查到就不用提供"
	}
	return m
}

func (e *entry) materials() []Material {
	form := Material{
		Name: e.name() + "申请表", Form: FormBoth, Required: true,
		Copies: 1, Source: SourceApplicant, BlankForm: true, Notes: "网上填写的不用再交纸质表",
	}
	out := []Material{form, e.identity()}
	add := func(name, form, source string, required bool, notes string) {
		out = append(out, Material{Name: name, Form: form, Required: required, Copies: 1, Source: source, Notes: notes})
	}
	switch e.act.kind {
	case actNew, actReview:
		if e.legals && e.typ == TypeLicense {
			add(e.subject+"场所和设施情况说明", FormElectronic, SourceApplicant, true, "写清地址、面积、主要设备")
			add("管理制度文本", FormElectronic, SourceApplicant, true, "可以用本厅提供的范本")
			add("从业人员资格证明", FormBoth, SourceOther, false, "国家对人员资格有要求的才需要")
			break
		}
		add(e.subject+"情况说明", FormBoth, SourceApplicant, true, "把事情经过和要求写清楚")
		if e.typ == TypeBenefit {
			add("本人银行账户信息", FormElectronic, SourceApplicant, true, "发钱用，最好是社会保障卡")
		}
	case actChange:
		add("变更事项的证明", FormBoth, SourceOther, true, "能证明变更内容的文件")
	case actExtend:
		add("继续符合条件的承诺书", FormElectronic, SourceApplicant, true, "网上勾选并签名")
	case actReissue:
		add("遗失说明", FormBoth, SourceApplicant, false, "遗失的填写，损坏的交回原证")
	case actReport:
		add("年度情况报告", FormElectronic, SourceApplicant, true, "按模板填写")
	}
	return out
}

func (e *entry) faq() []FAQ {
	out := []FAQ{
		{"材料没带齐怎么办？", "工作人员会一次性告诉您还缺什么，补齐后从补齐那天起计算办理时间。"},
		{"可以请别人代办吗？", "可以。请代办人带上委托书和双方的身份证明；规定要本人到场的除外。"},
	}
	if e.act.kind == actNew {
		out = append(out, FAQ{e.subject + "以后内容变了怎么办？", "请在变化后三十日内到原来办理的部门申请变更。"})
	}
	return out
}

func (e *entry) tips() []string {
	return []string{"办" + e.subject + "以前可以先打咨询电话问清楚", "办理进度可以用办件编号和查询密码在网上查"}
}

// steps spreads the promised days over the five stages; they always add up.
func steps(days, visits int) []Step {
	var d [5]int
	switch {
	case days == 0:
	case days <= 2:
		d[1], d[2] = 1, days-1
	case days <= 4:
		d[0], d[1], d[2] = 1, days-2, 1
	default:
		d[0], d[1], d[2], d[3] = 1, days-3, 1, 1
	}
	deliver := "结果在网上直接下载，需要纸质件的可以选快递或者到窗口领。"
	if visits > 0 {
		deliver = "结果可以到窗口领，也可以选快递寄到家。"
	}
	return []Step{
		{StepAccept, "申请和受理", d[0], "材料齐全就受理；缺材料的一次性告知，最迟五个工作日内告知。"},
		{StepExamine, "审查", d[1], "工作人员核对材料和信息是否真实、是否符合条件。"},
		{StepApprove, "决定", d[2], "作出同意或者不同意的决定；不同意的会书面说明理由。"},
		{StepFinish, "办结", d[3], "系统登记办理结果，短信通知您，网上可以查到。"},
		{StepDeliver, "送达", d[4], deliver},
	}
}
