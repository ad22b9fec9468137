package rules

import (
	"slices"
	"time"
)

// Level is the level of a hall or an item, 1 state to 7 graded.
type Level int

// The levels that a division code tells.
const (
	Province Level = 2
	City     Level = 3
	County   Level = 4
)

// Unit is the unit of a limit; its zero value means working days.
type Unit int

// The units.
const (
	WorkingDay Unit = 1
	NaturalDay Unit = 2
)

// Handling forms of GB/T 39046 that the checks ask for.
const (
	FormWeb     = 2
	FormMobile  = 3
	FormCourier = 4
)

// Item types of GB/T 39046 A.1 that the checks ask for.
const (
	TypeLicense = "01"
	// TypeNonLicense is the former non-license approval (非行政许可审批). The standard
	// has no code for it, because the State Council ended the category; this one is
	// ours, so that lists of former systems can be taken in as drafts.
	TypeNonLicense = "90"
)

// NonLicenseEnd is the day (China time) from which no non-license approval may be in force.
var NonLicenseEnd = time.Date(2015, 5, 14, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))

// Person is the service object that is a natural person; all others are legal persons.
const Person = 1

// Material is one material of an item.
type Material struct {
	Name string
}

// FlowStep is one step of a flow of the item's own.
type FlowStep struct {
	// At is its place among all the item's steps.
	At                   int
	ID, Kind             string
	ForeignHall          bool
	FourEyes             []string
	Optional, Repeatable bool
}

// Fee is one fee of an item.
type Fee struct {
	Name, Standard, Basis string
}

// Result is one result document of an item.
type Result struct {
	Name, Type, Sample string
}

// FormProblem is one thing that is wrong with a form's schema.
type FormProblem struct {
	// At is the place in the schema, empty for the whole.
	At string
	// ZH and EN say what is wrong.
	ZH, EN string
}

// Item is what the checks look at.
type Item struct {
	// Code is the item code, BaseCode that of the directory entry.
	Code, BaseCode string
	Title, Type    string
	Level          Level
	Instant        bool
	Statutory      int
	Promised       int
	// StatutoryUnit and PromisedUnit differ only in lists that people import.
	StatutoryUnit, PromisedUnit Unit
	ServiceObjects              []int32
	PersonThemes, LegalThemes   []string
	Materials                   []Material
	StepKinds                   []string
	Flow                        []FlowStep
	FullFlow                    bool
	Charged, OnlinePayment      bool
	Fees                        []Fee
	Visits                      int
	VisitReason                 string
	OnlineDepth, HandlingForms  []int32
	DepthLevel                  int
	ConsultPhone                string
	ComplaintPhone              string
	Results                     []Result
	Faqs                        int
	// FormProblems are what reading the form's schema found.
	FormProblems []FormProblem
	// Effective is when it is to be in force.
	Effective time.Time
}

// Around is what the checks must know of the item's surroundings.
type Around struct {
	// USCC is the department's unified social credit code; empty if it has none.
	USCC string
	// DirectoryType is the item type of the directory entry; empty if unknown.
	DirectoryType string
	// TitleTaken says that another item of the department and level has the title.
	TitleTaken bool
}

// FullOnline says whether the whole flow runs online without a visit.
func FullOnline(depth []int32, visits int) bool {
	for _, element := range []int32{2, 4, 5, 6} {
		if !slices.Contains(depth, element) {
			return false
		}
	}
	return visits == 0
}

// DepthLevel is the depth on the scale I to IV, as 1 to 4: IV runs fully online, III
// takes in and accepts online with one visit at most, II takes in online with two.
func DepthLevel(depth []int32, visits int) int {
	switch {
	case FullOnline(depth, visits):
		return 4
	case slices.Contains(depth, 2) && slices.Contains(depth, 4) && visits <= 1:
		return 3
	case slices.Contains(depth, 2) && visits <= 2:
		return 2
	default:
		return 1
	}
}

// ItemTypes are the names of the item types in use.
var ItemTypes = map[string]string{
	"01": "行政许可", "02": "行政处罚", "03": "行政强制", "04": "行政征收", "05": "行政给付", "06": "行政检查",
	"07": "行政确认", "08": "行政奖励", "09": "行政裁决", "10": "其他行政权力", "20": "公共服务",
	TypeNonLicense: "非行政许可审批",
}

// knownType says whether a type is of the standard or of the ranges it leaves for extension.
func knownType(t string) bool {
	return len(t) == 2 && t >= "01" && t <= "29"
}
