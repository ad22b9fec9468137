package load

import (
	"slices"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
)

// The posts of the sample's officers, who take the steps of the flows below.
const (
	handler  = "经办人"
	examiner = "审核人"
)

// flow is what a service does otherwise than the others: its own steps between acceptance
// and decision, and what may come later or be promised instead.
type flow struct {
	steps          []*cataloguev1.ProcessStep
	gaps, promises []string
}

// flows are those of three services that somebody has to go and look for.
var flows = map[string]flow{
	"construction-permit": {
		steps: []*cataloguev1.ProcessStep{
			{Kind: "undertake", DisplayName: "承办", Id: "undertake", Posts: []string{handler}, Description: "经办人核对申请材料，联系现场。"},
			{Kind: "other", DisplayName: "现场踏勘", Id: "survey", Posts: []string{handler}, Limit: 1, Repeatable: true, Description: "到工地查看施工条件，拍照留存。"},
			{Kind: "examine", DisplayName: "审核", Id: "examine", Posts: []string{examiner}, FourEyes: []string{"survey"}, Description: "审核人对照踏勘记录复核，不合格的退回重新踏勘。"},
		},
		gaps: []string{"质量和安全措施"},
	},
	"commercial-housing-presale": {
		steps: []*cataloguev1.ProcessStep{
			{Kind: "undertake", DisplayName: "承办", Id: "undertake", Posts: []string{handler}, Description: "经办人核对土地、规划和施工许可。"},
			{Kind: "other", DisplayName: "工程进度勘察", Id: "progress", Posts: []string{handler}, Limit: 1, Repeatable: true, Description: "到工地核实形象进度是否达到预售条件。"},
			{Kind: "other", DisplayName: "资金监管核对", Id: "escrow", Optional: true, Limit: 1, Description: "需要时向监管银行核对预售资金监管账户。"},
			{Kind: "examine", DisplayName: "审核", Id: "examine", Posts: []string{examiner}, FourEyes: []string{"progress"}, Limit: 1, Description: "审核人复核勘察和材料。"},
		},
		promises: []string{"工程进度和投入资金证明"},
	},
	"medical-institution-practice": {
		steps: []*cataloguev1.ProcessStep{
			{Kind: "undertake", DisplayName: "承办", Id: "undertake", Posts: []string{handler}, Limit: 2, Description: "经办人核对材料和人员资质。"},
			{Kind: "other", DisplayName: "现场审查", Id: "inspection", Posts: []string{handler}, Limit: 6, Repeatable: true, Description: "到场所查看房屋、设备、消毒和急救条件，整改后可以复查。"},
			{Kind: "examine", DisplayName: "审核", Id: "examine", Posts: []string{examiner}, FourEyes: []string{"inspection"}, Limit: 4, Description: "审核人复核审查结论。"},
		},
		gaps: []string{"规章制度"}, promises: []string{"场所平面图和产权使用证明"},
	},
}

// ownFlow gives an item the flow of its service: the steps stand where the guide has one
// for all of the examination, and the approval becomes the last of them.
func ownFlow(service string, it *cataloguev1.Item) {
	f, ok := flows[service]
	if !ok {
		return
	}
	var steps []*cataloguev1.ProcessStep
	for _, s := range it.Steps {
		switch s.GetKind() {
		case "examine":
			steps = append(steps, f.steps...)
		case "approve":
			s.Id, s.FourEyes = "approve", []string{"undertake", "examine"}
			fallthrough
		default:
			steps = append(steps, s)
		}
	}
	it.Steps = steps
	for _, m := range it.Materials {
		m.GapAllowed, m.PromiseAllowed = slices.Contains(f.gaps, m.GetDisplayName()), slices.Contains(f.promises, m.GetDisplayName())
	}
}
