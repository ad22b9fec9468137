package rules

import (
	"fmt"

	"github.com/onehall/onehall/services/platform/workday"
)

// what names a clock in a ground.
func (c clock) what() string {
	switch c.kind {
	case ClockCase:
		return "办件"
	case ClockAcceptance:
		return "收到申请后"
	case ClockPreAccept:
		return "网上预受理"
	case ClockDelivery:
		return "作出准予决定后"
	case ClockConsult:
		return named("咨询", c.name)
	case ClockComplaint:
		return named("投诉", c.name)
	case ClockMessage:
		return named("来信", c.name)
	case ClockTicket:
		return named("差评工单", c.name)
	case ClockLicense:
		return "办结后电子证照"
	case ClockStep:
		return "环节“" + c.name + "”"
	case ClockForward:
		return "转报前的初审"
	case ClockPause:
		return "累计至特别程序“" + c.name + "”，本次暂停"
	case ClockReview:
		return "收到差评后"
	case ClockGap:
		return "容缺材料“" + c.name + "”"
	default:
		return named("特别程序", c.name)
	}
}

// named is what with its name, if it has one.
func named(what, name string) string {
	if name == "" {
		return what
	}
	return what + "“" + name + "”"
}

// limitName names the limit in a ground.
func (c clock) limitName(t Threshold) string {
	switch {
	case c.kind == ClockCase && t.Of == "statutory":
		return "法定时限"
	case c.kind == ClockCase:
		return "承诺时限"
	case c.kind == ClockAcceptance:
		return "受理时限"
	case c.kind == ClockDelivery:
		return "送达时限"
	case c.kind == ClockStep:
		return "该环节时限"
	case c.kind == ClockForward:
		return "初审时限"
	case c.kind == ClockPause:
		return "承诺时限2倍的余额"
	case c.kind == ClockReview:
		return "答复时限"
	case c.kind == ClockLicense:
		return "制证时限"
	case c.kind == ClockGap:
		return "补齐期限"
	default:
		return "规定时限"
	}
}

func unitName(u workday.Unit) string {
	if u == workday.NaturalDays {
		return "个自然日"
	}
	return "个工作日"
}

func timedGround(c clock, t Threshold, f Finding, due workday.Date, dueKnown bool) string {
	unit := unitName(c.in.Unit)
	text := fmt.Sprintf("%s已用%d%s，%s%d%s", c.what(), f.Used, unit, c.limitName(t), f.Limit, unit)
	switch left := f.Limit - f.Used; {
	case left < 0:
		text += fmt.Sprintf("，已超%d%s", -left, unit)
	case c.kind == ClockAcceptance || c.kind == ClockDelivery || c.kind == ClockReview:
	default:
		text += fmt.Sprintf("，剩余%d%s", left, unit)
	}
	if dueKnown {
		text += "，到期日" + due.String()
	}
	switch c.kind {
	case ClockAcceptance:
		text += "，仍未受理、补正告知或者不予受理，依法视为自收到申请之日起受理"
	case ClockDelivery:
		text += "，仍未办结送达"
	case ClockReview:
		text += "，仍未答复整改"
	case ClockLicense:
		text += "，仍未签发电子证照"
	case ClockGap:
		text += "，仍未补齐"
	}
	return text
}
