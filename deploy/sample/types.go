package sample

import (
	"regexp"
	"strconv"
)

// Item types of GB/T 39046-2020 table A.1 that the sample uses.
const (
	TypeLicense       = "01" // 行政许可
	TypeBenefit       = "05" // 行政给付
	TypeConfirmation  = "07" // 行政确认
	TypeOtherPower    = "10" // 其他行政权力
	TypePublicService = "20" // 公共服务
)

// Case types of table A.6.
const (
	CaseInstant  = "1" // 即办件
	CasePromised = "2" // 承诺件
)

// Units of a limit.
const (
	UnitWorkingDay = "working_day"
	UnitNaturalDay = "natural_day"
)

// Service objects of table A.4.
const (
	ObjectPerson      = "1" // 自然人
	ObjectEnterprise  = "2" // 企业法人
	ObjectInstitution = "3" // 事业法人
	ObjectSocialOrg   = "4" // 社会组织法人
	ObjectOther       = "6" // 其他组织
)

// Material forms.
const (
	FormPaper      = "paper"
	FormElectronic = "electronic"
	FormBoth       = "both"
)

// Sources a material can come from.
const (
	SourceApplicant  = "applicant"  // 申请人自备
	SourceGovernment = "government" // 政府部门核发
	SourceOther      = "other"      // 其他单位出具
)

// Result types.
const (
	ResultCertificate = "certificate" // 证照
	ResultApproval    = "approval"    // 批文
	ResultDocument    = "document"    // 文书
)

// Step kinds, in the order a case runs through them.
const (
	StepAccept  = "accept"
	StepExamine = "examine"
	StepApprove = "approve"
	StepFinish  = "finish"
	StepDeliver = "deliver"
)

// Limit is a length of time and its unit.
type Limit struct {
	Value int    `json:"value"`
	Unit  string `json:"unit"`
}

// Basis is one law an item rests on. Article is empty where only the law as a
// whole is cited.
type Basis struct {
	Law     string `json:"law"`
	Article string `json:"article,omitempty"`
}

// Material is one thing the applicant hands in.
type Material struct {
	Name     string `json:"name"`
	Form     string `json:"form"`
	Required bool   `json:"required"`
	Copies   int    `json:"copies"`
	Source   string `json:"source"`
	// BlankForm says that the hall offers a form to fill in.
	BlankForm bool   `json:"blank_form,omitempty"`
	Notes     string `json:"notes,omitempty"`
}

// Step is one stage of the way a case goes; Days counts in the unit of the
// promised limit and the days of all steps add up to it.
type Step struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Days int    `json:"days"`
	Text string `json:"text"`
}

// Fee is one thing the applicant pays for. No fee means free of charge.
type Fee struct {
	Name     string `json:"name"`
	Standard string `json:"standard"`
	Basis    string `json:"basis"`
}

var oneAmount = regexp.MustCompile(`^([0-9]+)元(/\S+)?$`)

// AmountFen is the standard in fen where it is one amount, as 20元/证, else 0.
func (f Fee) AmountFen() int64 {
	m := oneAmount.FindStringSubmatch(f.Standard)
	if m == nil {
		return 0
	}
	yuan, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0 // more digits than any fee has: no single amount to speak of
	}
	return yuan * 100
}

// Result is the paper or entry the applicant gets.
type Result struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Sample string `json:"sample"`
}

// FAQ is one question and its answer.
type FAQ struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// Guide is everything an applicant reads about an item. In a [Service] the
// texts may hold {city}, {division}, {department} and {area}; in an [Item] they
// are filled in.
type Guide struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
	Summary string   `json:"summary"`

	ItemType       string   `json:"item_type"`
	BaseCode       string   `json:"base_code"`
	ServiceObjects []string `json:"service_objects"`
	PersonThemes   []string `json:"person_themes,omitempty"`
	LegalThemes    []string `json:"legal_themes,omitempty"`

	LegalBasis []Basis    `json:"legal_basis"`
	Conditions []string   `json:"conditions"`
	Materials  []Material `json:"materials"`

	CaseType  string `json:"case_type"`
	Statutory Limit  `json:"statutory"`
	// StatutoryBasis says where the statutory limit comes from.
	StatutoryBasis string `json:"statutory_basis"`
	Promised       Limit  `json:"promised"`
	Steps          []Step `json:"steps"`

	Fees          []Fee  `json:"fees,omitempty"`
	OnlinePayment bool   `json:"online_payment,omitempty"`
	Visits        int    `json:"visits"`
	VisitReason   string `json:"visit_reason,omitempty"`

	// OnlineDepth holds the national elements 1..8 (互联网咨询 ... 其他).
	OnlineDepth []string `json:"online_depth"`
	// HandlingForms: 1 window, 2 web, 3 mobile, 4 courier.
	HandlingForms []string `json:"handling_forms"`
	// AnywhereScope: "", "county", "city", "province" or "nation".
	AnywhereScope string `json:"anywhere_scope,omitempty"`

	Place          string `json:"place"`
	Hours          string `json:"hours"`
	ConsultPhone   string `json:"consult_phone"`
	ComplaintPhone string `json:"complaint_phone"`

	// SpecialProcedures are the interruptions that stop the clock of a case.
	SpecialProcedures []string `json:"special_procedures,omitempty"`

	// Form is the form to fill in, as JSON Schema; it lies in a file of its own.
	Form string `json:"-"`

	Result Result   `json:"result"`
	FAQ    []FAQ    `json:"faq"`
	Tips   []string `json:"tips"`
}

// Service is the guide of something people really need, before any department
// has taken it over.
type Service struct {
	ID string `json:"id"`
	// Body is the slug of the kind of department that does it.
	Body string `json:"body"`
	Guide
}

// Item is a guide as one department does it (实施清单).
type Item struct {
	ItemCode string `json:"item_code"`
	// ServiceID is empty for generated items.
	ServiceID      string `json:"service_id,omitempty"`
	Division       string `json:"division"`
	Department     string `json:"department"`
	DepartmentName string `json:"department_name"`
	USCC           string `json:"uscc"`
	Level          string `json:"level"`
	// Legacy is LegacyNonLicense for an item that was a non-license approval
	// (非行政许可审批) before that category ended on 2015-05-14; its type is 10.
	Legacy string `json:"legacy,omitempty"`
	Guide
}

// LegacyNonLicense marks a former non-license approval.
const LegacyNonLicense = "non_license_approval"

// FullOnline says whether the whole flow runs online without a visit.
func (g *Guide) FullOnline() bool {
	return g.Visits == 0 && g.depth("2") && g.depth("4") && g.depth("5") && g.depth("6")
}

// DepthLevel is the four-level scale I..IV as 1..4, derived from the elements
// and the visits: 4 needs full online handling, 3 online acceptance with at
// most one visit, 2 online intake with at most two.
func (g *Guide) DepthLevel() int {
	switch {
	case g.FullOnline():
		return 4
	case g.depth("2") && g.depth("4") && g.Visits <= 1:
		return 3
	case g.depth("2") && g.Visits <= 2:
		return 2
	default:
		return 1
	}
}

func (g *Guide) depth(element string) bool {
	for _, d := range g.OnlineDepth {
		if d == element {
			return true
		}
	}
	return false
}
