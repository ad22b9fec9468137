package document

import (
	"fmt"
	"strconv"
	"strings"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// article is a place in the Administrative Licensing Law.
func article(place string) string { return "《中华人民共和国行政许可法》" + place }

// contest is how an act is contested for which nobody wrote the remedies down.
const contest = "如不服本决定，可以自收到本文书之日起六十日内依法申请行政复议，也可以自收到本文书之日起六个月内依法向人民法院提起行政诉讼。"

func receipt(p *paper, r Request) bool {
	c := p.Case
	p.Title, p.issued, p.Due = "申请材料接收凭证", c.GetSubmitTime(), dayOf(c.GetAcceptanceDueDate())
	p.Basis = []string{article("第二十九条"), article("第三十二条")}
	for i, m := range c.GetMaterials() {
		what := fmt.Sprintf("%s，%d份", titleOf(m.GetMaterialId(), m.GetDisplayName(), r), max(1, m.GetCopies()))
		switch {
		case m.GetPaper():
			what += "（纸质）"
		case m.GetSha256() != "":
			what += "（电子文件，校验码" + m.GetSha256()[:8] + "）"
		case m.GetPromised():
			what += "（承诺后补）"
		case m.GetPromise() != nil:
			what += "（以书面承诺代替）"
		}
		p.line("材料"+strconv.Itoa(i+1), what)
	}
	return true
}

func titleOf(id, shown string, r Request) string {
	for _, s := range []string{shown, r.Titles[id]} {
		if s != "" {
			return s
		}
	}
	return id
}

func acceptance(p *paper, r Request) bool {
	c := p.Case
	if c.GetAcceptTime() == nil {
		return false
	}
	p.Title, p.issued, p.Deemed = "受理通知书", c.GetAcceptTime(), c.GetDeemedAcceptTime() != nil
	p.Basis = []string{article("第三十二条第一款第（五）项、第二款"), article("第四十二条")}
	if p.Deemed {
		p.issued = c.GetDeemedAcceptTime()
		p.Basis[0] = article("第三十二条第一款第（四）项")
	}
	p.line("受理日期", p.Accepted)
	if c.GetPromisedLimit() > 0 {
		p.line("承诺办结时限", days(c.GetPromisedLimit(), c.GetLimitUnit()))
	}
	if c.GetStatutoryLimit() > 0 {
		p.line("法定办结时限", days(c.GetStatutoryLimit(), c.GetLimitUnit()))
	}
	p.line("承诺办结日期", dayOf(c.GetPromisedDueDate()))
	p.Gaps = len(c.GetGaps()) > 0
	for _, g := range c.GetGaps() {
		p.line("容缺材料", titleOf(g.GetMaterialId(), g.GetDisplayName(), r)+"，"+dayOf(g.GetDueDate())+"前补齐")
	}
	for _, m := range c.GetMaterials() {
		if m.GetPromise() != nil {
			p.line("告知承诺", titleOf(m.GetMaterialId(), m.GetDisplayName(), r)+"以书面承诺代替："+m.GetPromise().GetStatement())
		}
	}
	return true
}

// fee is the notice of a charge. What was waived needs no notice any more.
func fee(p *paper, r Request) bool {
	c, serial, ok := pick(p.Case.GetCharges(), r.Serial)
	if !ok || c.GetState() == caseworkv1.ChargeState_CHARGE_STATE_WAIVED {
		return false
	}
	p.Title, p.issued, p.serial, p.Charge, p.Remedies = "缴费通知书", c.GetChargeTime(), serial, c, contest
	p.Amount = yuan(c.GetAmountFen())
	p.Basis = []string{article("第五十八条"), article("第五十九条")}
	p.line("收费项目", c.GetDisplayName())
	p.line("应缴金额", p.Amount)
	p.line("收费依据", c.GetBasis())
	p.line("缴费日期", day(c.GetPaymentTime()))
	p.line("票据号码", c.GetReceiptNo())
	return true
}

// yuan is an amount as people read it.
func yuan(fen int64) string { return fmt.Sprintf("%d.%02d元", fen/100, fen%100) }

func days(n int32, unit caseworkv1.TimeUnit) string {
	if unit == caseworkv1.TimeUnit_TIME_UNIT_NATURAL_DAY {
		return strconv.Itoa(int(n)) + "个自然日"
	}
	return strconv.Itoa(int(n)) + "个工作日"
}

// pick is the entry of a serial, or the last; nil when there is none.
func pick[T any](all []T, serial int) (T, int32, bool) {
	var none T
	if serial == 0 {
		serial = len(all)
	}
	if serial < 1 || serial > len(all) {
		return none, 0, false
	}
	return all[serial-1], int32(serial), true
}

func supplement(p *paper, r Request) bool {
	s, serial, ok := pick(p.Case.GetSupplements(), r.Serial)
	if !ok {
		return false
	}
	p.Supplement, p.serial = s, serial
	p.Title, p.issued, p.Due = "补正告知书", s.GetNoticeTime(), dayOf(s.GetDueDate())
	p.Basis = []string{article("第三十二条第一款第（四）项")}
	p.line("补正内容", s.GetReason())
	var names []string
	for _, id := range s.GetMaterialIds() {
		names = append(names, titleOf(id, "", r))
	}
	p.line("需要补正的材料", strings.Join(names, "、"))
	p.line("需要更正的填写项", strings.Join(s.GetFormFields(), "、"))
	p.line("补正期限", fmt.Sprintf("%d个工作日，至%s", s.GetLimitDays(), p.Due))
	return true
}

func refusal(p *paper, _ Request) bool {
	c := p.Case
	p.issued, p.Remedies = c.GetEndTime(), contest
	switch c.GetState() {
	case caseworkv1.CaseState_CASE_STATE_REFUSED:
		p.Title, p.Refused = "不予受理决定书", true
		p.Basis = []string{article("第三十二条第一款第（二）项、第二款")}
	case caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED:
		p.Title = "不受理告知书"
		p.Basis = []string{article("第三十二条第一款第（一）项、第二款")}
	default:
		return false
	}
	p.line("理由", strings.ReplaceAll(c.GetEndReason(), "\n", "；"))
	return true
}

func decision(p *paper, _ Request) bool {
	d := p.Case.GetDecision()
	if d.GetResult() != caseworkv1.DecisionResult_DECISION_RESULT_GRANTED {
		return false
	}
	p.Title, p.issued = "准予行政许可决定书", d.GetDecideTime()
	p.Basis = []string{article("第三十八条第一款"), article("第四十四条")}
	p.line("决定日期", p.Decided)
	p.line("说明", d.GetReason())
	f := p.Case.GetFinish()
	p.line("证件名称", f.GetCertificateName())
	p.line("证件编号", f.GetCertificateNo())
	return true
}

func denial(p *paper, _ Request) bool {
	d := p.Case.GetDecision()
	if d.GetResult() != caseworkv1.DecisionResult_DECISION_RESULT_DENIED {
		return false
	}
	p.Title, p.issued, p.Remedies = "不予行政许可决定书", d.GetDecideTime(), d.GetRemedies()
	p.Basis = []string{article("第三十八条第二款")}
	p.line("决定日期", p.Decided)
	p.line("理由", d.GetReason())
	return true
}

func special(p *paper, r Request) bool {
	s, serial, ok := pick(p.Case.GetSpecialProcedures(), r.Serial)
	if !ok {
		return false
	}
	p.Special, p.serial, p.issued = s, serial, s.GetStartTime()
	p.Title, p.Basis = "特别程序告知书", []string{article("第四十五条")}
	if s.GetKind() == caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION {
		p.Title, p.Basis, p.Extension = "延长办理期限告知书", []string{article("第四十二条第一款")}, true
	}
	if s.GetLimit() > 0 {
		p.Limit = days(s.GetLimit(), s.GetLimitUnit())
	}
	p.line("程序名称", s.GetDisplayName())
	p.line("理由", s.GetGround())
	p.line("开始日期", day(s.GetStartTime()))
	p.line("期限", p.Limit)
	if !p.Extension {
		p.line("结束日期", day(s.GetEndTime()))
		p.line("结果", s.GetResult())
	}
	return true
}

var ways = map[caseworkv1.Channel]string{
	caseworkv1.Channel_CHANNEL_WINDOW: "窗口领取", caseworkv1.Channel_CHANNEL_WEB: "网上送达",
	caseworkv1.Channel_CHANNEL_MOBILE: "移动端送达", caseworkv1.Channel_CHANNEL_COURIER: "快递送达",
}

func delivery(p *paper, _ Request) bool {
	x := p.Case.GetCollection()
	if x == nil {
		return false
	}
	p.Title, p.issued, p.Basis = "送达回证", x.GetCollectTime(), []string{article("第四十四条")}
	p.line("证件名称", p.Case.GetFinish().GetCertificateName())
	p.line("证件编号", p.Case.GetFinish().GetCertificateNo())
	p.line("领取人", x.GetCollector())
	p.line("送达方式", ways[x.GetWay()])
	p.line("送达时间", moment(x.GetCollectTime()))
	return true
}

func revocation(p *paper, _ Request) bool {
	x := p.Case.GetRevocation()
	if x == nil {
		return false
	}
	p.Title, p.issued, p.Remedies = "撤销行政许可决定书", x.GetRevokeTime(), x.GetRemedies()
	p.Basis = []string{article("第六十九条")}
	p.line("撤销日期", day(x.GetRevokeTime()))
	p.line("理由", x.GetReason())
	return true
}
