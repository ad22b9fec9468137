package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onehall/onehall/services/platform/codes"
)

func index(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// phones are Q8.
func phones(it *Item, r *report) {
	consult, okConsult := dialable(it.ConsultPhone)
	complaint, okComplaint := dialable(it.ComplaintPhone)
	r.bad(okConsult, w("Q8", "consult_phone", "应当有带区号的咨询电话", "a phone for questions with area code is needed"))
	r.bad(okComplaint, w("Q8", "complaint_phone", "应当有带区号的投诉电话", "a phone for complaints with area code is needed"))
	r.bad(!okConsult || !okComplaint || consult != complaint, w("Q8", "complaint_phone", "咨询电话与投诉电话不应相同", "both phones must differ"))
}

// dialable says whether a phone can be called from everywhere: it has an area code, or
// is a toll-free number that needs none.
func dialable(s string) (string, bool) {
	number, err := codes.Phone(s)
	return number, err == nil && (number[0] == '0' || strings.HasPrefix(number, "400-") || strings.HasPrefix(number, "800-"))
}

// suffixes are the endings of a result's name that tell its type.
var suffixes = []struct {
	kind  string
	words []string
}{
	{"certificate", []string{"证", "证书", "执照", "证明", "簿", "卡"}},
	{"approval", []string{"批复", "决定书", "意见书"}},
	{"document", []string{"文", "函", "通知书", "回执", "告知书", "回单"}},
}

// results is Q10.
func results(it *Item, r *report) {
	for i, res := range it.Results {
		at := index("results", i)
		r.bad(res.Sample != "", w("Q10", at+".sample", "应当有审批结果样本", "a result has a sample"))
		for _, s := range suffixes {
			fits := slices.ContainsFunc(s.words, func(end string) bool { return strings.HasSuffix(res.Name, end) })
			r.bad(!fits || res.Type == s.kind || res.Type == "other", w("Q10", at+".type", "审批结果类型与名称不符", "the type of the result does not fit its name"))
		}
	}
}

// codeParts is Q11: the parts of the code agree with the fields.
func codeParts(it *Item, around Around, r *report) {
	parts, err := codes.ParseItemCode(it.Code)
	if err != nil {
		r.bad(false, e("Q11", "name", "事项编码不正确", "the item code is not valid"))
		return
	}
	r.bad(around.USCC == "" || parts.USCC == around.USCC, e("Q11", "name", "事项编码中的统一社会信用代码与实施主体不符", "the code is of another body"))
	r.bad(Level(parts.Level) == it.Level, e("Q11", "level", "事项编码中的层级与行使层级不符", "the level is not that of the code"))
	r.bad(parts.BaseCode() == it.BaseCode, e("Q11", "directory_entry", "事项编码中的基本编码与目录不符", "the directory entry is not that of the code"))
	r.bad(!parts.Base.Split(), e("Q11", "directory_entry", "该主项已拆分为子项，不能直接申请", "the main item is split into sub-items"))
	if it.Type != TypeNonLicense {
		r.bad(parts.Base.Type == it.Type, e("Q11", "item_type", "事项编码中的类型与事项类型不符", "the type is not that of the code"))
	}
	// Bodies of Shenzhen's districts and others stand one level beside their code, so
	// this is worth a look and no more.
	want, known := divisionLevel(parts.USCC[2:8])
	r.bad(!known || it.Level < Province || it.Level > County || want == it.Level,
		w("Q11", "level", "行使层级与实施主体的行政区划层级不同，请核对", "the level is not that of the body's division"))
}

// divisionLevel is the level of the division that the six digits name.
func divisionLevel(division string) (Level, bool) {
	switch _, err := codes.Division6(division); {
	case err != nil:
		return 0, false
	case strings.HasSuffix(division, "0000"):
		return Province, true
	case strings.HasSuffix(division, "00"):
		return City, true
	}
	return County, true
}

// itemType is the part of Q11 that asks for a type that may be published at all.
func itemType(it *Item, around Around, r *report) {
	if it.Type == TypeNonLicense {
		r.bad(it.Effective.Before(NonLicenseEnd), e("Q11", "item_type",
			"非行政许可审批已于 2015 年 5 月 14 日取消，不能发布", "non-license approval ended on 2015-05-14 and cannot be published"))
		return
	}
	r.bad(knownType(it.Type), e("Q11", "item_type", "没有这种事项类型", "there is no such item type"))
	r.bad(around.DirectoryType == "" || around.DirectoryType == it.Type, e("Q11", "item_type", "事项类型与目录不符", "the type is not that of the directory entry"))
}
