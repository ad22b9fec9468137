package catalogue

import (
	"strings"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/rules"
)

// The columns of a list that is imported.
const (
	colCode       = "item_code"
	colName       = "name"
	colBase       = "base_code"
	colType       = "item_type"
	colCase       = "case_type"
	colStatutory  = "statutory_limit"
	colStatUnit   = "statutory_unit"
	colPromised   = "promised_limit"
	colPromUnit   = "promised_unit"
	colVisits     = "visits"
	colReason     = "visit_reason"
	colFeeFlag    = "fee_flag"
	colFeeName    = "fee_name"
	colStandard   = "fee_standard"
	colFeeBasis   = "fee_basis"
	colObjects    = "service_objects"
	colThemes     = "themes"
	colBasis      = "legal_basis"
	colMaterials  = "materials"
	colConsult    = "consult_phone"
	colComplaint  = "complaint_phone"
	colDepth      = "online_depth"
	colForms      = "handling_forms"
	colResult     = "result_name"
	colResultType = "result_type"
)

// column is a column with its Chinese names.
type column struct {
	name     string
	zh       []string
	required bool
}

// columns are all columns. A list may leave out those that are not required; what an
// item says there stays as it is.
var columns = []column{
	{colCode, []string{"事项编码", "实施编码", "业务办理项编码"}, true}, {colName, []string{"事项名称", "名称"}, true},
	{colBase, []string{"基本编码", "目录编码"}, true}, {colType, []string{"事项类型"}, true}, {colCase, []string{"办件类型"}, true},
	{colStatutory, []string{"法定办结时限", "法定时限"}, true}, {colStatUnit, []string{"法定办结时限单位", "法定时限单位"}, false},
	{colPromised, []string{"承诺办结时限", "承诺时限"}, true}, {colPromUnit, []string{"承诺办结时限单位", "承诺时限单位"}, false},
	{colVisits, []string{"到办事现场次数", "到现场次数"}, false}, {colReason, []string{"必须现场办理原因", "到现场原因"}, false},
	{colFeeFlag, []string{"是否收费"}, false}, {colFeeName, []string{"收费项目名称", "收费项目"}, false},
	{colStandard, []string{"收费标准"}, false}, {colFeeBasis, []string{"收费依据"}, false},
	{colObjects, []string{"服务对象"}, false}, {colThemes, []string{"主题", "主题分类"}, false},
	{colBasis, []string{"设定依据"}, false}, {colMaterials, []string{"申请材料", "材料"}, false},
	{colConsult, []string{"咨询电话", "咨询方式"}, false}, {colComplaint, []string{"投诉电话", "监督投诉方式"}, false},
	{colDepth, []string{"网办深度"}, false}, {colForms, []string{"办理形式"}, false},
	{colResult, []string{"审批结果名称", "结果名称"}, false}, {colResultType, []string{"审批结果类型", "结果类型"}, false},
}

// columnOf finds the column of a header.
func columnOf(header string) (string, bool) {
	for _, c := range columns {
		if strings.EqualFold(header, c.name) {
			return c.name, true
		}
		for _, zh := range c.zh {
			if header == zh {
				return c.name, true
			}
		}
	}
	return "", false
}

// fieldColumns are the columns that fill the fields of an item. A finding about a field
// without column is no fault of the list.
var fieldColumns = map[string]string{
	"name": colCode, "title": colName, "directory_entry": colBase, "item_type": colType, "level": colCode, "case_type": colCase,
	"statutory_limit": colStatutory, "promised_limit": colPromised, "promised_unit": colPromUnit, "limit_unit": colStatUnit,
	"visits": colVisits, "visit_reason": colReason, "fees": colFeeName, "fees[0].display_name": colFeeName,
	"fees[0].standard": colStandard, "fees[0].basis": colFeeBasis, "online_payment": colFeeFlag, "service_objects": colObjects,
	"person_themes": colThemes, "legal_themes": colThemes, "legal_basis": colBasis, "materials": colMaterials,
	"consult_phone": colConsult, "complaint_phone": colComplaint, "online_depth": colDepth, "handling_forms": colForms,
	"results[0].display_name": colResult, "results[0].type": colResultType,
}

func columnOfField(field string) (string, bool) {
	if c, ok := fieldColumns[field]; ok {
		return c, true
	}
	top, _, indexed := strings.Cut(field, "[")
	if top == "fees" || top == "results" {
		return "", false
	}
	c, ok := fieldColumns[top]
	return c, ok && indexed
}

// The words that a cell may hold for a choice.
var (
	caseTypes = map[string]cataloguev1.CaseType{
		"1": 1, "即办件": 1, "instant": 1, "2": 2, "承诺件": 2, "promised": 2,
	}
	units = map[string]cataloguev1.TimeUnit{
		"": 1, "working_day": 1, "工作日": 1, "1": 1, "G": 1, "natural_day": 2, "自然日": 2, "日": 2, "天": 2, "2": 2, "Z": 2,
	}
	flags = map[string]bool{
		"": false, "0": false, "否": false, "no": false, "false": false, "不收费": false, "非必要": false,
		"1": true, "是": true, "yes": true, "true": true, "收费": true, "必要": true,
	}
	materialForms = map[string]cataloguev1.MaterialForm{
		"": 3, "either": 3, "both": 3, "纸质或电子": 3, "paper": 1, "纸质": 1, "electronic": 2, "电子": 2,
	}
	materialSources = map[string]cataloguev1.MaterialSource{
		"": 0, "applicant": 1, "申请人自备": 1, "government": 2, "政府部门核发": 2, "other": 3, "其他": 3,
	}
	resultTypes = map[string]string{
		"": "other", "other": "other", "其他": "other", "certificate": "certificate", "证照": "certificate",
		"approval": "approval", "批复": "approval", "批文": "approval", "document": "document", "文件": "document", "文书": "document",
	}
	itemTypes = func() map[string]string {
		all := map[string]string{"non_license_approval": rules.TypeNonLicense}
		for code, zh := range rules.ItemTypes {
			all[code], all[zh] = code, code
		}
		return all
	}()
)
