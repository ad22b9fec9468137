package casework

import (
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// stateTitles are the states in plain Chinese.
var stateTitles = map[caseworkv1.CaseState]string{
	caseworkv1.CaseState_CASE_STATE_DRAFT:         "暂存",
	caseworkv1.CaseState_CASE_STATE_SUBMITTED:     "已申办",
	caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING: "补正中",
	caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED:  "不受理",
	caseworkv1.CaseState_CASE_STATE_REFUSED:       "不予受理",
	caseworkv1.CaseState_CASE_STATE_ACCEPTED:      "已受理",
	caseworkv1.CaseState_CASE_STATE_EXAMINING:     "审批中",
	caseworkv1.CaseState_CASE_STATE_SUSPENDED:     "特别程序中",
	caseworkv1.CaseState_CASE_STATE_DECIDED:       "已决定",
	caseworkv1.CaseState_CASE_STATE_FINISHED:      "已办结",
	caseworkv1.CaseState_CASE_STATE_COLLECTED:     "已领取",
	caseworkv1.CaseState_CASE_STATE_WITHDRAWN:     "已撤回",
	caseworkv1.CaseState_CASE_STATE_LAPSED:        "补正逾期",
	caseworkv1.CaseState_CASE_STATE_VOIDED:        "已作废",
	caseworkv1.CaseState_CASE_STATE_REVOKED:       "已撤销",
}

// nextSteps say what comes next to whoever waits.
var nextSteps = map[caseworkv1.CaseState]string{
	caseworkv1.CaseState_CASE_STATE_SUBMITTED:    "等待受理部门审查申请材料，请留意通知",
	caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED: "该事项无需办理许可，流程已结束",
	caseworkv1.CaseState_CASE_STATE_REFUSED:      "请向有权受理的机关提出申请",
	caseworkv1.CaseState_CASE_STATE_ACCEPTED:     "等待承办人员办理",
	caseworkv1.CaseState_CASE_STATE_EXAMINING:    "审批部门正在审查",
	caseworkv1.CaseState_CASE_STATE_SUSPENDED:    "正在进行听证、检验或评审等程序，完成后继续办理",
	caseworkv1.CaseState_CASE_STATE_DECIDED:      "已作出决定，等待制证或办结",
	caseworkv1.CaseState_CASE_STATE_FINISHED:     "已办结",
	caseworkv1.CaseState_CASE_STATE_COLLECTED:    "结果已领取，流程已结束",
	caseworkv1.CaseState_CASE_STATE_WITHDRAWN:    "申请已撤回，流程已结束",
	caseworkv1.CaseState_CASE_STATE_LAPSED:       "逾期未补正，流程已结束，可重新申请",
	caseworkv1.CaseState_CASE_STATE_VOIDED:       "办件已作废，如有疑问请咨询受理部门",
	caseworkv1.CaseState_CASE_STATE_REVOKED:      "许可已被撤销，可依法申请行政复议或者提起行政诉讼",
}

func nextStep(c *caseworkv1.Case) string {
	switch {
	case c.GetState() == caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING && len(c.GetSupplements()) > 0:
		return "请在 " + c.GetSupplements()[len(c.GetSupplements())-1].GetDueDate() + " 前补正材料"
	case c.GetState() == caseworkv1.CaseState_CASE_STATE_FINISHED && handover(c.GetFinish()):
		return "已办结，请领取证照或文书"
	}
	return nextSteps[c.GetState()]
}

// eventTitles are the events in plain Chinese.
var eventTitles = map[string]string{
	"case.drafted":              "暂存申请",
	"case.updated":              "修改暂存内容",
	"case.taken_over":           "窗口接办暂存件",
	"case.material_attached":    "上传申请材料",
	"case.submitted":            "提交申请",
	"case.pre_accepted":         "网上预受理通过",
	"case.supplement_requested": "一次性告知补正",
	"case.supplement_received":  "收到补正材料",
	"case.accepted":             "受理",
	"case.deemed_accepted":      "视为受理",
	"case.not_accepted":         "不受理",
	"case.refused":              "不予受理",
	"case.undertaken":           "承办",
	"case.examined":             "审核",
	"case.approved":             "批准",
	"case.decided":              "作出决定",
	"case.finished":             "办结",
	"case.collected":            "领取结果",
	"case.licensed":             "签发电子证照",
	"case.withdrawn":            "撤回申请",
	"case.lapsed":               "补正逾期办结",
	"case.voided":               "作废",
	"case.special_started":      "启动特别程序",
	"case.special_ended":        "特别程序结束",
	"case.applicant_revealed":   "查看申请人信息",
	"case.claimed":              "认领",
	"case.assigned":             "指派",
	"case.released":             "退回待办",
	"case.revoked":              "撤销许可",
	"case.forward_opened":       "上级机关已立案",
	"case.revision_changed":     "适用事项新版本",
	"case.handed_over":          "移交部门",
	"case.corrected":            "更正报送内容",
	"case.step_performed":       "办理环节",
	"case.step_sent_back":       "退回上一环节",
	"case.gap_filled":           "容缺材料补齐",
	"case.fee_charged":          "缴费通知",
	"case.fee_paid":             "缴费登记",
	"case.fee_waived":           "减免费用",
	"case.fee_refunded":         "退费",
	"case.due_changed":          "日历或时限规则变化，重新计算期限",
}
