// Package load brings a sample province into a running hall through its API, the
// way an administrator would.
package load

import (
	"strconv"
	"strings"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"

	"github.com/onehall/onehall/deploy/sample"
)

// HallName is the resource name of a division's hall.
func HallName(code string) string { return "halls/" + code }

// DepartmentName is the resource name of a department.
func DepartmentName(division, id string) string { return HallName(division) + "/departments/" + id }

// ItemName is the resource name of an item.
func ItemName(it sample.Item) string { return HallName(it.Division) + "/items/" + it.ItemCode }

func levelOf(digit string) cataloguev1.Level {
	n, err := strconv.Atoi(digit)
	if err != nil {
		return cataloguev1.Level_LEVEL_UNSPECIFIED
	}
	return cataloguev1.Level(n)
}

func department(d sample.Department) *cataloguev1.Department {
	return &cataloguev1.Department{
		Name: DepartmentName(d.Division, d.ID), DisplayName: d.Name, Uscc: d.USCC, Level: levelOf(d.Level),
		Nature: int32(d.Nature), Address: d.Address, Phone: d.Phone,
	}
}

func directoryEntry(b sample.BaseItem) *cataloguev1.DirectoryEntry {
	e := &cataloguev1.DirectoryEntry{
		Name: "directory/" + b.BaseCode, DisplayName: b.Name, ItemType: b.ItemType, LegalBasis: b.LegalBasis,
	}
	for _, l := range b.Levels {
		e.Levels = append(e.Levels, levelOf(l))
	}
	return e
}

var (
	forms = map[string]cataloguev1.MaterialForm{
		sample.FormPaper: cataloguev1.MaterialForm_MATERIAL_FORM_PAPER, sample.FormElectronic: cataloguev1.MaterialForm_MATERIAL_FORM_ELECTRONIC,
		sample.FormBoth: cataloguev1.MaterialForm_MATERIAL_FORM_EITHER,
	}
	sources = map[string]cataloguev1.MaterialSource{
		sample.SourceApplicant: cataloguev1.MaterialSource_MATERIAL_SOURCE_APPLICANT, sample.SourceGovernment: cataloguev1.MaterialSource_MATERIAL_SOURCE_GOVERNMENT,
		sample.SourceOther: cataloguev1.MaterialSource_MATERIAL_SOURCE_OTHER,
	}
	units = map[string]cataloguev1.TimeUnit{
		sample.UnitWorkingDay: cataloguev1.TimeUnit_TIME_UNIT_WORKING_DAY, sample.UnitNaturalDay: cataloguev1.TimeUnit_TIME_UNIT_NATURAL_DAY,
	}
	caseTypes = map[string]cataloguev1.CaseType{
		sample.CaseInstant: cataloguev1.CaseType_CASE_TYPE_INSTANT, sample.CasePromised: cataloguev1.CaseType_CASE_TYPE_PROMISED,
	}
)

// Item is a sample item as the catalogue takes it.
func Item(s sample.Item) *cataloguev1.Item {
	it := &cataloguev1.Item{
		Name: ItemName(s), Title: s.Name, Aliases: s.Aliases, Summary: s.Summary,
		DirectoryEntry: "directory/" + s.BaseCode, Department: DepartmentName(s.Division, s.Department),
		ItemType: s.ItemType, Level: levelOf(s.Level), CaseType: caseTypes[s.CaseType],
		StatutoryLimit: int32(s.Statutory.Value), PromisedLimit: int32(s.Promised.Value), LimitUnit: units[s.Promised.Unit],
		ServiceObjects: numbers(s.ServiceObjects), PersonThemes: s.PersonThemes, LegalThemes: s.LegalThemes,
		LegalBasis: s.LegalBasisText(), Conditions: strings.Join(s.Conditions, "\n"),
		Charged: len(s.Fees) > 0, OnlinePayment: s.OnlinePayment,
		Visits: int32(s.Visits), VisitReason: s.VisitReason, OnlineDepth: numbers(s.OnlineDepth), DepthLevel: int32(s.DepthLevel()),
		HandlingForms: numbers(s.HandlingForms), HandledAnywhereScope: s.AnywhereScope,
		Places:       []*cataloguev1.Place{{DisplayName: s.Place, Hours: s.Hours}},
		ConsultPhone: s.ConsultPhone, ComplaintPhone: s.ComplaintPhone, SpecialProcedures: s.SpecialProcedures,
		Results: []*cataloguev1.ResultDocument{{DisplayName: s.Result.Name, Type: s.Result.Type, Sample: s.Result.Sample}},
	}
	it.FormSchema = s.Form
	if s.Legacy != "" {
		it.LegacyCode = s.Legacy
	}
	for i, m := range s.Materials {
		it.Materials = append(it.Materials, &cataloguev1.Material{
			Id: "m" + strconv.Itoa(i+1), DisplayName: m.Name, Form: forms[m.Form], Necessary: m.Required,
			Copies: int32(m.Copies), Source: sources[m.Source], Notes: m.Notes,
		})
	}
	for _, st := range s.Steps {
		it.Steps = append(it.Steps, &cataloguev1.ProcessStep{Kind: st.Kind, DisplayName: st.Name, Limit: int32(st.Days), Description: st.Text})
	}
	for _, f := range s.Fees {
		it.Fees = append(it.Fees, &cataloguev1.Fee{DisplayName: f.Name, Standard: f.Standard, Basis: f.Basis, AmountFen: f.AmountFen()})
	}
	for _, q := range append(faqs(s.FAQ), tips(s.Tips)...) {
		it.Faqs = append(it.Faqs, q)
	}
	// A license is decided by more than one pair of eyes.
	it.FullFlow = s.ItemType == sample.TypeLicense && s.CaseType == sample.CasePromised
	it.FourEyes = it.FullFlow
	ownFlow(s.ServiceID, it)
	return it
}

func faqs(in []sample.FAQ) []*cataloguev1.Faq {
	var out []*cataloguev1.Faq
	for _, q := range in {
		out = append(out, &cataloguev1.Faq{Question: q.Question, Answer: q.Answer})
	}
	return out
}

// tips stand among the questions, where readers look for what to watch out for.
func tips(in []string) []*cataloguev1.Faq {
	if len(in) == 0 {
		return nil
	}
	return []*cataloguev1.Faq{{Question: "办理前要注意什么？", Answer: strings.Join(in, "\n")}}
}

// numbers reads the digits of code lists; the sample's tests hold them to digits.
func numbers(codes []string) []int32 {
	var out []int32
	for _, c := range codes {
		if n, err := strconv.Atoi(c); err == nil {
			out = append(out, int32(n))
		}
	}
	return out
}
